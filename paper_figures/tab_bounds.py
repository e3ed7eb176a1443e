"""Table T.5: Theorem 1 and the theorems in its place in numbers, at the norms of trained networks."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from experiments.results import Result
from experiments.spec import ProfileName, Spec
from paper_figures import bounds
from paper_figures.bounds import LIMIT, THEOREMS, Radii
from paper_figures.exhibit import (
    ERM_COLOUR,
    FLAT_COLOUR,
    OTHER_COLOUR,
    STYLE,
    Columns,
    Row,
    RunExhibit,
    Table,
    distinct,
    method_colour,
)
from paper_figures.runs import PROBLEM_TITLES, RHO, protocol

NORMS = ("norm, shared", "norm, largest head")
RATIOS = ("norm / radius, shared", "norm / radius, largest head")


COLOURS = {"plain training": ERM_COLOUR, "flat methods": FLAT_COLOUR, "others": OTHER_COLOUR}
"""What the figure tells apart."""


class BoundRow(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One quantity over ``n`` seeds, at these radii: a norm, a norm over its radius, or the term of a theorem.

    ``vacuous``: of how many seeds the term is L or more; None for norms.
    """

    method: str
    setting: str
    rho_shared: float
    rho_heads: float
    n: int
    quantity: str
    mean: float
    lowest: float
    highest: float
    vacuous: int | None


@dataclass(frozen=True)
class _Line:
    """What the rows of one method, setting and radius share."""

    profile: ProfileName
    problem: str
    method: str
    setting: str
    at: Radii

    def row(self, quantity: str, values: Sequence[float], vacuous: int | None = None) -> BoundRow:
        return BoundRow(
            profile=self.profile,
            problem=self.problem,
            method=self.method,
            setting=self.setting,
            rho_shared=self.at[0],
            rho_heads=self.at[1],
            n=len(values),
            quantity=quantity,
            mean=statistics.fmean(values),
            lowest=min(values),
            highest=max(values),
            vacuous=vacuous,
        )

    def rows(self, members: Sequence[Result]) -> list[BoundRow]:
        settings = [bounds.setting(result, self.at) for result in members]
        norms = [[one.norm_shared for one in settings], [max(one.norm_heads) for one in settings]]
        rows = [self.row(name, values) for name, values in zip(NORMS, norms, strict=True)]
        for name, values, radius in zip(RATIOS, norms, self.at, strict=True):
            rows.append(self.row(name, [value / radius for value in values]))
        for name, theorem in THEOREMS.items():
            found = [theorem(one) for one in settings]
            rows.append(self.row(name, [one.value for one in found], sum(one.vacuous for one in found)))
        return rows


def data(results: Sequence[Result], profile: ProfileName) -> tuple[BoundRow, ...]:
    """Every method at its own radii; those without, at each that another method of the problem was trained with."""
    return tuple(
        row
        for run in bounds.evaluated([result for result in results if result.spec.profile == profile])
        for row in _Line(profile, run.problem, run.method, run.setting, run.at).rows(run.members)
    )


def figures(value: float) -> str:
    """Three of them, or all before the point."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:#.3g}".rstrip(".")


def _cell(row: BoundRow) -> str:
    """Mean, and the range where the digits shown tell its ends apart."""
    low, high = figures(row.lowest), figures(row.highest)
    return figures(row.mean) if low == high else f"{figures(row.mean)} ({low}–{high})"


def table(rows: Sequence[BoundRow]) -> Table:
    """One section a problem, one line a method and setting."""
    cells = {(row.problem, row.method, row.setting, row.quantity): row for row in rows}
    lines: dict[str, list[tuple[str, ...]]] = {}
    for key in distinct((row.problem, row.method, row.setting) for row in rows):
        problem, method, setting = key
        values = [cells[*key, name] for name in THEOREMS]
        line = (
            *(method, setting, str(values[0].n)),
            *(_cell(cells[*key, name]) for name in NORMS),
            *(figures(cells[*key, name].mean) for name in RATIOS),
            *map(_cell, values),
            ", ".join(row.quantity for row in values if not row.vacuous) or "none",
        )
        lines.setdefault(problem, []).append(line)
    return Table(
        columns=(
            Columns("", ("Method", "Setting", "n")),
            Columns("Norm", ("shared", "head")),
            Columns(f"Norm / {RHO}", ("shared", "head")),
            Columns("Complexity term", tuple(THEOREMS)),
            Columns("Below L", ("in all runs",)),
        ),
        sections=tuple((PROBLEM_TITLES[problem], tuple(section)) for problem, section in lines.items()),
        notes=((bounds.AT, "trained without a radius, evaluated at each radius of the flat methods of the problem"),),
    )


def draw(rows: Sequence[BoundRow]) -> Figure:
    """One problem: the term of every theorem and method, beside L."""
    heights = {name: index for index, name in enumerate(THEOREMS)}
    values = [row for row in rows if row.quantity in heights]
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(figsize=(7.5, 2.7), layout="constrained")
        for label, colour in COLOURS.items():
            chosen = [row for row in values if method_colour(row.method) == colour]
            if chosen:
                places = [heights[row.quantity] for row in chosen]
                axes.plot([row.mean for row in chosen], places, "|", markersize=11, color=colour, label=label)
        axes.axvline(LIMIT, color="black", linewidth=0.9)
        axes.set_xscale("log")
        axes.set_xlim(0.1 * LIMIT, 2 * max(LIMIT, *(row.mean for row in values)))
        axes.axvspan(LIMIT, axes.get_xlim()[1], color="#f1eee6", zorder=0)
        axes.set_xlabel(f"complexity term; from L = {LIMIT:g} on (shaded) it says nothing")
        axes.set_yticks(range(len(THEOREMS)), list(THEOREMS))
        axes.set_ylim(len(THEOREMS) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        figure.legend(loc="outside lower center", ncols=len(COLOURS), fontsize=7)
        figure.suptitle(f"{PROBLEM_TITLES[rows[0].problem]}, profile {rows[0].profile}")
    return figure


def caption(specs: Sequence[Spec]) -> str:
    """What is evaluated at what, what is left out, and when a theorem says nothing."""
    return (
        f"{protocol(specs)}. {bounds.SETTING} Of the tasks the largest value; mean over n seeds, in brackets the range "
        "where the digits tell it apart. The worst case itself comes on top and is no part of the table: where the "
        "term alone is L or more, the bound says nothing. The last column names the theorems whose term stays below L "
        "in all n runs. Theorem 1 is as published, with one ball of the smaller radius around trunk and head, "
        "log(1/delta) for each task and without L / sqrt N. It, B, the square-root form of B and Foret's bound assume "
        "that Gaussian noise does not lower the population risk at these parameters; A, A' and C do not. Foret's bound "
        "(SAM, theorem 2) is for the same ball as Theorem 1; as published it is looser than its corrected form, which "
        "has log m and the tail of the noise in it. A' is for a weighted mean of the tasks, C for one common "
        "perturbation of all tasks. Single-task networks share nothing and are left out."
    )


EXHIBIT = RunExhibit(
    name="table_t_5_bounds",
    location="Table T.5",
    title="Theorem 1 in numbers",
    uses=bounds.uses,
    data=data,
    draw=draw,
    table=table,
    caption=caption,
)
