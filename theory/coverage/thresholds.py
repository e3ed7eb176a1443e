"""A linear world with a trunk and heads: task i answers 1 where x > u + v_i, y is 1 or -1, x ~ N(mu_i y, 1).

The risk of a threshold t = u + v_i is [Phi(t - mu) + Phi(-t - mu)] / 2, least (Bayes) at t = 0. For u and v_i drawn
from a Gaussian it is the same with sqrt(1 + s^2) under t and mu, s^2 the variance of t: the Gibbs risk in closed form,
of the population and, with s alone, of every training set. KL of Gaussians is closed, too.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from theory.coverage.bounds import Bound

Floats = NDArray[np.floating[Any]]

GRID = np.linspace(-2.0, 2.0, 21)
"""Thresholds among which the posteriors are chosen."""
DEVIATIONS = (0.05, 0.2, 0.6)
"""Of u and of v_i in the posteriors; 1 in the prior."""
RISK_STEP, KL_STEP = 1 / 256, 0.25
"""Risks and divergences are rounded down to multiples: that makes the bounds smaller, the test stricter."""


def means(tasks: int) -> Floats:
    """mu_i: tasks that differ in how hard they are."""
    return np.linspace(0.3, 1.5, tasks) if tasks > 1 else np.array([0.5])


def draw(mu: Floats, n: int, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Features and labels of one training set: (m, n) each."""
    labels = generator.choice(np.array([-1.0, 1.0]), size=(len(mu), n))
    return mu[:, None] * labels + generator.standard_normal(labels.shape), labels


def risk(threshold: Floats, mu: Floats, variance: float | Floats = 0.0) -> Floats:
    """The population's, of a threshold that is normal with this variance around its mean."""
    scale = np.sqrt(1.0 + variance)
    found: Floats = 0.5 * (ndtr((threshold - mu) / scale) + ndtr((-threshold - mu) / scale))
    return found


def empirical_gibbs(threshold: Floats, deviation: float, features: Floats, labels: Floats) -> Floats:
    """The mean of Phi(y (t - x) / s) over a training set, for t of shape (m, k): (m, k)."""
    margins = labels[:, None, :] * (threshold[:, :, None] - features[:, None, :])
    found: Floats = ndtr(margins / deviation).mean(axis=2)
    return found


def divergence(mean: Floats, deviation: float) -> Floats:
    """KL(N(mean, deviation^2) || N(0, 1))."""
    return 0.5 * (deviation**2 + mean**2 - 1) - math.log(deviation)


@dataclass(frozen=True)
class Posteriors:
    """One training set's, a line each: divergences of trunk and heads, empirical and true Gibbs risks of the tasks."""

    kl_shared: Floats
    kl_heads: Floats
    risks: Floats
    truths: Floats


def overfitted(mu: Floats, n: int, generator: np.random.Generator) -> Posteriors:
    """For each deviation the thresholds of least empirical Gibbs risk on the grid; the trunk takes their mean."""
    features, labels = draw(mu, n, generator)
    lines = []
    for deviation in DEVIATIONS:
        spread = deviation * math.sqrt(2)
        risks = empirical_gibbs(np.tile(GRID, (len(mu), 1)), spread, features, labels)
        best = risks.argmin(axis=1)
        chosen = GRID[best]
        shared = chosen.mean()
        lines.append(
            (
                divergence(shared, deviation),
                divergence(chosen - shared, deviation),
                risks[np.arange(len(mu)), best],
                risk(chosen, mu, spread**2),
            )
        )
    return Posteriors(*(np.array(column) for column in zip(*lines, strict=True)))


class Tabulated:
    """A bound at n samples, looked up at risk and KL rounded down."""

    def __init__(self, bound: Bound, n_samples: int, delta: float) -> None:
        self.bound, self.n_samples, self.delta = bound, n_samples, delta
        self.known: dict[tuple[int, int], float] = {}

    def __call__(self, risks: Floats, divergences: Floats) -> Floats:
        rows, columns = (np.floor(risks / RISK_STEP).astype(int), np.floor(divergences / KL_STEP).astype(int))
        found = np.empty(np.shape(risks))
        for index, place in enumerate(zip(rows.ravel().tolist(), columns.ravel().tolist(), strict=True)):
            if place not in self.known:
                at = place[0] * RISK_STEP, place[1] * KL_STEP
                self.known[place] = self.bound(*at, self.n_samples, self.delta).value
            found.flat[index] = self.known[place]
        return found


def violations(bound: Bound, posteriors: list[Posteriors], n: int, delta: float, *, average: bool) -> NDArray[np.bool_]:
    """Once a training set: whether some posterior has a risk above its bound, for the mean task or for any task."""
    answers = []
    tasks = posteriors[0].risks.shape[1]
    table = Tabulated(bound, n, delta if average else delta / tasks)
    for one in posteriors:
        if average:
            value = table(one.risks.mean(axis=1), one.kl_shared + one.kl_heads.sum(axis=1))
            answers.append(bool((value < one.truths.mean(axis=1)).any()))
        else:
            value = table(one.risks, one.kl_shared[:, None] + one.kl_heads)
            answers.append(bool((value < one.truths).any()))
    return np.array(answers)
