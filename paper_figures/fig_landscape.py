"""The supplement's landscape: losses around trained networks along filter-normalised random directions."""

from collections.abc import Iterator, Sequence

import matplotlib.pyplot as plt
import msgspec
import numpy as np
from matplotlib.figure import Figure

from experiments.measures.records import Landscape, Measures
from paper_figures.exhibit import STYLE, Columns, FileExhibit, Table, distinct
from paper_figures.measured import MEASURES, by_method, setting
from paper_figures.runs import RHO


class PointRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Mean loss over tasks (nats) at one point; ``second`` is None on the line. Of the first seed that there is."""

    method: str
    rho: float
    seed: int
    first: float
    second: float | None
    loss: float


def data(content: Sequence[Measures]) -> tuple[PointRow, ...]:
    """Every point of every method's line and plane."""
    return tuple(_rows(content))


def _rows(content: Sequence[Measures]) -> Iterator[PointRow]:
    for (method, rho), members in by_method(content).items():
        one = members[0]
        for landscape in (one.line, one.plane):
            for place, losses in enumerate(landscape.losses):
                first, second = _point(landscape, place)
                yield PointRow(
                    method=method,
                    rho=rho,
                    seed=one.measuring.training.seed,
                    first=first,
                    second=second,
                    loss=sum(losses) / len(losses),
                )


def _point(landscape: Landscape, place: int) -> tuple[float, float | None]:
    if landscape.directions == 1:
        return landscape.coordinates[place], None
    count = len(landscape.coordinates)
    return landscape.coordinates[place // count], landscape.coordinates[place % count]


def _line(rows: Sequence[PointRow], method: str) -> list[PointRow]:
    return [row for row in rows if row.method == method and row.second is None]


def table(rows: Sequence[PointRow]) -> Table:
    """Loss on the line at its ends, half way and in the middle."""

    def at(line: Sequence[PointRow], place: float) -> str:
        return f"{min(line, key=lambda row: abs(row.first - place)).loss:.3f}"

    places = (-1.0, -0.5, 0.0, 0.5, 1.0)
    return Table(
        columns=(Columns("", ("Method",)), Columns("Loss (nats) on the line at", tuple(f"{x:g}" for x in places))),
        sections=(
            (
                "",
                tuple(
                    (method, *(at(_line(rows, method), place) for place in places))
                    for method in distinct(row.method for row in rows)
                ),
            ),
        ),
    )


def draw(rows: Sequence[PointRow]) -> Figure:
    """Contours of the plane, a panel a method on the same levels, and all lines in the last panel."""
    methods = distinct(row.method for row in rows)
    planes = {method: [row for row in rows if row.method == method and row.second is not None] for method in methods}
    largest = np.quantile([row.loss for plane in planes.values() for row in plane], 0.95)
    levels = np.linspace(0, max(float(largest), 1e-6), 11)
    columns = 4
    with plt.style.context(STYLE):
        figure, grid = plt.subplots(
            -(-(len(methods) + 1) // columns), columns, figsize=(7.6, 4.0), layout="constrained", squeeze=False
        )
        panels = list(grid.flat)
        for axes, method in zip(panels, methods, strict=False):
            ticks = distinct(row.first for row in planes[method])
            losses = np.array([row.loss for row in planes[method]]).reshape(len(ticks), len(ticks))
            drawn = axes.contourf(ticks, ticks, losses.T, levels=levels, extend="max", cmap="viridis_r")
            axes.set_title(method)
            axes.set_aspect("equal")
        last = panels[len(methods)]
        for method in methods:
            line = _line(rows, method)
            last.plot([row.first for row in line], [row.loss for row in line], linewidth=1.1, label=method)
        last.set_ylim(0, levels[-1])
        last.set_box_aspect(1)
        last.legend(fontsize=5)
        last.set_title("along the first direction")
        for axes in panels[len(methods) + 1 :]:
            axes.axis("off")
        figure.colorbar(drawn, ax=grid, label="mean loss (nats)", shrink=0.6)
    return figure


def caption(content: Sequence[Measures]) -> str:
    """Directions, examples and seed."""
    one = content[0].measuring
    return (
        f"{setting(content)} Mean loss over tasks on {one.landscape_examples:,} training examples at w + a u (line) "
        "and w + a u + b v (plane), u and v random directions whose filters have the norms of the network's own, "
        f"the same draws for all methods; the first seed of each method. Levels are the same in all panels. "
        f"{RHO} is the radius of the training, not of the picture; two random directions show little of a space "
        "of tens of thousands."
    )


EXHIBIT = FileExhibit(
    name="fig_s_landscape",
    location="Supplement",
    title="Loss around trained networks",
    table=table,
    draw=draw,
    file=MEASURES,
    data=data,
    caption=caption,
)
