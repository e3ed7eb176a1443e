"""Coverage by simulation: worlds against their closed forms, bounds that hold, planted faults that are found out."""

import math
from pathlib import Path

import msgspec
import numpy as np
import pytest
from scipy import stats

from theory.bounds import pac_bayes
from theory.coverage import balls, classifiers, thresholds
from theory.coverage.__main__ import main
from theory.coverage.bounds import BOUNDS, bare, lower_root, without_divergence
from theory.coverage.records import KEPT, Coverage, Covered, read_coverage, write_coverage
from theory.coverage.run import DELTA, LEVEL, TASKS, covered
from theory.ledger import LedgerError

SEVEN = np.random.Generator(np.random.PCG64(7))


def catoni(fault: bool, tasks: int = 10) -> classifiers.Worst:
    """The mixture that is worst for Catoni's bound on a grid, per task; with a fault log(1/delta) in each."""
    bound, kl = BOUNDS["Catoni, grid"], math.log(16)
    share = DELTA if fault else DELTA / tasks
    return classifiers.least_favourable(lambda risk, n: bound(risk, kl, n, share).value, 16 * tasks)


@pytest.mark.parametrize(("fault", "rejected"), [(False, False), (True, True)])
def test_a_bound_is_kept_and_one_without_the_tasks_price_is_rejected(fault: bool, rejected: bool) -> None:
    worst = catoni(fault)
    answers = classifiers.violated(worst, 4_000, np.random.default_rng(3))
    row = covered("Catoni, grid", "per task", "many classifiers", 10, worst.n_samples, answers, exact=worst.exact)
    assert row.rejected is rejected
    assert row.low <= worst.exact <= row.high
    assert (worst.exact > DELTA) is fault


def test_the_worst_mixture_lies_just_above_the_bound() -> None:
    bound = BOUNDS["Seeger-Maurer"]
    worst = classifiers.least_favourable(lambda risk, n: bound(risk, 1.0, n, 0.1).value, 3, sizes=(1, 4))
    value = bound(worst.allowed / worst.n_samples, 1.0, worst.n_samples, 0.1).value
    assert value < worst.risk < value + 1e-6
    one = stats.binom.cdf(worst.allowed, worst.n_samples, worst.risk)
    assert worst.exact == pytest.approx(1 - (1 - one) ** 3, rel=1e-9)
    assert worst.risk == pytest.approx(stats.norm.cdf(-worst.mu), rel=1e-12)


def test_a_bound_that_says_nothing_anywhere_has_no_worst_mixture() -> None:
    with pytest.raises(ValueError, match=r"vacuous at every number of samples in \[1, 2\]"):
        classifiers.least_favourable(lambda risk, n: 1.0, 1, sizes=(1, 2))


def test_faults_lower_the_bound() -> None:
    honest = pac_bayes.seeger_maurer(0.2, 2.0, 50, 0.05).value
    assert without_divergence(pac_bayes.seeger_maurer)(0.2, 2.0, 50, 0.05).value < honest
    assert lower_root(0.2, 2.0, 50, 0.05).value < bare(0.2, 2.0, 50, 0.05).value == 0.2 < honest


def test_risks_of_thresholds_are_those_of_their_draws() -> None:
    mu, t, variance = np.array([0.7]), np.array([0.4]), 0.3
    features, labels = thresholds.draw(mu, 200_000, SEVEN)
    moved = t + math.sqrt(variance) * SEVEN.standard_normal(features.shape)
    for places, spread in ((t, 0.0), (moved, variance)):
        wrong = float(((features > places) != (labels > 0)).mean())
        exact = float(thresholds.risk(t, mu, spread)[0])
        assert abs(wrong - exact) < 5 * math.sqrt(exact * (1 - exact) / features.size)
    grid = np.linspace(-1, 1, 201)
    assert grid[thresholds.risk(grid, mu).argmin()] == pytest.approx(0, abs=1e-12)
    assert thresholds.risk(np.zeros(1), mu)[0] == pytest.approx(stats.norm.cdf(-0.7), rel=1e-12)


def test_the_empirical_gibbs_risk_is_the_mean_over_thresholds() -> None:
    features, labels = thresholds.draw(np.array([0.5]), 5, np.random.default_rng(0))
    draws = 0.3 + 0.2 * SEVEN.standard_normal(100_000)
    wrong = ((features[0][:, None] > draws) != (labels[0][:, None] > 0)).mean()
    exact = thresholds.empirical_gibbs(np.array([[0.3]]), 0.2, features, labels)[0, 0]
    assert wrong == pytest.approx(exact, abs=0.005)
    assert thresholds.divergence(np.array(0.0), 1.0) == 0
    assert thresholds.divergence(np.array(2.0), 1.0) == pytest.approx(2.0)


def test_looked_up_bounds_are_never_above_the_bound() -> None:
    table = thresholds.Tabulated(pac_bayes.mcallester, 40, 0.05)
    risks, divergences = SEVEN.random(50), 5 * SEVEN.random(50)
    for risk, kl, value in zip(risks, divergences, table(risks, divergences), strict=True):
        exact = pac_bayes.mcallester(float(risk), float(kl), 40, 0.05).value
        assert exact - 0.05 < value <= exact


