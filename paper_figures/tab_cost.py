"""Cost: training time and gradient evaluations of every method, measured in the runs that the exhibits show."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from experiments.results import Result
from experiments.spec import ProfileName, Spec
from paper_figures.exhibit import STYLE, Columns, Row, RunExhibit, Table, distinct, method_colour
from paper_figures.runs import PROBLEM_TITLES, mean_and_deviation, protocol, repetitions


class CostRow(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one training run costs: means over ``n`` seeds; seconds of training alone (no evaluation, no probes).

    ``gradient_evaluations`` counts backward passes of one task's loss through its network.
    """

    method: str
    setting: str
    n: int
    steps: float
    gradient_evaluations: float
    seconds: float
    seconds_std: float | None
    cpu_seconds: float


def data(results: Sequence[Result], profile: ProfileName) -> tuple[CostRow, ...]:
    """Means over seeds of every method and problem."""
    rows = []
    own = repetitions([result for result in results if result.spec.profile == profile])
    for (problem, method, setting), members in own.items():
        seconds, deviation = mean_and_deviation([result.seconds_training for result in members])
        rows.append(
            CostRow(
                profile=profile,
                problem=problem,
                method=method,
                setting=setting,
                n=len(members),
                steps=mean_and_deviation([result.steps for result in members])[0],
                gradient_evaluations=mean_and_deviation([result.gradient_evaluations for result in members])[0],
                seconds=seconds,
                seconds_std=deviation,
                cpu_seconds=mean_and_deviation([result.cpu_seconds_training for result in members])[0],
            )
        )
    return tuple(rows)


def table(rows: Sequence[CostRow]) -> Table:
    """One section a problem, one line a method and setting."""
    return Table(
        columns=(
            Columns("", ("Method", "Setting", "n")),
            Columns("Work", ("Steps", "Gradient evaluations", "per step")),
            Columns("Training time", ("Seconds", "CPU seconds", "CPU ms per step")),
        ),
        sections=tuple(
            (
                PROBLEM_TITLES[problem],
                tuple(
                    (
                        row.method,
                        row.setting,
                        str(row.n),
                        f"{row.steps:,.0f}",
                        f"{row.gradient_evaluations:,.0f}",
                        f"{row.gradient_evaluations / row.steps:.1f}",
                        f"{row.seconds:.1f}" + ("" if row.seconds_std is None else f" ± {row.seconds_std:.1f}"),
                        f"{row.cpu_seconds:.1f}",
                        f"{1000 * row.cpu_seconds / row.steps:.1f}",
                    )
                    for row in rows
                    if row.problem == problem
                ),
            )
            for problem in distinct(row.problem for row in rows)
        ),
    )


def draw(rows: Sequence[CostRow]) -> Figure:
    """One problem: gradient evaluations and CPU milliseconds per step of every method."""
    names = [f"{row.method}  ({row.setting})" if row.setting else row.method for row in rows]
    panels = (
        ("gradient evaluations per step", [row.gradient_evaluations / row.steps for row in rows]),
        ("CPU milliseconds per step", [1000 * row.cpu_seconds / row.steps for row in rows]),
    )
    with plt.style.context(STYLE):
        figure, grid = plt.subplots(1, 2, figsize=(8.5, 1.1 + 0.19 * len(rows)), sharey=True, layout="constrained")
        for axes, (title, values) in zip(grid, panels, strict=True):
            axes.barh(range(len(rows)), values, height=0.62, color=[method_colour(row.method) for row in rows])
            axes.set_xlabel(title)
            axes.grid(axis="y", visible=False)
            axes.tick_params(axis="y", length=0)
        grid[0].set_yticks(range(len(rows)), names)
        grid[0].set_ylim(len(rows) - 0.5, -0.5)
        figure.suptitle(f"{PROBLEM_TITLES[rows[0].problem]}, profile {rows[0].profile}")
    return figure


def caption(specs: Sequence[Spec]) -> str:
    """The setting of the runs and what is counted."""
    return (
        f"{protocol(specs)}. Means over n seeds. "
        "A gradient evaluation is one backward pass of one task's loss through its network; times are of training "
        "alone, without evaluation and probes. Times compare only between runs of one machine with one number of "
        "threads (see Provenance)."
    )


EXHIBIT = RunExhibit(
    name="cost",
    location="Cost",
    title="Training time and gradient evaluations",
    uses=lambda spec: True,
    data=data,
    draw=draw,
    table=table,
    caption=caption,
)
