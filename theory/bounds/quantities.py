"""An estimate and a bound are different things: no bound takes an `Estimate`. What leads from the first to the second
has its price, which every later bound adds to its own."""

import math
from dataclasses import dataclass

from theory.bounds.rounding import Interval, log, sqrt

LARGEST = 10**15
"""Of sizes and sample numbers: 8 times it is still exact as a float."""

TWO = "One draw has no error: make 2 or more independent ones."


class InvalidBound(ValueError):
    """An argument for which a bound is no bound: what, its value, the rule, the remedy."""

    def __init__(self, what: str, value: object, rule: str, remedy: str) -> None:
        super().__init__(f"{what} is {value}; it must be {rule}. {remedy}")


def check_share(what: str, value: float) -> float:
    """A number in [0, 1]."""
    if not 0 <= value <= 1:
        raise InvalidBound(what, value, "in [0, 1]", "Divide the loss by its bound first.")
    return value


def check_probability(what: str, value: float) -> float:
    """A number in (0, 1)."""
    if not 0 < value < 1:
        raise InvalidBound(what, value, "in (0, 1)", "Choose for instance 0.05.")
    return value


def check_count(what: str, value: int, least: int = 1, most: int | None = None) -> int:
    """An integer of at least ``least``, and at most ``most``; NaN and the infinities are none."""
    if not least <= value < math.inf or value != int(value):
        remedy = "Count the independent samples (or draws)."
        raise InvalidBound(what, value, f"an integer >= {least}", TWO if least == 2 else remedy)
    if most is not None and value > most:
        remedy = "Give fewer: a bound at fewer independent samples (or draws) holds for more."
        raise InvalidBound(what, value, f"at most {most:.0e}", remedy)
    return int(value)


def check_divergence(value: float) -> float:
    """A Kullback-Leibler divergence in nats: finite and >= 0."""
    if not 0 <= value < math.inf:
        raise InvalidBound("kl", value, "finite and >= 0 (nats)", "Give prior and posterior the same support.")
    return value


@dataclass(frozen=True)
class Estimate:
    """A Monte Carlo mean: it says nothing for certain about the expectation until it becomes an UpperBound.

    Args:
        mean: of the draws.
        draws: how many independent ones, at least 2: an estimate has an error, which one draw can not show.
        limit: every draw lies in [0, limit].
        standard_error: of the mean, by the sample standard deviation; NaN where nobody computed it.

    Raises:
        InvalidBound: fewer than two draws, or more than 1e15; a limit that is not positive and finite, a mean outside
            [0, limit], a negative error.
    """

    mean: float
    draws: int
    limit: float = 1.0
    standard_error: float = math.nan

    def __post_init__(self) -> None:
        check_count("draws", self.draws, least=2, most=LARGEST)
        if not 0 < self.limit < math.inf:
            raise InvalidBound(
                "limit", self.limit, "positive and finite", "Clip the loss: without a limit no bound holds."
            )
        if not 0 <= self.mean <= self.limit:
            raise InvalidBound(
                "mean", self.mean, f"in [0, {self.limit}]", "Clip the loss at the limit before the mean."
            )
        if self.standard_error < 0:
            raise InvalidBound("standard_error", self.standard_error, ">= 0", "Leave it out where it is not known.")


@dataclass(frozen=True)
class UpperBound:
    """A number that the true value exceeds with probability at most ``failure``.

    Args:
        value: rounded upwards.
        failure: >= 0 and < 1; 0 for what is certain.
        limit: > 0; the loss never exceeds it: a value >= limit says nothing. Infinite where there is none.
        method: the inequality that it rests on.
        labels: independent labelled samples that the statement is about; 0 for one about draws alone.
    """

    value: float
    failure: float
    limit: float
    method: str
    labels: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.failure < 1:
            raise InvalidBound("failure", self.failure, "in [0, 1)", "Split delta over fewer events.")
        if math.isnan(self.value) or self.value < 0:
            raise InvalidBound("value", self.value, "a number >= 0", "A bound on a loss can not be negative.")
        if not self.limit > 0:
            raise InvalidBound("limit", self.limit, "positive", "Give the greatest loss that there can be.")

    @property
    def vacuous(self) -> bool:
        """Whether it says nothing that the limit does not say."""
        return self.value >= self.limit


def upper_bound(estimate: Estimate, delta: float) -> UpperBound:
    """Hoeffding for the mean of ``draws`` independent draws in [0, limit]: mean + limit sqrt(log(1/delta) / (2 draws)).

    Raises:
        InvalidBound: delta outside (0, 1).
    """
    check_probability("delta", delta)
    reach = estimate.limit * sqrt(-1.0 * log(delta) / (2.0 * estimate.draws))
    value = (Interval.of(estimate.mean) + reach).high
    return UpperBound(value, delta, estimate.limit, "Hoeffding")
