"""What the complexity terms of Table T.5 consist of, for one trained network a problem."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from experiments.results import Result
from experiments.spec import ProfileName, Spec
from paper_figures import bounds
from paper_figures.bounds import THEOREMS
from paper_figures.exhibit import STYLE, Columns, Row, RunExhibit, Table, distinct
from paper_figures.runs import PROBLEM_TITLES, problem_rank, protocol


class TermRow(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One term of one theorem for one network.

    ``place``: ``sum``, a part of C under the root, or of the bracket over sqrt N where there is no root, in nats;
    ``beside``, what stands beside the root, in units of the loss. ``share`` of the sum; None beside it.
    """

    method: str
    setting: str
    seed: int
    theorem: str
    term: str
    place: bounds.Place
    value: float
    share: float | None


def uses(spec: Spec) -> bool:
    """Decomposed training in the theorems' balls."""
    return bounds.uses(spec) and spec.mode == "decomposed"


def data(results: Sequence[Result], profile: ProfileName) -> tuple[TermRow, ...]:
    """Of each problem the first seed of the decomposed method and setting with the best mean validation accuracy."""
    runs = list(bounds.evaluated([one for one in results if one.spec.profile == profile and uses(one.spec)]))
    rows = []
    for problem in sorted({run.problem for run in runs}, key=problem_rank):
        best = max((run for run in runs if run.problem == problem), key=lambda run: run.validation_accuracy)
        network = best.members[0]
        for name, theorem in THEOREMS.items():
            for place, term, value, share in bounds.parts(theorem(bounds.setting(network, best.at))):
                rows.append(
                    TermRow(
                        profile=profile,
                        problem=problem,
                        method=best.method,
                        setting=best.setting,
                        seed=network.spec.seed,
                        theorem=name,
                        term=term,
                        place=place,
                        value=value,
                        share=share,
                    )
                )
    return tuple(rows)


KINDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "trunk, alone or with a head": ("o", "#0072B2", ("whole network", "shared block")),
    "heads": ("s", "#56B4E9", ("head", "heads")),
    "norms and priors unknown beforehand": ("D", "#D55E00", ("scales", "prior grid", "grid step")),
    "confidence, number of tasks, pieces": ("^", "#009E73", ("confidence", "tasks", "pieces")),
    "other terms": ("x", "#555555", ("log(2 sqrt N)", "log N", "L^2/8", "outside the ball")),
}
"""What the figure tells apart: marker, colour, and the terms of the kind, in the order of the table."""


def _cell(row: TermRow | None) -> str:
    if row is None:
        return ""
    if row.share is None:
        return f"{row.value:.4f}"
    nats = f"{row.value:,.1f}" if row.value >= 0.05 else f"{row.value:.1g}"
    return f"{nats} (" + ("< 0.01 %)" if row.share < 1e-4 else f"{100 * row.share:.2f} %)")


def _network(row: TermRow) -> str:
    return f"{row.method} ({row.setting}), seed {row.seed}"


def _section(rows: Sequence[TermRow]) -> tuple[tuple[str, ...], ...]:
    """A line a term, their sum, and a line for each that stands beside a root."""
    cells = {(row.place, row.term, row.theorem): row for row in rows}
    sums = [sum(row.value for row in rows if (row.theorem, row.place) == (name, "sum")) for name in THEOREMS]
    inside = [term for _, _, terms in KINDS.values() for term in terms]
    beside = distinct(row.term for row in rows if row.place == "beside")
    return (
        *((term, *(_cell(cells.get(("sum", term, name))) for name in THEOREMS)) for term in inside),
        ("sum", *(f"{value:,.1f}" for value in sums)),
        *(
            (f"beside the root: {term}", *(_cell(cells.get(("beside", term, name))) for name in THEOREMS))
            for term in beside
        ),
    )


def table(rows: Sequence[TermRow]) -> Table:
    """One section a problem."""
    sections = []
    for problem in distinct(row.problem for row in rows):
        chosen = [row for row in rows if row.problem == problem]
        sections.append((f"{PROBLEM_TITLES[problem]}: {_network(chosen[0])}", _section(chosen)))
    return Table(
        columns=(Columns("", ("Term",)), Columns("Nats (share of the sum)", tuple(THEOREMS))), sections=tuple(sections)
    )


def draw(rows: Sequence[TermRow]) -> Figure:
    """One network: every term of every theorem's sum."""
    heights = {name: index for index, name in enumerate(THEOREMS)}
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(figsize=(8.5, 2.9), layout="constrained")
        for label, (marker, colour, terms) in KINDS.items():
            chosen = [row for row in rows if row.place == "sum" and row.term in terms]
            places = [heights[row.theorem] for row in chosen]
            axes.plot([row.value for row in chosen], places, marker, color=colour, markersize=4.5, label=label)
        axes.set_xscale("log")
        axes.set_xlabel("terms of C, or of the bracket (nats)")
        axes.set_yticks(range(len(THEOREMS)), list(THEOREMS))
        axes.set_ylim(len(THEOREMS) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        figure.legend(loc="outside lower center", ncols=len(KINDS), fontsize=7)
        figure.suptitle(f"{PROBLEM_TITLES[rows[0].problem]}, profile {rows[0].profile}: {_network(rows[0])}")
    return figure


def caption(specs: Sequence[Spec]) -> str:
    """Which network, what the terms are parts of, and what the names mean."""
    return (
        f"{protocol(specs)}. {bounds.SETTING} Shown is one network a problem, the first seed of the decomposed method "
        "and setting with the best mean validation accuracy, and of its tasks the one with the largest value. A, A', "
        "C, the square-root form of B and Foret's bound are L sqrt(C / (2N)) plus what stands beside the root: the "
        "terms add up to C. Theorem 1 and B are a bracket over sqrt N: the terms add up to the bracket. Scales, prior "
        "grid and grid step are the price of norms that are not known before the sample, pieces that of one "
        "perturbation for all tasks."
    )


EXHIBIT = RunExhibit(
    name="figure_t_2_bound_terms",
    location="Fig. T.2",
    title="What the complexity terms consist of",
    uses=uses,
    data=data,
    draw=draw,
    table=table,
    caption=caption,
)
