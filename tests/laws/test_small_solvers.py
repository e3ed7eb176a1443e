"""The small solvers from inside: what their answers alone do not show - roads taken, searches' lengths, limits."""

import math
from typing import NoReturn

import pytest
import torch
from torch import Tensor

from flatmtl_core import CAGrad, DualProj, NashMTL, UPGrad
from flatmtl_core.aggregate import aggregate_rows
from flatmtl_core.cosine import CosineForm, cosine_form
from flatmtl_core.linalg import EPS, measure
from flatmtl_core.nonnegative import nonnegative_quadratic
from flatmtl_core.weightings import cagrad, dual_cone
from flatmtl_core.weightings.nash_fair import fair_point
from tests.assertions import LIMIT, assert_close, direction, seeded, weighted
from tests.oracles import dual_cone_rational
from tests.oracles.minnorm_rational import rational
from tests.strategies import tensor

ON_ONE_LINE = tensor(((0.3, 0.1, 0.0), (-0.7, -0.7 / 3, 0.0), (0.2, 0.2 / 3, 0.0)))
"""Along one line, both ways, with rounded entries: the dual cone is orthogonal to it, every projection is zero."""

FREE_AND_OBTUSE = tensor(((3.0, 0.0, 0.0), (-1.0, 2.0, 0.0), (-1.0, -1.0, 4.0)))
"""Independent rows with obtuse angles: no entry of K^-1 is negative."""


def _never(*_: object, **__: object) -> NoReturn:
    raise AssertionError("this road is not taken here")


@pytest.mark.parametrize("scale", [1.0, 1e-100, 1e100])
@pytest.mark.parametrize("aggregator", [CAGrad(c=1.0), CAGrad(c=2.0), UPGrad(), DualProj()], ids=repr)
def test_a_direction_of_rounding_is_none(aggregator: CAGrad | UPGrad | DualProj, scale: float) -> None:
    """The weights do not vanish, their combination does: it is said to be stationary, and exactly zero."""
    answer = weighted(aggregator, ON_ONE_LINE * scale)
    assert answer.status == "stationary"
    assert answer.weights.any()
    assert not direction(aggregator, ON_ONE_LINE * scale).any()


@pytest.mark.parametrize("power", [-600, 600])
def test_weights_beyond_the_safe_range_are_those_of_the_rows(power: int) -> None:
    """Of degree k - 1 = -1, and in float64's range: they combine the rows to the direction."""
    rows = tensor(((5, -20, 20), (5, 1, -5), (0, 10, 1))) * 2.0**power
    found = torch.empty_like(rows[0])
    answer = aggregate_rows(NashMTL(), measure(rows), rows, None, found)
    assert answer is not None
    assert_close(answer.weights @ rows, found, LIMIT * float(found.norm()))
    assert_close(found, direction(NashMTL(), rows * 2.0**-power), LIMIT * float(found.norm()))


def test_upgrad_of_free_obtuse_rows_needs_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every projection is the part orthogonal to all others, read off the inverse."""
    monkeypatch.setattr(dual_cone, "dual_cone_multipliers", _never)
    exact = tensor([float(x) for x in dual_cone_rational.upgrad(rational(FREE_AND_OBTUSE))])
    assert_close(direction(UPGrad(), FREE_AND_OBTUSE), exact, LIMIT * float(FREE_AND_OBTUSE.norm()))


def test_upgrad_of_dependent_rows_does_not_read_off_the_inverse(monkeypatch: pytest.MonkeyPatch) -> None:
    """The third row is minus the sum of the first two, up to 1e-6: the inverse would be mostly rounding."""
    rows = tensor(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (-1.0, -1.0, 1e-6)))
    monkeypatch.setattr(dual_cone, "solve_positive", _never)
    exact = tensor([float(x) for x in dual_cone_rational.upgrad(rational(rows))])
    assert_close(direction(UPGrad(), rows), exact, 1e-9)


def _solves(monkeypatch: pytest.MonkeyPatch, rows: Tensor) -> int:
    """How many quadratic programs CAGrad solves."""
    calls = 0
    solve = cagrad.nonnegative_quadratic

    def counting(*arguments: Tensor, **options: object) -> Tensor:
        nonlocal calls
        calls += 1
        return solve(*arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(cagrad, "nonnegative_quadratic", counting)
        direction(CAGrad(c=0.4), rows)
    return calls


def test_cagrad_finds_its_radius_by_roots_not_by_bisection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The root on a support is exact: a few supports are visited, where bisection to rounding takes fifty steps."""
    generator = seeded(3)
    matrices = [torch.randn(m, 12, generator=generator, dtype=torch.float64) for m in [3, 5, 8] * 10]
    counts = sorted(_solves(monkeypatch, rows) for rows in matrices)
    assert counts[0] >= 1
    assert counts[len(counts) // 2] <= 4
    assert counts[-1] <= 10


@pytest.mark.parametrize(("slope", "bounded"), [(1e-8, True), (1e-3, False)])
def test_a_slope_along_a_flat_direction_counts_from_one_millionth_on(slope: float, bounded: bool) -> None:
    """H is flat along (1, 1), where q rises: what low precision can fake is left out, the rest leads far away."""
    matrix = tensor(((1.0, -1.0), (-1.0, 1.0)))
    found = nonnegative_quadratic(matrix, tensor((1.0, slope - 1.0)))
    assert (float(found.max()) < 2) == bounded
    assert bounded or float(found.min()) > 1e3


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_the_limit_of_the_fair_equation_is_what_rounding_makes_of_it(alpha: float) -> None:
    """8 eps sum_j b_j over the least right side (b_i / s_i)^(-1/alpha) / s_i, for two rows almost opposite."""
    form = CosineForm([[1.0, 1e-9 - 1.0], [1e-9 - 1.0, 1.0]], [1.0, 0.5], 1.0, (0, 1), 2)
    best, _, limit = fair_point(form, alpha)
    pulls = [(b / s) ** (-1 / alpha) / s for b, s in zip(best, form.lengths, strict=True)]
    assert alpha == 1.0 or max(pulls) > 1.2 * min(pulls)
    assert limit == pytest.approx(8 * EPS * sum(best) / min(pulls), rel=1e-9)
    assert limit > 1e-6


def test_a_gramian_given_as_such_is_taken_for_exact() -> None:
    """What its rows were is not known; noise of low-precision rows belongs to rows only."""
    assert cosine_form(torch.eye(2, dtype=torch.float64)).noise == 0.0
    assert math.isclose(measure(torch.eye(2)).noise, 1e-7)
