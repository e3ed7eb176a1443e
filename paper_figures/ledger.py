"""The kept ledger as exhibits read it: every statement of the theory, and what is known of it with these sources."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from experiments.results import StoreError
from paper_figures.exhibit import StoredFile
from theory.blueprint import BLUEPRINT, Kind
from theory.ledger import Ledger, LedgerError, read
from theory.reviewers import ANSWERS, Answer
from theory.standing import COMMAND, Standing, standings

KINDS: dict[Kind, str] = {
    "theorem": "Theorems",
    "lemma": "Lemmas",
    "equation": "Equations",
    "remark": "Remarks",
    "definition": "Definitions",
    "premise": "Premises: statements about the world, assumed",
    "textbook": "Facts of textbooks, assumed",
}
"""Titles, in the order of the tables."""


@dataclass(frozen=True)
class Theory:
    """Every statement with its verdicts, the run that they come from, and the answers to reviewers."""

    ledger: Ledger
    found: Mapping[str, Standing]
    answers: tuple[Answer, ...]

    def of_kind(self, kind: Kind) -> tuple[Standing, ...]:
        """In the blueprint's order."""
        return tuple(standing for standing in self.found.values() if standing.entry.kind == kind)


def read_theory(path: Path) -> Theory:
    """Read the ledger strictly; records of other sources than the present ones count as undecided."""
    try:
        ledger = read(path)
    except LedgerError as error:
        raise StoreError(str(error)) from error
    return Theory(ledger, standings(ledger, BLUEPRINT), ANSWERS)


def provenance(theory: Theory) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Versions of what decided, the time it took, and how many records are of other sources."""
    stale = sum(bool(standing.stale) for standing in theory.found.values())
    return (
        *((name, (version,)) for name, version in theory.ledger.versions.items()),
        ("Time", (f"{theory.ledger.seconds:,.0f} s",)),
        ("Statements", (str(len(theory.found)),)),
        ("Without a record of the present sources", (str(stale),)),
    )


def joined(labels: Iterable[str]) -> str:
    """Labels in one cell."""
    return ", ".join(labels)


def place(label: str) -> str:
    """Where the first table has a statement, as a name on the page."""
    return f"statement-{label}"


LEDGER = StoredFile(
    name="ledger.json",
    title="Ledger of the theory",
    command=COMMAND,
    read=read_theory,
    provenance=provenance,
)
