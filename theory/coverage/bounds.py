"""The PAC-Bayes bounds under one signature, and bounds with a planted fault each, which must be found out."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from theory.bounds import pac_bayes
from theory.bounds.binary_kl import binary_kl
from theory.bounds.pac_bayes import Risk
from theory.bounds.quantities import UpperBound

Bound: TypeAlias = Callable[[Risk, float, int, float], UpperBound]
"""risk, kl, n_samples, delta."""

BOUNDS: Mapping[str, Bound] = {
    "Seeger-Maurer": pac_bayes.seeger_maurer,
    "McAllester": pac_bayes.mcallester,
    "refined Pinsker": pac_bayes.refined_pinsker,
    "quadratic": pac_bayes.quadratic,
    "Thiemann": pac_bayes.thiemann,
    "Catoni": lambda risk, kl, n, delta: pac_bayes.catoni(risk, kl, n, delta, 1.0),
    "Catoni, grid": lambda risk, kl, n, delta: pac_bayes.catoni_grid(risk, kl, n, delta, pac_bayes.temperatures(n)),
    "Alquier": lambda risk, kl, n, delta: pac_bayes.alquier(risk, kl, n, delta, 4 * math.sqrt(n)),
}


def without_divergence(bound: Bound) -> Bound:
    """The posterior is taken for the prior: KL = 0."""
    return lambda risk, kl, n, delta: bound(risk, 0.0, n, delta)


def _exact(risk: Risk) -> float:
    """In these worlds risks are known."""
    return risk.value if isinstance(risk, UpperBound) else risk


def lower_root(risk: Risk, kl: float, n_samples: int, delta: float) -> UpperBound:
    """The smallest p with ``kl(risk || p) <= b`` in place of the largest."""
    known = _exact(risk)
    budget = pac_bayes.complexity(kl, n_samples, delta).high
    low, high = 0.0, known
    for _ in range(60):
        middle = (low + high) / 2
        if binary_kl(known, middle).low > budget:
            low = middle
        else:
            high = middle
    return replace(pac_bayes.seeger_maurer(risk, kl, n_samples, delta), value=high)


def bare(risk: Risk, kl: float, n_samples: int, delta: float) -> UpperBound:
    """The empirical risk itself."""
    return UpperBound(_exact(risk), delta, 1.0, "none")
