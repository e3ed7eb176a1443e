"""Table 2: mean error over 40 attributes of faces, every method, with the paper's numbers beside ours."""

import csv
import statistics
from collections.abc import Sequence
from functools import cache

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from experiments.results import Evaluation, Result
from experiments.spec import ProfileName, Spec
from paper_figures.exhibit import EXPECTED, STYLE, Columns, Row, RunExhibit, Table, distinct, method_colour
from paper_figures.runs import PROBLEM_TITLES, mean_and_deviation, method_rank, problem_rank, protocol, repetitions

FACES = ("celeba", "drawn_faces")
NOT_RUN = "not run here"


class ErrorRow(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Mean error of the tasks in percent, ours over ``n`` seeds, and the paper's on CelebA where it states one.

    ``std`` is the sample standard deviation, None for n < 2. ``n = 0``: the paper's number, no run of ours.
    """

    method: str
    setting: str
    n: int
    mean: float | None
    std: float | None
    last: float | None
    worst_task: float | None
    paper: float | None


@cache
def reported() -> dict[str, float]:
    """Method -> mean error in percent, as the paper reports it."""
    numbers = {}
    with (EXPECTED / "table2_celeba_error.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            for prefix, column in (("", "vanilla"), ("F-", "flat")):
                if line[column]:
                    numbers[prefix + line["method"]] = float(line[column])
    return numbers


def uses(spec: Spec) -> bool:
    """Runs on photographs or drawings of faces."""
    return spec.problem in FACES


def _errors(evaluation: Evaluation) -> list[float]:
    return [100 * (1 - accuracy) for accuracy in evaluation.accuracy]


def data(results: Sequence[Result], profile: ProfileName) -> tuple[ErrorRow, ...]:
    """Every method and setting; where CelebA itself was run, the paper's other methods follow with n = 0."""
    own = repetitions([result for result in results if result.spec.profile == profile and uses(result.spec)])
    rows = []
    for (problem, method, setting), members in own.items():
        mean, std = mean_and_deviation([statistics.fmean(_errors(result.test_best)) for result in members])
        rows.append(
            ErrorRow(
                profile=profile,
                problem=problem,
                method=method,
                setting=setting,
                n=len(members),
                mean=mean,
                std=std,
                last=statistics.fmean(statistics.fmean(_errors(result.test_last)) for result in members),
                worst_task=statistics.fmean(max(_errors(result.test_best)) for result in members),
                paper=reported().get(method),
            )
        )
    ran = {(row.problem, row.method) for row in rows}
    for method, error in reported().items():
        if any(problem == "celeba" for problem, _ in ran) and ("celeba", method) not in ran:
            empty = dict.fromkeys(("mean", "std", "last", "worst_task"))
            rows.append(
                ErrorRow(profile=profile, problem="celeba", method=method, setting=NOT_RUN, n=0, paper=error, **empty)
            )
    return tuple(sorted(rows, key=lambda row: (problem_rank(row.problem), method_rank(row.method))))


def _cell(mean: float | None, std: float | None = None) -> str:
    if mean is None:
        return ""
    return f"{mean:.2f}" if std is None else f"{mean:.2f} ± {std:.2f}"


def table(rows: Sequence[ErrorRow]) -> Table:
    """One section a problem, one line a method and setting."""
    sections = []
    for problem in distinct(row.problem for row in rows):
        lines = tuple(
            (
                row.method,
                row.setting,
                str(row.n),
                _cell(row.mean, row.std),
                _cell(row.worst_task),
                _cell(row.last),
                _cell(row.paper),
            )
            for row in rows
            if row.problem == problem
        )
        sections.append((PROBLEM_TITLES[problem], lines))
    return Table(
        columns=(
            Columns("", ("Method", "Setting", "n")),
            Columns("Ours, test error (%) at best validation epoch", ("Mean of tasks", "Worst task")),
            Columns("Ours, at last epoch", ("Mean of tasks",)),
            Columns("The paper, on CelebA", ("Mean of tasks",), reference=True),
        ),
        sections=tuple(sections),
    )


def draw(rows: Sequence[ErrorRow]) -> Figure:
    """One problem: the error of every method, ours on the left, the paper's on CelebA on the right."""
    lines = distinct((row.method, row.setting) for row in rows)
    heights = {line: index for index, line in enumerate(lines)}
    with plt.style.context(STYLE):
        figure, (ours, paper) = plt.subplots(
            1, 2, figsize=(7.5, 1.2 + 0.19 * len(lines)), sharey=True, layout="constrained"
        )
        for row in rows:
            height, colour = heights[row.method, row.setting], method_colour(row.method)
            if row.mean is not None:
                ours.errorbar(row.mean, height, xerr=row.std, fmt="o", markersize=3.8, color=colour, capsize=1.8)
            if row.paper is not None:
                paper.plot(row.paper, height, "D", markersize=3.8, markerfacecolor="white", color=colour)
        ours.set_title("ours")
        paper.set_title("the paper, on CelebA", color="#777777")
        paper.set_facecolor("#f7f7f5")
        for axes in (ours, paper):
            axes.set_xlabel("mean error (%)")
            axes.tick_params(axis="y", length=0)
            axes.margins(x=0.12)
        ours.set_yticks(range(len(lines)), [f"{method}  ({text})" if text else method for method, text in lines])
        ours.set_ylim(len(lines) - 0.5, -0.5)
        figure.suptitle(f"{PROBLEM_TITLES[rows[0].problem]}, profile {rows[0].profile}")
    return figure


def caption(specs: Sequence[Spec]) -> str:
    """The setting of the runs, what stands in for CelebA, and the paper's own setting."""
    drawn = (
        "The drawn faces are sketches of our own in CelebA's shapes, because CelebA can not be fetched: a few steps of "
        "each method on them show that its runs can be made, and nothing else. "
    )
    return (
        f"Error in %, mean of 40 yes-or-no tasks. {protocol(specs)}. "
        "Mean ± sample standard deviation over n seeds (no deviation for n < 2). "
        f"{drawn if any(spec.problem == 'drawn_faces' for spec in specs) else ''}"
        "The paper: CelebA at 64 x 64, ResNet-18, 100 epochs, Adam 5e-4, batch 256, no deviation stated; its radius is "
        "not stated either, so its number stands beside each of our radii. Lines with n = 0 are the paper's alone."
    )


EXHIBIT = RunExhibit(
    name="table2_celeba",
    location="Table 2",
    title="Error on 40 attributes of faces",
    uses=uses,
    data=data,
    draw=draw,
    table=table,
    caption=caption,
)
