"""What a run of all mutants says: numbers, an interval for the automatic ones, survivors; one strict, small file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table
from scipy.stats import beta

from experiments.results import STORE, refuse_non_finite, write_atomically
from paper_figures.mutation import Counts, Provenance, Summary, Survivor
from tests.mutation.mutants import Mutant
from tests.mutation.runner import Verdict

SCHEMA_VERSION: Literal[1] = 1
STORED = STORE / "mutation.json"
"""The run that is kept."""

LEAST = 0.9
"""Below this score a run fails."""


def failures(summary: Summary) -> list[str]:
    """Why the run fails: unexplained survivors by hand, a low score."""
    unexplained = [lost.identity for lost in summary.survivors if lost.reason is None]
    found = [f"survives: {name}" for name in unexplained if name.startswith("by hand: ")]
    if summary.automatic.score is not None and summary.automatic.score < LEAST:
        found.append(f"the automatic mutants' score {summary.automatic.score:.3f} is below {LEAST}")
    return found


def counted(mutants: Sequence[Mutant], verdicts: Mapping[str, Verdict], explained: Mapping[str, str]) -> Counts:
    """The outcomes of these mutants; an explained one that is killed counts as killed."""
    outcomes = [verdicts[mutant.identity].outcome for mutant in mutants]
    survived = [mutant.identity for mutant in mutants if verdicts[mutant.identity].outcome == "survived"]
    excused = sum(identity in explained for identity in survived)
    killed = len(mutants) - len(survived)
    rest = len(mutants) - excused
    return Counts(
        mutants=len(mutants),
        killed=killed,
        timed_out=outcomes.count("timed out"),
        explained=excused,
        survived=len(survived) - excused,
        score=killed / rest if rest else None,
    )


def interval(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Clopper and Pearson's interval of a share: exact, never too short; everything without a trial."""
    tail = (1 - level) / 2
    low = float(beta.ppf(tail, successes, trials - successes + 1)) if successes else 0.0
    high = float(beta.ppf(1 - tail, successes + 1, trials - successes)) if successes < trials else 1.0
    return low, high


def summarise(
    mutants: Sequence[Mutant],
    verdicts: Mapping[str, Verdict],
    explained: Mapping[str, str],
    sources: Mapping[str, str],
    provenance: Provenance,
    population: int,
) -> Summary:
    """The summary of a run. ``population``: how many automatic mutants the sample was drawn from."""
    hand = counted([mutant for mutant in mutants if mutant.kind == "hand"], verdicts, explained)
    automatic = counted([mutant for mutant in mutants if mutant.kind == "automatic"], verdicts, explained)
    low, high = interval(automatic.killed, automatic.mutants - automatic.explained)
    files = sorted({mutant.file for mutant in mutants})
    survivors = [
        Survivor(
            identity=mutant.identity,
            file=mutant.file,
            line=mutant.start,
            diff=mutant.diff(sources[mutant.file]),
            tests=verdicts[mutant.identity].tests,
            reason=explained.get(mutant.identity),
        )
        for mutant in sorted(mutants, key=lambda mutant: (mutant.file, mutant.start))
        if verdicts[mutant.identity].outcome == "survived"
    ]
    return Summary(
        schema_version=SCHEMA_VERSION,
        provenance=provenance,
        hand=hand,
        automatic=automatic,
        population=population,
        low=low,
        high=high,
        modules={
            file: counted([mutant for mutant in mutants if mutant.file == file], verdicts, explained) for file in files
        },
        survivors=tuple(survivors),
        seconds=round(sum(verdicts[mutant.identity].seconds for mutant in mutants), 1),
    )


def write_summary(path: Path, summary: Summary) -> None:
    """Write one summary; refuses non-finite numbers."""
    refuse_non_finite(msgspec.to_builtins(summary), "mutation")
    write_atomically(path, msgspec.json.format(msgspec.json.encode(summary), indent=1) + b"\n")


def show(summary: Summary, verdicts: Mapping[str, Verdict], console: Console) -> None:
    """The tables and the lists."""
    table = Table(
        Column("module", overflow="fold"), "mutants", "killed", "of them timed out", "explained", "survived", "score"
    )
    rows = {"by hand": summary.hand, f"sample of {summary.population}": summary.automatic, **summary.modules}
    for name, counts in rows.items():
        score = "" if counts.score is None else f"{counts.score:.3f}"
        numbers = (counts.mutants, counts.killed, counts.timed_out, counts.explained, counts.survived)
        table.add_row(name, *map(str, numbers), score)
    console.print(table)
    console.print(f"automatic mutants: 95 % interval [{summary.low:.3f}, {summary.high:.3f}]", markup=False)
    late = [verdict.identity for verdict in verdicts.values() if verdict.outcome == "timed out"]
    for identity in sorted(late):
        console.print(f"timed out: {escape(identity)}", soft_wrap=True)
    for lost in summary.survivors:
        kind = "survived" if lost.reason is None else f"explained ({lost.reason})"
        console.print(f"\n[bold]{escape(kind)}[/bold] {lost.file}:{lost.line} {escape(lost.identity)}", soft_wrap=True)
        console.print(f"{lost.diff}\n{lost.tests} tests execute it", markup=False, soft_wrap=True)
