"""Arguments that no aggregator takes: each is refused with what, where, the value, the rule and the remedy."""

from collections.abc import Callable

import jaxtyping
import pytest
import torch

from flatmtl_core import MGDA, AlignedMTL, CAGrad, Constant, FairGrad, GradDrop, InvalidInput, NashMTL, PCGrad, UPGrad
from tests.assertions import seeded
from tests.strategies import tensor

_GOOD = torch.eye(3, dtype=torch.float64)

_REFUSED: dict[str, Callable[[], object]] = {
    "no task": lambda: MGDA()(_GOOD[:0]),
    "no parameter": lambda: MGDA()(_GOOD[:, :0]),
    "one dimension": lambda: MGDA()(_GOOD[0]),
    "integers": lambda: MGDA()(_GOOD.long()),
    "out: shape": lambda: MGDA()(_GOOD, out=torch.empty(4, dtype=torch.float64)),
    "out: dtype": lambda: MGDA()(_GOOD, out=torch.empty(3)),
    "empty gramian": lambda: MGDA().weighting(_GOOD[:0, :0]),
    "gramian: not square": lambda: MGDA().weighting(_GOOD[:2]),
    "gramian: not symmetric": lambda: MGDA().weighting(tensor(((1, 0.5), (0, 1)))),
    "gramian: NaN": lambda: MGDA().weighting(_GOOD * float("nan")),
    "gramian: negative diagonal": lambda: MGDA().weighting(-_GOOD),
    "gramian: negative curvature": lambda: MGDA().weighting(tensor(((1, 0.9, 0), (0.9, 1, 0.9), (0, 0.9, 1)))),
    "gramian: cosine above 1": lambda: MGDA().weighting(tensor(((1, 1.01), (1.01, 1)))),
    "gramian: zero diagonal": lambda: MGDA().weighting(tensor(((0, 1), (1, 1)))),
    "PCGrad without generator": lambda: PCGrad()(_GOOD),
    "PCGrad: reduction": lambda: PCGrad(reduction="max"),  # type: ignore[arg-type]
    "CAGrad: c < 0": lambda: CAGrad(c=-0.1),
    "CAGrad: c is NaN": lambda: CAGrad(c=float("nan")),
    "CAGrad: c is infinite": lambda: CAGrad(c=float("inf")),
    "CAGrad: rescale": lambda: CAGrad(rescale=3),  # type: ignore[arg-type]
    "FairGrad: alpha = 0": lambda: FairGrad(alpha=0.0),
    "FairGrad: alpha is NaN": lambda: FairGrad(alpha=float("nan")),
    "NashMTL: scale": lambda: NashMTL(scale="unit"),  # type: ignore[arg-type]
    "NashMTL: stationary": lambda: NashMTL(stationary="skip"),  # type: ignore[arg-type]
    "UPGrad: reduction": lambda: UPGrad(reduction="max"),  # type: ignore[arg-type]
    "AlignedMTL: reduction": lambda: AlignedMTL(reduction="max"),  # type: ignore[arg-type]
    "GradDrop without generator": lambda: GradDrop()(_GOOD),
    "GradDrop: leak < 0": lambda: GradDrop(leak=-0.1),
    "GradDrop: leak > 1": lambda: GradDrop(leak=1.1),
    "GradDrop: leak is NaN": lambda: GradDrop(leak=float("nan")),
    "GradDrop: no task": lambda: GradDrop()(_GOOD[:0], generator=seeded()),
    "GradDrop: integers": lambda: GradDrop()(_GOOD.long(), generator=seeded()),
    "GradDrop: out": lambda: GradDrop()(_GOOD, generator=seeded(), out=torch.empty(4, dtype=torch.float64)),
    "Constant: none": lambda: Constant(weights=()),
    "Constant: not finite": lambda: Constant(weights=(1.0, float("inf"))),
    "Constant: too few": lambda: Constant(weights=(1.0, 2.0))(_GOOD),
    "Constant: too many": lambda: Constant(weights=(1.0,) * 4)(_GOOD),
}


@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize("case", _REFUSED)
def test_bad_input_is_refused(case: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        _REFUSED[case]()
    error = caught.value
    assert error.what
    assert error.where
    assert error.rule
    assert error.remedy


def test_shape_checks_are_on_in_the_tests() -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        MGDA()(_GOOD[0])
