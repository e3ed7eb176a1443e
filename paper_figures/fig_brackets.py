"""Fig. B.3: the worst loss in the ball around trained perceptrons, from below by ascent and from above for certain."""

import math
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import msgspec
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from experiments.measures.bracket_records import BRACKET_SHELF, COMMAND, STORED, Brackets, bracketings
from experiments.spec import method_label
from experiments.statistics import Paired, holm, paired
from paper_figures.exhibit import OTHER_COLOUR, STYLE, Columns, FileExhibit, StoredFile, Table, distinct, method_colour
from paper_figures.provenance import Lines, of_runs
from paper_figures.runs import MODEL_TITLES, PROBLEM_TITLES, RHO

PLAIN = "LS"
ALPHA = 0.05
LIMITS = {"entropy": math.log(2), "error": 0.5}
"""What the even guess of two classes loses: a certificate that is no better is of no use."""


class BracketRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One network's worst loss at one radius, mean over tasks: from ``lower`` (attained) to ``upper`` (certain).

    ``measure``: ``entropy`` (nats) or ``error`` (a share). ``loss``: at the weights themselves.
    """

    method: str
    seed: int
    rho: float
    measure: str
    loss: float
    lower: float
    upper: float


def read(folder: Path) -> tuple[Brackets, ...]:
    """What the folder has of the list, in its order."""
    found = [BRACKET_SHELF.find([folder], one) for one in bracketings()]
    return tuple(one for one in found if one is not None)


def data(content: Sequence[Brackets]) -> tuple[BracketRow, ...]:
    """Every network, radius and measure."""
    return tuple(_rows(content))


def _rows(content: Sequence[Brackets]) -> Iterator[BracketRow]:
    for one in content:
        spec = one.bracketing.training
        for at in one.radii:
            for measure in LIMITS:
                ends = (measure, f"{measure}_lower", f"{measure}_upper")
                loss, lower, upper = (statistics.fmean(float(getattr(task, end)) for task in at.tasks) for end in ends)
                yield BracketRow(
                    method=method_label(spec),
                    seed=spec.seed,
                    rho=at.rho,
                    measure=measure,
                    loss=loss,
                    lower=lower,
                    upper=upper,
                )


def _pick(rows: Sequence[BracketRow], method: str, rho: float, measure: str) -> list[BracketRow]:
    return [row for row in rows if (row.method, row.rho, row.measure) == (method, rho, measure)]


def _mean(rows: Sequence[BracketRow], end: str) -> float:
    return statistics.fmean(float(getattr(row, end)) for row in rows)


def against_plain(rows: Sequence[BracketRow], method: str, rho: float, measure: str) -> Paired | None:
    """Certified value of a method less that of plain training, paired over seeds; None for fewer than three."""
    left, right = ({row.seed: row.upper for row in _pick(rows, one, rho, measure)} for one in (method, PLAIN))
    return paired(left, right)


def useless(rows: Sequence[BracketRow], method: str, measure: str) -> float | None:
    """The least radius at which the mean certified value is no better than an even guess; None if there is none."""
    radii = sorted(distinct(row.rho for row in rows))
    return next((rho for rho in radii if _mean(_pick(rows, method, rho, measure), "upper") >= LIMITS[measure]), None)


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.1e}"


def table(rows: Sequence[BracketRow]) -> Table:
    """A section a radius, a line a method: means over seeds, and the certified loss against plain training's."""

    def line(method: str, rho: float) -> tuple[str, ...]:
        entropies, errors = (_pick(rows, method, rho, measure) for measure in LIMITS)
        found = None if method == PLAIN else against_plain(rows, method, rho, "entropy")
        return (
            method,
            str(len(entropies)),
            *(_number(_mean(entropies, end)) for end in ("loss", "lower", "upper")),
            *(f"{100 * _mean(errors, end):.1f}" for end in ("loss", "lower", "upper")),
            "" if found is None else _number(found.difference),
            "" if found is None else f"{_number(found.low)} .. {_number(found.high)}",
        )

    ends = ("at the weights", "worst found", "certified")
    return Table(
        columns=(
            Columns("", ("Method", "seeds")),
            Columns("Cross entropy (nats)", ends),
            Columns("0-1 error (%)", ends),
            Columns(f"Certified, less {PLAIN}'s (nats)", ("mean", "95 % interval")),
        ),
        sections=tuple(
            (f"{RHO} = {rho:g}", tuple(line(method, rho) for method in distinct(row.method for row in rows)))
            for rho in distinct(row.rho for row in rows)
        ),
    )


