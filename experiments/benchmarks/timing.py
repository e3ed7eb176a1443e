"""Interleaved timing: every round runs every function, so that slow phases of the machine hit all alike."""

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from experiments.benchmarks.records import Spread

Call = Callable[[], object]
Seconds = dict[str, list[float]]
"""Process CPU seconds of one call, by function, one entry a round."""


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Args:
        rounds: how many, unless the budget ends first.
        budget: CPU seconds after which no further round begins, once ``fewest`` are done.
        at_least: seconds that one measurement lasts; short functions are called several times in a row.
    """

    rounds: int
    budget: float = math.inf
    at_least: float = 0.02
    fewest: int = 3


@contextmanager
def _without_collector() -> Iterator[None]:
    """The collector of cycles would run inside whatever happens to be timed."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _seconds(function: Call, calls: int) -> float:
    start = time.process_time()
    for _ in range(calls):
        function()
    return (time.process_time() - start) / calls


def interleaved(functions: Mapping[str, Call], effort: Effort) -> Seconds:
    """Time every function once a round; every round starts with another one, so that none always follows the same.

    Calls before the first round are thrown away; they tell how many calls make one measurement.
    """
    names = list(functions)
    seconds: Seconds = {name: [] for name in names}
    with _without_collector():
        calls = {name: _calls(function, effort.at_least) for name, function in functions.items()}
    start = time.process_time()
    for turn in range(effort.rounds):
        if turn >= effort.fewest and time.process_time() - start > effort.budget:
            break
        first = turn % len(names)
        with _without_collector():
            for name in names[first:] + names[:first]:
                seconds[name].append(_seconds(functions[name], calls[name]))
    return seconds


def _calls(function: Call, at_least: float) -> int:
    """How many calls last ``at_least`` seconds, found by doubling; at least one call is made."""
    calls = 1
    while (lasted := calls * _seconds(function, calls)) < at_least and calls < 1 << 20:
        calls = max(2 * calls, min(1 << 20, math.ceil(calls * at_least / max(lasted, 1e-7) / 2)))
    return calls


def spread(values: Sequence[float]) -> Spread:
    """Median and quartiles; the values themselves stand for all there is (no extrapolation beyond them)."""
    if len(values) == 1:
        return Spread(median=values[0], low=values[0], high=values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median=median, low=low, high=high)


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Round by round: what hit both in one round cancels."""
    return [one / other for one, other in zip(above, below, strict=True)]
