"""The gap tells of a wrong answer: solvers are replaced by wrong ones, and the gap by what its definition says."""

import pytest
import torch
from hypothesis import given

from flatmtl_core import IMTLG, MGDA, CAGrad, DualProj, FairGrad, Mean, NashMTL, PCGrad, UPGrad
from flatmtl_core.cosine import CosineForm
from flatmtl_core.weightings import cagrad, dual_cone, imtlg, mgda
from flatmtl_core.weightings.pcgrad import draw_orders
from tests.assertions import LIMIT, assert_close, direction, seeded, term_size, weighted
from tests.oracles.minnorm_rational import combination, projected, rational
from tests.strategies import Trial, tensor, trials

ROWS = tensor(((3000, 0, 0), (-1000, 400, 0), (-500, 100, 700)))
"""Conflicting rows whose largest norm is far from 1: a gap in other units shows."""


def _zeros(form: CosineForm, *_: object, **__: object) -> list[float]:
    return [0.0] * len(form.live)


def _products(aggregator: MGDA | CAGrad | DualProj | IMTLG) -> tuple[torch.Tensor, torch.Tensor, float]:
    """<g_i, d>, d, and the gap."""
    answer = weighted(aggregator, ROWS)
    found = answer.weights @ ROWS
    return ROWS @ found, found, answer.gap


def test_mgda_tells_how_far_equal_weights_are_from_the_minimum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mgda, "min_norm_point", lambda form: [length / 3 for length in form.lengths])
    products, found, gap = _products(MGDA())
    assert_close(found, ROWS.mean(dim=0), LIMIT * float(ROWS.norm()))
    assert gap == pytest.approx(float(found @ found - products.min()), rel=1e-12)
    assert gap > 1e5


def test_dualproj_tells_of_conflicts_that_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """No multiplier: the largest violation, in the units of <g_i, d>, the longest row counting for all."""
    monkeypatch.setattr(dual_cone, "dual_cone_multipliers", _zeros)
    products, _, gap = _products(DualProj())
    lengths = ROWS.norm(dim=1)
    assert gap == pytest.approx(float((-products / lengths).max() * lengths.max()), rel=1e-12)


def test_dualproj_tells_of_a_multiplier_where_nothing_binds(monkeypatch: pytest.MonkeyPatch) -> None:
    """g_0 + l g_1 with l <g_1, d> > 0: complementarity fails by that, and what is violated besides counts as well."""
    monkeypatch.setattr(dual_cone, "dual_cone_multipliers", lambda form, *_, **__: [1.0, 0.0, 0.0])
    products, found, gap = _products(DualProj())
    lengths = ROWS.norm(dim=1)
    multiplier = float(lengths.max() / lengths[0])
    assert_close(found, ROWS.mean(dim=0) + multiplier * ROWS[0], LIMIT * float(ROWS.norm()))
    violation = max(float((-products / lengths).max() * lengths.max()), 0.0)
    assert gap == pytest.approx(multiplier * abs(float(products[0])) + violation, rel=1e-12)


def test_upgrad_tells_of_the_worst_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """P(g_i) = g_i: the largest over i of -<u_j, g_i> ||g_i||."""
    monkeypatch.setattr(dual_cone, "dual_cone_multipliers", _zeros)
    monkeypatch.setattr(dual_cone, "_orthogonal_to_others", lambda form: None)
    lengths = ROWS.norm(dim=1)
    violations = (-ROWS @ ROWS.T / lengths.unsqueeze(1)).amax(dim=0) * lengths
    assert weighted(UPGrad(), ROWS).gap == pytest.approx(float(violations.max()), rel=1e-12)


