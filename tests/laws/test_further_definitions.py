"""UPGrad, DualProj, Aligned-MTL, ConFIG and GradDrop against their definitions: exact, spectral and convex oracles."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from flatmtl_core import AlignedMTL, ConFIG, DualProj, GradDrop, UPGrad
from tests.assertions import LIMIT, Method, assert_close, direction, direction_accuracy, seeded, term_size, weighted
from tests.laws.test_definitions import FAMILIES, assert_exact
from tests.oracles import convex, dual_cone_rational, obvious, spectral
from tests.oracles.minnorm_rational import Matrix, Vector, dot, rational
from tests.strategies import Trial, few_valued, rotations, separated, sizes, tensor, trials

_FEWER = settings(max_examples=settings().max_examples // 2)
"""For the convex programs, which take their time."""

_EXACT: list[tuple[Method, Callable[[Matrix], Vector]]] = [
    (UPGrad(), dual_cone_rational.upgrad),
    (DualProj(), dual_cone_rational.dual_proj),
]
_BOTH = pytest.mark.parametrize(("aggregator", "oracle"), _EXACT, ids=["UPGrad", "DualProj"])
_REDUCTIONS = pytest.mark.parametrize("reduction", ["mean", "sum"])


def _floats(vector: Vector) -> Tensor:
    return tensor([float(x) for x in vector])


@_BOTH
@given(trial=trials(n_tasks=(1, 2, 3, 4, 5)))
def test_projections_are_exact(aggregator: Method, oracle: Callable[[Matrix], Vector], trial: Trial) -> None:
    exact = _floats(oracle(rational(trial.rows)))
    assert_close(direction(aggregator, trial.rows), exact, direction_accuracy(aggregator, trial.rows))


@given(trial=trials(n_tasks=(1, 2, 3, 4, 5)))
def test_upgrad_sum_is_exact(trial: Trial) -> None:
    exact = len(trial.rows) * _floats(dual_cone_rational.upgrad(rational(trial.rows)))
    aggregator = UPGrad(reduction="sum")
    assert_close(direction(aggregator, trial.rows), exact, direction_accuracy(aggregator, trial.rows))


@pytest.mark.parametrize("aggregator", [UPGrad(), UPGrad(reduction="sum"), DualProj()], ids=repr)
@given(trial=trials())
def test_projections_carry_a_certificate(aggregator: Method, trial: Trial) -> None:
    """The gap is not negative, and at an exact solution it is of rounding size beside sum_j |a_j| s_j max s."""
    answer = weighted(aggregator, trial.rows)
    rounding = LIMIT * float(trial.rows.norm(dim=1).max()) * term_size(answer.weights, trial.rows) * len(trial.rows)
    assert 0 <= answer.gap <= rounding


_SOME_FAMILIES = [family for family in FAMILIES if not family.startswith("40") or family.endswith("-2-1e12")]
"""The oracles solve one program a task, or turn every pair of rows: of the largest families the hardest will do."""


@pytest.mark.parametrize("family", _SOME_FAMILIES)
@pytest.mark.parametrize("name", ["UPGrad", "DualProj", "AlignedMTL"])
def test_further_methods_are_exact_on_every_scale(name: str, family: str) -> None:
    assert_exact(name, FAMILIES[family])


@pytest.mark.parametrize("family", [family for family in FAMILIES if "flat" not in family])
def test_config_is_exact_for_independent_rows(family: str) -> None:
    assert_exact("ConFIG", FAMILIES[family])


@pytest.mark.parametrize("solver", ["CLARABEL", "OSQP"])
@given(data=st.data())
@_FEWER
def test_projections_against_quadratic_programs(solver: convex.Solver, data: st.DataObject) -> None:
    rows = data.draw(few_valued(data.draw(sizes), data.draw(sizes)))
    matrix = rows.numpy()
    accuracy = convex.POINT_ACCURACY * float(rows.norm(dim=1).max())
    assert_close(direction(UPGrad(), rows), tensor(convex.upgrad(matrix, solver)), accuracy)
    program = tensor(convex.nearest_without_conflict(matrix, matrix.mean(axis=0), solver))
    assert_close(direction(DualProj(), rows), program, accuracy)


@_REDUCTIONS
@given(trial=trials())
def test_aligned_is_the_scaled_polar_factor(reduction: str, trial: Trial) -> None:
    aggregator = AlignedMTL(reduction=reduction)  # type: ignore[arg-type]
    live = trial.rows.any(dim=1)
    assume(live.any())
    own = np.full(int(live.sum()), 1.0 if reduction == "sum" else 1 / len(trial.rows))
    expected, _ = spectral.aligned(trial.rows[live].numpy(), own)
    assert_close(direction(aggregator, trial.rows), tensor(expected), direction_accuracy(aggregator, trial.rows))


@given(data=st.data())
def test_aligned_on_orthogonal_rows_is_the_shortest_norm_times_unit_rows(data: st.DataObject) -> None:
    """G is diagonal: B = min_j s_j diag(1 / s_i), so that every row gets the least norm."""
    m = data.draw(sizes)
    exponents = tensor(data.draw(st.lists(st.integers(-20, 20), min_size=m, max_size=m)))
    unit = data.draw(rotations(m))
    rows = torch.exp2(exponents).unsqueeze(1) * unit
    expected = torch.exp2(exponents.min()) * unit.mean(dim=0)
    assert_close(direction(AlignedMTL(), rows), expected, LIMIT * float(expected.norm()) * m)


@given(data=st.data())
def test_aligned_for_two_rows_of_equal_norm(data: st.DataObject) -> None:
    """G = s^2 ((1, k), (k, 1)): (1, 1) is an eigenvector, so d is (g_1 + g_2) / 2 times sqrt(l_r / l_1).

    The eigenvalues are s^2 (1 + k) and s^2 (1 - k); in the rational numbers, as the second row permutes the first.
    """
    first = data.draw(separated(1, data.draw(sizes)))[0]
    second = first[data.draw(st.permutations(range(len(first))))]
    product, square = float(first @ second), float(first @ first)
    along, across = square + product, square - product
    assume(along > 0)
    ratio = 1.0 if across == 0 else math.sqrt(min(across / along, 1.0))
    rows = torch.stack([first, second])
    expected = ratio * (first + second) / 2
    assert_close(direction(AlignedMTL(), rows), expected, direction_accuracy(AlignedMTL(), rows))


@pytest.mark.parametrize("signs", [(1, -1), (1, -1, 1, -1), (1, 1, -1, -1), (1, -1, 2, -2, 3, -3)])
def test_config_of_rows_that_cancel_in_pairs_is_stationary(signs: tuple[int, ...]) -> None:
    """The pseudo-inverse of K maps 1 to zero; what floating point makes of that zero is no direction."""
    rows = tensor(signs).unsqueeze(1) * tensor((0.3, 0.1))
    answer = weighted(ConFIG(), rows)
    assert answer.status == "stationary"
    assert not direction(ConFIG(), rows).any()


@given(trial=trials())
def test_config_is_the_least_squares_direction(trial: Trial) -> None:
    live = trial.rows[trial.rows.any(dim=1)]
    assume(len(live))
    expected = spectral.config(live.numpy())
    found = direction(ConFIG(), trial.rows)
    if expected is None:
        assert weighted(ConFIG(), trial.rows).status == "stationary"
        assert not found.any()
        return
    assert_close(found, tensor(expected), 2 * direction_accuracy(ConFIG(), trial.rows))


@pytest.mark.parametrize("leak", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@given(trial=trials())
def test_graddrop_follows_its_draws(leak: float, dtype: torch.dtype, trial: Trial) -> None:
    """One draw from [0, 1) a coordinate, in their order; float32 rows of few values are exact too."""
    rows = trial.rows.to(dtype)
    draws = torch.rand(rows.shape[1], generator=seeded(trial.seed)).double()
    expected = tensor(obvious.graddrop(rows.double().numpy(), draws.numpy(), leak))
    limit = LIMIT if dtype == torch.float64 else len(rows) * torch.finfo(dtype).eps
    accuracy = direction_accuracy(GradDrop(leak=leak), rows, limit=limit)
    assert_close(direction(GradDrop(leak=leak), rows, trial.seed), expected, accuracy)


ALPHA = 1e-9
"""Probability that the next test rejects a right GradDrop, over the choice of its seed."""


def test_graddrop_keeps_each_sign_as_often_as_its_share() -> None:
    """E d_k = P p_k + (1 - P) n_k: the number of positive choices is binomial, here within its exact two-sided bound.

    Thirty-two shares with 20,000 draws each; the level is divided by their number (Bonferroni).
    """
    count, shares = 20_000, torch.arange(1, 33, dtype=torch.float64) / 33
    rows = torch.stack([shares, shares - 1]).repeat(1, count)
    kept = direction(GradDrop(), rows, seed=5).reshape(count, len(shares))
    assert torch.equal(torch.where(kept > 0, shares, shares - 1), kept)
    for share, positive in zip(shares.tolist(), (kept > 0).sum(dim=0).tolist(), strict=True):
        assert _tail(positive, count, share) >= ALPHA / len(shares) / 2


def _tail(found: int, count: int, share: float) -> float:
    """The smaller of P(X <= found) and P(X >= found) for X binomial."""
    logs = [_log_binomial(k, count, share) for k in range(count + 1)]
    below = math.fsum(math.exp(value) for value in logs[: found + 1])
    return min(below, math.fsum(math.exp(value) for value in logs[found:]))


def _log_binomial(k: int, count: int, share: float) -> float:
    ways = math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1)
    return ways + k * math.log(share) + (count - k) * math.log1p(-share)


def test_the_binomial_bound_can_say_no() -> None:
    """A share that is off by 0.03 is rejected."""
    assert _tail(10_600, 20_000, 0.5) < ALPHA
    assert _tail(10_000, 20_000, 0.5) > 0.4


# The oracles against each other: before they judge, they must agree.


@given(data=st.data())
@_FEWER
def test_oracles_agree_on_projections(data: st.DataObject) -> None:
    rows = data.draw(few_valued(data.draw(sizes), data.draw(sizes)))
    exact, target = rational(rows), rows[0]
    point = dual_cone_rational.project(exact, exact[0])
    assert all(dot(row, point) >= 0 for row in exact)
    assert dot(point, tuple(a - b for a, b in zip(point, exact[0], strict=True))) == 0
    for solver in ("CLARABEL", "OSQP"):
        program = tensor(convex.nearest_without_conflict(rows.numpy(), target.numpy(), solver))
        assert_close(program, _floats(point), convex.POINT_ACCURACY * float(rows.norm(dim=1).max()))


@given(trial=trials(kinds=("few_valued", "separated")))
def test_oracles_agree_on_singular_values(trial: Trial) -> None:
    rows = trial.rows[trial.rows.any(dim=1)].numpy()
    assume(len(rows))
    left, values, right = spectral.orthogonalised(rows)
    exact = np.linalg.svd(rows, compute_uv=False)
    padded = np.concatenate([exact, np.zeros(len(values) - len(exact))])
    assert np.abs(values - padded).max() <= LIMIT * exact[0]
    assert np.abs((left * values) @ right - rows).max() <= LIMIT * exact[0]


def test_the_jacobi_oracle_keeps_small_singular_values() -> None:
    """diag(1, 2^-80) times rows at 45 degrees: s_1 s_2 = |det| = 2^-80 and s_1 is 1 up to rounding."""
    half = math.sqrt(0.5)
    values = spectral.orthogonalised(np.array([[1.0, 0.0], [half * 2.0**-80, half * 2.0**-80]]))[1]
    assert abs(values[1] / (half * 2.0**-80) - 1) <= LIMIT
