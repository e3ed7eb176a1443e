"""Fig. B.1: what certificates and theorems say along training, beside the test error."""

import statistics
from collections.abc import Sequence

import matplotlib.pyplot as plt
import msgspec
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.courses.records import Checkpoint, Course
from experiments.spec import method_label
from paper_figures.courses import COURSES, setting
from paper_figures.exhibit import STYLE, Columns, FileExhibit, Table, distinct
from paper_figures.runs import PROBLEM_TITLES, RHO
from paper_figures.tab_bounds import figures

MAIN = "Seeger-Maurer"
LINES = (
    (MAIN, "certificate", "#0072B2", "-"),
    ("test", "test error", "#222222", "--"),
    ("train", "training error", "#999999", ":"),
)
"""Quantity, name, colour, line."""


class CourseRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One quantity of the mean task after one epoch: errors and bounds are shares, ``term``: of a theorem."""

    problem: str
    method: str
    rho: float
    epoch: int
    quantity: str
    term: int
    value: float


def _values(one: Checkpoint) -> list[tuple[str, bool, float]]:
    errors = {"train": one.train_error, "held out": one.held_out_error, "test": one.test_error}
    found = [(name, False, statistics.fmean(values)) for name, values in errors.items()]
    found += [(name, False, value) for name, value in one.bounds.items()]
    return found + [(name, True, value) for name, value in one.theorems.items()]


def data(content: Sequence[Course]) -> tuple[CourseRow, ...]:
    """Every checkpoint of every run."""
    return tuple(
        CourseRow(
            problem=course.following.training.problem,
            method=method_label(course.following.training),
            rho=course.following.training.rho_shared,
            epoch=one.epoch,
            quantity=name,
            term=int(term),
            value=value,
        )
        for course in content
        for one in course.checkpoints
        for name, term, value in _values(one)
    )


def table(rows: Sequence[CourseRow]) -> Table:
    """One section a run, one line an epoch."""
    bounds = distinct(
        row.quantity for row in rows if not row.term and row.quantity not in ("train", "held out", "test")
    )
    terms = distinct(row.quantity for row in rows if row.term)
    sections = []
    for problem, method in distinct((row.problem, row.method) for row in rows):
        chosen = [row for row in rows if (row.problem, row.method) == (problem, method)]
        lines = []
        for epoch in distinct(row.epoch for row in chosen):
            cells = {row.quantity: row.value for row in chosen if row.epoch == epoch}
            shares = [f"{100 * cells[name]:.2f}" for name in ("train", "held out", "test", *bounds)]
            lines.append((str(epoch), *shares, *(figures(cells[name]) for name in terms)))
        sections.append((f"{PROBLEM_TITLES[problem]}: {method}", tuple(lines)))
    return Table(
        columns=(
            Columns("", ("Epoch",)),
            Columns("Error (%)", ("training", "held out", "test")),
            Columns("Certificate (%)", tuple(bounds)),
            Columns("Term beside the worst case", tuple(terms)),
        ),
        sections=tuple(sections),
    )


def draw(rows: Sequence[CourseRow]) -> Figure:
    """A panel a data set and method; the axis spans what comes after the first epoch."""
    problems, methods = distinct(row.problem for row in rows), distinct(row.method for row in rows)
    with plt.style.context(STYLE):
        figure, grid = plt.subplots(
            len(problems),
            len(methods),
            figsize=(1 + 3 * len(methods), 0.6 + 2.1 * len(problems)),
            layout="constrained",
            squeeze=False,
            sharey="row",
        )
        for line, problem in enumerate(problems):
            for column, method in enumerate(methods):
                axes = grid[line, column]
                chosen = [row for row in rows if (row.problem, row.method) == (problem, method)]
                if not chosen:
                    axes.set_axis_off()
                    continue
                for quantity, label, colour, style in LINES:
                    points = [(row.epoch, 100 * row.value) for row in chosen if row.quantity == quantity]
                    axes.plot(*zip(*points, strict=True), style, color=colour, label=label)
                radius = f", {RHO} = {chosen[0].rho:g}" if chosen[0].rho else ""
                axes.set_title(f"{PROBLEM_TITLES[problem]}: {method}{radius}")
                axes.xaxis.set_major_locator(MaxNLocator(integer=True))
                axes.set_xlabel("epoch")
            later = [100 * row.value for row in rows if row.problem == problem and row.epoch and not row.term]
            grid[line, 0].set_ylim(min(later) - 1, max(later) + 1)
            grid[line, 0].set_ylabel("0-1 loss (%)")
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(LINES), fontsize=7)
    return figure


def caption(content: Sequence[Course]) -> str:
    """What is certified at every checkpoint, how tight it is, and what the theorems say there."""
    rows = data(content)
    kept = [row for row in rows if row.epoch]
    tests = {(row.problem, row.method, row.epoch): row.value for row in kept if row.quantity == "test"}
    values = {(row.problem, row.method, row.epoch): row.value for row in kept if row.quantity == MAIN}
    gaps = [100 * (value - tests[place]) for place, value in values.items()]
    smallest = min((row for row in kept if row.term), key=lambda row: row.value)
    first = content[0].following
    return (
        f"{setting(content)} Mean task. The certificate ({MAIN}, delta = {first.delta:g}) is on the examples that "
        "training left out; posterior and prior are the network itself, so KL = 0 and nothing is drawn. Each holds for "
        f"its checkpoint alone, not for the best of them. After training has begun it lies {min(gaps):.2f} to "
        f"{max(gaps):.2f} points from the test error, which is no bound. The last columns are what the theorems add to "
        f"a worst case at {RHO} = {first.radii[-1]:g}, the largest over the tasks, at the sizes and norms of the "
        f"checkpoint: the smallest is {figures(smallest.value)} ({smallest.quantity}); from 1 on a term says nothing."
    )


EXHIBIT = FileExhibit(
    name="figure_b_1_course",
    location="Fig. B.1",
    title="Bound against test error over training",
    table=table,
    draw=draw,
    file=COURSES,
    data=data,
    caption=caption,
)
