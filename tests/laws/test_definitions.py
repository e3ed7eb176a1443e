"""Each method against its definition: scaled residuals, exact rational answers, convex programs, obvious code."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from flatmtl_core import IMTLG, MGDA, CAGrad, ConFIG, FairGrad, NashMTL, NotConverged, PCGrad
from tests.assertions import (
    LIMIT,
    Method,
    assert_close,
    definition_residual,
    direction,
    direction_accuracy,
    fairness,
    hull_distance,
    paper_weights,
    pcgrad_candidates,
    term_size,
    weighted,
)
from tests.laws.claim import CONFLICT
from tests.laws.claims import GRAMIAN_METHODS, METHODS
from tests.oracles import convex, obvious
from tests.oracles.minnorm_rational import (
    combination,
    dot,
    rank,
    rational,
    shortest_vector,
    strongly_stationary,
    zero_in_hull,
)
from tests.strategies import Trial, few_valued, separated, sizes, stationary, tensor, trials

_BY_GRAMIAN = [name for name in GRAMIAN_METHODS if not name.startswith("PCGrad")]
_NASH_LIKE = ["NashMTL", "NashMTL(norm)", "FairGrad(0.5)", "FairGrad(1)", "FairGrad(2)", "FairGrad(2, norm)"]
_PLAIN_LIMIT = 1e-9
_FEWER = settings(max_examples=settings().max_examples // 2)
"""For the convex programs, which take their time."""


def _is_defined(aggregator: Method, rows: Tensor) -> bool:
    """Whether the defining identity has a solution; undecided for IMTL-G with dependent rows, which counts as no."""
    exact = rational(rows[rows.any(dim=1)])
    if isinstance(aggregator, NashMTL | FairGrad):
        return not zero_in_hull(exact)
    return not isinstance(aggregator, IMTLG | ConFIG) or rank(exact) == len(exact)


@pytest.mark.parametrize("name", _BY_GRAMIAN)
@given(trial=trials())
def test_small_matrices_satisfy_the_definition(name: str, trial: Trial) -> None:
    rows = trial.rows
    aggregator = METHODS[name](len(rows))
    answer = weighted(aggregator, rows)
    if not rows.any():
        assert answer.status == "zero"
        assert not direction(aggregator, rows).any()
    elif _is_defined(aggregator, rows):
        assert definition_residual(aggregator, rows @ rows.T, answer.weights) <= LIMIT
        expected = answer.weights @ rows if answer.status == "solved" else torch.zeros_like(rows[0])
        assert_close(direction(aggregator, rows), expected, LIMIT * term_size(answer.weights, rows))


def _gaussian(n_tasks: int, n_params: int, shift: float, decades: float, seed: int) -> Tensor:
    """Gaussian rows, moved along one axis by ``shift``, with norms spread over ``decades`` powers of ten."""
    generator = np.random.default_rng(seed)
    rows = generator.standard_normal((n_tasks, n_params))
    rows[:, 0] += shift
    return tensor(rows * 10.0 ** generator.uniform(-decades / 2, decades / 2, (n_tasks, 1)))


def _families() -> Iterator[tuple[str, Tensor]]:
    for m in (2, 3, 9, 40):
        for label, d in (("wide", 3 * m), ("square", m), ("flat", max(m // 3, 2))):
            for shift in (0.0, 2.0):
                for decades in (0, 6, 12):
                    yield f"{m}-{label}-{shift:g}-1e{decades}", _gaussian(m, d, shift, decades, 7 * m + d)


FAMILIES = dict(_families())


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ["MGDA", "CAGrad(0.4)", "CAGrad(1)", "CAGrad(2)"])
def test_convex_methods_are_exact_on_every_scale(name: str, family: str) -> None:
    assert_exact(name, FAMILIES[family])


@pytest.mark.parametrize("family", [family for family in FAMILIES if "flat" not in family])
def test_imtl_g_is_exact_for_independent_rows(family: str) -> None:
    assert_exact("IMTLG", FAMILIES[family])


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ["NashMTL", "FairGrad(0.5)", "FairGrad(2)"])
def test_fair_methods_are_exact_or_stationary(name: str, family: str) -> None:
    rows = FAMILIES[family]
    unit = rows / rows.norm(dim=1, keepdim=True)
    margin = hull_distance((unit @ unit.T).numpy())
    answer = weighted(METHODS[name](len(rows)), rows)
    if margin < 1e-5:
        assert answer.status == "stationary"
    else:
        assert answer.status == "solved"
        assert_exact(name, rows)


def assert_exact(name: str, rows: Tensor) -> None:
    """The scaled residual is at its limit or below, whatever the scale of the Gramian."""
    aggregator = METHODS[name](len(rows))
    for scale in (1.0, 2.0**-300, 2.0**300):
        gramian = rows @ rows.T * scale
        answer = aggregator.weighting(gramian)
        assert definition_residual(aggregator, gramian, answer.weights) <= LIMIT


@given(data=st.data())
@pytest.mark.parametrize("name", _NASH_LIKE)
def test_fair_methods_have_a_small_plain_residual_away_from_stationarity(name: str, data: st.DataObject) -> None:
    """``separated`` rows keep 0 at a distance of at least 0.028 from the hull of the unit rows."""
    rows = data.draw(separated(data.draw(sizes), data.draw(sizes)))
    aggregator = METHODS[name](len(rows))
    assert isinstance(aggregator, NashMTL | FairGrad)
    s = rows.norm(dim=1).numpy()
    w = paper_weights(aggregator, weighted(aggregator, rows).weights.numpy(), s)
    relative = (rows @ rows.T).numpy() @ w * w ** (1 / fairness(aggregator)) - 1
    assert np.abs(relative).max() <= _PLAIN_LIMIT


@pytest.mark.parametrize("family", [family for family in FAMILIES if "flat" not in family])
def test_imtl_g_has_a_small_plain_residual_for_well_separated_rows(family: str) -> None:
    rows = FAMILIES[family]
    unit = rows / rows.norm(dim=1, keepdim=True)
    if float(torch.linalg.svdvals(unit)[-1]) < 1e-4:
        pytest.fail("the family must hold rows with the margin of the promise")
    projections = unit @ rows.T @ weighted(IMTLG(), rows).weights
    assert float((projections / projections.mean() - 1).abs().max()) <= _PLAIN_LIMIT


@given(trial=trials())
def test_mgda_is_the_exact_shortest_vector(trial: Trial) -> None:
    exact = tensor([float(x) for x in shortest_vector(rational(trial.rows))])
    assert_close(direction(MGDA(), trial.rows), exact, direction_accuracy(MGDA(), trial.rows))


@given(trial=trials())
def test_mgda_certificate(trial: Trial) -> None:
    """min_i <g_i, d> = ||d||^2 - gap, and ||d||^2 - gap is a lower bound of the minimum."""
    answer = weighted(MGDA(), trial.rows)
    vector = answer.weights @ trial.rows
    rounding = LIMIT * float(trial.rows.norm(dim=1).max()) * term_size(answer.weights, trial.rows)
    assert answer.gap >= 0
    assert abs(float((trial.rows @ vector).min() - vector @ vector) + answer.gap) <= rounding
    shortest = shortest_vector(rational(trial.rows))
    assert float(vector @ vector) - answer.gap <= float(dot(shortest, shortest)) + rounding


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@given(trial=trials(n_tasks=(1, 2, 3)))
def test_pcgrad_is_the_projection_in_some_orders(reduction: str, trial: Trial) -> None:
    """All 2^3 combinations of orders for m = 3; for m <= 2 there is one, and the answer is determined."""
    aggregator = PCGrad(reduction=reduction)  # type: ignore[arg-type]
    found = direction(aggregator, trial.rows, trial.seed)
    distances = [float((found - one).norm()) for one in pcgrad_candidates(aggregator, trial.rows)]
    assert min(distances) <= direction_accuracy(aggregator, trial.rows, trial.seed)


def test_pcgrad_draws_every_order_of_the_other_tasks() -> None:
    """All 8 combinations lead to different sums here, all appear, and nothing else.

    A gradient that were projected on itself as well would find 8 more sums.
    """
    rows = tensor(((-10, -10), (20, 1), (0, 20)))
    candidates = torch.stack(pcgrad_candidates(PCGrad(), rows))
    distances = torch.stack([(direction(PCGrad(), rows, seed) - candidates).norm(dim=1) for seed in range(60)])
    assert len(candidates) == 8
    assert float(distances.amin(dim=1).max()) <= direction_accuracy(PCGrad(), rows)
    assert set(distances.argmin(dim=1).tolist()) == set(range(8))


@given(trial=trials(kinds=("few_valued", "separated")))
def test_imtl_g_weights_are_affine_and_projections_equal(trial: Trial) -> None:
    rows = trial.rows[trial.rows.any(dim=1)]
    assume(len(rows) and rank(rational(rows)) == len(rows))
    assert_close(direction(IMTLG(), rows), tensor(obvious.imtl_g(rows.numpy())), 2 * direction_accuracy(IMTLG(), rows))


@pytest.mark.parametrize("solver", ["CLARABEL", "OSQP"])
@given(data=st.data())
@_FEWER
def test_mgda_against_quadratic_programs(solver: convex.Solver, data: st.DataObject) -> None:
    rows = data.draw(few_valued(data.draw(sizes), data.draw(sizes)))
    found, program = direction(MGDA(), rows), convex.shortest_vector(rows.numpy(), solver)
    largest = float(rows.square().sum(dim=1).max())
    assert abs(float(found @ found) - float(program @ program)) <= convex.VALUE_ACCURACY * largest


@pytest.mark.parametrize("solver", ["CLARABEL", "SCS"])
@pytest.mark.parametrize("c", [0.4, 1.0, 2.0])
@given(data=st.data())
@_FEWER
def test_cagrad_against_its_primal(c: float, solver: convex.Solver, data: st.DataObject) -> None:
    """The worst inner product is compared, not d: where g_w = 0 many d are optimal."""
    rows = data.draw(few_valued(data.draw(sizes), data.draw(sizes)))
    rows = rows[rows.any(dim=1)]
    assume(len(rows))
    found = direction(CAGrad(c=c), rows)
    _, value = convex.cagrad(rows.numpy(), c, solver)
    largest = float(rows.square().sum(dim=1).max())
    assert abs(float((rows @ found).min()) - value) <= (1 + c) * convex.VALUE_ACCURACY * largest


@given(data=st.data())
@_FEWER
def test_cagrad_takes_the_nearest_optimum_to_the_mean(data: st.DataObject) -> None:
    """0 in the hull and a ball that reaches the dual cone: the projection of g_0 on {d : J d >= 0} (no zero row)."""
    rows = data.draw(stationary(data.draw(st.integers(2, 4)), data.draw(sizes)))
    rows = rows[rows.any(dim=1)]
    assume(len(rows) and zero_in_hull(rational(rows)))
    mean = rows.mean(dim=0)
    nearest = tensor(convex.nearest_without_conflict(rows.numpy(), mean.numpy(), "CLARABEL"))
    c = 2.0
    size = float(rows.norm(dim=1).max())
    assert float((nearest - mean).norm()) <= c * float(mean.norm()) + convex.POINT_ACCURACY * size
    assert_close(direction(CAGrad(c=c), rows), nearest, convex.POINT_ACCURACY * size)


@pytest.mark.parametrize("c", [0.4, 1.0, 2.0])
def test_cagrad_takes_the_mean_where_rounding_hides_that_nothing_is_better(c: float) -> None:
    """Two opposite rows: no direction has a positive worst product, and <g_1, g_0> = 0 only up to rounding."""
    rows = tensor(((-20, 20), (20, -20), (1, 1)))
    assert_close(direction(CAGrad(c=c), rows), rows.mean(dim=0), LIMIT * float(rows.norm(dim=1).sum()))


@pytest.mark.parametrize("solver", ["CLARABEL", "SCS"])
@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
@given(data=st.data())
@_FEWER
def test_fair_methods_against_the_fair_allocation(alpha: float, solver: convex.Solver, data: st.DataObject) -> None:
    rows = data.draw(separated(data.draw(sizes), data.draw(sizes)))
    program = tensor(convex.fair(rows.numpy(), alpha, solver))
    for aggregator in (FairGrad(alpha=alpha), NashMTL()):
        if alpha == fairness(aggregator):
            assert_close(direction(aggregator, rows), program, convex.POINT_ACCURACY * float(program.norm()))


@given(data=st.data())
def test_pairs_against_obvious_code(data: st.DataObject) -> None:
    rows = data.draw(separated(2, data.draw(sizes)))
    matrix = rows.numpy()
    for aggregator, expected in ((MGDA(), obvious.mgda_pair(matrix)), (NashMTL(), obvious.nash_pair(matrix))):
        assert_close(direction(aggregator, rows), tensor(expected), 2 * direction_accuracy(aggregator, rows))


@given(trial=trials(kinds=("stationary",)))
@pytest.mark.parametrize("name", ["MGDA", *_NASH_LIKE])
def test_stationary_points_are_recognised(name: str, trial: Trial) -> None:
    aggregator = METHODS[name](len(trial.rows))
    rows = trial.rows if isinstance(aggregator, MGDA) else trial.rows[trial.rows.any(dim=1)]
    assume(rows.any() and zero_in_hull(rational(rows)))
    assert weighted(aggregator, rows).status == "stationary"
    assert not direction(aggregator, rows).any()


@pytest.mark.parametrize("aggregator", [NashMTL(stationary="raise"), FairGrad(stationary="raise")], ids=repr)
def test_stationary_points_raise_on_request(aggregator: Method) -> None:
    with pytest.raises(NotConverged):
        direction(aggregator, tensor(((1, 0), (-1, 0))))
    assert direction(aggregator, tensor(CONFLICT)).any()


# The oracles against each other: before they judge, they must agree.


@given(data=st.data())
@_FEWER
def test_oracles_agree_on_the_shortest_vector(data: st.DataObject) -> None:
    rows = data.draw(few_valued(data.draw(sizes), data.draw(sizes)))
    exact = shortest_vector(rational(rows))
    largest = float(rows.square().sum(dim=1).max())
    for solver in ("CLARABEL", "OSQP"):
        program = convex.shortest_vector(rows.numpy(), solver)
        assert abs(float(program @ program) - float(dot(exact, exact))) <= convex.VALUE_ACCURACY * largest


@given(data=st.data())
@_FEWER
def test_oracles_agree_on_pairs(data: st.DataObject) -> None:
    rows = data.draw(few_valued(2, data.draw(sizes)))
    exact = [float(x) for x in shortest_vector(rational(rows))]
    assert_close(tensor(obvious.mgda_pair(rows.numpy())), tensor(exact), LIMIT * float(rows.norm()))
    c, n_points = 0.4, 100_001
    _, value = convex.cagrad(rows.numpy(), c, "CLARABEL")
    largest = float(rows.square().sum(dim=1).max())
    grid = (1 + c) * 2 / n_points
    assert abs(obvious.cagrad_pair(rows.numpy(), c, n_points) - value) <= (grid + convex.VALUE_ACCURACY) * largest


@given(data=st.data())
def test_stationary_strategy_keeps_its_word(data: st.DataObject) -> None:
    assert zero_in_hull(rational(data.draw(stationary(data.draw(sizes), data.draw(sizes)))))


@given(data=st.data())
def test_separated_strategy_keeps_its_word(data: st.DataObject) -> None:
    rows = data.draw(separated(data.draw(sizes), data.draw(sizes)))
    assert not zero_in_hull(rational(rows))
    unit = rows / rows.norm(dim=1, keepdim=True)
    assert hull_distance((unit @ unit.T).numpy()) >= 1e-2


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (((1, 0), (-1, 0)), True),
        (((1, 0), (-1, 0), (0, 1)), False),
        (((0, 0), (0, 0)), True),
        (((1, 0), (0, 0)), False),
        (((1, 0), (0, 1), (-1, -1)), True),
        (((1, 0), (1, 0)), False),
    ],
)
def test_strong_stationarity_oracle(rows: tuple[tuple[int, ...], ...], expected: bool) -> None:
    assert strongly_stationary(rational(rows)) is expected


def test_rational_oracle_refuses_a_wrong_answer() -> None:
    """Five steps of Frank-Wolfe on the slow corner are told from the exact answer."""
    rows = rational(((1, 0.015625, 0), (-1, 0.015625, 0), (0, 5, 0)))
    exact = shortest_vector(rows)
    assert exact == combination(tuple(map(type(exact[0]), ("1/2", "1/2", "0"))), rows)
    current = rows[0]
    for step in range(5):
        best = min(rows, key=lambda row: dot(row, current))
        share = type(exact[0])(2, step + 2)
        current = tuple((1 - share) * a + share * b for a, b in zip(current, best, strict=True))
    assert dot(current, current) > 2 * dot(exact, exact)
