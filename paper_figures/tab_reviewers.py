"""Table T.2: what reviewers asked of the theory, the answers, and the verdicts of the statements behind them."""

from collections.abc import Sequence

import msgspec

from paper_figures.exhibit import Columns, FileExhibit, Table
from paper_figures.ledger import LEDGER, Theory, joined


class AnswerRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One question. ``verdicts``: each statement that the answer rests on, with the weakest of all that it uses."""

    identity: str
    question: str
    answer: str
    verdicts: str


def data(theory: Theory) -> tuple[AnswerRow, ...]:
    """Every question, in their own order."""
    return tuple(
        AnswerRow(
            identity=one.identity,
            question=one.question,
            answer=one.answer,
            verdicts=joined(f"{label} ({theory.found[label].folded})" for label in one.labels),
        )
        for one in theory.answers
    )


def table(rows: Sequence[AnswerRow]) -> Table:
    """One line a question."""
    return Table(
        columns=(Columns("", ("No.",)), Columns("", ("Question", "Answer", "Statements (verdicts)"), cells="text")),
        sections=(("", tuple((row.identity, row.question, row.answer, row.verdicts) for row in rows)),),
    )


def caption(theory: Theory) -> str:
    """Where the questions come from, and which verdicts stand here."""
    return (
        f"{len(theory.answers)} questions of the paper's public reviews, by reviewer. Verdicts: the weakest of all "
        "that a statement rests on (Table T.1)."
    )


EXHIBIT = FileExhibit(
    name="table_t_2_reviewers",
    location="Table T.2",
    title="Reviewers' questions",
    table=table,
    file=LEDGER,
    data=data,
    caption=caption,
)
