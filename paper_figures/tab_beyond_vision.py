"""Table B.1: beyond vision. Test accuracy on each task of tables and texts; the paper has no such data."""

import statistics
from collections.abc import Sequence
from dataclasses import replace

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from experiments.results import Evaluation, Result
from experiments.spec import ProblemName, ProfileName, Spec
from paper_figures.exhibit import STYLE, Columns, Row, RunExhibit, Table, distinct, method_colour
from paper_figures.runs import PROBLEM_TITLES, mean_and_deviation, method_rank, problem_rank, protocol, repetitions

AVERAGE = "average"

TASKS: dict[ProblemName, tuple[str, ...]] = {
    "adult": ("income", "never married", "female", "long hours"),
    "yeast": tuple(f"class {number}" for number in range(1, 15)),
    "vader": ("sentiment", "disagreement", "domain"),
}
"""The tasks of each problem in the order of its labels."""

DETAILED = 4
"""Up to so many tasks, each has its deviation and its cross entropy in the table."""

MAJORITY: dict[ProblemName, tuple[float, ...]] = {
    "adult": (74.83, 67.88, 67.51, 69.91),
    "yeast": (68.81, 57.14, 58.02, 64.01, 69.36, 76.12, 81.79, 79.17, 91.28, 89.97, 90.08, 75.03, 74.48, 98.58),
    "vader": (42.75, 49.00, 41.83),
}
"""Test accuracy (percent) of the answer that is the most frequent in the training split, whatever the input."""

ABOUT: dict[ProblemName, str] = {
    "adult": "Adult: four yes-or-no tasks of the census table (income above 50,000 dollars, never married, female, "
    "more than 40 hours a week); the columns that state an answer are dropped.",
    "yeast": "Yeast: 14 functional classes of genes, yes or no each, several of them rare.",
    "vader": "VADER: short texts that people rated; mean rating low, middle or high (3 classes), raters that disagree "
    "(2), where the text is from (4).",
}


