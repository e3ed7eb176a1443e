"""Table and Fig. R1.4: what cheaper relatives of the exact step cost, and what they lose along a training run."""

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import msgspec
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.cheaper.records import (
    BASE,
    CONTROLS,
    EXACT,
    MEASURED_SHELF,
    OTHER_BATCH,
    STORED,
    Checkpoint,
    Deviation,
    Measured,
    VariantRecord,
    measurements,
)
from experiments.spec import method_label
from paper_figures.exhibit import STYLE, Columns, FileExhibit, StoredFile, Table, distinct
from paper_figures.provenance import Lines, of_runs
from paper_figures.runs import MODEL_TITLES, PROBLEM_TITLES, RHO, method_rank

DRAWN: dict[str, tuple[str, str]] = {
    "half of the batch": ("#0072B2", "-"),
    "quarter of the batch": ("#56B4E9", "-"),
    "shared perturbation": ("#009E73", "-"),
    "last layers": ("#CC79A7", "-"),
    "last layers, all gradients": ("#AA4499", "-"),
    "SAMO": ("#E69F00", "-"),
    "every 5th step, stale between": ("#D55E00", "-"),
    BASE: ("#222222", "--"),
    OTHER_BATCH: ("#999999", ":"),
}
"""Colour and line of the curves; schedules without stale directions are shares of the curve of no flat part."""


class CheaperRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One variant in one setting, in one epoch or (``epoch`` None) in all: means over ``n`` seeds of means over
    checkpoints, with the lowest and the highest seed. Schedules count their directions by their share of the steps.

    Args:
        cost: by the formula at the measured share of the forward; ``units``: measured, medians over checkpoints.
        angle: between the direction and the exact one, degrees; ``relative_error`` and ``length_ratio`` of the same.
        flat_relative_error: of the flat part; ``flat_angle`` (degrees) only where every step of the schedule has one.
        flat_to_loss: length of the exact flat part over that of the loss part.
    """

    method: str
    rho: float
    variant: str
    epoch: int | None
    n: int
    formula: str
    cost: float
    units: float
    angle: float
    angle_low: float
    angle_high: float
    relative_error: float
    length_ratio: float
    flat_angle: float | None
    flat_relative_error: float
    flat_relative_error_low: float
    flat_relative_error_high: float
    flat_to_loss: float


def read(folder: Path) -> tuple[Measured, ...]:
    """The measurements of the list that the folder has, in the order of the list."""
    found = (MEASURED_SHELF.find([folder], measurement) for measurement in measurements())
    return tuple(measured for measured in found if measured is not None)


def _mean(
    checkpoints: Sequence[Checkpoint], variant: VariantRecord, value: Callable[[Deviation], float | None]
) -> float | None:
    """Over checkpoints and, by their shares, over the directions of the schedule; None where one has no value."""
    total = 0.0
    for checkpoint in checkpoints:
        for name, share in variant.schedule.items():
            one = value(checkpoint.directions[name])
            if one is None:
                return None
            total += share * one
    return total / len(checkpoints)


def _units(measured: Measured, variant: VariantRecord) -> float:
    """Measured cost in U: medians over checkpoints, by their shares."""
    medians = {
        name: statistics.median(one.directions[name].seconds / one.unit for one in measured.checkpoints)
        for name in variant.schedule
    }
    return sum(share * medians[name] for name, share in variant.schedule.items())


def _row(members: Sequence[Measured], name: str, epoch: int | None) -> CheaperRow:
    """One variant of runs that differ in their seed alone."""
    records = [next(record for record in one.variants if record.name == name) for one in members]
    chosen = [[checkpoint for checkpoint in one.checkpoints if epoch in (None, checkpoint.epoch)] for one in members]

    def means(value: Callable[[Deviation], float | None]) -> list[float]:
        found = [_mean(checkpoints, record, value) for checkpoints, record in zip(chosen, records, strict=True)]
        return [one for one in found if one is not None]

    angles, errors = means(lambda one: one.angle), means(lambda one: one.flat_relative_error)
    flat_angles = means(lambda one: one.flat_angle)
    sizes = [statistics.fmean(one.flat_length / one.loss_length for one in checkpoints) for checkpoints in chosen]
    spec = members[0].measurement.training
    return CheaperRow(
        method=method_label(spec),
        rho=spec.rho_shared,
        variant=name,
        epoch=epoch,
        n=len(members),
        formula=records[0].formula,
        cost=statistics.fmean(record.cost for record in records),
        units=statistics.fmean(map(_units, members, records)),
        angle=statistics.fmean(angles),
        angle_low=min(angles),
        angle_high=max(angles),
        relative_error=statistics.fmean(means(lambda one: one.relative_error)),
        length_ratio=statistics.fmean(means(lambda one: one.length_ratio)),
        flat_angle=statistics.fmean(flat_angles) if flat_angles else None,
        flat_relative_error=statistics.fmean(errors),
        flat_relative_error_low=min(errors),
        flat_relative_error_high=max(errors),
        flat_to_loss=statistics.fmean(sizes),
    )


def data(content: Sequence[Measured]) -> tuple[CheaperRow, ...]:
    """For every method, radius and variant one row over all epochs and one an epoch."""
    groups: dict[tuple[str, float], list[Measured]] = {}
    for one in content:
        spec = one.measurement.training
        groups.setdefault((method_label(spec), spec.rho_shared), []).append(one)
    order = sorted(groups, key=lambda group: (method_rank(group[0]), group[1]))
    return tuple(
        _row(groups[group], record.name, epoch)
        for group in order
        for record in groups[group][0].variants
        for epoch in (None, *distinct(checkpoint.epoch for checkpoint in groups[group][0].checkpoints))
    )


def _interval(mean: float, low: float, high: float, digits: int) -> str:
    return f"{mean:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def table(rows: Sequence[CheaperRow]) -> Table:
    """One section a method, one line a variant; a column a radius."""
    rows = [row for row in rows if row.epoch is None]
    radii = sorted({row.rho for row in rows})
    sections = []
    for method in distinct(row.method for row in rows):
        lines = []
        for variant in distinct(row.variant for row in rows if row.method == method):
            chosen = {row.rho: row for row in rows if (row.method, row.variant) == (method, variant)}
            some = list(chosen.values())
            lines.append(
                (
                    f"({variant})" if variant in CONTROLS else variant,
                    some[0].formula,
                    f"{statistics.fmean(row.cost for row in some):.2f}",
                    f"{statistics.fmean(row.units for row in some):.2f}",
                    *(
                        _interval(row.angle, row.angle_low, row.angle_high, 1) if (row := chosen.get(rho)) else ""
                        for rho in radii
                    ),
                    *(
                        _interval(row.flat_relative_error, row.flat_relative_error_low, row.flat_relative_error_high, 2)
                        if (row := chosen.get(rho))
                        else ""
                        for rho in radii
                    ),
                )
            )
        sections.append((method, tuple(lines)))
    titles = tuple(f"{RHO} = {rho:g}" for rho in radii)
    return Table(
        columns=(
            Columns("", ("Variant", "Cost by formula (U)")),
            Columns("Cost (U)", ("formula", "measured")),
            Columns("Angle to the exact direction (degrees)", titles),
            Columns("Relative error of the flat part", titles),
        ),
        sections=tuple(sections),
    )


def _panel(axes: Axes, rows: Sequence[CheaperRow]) -> None:
    for variant, (colour, style) in DRAWN.items():
        line = [row for row in rows if row.variant == variant]
        epochs = [row.epoch for row in line if row.epoch is not None]
        axes.plot(epochs, [row.angle for row in line], style, color=colour, linewidth=1.4, label=variant)
        axes.fill_between(
            epochs,
            [row.angle_low for row in line],
            [row.angle_high for row in line],
            color=colour,
            alpha=0.15,
            linewidth=0,
        )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def draw(rows: Sequence[CheaperRow]) -> Figure:
    """Angle to the exact direction by epoch: a panel a method and radius."""
    rows = [row for row in rows if row.epoch is not None]
    methods, radii = distinct(row.method for row in rows), sorted({row.rho for row in rows})
    with plt.style.context(STYLE):
        figure, grid = plt.subplots(
            len(methods),
            len(radii),
            figsize=(2.9 * len(radii) + 2.4, 2.2 * len(methods) + 0.5),
            sharex=True,
            sharey=True,
            squeeze=False,
            layout="constrained",
        )
        for line, method in enumerate(methods):
            grid[line, 0].set_ylabel("angle (degrees)")
            for column, rho in enumerate(radii):
                axes = grid[line, column]
                _panel(axes, [row for row in rows if (row.method, row.rho) == (method, rho)])
                axes.set_title(f"{method}, {RHO} = {rho:g}")
                axes.set_xlabel("epoch" if line == len(methods) - 1 else "")
        grid[0, 0].set_ylim(bottom=0)
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right upper", fontsize=7)
    return figure


def caption(content: Sequence[Measured]) -> str:
    """The setting, what is compared, and how large the flat part is."""
    spec, first = content[0].measurement.training, content[0].measurement
    sizes = "; ".join(
        f"{row.method}, {RHO} = {row.rho:g}: {row.flat_to_loss:.2f}"
        for row in data(content)
        if row.epoch is None and row.variant == EXACT
    )
    forward = f"{statistics.fmean(one.forward_share for one in content):.2f}"
    behind = f"{statistics.fmean(one.behind_share for one in content):.3f}"
    return (
        f"Directions of the trunk at the same weights and batch, every {first.every} steps of the first {first.epochs} "
        f"epochs of the exact method's own training ({PROBLEM_TITLES[spec.problem]}, {MODEL_TITLES[spec.model]}, "
        f"batch {spec.batch_size}; {len(content)} of {len(measurements())} runs). "
        "Cost in U, one forward and backward of the summed loss, for "
        f"m = {content[0].tasks} and the measured shares of U: f = {forward} for the forward, b = {behind} behind the "
        "cut, which is in front of the fully connected layer. Means over seeds of means over checkpoints, lowest and "
        "highest seed in brackets and bands; a schedule counts its steps by their shares. The flat part is what a "
        "direction adds to the aggregated loss gradients; the exact one is as long as they are times: "
        f"{sizes}. Rows in brackets are no variants: the steps of the schedules by themselves; the exact step of the "
        "direct mode; the exact direction of another batch, which is the noise between batches. A variant is another "
        "method than the exact step, and nothing here says how its own training ends."
    )


def provenance(content: Sequence[Measured]) -> Lines:
    """Commits, versions, machines and time of all of them."""
    return of_runs([one.provenance for one in content])


CHEAPER = StoredFile(
    name=STORED.name,
    title="Cheaper variants",
    command="python -m experiments.cheaper",
    read=read,
    provenance=provenance,
)

EXHIBIT = FileExhibit(
    name="table_r1_4_cheaper",
    location="R1.4",
    title="Cheaper variants: cost and what they lose",
    table=table,
    draw=draw,
    file=CHEAPER,
    data=data,
    caption=caption,
)
