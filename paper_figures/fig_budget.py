"""Fig. R1.2: validation accuracy against the backward passes and the time that it took."""

import statistics
from collections.abc import Callable, Sequence
from operator import attrgetter

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.results import Result
from experiments.spec import CLASSES, ProfileName, Spec
from paper_figures.exhibit import STYLE, Columns, Row, RunExhibit, Table, distinct
from paper_figures.runs import PROBLEM_TITLES, method_rank, protocol, repetitions

DRAWN: dict[str, str] = {
    "LS": "#999999",
    "SAM-sum": "#222222",
    "F-LS": "#56B4E9",
    "MGDA": "#E69F00",
    "F-MGDA": "#D55E00",
    "direct MGDA": "#AA4499",
    "CAGrad": "#66BB66",
    "F-CAGrad": "#0072B2",
    "direct CAGrad": "#009E73",
    "GSAM": "#CC79A7",
}
"""The methods that are drawn; the table has all."""


class BudgetRow(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One method in its best setting after an epoch: means over ``n`` seeds.

    ``evaluations``: backward passes of a task's loss so far; ``seconds``: of training so far (wall clock, without
    validation); ``accuracy``: mean over the tasks on the validation split, percent, with lowest and highest seed.
    """

    method: str
    setting: str
    epoch: int
    n: int
    evaluations: float
    seconds: float
    accuracy: float
    lowest: float
    highest: float


COSTS: tuple[Callable[[BudgetRow], float], ...] = (attrgetter("evaluations"), attrgetter("seconds"))


def uses(spec: Spec) -> bool:
    """Methods whose steps all cost the same, where there are accuracies."""
    return spec.problem in CLASSES and spec.mode not in ("every_kth", "random_steps", "late_phase")


def data(results: Sequence[Result], profile: ProfileName) -> tuple[BudgetRow, ...]:
    """Of each method the setting with most seeds, then with the best validation accuracy at the best epoch."""
    best: dict[tuple[str, str], tuple[tuple[int, float], str, Sequence[Result]]] = {}
    own = repetitions([result for result in results if result.spec.profile == profile and uses(result.spec)])
    for (problem, method, setting), members in own.items():
        rank = (len(members), statistics.fmean(_accuracy(one, one.best_epoch) for one in members))
        if (problem, method) not in best or rank > best[problem, method][0]:
            best[problem, method] = (rank, setting, members)
    return tuple(
        row
        for (problem, method), (_, setting, members) in best.items()
        for row in _rows(profile, problem, method, setting, members)
    )


def _accuracy(result: Result, epoch: int) -> float:
    return 100 * statistics.fmean(result.epochs[epoch - 1].validation_accuracy)


def _rows(
    profile: ProfileName, problem: str, method: str, setting: str, members: Sequence[Result]
) -> tuple[BudgetRow, ...]:
    rows = []
    for epoch in range(1, members[0].spec.epochs + 1):
        values = [_accuracy(one, epoch) for one in members]
        rows.append(
            BudgetRow(
                profile=profile,
                problem=problem,
                method=method,
                setting=setting,
                epoch=epoch,
                n=len(members),
                evaluations=statistics.fmean(one.gradient_evaluations * epoch / one.spec.epochs for one in members),
                seconds=statistics.fmean(sum(record.seconds for record in one.epochs[:epoch]) for one in members),
                accuracy=statistics.fmean(values),
                lowest=min(values),
                highest=max(values),
            )
        )
    return tuple(rows)


def _within(path: Sequence[BudgetRow], cost: Callable[[BudgetRow], float], budget: float) -> BudgetRow | None:
    """The best epoch among those that the budget pays for."""
    paid = [row for row in path if cost(row) <= budget * (1 + 1e-12)]
    return max(paid, key=lambda row: row.accuracy, default=None)


def table(rows: Sequence[BudgetRow]) -> Table:
    """The best accuracy within the passes, and within the time, that the cheapest method of a problem takes."""
    sections = []
    for problem in distinct(row.problem for row in rows):
        paths = {
            method: [row for row in rows if (row.problem, row.method) == (problem, method)]
            for method in sorted(distinct(row.method for row in rows if row.problem == problem), key=method_rank)
        }
        budgets = [(cost, min(cost(path[-1]) for path in paths.values())) for cost in COSTS]
        lines = []
        for method, path in paths.items():
            whole = max(path, key=lambda row: row.accuracy)
            cells = [f"{path[-1].evaluations:,.0f}", f"{path[-1].seconds:.1f}", _shown(whole)]
            cells += [_shown(_within(path, cost, budget)) for cost, budget in budgets]
            lines.append((method, path[0].setting, str(path[0].n), *cells))
        (_, passes), (_, seconds) = budgets
        sections.append((f"{PROBLEM_TITLES[problem]}: {passes:,.0f} backward passes, {seconds:.1f} s", tuple(lines)))
    return Table(
        columns=(
            Columns("", ("Method", "Setting", "n")),
            Columns("Whole run", ("backward passes", "seconds", "validation (%)")),
            Columns("Validation (%) within", ("these passes", "this time")),
        ),
        sections=tuple(sections),
    )


def _shown(row: BudgetRow | None) -> str:
    return "" if row is None else f"{row.accuracy:.2f} (epoch {row.epoch})"


def draw(rows: Sequence[BudgetRow]) -> Figure:
    """Two panels: against backward passes, and against seconds."""
    with plt.style.context(STYLE):
        figure, (passes, seconds) = plt.subplots(1, 2, figsize=(9.5, 3.8), sharey=True, layout="constrained")
        for method, colour in DRAWN.items():
            path = [row for row in rows if row.method == method]
            if path:
                _line(passes, path, [row.evaluations for row in path], colour)
                _line(seconds, path, [row.seconds for row in path], colour)
        passes.set_xlabel("backward passes of a task's loss")
        seconds.set_xlabel("seconds of training")
        passes.set_ylabel("validation accuracy (%)")
        for axes in (passes, seconds):
            axes.set_xlim(left=0)
        handles, labels = passes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right upper", fontsize=7)
    return figure


def _line(axes: Axes, path: Sequence[BudgetRow], costs: Sequence[float], colour: str) -> None:
    label = f"{path[0].method} ({path[0].setting})" if path[0].setting else path[0].method
    axes.plot(costs, [row.accuracy for row in path], "-", color=colour, linewidth=1.3, marker="o", ms=2, label=label)
    bands = [row.lowest for row in path], [row.highest for row in path]
    axes.fill_between(costs, *bands, color=colour, alpha=0.12, linewidth=0)


def caption(specs: Sequence[Spec]) -> str:
    """The setting, what is counted, and what it does not show."""
    return (
        f"{protocol(specs)}. Mean validation accuracy over the tasks after every epoch, means over n seeds with the "
        "lowest and the highest seed, against the backward passes of a task's loss and against the seconds of training "
        "(wall clock of one thread, validation and probe excluded; other processes ran beside it). Each method in the "
        "setting with the best validation accuracy at its best epoch, so that methods with a radius had more settings "
        "to choose from than those without. The budget of a problem is what its cheapest method takes for all epochs; "
        "with a constant learning rate an epoch is the same in a shorter run. Validation accuracy, not test accuracy: "
        "the test split is read after the last epoch alone, at the last and at the best weights, and chooses nothing. "
        "Schedules, whose steps do not all cost the same, are left out."
    )


EXHIBIT = RunExhibit(
    name="figure_r1_2_budget",
    location="Fig. R1.2",
    title="Accuracy against backward passes and against time",
    uses=uses,
    data=data,
    draw=draw,
    table=table,
    caption=caption,
)
