"""What is known of each statement now: the ledger's records as far as they are of these sources, and their fold."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from theory.blueprint import Entry
from theory.ledger import Assumed, Finding, Ledger, Record, Verdict, fold, read
from theory.sources import ROOT, sources

KEPT = ROOT / "experiments" / "store" / "ledger.json"
"""The ledger that is kept in the repository, and that the report reads."""
FRESH = ROOT / "build" / "store" / "ledger.json"
COMMAND = "python -m theory verify --keep"


@dataclass(frozen=True)
class Standing:
    """One statement and what became of it.

    Args:
        record: what the kernels found; None where the ledger has nothing of the present sources.
        stale: why there is no record, in words; empty where there is one.
        folded: the weakest verdict among its own and those of all that it uses.
        inherited: where ``folded`` is weaker than its own verdict, the labels that have it.
    """

    entry: Entry
    record: Record | None
    stale: str
    folded: Verdict
    inherited: tuple[str, ...]

    @property
    def own(self) -> Verdict:
        """Without what it uses."""
        return own_verdict(self.record)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What its checks found."""
        return () if self.record is None else self.record.findings

    @property
    def simulated(self) -> bool:
        """Whether simulations are all that speaks for it."""
        return bool(self.findings) and all(finding.kernel == "simulation" for finding in self.findings)

    @property
    def surprise(self) -> str:
        """How its verdict differs from what the blueprint expects; empty where it does not."""
        if self.stale or self.own is Verdict.UNDECIDED:
            return self.stale or "; ".join(why_undecided(self.findings)) or "it has no check"
        if self.entry.expected == "refuted":  # by a witness, or because it rests on what is
            return "" if self.folded is Verdict.REFUTED else f"expected to be refuted, found: {self.folded}"
        if self.entry.expected == "assumed":
            return "" if self.record and self.record.assumed else f"expected to be assumed, found: {self.own}"
        if not self.own.holds:
            return f"expected to hold, found: {self.own}"
        poisoned = self.folded in (Verdict.UNDECIDED, Verdict.REFUTED)
        return f"it rests on what is {self.folded}: {', '.join(self.inherited)}" if poisoned else ""


Standings = Mapping[str, Standing]


def own_verdict(record: Record | None) -> Verdict:
    """Of a record that may be missing."""
    return Verdict.UNDECIDED if record is None else record.verdict


def why_undecided(findings: Iterable[Finding]) -> Iterator[str]:
    """One sentence a finding that no kernel decided."""
    return (f"{one.name}: {one.evidence}" for one in findings if one.verdict is Verdict.UNDECIDED)


def standings(ledger: Ledger | None, blueprint: Sequence[Entry]) -> dict[str, Standing]:
    """Every statement of the blueprint, in its order. A record that is stale counts as none.

    Raises:
        KeyError: a label that is used and unknown.
        ValueError: a circle, named.
    """
    records = {} if ledger is None else {record.label: record for record in ledger.records}
    old = stale(ledger, blueprint)
    valid = {entry.label: None if entry.label in old else records[entry.label] for entry in blueprint}
    own = {label: own_verdict(record) for label, record in valid.items()}
    uses = {entry.label: entry.uses for entry in blueprint}
    folded = fold(own, uses)
    return {
        entry.label: Standing(
            entry=entry,
            record=valid[entry.label],
            stale=old.get(entry.label, ""),
            folded=folded[entry.label],
            inherited=()
            if own[entry.label] is folded[entry.label]
            else tuple(used for used in ancestors(entry.label, uses) if own[used] is folded[entry.label]),
        )
        for entry in blueprint
    }


def ancestors(label: str, uses: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """All that a statement uses, directly or not, in the order of ``uses``."""
    found: set[str] = set()
    waiting = list(uses[label])
    while waiting:
        used = waiting.pop()
        if used not in found:
            found.add(used)
            waiting += uses[used]
    return tuple(one for one in uses if one in found)


def stale(ledger: Ledger | None, blueprint: Sequence[Entry]) -> dict[str, str]:
    """Labels whose records say nothing of the present sources, and why: changed, missing, or not in the blueprint."""
    if ledger is None:
        return {entry.label: f"there is no ledger: {COMMAND}" for entry in blueprint}
    records = {record.label: record for record in ledger.records}
    reasons = {
        entry.label: _changed(records[entry.label], entry) if entry.label in records else "the ledger does not have it"
        for entry in blueprint
    }
    reasons |= {label: "the blueprint does not have it" for label in records if label not in reasons}
    return {label: reason for label, reason in reasons.items() if reason}


def _changed(record: Record, entry: Entry) -> str:
    if record.checks != entry.checks or (record.assumed, record.source) != assumption(entry):
        return "the blueprint has other checks or another source for it than the ledger"
    now = sources(entry.checks)
    files = [path for path in {**now, **record.sources} if now.get(path) != record.sources.get(path)]
    return f"changed since it was checked: {', '.join(files)}" if files else ""


def assumption(entry: Entry) -> tuple[Assumed, str]:
    """Textbook fact or premise, and its citation, of what is assumed; two empty texts otherwise."""
    if entry.expected != "assumed":
        return "", ""
    return "textbook" if entry.kind == "textbook" else "premise", entry.source


def surprises(found: Standings) -> list[str]:
    """One sentence a statement whose verdict is not the expected one, or which no kernel decided."""
    return [f"{label}: {standing.surprise}" for label, standing in found.items() if standing.surprise]


def differences(kept: Ledger | None, found: Standings, blueprint: Sequence[Entry]) -> list[str]:
    """Of which labels the kept ledger is stale, or says otherwise than what was found now: one sentence a reason."""
    reasons = stale(kept, blueprint)
    records = {} if kept is None else {record.label: record for record in kept.records}
    reasons |= {
        label: f"kept as {records[label].verdict}, found: {standing.own}"
        for label, standing in found.items()
        if label not in reasons and records[label].verdict is not standing.own
    }
    labels: dict[str, list[str]] = {}
    for label, reason in reasons.items():
        labels.setdefault(reason, []).append(label)
    return [f"{', '.join(several)}: {reason}" for reason, several in labels.items()]


def read_if_any(paths: Iterable[Path]) -> Ledger | None:
    """The first of these ledgers that exists; None where none does.

    Raises:
        LedgerError: it can not be trusted.
    """
    path = next((path for path in paths if path.exists()), None)
    return None if path is None else read(path)
