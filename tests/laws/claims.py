"""Method x law, as data: what is not promised is refuted by a pinned matrix, and promised under its condition.

``METHODS`` are the aggregators under test, one for each choice of arguments that changes what holds. ``CLAIMS`` speaks
about each pair (class, law) that the class does not list in its ``laws``.
"""

from collections.abc import Callable

from flatmtl_core import (
    IMTLG,
    MGDA,
    AlignedMTL,
    CAGrad,
    ConFIG,
    Constant,
    DualProj,
    FairGrad,
    GradDrop,
    Mean,
    NashMTL,
    PCGrad,
    UPGrad,
)
from flatmtl_core.laws import Law
from tests.assertions import Method
from tests.laws.claim import Claim
from tests.laws.claims_first import FIRST_CLAIMS
from tests.laws.claims_further import FURTHER_CLAIMS

METHODS: dict[str, Callable[[int], Method]] = {
    "Mean": lambda m: Mean(),
    "Constant": lambda m: Constant(weights=(1.0, 0.5, -2.0, 0.25, 3.0)[:m]),
    "Constant(1/m)": lambda m: Constant(weights=(1 / m,) * m),
    "MGDA": lambda m: MGDA(),
    "PCGrad": lambda m: PCGrad(),
    "PCGrad(mean)": lambda m: PCGrad(reduction="mean"),
    "CAGrad(0.4)": lambda m: CAGrad(c=0.4),
    "CAGrad(1)": lambda m: CAGrad(c=1.0),
    "CAGrad(2)": lambda m: CAGrad(c=2.0),
    "CAGrad(1, rescale 1)": lambda m: CAGrad(c=1.0, rescale=1),
    "CAGrad(0.4, rescale 2)": lambda m: CAGrad(c=0.4, rescale=2),
    "IMTLG": lambda m: IMTLG(),
    "NashMTL": lambda m: NashMTL(),
    "NashMTL(norm)": lambda m: NashMTL(scale="norm"),
    "FairGrad(0.5)": lambda m: FairGrad(alpha=0.5),
    "FairGrad(1)": lambda m: FairGrad(alpha=1.0),
    "FairGrad(2)": lambda m: FairGrad(alpha=2.0),
    "FairGrad(1, norm)": lambda m: FairGrad(alpha=1.0, scale="norm"),
    "FairGrad(2, norm)": lambda m: FairGrad(alpha=2.0, scale="norm"),
    "UPGrad": lambda m: UPGrad(),
    "UPGrad(sum)": lambda m: UPGrad(reduction="sum"),
    "DualProj": lambda m: DualProj(),
    "AlignedMTL": lambda m: AlignedMTL(),
    "AlignedMTL(sum)": lambda m: AlignedMTL(reduction="sum"),
    "ConFIG": lambda m: ConFIG(),
    "GradDrop": lambda m: GradDrop(),
    "GradDrop(0.5)": lambda m: GradDrop(leak=0.5),
    "GradDrop(1)": lambda m: GradDrop(leak=1.0),
}
"""Name -> the aggregator for m tasks."""

GRAMIAN_METHODS = [name for name in METHODS if not name.startswith("GradDrop")]
"""Those with weights."""

CLAIMS: dict[tuple[type[Method], Law], Claim] = FIRST_CLAIMS | FURTHER_CLAIMS
