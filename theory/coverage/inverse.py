"""Command line: ``python -m theory.coverage.inverse`` puts the kl inverse beside ball arithmetic, at random."""

import argparse
import platform
import statistics
import struct
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import flint
import numpy as np
from flint import arb, ctx

from theory.bounds.binary_kl import kl_inverse
from theory.coverage.inverse_records import FRESH, KEPT, Inversion, Inverted, write_inversion

SEED = 7
BITS = 200
ARGUMENTS = 100_000
EDGES = (1e-14, 1e-10, 1e-6, 1e-2, 1e2)
"""Of the budgets, nats."""
STEPS = (0, 1, 3, 10, 30)
LOOSE = 100
"""Floats above the least bound: more than the rounding of some thirty operations explains."""

Inverse = Callable[[float, float], float]


class Found(NamedTuple):
    """One argument: the computed inverse, whether it is below the exact one, and the floats that it lies above."""

    budget: float
    value: float
    below: bool
    loose: bool
    ulps: int
    excess: float


def exact_kl(q: float, p: float) -> arb:
    """kl(q || p) as a ball, q in [0, 1] and 0 < p < 1, at the precision of the context."""
    left, right = arb(q), arb(p)
    first = left * (left / right).log() if q > 0 else arb(0)
    second = (1 - left) * ((1 - left) / (1 - right)).log() if q < 1 else arb(0)
    return first + second


def draw_arguments(count: int, seed: int = SEED) -> list[tuple[float, float]]:
    """Risks and budgets over many decades, with the ends and what lies beside them."""
    generator = np.random.Generator(np.random.PCG64(seed))
    small = 10.0 ** generator.uniform(-17, 0, count)
    risks = np.where(generator.random(count) < 0.5, generator.random(count), small)
    risks = np.where(generator.random(count) < 0.2, 1 - small, risks)
    return list(zip(risks.tolist(), (10.0 ** generator.uniform(-14, 2, count)).tolist(), strict=True))


def check_inverse(q: float, budget: float, inverse: Inverse = kl_inverse) -> Found:
    """Is the inverse never below the exact one, and how many floats above the least bound is it?

    Args:
        q: a risk in (0, 1]. budget: nats, > 0.
    """
    with ctx.workprec(BITS):
        value = inverse(q, budget)
        least, ulps = _least(q, budget, value)
        return Found(
            budget=budget,
            value=value,
            below=not _is_bound(q, budget, value),
            loose=ulps > LOOSE,
            ulps=ulps,
            excess=(value - least) / value,
        )


def _is_bound(q: float, budget: float, p: float) -> bool:
    """Whether p is shown to be no smaller than the exact inverse."""
    return p >= 1 or (p > q and bool(exact_kl(q, p) >= arb(budget)))


def _least(q: float, budget: float, value: float) -> tuple[float, int]:
    """The least float that is a bound, and how many floats below ``value`` it stands; 0 where value is none."""
    (place,) = struct.unpack("<q", struct.pack("<d", value))

    def at(steps: int) -> float:
        return float(struct.unpack("<d", struct.pack("<q", place - steps))[0])

    def holds(steps: int) -> bool:
        return steps <= place and at(steps) >= q and _is_bound(q, budget, at(steps))

    low, high = 0, 1
    while holds(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return at(low), low


def _row(low: float, high: float, found: Sequence[Found]) -> Inverted:
    ulps = [one.ulps for one in found]
    bands = np.searchsorted(STEPS, ulps, side="left")
    return Inverted(
        low=low,
        high=high,
        count=len(found),
        below=sum(one.below for one in found),
        loose=sum(one.loose for one in found),
        certain=sum(one.value == 1 for one in found),
        ulps=tuple(np.bincount(bands, minlength=len(STEPS) + 1).tolist()),
        median=statistics.median_low(ulps),
        greatest=max(ulps),
        excess=max(one.excess for one in found),
    )


def run(count: int = ARGUMENTS, inverse: Inverse = kl_inverse) -> Inversion:
    """At so many random arguments, by budget."""
    started = time.process_time()
    found = [check_inverse(q, budget, inverse) for q, budget in draw_arguments(count)]
    groups = {(low, high): [one for one in found if low <= one.budget < high] for low, high in pairwise(EDGES)}
    return Inversion(
        schema_version=1,
        seed=SEED,
        bits=BITS,
        steps=STEPS,
        python=platform.python_version(),
        flint=flint.__version__,
        numpy=np.__version__,
        seconds=time.process_time() - started,
        rows=tuple(_row(low, high, group) for (low, high), group in groups.items() if group),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1: an inverse is below the exact one, or further above than rounding explains."""
    parser = argparse.ArgumentParser("python -m theory.coverage.inverse", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="write the record that the report reads")
    parser.add_argument("--count", type=int, default=ARGUMENTS, help="of the arguments (default: %(default)d)")
    options = parser.parse_args(arguments)
    if options.count < 1:
        parser.error(f"--count is {options.count}; it must be at least 1. Take for instance {ARGUMENTS}.")
    found = run(options.count)
    path = KEPT if options.keep else FRESH
    write_inversion(path, found)
    print(f"{found.count:,} arguments in {found.seconds:.0f} CPU s: {path}")
    print(f"below the exact inverse: {found.below}; further above than rounding explains: {found.loose}")
    return int(found.below + found.loose > 0)


if __name__ == "__main__":
    sys.exit(main())
