"""Fig. 1: two quadratic tasks in the plane, loss and flat gradients, and where the methods go."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

import matplotlib.pyplot as plt
import msgspec
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.toys.records import COMMAND, EVERY, STORED, Toy, Toys, read_toys
from paper_figures.exhibit import ERM_COLOUR, FLAT_COLOUR, OTHER_COLOUR, STYLE, Columns, FileExhibit, StoredFile, Table
from paper_figures.exhibit import distinct as different
from paper_figures.runs import RHO

METHODS: dict[str, tuple[str, Literal["-", "--"]]] = {
    "MGDA": (ERM_COLOUR, "-"),
    "direct MGDA": ("#009E73", "-"),
    "F-MGDA": (FLAT_COLOUR, "-"),
    "SAM-sum": (OTHER_COLOUR, "--"),
}
"""Colour and line."""
TASK_COLOURS = ("#AA4499", "#E69F00")

Kind = Literal["task", "Pareto set", "path", "direction", "loss gradient", "flat gradient"]


class ToyRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing in the plane, at (x, y).

    Args:
        kind: ``task``: x, y its minimum, u, v, w = H_11, H_12, H_22; ``path``: a method's point after ``step`` steps;
            ``direction``: (u, v) that of the method's first step; ``loss gradient``, ``flat gradient``: (u, v) of a
            task at a marked point.
        name: of the task, method or marked point.
        start: of a path or direction, 1 or 2; ``task``: of a gradient, 1 or 2; else 0.
    """

    toy: str
    rho: float
    kind: Kind
    name: str
    start: int
    task: int
    step: int
    x: float
    y: float
    u: float | None = None
    v: float | None = None
    w: float | None = None


def data(content: Toys) -> tuple[ToyRow, ...]:
    """Everything that is drawn."""
    return tuple(row for toy in content.toys for row in _rows(toy))


def _rows(toy: Toy) -> Iterator[ToyRow]:
    def row(kind: Kind, name: str, point: Sequence[float], values: Sequence[float] = (), **numbers: int) -> ToyRow:
        u, v, w = (*values, None, None, None)[:3]
        start, task, step = (numbers.get(one, 0) for one in ("start", "task", "step"))
        return ToyRow(
            toy=toy.name,
            rho=toy.rho,
            kind=kind,
            name=name,
            start=start,
            task=task,
            step=step,
            x=point[0],
            y=point[1],
            u=u,
            v=v,
            w=w,
        )

    for number, task in enumerate(toy.tasks, start=1):
        yield row("task", f"task {number}", task.minimum, task.hessian, task=number)
    for step, point in enumerate(toy.pareto):
        yield row("Pareto set", "", point, step=step)
    for path in toy.trajectories:
        yield row("direction", path.method, path.points[0], path.direction, start=path.start)
        for index, point in enumerate(path.points):
            yield row("path", path.method, point, start=path.start, step=index * EVERY)
    for mark in toy.marks:
        for number, (loss, flat) in enumerate(zip(mark.loss_gradients, mark.flat_gradients, strict=True), start=1):
            yield row("loss gradient", mark.name, mark.point, loss, task=number)
            yield row("flat gradient", mark.name, mark.point, flat, task=number)


def at(task: ToyRow, x: float, y: float) -> tuple[float, float]:
    """Loss and length of the gradient of a task at a point."""
    assert task.u is not None
    assert task.v is not None
    assert task.w is not None
    a, b = x - task.x, y - task.y
    gradient = task.u * a + task.v * b, task.v * a + task.w * b
    return 0.5 * (a * gradient[0] + b * gradient[1]), math.hypot(*gradient)


def table(rows: Sequence[ToyRow]) -> Table:
    """Losses and gradient norms at each start and where each method ends; the direction of its first step."""
    sections = []
    for toy, start in different((row.toy, row.start) for row in rows if row.kind == "path"):
        own = [row for row in rows if row.toy == toy and row.start in (0, start)]
        title = f"{toy.capitalize()}, {RHO} = {own[0].rho:.3g}" + (", elsewhere" if start > 1 else "")
        sections.append((title, tuple(_lines(own))))
    return Table(
        columns=(
            Columns("", ("Method", "First step")),
            Columns("Loss at the end", ("task 1", "task 2")),
            Columns("Gradient norm at the end", ("task 1", "task 2")),
            Columns("", ("distance to the Pareto set",)),
        ),
        sections=tuple(sections),
    )


