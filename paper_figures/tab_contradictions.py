"""Table L.2: where the tests found otherwise than the first survey of the methods had expected."""

from collections.abc import Sequence

import msgspec

from paper_figures.claims import CLAIMS, Claims, law_title, witness_texts
from paper_figures.exhibit import Columns, FileExhibit, Table, distinct


class ContradictionRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One cell of the survey, what the tests found, and the input that shows it (None: no single input does)."""

    law: str
    method: str
    expected: str
    found: str
    aggregator: str | None
    matrix: str | None
    changes: str | None


def data(claims: Claims) -> tuple[ContradictionRow, ...]:
    """Every contradiction, by law."""
    laws = list(claims.laws)
    rows = []
    for one in sorted(claims.contradictions, key=lambda one: laws.index(one.law)):
        aggregator, matrix, changes = witness_texts(one.witness)
        rows.append(
            ContradictionRow(
                law=one.law,
                method=one.method,
                expected=one.expected,
                found=one.found,
                aggregator=aggregator,
                matrix=matrix,
                changes=changes,
            )
        )
    return tuple(rows)


def table(rows: Sequence[ContradictionRow]) -> Table:
    """One section a law."""
    return Table(
        columns=(
            Columns("", ("Method",)),
            Columns("", ("Expected", "Found"), cells="text"),
            Columns("Shown by", ("Aggregator", "Task gradients", "Changes"), cells="text"),
        ),
        sections=tuple(
            (
                law_title(law),
                tuple(
                    (
                        row.method,
                        row.expected,
                        row.found,
                        row.aggregator or "",
                        row.matrix or "",
                        row.changes or "",
                    )
                    for row in rows
                    if row.law == law
                ),
            )
            for law in distinct(row.law for row in rows)
        ),
    )


def caption(claims: Claims) -> str:
    """How many of how many."""
    return (
        f"The survey was written before the methods were; {len(claims.contradictions)} of its statements about "
        f"{len(claims.cells)} pairs of a law and a method did not stand the tests. Table L.1 shows what did."
    )


EXHIBIT = FileExhibit(
    name="table_l_2_contradictions",
    location="Table L.2",
    title="Contradictions to the first survey",
    table=table,
    file=CLAIMS,
    data=data,
    caption=caption,
)
