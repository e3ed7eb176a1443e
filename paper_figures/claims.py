"""What the tests claim of each aggregator, as exhibits read it: a verdict and a witness for each law and method."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from experiments.results import StoreError
from paper_figures.exhibit import StoredFile

COMMAND = "python -m tests.laws.export"

Verdict = Literal["holds", "fails", "holds if"]
Matrix: TypeAlias = tuple[tuple[float, ...], ...]


class Witness(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An input that breaks a law.

    Args:
        aggregator: its repr, arguments included.
        rows: the task gradients.
        other, scale, task_scales, order, mixture, rotation, seed: what the law does to them, where it takes that.
    """

    aggregator: str
    rows: Matrix
    other: Matrix | None = None
    scale: float | None = None
    task_scales: Matrix | None = None
    order: tuple[int, ...] | None = None
    mixture: tuple[int, ...] | None = None
    rotation: Matrix | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        if not self.rows or not self.rows[0] or len({len(row) for row in self.rows}) != 1:
            raise ValueError(f"rows {self.rows} are no matrix")
        matrices = (self.rows, self.other or (), self.task_scales or (), self.rotation or (), ((self.scale or 0.0,),))
        if not all(math.isfinite(value) for matrix in matrices for row in matrix for value in row):
            raise ValueError("a number is not finite")

    @property
    def changes(self) -> str:
        """What the law does to the rows, each by its name."""
        return "; ".join(
            f"{name.replace('_', ' ')} {listed(value)}"
            for name in self.__struct_fields__
            if name not in ("aggregator", "rows") and (value := getattr(self, name)) not in (None, ())
        )


class Decision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a method keeps a law: only what holds without a condition has no counterexample."""

    method: str
    law: str
    verdict: Verdict
    condition: str | None
    witness: Witness | None

    def __post_init__(self) -> None:
        where = f"{self.method}, {self.law}: {self.verdict!r}"
        if (self.verdict == "holds if") != bool(self.condition):
            raise ValueError(f"{where} with the condition {self.condition!r}")
        if (self.verdict == "holds") != (self.witness is None):
            raise ValueError(f"{where} {'without' if self.witness is None else 'with'} a counterexample")
        if self.witness is not None and not self.witness.aggregator.startswith(f"{self.method}("):
            raise ValueError(f"{where} with a counterexample of {self.witness.aggregator}")


class Contradiction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the tests found otherwise than the first survey had expected."""

    method: str
    law: str
    expected: str
    found: str
    witness: Witness | None


class Claims(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Laws by name with their meanings, methods, one decision for each pair of them, and contradictions."""

    laws: dict[str, str]
    methods: tuple[str, ...]
    cells: tuple[Decision, ...]
    contradictions: tuple[Contradiction, ...]

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            more = f" and {len(faults) - 5} more" if len(faults) > 5 else ""
            raise ValueError("; ".join(faults[:5]) + more)

    def _faults(self) -> Iterator[str]:
        decided = Counter((cell.method, cell.law) for cell in self.cells)
        wanted = Counter((method, law) for method in self.methods for law in self.laws)
        if not wanted:
            yield "no method or no law"
        for method, law in wanted - decided:
            yield f"{method}, {law}: not decided"
        for method, law in decided - wanted:
            yield f"{method}, {law}: decided twice, or no method and law of the lists"
        if max(wanted.values(), default=1) > 1:
            yield "a method is named twice"
        for one in self.contradictions:
            if (one.method, one.law) not in wanted:
                yield f"contradiction {one.method}, {one.law}: no method and law of the lists"


def listed(value: object) -> str:
    """Nested sequences of numbers as Python writes lists, each number in its shortest exact form."""
    if isinstance(value, Sequence):
        return f"[{', '.join(map(listed, value))}]"
    return repr(int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e6 else value)


def law_title(law: str) -> str:
    """A law's name as words."""
    return law.replace("_", " ").lower()


def witness_texts(witness: Witness | None) -> tuple[str | None, str | None, str | None]:
    """The aggregator, the task gradients and the changes of a witness; None for what there is not."""
    if witness is None:
        return None, None, None
    return witness.aggregator, listed(witness.rows), witness.changes or None


def read_claims(path: Path) -> Claims:
    """Read the claims strictly: unknown fields, types, and pairs of method and law that are not decided."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Claims)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: not the claims ({error}). Make them again: {COMMAND}") from error


def provenance(claims: Claims) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What was decided, counted."""
    verdicts = Counter(cell.verdict for cell in claims.cells)
    return (
        ("Source", (f"tests/laws, by {COMMAND}",)),
        ("Methods", (str(len(claims.methods)),)),
        ("Laws", (str(len(claims.laws)),)),
        ("Pairs", tuple(f"{verdicts[verdict]} {verdict}" for verdict in ("holds", "holds if", "fails"))),
    )


CLAIMS = StoredFile(
    name="claims.json",
    title="Laws of the aggregators",
    command=COMMAND,
    read=read_claims,
    provenance=provenance,
)