def _lines(rows: Sequence[ToyRow]) -> Iterator[tuple[str, ...]]:
    """The start, then every method, of one toy and start."""
    tasks = [row for row in rows if row.kind == "task"]
    pareto = [(row.x, row.y) for row in rows if row.kind == "Pareto set"]
    first = next(row for row in rows if row.kind == "path")
    yield f"(the start, {first.x:g}, {first.y:g})", "", *_numbers(tasks, pareto, first)
    for direction in (row for row in rows if row.kind == "direction"):
        path = [row for row in rows if (row.kind, row.name) == ("path", direction.name)]
        step = f"({_short(-(direction.u or 0.0))}, {_short(-(direction.v or 0.0))})"
        yield direction.name, step, *_numbers(tasks, pareto, path[-1])


def _short(value: float) -> str:
    return f"{value + 0.0:.3f}"


def _numbers(
    tasks: Sequence[ToyRow], pareto: Sequence[tuple[float, float]], point: ToyRow
) -> tuple[str, str, str, str, str]:
    (first, first_norm), (second, second_norm) = (at(task, point.x, point.y) for task in tasks)
    distance = min(_to_segment((point.x, point.y), a, b) for a, b in pairwise(pareto))
    return _short(first), _short(second), _short(first_norm), _short(second_norm), _short(distance)


def _to_segment(point: tuple[float, float], start: tuple[float, float], end: tuple[float, float]) -> float:
    along, apart = (end[0] - start[0], end[1] - start[1]), (point[0] - start[0], point[1] - start[1])
    square = along[0] ** 2 + along[1] ** 2
    share = min(max((along[0] * apart[0] + along[1] * apart[1]) / square, 0.0), 1.0) if square else 0.0
    return math.hypot(apart[0] - share * along[0], apart[1] - share * along[1])


def draw(rows: Sequence[ToyRow]) -> Figure:
    """A panel a toy: contours of both losses, the Pareto set, trajectories; below it the gradients at its start."""
    toys = different(row.toy for row in rows)
    with plt.style.context(STYLE):
        figure, grid = plt.subplots(
            2, len(toys), figsize=(3.2 * len(toys), 6.4), squeeze=False, layout="constrained", height_ratios=(1.15, 1)
        )
        for column, toy in enumerate(toys):
            own = [row for row in rows if row.toy == toy]
            _plane(grid[0, column], own)
            grid[0, column].set_title(f"{toy}, {RHO} = {own[0].rho:.3g}")
            _arrows(grid[1, column], own)
            grid[1, column].set_title("at the start")
        handles = [
            *(Line2D([], [], color=colour, linestyle=style, label=name) for name, (colour, style) in METHODS.items()),
            Line2D([], [], color="#111111", linewidth=2.5, alpha=0.25, label="Pareto set"),
            *(
                Line2D([], [], color=colour, linewidth=0.9, label=f"task {number}: contours, loss gradient")
                for number, colour in enumerate(TASK_COLOURS, start=1)
            ),
            Line2D([], [], color="#777777", linestyle=":", label="flat gradient"),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=7)
    return figure


