"""``python -m experiments.benchmarks``: time everything, print what misses a gate, keep JSON; never fail on noise."""

import platform
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import torch
import tyro
from rich.console import Console
from rich.progress import Progress

from experiments.benchmarks import gates as limits
from experiments.benchmarks.aggregators import CASES, aggregator_costs, gramian_accuracy
from experiments.benchmarks.fresh import measure_all
from experiments.benchmarks.peers import torchjd
from experiments.benchmarks.problems import PROBLEMS
from experiments.benchmarks.records import (
    SCHEMA_VERSION,
    STORED,
    AggregatorCost,
    Benchmark,
    Gate,
    Provenance,
    ScalingPoint,
    StepCost,
    write_benchmark,
)
from experiments.benchmarks.rendering import rendering_cost
from experiments.benchmarks.scaling import places, scaling_points
from experiments.benchmarks.stepping import orders, step_costs
from experiments.benchmarks.tables import aggregator_table, gate_table, scaling_table, step_table
from experiments.benchmarks.timing import Effort
from experiments.executors import source_state
from experiments.provenance import machine

Item = TypeVar("Item")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class Session:
    """One call of the benchmarks: what is chosen, and what was found so far."""

    def __init__(self, only: str, effort: Effort, tiny: bool, twin: str | None, console: Console) -> None:
        self.only, self.effort, self.tiny, self.twin, self.console = only, effort, tiny, twin, console
        self.small_effort = replace(effort, budget=effort.budget / 4)
        self.steps: list[StepCost] = []
        self.aggregators: list[AggregatorCost] = []
        self.scaling: list[ScalingPoint] = []
        self.comparisons: list[Gate] = []
        self.accuracy: list[Gate] = []
        self.rendering: list[Gate] = []

    def chosen(self, name: str) -> bool:
        return self.only.lower() in name.lower()

    def say(self, done: str) -> None:
        """A line where there is no live display."""
        if not self.console.is_terminal:
            self.console.print(f"{_now()} {done}", highlight=False)

    def run(self) -> None:
        """Memory of all steps first (in processes of their own), then all times, nothing beside them.

        Aggregators come before steps: whether the allocator has pages to reuse, which large steps leave behind, makes
        the bound's fresh result cost three times as much or as little.
        """
        problems = [key for key in PROBLEMS if self.chosen(f"step {key}")]
        asked = [order for key in problems for order in orders(key, self.tiny, self.twin)]
        cases = [case for case in CASES if self.chosen(f"aggregator {case.method} {case.tasks}")]
        points = [place for place in places(self.tiny) if self.chosen(f"scaling {place.axis}")]
        alone = [name for name in ("accuracy gramian", "rendering rooms") if self.chosen(name)]
        if not (problems or cases or points or alone):
            raise SystemExit(f"nothing to measure is named {self.only!r}: see --help for the names.")
        with Progress(console=self.console) as progress:

            def watched(items: Sequence[Item], description: str) -> Iterable[Item]:
                return progress.track(items, description=description) if items else ()

            measured = zip(watched(asked, "memory"), measure_all(asked), strict=True)
            found = {(order.problem, order.step): fresh for order, fresh in measured}
            for case in watched(cases, "aggregators"):
                figures, comparisons = aggregator_costs(case, self.small_effort, tiny=self.tiny)
                self.aggregators += figures
                self.comparisons += comparisons
                self.say(f"aggregator {case.method}, m = {case.tasks}, d = {case.columns:.1e}")
            for key in watched(problems, "steps"):
                own = {name: fresh for (problem, name), fresh in found.items() if problem == key}
                costs, comparisons = step_costs(key, self.effort, own, tiny=self.tiny, twin=self.twin)
                self.steps += costs
                self.comparisons += comparisons
                self.say(f"step {key}")
            if "rendering rooms" in alone:
                self.rendering.append(rendering_cost(self.small_effort, tiny=self.tiny))
                self.say("rendering rooms")
            if "accuracy gramian" in alone:
                self.accuracy.append(gramian_accuracy(100_000 if self.tiny else 44_000_000))
            for place in watched(points, "scaling"):
                self.scaling += scaling_points(place, self.small_effort)
                self.say(f"scaling {place.axis} {self.scaling[-1].x}")

    def gates(self) -> list[Gate]:
        return [
            *limits.step_gates(self.steps),
            *limits.memory_gates(self.steps),
            *limits.aggregator_gates(self.aggregators),
            *self.accuracy,
            *self.rendering,
            *self.comparisons,
        ]


def main(
    only: str = "",
    rounds: int = 15,
    budget: float = 30.0,
    out: Path = Path("build/bench.json"),
    keep: bool = False,
    tiny: bool = False,
    twin: str | None = None,
) -> Benchmark:
    """Time steps and aggregators with one thread, beside TorchJD and plain PyTorch; then print the gates.

    Args:
        only: what to measure: a part of ``step KEY``, ``aggregator METHOD TASKS``, ``accuracy gramian``,
            ``rendering rooms`` or ``scaling AXIS``; empty: everything.
        rounds: interleaved repetitions, at most.
        budget: CPU seconds for a problem (a quarter of it for an aggregator or a point of a curve), after which no
            further round begins once three are done.
        out: where the result is written.
        keep: also write it where the report reads it, and where it is kept with the code.
        tiny: the code paths at sizes that say nothing about cost, two rounds at most.
        twin: module with the tests' reference step, ``tests.reference.twin`` from the top of a checkout.
    """
    if keep and (tiny or only):
        raise SystemExit("only a whole benchmark at full size is kept: leave out --keep, or --tiny and --only.")
    torch.set_num_threads(1)
    console, started = Console(), _now()
    if not console.is_terminal:
        console.width = 160
    effort = Effort(rounds=min(rounds, 2) if tiny else rounds, budget=budget, at_least=0.0 if tiny else 0.02)
    session = Session(only, effort, tiny, twin, console)
    session.run()
    gates = session.gates()
    commit, dirty = source_state()
    benchmark = Benchmark(
        schema_version=SCHEMA_VERSION,
        provenance=Provenance(
            commit=commit,
            dirty=dirty,
            machine=machine(),
            python=platform.python_version(),
            torch=str(torch.__version__),
            torchjd=torchjd.version(),
            threads=torch.get_num_threads(),
            clock="process CPU",
            rounds=effort.rounds,
            tiny=tiny,
            started=started,
            finished=_now(),
        ),
        steps=tuple(session.steps),
        aggregators=tuple(session.aggregators),
        scaling=tuple(session.scaling),
        gates=tuple(gates),
    )
    for table, rows in (
        (step_table(benchmark.steps), benchmark.steps),
        (aggregator_table(benchmark.aggregators), benchmark.aggregators),
        (scaling_table(benchmark.scaling), benchmark.scaling),
        (gate_table(gates), gates),
    ):
        if rows:
            console.print(table)
    for path in (out, STORED) if keep else (out,):
        write_benchmark(path, benchmark)
        console.print(f"kept in {path}", highlight=False)
    missed = sum(not gate.met for gate in gates)
    console.print(f"{len(gates) - missed} of {len(gates)} gates met" + (f", {missed} missed" if missed else ""))
    return benchmark


if __name__ == "__main__":
    tyro.cli(main)