@pytest.mark.parametrize("average", [False, True])
def test_overfitted_posteriors_keep_the_bounds_and_break_the_bare_risk(average: bool) -> None:
    generator = np.random.default_rng(1)
    found = [thresholds.overfitted(thresholds.means(3), 40, generator) for _ in range(100)]
    assert not thresholds.violations(pac_bayes.mcallester, found, 40, DELTA, average=average).any()
    assert thresholds.violations(bare, found, 40, DELTA, average=average).mean() > 0.5


def test_losses_along_the_grid_are_counted_exactly() -> None:
    mu, n = np.array([0.5, 1.0]), 60
    found = balls.losses(mu, n, np.random.default_rng(5))
    features, labels = thresholds.draw(mu, n, np.random.default_rng(5))
    for task, place, step in ((0, 3, 0), (1, 20, 2), (1, 40, 4)):
        t = balls.GRID[place] + balls.STEPS[step]
        assert found[task, place, step] == pytest.approx(((features[task] > t) != (labels[task] > 0)).mean(), abs=1e-12)


@pytest.mark.parametrize("tasks", [1, 3])
@pytest.mark.parametrize("name", sorted(balls.RULES))
def test_theorems_need_a_share_of_their_term_only(name: str, tasks: int) -> None:
    """The share is positive in most training sets, so the theorem without its term is rejected; it is never above 1."""
    rule, mu, n = balls.RULES[name], thresholds.means(tasks), 500
    generator = np.random.default_rng(2)
    known = balls.terms(rule, tasks, n, DELTA)
    shares = np.array([balls.needed(rule, known, mu, n, DELTA, balls.losses(mu, n, generator)) for _ in range(30)])
    assert (shares < 1).all()
    assert (shares > 0).mean() > 0.5


def test_where_the_noise_lowers_the_risk_a_theorem_says_nothing() -> None:
    """Far out the risk of a threshold is concave: there only Theorem A speaks."""
    t, mu, variance = np.array([2.0]), np.array([0.5]), 1e-3
    assert thresholds.risk(t, mu, variance) < thresholds.risk(t, mu)
    assert thresholds.risk(np.zeros(1), mu, variance) > thresholds.risk(np.zeros(1), mu)


@pytest.fixture(scope="module")
def kept() -> Coverage:
    return read_coverage(KEPT)


def test_no_bound_was_rejected_and_every_planted_fault_was(kept: Coverage) -> None:
    assert kept.surprises == ()
    assert all(row.level == float(LEVEL) <= 1e-6 and row.draws >= 2_000 for row in kept.rows)
    genuine = {(row.bound, row.tasks) for row in kept.rows if not row.fault}
    assert genuine >= {(name, tasks) for name in (*BOUNDS, *balls.RULES) for tasks in TASKS}
    faults = {row.fault for row in kept.rows}
    assert faults >= {"log(1/delta) for each task", "KL left out", "the lower root of kl", "the term left out"}


def test_exact_rates_lie_in_their_intervals(kept: Coverage) -> None:
    known = [row for row in kept.rows if row.exact is not None]
    assert len(known) > 50
    assert all(row.low <= row.exact <= row.high for row in known if row.exact is not None)


def test_a_surprise_is_told() -> None:
    row = covered("x", "one task", "many classifiers", 1, 5, np.ones(2_000, dtype=bool))
    assert row.rejected
    told = Coverage(schema_version=1, seed=0, python="", numpy="", seconds=0.0, rows=(row,))
    assert told.surprises == (row,)
    quiet = covered("x", "one task", "many classifiers", 1, 5, np.zeros(2_000, dtype=bool), fault="planted")
    assert msgspec.structs.replace(told, rows=(quiet,)).surprises == (quiet,)


def test_the_command_writes_what_it_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [covered("x", "one task", "many classifiers", 1, 5, np.full(2_000, one)) for one in (False, True)]
    for row in rows:
        found = Coverage(schema_version=1, seed=0, python="", numpy="", seconds=0.0, rows=(row,))
        monkeypatch.setattr("theory.coverage.__main__.run", lambda share, progress, found=found: found)
        monkeypatch.setattr("theory.coverage.__main__.FRESH", tmp_path / "coverage.json")
        assert main([]) == int(row.rejected)
        assert read_coverage(tmp_path / "coverage.json") == found


def test_records_that_can_not_be_trusted(tmp_path: Path) -> None:
    row = covered("x", "one task", "many classifiers", 1, 5, np.zeros(2_000, dtype=bool))
    path = tmp_path / "coverage.json"
    write_coverage(path, Coverage(schema_version=1, seed=0, python="", numpy="", seconds=0.0, rows=(row,)))
    path.write_bytes(path.read_bytes().replace(b'"violations": 0', b'"violations": 900'))
    with pytest.raises(LedgerError, match="900 of 2000"):
        read_coverage(path)
    with pytest.raises(LedgerError, match=r"Make it again: python -m theory\.coverage --keep"):
        read_coverage(tmp_path / "absent.json")
    with pytest.raises(ValueError, match="5 of 4"):
        Covered(**(msgspec.structs.asdict(row) | {"violations": 5, "draws": 4}))
