"""A theory of planted statements, as exhibits read it. For tests of reports only."""

from collections.abc import Sequence

from paper_figures.ledger import Theory
from tests.theory import planted
from theory.blueprint import Entry
from theory.reviewers import Answer
from theory.standing import standings

ANSWERS = (
    Answer("R9.1", "Is it <sharp> & sound?", ("sharp", "naive"), "Sharp in a flat world; the naive reading is false."),
    Answer("R9.2", "How often is it right?", ("coverage",), "Nearly always."),
)


def theory(blueprint: Sequence[Entry] = planted.BLUEPRINT) -> Theory:
    """Every check run here."""
    ledger = planted.checked(blueprint)
    return Theory(ledger, standings(ledger, blueprint), ANSWERS)
