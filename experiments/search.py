"""Learning rate and radius of every method, chosen on validation from runs of the same budget. No torch here.

Every method has the same number of configurations, seeds, epochs and examples (`experiments.catalog.search_grid`): with
a radius 5 learning rates x 5 radii, without one 25 learning rates over the same range. What a step costs is the
method's own, so that backward passes differ: they are counted. The value of a configuration is the mean over seeds of
the best epoch's mean validation accuracy. Runs store their test numbers as all runs do; no choice reads them.
"""

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from experiments import catalog
from experiments.results import Result, find_result, refuse_non_finite, write_atomically
from experiments.spec import method_label

SCHEMA_VERSION = 1


class Configuration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One point of the grid; ``validation`` is the value of each seed's run in [0, 1], in the order of the seeds."""

    learning_rate: float
    rho: float
    validation: tuple[float, ...]

    @property
    def value(self) -> float:
        """Mean over the seeds."""
        return statistics.fmean(self.validation)


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The best configuration of a method (the first of equals in the order of the grid) and the second best.

    ``edge`` names what stands at an end of its grid: there the optimum may lie outside. ``runs``, ``steps``,
    ``gradient_evaluations`` and ``cpu_seconds`` are those of the method's whole search.
    """

    method: str
    chosen: Configuration
    runner_up: Configuration
    edge: tuple[str, ...]
    configurations: int
    runs: int
    steps: int
    gradient_evaluations: int
    cpu_seconds: float


class Search(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All choices of one search, by the seeds whose runs are all there, for every method: none, no choice.

    ``missing``: runs that the store lacks, by method.
    """

    schema_version: int
    name: catalog.SearchName
    seeds: tuple[int, ...]
    choices: tuple[Choice, ...]
    missing: dict[str, int]


def validation(result: Result) -> float:
    """Mean accuracy over the tasks on the validation split, at the best epoch there."""
    return statistics.fmean(result.epochs[result.best_epoch - 1].validation_accuracy)


def choose(name: catalog.SearchName, store: Path) -> Search:
    """The choices that the stored runs of a search allow."""
    found = {spec: find_result([store], spec) for spec in catalog.search_specs(name)}
    lacking = [spec for spec, result in found.items() if result is None]
    incomplete = {spec.seed for spec in lacking}
    seeds = tuple(seed for seed in range(catalog.SEARCH_SEEDS) if seed not in incomplete)
    methods: dict[str, list[Result]] = {}
    for spec, result in found.items():
        if result is not None and spec.seed in seeds:
            methods.setdefault(method_label(spec), []).append(result)
    return Search(
        schema_version=SCHEMA_VERSION,
        name=name,
        seeds=seeds,
        choices=tuple(choice(method, results) for method, results in methods.items()),
        missing=dict(Counter(map(method_label, lacking))),
    )


def choice(method: str, results: Sequence[Result]) -> Choice:
    """The best two configurations of one method, from all its runs."""
    values: dict[tuple[float, float], list[tuple[int, float]]] = {}
    for result in results:
        point = (result.spec.learning_rate, result.spec.rho_shared)
        values.setdefault(point, []).append((result.spec.seed, validation(result)))
    configurations = [
        Configuration(learning_rate=rate, rho=rho, validation=tuple(value for _, value in sorted(seeds)))
        for (rate, rho), seeds in values.items()
    ]
    ranked = sorted(configurations, key=lambda one: (-one.value, one.learning_rate, one.rho))
    return Choice(
        method=method,
        chosen=ranked[0],
        runner_up=ranked[1],
        edge=_edge(ranked[0], configurations),
        configurations=len(configurations),
        runs=len(results),
        steps=sum(result.steps for result in results),
        gradient_evaluations=sum(result.gradient_evaluations for result in results),
        cpu_seconds=math.fsum(result.cpu_seconds_training for result in results),
    )


def _edge(chosen: Configuration, configurations: Sequence[Configuration]) -> tuple[str, ...]:
    found = []
    for name, field in (("learning rate", "learning_rate"), ("radius", "rho")):
        grid = {getattr(one, field) for one in configurations}
        if len(grid) > 1 and getattr(chosen, field) in (min(grid), max(grid)):
            found.append(name)
    return tuple(found)


def choice_cells(one: Choice) -> tuple[str, ...]:
    """A line of the table of choices."""

    def shown(configuration: Configuration) -> tuple[str, str, str]:
        radius = f"{configuration.rho:g}" if configuration.rho else "none"
        return f"{configuration.learning_rate:g}", radius, f"{100 * configuration.value:.2f}"

    rate, radius, value = shown(one.runner_up)
    return one.method, *shown(one.chosen), f"{rate}, {radius}", value, ", ".join(one.edge)


def describe_budget(found: Search) -> str:
    """What every method was given, and what it spent of it."""
    seeds = ", ".join(map(str, found.seeds)) or "none is complete"
    lines = [
        f"{catalog.SEARCH_CONFIGURATIONS} configurations a method, seeds {seeds}, chosen by the mean validation "
        "accuracy at the best epoch"
    ]
    lines += [
        f"{one.method}: {one.runs} runs, {one.steps:,} steps, {one.gradient_evaluations:,} backward passes, "
        f"{one.cpu_seconds:.0f} CPU s"
        for one in found.choices
    ]
    return "\n".join(lines)


def search_path(store: Path, name: str) -> Path:
    return store / "searches" / f"{name}.json"


def save_search(store: Path, found: Search) -> Path:
    """Keep a search beside its runs."""
    path = search_path(store, found.name)
    refuse_non_finite(msgspec.to_builtins(found), "search")
    write_atomically(path, msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    return path
