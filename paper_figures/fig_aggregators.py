"""Fig. C.1: the aggregators over the bound of one Gramian and one combination, this project beside the others."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import msgspec
from matplotlib.figure import Figure

from experiments.benchmarks.records import Benchmark, Implementation
from paper_figures.benchmark import (
    BENCHMARK,
    IMPLEMENTATIONS,
    TIMES,
    interval,
    limit_of,
    measured_on,
    ratio_axis,
    ratio_legend,
    ratio_mark,
    ratio_ticks,
    shown,
    significant,
)
from paper_figures.exhibit import STYLE, Columns, FileExhibit, Table, distinct


class AggregatorRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One aggregator by one implementation on one (m, d) matrix: milliseconds, and over the bound with quartiles."""

    method: str
    tasks: int
    columns: int
    case: str
    implementation: Implementation
    ms: float
    over_bound: float
    over_bound_low: float
    over_bound_high: float
    gate: float | None
    relative_gap: float | None


def data(benchmark: Benchmark) -> tuple[AggregatorRow, ...]:
    """Every aggregator that was measured, by m, d and case; methods in the order of the benchmark."""
    rows = [
        AggregatorRow(
            method=cost.method,
            tasks=cost.tasks,
            columns=cost.columns,
            case=cost.case,
            implementation=cost.implementation,
            ms=1e3 * cost.seconds.median,
            over_bound=cost.over_bound.median,
            over_bound_low=cost.over_bound.low,
            over_bound_high=cost.over_bound.high,
            gate=limit_of(benchmark, cost.over_bound),
            relative_gap=cost.relative_gap,
        )
        for cost in benchmark.aggregators
    ]
    methods = distinct(row.method for row in rows)
    return tuple(sorted(rows, key=lambda row: (row.tasks, row.columns, row.case, methods.index(row.method))))


def matrix_title(row: AggregatorRow) -> str:
    """``m = 2, d = 100,000, conflicting``."""
    return f"m = {row.tasks}, d = {row.columns:,}, {row.case}"


def table(rows: Sequence[AggregatorRow]) -> Table:
    """One section a matrix, one line a method."""
    timed = shown(row.implementation for row in rows)
    with_gap = shown(row.implementation for row in rows if row.relative_gap is not None)
    sections = []
    for title in distinct(matrix_title(row) for row in rows):
        chosen = [row for row in rows if matrix_title(row) == title]
        lines = []
        for method in distinct(row.method for row in chosen):
            found = {row.implementation: row for row in chosen if row.method == method}
            own = found.get("flatmtl")
            lines.append(
                (
                    method,
                    *("" if name not in found else interval(*_ratio(found[name])) for name in timed),
                    "" if own is None or own.gate is None else significant(own.gate),
                    "" if own is None else significant(own.ms),
                    *("" if name not in found else _gap(found[name]) for name in with_gap),
                )
            )
        sections.append((title, tuple(lines)))
    return Table(
        columns=(
            Columns("", ("Method",)),
            Columns("Time over the bound: median (quartiles)", tuple(IMPLEMENTATIONS[name] for name in timed)),
            Columns("", ("gate", "ms")),
            *([Columns("Relative duality gap", tuple(IMPLEMENTATIONS[name] for name in with_gap))] if with_gap else []),
        ),
        sections=tuple(sections),
    )


def _ratio(row: AggregatorRow) -> tuple[float, float, float]:
    return row.over_bound, row.over_bound_low, row.over_bound_high


def _gap(row: AggregatorRow) -> str:
    return "" if row.relative_gap is None else f"{row.relative_gap:.0e}"


def draw(rows: Sequence[AggregatorRow]) -> Figure:
    """A line a matrix and method, a mark an implementation, the gate as a bar; every other matrix is shaded."""
    lines = distinct((matrix_title(row), row.method) for row in rows)
    matrices = distinct(matrix for matrix, _ in lines)
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(figsize=(7.6, 1.1 + 0.24 * len(lines)), layout="constrained")
        ratio_axis(axes)
        for row in rows:
            height = lines.index((matrix_title(row), row.method))
            ratio_mark(axes, height, _ratio(row), row.implementation, row.gate)
        for matrix in matrices[1::2]:
            heights = [height for height, (other, _) in enumerate(lines) if other == matrix]
            axes.axhspan(heights[0] - 0.5, heights[-1] + 0.5, color="#f4f4f1", zorder=0, linewidth=0)
        axes.set_yticks(range(len(lines)), [f"{method},  {matrix}" for matrix, method in lines])
        axes.set_ylim(len(lines) - 0.5, -0.5)
        ratio_ticks(axes)
        axes.set_xlabel(f"time over the bound ({TIMES} torch's one Gramian and one combination)")
        handles = ratio_legend(shown(row.implementation for row in rows))
        figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), fontsize=7.5)
    return figure


def caption(benchmark: Benchmark) -> str:
    """What the bound is and what was measured on what."""
    return (
        "Time of one aggregation of an (m, d) matrix J of task gradients over the bound, torch.mm(J, J.T) and "
        "torch.mv(J.T, w), measured in the same interleaved rounds (log scale; horizontal bars: quartiles; black bar: "
        "the limit set for this project). Below 1 the Gramian is formed faster than torch.mm forms it. Relative "
        "duality gap, for MGDA: (d.d - min g.d) / d.d of the direction d that came out, in float64; 0 at the exact "
        f"solution. {measured_on(benchmark)}"
    )


EXHIBIT = FileExhibit(
    name="figure_c_1_aggregators",
    location="Fig. C.1",
    title="Aggregators over their bound",
    table=table,
    draw=draw,
    file=BENCHMARK,
    data=data,
    caption=caption,
)
