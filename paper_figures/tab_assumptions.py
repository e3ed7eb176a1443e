"""Table T.4: all that the theory assumes, premises and textbook facts, and the theorems that rest on it."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from paper_figures.exhibit import Columns, FileExhibit, Linked, Table
from paper_figures.ledger import KINDS, LEDGER, Theory, joined, place
from theory.standing import ancestors

Assumed = Literal["premise", "textbook"]
ASSUMED: tuple[Assumed, ...] = ("premise", "textbook")


class AssumptionRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One assumption. ``theorems``: those whose proofs use it, directly or not; ``statements``: how many of all do."""

    label: str
    kind: Assumed
    words: str
    source: str
    theorems: str
    statements: int


def data(theory: Theory) -> tuple[AssumptionRow, ...]:
    """Premises first."""
    uses = {label: standing.entry.uses for label, standing in theory.found.items()}
    rests = {label: ancestors(label, uses) for label in uses}
    rows = []
    for kind in ASSUMED:
        for entry in (standing.entry for standing in theory.of_kind(kind) if standing.entry.expected == "assumed"):
            users = [label for label in uses if entry.label in rests[label]]
            rows.append(
                AssumptionRow(
                    label=entry.label,
                    kind=kind,
                    words=entry.words,
                    source=entry.source,
                    theorems=joined(label for label in users if theory.found[label].entry.kind == "theorem"),
                    statements=len(users),
                )
            )
    return tuple(rows)


def table(rows: Sequence[AssumptionRow]) -> Table:
    """One section of premises, one of textbook facts."""
    return Table(
        columns=(
            Columns("", ("Label",)),
            Columns("", ("What is assumed", "Source", "Theorems that rest on it"), cells="text"),
            Columns("", ("statements",)),
        ),
        sections=tuple(
            (
                KINDS[kind],
                tuple(
                    (
                        Linked(row.label, target=place(row.label)),
                        row.words,
                        row.source,
                        row.theorems or "none",
                        str(row.statements),
                    )
                    for row in rows
                    if row.kind == kind
                ),
            )
            for kind in ASSUMED
            if any(row.kind == kind for row in rows)
        ),
    )


def caption(theory: Theory) -> str:
    """Who rests on no premise."""
    uses = {label: standing.entry.uses for label, standing in theory.found.items()}
    premises = {standing.entry.label for standing in theory.of_kind("premise")}
    theorems = [standing.entry.label for standing in theory.of_kind("theorem")]
    free = [label for label in theorems if premises.isdisjoint(ancestors(label, uses))]
    return (
        "Everything that is assumed and not checked here. Statements: how many of all rest on it, directly or not. "
        f"Theorems that rest on no premise: {joined(free) or 'none'}. Which theorem holds at all, Table T.1 says."
    )


EXHIBIT = FileExhibit(
    name="table_t_4_assumptions",
    location="Table T.4",
    title="Assumptions",
    table=table,
    file=LEDGER,
    data=data,
    caption=caption,
)
