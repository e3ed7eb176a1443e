"""Statements that nobody believes in, for tests of what runs and folds them: each check fails in a way of its own."""

import os
import time
from collections.abc import Sequence

from theory.blueprint import Entry, Expected, Kind
from theory.ledger import Finding, Ledger, Record, Twin, Verdict, judged
from theory.sources import sources
from theory.verify import Answer, answer, record

HERE = "tests.theory.planted"
TRUE = Twin(change="a true neighbour", verdict=Verdict.UNSAT, evidence="the negation is unsatisfiable")
FALSE = Twin(change="a false neighbour", verdict=Verdict.REFUTED, evidence="x = 1/2")


def holds() -> list[Finding]:
    """Decided in favour."""
    return [judged("x + 0", "x + 0 = x", "algebra", Verdict.IDENTITY, "0", [FALSE])]


def refuted() -> list[Finding]:
    """Decided against."""
    return [judged("x > 0", "x > 0 for all real x", "smt", Verdict.REFUTED, "x = -1", [TRUE])]


def simulated() -> list[Finding]:
    """Not rejected."""
    return [judged("mean", "the mean is 0", "simulation", Verdict.NOT_REJECTED, "1,000 draws", [FALSE], level=0.01)]


def hasty() -> list[Finding]:
    """Holds, but its twin is not told apart."""
    blind = Twin(change="a false neighbour", verdict=Verdict.UNSAT, evidence="accepted as well")
    return [judged("blind", "anything", "smt", Verdict.UNSAT, "accepted", [blind])]


def slow() -> list[Finding]:
    """Never in time."""
    time.sleep(60)
    return holds()


def raises() -> list[Finding]:
    """Breaks."""
    raise ArithmeticError("no such number")


def dies() -> list[Finding]:
    """Takes its process with it."""
    os._exit(7)


def empty() -> list[Finding]:
    """Finds nothing."""
    return []


def untyped() -> list[Finding]:
    """Finds what is no finding."""
    return [judged(3, "x = x", "algebra", Verdict.IDENTITY, "0", [FALSE])]  # type: ignore[arg-type]


def entry(
    label: str,
    *checks: str,
    kind: Kind = "lemma",
    uses: tuple[str, ...] = (),
    expected: Expected = "holds",
    weaker: str = "",
) -> Entry:
    """A statement with checks of this module; what is assumed has a source."""
    return Entry(
        label,
        kind,
        f"Title of {label}",
        r"x_{1} \le 1",
        f"What {label} says & means.",
        checks=tuple(f"{HERE}:{check}" for check in checks),
        uses=uses,
        expected=expected,
        weaker=weaker,
        source=f"A. Nonymous, {label} (1900)" if expected == "assumed" else "",
    )


BLUEPRINT = (
    entry("measure", kind="textbook", expected="assumed"),
    entry("flat-world", kind="premise", expected="assumed"),
    entry("sum", "holds", uses=("measure",)),
    entry("coverage", "simulated", uses=("sum",)),
    entry("bound", "holds", kind="theorem", uses=("coverage", "measure"), weaker="for N >= 8 only"),
    entry("sharp", "holds", kind="theorem", uses=("sum", "flat-world")),
    entry("naive", "refuted", kind="remark", uses=("sum",), expected="refuted"),
)
"""Two theorems, one on a simulation and one on a premise, and a remark that is false."""


def ledger(*records: Record) -> Ledger:
    """These records as one run."""
    return Ledger(schema_version=1, versions={"python": "3.11.0"}, seconds=1.5, records=records)


def checked(blueprint: Sequence[Entry]) -> Ledger:
    """All checks of these entries, run here."""
    answers: dict[str, Answer] = {check: answer(check) for entry in blueprint for check in entry.checks}
    return ledger(*(record(entry, answers, sources(entry.checks)) for entry in blueprint))
