"""Table T.6 and its figure: how often each bound is below the risk, in worlds whose risks are known."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import msgspec
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from paper_figures.coverage import COVERAGE
from paper_figures.exhibit import ERM_COLOUR, FLAT_COLOUR, STYLE, Columns, FileExhibit, Table, distinct
from theory.coverage.records import Coverage

OFFSETS = {1: -0.25, 3: 0.0, 10: 0.25}
MARKERS = {1: "o", 3: "s", 10: "D"}
"""By the number of tasks."""
FLOOR = 2e-5
"""Rates below it, zero among them, are drawn there."""


class CoverageRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bound, or one with a planted ``fault``, in one world: shares in [0, 1].

    ``low``, ``high``: Clopper and Pearson. ``exact``: the rate by calculation; ``needed``: share of the theorem's term.
    """

    world: str
    version: str
    bound: str
    fault: str
    tasks: int
    n_samples: int
    draws: int
    violations: int
    delta: float
    rate: float
    low: float
    high: float
    exact: float | None
    needed: float | None
    rejected: int


def data(coverage: Coverage) -> tuple[CoverageRow, ...]:
    """In the order of the record."""
    return tuple(
        CoverageRow(
            world=one.world,
            version=one.version,
            bound=one.bound,
            fault=one.fault,
            tasks=one.tasks,
            n_samples=one.n_samples,
            draws=one.draws,
            violations=one.violations,
            delta=one.delta,
            rate=one.rate,
            low=one.low,
            high=one.high,
            exact=one.exact,
            needed=one.needed,
            rejected=int(one.rejected),
        )
        for one in coverage.rows
    )


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}" if value >= 1e-4 or value == 0 else f"{value:.0e}"


def table(rows: Sequence[CoverageRow]) -> Table:
    """One section a world and version; planted faults stand under the bounds."""
    sections = []
    for fault in (False, True):
        for world, version in distinct((row.world, row.version) for row in rows if bool(row.fault) == fault):
            chosen = [row for row in rows if (row.world, row.version, bool(row.fault)) == (world, version, fault)]
            lines = tuple(
                (
                    f"{row.bound}: {row.fault}" if fault else row.bound,
                    str(row.tasks),
                    f"{row.n_samples:,}",
                    f"{row.violations:,} of {row.draws:,}",
                    f"{row.rate:.4f}",
                    f"{row.low:.4f}..{row.high:.4f}",
                    _share(row.exact),
                    "" if row.needed is None else f"{row.needed:.2g}",
                    "rejected" if row.rejected else "not rejected",
                )
                for row in chosen
            )
            sections.append((f"{'Planted faults, ' if fault else ''}{world}, {version}", lines))
    return Table(
        columns=(
            Columns("", ("Bound", "m", "N")),
            Columns("Violated", ("training sets", "rate", "interval", "exact")),
            Columns("Of the term", ("needed",)),
            Columns("", ("verdict",)),
        ),
        sections=tuple(sections),
    )


def _panel(axes: Axes, rows: Sequence[CoverageRow], title: str) -> None:
    names = distinct(row.bound for row in rows)
    for row in rows:
        height = names.index(row.bound) + OFFSETS.get(row.tasks, 0.0)
        colour = ERM_COLOUR if row.fault else FLAT_COLOUR
        axes.plot([max(row.low, FLOOR), row.high], [height, height], color=colour, linewidth=1, alpha=0.6)
        axes.plot(
            max(row.rate, FLOOR),
            height,
            MARKERS.get(row.tasks, "x"),
            color=colour,
            markersize=3.2,
            markerfacecolor="white" if row.rate < FLOOR else colour,
        )
    axes.axvline(rows[0].delta, color="black", linewidth=0.9)
    axes.set_xscale("log")
    axes.set_xlim(0.8 * FLOOR, 1.3)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_title(title)


def draw(rows: Sequence[CoverageRow]) -> Figure:
    """A panel a world and version; blue the bounds, orange the planted faults, the line is delta."""
    panels = distinct((row.world, "average task" if row.version == "average task" else "every task") for row in rows)
    with plt.style.context(STYLE):
        columns = 2
        lines = -(-len(panels) // columns)
        figure, grid = plt.subplots(
            lines, columns, figsize=(9, 2.35 * lines + 0.5), layout="constrained", squeeze=False
        )
        for axes, (world, kind) in zip(grid.flat, panels, strict=False):
            average = kind == "average task"
            chosen = [row for row in rows if row.world == world and (row.version == "average task") == average]
            _panel(axes, chosen, f"{world}, {kind}" if world != "thresholds in a ball" else world)
        for axes in list(grid.flat)[len(panels) :]:
            axes.set_axis_off()
        for axes in list(grid.flat)[max(0, len(panels) - columns) : len(panels)]:
            axes.set_xlabel("violation rate")
        _legend(figure, rows)
    return figure


def _legend(figure: Figure, rows: Sequence[CoverageRow]) -> None:
    handles = [
        Line2D([], [], linestyle="", marker=MARKERS.get(tasks, "x"), color=FLAT_COLOUR, markersize=4)
        for tasks in distinct(row.tasks for row in rows)
    ]
    labels = [f"m = {tasks}" for tasks in distinct(row.tasks for row in rows)]
    handles += [Line2D([], [], color=ERM_COLOUR), Line2D([], [], color="black")]
    handles.append(Line2D([], [], linestyle="", marker="o", color=FLAT_COLOUR, markerfacecolor="white"))
    labels += ["with a planted fault", f"delta = {rows[0].delta:g}", "no violation (drawn at the left end)"]
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=7)


def caption(coverage: Coverage) -> str:
    """The worlds, what is counted, what was rejected and what this can not see."""
    genuine = [row for row in coverage.rows if not row.fault]
    planted = [row for row in coverage.rows if row.fault]
    rejected = sum(row.rejected for row in genuine)
    found = sum(row.rejected for row in planted)
    highest = max(genuine, key=lambda row: row.rate)
    needed = [row.needed for row in genuine if row.needed is not None]
    first = genuine[0]
    least, most = 100 * min(needed, default=0), 100 * max(needed, default=0)
    return (
        f"How often a bound is below the risk that it bounds, for any of m tasks, beside delta = {first.delta:g}; "
        f"intervals of Clopper and Pearson, each end at level {first.level:g}: a bound is rejected where the whole "
        f"interval lies above delta. Many classifiers: 16 classifiers of a Gaussian mixture, whose risk is known, and "
        "for each bound the sample size and the mixture in which it fails most often (exact: its rate there, by "
        "binomial tails); the posterior sits on one of them. Randomised thresholds: a linear trunk and heads, "
        "posteriors that were chosen on the sample, Gibbs risks in closed form. Thresholds in a ball: the theorems "
        "with a worst case, at all thresholds of a grid at once; needed is the share of a theorem's term that would "
        f"have held in {100 * (1 - first.delta):g} % of the training sets. {rejected} of {len(genuine)} rates reject a "
        f"bound, the highest is {highest.rate:.4f} ({highest.bound}, m = {highest.tasks}). {found} of {len(planted)} "
        f"planted faults are rejected. Of the theorems' terms {least:.2g} to {most:.2g} % are needed here: faults that "
        "leave more than that can not be seen. Nor can log(2 sqrt n) be missed: for a posterior on one classifier "
        "Chernoff's bound holds without it."
    )


EXHIBIT = FileExhibit(
    name="table_t_6_coverage",
    location="Table T.6",
    title="Coverage: how often each bound is violated",
    table=table,
    draw=draw,
    file=COVERAGE,
    data=data,
    caption=caption,
)
