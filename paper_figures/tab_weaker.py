"""Table T.3: statements of the theory that say less than the paper's wording, and why."""

from collections.abc import Sequence

import msgspec

from paper_figures.exhibit import Columns, FileExhibit, Linked, Table
from paper_figures.ledger import LEDGER, Theory, place
from theory.ledger import Verdict


class WeakerRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One statement, where the paper has a stronger one, and the reason for the difference."""

    label: str
    words: str
    paper: str
    reason: str
    folded: Verdict


def data(theory: Theory) -> tuple[WeakerRow, ...]:
    """Every statement with a reason, in the blueprint's order."""
    return tuple(
        WeakerRow(
            label=label,
            words=standing.entry.words,
            paper=standing.entry.paper,
            reason=standing.entry.weaker,
            folded=standing.folded,
        )
        for label, standing in theory.found.items()
        if standing.entry.weaker
    )


def table(rows: Sequence[WeakerRow]) -> Table:
    """One line a statement."""
    return Table(
        columns=(
            Columns("", ("Label",)),
            Columns("", ("Statement", "In the paper", "Says less because", "Verdict"), cells="text"),
        ),
        sections=(
            (
                "",
                tuple(
                    (Linked(row.label, target=place(row.label)), row.words, row.paper, row.reason, row.folded.value)
                    for row in rows
                ),
            ),
        ),
    )


def caption(theory: Theory) -> str:
    """How many of how many."""
    count = sum(bool(standing.entry.weaker) for standing in theory.found.values())
    return (
        f"{count} of {len(theory.found)} statements say less than the paper's wording. Verdict: the weakest of all "
        "that a statement rests on."
    )


EXHIBIT = FileExhibit(
    name="table_t_3_weaker",
    location="Table T.3",
    title="Weaker than the paper's wording, and why",
    table=table,
    file=LEDGER,
    data=data,
    caption=caption,
)