def _panel(axes: Axes, rows: Sequence[BracketRow], method: str, measure: str) -> None:
    radii, colour = distinct(row.rho for row in rows), method_colour(method)
    loss, lower, upper = (
        [_mean(_pick(rows, method, rho, measure), end) for rho in radii] for end in ("loss", "lower", "upper")
    )
    axes.fill_between(radii, lower, upper, color=colour, alpha=0.2, linewidth=0)
    axes.plot(radii, upper, "v-", color=colour, markersize=3.5, linewidth=1, label="certified, from above")
    axes.plot(radii, lower, "^-", color=colour, markersize=3.5, linewidth=1, label="worst found, from below")
    axes.plot(radii, loss, ":", color="black", linewidth=1.2, label="at the weights")
    axes.axhline(LIMITS[measure], color="black", linewidth=0.7, linestyle="--", label="even guess")
    axes.set_xscale("log")
    if measure == "entropy":
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def draw(rows: Sequence[BracketRow]) -> Figure:
    """A column a method; above cross entropy, below the error. The truth lies in the band."""
    methods = distinct(row.method for row in rows)
    with plt.style.context(STYLE):
        figure, grid = plt.subplots(
            2,
            len(methods),
            figsize=(1 + 1.9 * len(methods), 4.6),
            layout="constrained",
            sharex=True,
            sharey="row",
            squeeze=False,
        )
        for column, method in enumerate(methods):
            for axes, measure in zip(grid[:, column], LIMITS, strict=True):
                _panel(axes, rows, method, measure)
            grid[0, column].set_title(method)
            grid[1, column].set_xlabel(f"radius {RHO}")
        grid[0, 0].set_ylabel("worst cross entropy (nats)")
        grid[1, 0].set_ylabel("worst 0-1 error")
        handles, labels = grid[0, 0].get_legend_handles_labels()
        for place, handle in enumerate(handles[:2]):
            handles[place] = Line2D([], [], color=OTHER_COLOUR, marker=handle.get_marker(), markersize=3.5, linewidth=1)
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=7)
    return figure


class Verdicts(NamedTuple):
    """At how many methods and radii the certified cross entropy is lower than plain training's, higher, undecided; and
    at how many there are too few seeds to say.
    """

    lower: int
    higher: int
    undecided: int
    untold: int


def verdicts(rows: Sequence[BracketRow]) -> Verdicts:
    """By Holm's method at 5 %, over all methods and radii with enough seeds."""
    others = [method for method in distinct(row.method for row in rows) if method != PLAIN]
    radii = distinct(row.rho for row in rows)
    found = [against_plain(rows, method, rho, "entropy") for rho in radii for method in others]
    known = [one for one in found if one is not None]
    adjusted = holm([one.p for one in known])
    decided = [one.difference for one, p in zip(known, adjusted, strict=True) if p <= ALPHA]
    lower = sum(difference < 0 for difference in decided)
    return Verdicts(lower, len(decided) - lower, len(known) - len(decided), len(found) - len(known))


def _answer(rows: Sequence[BracketRow]) -> str:
    found = verdicts(rows)
    told = (
        f"Paired over seeds, Holm, 5 %: of {sum(found)} comparisons of a flat method's certified cross entropy with "
        f"{PLAIN}'s at the same radius, {found.lower} are lower, {found.higher} higher and {found.undecided} undecided"
    )
    return f"{told}; {found.untold} are open for want of seeds." if found.untold else f"{told}."


def _useless(rows: Sequence[BracketRow], measure: str) -> str:
    methods = distinct(row.method for row in rows)
    radii = {method: useless(rows, method, measure) for method in methods}
    return ", ".join(f"{method} {'none' if rho is None else f'{rho:g}'}" for method, rho in radii.items())


def _widths(rows: Sequence[BracketRow]) -> str:
    """At every radius the least and the greatest ratio of the ends, over the networks."""
    chosen = [row for row in rows if row.measure == "entropy"]
    told = []
    for rho in distinct(row.rho for row in chosen):
        ratios = [row.upper / row.lower for row in chosen if row.rho == rho]
        told.append(f"{rho:g}: {min(ratios):.3g} to {max(ratios):.3g}")
    return "; ".join(told)


def caption(content: Sequence[Brackets]) -> str:
    """Networks, examples, how wide the brackets are, where they become useless, and who is lower."""
    rows, one = data(content), content[0].bracketing
    spec = one.training
    radius = max(each.bracketing.training.rho_shared for each in content)
    seeds = ", ".join(str(seed) for seed in sorted({row.seed for row in rows}))
    return (
        f"{PROBLEM_TITLES[spec.problem]}, {MODEL_TITLES[spec.model]}, {spec.n_train:,} training examples, "
        f"{spec.epochs} epochs, last weights; sharpness-aware methods at {RHO} = {radius:g}; seeds {seeds}, "
        f"{len(content)} of {len(bracketings())} networks. "
        f"The greatest mean loss on the first {one.examples:,} training examples where trunk "
        f"and own head each move by at most {RHO}, mean over tasks and seeds: from below at the highest point that "
        f"{one.steps} steps of projected ascent from {one.restarts + 1} starts found, from above by the certificate "
        "through the layers' spectral norms, which is certain; both in float64. The truth lies between. The certified "
        f"cross entropy over the one found, least to greatest of the networks, is at {_widths(rows)}. The certificate "
        f"is no better than an even guess from these radii on: cross entropy {_useless(rows, 'entropy')}; error "
        f"{_useless(rows, 'error')}. {_answer(rows)} A network of smaller weights has a lower certificate at the same "
        "radius: no claim about generalisation follows."
    )


def provenance(content: Sequence[Brackets]) -> Lines:
    """Commits, versions, machines and time of all networks."""
    return of_runs([one.provenance for one in content], "Networks")


BRACKETS = StoredFile(
    name=STORED.name,
    title="The worst loss in the ball from both sides",
    command=COMMAND,
    read=read,
    provenance=provenance,
)

EXHIBIT = FileExhibit(
    name="figure_b_3_brackets",
    location="Fig. B.3",
    title="The worst loss in the ball, from below and from above",
    table=table,
    draw=draw,
    file=BRACKETS,
    data=data,
    caption=caption,
)
