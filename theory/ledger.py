"""Records of what was checked, the verdicts, and their order. A verdict is computed by a kernel, never typed."""

import math
import os
import tempfile
from collections.abc import Iterable, Mapping
from enum import StrEnum, unique
from pathlib import Path
from typing import Literal

import msgspec

SCHEMA_VERSION: Literal[1] = 1

Kernel = Literal["algebra", "smt", "interval", "integers", "enumeration", "simulation", "assistant", "none"]
"""What decides. "assistant": room for a proof assistant, not there yet. "none": the check did not come to its end."""

Assumed = Literal["", "textbook", "premise"]


@unique
class Verdict(StrEnum):
    """What became of a statement, strongest first.

    IDENTITY: both sides are the same expression. UNSAT: no real numbers deny it. ENCLOSED: interval arithmetic
    covers its whole domain. ENUMERATED: every case of a finite domain was computed exactly. TEXTBOOK: assumed, a
    theorem of the literature. NOT_REJECTED: a simulation did not reject it at a stated level. PREMISE: assumed, a
    statement about the world. UNDECIDED: no kernel decided. REFUTED: there is a witness against it.
    """

    IDENTITY = "exact identity"
    UNSAT = "unsat"
    ENCLOSED = "enclosed"
    ENUMERATED = "enumerated"
    TEXTBOOK = "assumed (textbook)"
    NOT_REJECTED = "not rejected"
    PREMISE = "assumed (premise)"
    UNDECIDED = "undecided"
    REFUTED = "refuted"

    @property
    def holds(self) -> bool:
        """Decided in favour by a kernel."""
        return self in HOLDS


ORDER = tuple(Verdict)
PROVED = frozenset({Verdict.IDENTITY, Verdict.UNSAT, Verdict.ENCLOSED, Verdict.ENUMERATED})
HOLDS = PROVED | {Verdict.NOT_REJECTED}


def weakest(verdicts: Iterable[Verdict]) -> Verdict:
    """The last in the order of :class:`Verdict`; UNDECIDED where there is none."""
    return max(verdicts, key=ORDER.index, default=Verdict.UNDECIDED)


class Twin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A neighbour of a statement with the opposite truth, put to the same kernel.

    ``change``: what was planted. ``evidence``: the witness against it, or how it was proved.
    """

    change: str
    verdict: Verdict
    evidence: str


class Finding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One statement put to one kernel.

    ``name``: distinguishes the findings of one label. ``evidence``: what the kernel did, and the witness of a
    refutation, as text. ``level``: the probability of rejecting a true statement, for a simulation only.

    Raises:
        ValueError: a decided statement without a twin of the opposite verdict or without a kernel, or a level without a
            simulation.
    """

    name: str
    statement: str
    kernel: Kernel
    verdict: Verdict
    evidence: str
    twins: tuple[Twin, ...] = ()
    level: float | None = None

    def __post_init__(self) -> None:
        decided = self.verdict.holds or self.verdict is Verdict.REFUTED
        if decided and not any(opposed(self.verdict, twin.verdict) for twin in self.twins):
            raise ValueError(f"{self.name}: {self.verdict} without a twin of the opposite verdict")
        if self.kernel == "none" and self.verdict is not Verdict.UNDECIDED:
            raise ValueError(f"{self.name}: {self.verdict} without a kernel")
        simulated = self.verdict is Verdict.NOT_REJECTED
        if simulated != (self.level is not None) or not 0 < (self.level or 0.5) < 1:
            raise ValueError(f"{self.name}: level {self.level} with the verdict {self.verdict}")


def opposed(verdict: Verdict, twin: Verdict) -> bool:
    """Whether one holds and the other is refuted."""
    return {verdict.holds, twin.holds} == {True, False} and Verdict.REFUTED in (verdict, twin)


def judged(
    name: str,
    statement: str,
    kernel: Kernel,
    verdict: Verdict,
    evidence: str,
    twins: Iterable[Twin],
    level: float | None = None,
) -> Finding:
    """A finding whose verdict falls to UNDECIDED unless every twin got the opposite one. All kernels end here."""
    twins = tuple(twins)
    silent = [twin.change for twin in twins if not opposed(verdict, twin.verdict)]
    if verdict is not Verdict.UNDECIDED and (silent or not twins):
        evidence = f"{verdict}, but the kernel does not tell the twin apart: {'; '.join(silent) or 'none given'}"
        verdict, level = Verdict.UNDECIDED, None
    return Finding(
        name=name, statement=statement, kernel=kernel, verdict=verdict, evidence=evidence, twins=twins, level=level
    )


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of one label. ``checks``: the functions that were run, ``sources``: SHA-256 of every file that
    they consist of, by path.

    ``assumed``: for what is not checked, whether it is a textbook fact or a premise; ``source``: its citation.
    """

    label: str
    checks: tuple[str, ...]
    findings: tuple[Finding, ...]
    sources: dict[str, str]
    seconds: float
    assumed: Assumed = ""
    source: str = ""

    def __post_init__(self) -> None:
        if bool(self.assumed) != bool(self.source) or (self.assumed and (self.checks or self.findings)):
            raise ValueError(f"{self.label}: what is assumed has a source and no findings")

    @property
    def verdict(self) -> Verdict:
        """Of its own findings: the weakest."""
        if self.assumed:
            return Verdict.TEXTBOOK if self.assumed == "textbook" else Verdict.PREMISE
        return weakest(finding.verdict for finding in self.findings)


class Ledger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All records of one run of all kernels. ``versions``: of Python and of the libraries that decide."""

    schema_version: Literal[1]
    versions: dict[str, str]
    seconds: float
    records: tuple[Record, ...]

    def __post_init__(self) -> None:
        labels = [record.label for record in self.records]
        if len(set(labels)) < len(labels):
            raise ValueError(f"labels occur twice: {sorted({label for label in labels if labels.count(label) > 1})}")


def fold(verdicts: Mapping[str, Verdict], uses: Mapping[str, Iterable[str]]) -> dict[str, Verdict]:
    """The weakest verdict among each label and all that it uses, directly or not.

    Raises:
        KeyError: a label that is used and unknown.
        ValueError: a circle, named.
    """
    folded: dict[str, Verdict] = {}

    def visit(label: str, path: tuple[str, ...]) -> Verdict:
        if label in path:
            raise ValueError(f"a circle: {' -> '.join((*path[path.index(label) :], label))}")
        if label not in folded:
            below = [visit(used, (*path, label)) for used in uses[label]]
            folded[label] = weakest([verdicts[label], *below])
        return folded[label]

    for label in verdicts:
        visit(label, ())
    return folded


class LedgerError(Exception):
    """A ledger that can not be trusted: the message names the file, what is wrong and what to do."""


def read(path: Path) -> Ledger:
    """Read a ledger strictly.

    Raises:
        LedgerError: no file, an unknown or missing field, a wrong type, a verdict without its twin.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Ledger)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LedgerError(f"{path}: no ledger ({error}). Make it again: python -m theory verify") from error


def encode(ledger: Ledger) -> bytes:
    """The ledger as strict JSON, one field a line.

    Raises:
        ValueError: a number that is not finite, which JSON can not hold.
    """
    numbers = [ledger.seconds, *(record.seconds for record in ledger.records)]
    if not all(map(math.isfinite, numbers)):
        raise ValueError("a time is not finite")
    return msgspec.json.format(msgspec.json.encode(ledger), indent=1) + b"\n"


def write(path: Path, ledger: Ledger) -> None:
    """The file appears whole or not at all, also when the process is killed meanwhile."""
    content = encode(ledger)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
