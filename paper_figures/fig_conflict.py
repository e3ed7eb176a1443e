"""Figure 3: how often the tasks' gradients conflict along training, plain training against decomposed."""

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import matplotlib.pyplot as plt
import msgspec
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from experiments.catalog import OVERLAYS
from experiments.results import Conflict, EpochRecord, Result
from experiments.spec import ProfileName, Spec
from paper_figures.exhibit import (
    ERM_COLOUR,
    EXPECTED,
    OTHER_COLOUR,
    STYLE,
    Columns,
    Row,
    RunExhibit,
    Table,
    distinct,
    from_csv,
)
from paper_figures.runs import (
    METHOD_ORDER,
    PROBLEM_TITLES,
    RHO,
    mean_and_deviation,
    problem_rank,
    protocol,
    repetitions,
)

Training: TypeAlias = Literal["ERM", "decomposed"]
Source: TypeAlias = Literal["during", "probe", "paper"]

QUANTITIES = ("inter-loss", "inter-flat", "intra task 1", "intra task 2", "intra")
"""Kinds of conflict; ``intra`` is the mean over the two tasks."""


class ConflictRow(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Share of mini-batches (percent) of one epoch with a negative inner product; mean and range over ``n`` seeds.

    ``source``: ``during`` (the steps of that epoch), ``probe`` (fixed batches at its end), ``paper`` (digitised from
    its Fig. 3: no seeds, so n = 0).
    """

    method: str
    training: Training
    setting: str
    rho: float
    quantity: str
    source: Source
    epoch: int
    n: int
    mean: float
    std: float | None
    lowest: float
    highest: float


class DigitisedPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One epoch of the paper's Fig. 3: shares in percent."""

    epoch: int
    decomposed: float
    erm: float


def digitised() -> tuple[DigitisedPoint, ...]:
    """The paper's two curves, read off its Fig. 3."""
    return from_csv((EXPECTED / "figure3_conflict_percent.csv").read_text(encoding="utf-8"), DigitisedPoint)


def _share(conflict: Conflict, quantity: str) -> float | None:
    match quantity:
        case "inter-loss":
            return conflict.inter_loss
        case "inter-flat":
            return conflict.inter_flat
    if conflict.intra is None:
        return None
    return sum(conflict.intra) / len(conflict.intra) if quantity == "intra" else conflict.intra[int(quantity[-1]) - 1]


def _measured(record: EpochRecord, quantity: str) -> tuple[Source, float | None]:
    """From the epoch's own steps where they form these gradients, else from the probe (and said so)."""
    share = None if record.during is None else _share(record.during, quantity)
    return ("probe", _share(record.probe, quantity)) if share is None else ("during", share)


def uses(spec: Spec) -> bool:
    """Plain and decomposed training of one network for the two tasks of overlays."""
    return spec.problem in OVERLAYS and spec.mode in ("erm", "decomposed")


def data(results: Sequence[Result], profile: ProfileName) -> tuple[ConflictRow, ...]:
    """Shares per epoch over seeds; the paper's curves follow for each problem, on the paper's own epochs."""
    rows: list[ConflictRow] = []
    own = repetitions([result for result in results if result.spec.profile == profile and uses(result.spec)])
    for (problem, method, setting), members in own.items():
        spec = members[0].spec
        for records in zip(*(result.epochs for result in members), strict=True):
            where = f"{problem}, {method}, epoch {records[0].epoch}"
            for quantity in QUANTITIES:
                measured = [_measured(record, quantity) for record in records]
                if len({source for source, _ in measured}) > 1:
                    raise ValueError(f"{where}: {quantity} is from steps for some seeds and from probes for others.")
                shares = [100 * share for _, share in measured if share is not None]
                if len(shares) < len(measured):
                    raise ValueError(f"{where}: {quantity} is not recorded for each seed.")
                mean, std = mean_and_deviation(shares)
                rows.append(
                    ConflictRow(
                        profile=profile,
                        problem=problem,
                        method=method,
                        training="ERM" if spec.mode == "erm" else "decomposed",
                        setting=setting,
                        rho=spec.rho_shared,
                        quantity=quantity,
                        source=measured[0][0],
                        epoch=records[0].epoch,
                        n=len(members),
                        mean=mean,
                        std=std,
                        lowest=min(shares),
                        highest=max(shares),
                    )
                )
    return (*rows, *_paper_rows(profile, sorted({problem for problem, _, _ in own}, key=problem_rank)))


def _paper_rows(profile: ProfileName, problems: Sequence[str]) -> list[ConflictRow]:
    curves: tuple[tuple[Training, str, Callable[[DigitisedPoint], float]], ...] = (
        ("ERM", "the paper, ERM", lambda point: point.erm),
        ("decomposed", "the paper, decomposed", lambda point: point.decomposed),
    )
    return [
        ConflictRow(
            profile=profile,
            problem=problem,
            method=method,
            training=training,
            setting="digitised",
            rho=0.0,
            quantity="inter-loss",
            source="paper",
            epoch=point.epoch,
            n=0,
            mean=share(point),
            std=None,
            lowest=share(point),
            highest=share(point),
        )
        for problem in problems
        for training, method, share in curves
        for point in digitised()
    ]


def table(rows: Sequence[ConflictRow]) -> Table:
    """Shares of the first and of the last epoch, one line a method and setting."""
    sections = []
    for problem in distinct(row.problem for row in rows):
        lines = []
        chosen = [row for row in rows if row.problem == problem]
        for method, setting in distinct((row.method, row.setting) for row in chosen):
            line = [row for row in chosen if (row.method, row.setting) == (method, setting)]
            first, last = min(row.epoch for row in line), max(row.epoch for row in line)
            cells = {(row.quantity, row.epoch): row for row in line}
            lines.append(
                (
                    method,
                    setting,
                    str(line[0].n) if line[0].n else "",
                    f"{first}, {last}",
                    *(
                        _cell(cells.get((quantity, epoch)))
                        for quantity in ("inter-loss", "inter-flat", "intra")
                        for epoch in (first, last)
                    ),
                )
            )
        sections.append((PROBLEM_TITLES[problem], tuple(lines)))
    return Table(
        columns=(
            Columns("", ("Method", "Setting", "n", "Epochs")),
            Columns("Inter-loss (%)", ("first", "last")),
            Columns("Inter-flat (%)", ("first", "last")),
            Columns("Intra-task (%)", ("first", "last")),
        ),
        sections=tuple(sections),
    )


def _cell(row: ConflictRow | None) -> str:
    if row is None:
        return ""
    value = f"{row.mean:.1f}" if row.std is None else f"{row.mean:.1f} ± {row.std:.1f}"
    return f"{value} (probe)" if row.source == "probe" else value


PANELS = (
    ("inter-loss", "inter-loss conflict\n(% of mini-batches)"),
    ("inter-flat", "inter-flat conflict\n(% of mini-batches)"),
    ("intra", "intra-task conflict\n(% of mini-batches)"),
)


def _colours(rows: Sequence[ConflictRow]) -> dict[tuple[Training, float], str]:
    """One colour for plain training, blues by radius for decomposed."""
    radii = sorted({row.rho for row in rows if row.training == "decomposed" and row.source != "paper"})
    shades = colormaps["Blues"]
    colours: dict[tuple[Training, float], str] = {("ERM", 0.0): ERM_COLOUR}
    for index, rho in enumerate(radii):
        colours["decomposed", rho] = to_hex(shades(0.75 if len(radii) == 1 else 0.5 + 0.45 * index / (len(radii) - 1)))
    return colours


def _curves(axes: Axes, rows: Sequence[ConflictRow], colours: dict[tuple[Training, float], str]) -> None:
    for method, setting in distinct((row.method, row.setting) for row in rows):
        line = [row for row in rows if (row.method, row.setting) == (method, setting)]
        epochs = [row.epoch for row in line]
        colour = colours[line[0].training, line[0].rho]
        style = "--" if line[0].source == "probe" else "-"
        marker = "o" if len(epochs) <= 10 else None
        axes.plot(epochs, [row.mean for row in line], style, marker=marker, markersize=2.6, color=colour, linewidth=1.4)
        axes.fill_between(
            epochs, [row.lowest for row in line], [row.highest for row in line], color=colour, alpha=0.15, linewidth=0
        )


def _draw_paper(axes: Axes, rows: Sequence[ConflictRow]) -> None:
    axes.set_facecolor("#f7f7f5")
    axes.set_title("the paper (digitised)", color="#777777")
    for training, colour in (("ERM", ERM_COLOUR), ("decomposed", to_hex(colormaps["Blues"](0.75)))):
        line = [row for row in rows if row.training == training]
        axes.plot(
            [row.epoch for row in line], [row.mean for row in line], "-o", markersize=2.6, color=colour, linewidth=1.4
        )
    axes.set_xlabel("epoch")


def _legend(axes: Axes, colours: dict[tuple[Training, float], str], runs: int) -> None:
    axes.axis("off")
    handles: list[Line2D | Patch] = [
        Line2D(
            [], [], color=colour, linewidth=1.6, label="ERM" if training == "ERM" else f"decomposed, {RHO} = {rho:g}"
        )
        for (training, rho), colour in colours.items()
    ]
    handles.append(Line2D([], [], color=OTHER_COLOUR, linestyle="-", label="during the epoch's steps"))
    handles.append(Line2D([], [], color=OTHER_COLOUR, linestyle="--", label="probe at the epoch's end"))
    if runs > 1:
        handles.append(Patch(color=OTHER_COLOUR, alpha=0.2, linewidth=0, label="lowest to highest seed"))
    axes.legend(handles=handles, loc="upper left", fontsize=7, borderaxespad=0.0, handlelength=2.2)


def draw(rows: Sequence[ConflictRow]) -> Figure:
    """One problem: a column an aggregator and one for the paper; rows: inter-loss, inter-flat, intra-task conflict."""
    own = [row for row in rows if row.source != "paper"]
    bases = sorted({row.method.removeprefix("F-") for row in own}, key=METHOD_ORDER.index)
    colours = _colours(own)
    with plt.style.context(STYLE):
        width, height = max(1.55 * (len(bases) + 1) + 0.5, 6.5), 5.4
        figure, grid = plt.subplots(
            len(PANELS), len(bases) + 1, figsize=(width, height), sharey="row", squeeze=False, layout="constrained"
        )
        for line, (quantity, title) in enumerate(PANELS):
            grid[line, 0].set_ylabel(title)
            for column, base in enumerate(bases):
                axes = grid[line, column]
                chosen = [row for row in own if row.quantity == quantity and row.method.removeprefix("F-") == base]
                _curves(axes, chosen, colours)
                axes.set_xlabel("epoch" if line == len(PANELS) - 1 else "")
                axes.set_title(base if line == 0 else "")
                axes.xaxis.get_major_locator().set_params(integer=True)
            grid[line, 0].set_ylim(bottom=0)
        _draw_paper(grid[0, -1], [row for row in rows if row.source == "paper"])
        _legend(grid[1, -1], colours, max(row.n for row in own))
        for axes in grid[2:, -1]:
            axes.axis("off")
        figure.suptitle(f"{PROBLEM_TITLES[own[0].problem]}, profile {own[0].profile}")
    return figure


def caption(specs: Sequence[Spec]) -> str:
    """The setting of the runs, what is counted, and where the paper's curve comes from."""
    radii = ", ".join(sorted({f"{spec.probe_rho:g}" for spec in specs}))
    return (
        f"Share of an epoch's mini-batches with a negative inner product. {protocol(specs)}. "
        "Inter-loss: the two tasks' loss gradients; inter-flat: their flat gradients; intra-task: loss and flat "
        "gradient of one task, mean over tasks. Plain training (ERM) has no flat gradients: its values are from fixed "
        f"probe batches at radius {RHO} = {radii} at the end of each epoch (dashed), a smaller sample than an epoch. "
        "Lines: mean over seeds; bands: lowest to highest seed. "
        "The paper's curve is read off its Fig. 3 (ResNet-18, 200 epochs): its epochs are not ours."
    )


EXHIBIT = RunExhibit(
    name="figure3_conflict",
    location="Fig. 3",
    title="Gradient conflict along training",
    uses=uses,
    data=data,
    draw=draw,
    table=table,
    caption=caption,
)
