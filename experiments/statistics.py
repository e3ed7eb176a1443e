"""Paired comparisons over seeds. No torch here: reports compare stored results."""

import math
import statistics
from collections.abc import Mapping, Sequence

import msgspec
from scipy import stats

MINIMUM = 3
"""Fewer pairs say nothing: with two the interval of a difference is 13 standard errors wide."""


def check_draws(what: str, value: int) -> None:
    """Refuses what leaves a mean without a standard error.

    Raises:
        ValueError: fewer than 2.
    """
    if value < 2:
        raise ValueError(f"{what} is {value}; it must be at least 2: a standard error needs two draws. Take 2 or more.")


class Paired(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Mean difference over ``n`` pairs, its 95 % interval by Student's t, and the two-sided p-value of no difference.

    ``p`` is 1 where all differences are zero and 0 where they are equal and not zero.
    """

    n: int
    difference: float
    low: float
    high: float
    p: float


def paired(left: Mapping[int, float], right: Mapping[int, float]) -> Paired | None:
    """Left minus right over the seeds that both have; None for fewer than ``MINIMUM`` of them.

    Raises:
        ValueError: a value is not finite; the message names the seed.
    """
    seeds = sorted(set(left) & set(right))
    for seed in seeds:
        if not (math.isfinite(left[seed]) and math.isfinite(right[seed])):
            raise ValueError(f"seed {seed}: {left[seed]} against {right[seed]}; both must be finite.")
    if len(seeds) < MINIMUM:
        return None
    differences = [left[seed] - right[seed] for seed in seeds]
    mean, error = statistics.fmean(differences), statistics.stdev(differences) / math.sqrt(len(seeds))
    reach = float(stats.t.ppf(0.975, len(seeds) - 1)) * error
    p = 2 * float(stats.t.sf(abs(mean) / error, len(seeds) - 1)) if error else float(mean == 0)
    return Paired(n=len(seeds), difference=mean, low=mean - reach, high=mean + reach, p=p)


def holm(values: Sequence[float]) -> tuple[float, ...]:
    """Holm's adjusted p-values, in the order given: at most one false rejection at level alpha with probability alpha.

    Source: Holm 1979, a simple sequentially rejective multiple test procedure.
    """
    order = sorted(range(len(values)), key=values.__getitem__)
    adjusted, reached = [0.0] * len(values), 0.0
    for rank, index in enumerate(order):
        reached = max(reached, min(1.0, (len(values) - rank) * values[index]))
        adjusted[index] = reached
    return tuple(adjusted)
