"""Tables M.1 and M.2: faults put into the core, how many of them the tests notice, and which they do not."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from paper_figures.exhibit import Columns, FileExhibit, Table, distinct
from paper_figures.mutation import MUTATION, Counts, Summary

Part = Literal["origin", "module"]
PARTS: dict[Part, str] = {"origin": "By origin", "module": "By module"}


class MutationRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Mutants of one origin, or of one module: counts, and the score with the interval of a sample."""

    part: Part
    name: str
    mutants: int
    killed: int
    timed_out: int
    explained: int
    survived: int
    score: float | None
    low: float | None
    high: float | None


class SurvivorRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fault that no test notices: the text that is gone, the text in its place, and the reason if it has one."""

    identity: str
    file: str
    line: int
    removed: str
    added: str
    tests: int
    reason: str | None


def _row(part: Part, name: str, counts: Counts, low: float | None = None, high: float | None = None) -> MutationRow:
    return MutationRow(
        part=part,
        name=name,
        mutants=counts.mutants,
        killed=counts.killed,
        timed_out=counts.timed_out,
        explained=counts.explained,
        survived=counts.survived,
        score=counts.score,
        low=low,
        high=high,
    )


def data(summary: Summary) -> tuple[MutationRow, ...]:
    """Mutants by hand, the sample of the automatic ones, then module by module."""
    sample = f"automatic, sample of {summary.population:,}"
    return (
        _row("origin", "by hand", summary.hand),
        _row("origin", sample, summary.automatic, summary.low, summary.high),
        *(_row("module", name, counts) for name, counts in summary.modules.items()),
    )


def _side(diff: str, sign: str) -> str:
    """The lines of one side of a patch, in one."""
    return " ".join(word for line in diff.splitlines() if line.startswith(sign) for word in line[1:].split())


def survivors(summary: Summary) -> tuple[SurvivorRow, ...]:
    """Every survivor, those without an explanation first."""
    return tuple(
        SurvivorRow(
            identity=one.identity,
            file=one.file,
            line=one.line,
            removed=_side(one.diff, "-"),
            added=_side(one.diff, "+"),
            tests=one.tests,
            reason=one.reason,
        )
        for one in sorted(summary.survivors, key=lambda one: one.reason is not None)
    )


def percent(share: float | None) -> str:
    """One digit after the point, rounded down: 100.0 means all. Empty for None."""
    return "" if share is None else f"{int(1000 * share + 1e-9) / 10:.1f}"


def table(rows: Sequence[MutationRow]) -> Table:
    """One line an origin, one line a module."""
    return Table(
        columns=(
            Columns("", ("Mutants",)),
            Columns("", ("in all",)),
            Columns("Killed", ("in all", "by time")),
            Columns("Not killed", ("explained", "unexplained")),
            Columns("Score (%)", ("killed", "95 % interval")),
        ),
        sections=tuple(
            (
                PARTS[part],
                tuple(
                    (
                        row.name,
                        f"{row.mutants:,}",
                        f"{row.killed:,}",
                        f"{row.timed_out:,}",
                        f"{row.explained:,}",
                        f"{row.survived:,}",
                        percent(row.score),
                        "" if row.low is None else f"{percent(row.low)}–{percent(row.high)}",
                    )
                    for row in rows
                    if row.part == part
                ),
            )
            for part in distinct(row.part for row in rows)
        ),
    )


def survivors_table(rows: Sequence[SurvivorRow]) -> Table:
    """One section without and one with an explanation."""
    titles = {False: "Without an explanation", True: "Explained: no promise of the core tells it apart"}
    return Table(
        columns=(
            Columns("", ("Place",)),
            Columns("", ("Mutant", "Instead of", "stands", "Why it may survive"), cells="text"),
            Columns("", ("tests run",)),
        ),
        sections=tuple(
            (
                titles[explained],
                tuple(
                    (f"{row.file}:{row.line}", row.identity, row.removed, row.added, row.reason or "", str(row.tests))
                    for row in rows
                    if (row.reason is not None) is explained
                ),
            )
            for explained in distinct(row.reason is not None for row in rows)
        ),
    )


def caption(summary: Summary) -> str:
    """What a mutant is, when it is killed, and what the interval speaks of."""
    partial = (
        " Only chosen mutants or tests were run: these figures mean nothing." if summary.provenance.partial else ""
    )
    return (
        "A mutant is the core with one fault: by hand, what somebody could misread in the paper or a method; "
        f"automatic, one of {summary.population:,} small changes of the syntax tree, of which a sample of "
        f"{summary.automatic.mutants:,} was drawn. It is killed when one of the tests that execute it fails, by time "
        "when one takes ten times its own time and seconds more. The score is the killed share of those that are not "
        "explained as equal to the core in all that it promises; the interval (Clopper and Pearson) is the sample's "
        f"alone.{partial}"
    )


def survivors_caption(summary: Summary) -> str:
    """How many, with and without a reason."""
    explained = summary.hand.explained + summary.automatic.explained
    return (
        f"{summary.hand.survived + summary.automatic.survived:,} mutants survive without an explanation, "
        f"{explained:,} with one. Tests run: all that execute the changed lines; "
        "against an explained one it may be the fastest of them only."
    )


EXHIBIT = FileExhibit(
    name="table_m_1_mutants",
    location="Table M.1",
    title="Faults that the tests notice",
    table=table,
    file=MUTATION,
    data=data,
    caption=caption,
)

SURVIVORS = FileExhibit(
    name="table_m_2_survivors",
    location="Table M.2",
    title="Faults that the tests do not notice",
    table=survivors_table,
    file=MUTATION,
    data=survivors,
    caption=survivors_caption,
)
