"""The kept run of the mutants as exhibits read it: how many faults the tests notice, and which they do not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from experiments.results import StoreError
from paper_figures.exhibit import StoredFile

COMMAND = "python -m nox -s mutation -- --keep"


class Provenance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was mutated. ``dirty``: uncommitted changes; ``partial``: chosen mutants or tests only."""

    commit: str
    dirty: bool
    started: str
    python: str
    torch: str
    partial: bool


class Counts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Mutants by outcome; ``killed`` includes those that timed out. ``score`` leaves the explained ones out."""

    mutants: int
    killed: int
    timed_out: int
    explained: int
    survived: int
    score: float | None

    def __post_init__(self) -> None:
        rest = self.killed + self.survived
        if min(self.killed, self.timed_out, self.explained, self.survived) < 0 or self.timed_out > self.killed:
            raise ValueError(f"{self}: counts that can not be")
        if self.mutants != rest + self.explained or self.score != (self.killed / rest if rest else None):
            raise ValueError(f"{self}: mutants or score do not follow from the other counts")


class Survivor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``tests``: how many were run against it, all that execute its lines; ``reason``: of an explained one."""

    identity: str
    file: str
    line: int
    diff: str
    tests: int
    reason: str | None


class Summary(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that one run found. ``low``, ``high``: 95 % interval (Clopper and Pearson) of the automatic score."""

    schema_version: Literal[1]
    provenance: Provenance
    hand: Counts
    automatic: Counts
    population: int
    low: float
    high: float
    modules: dict[str, Counts]
    survivors: tuple[Survivor, ...]
    seconds: float

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise ValueError("; ".join(faults))

    def _faults(self) -> Iterator[str]:
        for name in ("mutants", "killed", "timed_out", "explained", "survived"):
            whole, parts = (
                sum(getattr(counts, name) for counts in group)
                for group in ((self.hand, self.automatic), self.modules.values())
            )
            if whole != parts:
                yield f"{name}: {whole} in all, {parts} in the modules"
        for name, wanted in (("explained", True), ("survived", False)):
            listed = sum((survivor.reason is not None) is wanted for survivor in self.survivors)
            counted = getattr(self.hand, name) + getattr(self.automatic, name)
            if listed != counted:
                yield f"{name}: {counted} counted, {listed} listed"
        score = self.automatic.score
        if not 0 <= self.low <= (self.low if score is None else score) <= self.high <= 1:
            yield f"the score {score} is not in its interval [{self.low}, {self.high}]"
        if self.population < self.automatic.mutants:
            yield f"a sample of {self.automatic.mutants} from {self.population}"


def read_mutation(path: Path) -> Summary:
    """Read one summary strictly: schema version, unknown fields, types, and counts that do not agree."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Summary)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: not a summary of mutants ({error}). Make it again: {COMMAND}") from error


def provenance(summary: Summary) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Commit, versions and time."""
    source = summary.provenance
    return (
        ("Commit", (source.commit + (" with uncommitted changes" if source.dirty else ""),)),
        ("Python", (source.python,)),
        ("PyTorch", (source.torch,)),
        ("Time", (f"{source.started}, {summary.seconds / 60:,.0f} minutes of tests",)),
    )


MUTATION = StoredFile(
    name="mutation.json",
    title="Mutants of the core",
    command=COMMAND,
    read=read_mutation,
    provenance=provenance,
)
