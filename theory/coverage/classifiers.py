"""Many classifiers of a Gaussian mixture, all with the same known risk: a finite class that makes the bounds tight.

y is 1 or -1, x ~ N(mu y, I) in as many dimensions as there are classifiers; number j answers with the sign of x_j. Its
risk is Phi(-mu), which is Bayes' for this feature where mu > 0, and the classifiers err independently. The prior is
uniform over them, the posterior sits on one: KL is the logarithm of their number. Every task has a mixture of its own.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

TRUNKS, HEADS = 4, 4
"""A classifier is a pair: the tasks share the first, the second is a task's own."""
SIZES = (1, 2, 4, 8, 16, 32, 64)
PIECE = 2_000_000
"""Features that are drawn at once."""

Values = Callable[[float, int], float]
"""The bound at an empirical risk of n samples."""


@dataclass(frozen=True)
class Worst:
    """The mixture in which a bound fails most often.

    Args:
        mu: half the distance of the means. risk: Phi(-mu).
        allowed: the bound fails where a classifier errs at most so often.
        exact: the probability that one of ``classifiers`` independent ones does.
    """

    n_samples: int
    mu: float
    risk: float
    allowed: int
    classifiers: int
    exact: float


def phi(z: float) -> float:
    """The normal distribution function."""
    return 0.5 * math.erfc(-z / math.sqrt(2))


def at_most(count: int, n: int, p: float) -> float:
    """P(Bin(n, p) <= count)."""
    return math.fsum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(count + 1))


def least_favourable(values: Values, classifiers: int, sizes: Iterable[int] = SIZES) -> Worst:
    """Sample size and mixture with the greatest probability that the bound is below the risk, found by exact tails.

    The risk lies just above the bound at some number of errors: below it there is nothing to violate, and further
    above fewer errors are less probable.

    Raises:
        ValueError: the bound says nothing at any of these sizes.
    """
    found = [worst for n in sizes for worst in _mixtures(values, classifiers, n)]
    if not found:
        raise ValueError(f"the bound is vacuous at every number of samples in {list(sizes)}")
    return max(found, key=lambda worst: worst.exact)


def _mixtures(values: Values, classifiers: int, n: int) -> Iterable[Worst]:
    for errors in range(n + 1):
        value = values(errors / n, n)
        target = value + 1e-9 * (1 - value) if value > 0 else 1e-9
        if not 0 < target < 1 - 1e-9:
            break
        mu = -NormalDist().inv_cdf(target)
        risk = phi(-mu)
        if risk <= value:
            continue
        one = at_most(errors, n, risk)
        yield Worst(n, mu, risk, errors, classifiers, -math.expm1(classifiers * math.log1p(-min(one, 1 - 1e-16))))


def violated(worst: Worst, draws: int, generator: np.random.Generator) -> NDArray[np.bool_]:
    """Whether some classifier errs so seldom that the bound is below its risk: once a training set."""
    each = worst.classifiers * worst.n_samples
    pieces, answers = max(1, PIECE // each), []
    for start in range(0, draws, pieces):
        shape = (min(pieces, draws - start), worst.n_samples, worst.classifiers)
        labels = generator.choice(np.array([-1.0, 1.0]), size=(*shape[:2], 1))
        features = worst.mu * labels + generator.standard_normal(shape)
        errors = (np.where(features > 0, 1.0, -1.0) != labels).sum(axis=1)
        answers.append((errors <= worst.allowed).any(axis=1))
    return np.concatenate(answers)
