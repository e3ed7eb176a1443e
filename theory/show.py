"""What a terminal shows: the table of all statements with its counts, and one statement with all that is known."""

from collections import Counter
from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from theory.ledger import ORDER, Finding, Verdict
from theory.standing import Standing, Standings

STYLES = {
    Verdict.NOT_REJECTED: "cyan",
    Verdict.TEXTBOOK: "blue",
    Verdict.PREMISE: "magenta",
    Verdict.UNDECIDED: "yellow",
    Verdict.REFUTED: "red",
}


def coloured(verdict: Verdict) -> str:
    """As markup of rich."""
    return f"[{STYLES.get(verdict, 'green')}]{verdict}[/]"


def overview(found: Standings, console: Console) -> None:
    """One line a statement, then the counts."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("label", no_wrap=True)
    for title in ("kind", "own verdict", "with what it uses", "which it has from"):
        table.add_column(title)
    table.add_column("s", justify="right")
    for label, standing in found.items():
        seconds = "" if standing.record is None else f"{standing.record.seconds:.1f}"
        cells = (coloured(standing.own), coloured(standing.folded), escape(", ".join(standing.inherited)), seconds)
        table.add_row(escape(label), standing.entry.kind, *cells)
    console.print(table)
    for line in summary(found):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def summary(found: Standings) -> Iterator[str]:
    """Counts by verdict, what rests on simulations alone, and what says less than the paper."""
    for name, verdicts in (
        ("own verdicts", Counter(standing.own for standing in found.values())),
        ("with what they use", Counter(standing.folded for standing in found.values())),
    ):
        counts = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in ORDER if verdicts[verdict])
        yield f"{len(found)} statements, {name}: {counts}"
    simulated = [label for label, standing in found.items() if standing.simulated]
    yield ": ".join([f"on simulations alone: {len(simulated)}", *filter(None, [", ".join(simulated)])])
    weaker = [(label, standing.entry.weaker) for label, standing in found.items() if standing.entry.weaker]
    yield f"weaker than the paper's wording: {len(weaker)}"
    for label, reason in weaker:
        yield f"  {label}: {reason}"


def statement(standing: Standing, found: Standings) -> Iterator[str]:
    """One statement: what it says, what was found, and what hangs on it, as lines of plain text."""
    entry = standing.entry
    yield f"{entry.label}: {entry.title} ({entry.kind}; paper: {entry.paper})"
    yield entry.words
    yield entry.latex
    yield f"Verdict: {standing.own}"
    inherited = f", from {', '.join(standing.inherited)}" if standing.inherited else ""
    yield f"With all that it uses: {standing.folded}{inherited}"
    for title, text in (("Undecided because", standing.stale), ("Source", entry.source), ("Weaker", entry.weaker)):
        if text:
            yield f"{title}: {text}"
    for finding in standing.findings:
        yield from _finding(finding)
    used_by = [label for label, other in found.items() if entry.label in other.entry.uses]
    for title, labels in (("Uses", entry.uses), ("Used by", used_by)):
        for label in labels:
            yield f"{title}: {label} ({found[label].folded})"
    for title, names in (("Check", entry.checks), ("Code", entry.code), ("Test", entry.tests)):
        for name in names:
            yield f"{title}: {name}"


def _finding(finding: Finding) -> Iterator[str]:
    level = "" if finding.level is None else f", level {finding.level:g}"
    yield f"- {finding.name}: {finding.statement}"
    yield f"  {finding.verdict} ({finding.kernel}{level}): {finding.evidence}"
    for twin in finding.twins:
        yield f"  twin: {twin.change}"
        yield f"    {twin.verdict}: {twin.evidence}"
