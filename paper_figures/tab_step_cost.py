"""Table R1.1: operations, time and memory of one step, for each way to train and number of tasks."""

from collections.abc import Sequence

import msgspec

from experiments.benchmarks.records import Benchmark, Implementation, StepCost
from paper_figures.benchmark import BENCHMARK, interval, measured_on, significant
from paper_figures.exhibit import Columns, FileExhibit, Table, distinct

METHOD_PREFIXES = ("U", "ERM", "direct", "SAM-sum", "F-")
"""The lines of a section, in this order."""


class StepRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One method by one implementation on one problem: median and quartiles of CPU milliseconds, of multiples of U
    (one forward and backward of the summed loss) and of the floor.
    """

    problem: str
    label: str
    tasks: int
    shared_parameters: int
    batch: int
    method: str
    implementation: Implementation
    forwards: int
    backwards: int
    ms: float
    ms_low: float
    ms_high: float
    units: float
    units_low: float
    units_high: float
    over_floor: float | None
    over_floor_low: float | None
    over_floor_high: float | None
    peak_bytes: int | None
    resident_bytes: int | None


def step_row(cost: StepCost) -> StepRow:
    """One measured step as a row."""
    over_floor, over_floor_low, over_floor_high = (
        (None, None, None)
        if cost.over_floor is None
        else (cost.over_floor.median, cost.over_floor.low, cost.over_floor.high)
    )
    return StepRow(
        problem=cost.problem,
        label=cost.label,
        tasks=cost.tasks,
        shared_parameters=cost.shared_parameters,
        batch=cost.batch,
        method=cost.method,
        implementation=cost.implementation,
        forwards=cost.forwards,
        backwards=cost.backwards,
        ms=1e3 * cost.seconds.median,
        ms_low=1e3 * cost.seconds.low,
        ms_high=1e3 * cost.seconds.high,
        units=cost.units.median,
        units_low=cost.units.low,
        units_high=cost.units.high,
        over_floor=over_floor,
        over_floor_low=over_floor_low,
        over_floor_high=over_floor_high,
        peak_bytes=cost.peak_bytes,
        resident_bytes=cost.resident_bytes,
    )


def method_order(method: str) -> int:
    """Rank among :data:`METHOD_PREFIXES`; methods of another kind come last."""
    for rank, prefix in enumerate(METHOD_PREFIXES):
        if method.startswith(prefix):
            return rank
    return len(METHOD_PREFIXES)


def data(benchmark: Benchmark) -> tuple[StepRow, ...]:
    """The plain pass and this project's own methods; problems in the order of the benchmark."""
    rows = [
        step_row(cost)
        for cost in benchmark.steps
        if cost.method == "U" or (cost.method != "F" and cost.implementation == "flatmtl")
    ]
    problems = distinct(row.problem for row in rows)
    return tuple(sorted(rows, key=lambda row: (problems.index(row.problem), method_order(row.method))))


def _megabytes(count: int | None) -> str:
    return "" if count is None else significant(count / 1e6)


def table(rows: Sequence[StepRow]) -> Table:
    """One section a problem, one line a method."""
    sections = []
    for problem in distinct(row.problem for row in rows):
        chosen = [row for row in rows if row.problem == problem]
        title = f"{chosen[0].label}: {chosen[0].shared_parameters:,} shared parameters"
        lines = tuple(
            (
                row.method,
                str(row.forwards),
                str(row.backwards),
                significant(row.ms),
                interval(row.units, row.units_low, row.units_high),
                ""
                if row.over_floor is None or row.over_floor_low is None or row.over_floor_high is None
                else interval(row.over_floor, row.over_floor_low, row.over_floor_high),
                _megabytes(row.peak_bytes),
                _megabytes(row.resident_bytes),
            )
            for row in chosen
        )
        sections.append((title, lines))
    return Table(
        columns=(
            Columns("", ("Method",)),
            Columns("Operations", ("forwards", "backwards")),
            Columns("Time", ("ms", "in U", "over the floor")),
            Columns("Memory (MB)", ("allocated", "resident")),
        ),
        sections=tuple(sections),
    )


def caption(benchmark: Benchmark) -> str:
    """What is counted and what was measured on what."""
    return (
        "One iteration up to the optimizer's step. Forwards: calls of the losses; backwards: gradients that reach the "
        "trunk. U: one forward and backward of the summed loss (F its forward, B = U - F). The floor is what the "
        "passes alone take: F + m B for ERM, (1 + m) F + 2 m B for direct and decomposed (F-), 2 U for SAM-sum; where "
        "tasks have large parts of their own, own parts are counted task by task. Allocated: the largest sum of live "
        "tensors during a step beyond what was live before it; resident: growth of the largest resident set over "
        f"one step in a process of its own, kept buffers included. {measured_on(benchmark)}"
    )


EXHIBIT = FileExhibit(
    name="table_r1_1_step_cost",
    location="Table R1.1",
    title="What one step costs",
    table=table,
    file=BENCHMARK,
    data=data,
    caption=caption,
)
