r"""Where the theorem does not reach, by its samples: L_S has to be the mean of N independent losses of a fixed theta.

Batch norm in train mode: of two samples x_1, x_2 the normalised values are +-d / sqrt(d^2 + 1/4) with d = (x_1 - x_2) /
2, so a loss that is even in them, here their square, is the same for both: two samples, one loss. Overlays that share
base images: let a loss be the mean of a bit of either image. When every one of n images is used r times, the mean of
the N = r n / 2 losses has r times the variance that N independent overlays would give it; r = 4 in Multi-MNIST. A
radius chosen by test error: the error of the best of K equally good models is below their common error in the mean.

Paper: its experiments (batch norm, Multi-MNIST); the authors' code (epoch chosen on test data).
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import comb
from typing import Any

from theory.ledger import Finding
from theory.proof.kernels.enumeration import Case, Comparison, OppositeFamily, Space, for_all, independent, uniform

COIN = uniform((0, 1))
HALF = Fraction(1, 2)


def check() -> list[Finding]:
    """Dependence through the batch, through shared base images, through a choice."""
    return [batch_norm(), batch_norm_variance(), shared_images(), covariance(), tuned()]


def variance(space: Space[Any], variable: Callable[[Any], Fraction]) -> Fraction:
    """E X^2 - (E X)^2."""
    return space.expectation(lambda outcome: variable(outcome) ** 2) - space.expectation(variable) ** 2


def losses(sample: Sequence[int], train: bool) -> list[Fraction]:
    """(x - mean)^2 / (var + 1/4): moments of the batch, or the fixed ones 0 and 7/4."""
    mean = Fraction(sum(sample), len(sample)) if train else Fraction(0)
    spread = sum(((x - mean) ** 2 for x in sample), Fraction(0)) / len(sample) if train else Fraction(7, 4)
    return [(x - mean) ** 2 / (spread + Fraction(1, 4)) for x in sample]


def batch_norm() -> Finding:
    """The two losses of a batch depend on one another."""

    def case(train: bool) -> Case:
        space = independent([uniform((0, 1, 3))] * 2)
        pair = [lambda sample, i=i: losses(sample, train)[i] for i in (0, 1)]
        comparison = Comparison("max |P(l_1, l_2) - P(l_1) P(l_2)|", space.dependence(pair), ">", Fraction(0))
        return Case("train" if train else "eval", space, comparison)

    return for_all(
        "batch-norm",
        "x_1, x_2 independent, uniform on {0, 1, 3}: the losses (x_i - mean)^2 / (var + 1/4), with the batch's mean "
        "and variance, are not independent",
        [case(True)],
        [OppositeFamily("mean 0 and variance 7/4, fixed", [case(False)])],
    )


def batch_norm_variance() -> Finding:
    """More variance than two independent losses can have."""

    def case(train: bool) -> Case:
        space = independent([COIN] * 2)
        value = variance(space, lambda sample: sum(losses(sample, train), Fraction(0)) / 2)
        return Case("train" if train else "eval", space, Comparison("Var L_S", value, ">", HALF**2 / 8))

    return for_all(
        "batch-norm-variance",
        "x_1, x_2 fair bits: the same losses lie in [0, L], L = 1/2, and their mean has a variance above L^2 / (4 N) "
        "at N = 2, the most that independent ones allow",
        [case(True)],
        [OppositeFamily("mean 0 and variance 7/4, fixed", [case(False)])],
    )


Pair = tuple[int, int]
RINGS: dict[int, list[Pair]] = {
    1: [(0, 1), (2, 3), (4, 5)],
    2: [(i, (i + 1) % 5) for i in range(5)],
    4: [(i, (i + step) % 5) for step in (1, 2) for i in range(5)],
}
"""Overlays of base images, every image used 1, 2 or 4 times, no pair twice."""


def shared_images() -> Finding:
    """Var(mean of N overlays) = r Var(one) / N."""

    def case(uses: int, factor: int) -> Case:
        pairs = RINGS[uses]
        space = independent([COIN] * (1 + max(map(max, pairs))))

        def mean(bits: Sequence[int]) -> Fraction:
            return Fraction(sum(bits[i] + bits[j] for i, j in pairs), 2 * len(pairs))

        single = variance(space, lambda bits: Fraction(bits[0] + bits[1], 2))
        value = variance(space, mean) * len(pairs) / single
        return Case(f"{uses} uses of an image", space, Comparison("N Var(L_S) / Var(l)", value, "=", Fraction(factor)))

    return for_all(
        "shared-images",
        "base images with independent fair bits, the loss of an overlay the mean of its two bits, every image in r = "
        "1, 2, 4 overlays (6, 5, 5 images): N Var(L_S) / Var(l) = r",
        [case(uses, uses) for uses in RINGS],
        [OppositeFamily("1, as for independent overlays", [case(uses, 1) for uses in RINGS])],
    )


def covariance() -> Finding:
    """Of two overlays that share an image."""

    def case(second: Pair) -> Case:
        space = independent([COIN] * 4)

        def product(bits: Sequence[int]) -> Fraction:
            return Fraction(bits[0] + bits[1], 2) * Fraction(bits[second[0]] + bits[second[1]], 2)

        value = space.expectation(product) - HALF**2
        return Case(f"images 0, 1 and {second}", space, Comparison("Cov", value, "=", Fraction(1, 16)))

    return for_all(
        "covariance",
        "the losses of two overlays that share one of their base images have the covariance 1/16, half of their "
        "variance",
        [case((1, 2)), case((0, 2))],
        [OppositeFamily("no shared image", [case((2, 3))])],
    )


def tuned() -> Finding:
    """E min_k of K test errors against their common mean 1/2."""

    def case(radii: int, size: int) -> Case:
        errors = Space({k: Fraction(comb(size, k), 2**size) for k in range(size + 1)})
        space = independent([errors] * radii)
        best = space.expectation(lambda counts: Fraction(min(counts), size))
        return Case(f"K = {radii}, n = {size}", space, Comparison("E min", best, "<", HALF))

    return for_all(
        "tuned",
        "K = 2 .. 5 radii, each with error 1/2, tested on n = 1 .. 4 samples, all independent: the mean of the least "
        "test error is below 1/2",
        [case(radii, size) for radii in range(2, 6) for size in range(1, 5)],
        [OppositeFamily("one radius, fixed before", [case(1, size) for size in range(1, 5)])],
    )
