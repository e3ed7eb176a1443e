"""Table B.1: beyond vision. Test accuracy of every method on the four tasks of Adult; the paper has no such data."""

import statistics
from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from experiments.results import Evaluation, Result
from experiments.spec import ProfileName, Spec
from paper_figures.exhibit import STYLE, Columns, Row, RunExhibit, Table, distinct, method_colour
from paper_figures.runs import mean_and_deviation, method_rank, protocol, repetitions

QUANTITIES = ("average", "income", "never married", "female", "long hours")
"""The mean over the tasks, then the tasks in the order of the labels."""


class AdultRow(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Accuracy (percent) and cross entropy (nats) on the test split at the best validation epoch, over ``n`` seeds.

    ``std`` is the sample standard deviation of the accuracy, None for n < 2.
    """

    method: str
    setting: str
    quantity: str
    n: int
    mean: float
    std: float | None
    loss: float


def _value(evaluation: Evaluation, quantity: str, measure: str) -> float:
    values: tuple[float, ...] = getattr(evaluation, measure)
    return statistics.fmean(values) if quantity == "average" else values[QUANTITIES.index(quantity) - 1]


def data(results: Sequence[Result], profile: ProfileName) -> tuple[AdultRow, ...]:
    """Every method and setting that was run, in the paper's order."""
    own = repetitions(
        [result for result in results if result.spec.profile == profile and result.spec.problem == "adult"]
    )
    rows = []
    for (problem, method, setting), members in own.items():
        for quantity in QUANTITIES:
            shares = [100 * _value(result.test_best, quantity, "accuracy") for result in members]
            mean, std = mean_and_deviation(shares)
            loss = statistics.fmean(_value(result.test_best, quantity, "loss") for result in members)
            rows.append(
                AdultRow(
                    profile=profile,
                    problem=problem,
                    method=method,
                    setting=setting,
                    quantity=quantity,
                    n=len(members),
                    mean=mean,
                    std=std,
                    loss=loss,
                )
            )
    return tuple(sorted(rows, key=lambda row: method_rank(row.method)))


def table(rows: Sequence[AdultRow]) -> Table:
    """One line a method and setting."""
    cells = {(row.method, row.setting, row.quantity): row for row in rows}
    lines = []
    for method, setting in distinct((row.method, row.setting) for row in rows):
        line = [cells[method, setting, quantity] for quantity in QUANTITIES]
        accuracies = [f"{row.mean:.2f}" + ("" if row.std is None else f" ± {row.std:.2f}") for row in line]
        lines.append((method, setting, str(line[0].n), *accuracies, *(f"{row.loss:.4f}" for row in line)))
    titles = tuple(quantity.capitalize() for quantity in QUANTITIES)
    return Table(
        columns=(
            Columns("", ("Method", "Setting", "n")),
            Columns("Test accuracy (%)", titles),
            Columns("Test cross entropy (nats)", titles),
        ),
        sections=(("", tuple(lines)),),
    )


def draw(rows: Sequence[AdultRow]) -> Figure:
    """Accuracy of every method, a panel a task."""
    lines = distinct((row.method, row.setting) for row in rows)
    heights = {line: index for index, line in enumerate(lines)}
    with plt.style.context(STYLE):
        size = (12, 1.2 + 0.19 * len(lines))
        figure, grid = plt.subplots(1, len(QUANTITIES), figsize=size, sharey=True, layout="constrained")
        for axes, quantity in zip(grid, QUANTITIES, strict=True):
            for row in [row for row in rows if row.quantity == quantity]:
                colour = method_colour(row.method)
                height = heights[row.method, row.setting]
                axes.errorbar(row.mean, height, xerr=row.std, fmt="o", markersize=3.8, color=colour, capsize=1.8)
            axes.set_title(quantity)
            axes.set_xlabel("accuracy (%)")
            axes.tick_params(axis="y", length=0)
            axes.margins(x=0.12)
        grid[0].set_yticks(range(len(lines)), [f"{method}  ({text})" if text else method for method, text in lines])
        grid[0].set_ylim(len(lines) - 0.5, -0.5)
        figure.suptitle(f"Adult, profile {rows[0].profile}")
    return figure


def caption(specs: Sequence[Spec]) -> str:
    """The setting, the tasks, and that the paper has none of it."""
    return (
        f"{protocol(specs)}. Four yes-or-no tasks of the census table: income above 50,000 dollars, never married, "
        "female, more than 40 hours a week; the columns that state an answer are dropped. Mean ± sample standard "
        "deviation over n seeds, test split at the best validation epoch. The paper is about images alone; it has no "
        "numbers for this table."
    )


EXHIBIT = RunExhibit(
    name="table_b_1_adult",
    location="Table B.1",
    title="Beyond vision: four tasks of the census table",
    uses=lambda spec: spec.problem == "adult",
    data=data,
    draw=draw,
    table=table,
    caption=caption,
)
