r"""Losses of one real parameter that are step functions, and Theorem 1's inequality decided exactly for all parameters.

Let the losses be constant on ]-inf, b_1[, [b_1, b_2[, .., [b_k, inf[. So are their means L_D and L_S, and theta ->
max of L_S over [theta - rho, theta + rho] is constant on the pieces that the points b_j, b_j - rho and b_j + rho cut
the line into. So whether L_D(theta) <= max_{|eps| <= rho} L_S(theta + eps) + f(theta^2) for every real theta is a
question about one theta of each piece, with f, continuous and nondecreasing, at the least theta^2 of the closed
piece.

The witnesses against induction and against the dropping of an assumption are made of these.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Generic, TypeVar

from theory.proof.kernels.enumeration import Space

Point = TypeVar("Point", bound=Hashable)
Slack = Callable[[Fraction], Fraction]
"""f of theta^2, continuous and nondecreasing."""


@dataclass(frozen=True)
class Steps:
    """``values[j]`` from ``breaks[j - 1]``, included, to ``breaks[j]``, excluded."""

    breaks: tuple[Fraction, ...]
    values: tuple[Fraction, ...]

    def worst(self, theta: Fraction, rho: Fraction) -> Fraction:
        """max over |eps| <= rho of the value at theta + eps; at rho = 0 the value itself."""
        starts = [True, *(start <= theta + rho for start in self.breaks)]
        ends = [*(theta - rho < end for end in self.breaks), True]
        return max(value for value, start, end in zip(self.values, starts, ends, strict=True) if start and end)


def mean(losses: Sequence[Steps], weights: Sequence[Fraction]) -> Steps:
    """sum_n w_n l_n, of losses with the same breaks."""
    terms = zip(*(loss.values for loss in losses), strict=True)
    return Steps(
        losses[0].breaks,
        tuple(sum((w * v for w, v in zip(weights, values, strict=True)), Fraction(0)) for values in terms),
    )


@dataclass(frozen=True)
class Task(Generic[Point]):
    """``losses``: of every data point; ``law``: of the data points."""

    losses: Mapping[Point, Steps]
    law: Space[Point]

    @property
    def population(self) -> Steps:
        """L_D."""
        points = self.law.probabilities
        return mean([self.losses[point] for point in points], list(points.values()))

    def empirical(self, sample: Sequence[Point]) -> Steps:
        """L_S."""
        return mean([self.losses[point] for point in sample], [Fraction(1, len(sample))] * len(sample))

    def generalises(self, sample: Sequence[Point], rho: Fraction, slack: Slack) -> bool:
        """Whether L_D(theta) <= max_{|eps| <= rho} L_S(theta + eps) + f(theta^2) for every real theta."""
        population, empirical = self.population, self.empirical(sample)
        return all(
            population.worst(theta, Fraction(0)) <= empirical.worst(theta, rho) + slack(least)
            for theta, least in pieces(population.breaks, rho)
        )


def pieces(breaks: Sequence[Fraction], rho: Fraction) -> list[tuple[Fraction, Fraction]]:
    """A point of every piece of the line, and the least theta^2 of the closed piece."""
    cuts = sorted({b + shift for b in breaks for shift in (-rho, Fraction(0), rho)})
    if not cuts:
        return [(Fraction(0), Fraction(0))]
    between = [((a + b) / 2, Fraction(0) if a <= 0 <= b else min(a * a, b * b)) for a, b in pairwise(cuts)]
    first, last = cuts[0], cuts[-1]
    left = (first - 1, Fraction(0) if first >= 0 else first * first)
    right = (last + 1, Fraction(0) if last <= 0 else last * last)
    return [left, *((cut, cut * cut) for cut in cuts), *between, right]