class TaskRow(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
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


def uses(spec: Spec) -> bool:
    """Runs on data that are no images."""
    return spec.problem in TASKS


def quantities(problem: str) -> tuple[str, ...]:
    """The mean over the tasks, then the tasks in the order of the labels."""
    return AVERAGE, *next(tasks for name, tasks in TASKS.items() if name == problem)


def _value(evaluation: Evaluation, task: int, measure: str) -> float:
    """Of one task, counted from 1; of 0: the mean."""
    values: tuple[float, ...] = getattr(evaluation, measure)
    return values[task - 1] if task else statistics.fmean(values)


def data(results: Sequence[Result], profile: ProfileName) -> tuple[TaskRow, ...]:
    """Every method and setting that was run, in the paper's order, problem by problem."""
    own = repetitions([result for result in results if result.spec.profile == profile and uses(result.spec)])
    rows = []
    for (problem, method, setting), members in own.items():
        for task, quantity in enumerate(quantities(problem)):
            shares = [100 * _value(result.test_best, task, "accuracy") for result in members]
            mean, std = mean_and_deviation(shares)
            loss = statistics.fmean(_value(result.test_best, task, "loss") for result in members)
            rows.append(
                TaskRow(
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
    return tuple(sorted(rows, key=lambda row: (problem_rank(row.problem), method_rank(row.method))))


def _accuracy(row: TaskRow, *, deviation: bool) -> str:
    return f"{row.mean:.2f}" + (f" ± {row.std:.2f}" if deviation and row.std is not None else "")


def _majority(problem: str) -> tuple[float, ...]:
    shares = next(shares for name, shares in MAJORITY.items() if name == problem)
    return statistics.fmean(shares), *shares


def table(rows: Sequence[TaskRow]) -> Table:
    """One problem: a line a method and setting, under that of the constant answer."""
    problem = rows[0].problem
    names = quantities(problem)
    losses = names if len(names) <= 1 + DETAILED else names[:1]
    cells = {(row.method, row.setting, row.quantity): row for row in rows}
    constant = ("always the most frequent answer", "", "", *(f"{share:.2f}" for share in _majority(problem)))
    lines = [(*constant, *("" for _ in losses))]
    for method, setting in distinct((row.method, row.setting) for row in rows):
        line = [cells[method, setting, quantity] for quantity in names]
        accuracies = [_accuracy(row, deviation=row.quantity == AVERAGE or len(losses) == len(names)) for row in line]
        entropies = [f"{row.loss:.4f}" for row in line[: len(losses)]]
        lines.append((method, setting, str(line[0].n), *accuracies, *entropies))
    return Table(
        columns=(
            Columns("", ("Method", "Setting", "n")),
            Columns("Test accuracy (%)", tuple(name.capitalize() for name in names)),
            Columns("Test cross entropy (nats)", tuple(name.capitalize() for name in losses)),
        ),
        sections=((PROBLEM_TITLES[problem], tuple(lines)),),
    )


def draw(rows: Sequence[TaskRow]) -> Figure:
    """One problem: accuracy of every method, a panel a task; of many tasks the mean alone."""
    problem = rows[0].problem
    names = quantities(problem)
    shown = names if len(names) <= 1 + DETAILED else names[:1]
    lines = distinct((row.method, row.setting) for row in rows)
    heights = {line: index for index, line in enumerate(lines)}
    with plt.style.context(STYLE):
        size = (4 + 1.6 * len(shown), 1.2 + 0.19 * len(lines))
        figure, grid = plt.subplots(1, len(shown), figsize=size, sharey=True, layout="constrained", squeeze=False)
        for axes, quantity, constant in zip(grid[0], shown, _majority(problem), strict=False):
            for row in [row for row in rows if row.quantity == quantity]:
                colour = method_colour(row.method)
                height = heights[row.method, row.setting]
                axes.errorbar(row.mean, height, xerr=row.std, fmt="o", markersize=3.8, color=colour, capsize=1.8)
            axes.axvline(constant, color="#999999", linewidth=0.8, linestyle=":")
            axes.set_title(quantity)
            axes.set_xlabel("accuracy (%)")
            axes.tick_params(axis="y", length=0)
            axes.margins(x=0.12)
        labels = [f"{method}  ({text})" if text else method for method, text in lines]
        grid[0, 0].set_yticks(range(len(lines)), labels)
        grid[0, 0].set_ylim(len(lines) - 0.5, -0.5)
        figure.suptitle(f"{PROBLEM_TITLES[problem]}, profile {rows[0].profile}")
    return figure


def caption(specs: Sequence[Spec]) -> str:
    """The setting, the tasks, and that the paper has none of it."""
    about = " ".join(text for problem, text in ABOUT.items() if any(spec.problem == problem for spec in specs))
    return (
        f"{protocol(specs)}. {about} Mean ± sample standard deviation over n seeds, test split at the best validation "
        "epoch. The first line, dotted in the figure, looks at no input: each task's most frequent training label. The "
        "paper is about images alone; it has no numbers for this table."
    )


class _TableAProblem(RunExhibit[TaskRow]):
    """Tasks differ from problem to problem, and so do the columns."""

    def tables(self, rows: Sequence[TaskRow]) -> tuple[Table, ...]:
        problems = distinct(row.problem for row in rows)
        shown = [self.table([row for row in rows if row.problem == problem]) for problem in problems]
        titled = [replace(one, title=PROBLEM_TITLES[problem]) for one, problem in zip(shown, problems, strict=True)]
        return (*shown[:1], *titled[1:])


EXHIBIT = _TableAProblem(
    name="table_b_1_beyond_vision",
    location="Table B.1",
    title="Beyond vision: every task of tables and texts",
    uses=uses,
    data=data,
    draw=draw,
    table=table,
    caption=caption,
)
