"""Verdicts by repetition: whether an event is as rare as claimed, tested with exact binomial tails in Arb.

The claim is P(violated) <= delta. After v violations in n independent repetitions it is rejected when P(Bin(n, delta)
>= v) is below the level: when the exact lower Clopper-Pearson limit is above delta. A true claim is rejected with
probability at most the level. A false claim may escape, so "not rejected" is no proof.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import arb, ctx, fmpq
from numpy.typing import NDArray

from theory.ledger import ORDER, Finding, Twin, Verdict, judged

BITS = 256
"""Precision of the tails: their relative error is below 2^-200 up to 10^6 repetitions."""
GRID = 10**6
"""Clopper-Pearson limits are multiples of 1/GRID, rounded outward."""


@dataclass(frozen=True)
class World:
    """A setting in which one repetition is violated or not.

    Args:
        violated: draws that many independent repetitions from the generator; True where violated.
    """

    name: str
    violated: Callable[[np.random.Generator, int], NDArray[np.bool_]]


@dataclass(frozen=True)
class Design:
    """Of P(violated) <= delta in every world.

    Args:
        level: probability of rejecting at least once although all are true; shared equally among the worlds.
        repetitions: in each world. seed: world number i draws from the generator of seed [seed, i].
    """

    delta: Fraction
    level: Fraction
    repetitions: int
    seed: int

    def __post_init__(self) -> None:
        if not (0 < self.delta < 1 and 0 < self.level < 1):
            raise ValueError(f"delta {self.delta} and level {self.level} lie strictly between 0 and 1")


@dataclass(frozen=True)
class OppositeWorlds:
    """A planted twin: the same test in other worlds, of the opposite truth."""

    change: str
    worlds: Sequence[World]


def at_most(
    name: str, statement: str, design: Design, worlds: Sequence[World], twins: Iterable[OppositeWorlds]
) -> Finding:
    """Whether the violation rate is at most delta in every world, as far as repetition can tell."""
    verdict, evidence = decide(design, worlds)
    answers = [
        Twin(change=twin.change, verdict=answer, evidence=how)
        for twin in twins
        for answer, how in [decide(design, twin.worlds)]
    ]
    level = float(design.level) if verdict is Verdict.NOT_REJECTED else None
    return judged(name, statement, "simulation", verdict, evidence, answers, level)


def decide(design: Design, worlds: Sequence[World]) -> tuple[Verdict, str]:
    """REFUTED where one world rejects, NOT_REJECTED where none does.

    Raises:
        ValueError: no world, or too few repetitions to reject anything.
        TypeError: a world that does not answer with that many truth values.
    """
    if not worlds:
        raise ValueError("no world to simulate")
    share = design.level / len(worlds)
    if design.delta**design.repetitions >= share:
        raise ValueError(f"{design.repetitions} repetitions can not reject {design.delta} at level {share}")
    answers, lines = [], []
    for number, world in enumerate(worlds):
        violations = _count(world, design, number)
        answers.append(one_world(violations, design, share))
        lower, upper = interval(violations, design.repetitions, share)
        lines.append(
            f"{world.name}: {violations} of {design.repetitions} violated, rate {violations / design.repetitions:.4f} "
            f"in [{float(lower):.6f}, {float(upper):.6f}]"
        )
    rule = f"Clopper-Pearson, each end at level {float(share):.2g}; delta = {design.delta}, seed {design.seed}"
    return max(answers, key=ORDER.index), f"{'; '.join(lines)} ({rule})"


def _count(world: World, design: Design, number: int) -> int:
    answers = world.violated(np.random.default_rng([design.seed, number]), design.repetitions)
    if answers.dtype != np.bool_ or answers.shape != (design.repetitions,):
        raise TypeError(f"{world.name} answers {answers.dtype} of shape {answers.shape}, not one bool a repetition")
    return int(answers.sum())


def one_world(violations: int, design: Design, level: Fraction) -> Verdict:
    """REFUTED if P(Bin(n, delta) >= violations) < level; UNDECIDED if its enclosure contains the level."""
    tail, limit = upper_tail(violations, design.repetitions, design.delta), _ball(level)
    if tail < limit:
        return Verdict.REFUTED
    return Verdict.NOT_REJECTED if tail >= limit else Verdict.UNDECIDED


def interval(violations: int, repetitions: int, level: Fraction) -> tuple[Fraction, Fraction]:
    """Clopper-Pearson: all p with P(Bin >= v) >= level and P(Bin <= v) >= level, rounded outward to the grid."""

    def last_excluded(count: int) -> Fraction:
        """The largest p on the grid with P(Bin(n, p) >= count) < level."""
        low, high = 0, GRID
        while high - low > 1:
            middle = (low + high) // 2
            excluded = upper_tail(count, repetitions, Fraction(middle, GRID)) < _ball(level)
            low, high = (middle, high) if excluded else (low, middle)
        return Fraction(low, GRID)

    lower = last_excluded(violations) if violations else Fraction(0)
    upper = 1 - last_excluded(repetitions - violations) if violations < repetitions else Fraction(1)
    return lower, upper


def upper_tail(count: int, repetitions: int, p: Fraction) -> arb:
    """An enclosure of P(Bin(n, p) >= count) = sum_{k >= count} C(n, k) p^k (1 - p)^(n - k), 0 < p < 1.

    The side of the sum away from the mean is computed, by the ratio of neighbouring terms.
    """
    if count <= 0:
        return arb(1)
    with ctx.workprec(BITS):
        if count <= repetitions * p:
            return 1 - _side(repetitions - count + 1, repetitions, _ball(1 - p))
        return _side(count, repetitions, _ball(p))


def _side(count: int, repetitions: int, success: arb) -> arb:
    odds = success / (1 - success)
    term = arb(repetitions).bin(count) * success**count * (1 - success) ** (repetitions - count)
    total = arb(0)
    for k in range(count, repetitions + 1):
        total += term
        term = term * (repetitions - k) / (k + 1) * odds
    return total


def _ball(number: Fraction) -> arb:
    with ctx.workprec(BITS):
        return arb(fmpq(number.numerator, number.denominator))