def _plane(axes: Axes, rows: Sequence[ToyRow]) -> None:
    """Contours, the Pareto set and all trajectories, in a square that holds them."""
    shown = [row for row in rows if row.kind in ("path", "Pareto set")]
    centres = [0.5 * (min(values) + max(values)) for values in ([row.x for row in shown], [row.y for row in shown])]
    reach = 1.12 * max(max(abs(row.x - centres[0]), abs(row.y - centres[1])) for row in shown)
    x, y = (np.linspace(centre - reach, centre + reach, 120) for centre in centres)
    for task, colour in zip([row for row in rows if row.kind == "task"], TASK_COLOURS, strict=True):
        values = np.array([[at(task, float(a), float(b))[0] for a in x] for b in y])
        levels = np.quantile(values, (0.03, 0.1, 0.2, 0.35, 0.55, 0.8))
        axes.contour(x, y, values, levels=levels, colors=colour, linewidths=0.5, alpha=0.6)
        axes.plot(task.x, task.y, "*", color=colour, markersize=8, zorder=5)
    pareto = [row for row in rows if row.kind == "Pareto set"]
    axes.plot([row.x for row in pareto], [row.y for row in pareto], color="#111111", linewidth=2.5, alpha=0.25)
    for name, start in different((row.name, row.start) for row in rows if row.kind == "path"):
        path = [row for row in rows if (row.kind, row.name, row.start) == ("path", name, start)]
        colour, style = METHODS[name]
        axes.plot([row.x for row in path], [row.y for row in path], color=colour, linestyle=style, linewidth=1.4)
        axes.plot(path[-1].x, path[-1].y, "o", color=colour, markersize=3.5, zorder=6)
        axes.plot(path[0].x, path[0].y, "s", color="#111111", markersize=4, zorder=7)
    axes.set_aspect("equal")


def _arrows(axes: Axes, rows: Sequence[ToyRow]) -> None:
    """What a step goes along at the first start; a vector of length zero is a ring."""
    chosen = [
        row
        for row in rows
        if (row.kind == "direction" and row.start == 1 and row.name != "SAM-sum") or row.name == "start"
    ]
    ends = [(row, -(row.u or 0.0), -(row.v or 0.0)) for row in chosen]
    rings = 0
    for row, u, v in ends:
        gradient = row.kind != "direction"
        colour = TASK_COLOURS[row.task - 1] if gradient else METHODS[row.name][0]
        if math.hypot(u, v) < 1e-9:
            rings += 1
            axes.plot(0, 0, "o", color=colour, markersize=5 + 4 * rings, fillstyle="none", zorder=6)
            continue
        look = {"color": colour, "linestyle": ":" if row.kind == "flat gradient" else "-", "shrinkA": 0, "shrinkB": 0}
        width = 1.1 if gradient else 2.0
        axes.annotate("", (u, v), (0, 0), arrowprops={"arrowstyle": "-|>", "linewidth": width, **look})
    reach = 1.15 * max(max(abs(u), abs(v)) for _, u, v in ends)
    axes.set_xlim(-reach, reach)
    axes.set_ylim(-reach, reach)
    axes.set_aspect("equal")


def caption(content: Toys) -> str:
    """What is drawn, and that it decides nothing."""
    steps = sorted({EVERY * (len(path.points) - 1) for toy in content.toys for path in toy.trajectories})
    rates = sorted({toy.learning_rate for toy in content.toys})
    return (
        "Two quadratic tasks with positive definite Hessians in the plane, MGDA, exact gradients in float64: the "
        "problems of the statements intra-conflict-toy and toy-2d of the theory, where what happens at the start "
        "(black square) is proved in exact numbers. Above: contours of both losses, their minima (stars), the Pareto "
        "set, and "
        f"gradient descent with learning rate {', '.join(f'{rate:g}' for rate in rates)} for "
        f"{', '.join(map(str, steps))} steps of the core from that start and from another one (squares) to the dots. "
        "Below: minus the loss gradients (solid), minus the flat gradients (dotted) and the first steps of the three "
        "methods of MGDA (thick) at the start; a ring stands for a step of length zero. In the two toys of a pair "
        "decomposed and direct aggregation change their roles: either can cancel or climb where the other moves, and "
        "nothing here says which of them is better."
    )


def provenance(content: Toys) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Commit, versions, machine and time."""
    source = content.provenance
    return (
        ("Commit", (source.commit + (" with uncommitted changes" if source.dirty else ""),)),
        ("Python", (source.python,)),
        ("PyTorch", (source.torch,)),
        ("Machine", (source.machine,)),
        ("Time", (source.started,)),
    )


TOYS = StoredFile(name=STORED.name, title="Toys", command=COMMAND, read=read_toys, provenance=provenance)

EXHIBIT = FileExhibit(
    name="figure_1_toys",
    location="Fig. 1",
    title="Two tasks in the plane: loss and flat gradients, and where the methods go",
    table=table,
    draw=draw,
    file=TOYS,
    data=data,
    caption=caption,
)
