"""Matrices on which rounding, not the data, decides which rows take part: an answer all the same, and a right one."""

import pytest

from flatmtl_core import MGDA, CAGrad, DualProj, UPGrad
from tests.assertions import LIMIT_FLOAT32, direction, term_size, weighted
from tests.strategies import tensor

OPPOSITE_BESIDE_A_TINY_ROW = tensor(
    ((-5e3, 5e3, 1e4, -2e4), (0, -2e5, 0, 1e5), (-2e-5, -2e-5, -1e-5, -2e-5), (-5, 0, 0, 5), (5e4, -5e4, -1e5, 2e5))
)
"""The first and the last row are opposite, so 0 is in the hull; the tiny row enters the support first."""

DEPENDENT_IN_FLOAT32 = tensor(
    ((-2, 1, 0.5, -2), (-0.1, -1, -0.5, 0.1), (-1, -2, 0.1, -0.1), (2, -2, -0.1, -0.1), (3, 1, -0.6, 2.1))
)
"""The first row, the third and the last add up to zero, but for the rounding of their entries to float32."""


def test_mgda_finds_the_opposite_rows_beside_a_tiny_one() -> None:
    answer = weighted(MGDA(), OPPOSITE_BESIDE_A_TINY_ROW)
    assert answer.status == "stationary"
    assert answer.weights.isfinite().all()
    assert not direction(MGDA(), OPPOSITE_BESIDE_A_TINY_ROW).any()


@pytest.mark.parametrize("aggregator", [CAGrad(c=0.4), CAGrad(c=1.0), CAGrad(c=2.0), UPGrad(), DualProj()], ids=repr)
def test_rows_that_float32_leaves_dependent(aggregator: CAGrad | UPGrad | DualProj) -> None:
    """The direction is orthogonal to three of the rows: with large weights it would be rounding, not a direction."""
    rows = DEPENDENT_IN_FLOAT32.float()
    found = direction(aggregator, rows).double()
    assert found.isfinite().all()
    if isinstance(aggregator, CAGrad) and aggregator.c < 1:
        mean = rows.double().mean(dim=0)
        assert float((found - mean).norm()) <= aggregator.c * float(mean.norm()) * (1 + LIMIT_FLOAT32)
        return
    size = term_size(weighted(aggregator, rows).weights, rows)
    assert float(((rows.double() @ found) / rows.double().norm(dim=1)).min()) >= -LIMIT_FLOAT32 * size
