"""Theorems A, A', C and D: what their kernels find, and the same statements in plain numbers."""

from importlib import import_module
from itertools import product
from math import ceil, log, log2, pi, sqrt

import numpy as np
import pytest
from scipy.special import rel_entr
from scipy.stats import binom

from theory.blueprint import BLUEPRINT, THEOREMS
from theory.ledger import PROVED, Finding, Verdict, weakest
from theory.proof.kernels.simulation import Design, decide
from theory.proof.theorems import coverage

ENTRIES = {entry.label: entry for entry in BLUEPRINT}
COVERAGE = ("coverage-a", "coverage-a-prime", "coverage-c")
HOLD = [entry.label for entry in THEOREMS if entry.expected == "holds" and entry.label not in COVERAGE]
BOUNDS = {"coverage-a": coverage.coordinate_wise, "coverage-a-prime": coverage.weighted, "coverage-c": coverage.vector}


def findings(label: str) -> list[Finding]:
    pairs = [check.split(":") for check in ENTRIES[label].checks]
    return [finding for module, function in pairs for finding in getattr(import_module(module), function)()]


@pytest.mark.parametrize("label", HOLD)
def test_statements_that_hold(label: str):
    found = findings(label)
    assert len({finding.name for finding in found}) == len(found) > 0
    assert weakest(finding.verdict for finding in found) in PROVED, [
        (finding.name, finding.evidence) for finding in found if finding.verdict not in PROVED
    ]
    assert all(twin.verdict is Verdict.REFUTED for finding in found for twin in finding.twins)


def test_the_statement_that_is_refuted():
    [found] = findings("theorem-a-4n")
    assert found.verdict is Verdict.REFUTED
    deviation = sqrt((log(5) + log(5 + 8 * 2**28) + log(2) + 2 * log(29) + 2 * log(pi**2 / 6)) / (4 * 128))
    assert deviation < 1 / 4
    assert 2**28 * binom.cdf(32, 128, 0.5) > 1


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.mark.parametrize(("dimension", "radius"), [(1, 1.0), (1, 8.0), (2, 1.0), (2, 4.0)])
def test_a_greedy_net_has_no_more_cells_than_a1_allows(rng: np.random.Generator, dimension: int, radius: float):
    """rho = 1; a net of many random points of the ball, each within 1/2 of a centre."""
    points = rng.uniform(-radius, radius, size=(4000, dimension))
    points = points[np.linalg.norm(points, axis=1) <= radius]
    centres = points[:1]
    for point in points:
        if np.linalg.norm(centres - point, axis=1).min() >= 0.5:
            centres = np.vstack([centres, point])
    distances = np.linalg.norm(points[:, None] - centres[None], axis=2)
    assert distances.min(axis=1).max() < 0.5
    assert 1 < len(centres) <= (1 + 4 * radius) ** dimension
    cell = distances.argmin(axis=1)
    for centre in range(len(centres)):
        members = points[cell == centre]
        assert np.linalg.norm(members[:, None] - members[None], axis=2).max() <= 1


def test_the_dyadic_index(rng: np.random.Generator):
    for ratio in (0.0, 0.3, 1.0, 2.0, 4.0, 1024.0, *rng.uniform(0, 1e6, size=100)):
        index = max(0, ceil(log2(ratio))) if ratio else 0
        assert ratio <= 2**index
        assert 1 + 4 * 2**index <= 5 + 8 * ratio
        expected = 3 * log(5 + 8 * ratio) + 2 * log(1 + index) + log(pi**2 / 6)
        assert coverage.block(np.array([ratio]), 3)[0] == pytest.approx(expected)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_pieces_in_numbers(rng: np.random.Generator, n: int):
    """Values in [0, 3] of two functions at 2000 points, both ends among them."""
    values = 3 * np.vstack([rng.uniform(size=(2000, 2)), list(product((0, 1), repeat=2))])
    floors = np.floor(n * values / 3).astype(int)
    pieces = np.minimum(n - 1, floors)
    for piece in (distinct := np.unique(pieces, axis=0)):
        assert np.ptp(values[(pieces == piece).all(axis=1)], axis=0).max() <= 3 / n
    assert len(distinct) == n**2
    assert len(np.unique(floors, axis=0)) > n**2


