"""The Gaussian half of the chain and Theorem B: verdicts, and the same statements in plain numbers."""

from importlib import import_module
from itertools import product

import numpy as np
import pytest
from scipy.stats import chi2, norm

from theory.blueprint import BLUEPRINT
from theory.ledger import PROVED, Finding, Verdict, weakest

ENTRIES = {entry.label: entry for entry in BLUEPRINT}
HOLD = (
    "prior-grid",
    "grid-union",
    "large-norm",
    "lm-tail",
    "radius",
    "tail-term",
    "one-sigma-remedy",
    "salvage",
    "block-radius",
    "block-grids",
    "block-large-norm",
    "theorem-b",
    "theorem-b-root",
)
REFUTED = ("tail-dropped", "one-sigma")


def findings(label: str) -> list[Finding]:
    pairs = [check.split(":") for check in ENTRIES[label].checks]
    return [finding for module, function in pairs for finding in getattr(import_module(module), function)()]


@pytest.mark.parametrize("label", HOLD)
def test_statements_that_hold(label: str) -> None:
    found = findings(label)
    assert ENTRIES[label].expected == "holds"
    assert len({finding.name for finding in found}) == len(found) > 0
    assert weakest(finding.verdict for finding in found) in PROVED, [
        (finding.name, finding.evidence) for finding in found if finding.verdict not in PROVED
    ]


@pytest.mark.parametrize("label", REFUTED)
def test_statements_that_are_refuted(label: str) -> None:
    assert ENTRIES[label].expected == "refuted"
    for finding in findings(label):
        assert finding.verdict is Verdict.REFUTED
        assert {twin.verdict for twin in finding.twins} == {Verdict.ENCLOSED}


def test_a_prior_of_the_grid_is_close_from_above() -> None:
    rng = np.random.default_rng(0)
    for c, s, size in zip(rng.uniform(1, 50, 200), rng.uniform(0.01, 1, 200), rng.integers(1, 40, 200), strict=True):
        j = np.floor(1 + size * np.log(c / s))
        variance = c * np.exp((1 - j) / size)
        assert j >= 1
        assert s * (1 - 1e-12) <= variance <= np.exp(1 / size) * s * (1 + 1e-12)


def slack(n: np.ndarray, size: np.ndarray, rounded: bool = True) -> np.ndarray:
    """6 log(N + T) - log(pi^2/6) - 2 log j* at s = sigma^2."""
    index = 1 + size * np.logaddexp(0, 4 * n / size)
    price = np.log(np.pi**2 / 6) + 2 * np.log(np.floor(index) if rounded else index)
    return np.asarray(6 * np.log(n + size) - price)


def test_the_smallest_slack_of_the_grid_is_at_one_sample_and_one_parameter() -> None:
    n, size = np.meshgrid(np.unique(np.geomspace(1, 1e7, 300).astype(int)), np.arange(1, 300), indexing="ij")
    values = slack(n, size, rounded=False)
    assert values.argmin() == 0, "N = T = 1"
    assert 0.434 < values[0, 0] < 0.436
    assert np.sort(values.ravel())[1] > 1
    assert (slack(n, size) >= values).all()


def test_chi_squared_tails_and_the_radius_in_numbers() -> None:
    for size, level in product((1, 2, 5, 40, 1000), (0.01, 0.5, 3.0, 20.0)):
        assert chi2.sf(size + 2 * np.sqrt(size * level) + 2 * level, size) <= np.exp(-level)
    for size, n in product((1, 2, 30, 10_000), (1, 2, 100, 10**8)):
        assert chi2.sf((np.sqrt(size) + np.sqrt(np.log(n))) ** 2, size) <= 1 / np.sqrt(n)
        assert chi2.sf((np.sqrt(size) + np.sqrt(np.log(4 * n))) ** 2, size) <= 1 / (2 * np.sqrt(n))


def test_figures_of_the_refutations() -> None:
    assert 2 * norm.sf(1 + np.sqrt(np.log(4))) == pytest.approx(0.0294, abs=1e-4)
    for head, n, failure in ((0.1, 4, 0.79852), (1.0, 1e8, 1.0927e-4)):
        sigma = np.hypot(1, head) / (np.sqrt(2) + np.sqrt(np.log(n)))
        inside = (1 - 2 * norm.sf(1 / sigma)) * (1 - 2 * norm.sf(head / sigma))
        assert 1 - inside == pytest.approx(failure, rel=1e-3)
        assert failure > 1 / np.sqrt(n)


def test_the_price_of_two_grids_in_numbers() -> None:
    """The largest pair of indices that a block within the grid can have."""
    for reach, size in product((0.0, 0.3, 7.0, 1e3), (1, 3, 500)):
        j = np.floor(1 + size * np.linspace(0, reach / size, 50))
        price = 2 * np.log(np.pi**2 / 6) + 4 * np.log(j)
        assert (price <= 4 * np.log(1.29 * (1 + reach))).all()
    assert 2 * np.log(np.pi**2 / 6) > 4 * np.log(1.28)


def test_what_the_published_number_has_room_for() -> None:
    """Its 6 log(N + T) covers the price of the grid, L and log m where salvage says so."""
    n, size = np.meshgrid(np.array([1, 2, 5, 50, 1000, 10**6]), np.array([1, 2, 10, 1000]), indexing="ij")
    room = 4 * np.log(n + size) - 2 * np.log(6)
    assert (slack(n, size) >= room).all()
    assert room[0, 0] < 0, "with one sample and one parameter there is none"
