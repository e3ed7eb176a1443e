"""Fig. T.1: what each statement of the theory rests on, all together and theorem by theorem."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import matplotlib.pyplot as plt
import msgspec
from matplotlib.figure import Figure

from paper_figures.exhibit import STYLE, Columns, Drawing, FileExhibit, Linked, Table
from paper_figures.ledger import LEDGER, Theory, joined, place
from theory import graph
from theory.blueprint import Kind
from theory.layout import Node, below, depths, nodes_of, reduced
from theory.ledger import Verdict


class DependencyRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One statement: labels that its proof uses (separated by blanks), its own verdict and the weakest of them all.

    ``depth``: statements on the longest chain below it; what uses nothing stands just before its first use.
    """

    label: str
    kind: Kind
    depth: int
    own: Verdict
    folded: Verdict
    uses: str


def data(theory: Theory) -> tuple[DependencyRow, ...]:
    """Every statement, in the blueprint's order."""
    depth = depths(reduced(nodes_of(theory.found)))
    return tuple(
        DependencyRow(
            label=label,
            kind=standing.entry.kind,
            depth=depth[label],
            own=standing.own,
            folded=standing.folded,
            uses=" ".join(standing.entry.uses),
        )
        for label, standing in theory.found.items()
    )


def nodes(rows: Sequence[DependencyRow]) -> tuple[Node, ...]:
    """As they are drawn."""
    return tuple(Node(row.label, row.kind, row.own, row.folded, tuple(row.uses.split())) for row in rows)


def draw(rows: Sequence[DependencyRow], label: str = "") -> Figure:
    """All statements, or one with all that it rests on."""
    shown = nodes(rows)
    with plt.style.context(STYLE):
        return graph.draw(below(shown, label) if label else shown)


def table(rows: Sequence[DependencyRow]) -> Table:
    """One section a depth, one line a statement."""
    users = {row.label: joined(other.label for other in rows if row.label in other.uses.split()) for row in rows}
    return Table(
        columns=(Columns("", ("Statement",)), Columns("", ("uses", "is used by"), cells="text")),
        sections=tuple(
            (
                f"Depth {depth}",
                tuple(
                    (Linked(row.label, target=place(row.label)), joined(row.uses.split()), users[row.label])
                    for row in rows
                    if row.depth == depth
                ),
            )
            for depth in sorted({row.depth for row in rows})
        ),
    )


def caption(theory: Theory) -> str:
    """How the graph is to be read."""
    return (
        "From left to right: what is assumed, lemmas, theorems; an edge leads to what uses it, and is left out where "
        "others imply it. Colour: the weakest verdict of all that a statement rests on; strip: its own. First all "
        f"{len(theory.found)} statements, those without an edge below the others; then each theorem with all that it "
        "rests on."
    )


@dataclass(frozen=True)
class GraphExhibit(FileExhibit[DependencyRow, Theory]):
    """One figure of all statements, and one a theorem."""

    def drawings(self, rows: Sequence[DependencyRow]) -> tuple[Drawing, ...]:
        theorems = [row.label for row in rows if row.kind == "theorem"]
        return (
            Drawing("", "", partial(draw, rows)),
            *(Drawing(label, label, partial(draw, rows, label)) for label in theorems),
        )


EXHIBIT = GraphExhibit(
    name="figure_t_1_dependencies",
    location="Fig. T.1",
    title="What rests on what",
    table=table,
    file=LEDGER,
    data=data,
    caption=caption,
)
