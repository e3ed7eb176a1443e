"""Table L.1: what each aggregator promises, law by law, and the counterexamples to what it does not promise."""

from collections.abc import Sequence
from string import ascii_lowercase

import msgspec

from paper_figures.claims import CLAIMS, Claims, Verdict, law_title, witness_texts
from paper_figures.exhibit import Columns, FileExhibit, Linked, Table, distinct

HOLDS, FAILS = "✓", "✗"
SHORT = 10
"""So long a condition may be to stand in its cell."""


class ClaimRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One law and one method: the verdict, its condition, and the counterexample.

    Args:
        aggregator, matrix, changes: repr, task gradients, what the law does to them; None where there is no
            counterexample.
    """

    law: str
    meaning: str
    method: str
    verdict: Verdict
    condition: str | None
    aggregator: str | None
    matrix: str | None
    changes: str | None


def data(claims: Claims) -> tuple[ClaimRow, ...]:
    """Every law and method, in their own order."""
    cells = {(cell.law, cell.method): cell for cell in claims.cells}
    rows = []
    for law, meaning in claims.laws.items():
        for method in claims.methods:
            cell = cells[law, method]
            aggregator, matrix, changes = witness_texts(cell.witness)
            rows.append(
                ClaimRow(
                    law=law,
                    meaning=meaning,
                    method=method,
                    verdict=cell.verdict,
                    condition=cell.condition,
                    aggregator=aggregator,
                    matrix=matrix,
                    changes=changes,
                )
            )
    return tuple(rows)


def letters(count: int) -> tuple[str, ...]:
    """So many names of conditions: a to z, then aa, ab, ..."""
    singles = tuple(ascii_lowercase)
    return (*singles, *(first + second for first in singles for second in singles))[:count]


def _place(law: str, method: str = "") -> str:
    return "-".join(filter(None, ("counterexample", law, method)))


def table(rows: Sequence[ClaimRow]) -> Table:
    """One line a law, one column a method; short conditions, and letters for others, which the notes explain."""
    conditions = distinct(row.condition for row in rows if row.condition is not None and len(row.condition) > SHORT)
    names = {text: f"if {letter}" for text, letter in zip(conditions, letters(len(conditions)), strict=True)}
    marks = {
        (row.law, row.method): Linked(
            FAILS if row.condition is None else names.get(row.condition, row.condition),
            target=_place(row.law, row.method),
        )
        if row.aggregator
        else HOLDS
        for row in rows
    }
    methods = distinct(row.method for row in rows)
    return Table(
        columns=(Columns("", ("Law",)), Columns("", tuple(methods), cells="marks")),
        sections=(
            (
                "",
                tuple(
                    (Linked(law_title(law), target=_place(law)), *(marks[law, method] for method in methods))
                    for law in distinct(row.law for row in rows)
                ),
            ),
        ),
        notes=tuple((name, condition) for condition, name in names.items()),
    )


def counterexamples(rows: Sequence[ClaimRow]) -> Table:
    """One section a law, one line a method that does not promise it for all its arguments and inputs."""
    sections = []
    for law, meaning in distinct((row.law, row.meaning) for row in rows):
        broken = [row for row in rows if row.law == law and row.aggregator]
        ending = "" if broken else " (every method keeps it)"
        title = Linked(f"{law_title(law)}: {meaning}{ending}", name=_place(law))
        lines = tuple(
            (
                Linked(row.method, name=_place(law, row.method)),
                row.verdict if row.condition is None else f"{row.verdict} {row.condition}",
                row.aggregator or "",
                row.matrix or "",
                row.changes or "",
            )
            for row in broken
        )
        sections.append((title, lines))
    return Table(
        title="What the laws mean, and counterexamples",
        columns=(
            Columns("", ("Method",)),
            Columns("", ("The law",), cells="text"),
            Columns("is broken by", ("Aggregator", "Task gradients", "Changes"), cells="text"),
        ),
        sections=tuple(sections),
    )


def caption(claims: Claims) -> str:
    """The marks, who decides, and whether the first survey was right."""
    count = len(claims.contradictions)
    survey = "The first survey of the methods is contradicted nowhere."
    if count:
        places = "one place" if count == 1 else f"{count} places"
        survey = f"The first survey of the methods is contradicted in {places} (Table L.2)."
    return (
        f"{HOLDS}: holds for all arguments of the aggregator and all inputs, which is tested on random small matrices "
        f"and hard inputs, not proved. {FAILS}: fails. A condition (m: number of tasks), or a letter for one of those "
        f"below the table: holds under it, and fails in general. {FAILS} and conditions lead to counterexamples, each "
        f"of which a test runs: the law must fail there. {survey}"
    )


EXHIBIT = FileExhibit(
    name="table_l_1_laws",
    location="Table L.1",
    title="What each aggregator promises",
    table=table,
    details=counterexamples,
    file=CLAIMS,
    data=data,
    caption=caption,
)
