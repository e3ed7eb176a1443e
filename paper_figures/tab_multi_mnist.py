"""Table 1: test accuracy on the three overlay problems, every method, with the paper's numbers beside ours."""

import csv
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Literal, TypeAlias, get_args

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.catalog import OVERLAYS
from experiments.results import Result
from experiments.spec import LossWeightingName, ProfileName, Spec
from paper_figures.exhibit import EXPECTED, STYLE, Columns, Row, RunExhibit, Table, distinct, method_colour
from paper_figures.runs import PROBLEM_TITLES, mean_and_deviation, method_rank, problem_rank, protocol, repetitions

Measure: TypeAlias = Literal["test at best validation epoch", "test at last epoch", "validation at its best epoch"]
Source: TypeAlias = Literal["Table 1", "authors' follow-up"]

QUANTITIES = ("task 1", "task 2", "average")
MAIN: Measure = "test at best validation epoch"
LAST: Measure = "test at last epoch"
VALIDATION: Measure = "validation at its best epoch"


class AccuracyRow(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One accuracy in percent: ours over ``n`` seeds, and the paper's where it states one (beside ``MAIN`` only).

    ``std`` is the sample standard deviation, None for n < 2. ``n = 0``: the paper's number, no run of ours.
    """

    method: str
    setting: str
    measure: Measure
    quantity: str
    n: int
    mean: float | None
    std: float | None
    paper_mean: float | None
    paper_std: float | None
    paper_source: Source | None


Reported: TypeAlias = tuple[float, float | None, Source]


@cache
def reported() -> dict[tuple[str, str, str], Reported]:
    """(method, problem, quantity) -> mean, standard deviation, source: Table 1, and what only the follow-up has."""
    numbers: dict[tuple[str, str, str], Reported] = {}
    with (EXPECTED / "table1_multi_mnist.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            for problem in OVERLAYS:
                for quantity in QUANTITIES:
                    column = f"{problem}_{quantity.replace(' ', '')}"
                    numbers[line["method"], problem, quantity] = (
                        float(line[f"{column}_mean"]),
                        float(line[f"{column}_std"]),
                        "Table 1",
                    )
    with (EXPECTED / "author_followup_multi_mnist.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            for problem in OVERLAYS:
                for quantity in QUANTITIES:
                    value = float(line[f"{problem}_{quantity.replace(' ', '')}"])
                    numbers.setdefault((line["method"], problem, quantity), (value, None, "authors' follow-up"))
    return numbers


def _accuracies(result: Result, measure: Measure) -> tuple[float, ...]:
    if measure == MAIN:
        return result.test_best.accuracy
    if measure == LAST:
        return result.test_last.accuracy
    (record,) = (record for record in result.epochs if record.epoch == result.best_epoch)
    return record.validation_accuracy


def _percent(result: Result, measure: Measure, quantity: str) -> float:
    accuracy = _accuracies(result, measure)
    chosen = accuracy if quantity == "average" else (accuracy[QUANTITIES.index(quantity)],)
    return 100 * sum(chosen) / len(chosen)


def data(results: Sequence[Result], profile: ProfileName) -> tuple[AccuracyRow, ...]:
    """Mean and sample standard deviation over seeds of every method, problem and measure; methods that only the paper
    has follow with n = 0, for the problems that occur in ``results``."""
    rows: list[AccuracyRow] = []
    paper = reported()
    own = repetitions([result for result in results if result.spec.profile == profile])
    for (problem, method, setting), members in own.items():
        for measure in (MAIN, LAST, VALIDATION):
            for quantity in QUANTITIES:
                mean, std = mean_and_deviation([_percent(result, measure, quantity) for result in members])
                beside = paper.get((method, problem, quantity)) if measure == MAIN else None
                paper_mean, paper_std, source = beside or (None, None, None)
                rows.append(
                    AccuracyRow(
                        profile=profile,
                        problem=problem,
                        method=method,
                        setting=setting,
                        measure=measure,
                        quantity=quantity,
                        n=len(members),
                        mean=mean,
                        std=std,
                        paper_mean=paper_mean,
                        paper_std=paper_std,
                        paper_source=source,
                    )
                )
    ran = {(problem, method) for problem, method, _ in own}
    problems = {problem for problem, _ in ran}
    for (method, problem, quantity), (paper_mean, paper_std, source) in paper.items():
        if source == "Table 1" and problem in problems and (problem, method) not in ran:
            rows.append(
                AccuracyRow(
                    profile=profile,
                    problem=problem,
                    method=method,
                    setting="not run here",
                    measure=MAIN,
                    quantity=quantity,
                    n=0,
                    mean=None,
                    std=None,
                    paper_mean=paper_mean,
                    paper_std=paper_std,
                    paper_source=source,
                )
            )
    return tuple(sorted(rows, key=lambda row: (problem_rank(row.problem), method_rank(row.method))))


def _cell(mean: float | None, std: float | None) -> str:
    if mean is None:
        return ""
    return f"{mean:.2f}" if std is None else f"{mean:.2f} ± {std:.2f}"


def table(rows: Sequence[AccuracyRow]) -> Table:
    """One section a problem, one line a method and setting."""
    sections = []
    for problem in distinct(row.problem for row in rows):
        cells = {(row.method, row.setting, row.measure, row.quantity): row for row in rows if row.problem == problem}
        lines = []
        for method, setting in distinct((method, setting) for method, setting, _, _ in cells):
            main = [cells[method, setting, MAIN, quantity] for quantity in QUANTITIES]
            last = [cells.get((method, setting, LAST, quantity)) for quantity in QUANTITIES]
            validation = cells.get((method, setting, VALIDATION, "average"))
            mark = "‡" if main[0].paper_source == "authors' follow-up" else ""
            lines.append(
                (
                    method,
                    setting,
                    str(main[0].n),
                    *(_cell(row.mean, row.std) for row in main),
                    *(_cell(row.paper_mean, row.paper_std) + mark for row in main),
                    *(_cell(row.mean, row.std) if row else "" for row in last),
                    _cell(validation.mean, validation.std) if validation else "",
                )
            )
        sections.append((PROBLEM_TITLES[problem], tuple(lines)))
    titles = ("Task 1", "Task 2", "Average")
    return Table(
        columns=(
            Columns("", ("Method", "Setting", "n")),
            Columns("Ours, test at best validation epoch", titles),
            Columns("The paper", titles, reference=True),
            Columns("Ours, test at last epoch", titles),
            Columns("Ours, validation", ("Average",)),
        ),
        sections=tuple(sections),
    )


def _dots(axes: Axes, rows: Sequence[AccuracyRow], heights: dict[tuple[str, str], int], *, paper: bool) -> None:
    for row in rows:
        mean, std = (row.paper_mean, row.paper_std) if paper else (row.mean, row.std)
        if mean is not None:
            colour = method_colour(row.method)
            follow_up = paper and row.paper_source == "authors' follow-up"
            axes.errorbar(
                mean,
                heights[row.method, row.setting],
                xerr=std,
                fmt="D" if paper else "o",
                markersize=3.8,
                markerfacecolor="white" if paper else colour,
                markeredgewidth=0.9,
                color=colour,
                alpha=0.45 if follow_up else 1.0,
                elinewidth=1.0,
                capsize=1.8,
            )


def draw(rows: Sequence[AccuracyRow]) -> Figure:
    """One problem: accuracy of every method at the best validation epoch, ours on the left, the paper's right."""
    main = [row for row in rows if row.measure == MAIN]
    lines = distinct((row.method, row.setting) for row in main)
    heights = {line: index for index, line in enumerate(lines)}
    with plt.style.context(STYLE):
        figure, grid = plt.subplots(1, 6, figsize=(12, 1.2 + 0.19 * len(lines)), sharey=True, layout="constrained")
        for column, axes in enumerate(grid):
            paper, quantity = column >= 3, QUANTITIES[column % 3]
            _dots(axes, [row for row in main if row.quantity == quantity], heights, paper=paper)
            axes.set_title(f"{'the paper' if paper else 'ours'}: {quantity}", color="#777777" if paper else "black")
            axes.set_xlabel("accuracy (%)")
            axes.tick_params(axis="y", length=0)
            axes.margins(x=0.12)
            if paper:
                axes.set_facecolor("#f7f7f5")
            for height, (previous, following) in enumerate(pairwise(lines)):
                if previous[0].removeprefix("F-") != following[0].removeprefix("F-"):
                    axes.axhline(height + 0.5, color="#cccccc", linewidth=0.5)
        grid[0].set_yticks(range(len(lines)), [f"{method}  ({text})" if text else method for method, text in lines])
        grid[0].set_ylim(len(lines) - 0.5, -0.5)
        figure.suptitle(f"{PROBLEM_TITLES[main[0].problem]}, profile {main[0].profile}")
    return figure


def caption(specs: Sequence[Spec]) -> str:
    """The setting of the runs, what ± and the marks mean, and the paper's own setting."""
    names = get_args(LossWeightingName)
    weighted = (
        f"{', '.join(names)} weigh the losses, with one vector for loss and flat part and the heads unscaled; the "
        "paper runs the plain ones, on other data (its Tables 2 to 4). "
    )
    return (
        f"Accuracy in %. {protocol(specs)}. "
        "Mean ± sample standard deviation over n seeds (no deviation for n < 2). "
        "The epoch is chosen on validation overlays, never on test overlays; the last epoch stands beside it. "
        "The paper: ResNet-18, 200 epochs, 3 seeds, its own overlays; its radius is not stated, so its number stands "
        "beside each of our radii. ‡: not in the paper's table but in the authors' follow-up, one value without "
        "deviation (pale in the figure). Lines with n = 0 are the paper's alone. "
        f"{weighted if any(spec.aggregator in names for spec in specs) else ''}"
        "In the figure each panel has its own scale."
    )


EXHIBIT = RunExhibit(
    name="table1_multi_mnist",
    location="Table 1",
    title="Test accuracy on the Multi-MNIST family",
    uses=lambda spec: spec.problem in OVERLAYS,
    data=data,
    draw=draw,
    table=table,
    caption=caption,
)
