"""Fig. B.2: what the Gaussian premise costs along training: the rise of the held-out loss under noise."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import msgspec
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.courses.records import Course
from experiments.spec import method_label
from paper_figures.courses import COURSES, setting
from paper_figures.exhibit import STYLE, Columns, FileExhibit, Table, distinct, method_colour
from paper_figures.runs import PROBLEM_TITLES, RHO


class PremiseRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One task after one epoch at one radius, nats: ``E L(w + eps) - L(w)`` with its 95 % interval, and L(w)."""

    problem: str
    method: str
    epoch: int
    rho: float
    task: int
    loss: float
    rise: float
    low: float
    high: float


def data(content: Sequence[Course]) -> tuple[PremiseRow, ...]:
    """Every checkpoint, radius and task."""
    return tuple(
        PremiseRow(
            problem=course.following.training.problem,
            method=method_label(course.following.training),
            epoch=one.epoch,
            rho=at.rho,
            task=task,
            loss=loss,
            rise=rise.difference,
            low=rise.low,
            high=rise.high,
        )
        for course in content
        for one in course.checkpoints
        for at in one.rises
        for task, (loss, rise) in enumerate(zip(at.loss, at.rise, strict=True), start=1)
    )


def verdict(row: PremiseRow) -> str:
    """What the interval says of the premise."""
    if row.low > 0:
        return "holds"
    return "fails" if row.high < 0 else "open"


def table(rows: Sequence[PremiseRow]) -> Table:
    """One section a run and radius, one line an epoch: the task with the lowest interval, and how many hold."""
    sections = []
    for problem, method, rho in distinct((row.problem, row.method, row.rho) for row in rows):
        chosen = [row for row in rows if (row.problem, row.method, row.rho) == (problem, method, rho)]
        lines = []
        for epoch in distinct(row.epoch for row in chosen):
            here = [row for row in chosen if row.epoch == epoch]
            worst = min(here, key=lambda row: row.low)
            counts = [sum(verdict(row) == name for row in here) for name in ("holds", "open", "fails")]
            lines.append(
                (
                    str(epoch),
                    f"task {worst.task}",
                    f"{worst.loss:.3f}",
                    f"{1e3 * worst.rise:.3f}",
                    f"{1e3 * worst.low:.3f} .. {1e3 * worst.high:.3f}",
                    *map(str, counts),
                )
            )
        sections.append((f"{PROBLEM_TITLES[problem]}: {method}, {RHO} = {rho:g}", tuple(lines)))
    return Table(
        columns=(
            Columns("", ("Epoch", "Lowest")),
            Columns("Loss (nats)", ("held out",)),
            Columns("Rise (thousandths of a nat)", ("mean", "95 % interval")),
            Columns("Tasks where the premise", ("holds", "is open", "fails")),
        ),
        sections=tuple(sections),
    )


def draw(rows: Sequence[PremiseRow]) -> Figure:
    """A panel a data set and radius, a line a task; bands are the intervals."""
    problems, radii = distinct(row.problem for row in rows), distinct(row.rho for row in rows)
    with plt.style.context(STYLE):
        figure, grid = plt.subplots(
            len(problems),
            len(radii),
            figsize=(1 + 3 * len(radii), 0.6 + 2.1 * len(problems)),
            layout="constrained",
            squeeze=False,
        )
        handles = {}
        for line, problem in enumerate(problems):
            for column, rho in enumerate(radii):
                axes = grid[line, column]
                here = [row for row in rows if (row.problem, row.rho) == (problem, rho)]
                for method, task in distinct((row.method, row.task) for row in here):
                    chosen = [row for row in here if (row.method, row.task) == (method, task)]
                    epochs, colour = [row.epoch for row in chosen], method_colour(method)
                    (handles[method],) = axes.plot(
                        epochs, [1e3 * row.rise for row in chosen], "-", color=colour, linewidth=1
                    )
                    low, high = [1e3 * row.low for row in chosen], [1e3 * row.high for row in chosen]
                    axes.fill_between(epochs, low, high, color=colour, alpha=0.15, linewidth=0)
                axes.axhline(0, color="black", linewidth=0.8)
                axes.set_title(f"{PROBLEM_TITLES[problem]}, {RHO} = {rho:g}")
                axes.xaxis.set_major_locator(MaxNLocator(integer=True))
                axes.set_xlabel("epoch")
            grid[line, 0].set_ylabel("rise of the loss\n(thousandths of a nat)")
        figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=2, fontsize=7)
    return figure


def caption(content: Sequence[Course]) -> str:
    """The noise, the verdicts counted, and what the premise costs at the end."""
    rows = data(content)
    counts = {name: sum(verdict(row) == name for row in rows) for name in ("holds", "open", "fails")}
    ends = []
    for problem, method in distinct((row.problem, row.method) for row in rows):
        last = max(row.epoch for row in rows if (row.problem, row.method) == (problem, method))
        rho = max(row.rho for row in rows)
        chosen = [row for row in rows if (row.problem, row.method, row.epoch, row.rho) == (problem, method, last, rho)]
        mean = sum(row.rise for row in chosen) / len(chosen)
        ends.append(f"{PROBLEM_TITLES[problem]}, {method}: {1e3 * mean:.2f}")
    return (
        f"{setting(content)} Theorems 1 and B and Foret's bound presume that Gaussian noise, by block of deviation rho "
        "/ (sqrt k + sqrt log N), does not lower the population risk. Shown is the rise of the test cross entropy "
        "under that noise, pairs of opposite draws, with Student's 95 % interval over pieces of the test split: each "
        f"interval is for itself. Of {len(rows)} tasks, epochs and radii the premise holds (the interval is above "
        f"zero) in {counts['holds']} and fails (it is below) in {counts['fails']}; {counts['open']} are open. At the "
        f"last epoch and the largest radius the mean rise over tasks is, in thousandths of a nat, {'; '.join(ends)}."
    )


EXHIBIT = FileExhibit(
    name="figure_b_2_premise",
    location="Fig. B.2",
    title="What the premise costs",
    table=table,
    draw=draw,
    file=COURSES,
    data=data,
    caption=caption,
)
