"""Choosing learning rate and radius of every method on validation (`experiments.searches`). No torch here.

The value of a configuration is the mean over seeds of the best epoch's mean validation accuracy. Runs store their test
numbers as all runs do; no choice reads them.
"""

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from experiments.results import Result, find_result
from experiments.searches import (
    CONFIGURATIONS,
    SCHEMA_VERSION,
    SEED_COUNT,
    Choice,
    Configuration,
    Search,
    SearchName,
    search_specs,
    searched_label,
)


def validation(result: Result) -> float:
    """Mean accuracy over the tasks on the validation split, at the best epoch there."""
    return statistics.fmean(result.epochs[result.best_epoch - 1].validation_accuracy)


def choose(name: SearchName, store: Path) -> Search:
    """The choices that the stored runs of a search allow."""
    found = {spec: find_result([store], spec) for spec in search_specs(name)}
    lacking = [spec for spec, result in found.items() if result is None]
    incomplete = {spec.seed for spec in lacking}
    seeds = tuple(seed for seed in range(SEED_COUNT) if seed not in incomplete)
    methods: dict[str, list[Result]] = {}
    for spec, result in found.items():
        if result is not None and spec.seed in seeds:
            methods.setdefault(searched_label(spec), []).append(result)
    return Search(
        schema_version=SCHEMA_VERSION,
        name=name,
        seeds=seeds,
        choices=tuple(choice(method, results) for method, results in methods.items()),
        missing=dict(Counter(map(searched_label, lacking))),
        computed=dict(Counter(_where(result) for results in methods.values() for result in results)),
    )


def _where(result: Result) -> str:
    made = result.provenance
    return f"commit {made.commit}{' (changed)' if made.dirty else ''}, torch {made.torch}, {made.machine}"


def choice(method: str, results: Sequence[Result]) -> Choice:
    """All configurations of one method, from all its runs."""
    values: dict[tuple[float, float], list[tuple[int, float]]] = {}
    for result in results:
        point = (result.spec.learning_rate, result.spec.rho_shared)
        values.setdefault(point, []).append((result.spec.seed, validation(result)))
    spec = results[0].spec
    return Choice(
        method=method,
        mode=spec.mode,
        aggregator=spec.aggregator,
        mode_options=spec.mode_options,
        configurations=tuple(
            Configuration(learning_rate=rate, rho=rho, validation=tuple(value for _, value in sorted(seeds)))
            for (rate, rho), seeds in sorted(values.items())
        ),
        runs=len(results),
        steps=sum(result.steps for result in results),
        gradient_evaluations=sum(result.gradient_evaluations for result in results),
        cpu_seconds=math.fsum(result.cpu_seconds_training for result in results),
    )


def choice_cells(one: Choice) -> tuple[str, ...]:
    """A line of the table of choices."""

    def shown(configuration: Configuration) -> tuple[str, str, str]:
        radius = f"{configuration.rho:g}" if configuration.rho else "none"
        return f"{configuration.learning_rate:g}", radius, f"{100 * configuration.value:.2f}"

    rate, radius, value = shown(one.ranked[1])
    return one.method, *shown(one.chosen), f"{rate}, {radius}", value, ", ".join(one.edge)


def describe_budget(found: Search) -> str:
    """What every method was given, and what it spent of it."""
    seeds = ", ".join(map(str, found.seeds)) or "none is complete"
    lines = [
        f"{CONFIGURATIONS} configurations a method, seeds {seeds}, chosen by the mean validation "
        "accuracy at the best epoch"
    ]
    lines += [
        f"{one.method}: {one.runs} runs, {one.steps:,} steps, {one.gradient_evaluations:,} backward passes, "
        f"{one.cpu_seconds:.0f} CPU s"
        for one in found.choices
    ]
    return "\n".join(lines)
