"""``python -m experiments.benchmarks``: prints ratios and keeps them in ``build/bench.json``; never fails on noise."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import torch
import tyro
from rich.console import Console
from rich.table import Table

from experiments.benchmarks.problems import MATRICES, StepProblem, aggregator_functions, lenet, many_heads, resnet18
from experiments.benchmarks.timing import Timing, interleaved
from experiments.results import write_atomically
from experiments.train import machine


class Ratio(msgspec.Struct, frozen=True, kw_only=True):
    """One timed function: CPU seconds (median, quartiles) and its cost in the unit and over the floor of its problem.

    Steps: ``unit`` is U, the floor of the exact step ``(1 + m) F + 2 m (U - F)``, of the base step ``F + m (U - F)``.
    Aggregators: ``unit`` is the bound, and there is no floor.
    """

    problem: str
    function: str
    seconds: float
    low: float
    high: float
    in_units: float
    over_floor: float | None


class Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    """All ratios of one call, with what they were measured on."""

    torch: str
    machine: str
    threads: int
    rounds: int
    ratios: tuple[Ratio, ...]


def _ratio(problem: str, function: str, timing: Timing, unit: float, floor: float | None) -> Ratio:
    return Ratio(
        problem=problem,
        function=function,
        seconds=timing.median,
        low=timing.low,
        high=timing.high,
        in_units=timing.median / unit,
        over_floor=None if floor is None else timing.median / floor,
    )


def step_ratios(problem: StepProblem, rounds: int) -> list[Ratio]:
    """The base step and the exact step of one problem, in U and over their floors."""
    timings = interleaved(problem.functions(), rounds)
    tasks = len(problem.heads)
    unit, forward = timings["U"].median, timings["F"].median
    backward = unit - forward
    floors = {"base step": forward + tasks * backward, "F-step": (1 + tasks) * forward + 2 * tasks * backward}
    return [_ratio(problem.name, name, timing, unit, floors.get(name)) for name, timing in timings.items()]


def aggregator_ratios(tasks: int, columns: int, rounds: int) -> list[Ratio]:
    """All aggregators on one matrix, over the bound."""
    timings = interleaved(aggregator_functions(tasks, columns), rounds)
    name = f"aggregators, m = {tasks}, d = {columns:.0e}"
    return [_ratio(name, method, timing, timings["bound"].median, None) for method, timing in timings.items()]


def summary(ratios: Sequence[Ratio], rounds: int) -> Benchmark:
    """The ratios with what they were measured on."""
    return Benchmark(torch=str(torch.__version__), machine=machine(), threads=1, rounds=rounds, ratios=tuple(ratios))


def main(rounds: int = 15, out: Path = Path("build/bench.json")) -> None:
    """Time everything with one thread.

    Args:
        rounds: interleaved repetitions.
        out: where the ratios are kept.
    """
    torch.set_num_threads(1)
    console = Console()
    ratios: list[Ratio] = []
    for make in (lenet, resnet18, many_heads):
        ratios += step_ratios(make(), rounds)
    for tasks, columns in MATRICES:
        ratios += aggregator_ratios(tasks, columns, rounds)
    table = Table("problem", "function", "ms", "quartiles", "in units", "over floor", title="CPU time, one thread")
    for ratio in ratios:
        floor = "" if ratio.over_floor is None else f"{ratio.over_floor:.2f}"
        quartiles = f"{1e3 * ratio.low:.2f} .. {1e3 * ratio.high:.2f}"
        table.add_row(
            ratio.problem, ratio.function, f"{1e3 * ratio.seconds:.2f}", quartiles, f"{ratio.in_units:.2f}", floor
        )
    console.print(table)
    benchmark = summary(ratios, rounds)
    write_atomically(out, msgspec.json.format(msgspec.json.encode(benchmark)) + b"\n")
    console.print(f"kept in {out}")


if __name__ == "__main__":
    tyro.cli(main)
