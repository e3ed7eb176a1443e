"""Matrices on which rounding, not the data, decides which rows take part: an answer all the same, and a right one."""

import pytest
import torch

from flatmtl_core import MGDA, AlignedMTL, CAGrad, DualProj, FairGrad, GradDrop, UPGrad
from tests.assertions import LIMIT, LIMIT_FLOAT32, assert_close, direction, seeded, term_size, weighted
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


def test_cagrad_has_no_direction_where_the_mean_is_nothing_but_rounding() -> None:
    """The ball around the mean has radius zero; the rounding of the last row is no direction to go on from."""
    generator = seeded()
    for count in [3, 4, 5] * 20:
        free = torch.randn(count - 1, 4, generator=generator, dtype=torch.float64)
        answer = weighted(CAGrad(), torch.cat([free, -free.sum(dim=0, keepdim=True)]))
        assert answer.status == "stationary"
        assert not answer.weights.any()


def test_aligned_mtl_sees_that_three_rows_of_the_plane_are_dependent() -> None:
    """Two positive eigenvalues: d = sqrt(l_2) times the polar factor's transpose of 1/3 (by the rank-2 SVD)."""
    rows = tensor(((5, 10), (0, 1), (-5, -13)))
    left, values, right = torch.linalg.svd(rows, full_matrices=False)
    expected = values[-1] * (left @ right).mean(dim=0)
    assert_close(direction(AlignedMTL(), rows), expected, LIMIT * float(rows.norm()))


def test_graddrop_keeps_pure_coordinates_whose_sums_are_subnormal() -> None:
    rows = torch.full((1, 1000), 1e-45)
    assert torch.equal(direction(GradDrop(), rows), rows[0])


@pytest.mark.parametrize("alpha", [0.5, 2.0, 4.0])
def test_fair_weights_beyond_the_range_leave_the_direction_in_it(alpha: float) -> None:
    """A(t J) = t^k A(J): the weights, of degree k - 1, overflow where the direction does not."""
    rows = tensor(((5, -20, 20), (5, 1, -5), (0, 10, 1)))
    aggregator = FairGrad(alpha=alpha)
    t = 2.0**-990
    expected = direction(aggregator, rows) * (t**0.5) ** aggregator.degree * (t**0.5) ** aggregator.degree
    assert_close(direction(aggregator, rows * t), expected, 1e-9 * float(expected.norm()))
