"""All bounds in all worlds, for 1, 3 and 10 tasks, and planted faults beside them."""

import math
import platform
import time
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from theory.bounds import pac_bayes
from theory.coverage import balls, classifiers, thresholds
from theory.coverage.bounds import BOUNDS, Bound, bare, lower_root, without_divergence
from theory.coverage.records import Coverage, Covered, Version, World
from theory.proof.kernels.simulation import interval

DELTA = 0.05
LEVEL = Fraction(1, 10**6)
TASKS = (1, 3, 10)
SEED = 11
DRAWS: dict[World, int] = {
    "many classifiers": 10_000,
    "randomised thresholds": 2_000,
    "thresholds in a ball": 2_000,
}
SAMPLES = {"randomised thresholds": 40, "thresholds in a ball": 4_000}
DETECTABLE = 1.4 * DELTA
"""A fault is planted where it makes the exact rate so large; a fault that leaves the bound valid can not be seen."""
NOTHING = "nothing but the empirical risk"
KL = math.log(classifiers.TRUNKS * classifiers.HEADS)


def covered(
    bound: str,
    version: Version,
    world: World,
    tasks: int,
    n_samples: int,
    answers: NDArray[np.bool_],
    *,
    fault: str = "",
    exact: float | None = None,
    needed: float | None = None,
) -> Covered:
    """Count the violations and enclose their rate."""
    low, high = interval(int(answers.sum()), len(answers), LEVEL)
    return Covered(
        bound=bound,
        fault=fault,
        version=version,
        world=world,
        tasks=tasks,
        n_samples=n_samples,
        delta=DELTA,
        draws=len(answers),
        violations=int(answers.sum()),
        level=float(LEVEL),
        low=float(low),
        high=float(high),
        exact=exact,
        needed=needed,
    )


def _each(bound: Bound, tasks: int) -> classifiers.Values:
    return lambda risk, n: pac_bayes.per_task(bound, [risk] * tasks, [KL] * tasks, n, DELTA)[0].value


def _alone(bound: Bound) -> classifiers.Values:
    return lambda risk, n: bound(risk, KL, n, DELTA).value


def _average(bound: Bound, tasks: int, kl: float = KL, samples: int = 1) -> classifiers.Values:
    """The tasks share everything: one loss of one sample, as often as there are tasks."""
    return lambda risk, n: pac_bayes.average_task(bound, [risk] * tasks, kl, [0.0] * tasks, n * samples, DELTA).value


def _finite() -> Iterator[tuple[str, Version, int, str, classifiers.Values, int]]:
    """Bound, version, m, fault, values, and how many classifiers may violate it."""
    one = classifiers.TRUNKS * classifiers.HEADS
    for name, bound in BOUNDS.items():
        for tasks in TASKS:
            version: Version = "one task" if tasks == 1 else "per task"
            yield name, version, tasks, "", _each(bound, tasks), one * tasks
            faulty = without_divergence(bound)
            yield name, version, tasks, "KL left out", _each(faulty, tasks), one * tasks
            if tasks > 1:
                yield name, version, tasks, "log(1/delta) for each task", _alone(bound), one * tasks
                yield name, "average task", tasks, "", _average(bound, tasks), one
                yield name, "average task", tasks, "KL of the trunk left out", _average(bound, tasks, kl=0.0), one
                pooled = _average(bound, tasks, samples=tasks)
                yield name, "average task", tasks, "m N samples in place of N", pooled, one
    yield "Seeger-Maurer", "one task", 1, "the lower root of kl", _each(lower_root, 1), one


def finite(draws: int) -> Iterator[Covered]:
    """Every bound in its own least favourable mixture; planted faults where they show."""
    for number, (bound, version, tasks, fault, values, count) in enumerate(_finite()):
        worst = classifiers.least_favourable(values, count)
        if fault and worst.exact < DETECTABLE:
            continue
        answers = classifiers.violated(worst, draws, np.random.default_rng([SEED, 0, number]))
        world: World = "many classifiers"
        yield covered(bound, version, world, tasks, worst.n_samples, answers, fault=fault, exact=worst.exact)


def randomised(draws: int) -> Iterator[Covered]:
    """Gaussian posteriors that were chosen on the sample, in a linear world with closed Gibbs risks."""
    world: World = "randomised thresholds"
    n = SAMPLES[world]
    for number, tasks in enumerate(TASKS):
        generator = np.random.default_rng([SEED, 1, number])
        found = [thresholds.overfitted(thresholds.means(tasks), n, generator) for _ in range(draws)]
        each: Version = "one task" if tasks == 1 else "per task"
        versions: tuple[Version, ...] = (each,) if tasks == 1 else (each, "average task")
        for name, fault, bound in (*((name, "", bound) for name, bound in BOUNDS.items()), ("all", NOTHING, bare)):
            for version in versions:
                answers = thresholds.violations(bound, found, n, DELTA, average=version == "average task")
                yield covered(name, version, world, tasks, n, answers, fault=fault)


def in_balls(draws: int) -> Iterator[Covered]:
    """The theorems with a worst case, and each without its term."""
    world: World = "thresholds in a ball"
    n = SAMPLES[world]
    for number, tasks in enumerate(TASKS):
        generator, mu = np.random.default_rng([SEED, 2, number]), thresholds.means(tasks)
        found = [balls.losses(mu, n, generator) for _ in range(draws)]
        for name, rule in balls.RULES.items():
            known = balls.terms(rule, tasks, n, DELTA)
            shares = np.array([balls.needed(rule, known, mu, n, DELTA, one) for one in found])
            share = float(np.quantile(shares, 1 - DELTA))
            yield covered(name, "theorem", world, tasks, n, shares > 1, needed=share)
            yield covered(name, "theorem", world, tasks, n, shares > 0, fault="the term left out")


def run(share: float, progress: Callable[[Covered], None]) -> Coverage:
    """Everything, with this share of the draws."""
    started, rows = time.process_time(), []
    worlds: dict[World, Callable[[int], Iterator[Covered]]] = {
        "many classifiers": finite,
        "randomised thresholds": randomised,
        "thresholds in a ball": in_balls,
    }
    for name, world in worlds.items():
        for row in world(max(1, round(share * DRAWS[name]))):
            progress(row)
            rows.append(row)
    return Coverage(
        schema_version=1,
        seed=SEED,
        python=platform.python_version(),
        numpy=np.__version__,
        seconds=time.process_time() - started,
        rows=tuple(rows),
    )
