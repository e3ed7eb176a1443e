"""TorchJD's aggregators beside ours: they agree where it solves the definition, and its deviations are pinned."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from flatmtl_core import IMTLG, MGDA, AlignedMTL, CAGrad, ConFIG, DualProj, Mean, UPGrad
from tests.assertions import Method, assert_close, direction
from tests.strategies import separated, sizes, tensor

pytestmark = pytest.mark.thorough

_MANY = settings(max_examples=300, deadline=None)


def _theirs(name: str, rows: Tensor, **arguments: Any) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchjd import aggregation  # noqa: PLC0415 - only these tests need it

        found: Tensor = getattr(aggregation, name)(**arguments)(rows)
    return found


_CASES: dict[str, tuple[Callable[[], Method], dict[str, Any], float]] = {
    "Mean": (Mean, {}, 1e-12),
    "IMTLG": (IMTLG, {}, 1e-6),
    "AlignedMTL": (AlignedMTL, {}, 1e-6),
    "ConFIG": (ConFIG, {}, 1e-6),
    "DualProj": (DualProj, {}, 1e-2),
    "UPGrad": (UPGrad, {}, 1e-2),
    "CAGrad": (lambda: CAGrad(c=0.4), {"c": 0.4}, 1e-2),
}
"""Class -> ours, their arguments, and the relative distance: 1e-2 is the root of their regularisation of 1e-4."""


@pytest.mark.parametrize("name", _CASES)
@given(data=st.data())
@_MANY
def test_they_agree_on_well_conditioned_rows(name: str, data: st.DataObject) -> None:
    """0 apart from the hull, independent rows with singular values within 1e2, norms of 1 and more."""
    m = data.draw(sizes)
    rows = data.draw(separated(m, data.draw(st.integers(m, 4))))
    values = torch.linalg.svdvals(rows)
    assume(float(values[-1]) >= 1e-2 * float(values[0]))
    build, arguments, tolerance = _CASES[name]
    found = direction(build(), rows)
    size = float(rows.norm(dim=1).max())
    assert_close(_theirs(name, rows, **arguments), found, tolerance * (size + float(found.norm())))


@dataclass(frozen=True)
class Deviation:
    """A matrix on which their answer is not that of the definition, and what shows it.

    Args:
        name, arguments: their aggregator.
        ours: the same method here.
        rows: the matrix.
        reason: why they differ.
        least: the relative distance of the two answers is at least this.
    """

    name: str
    arguments: dict[str, Any]
    ours: Method
    rows: Tensor
    reason: str
    least: float


_CONFLICT = tensor(((1, 0), (-0.5, 1)))

DEVIATIONS = (
    Deviation(
        "CAGrad", {"c": 1.0}, CAGrad(c=1.0), 1e-3 * _CONFLICT, "zero below a squared norm of 1e-4: norm_eps", 0.1
    ),
    Deviation("UPGrad", {}, UPGrad(), 1e-3 * _CONFLICT, "the mean below a squared norm of 1e-4: norm_eps", 0.1),
    Deviation(
        "UPGrad", {}, UPGrad(), tensor(((100, 0), (-1, 1))), "the Gramian is regularised by reg_eps = 1e-4", 1e-5
    ),
    Deviation(
        "MGDA", {}, MGDA(), tensor(((1, 0.01, 0), (-1, 0.01, 0), (0, 5, 0))), "Frank-Wolfe crawls at this corner", 1e-3
    ),
)


@pytest.mark.parametrize("one", DEVIATIONS, ids=lambda one: f"{one.name}: {one.reason}")
def test_known_deviations(one: Deviation) -> None:
    theirs, ours = _theirs(one.name, one.rows, **one.arguments), direction(one.ours, one.rows)
    distance = float((theirs - ours).norm()) / float(one.rows.norm(dim=1).max())
    assert distance >= one.least
