"""The bound of Foret et al.: verdicts, and the same statements in plain numbers."""

from importlib import import_module
from itertools import product
from math import log, pi, sqrt

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from theory.blueprint import BLUEPRINT, FORET
from theory.bounds.complexity import Setting
from theory.bounds.foret import foret, foret_corrected
from theory.ledger import PROVED, Finding, Verdict, opposed, weakest

ENTRIES = {entry.label: entry for entry in BLUEPRINT}
HOLD = [entry.label for entry in FORET if entry.expected == "holds"]
REFUTED = [entry.label for entry in FORET if entry.expected == "refuted"]
SIZES = list(product((2, 3, 10, 1000, 10**6), (1, 2, 50, 10**5), (0.0, 0.3, 5.0, 1e3), (0.05, 0.9)))
"""N, k, ||w|| / rho and delta."""


def findings(label: str) -> list[Finding]:
    pairs = [check.split(":") for check in ENTRIES[label].checks]
    return [finding for module, function in pairs for finding in getattr(import_module(module), function)()]


def logarithm(n: int, k: int, ratio: float) -> float:
    """k log(1 + (||w||^2/rho^2) (1 + sqrt(log N / k))^2)."""
    return k * float(np.log1p((ratio * (1 + sqrt(log(n) / k))) ** 2))


@pytest.mark.parametrize("label", HOLD)
def test_statements_that_hold(label: str) -> None:
    found = findings(label)
    assert len({finding.name for finding in found}) == len(found) > 0
    assert weakest(finding.verdict for finding in found) in PROVED, [
        (finding.name, finding.evidence) for finding in found if finding.verdict not in PROVED
    ]
    assert all(twin.verdict is Verdict.REFUTED for finding in found for twin in finding.twins)


@pytest.mark.parametrize("label", REFUTED)
def test_statements_that_are_refuted(label: str) -> None:
    """Their last step is; what leads to the witness holds."""
    found = findings(label)
    assert found[-1].verdict is Verdict.REFUTED
    assert all(finding.verdict is Verdict.REFUTED or finding.verdict in PROVED for finding in found)
    assert all(opposed(finding.verdict, twin.verdict) for finding in found for twin in finding.twins)


@pytest.mark.parametrize(("n", "k"), list(product((1, 2, 5, 1000, 10**6), (1, 2, 7, 10**4))))
def test_the_price_of_the_grid_in_numbers(n: int, k: int) -> None:
    """The largest index of each grid, at s = sigma^2: c/s is 1 + e^{4N/k} as published, e^{R/k} with R = 4N in ours."""
    published = np.floor(1 + k * np.logaddexp(0, 4 * n / k))
    assert log(pi**2 / 6) + 2 * log(published) <= 2 * log(6 * n + 3 * k)
    reach = 4 * n
    assert log(pi**2 / 6) + 2 * log(1 + reach) <= 2 * log(1.29 * (1 + reach))
    assert 2 * log(1.28 * (1 + reach)) < log(pi**2 / 6) + 2 * log(1 + reach)


@pytest.mark.parametrize(("n", "k", "ratio", "delta"), SIZES)
def test_the_published_number_pays_for_the_tail_and_the_tasks(n: int, k: int, ratio: float, delta: float) -> None:
    """At the greatest number of tasks: it is at least 1/sqrt N plus McAllester's root, or more than 1."""
    setting = Setting(k, (1,), ratio, (0.0,), 1.0, 1.0, n, delta)
    size, top = k + 1, log(6 * n + 3 * (k + 1))
    tasks = log(n / delta) + 2 * top
    kl, price = (1 + logarithm(n, size, ratio)) / 2, 2 * top
    proved = 1 / sqrt(n) + sqrt((kl + log(n / delta) + tasks + price) / (2 * (n - 1)))
    published = foret(setting, 0).value
    assert published >= proved
    assert (logarithm(n, size, ratio) <= 4 * n) or published > 1


@pytest.mark.parametrize(("n", "k", "ratio", "delta"), SIZES)
def test_the_corrected_bound_from_its_parts(n: int, k: int, ratio: float, delta: float) -> None:
    """The divergence from the closest prior of the grid, its level among 3 tasks, Maurer's root, the tail; L = 2."""
    size, limit, tasks = k + 1, 2.0, 3
    setting = Setting(k, (1,) * tasks, ratio, (0.0,) * tasks, 1.0, 1.0, n, delta, limit)
    stretched = logarithm(n, size, ratio)
    found = foret_corrected(setting, 0).value
    if stretched > 4 * n:
        assert found >= limit
        return
    excess = stretched / size  # log(s / sigma^2)
    j = np.floor(1 + 4 * n - stretched)
    step = (4 * n + 1 - j) / size - excess  # log(sigma_P^2 / s), from 0 to 1/k
    assert -1e-9 <= step <= 1 / size + 1e-9
    kl = size / 2 * (np.exp(-step) - 1 + step + excess)
    level = log(tasks / delta) + log(pi**2 / 6) + 2 * log(j)
    exact = limit / sqrt(n) + limit * sqrt((kl + log(2 * sqrt(n)) + level) / (2 * n))
    assert exact <= found * (1 + 1e-9)


def test_figures_of_the_refutations() -> None:
    published = foret(Setting(1, (1,), 0.0, (0.0,), 1.0, 1.0, 2, 0.05), 0).value
    assert published == pytest.approx(sqrt(4 * log(40) + 8 * log(18)), rel=1e-12)
    assert 12 / 2 < sqrt(4 * log(40) + 8 * log(15)) < 13 / 2
    assert published < 14 / 2, "a loss of 14 z at k = 2"
    assert np.floor(1 + 0.5) > 0.5


def test_narrow_and_wide_noise_in_numbers() -> None:
    """Of the loss 1/2 - cos(x)/4 + cos(2x)/8 at 0, by quadrature."""

    def gain(deviation: float) -> float:
        def weighted(x: float) -> float:
            return float((1 / 2 - np.cos(x) / 4 + np.cos(2 * x) / 8) * norm.pdf(x, scale=deviation))

        return float(quad(weighted, -12 * deviation, 12 * deviation, limit=400)[0]) - 3 / 8

    assert gain(2.0) == pytest.approx(0.0912, abs=1e-4)
    assert gain(2 / (1 + sqrt(log(100)))) == pytest.approx(-0.0235, abs=1e-4)
