"""Fig. R1.1: every step over the floor of its problem, this project beside the others."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import msgspec
from matplotlib.axes import Axes
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
from paper_figures.tab_step_cost import StepRow, method_order, step_row


class FloorRow(StepRow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step with a known floor, and the limit set for it, over the floor: one that is set in U is divided by it."""

    gate: float | None


def data(benchmark: Benchmark) -> tuple[FloorRow, ...]:
    """Every step that has a floor, by method; problems in the order of the benchmark."""
    rows = []
    for cost in benchmark.steps:
        if cost.over_floor is not None:
            gate, in_units = limit_of(benchmark, cost.over_floor), limit_of(benchmark, cost.units)
            if gate is None and in_units is not None:
                gate = in_units * cost.over_floor.median / cost.units.median
            rows.append(FloorRow(**msgspec.structs.asdict(step_row(cost)), gate=gate))
    problems = distinct(row.problem for row in rows)
    return tuple(sorted(rows, key=lambda row: (method_order(row.method), row.method, problems.index(row.problem))))


def _cells(rows: Sequence[FloorRow], implementations: Sequence[Implementation]) -> tuple[str, ...]:
    found = {row.implementation: row for row in rows}
    own = found.get("flatmtl")
    return (
        *("" if name not in found else interval(*_ratio(found[name])) for name in implementations),
        "" if own is None or own.gate is None else significant(own.gate),
    )


def _ratio(row: FloorRow) -> tuple[float, float, float]:
    assert row.over_floor is not None
    assert row.over_floor_low is not None
    assert row.over_floor_high is not None
    return row.over_floor, row.over_floor_low, row.over_floor_high


def table(rows: Sequence[FloorRow]) -> Table:
    """One section a method, one line a problem."""
    implementations = shown(row.implementation for row in rows)
    sections = []
    for method in distinct(row.method for row in rows):
        chosen = [row for row in rows if row.method == method]
        lines = tuple(
            (label, *_cells([row for row in chosen if row.label == label], implementations))
            for label in distinct(row.label for row in chosen)
        )
        sections.append((method, lines))
    return Table(
        columns=(
            Columns("", ("Problem",)),
            Columns(
                "Time over the floor: median (quartiles)", tuple(IMPLEMENTATIONS[name] for name in implementations)
            ),
            Columns("", ("gate",)),
        ),
        sections=tuple(sections),
    )


def _panel(axes: Axes, rows: Sequence[FloorRow], labels: Sequence[str]) -> None:
    """One method: a line a problem, a mark an implementation, the gate as a bar."""
    implementations = shown(row.implementation for row in rows)
    ratio_axis(axes)
    for row in rows:
        place = (implementations.index(row.implementation) + 0.5) / len(implementations) - 0.5
        ratio_mark(axes, labels.index(row.label) + 0.8 * place, _ratio(row), row.implementation, row.gate)
    for index in range(1, len(labels), 2):
        axes.axhspan(index - 0.5, index + 0.5, color="#f4f4f1", zorder=0, linewidth=0)


def draw(rows: Sequence[FloorRow]) -> Figure:
    """One panel a method with one scale for all; a line a problem."""
    methods, labels = distinct(row.method for row in rows), distinct(row.label for row in rows)
    with plt.style.context(STYLE):
        figure, grid = plt.subplots(
            1,
            len(methods),
            figsize=(2.3 + 1.9 * len(methods), 1.2 + 0.46 * len(labels)),
            sharex=True,
            sharey=True,
            squeeze=False,
            layout="constrained",
        )
        for axes, method in zip(grid[0], methods, strict=True):
            _panel(axes, [row for row in rows if row.method == method], labels)
            axes.set_title(method)
        grid[0, 0].set_yticks(range(len(labels)), labels)
        grid[0, 0].set_ylim(len(labels) - 0.5, -0.5)
        ratio_ticks(grid[0, 0])
        figure.supxlabel(f"time over the floor ({TIMES} the passes that the method can not do without)", fontsize=8)
        handles = ratio_legend(shown(row.implementation for row in rows))
        figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), fontsize=7.5)
    return figure


def caption(benchmark: Benchmark) -> str:
    """What the floor is and what was measured on what."""
    return (
        "Time of one step over the floor of its own method (see Table R1.1; 1: nothing but its passes), measured in "
        "the same interleaved rounds; horizontal bars: quartiles. The black bar is the limit set for this project. "
        f"{measured_on(benchmark)}"
    )


EXHIBIT = FileExhibit(
    name="figure_r1_1_floor",
    location="Fig. R1.1",
    title="Time over the floor",
    table=table,
    draw=draw,
    file=BENCHMARK,
    data=data,
    caption=caption,
)
