"""Intervals of floats that hold the exact value: every operation is rounded outward. The only place that rounds.

The four operations and the square root are correctly rounded, so the neighbouring float on either side encloses the
exact result. log, log1p and expm1 of the platform are taken to err by less than ``ULPS`` units in the last place; a
test holds them to it against ball arithmetic.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

ULPS = 4
"""Twice what any tested platform needs."""


def _down(value: float, steps: int = 1) -> float:
    for _ in range(steps):
        value = math.nextafter(value, -math.inf)
    return value


def _up(value: float, steps: int = 1) -> float:
    for _ in range(steps):
        value = math.nextafter(value, math.inf)
    return value


@dataclass(frozen=True)
class Interval:
    """All reals between ``low`` and ``high``, both included.

    Raises:
        ValueError: NaN, or low above high; the message holds both.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"no interval: from {self.low} to {self.high}.")

    @staticmethod
    def of(value: "float | Interval") -> "Interval":
        """The float itself, exactly; an interval as it is."""
        return value if isinstance(value, Interval) else Interval(float(value), float(value))

    def __add__(self, other: "float | Interval") -> "Interval":
        right = Interval.of(other)
        return Interval(_down(self.low + right.low), _up(self.high + right.high))

    def __sub__(self, other: "float | Interval") -> "Interval":
        right = Interval.of(other)
        return Interval(_down(self.low - right.high), _up(self.high - right.low))

    def __mul__(self, other: "float | Interval") -> "Interval":
        right = Interval.of(other)
        ends = [a * b if a and b else 0.0 for a in (self.low, self.high) for b in (right.low, right.high)]
        return Interval(_down(min(ends)), _up(max(ends)))

    def __truediv__(self, other: "float | Interval") -> "Interval":
        right = Interval.of(other)
        if right.low <= 0 <= right.high:
            raise ValueError(f"division by an interval that holds zero: from {right.low} to {right.high}.")
        ends = [a / b for a in (self.low, self.high) for b in (right.low, right.high)]
        return Interval(_down(min(ends)), _up(max(ends)))

    def __radd__(self, other: float) -> "Interval":
        return self + other

    def __rsub__(self, other: float) -> "Interval":
        return Interval.of(other) - self

    def __rmul__(self, other: float) -> "Interval":
        return self * other

    def __rtruediv__(self, other: float) -> "Interval":
        return Interval.of(other) / self

    def clipped(self, low: float, high: float) -> "Interval":
        """The exact value is known to lie between ``low`` and ``high``."""
        return Interval(max(low, min(self.low, high)), min(high, max(self.high, low)))


def sqrt(value: float | Interval) -> Interval:
    """The square root of a number that is known to be nonnegative."""
    inside = Interval.of(value)
    return Interval(max(_down(math.sqrt(max(inside.low, 0.0))), 0.0), _up(math.sqrt(max(inside.high, 0.0))))


def _monotone(function: Callable[[float], float], value: float | Interval) -> Interval:
    inside = Interval.of(value)
    return Interval(_down(function(inside.low), ULPS), _up(function(inside.high), ULPS))


def log(value: float | Interval) -> Interval:
    """The natural logarithm of a positive number; of an interval that reaches zero it starts at minus infinity."""
    return _monotone(lambda x: math.log(x) if x > 0 else -math.inf, value)


def log1p(value: float | Interval) -> Interval:
    """log(1 + x) of a number above -1, without cancellation for small x."""
    return _monotone(lambda x: math.log1p(x) if x > -1 else -math.inf, value)


def one_minus_exp(value: float | Interval) -> Interval:
    """1 - e^(-x), without cancellation for small x."""
    return _monotone(lambda x: -math.expm1(-x) if x > -709 else -math.inf, value)
