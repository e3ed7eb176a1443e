"""Interleaved timing: every round runs every function once, so that slow phases of the machine hit all alike."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Process CPU seconds of one call: median and quartiles over the rounds."""

    median: float
    low: float
    high: float


def interleaved(functions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Timing]:
    """Time every function once a round, after one round that is thrown away.

    Args:
        functions: name -> what is timed.
        rounds: at least 4.
    """
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(rounds + 1):
        for name, function in functions.items():
            start = time.process_time()
            function()
            if turn:
                seconds[name].append(time.process_time() - start)
    timings: dict[str, Timing] = {}
    for name, values in seconds.items():
        low, median, high = statistics.quantiles(values, n=4)
        timings[name] = Timing(median, low, high)
    return timings