def test_cagrad_tells_how_far_the_mean_is_from_the_optimum(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is added, dual value 7 (in units of the largest norm squared): the gap is it minus the worst product."""
    monkeypatch.setattr(cagrad, "ball_addition", lambda form, *_: ([0.0] * len(form.live), 7.0))
    products, _, gap = _products(CAGrad(c=0.5))
    assert gap == pytest.approx(7.0 * float(ROWS.norm(dim=1).max()) ** 2 - float(products.min()), rel=1e-12)


def test_imtlg_tells_of_unequal_projections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imtlg, "solve_ones", lambda form: (form.lengths, 1.0))
    products, _, gap = _products(IMTLG())
    projections = products / ROWS.norm(dim=1)
    assert gap == pytest.approx(float((projections - projections.mean()).abs().max()), rel=1e-12)


@pytest.mark.parametrize("c", [0.4, 1.0, 2.0])
@given(trial=trials())
def test_cagrad_certifies_its_optimum(c: float, trial: Trial) -> None:
    answer = weighted(CAGrad(c=c), trial.rows)
    largest = float(trial.rows.norm(dim=1).max())
    size = max(term_size(answer.weights, trial.rows), largest)
    assert 0 <= answer.gap <= LIMIT * largest * size


@pytest.mark.parametrize("aggregator", [NashMTL(), FairGrad(alpha=0.5), FairGrad(alpha=2.0)], ids=repr)
def test_fair_methods_tell_how_far_a_stationary_point_is_from_a_solution(aggregator: NashMTL | FairGrad) -> None:
    """No weights at all miss the identity by 1, relative: no stationary point is further from it."""
    for rows in (((1, 0), (-1, 0)), ((1, 0), (-1, 0), (0, 1)), ((0, 2, 1), (0, -1, -1), (0, -1, 0))):
        answer = weighted(aggregator, tensor(rows))
        assert answer.status == "stationary"
        assert 1e-6 < answer.gap <= 1


@pytest.mark.parametrize("scale", [1.0, 1e-150, 1e150])
def test_a_mean_that_vanishes_up_to_rounding_is_stationary_for_cagrad(scale: float) -> None:
    """Three rows that add up to zero, none of them a binary fraction: the Gramian's rows add up to rounding."""
    rows = tensor(((0.1, 0.2, 0.7), (0.2, -0.3, 0.1), (0.0, 0.0, 0.0))) * scale
    rows[2] = -(rows[0] + rows[1])
    for c in (0.4, 1.0, 2.0):
        answer = weighted(CAGrad(c=c), rows)
        assert answer.status == "stationary"
        assert not direction(CAGrad(c=c), rows).any()


@pytest.mark.parametrize("m", [4, 5])
@given(trial=trials(n_tasks=(4,)))
def test_pcgrad_of_many_tasks_projects_on_the_original_rows(m: int, trial: Trial) -> None:
    """In the orders that were drawn: from the third projection on it matters which rows the others are."""
    rows = torch.cat([trial.rows, trial.rows[:1] - trial.rows[1:2]])[:m]
    rows = rows[rows.any(dim=1)]
    if len(rows) < 3:
        return
    orders = draw_orders(len(rows), seeded(trial.seed)).tolist()
    exact = rational(rows)
    ones = tuple(type(exact[0][0])(1) for _ in exact)
    expected = tensor([float(x) for x in combination(ones, projected(exact, orders))])
    size = term_size(weighted(PCGrad(), rows, trial.seed).weights, rows)
    assert_close(direction(PCGrad(), rows, trial.seed), expected, LIMIT * size)


@pytest.mark.parametrize("power", [-990, 990])
@given(trial=trials(n_tasks=(1, 2, 3)))
def test_a_zero_row_beside_extreme_ones_hides_nothing(power: int, trial: Trial) -> None:
    """The common power of two is that of the rows that are not zero."""
    rows = torch.cat([trial.rows, torch.zeros_like(trial.rows[:1])])
    expected = direction(Mean(), rows) * 2.0**power
    assert_close(direction(Mean(), rows * 2.0**power) * 2.0**-power, expected * 2.0**-power, LIMIT * float(rows.norm()))
