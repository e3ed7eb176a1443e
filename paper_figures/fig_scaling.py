"""Fig. R1.3: how the cost of a step grows with tasks, shared parameters and examples, and its memory with tasks."""

from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import msgspec
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

from experiments.benchmarks.records import Axis, Benchmark
from paper_figures.benchmark import BENCHMARK, interval, measured_on, significant
from paper_figures.exhibit import STYLE, Columns, FileExhibit, Table, distinct

AXES: dict[Axis, str] = {"tasks": "tasks m", "parameters": "shared parameters", "batch": "examples in a batch"}

SERIES_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#555555", "#56B4E9", "#000000")
SERIES_MARKERS = "osD^vP*X"


class ScalingRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One point of a curve: milliseconds, multiples of U of the same problem with quartiles, allocated bytes."""

    axis: Axis
    series: str
    x: int
    ms: float
    units: float
    units_low: float
    units_high: float
    peak_bytes: int


def data(benchmark: Benchmark) -> tuple[ScalingRow, ...]:
    """Every point, curve by curve."""
    rows = [
        ScalingRow(
            axis=point.axis,
            series=point.series,
            x=point.x,
            ms=1e3 * point.seconds.median,
            units=point.units.median,
            units_low=point.units.low,
            units_high=point.units.high,
            peak_bytes=point.peak_bytes,
        )
        for point in benchmark.scaling
    ]
    series = distinct(row.series for row in rows)
    return tuple(sorted(rows, key=lambda row: (list(AXES).index(row.axis), series.index(row.series), row.x)))


def table(rows: Sequence[ScalingRow]) -> Table:
    """One section a curve, one line a point."""
    return Table(
        columns=(
            Columns("", ("Along", "value")),
            Columns("Time", ("ms", "in U")),
            Columns("Memory (MB)", ("allocated",)),
        ),
        sections=tuple(
            (
                series,
                tuple(
                    (
                        AXES[row.axis],
                        f"{row.x:,}",
                        significant(row.ms),
                        interval(row.units, row.units_low, row.units_high),
                        significant(row.peak_bytes / 1e6),
                    )
                    for row in rows
                    if row.series == series
                ),
            )
            for series in distinct(row.series for row in rows)
        ),
    )


def _plain(value: float, _: int | None = None) -> str:
    """A tick: 1024, 10k, 40M."""
    for size, suffix in ((1e6, "M"), (1e3, "k")):
        if value >= 10 * size or (value >= size and value % size == 0):
            return f"{value / size:g}{suffix}"
    return f"{value:g}"


def _panel(axes: Axes, rows: Sequence[ScalingRow], series: Sequence[str], value: Callable[[ScalingRow], float]) -> None:
    """Curves of one axis; heights on a logarithmic scale along tasks, from zero elsewhere."""
    for name in distinct(row.series for row in rows):
        curve = [row for row in rows if row.series == name]
        rank = series.index(name) % len(SERIES_COLOURS)
        axes.plot(
            [row.x for row in curve],
            [value(row) for row in curve],
            marker=SERIES_MARKERS[rank],
            color=SERIES_COLOURS[rank],
            markersize=3.4,
            linewidth=1.3,
            label=name,
        )
    axes.set_xscale("log")
    if rows[0].axis != "parameters":
        axes.set_xticks(distinct(row.x for row in rows))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(_plain))
    if rows[0].axis == "tasks":
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(_plain))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_ylim(bottom=0)


def draw(rows: Sequence[ScalingRow]) -> Figure:
    """Cost in U along each axis, then memory along tasks."""
    series = distinct(row.series for row in rows)
    panels: list[tuple[Axis, str, Callable[[ScalingRow], float]]] = [
        *((axis, "time of one step (U)", lambda row: row.units) for axis in distinct(row.axis for row in rows)),
        ("tasks", "allocated in one step (MB)", lambda row: row.peak_bytes / 1e6),
    ]
    with plt.style.context(STYLE):
        lines = (len(panels) + 1) // 2
        figure, grid = plt.subplots(lines, 2, figsize=(7.6, 2.9 * lines), squeeze=False, layout="constrained")
        for axes, (axis, title, value) in zip(grid.flat, panels, strict=False):
            chosen = [row for row in rows if row.axis == axis]
            _panel(axes, chosen, series, value)
            axes.set_xlabel(AXES[axis])
            axes.set_ylabel(title)
        for axes in grid.flat[len(panels) :]:
            axes.axis("off")
        handles = list({line.get_label(): line for axes in grid.flat for line in axes.get_lines()}.values())
        figure.legend(handles=handles, loc="outside upper center", ncols=min(4, len(handles)), fontsize=7.5)
    return figure


def caption(benchmark: Benchmark) -> str:
    """What grows along what, and what was measured on what."""
    return (
        "Time of one step in U, the forward and backward of the summed loss on the same problem, along the number of "
        "tasks, of shared parameters and of examples; memory: the largest sum of live tensors during a step beyond "
        f"what was live before it, along the number of tasks. {measured_on(benchmark)}"
    )


EXHIBIT = FileExhibit(
    name="figure_r1_3_scaling",
    location="Fig. R1.3",
    title="How the cost grows",
    table=table,
    draw=draw,
    file=BENCHMARK,
    data=data,
    caption=caption,
)