def test_lower_bounds_of_binomial_tails():
    for n in (1, 2, 3, 10, 101, 2000):
        for s in {0, 1, n // 4, n // 2 - 1, n // 2} & set(range(n // 2 + 1)):
            t = 1 / 2 - s / n
            kl = float(np.sum(rel_entr([s / n, 1 - s / n], 0.5)))
            assert kl <= 2 * t**2 + (16 * log(2) - 8) * t**4 + 1e-12
            assert log(n + 1) + binom.logpmf(s, n, 0.5) >= -n * kl - 1e-9


def test_theorem_d_beside_theorem_a():
    """Of the right order, and not far from the constant: k = 20, R = 128 rho, N = 2000."""
    k, ratio, n = 20, 128, 2000
    log_boxes = k * log(ratio / 2)
    terms = ((s, 1 / 2 - s / n) for s in range(n // 2))
    s, t = next((s, t) for s, t in terms if n * (2 * t**2 + (16 * log(2) - 8) * t**4) + log(n + 1) <= log_boxes)
    assert -np.expm1(-np.exp(log_boxes + binom.logcdf(s, n, 0.5))) >= 1 / 2
    assert 0.8 * log_boxes < 2 * n * t**2 < log_boxes < k * log(5 + 8 * ratio)


def test_sizes():
    """k = 50 + 11 + 11, all norms 8.4 radii, N = 20,000, m = 2, delta = 0.05, L = 1, n = ceil(sqrt N)."""
    n_samples, delta = 20_000, 0.05
    shared, head = (coverage.block(np.array([8.4]), k)[0] for k in (50, 11))
    a = shared + head + log(2 / delta)
    a_prime = shared + 2 * head + log(1 / delta)
    pieces = ceil(sqrt(n_samples))
    c = a_prime + 2 * log(pieces) + log(2)
    sizes = [sqrt(a / (2 * n_samples)), sqrt(a_prime / (2 * n_samples)), sqrt(c / (2 * n_samples)) + 1 / pieces]
    assert sizes == pytest.approx([0.0825, 0.0898, 0.0983], abs=5e-5)


@pytest.mark.parametrize("label", COVERAGE)
def test_simulated_coverage(label: str):
    """With fewer repetitions than in the ledger."""
    design = Design(delta=coverage.DELTA, level=coverage.DESIGN.level, repetitions=200, seed=1)
    settings = coverage.LINES if label == "coverage-a" else coverage.PRODUCTS
    bound = BOUNDS[label]
    assert decide(design, coverage.worlds(settings, bound(1, True)))[0] is Verdict.NOT_REJECTED
    assert decide(design, coverage.worlds(settings, bound(1, False)))[0] is Verdict.REFUTED


def test_violations_by_brute_force(rng: np.random.Generator):
    """The bounds without the complexity, so that there are some, box by box; theorem C's supremum is over one box."""
    boxes, n, delta = coverage.Boxes(3, 4, 2), 30, 0.1
    gaps = boxes.gaps(rng, 40, n)
    centres = list(product(range(3), range(4), range(4)))
    budget = {"coverage-a": 2 / delta, "coverage-a-prime": 1 / delta, "coverage-c": 2 / delta}
    for label, bound in BOUNDS.items():
        found = (bound(1, False)(boxes)(gaps, n) > 0).reshape(40, -1).any(axis=1)
        allowed = sqrt(log(budget[label]) / (2 * n)) + (1 / (10 * ceil(sqrt(n))) if label == "coverage-c" else 0)
        for one, gap in zip(found, gaps, strict=True):
            pairs = [(gap[0, j, first], gap[1, j, second]) for j, first, second in centres]
            worst = max(sum(pair) / 2 if label == "coverage-a-prime" else max(pair) for pair in pairs)
            assert one == (worst > allowed)
        assert 0 < found.sum() < 40
