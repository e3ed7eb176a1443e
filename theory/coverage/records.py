"""How often each bound was below the risk that it bounds: one strict JSON file. Neither torch nor the bounds here."""

from pathlib import Path
from typing import Literal

import msgspec

from theory.ledger import LedgerError
from theory.sources import ROOT

NAME = "coverage.json"
KEPT = ROOT / "experiments" / "store" / NAME
"""What the report reads."""
FRESH = ROOT / "build" / "store" / NAME
COMMAND = "python -m theory.coverage --keep"

Version = Literal["one task", "per task", "average task", "theorem"]
World = Literal["many classifiers", "randomised thresholds", "thresholds in a ball"]


class Covered(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bound in one world.

    Args:
        fault: what was planted into the bound; empty for the bound itself.
        tasks: m. n_samples: of each task.
        delta: the bound promises to be violated at most so often, by any of the tasks.
        violations: of ``draws`` independent training sets.
        low, high: all rates with tails of at least ``level``: Clopper and Pearson, rounded outward.
        exact: the violation rate in this world where it is known.
        needed: the share of the bound's term that would have held with frequency 1 - delta; None where not measured.
    """

    bound: str
    fault: str
    version: Version
    world: World
    tasks: int
    n_samples: int
    delta: float
    draws: int
    violations: int
    level: float
    low: float
    high: float
    exact: float | None
    needed: float | None

    def __post_init__(self) -> None:
        if not (0 <= self.violations <= self.draws and self.low <= self.rate <= self.high):
            raise ValueError(
                f"{self.bound}, {self.version}: {self.violations} of {self.draws} in [{self.low}, {self.high}]"
            )

    @property
    def rate(self) -> float:
        """Of violations."""
        return self.violations / self.draws

    @property
    def rejected(self) -> bool:
        """Whether the promise is refuted at ``level``."""
        return self.low > self.delta


class Coverage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that one run found, and what it ran on."""

    schema_version: Literal[1]
    seed: int
    python: str
    numpy: str
    seconds: float
    rows: tuple[Covered, ...]

    @property
    def surprises(self) -> tuple[Covered, ...]:
        """Bounds that were rejected, and planted faults that were not."""
        return tuple(row for row in self.rows if row.rejected != bool(row.fault))


def read_coverage(path: Path) -> Coverage:
    """Read one run strictly.

    Raises:
        LedgerError: no file, an unknown or missing field, a wrong type, counts that do not agree.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Coverage)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LedgerError(f"{path}: no record of coverage ({error}). Make it again: {COMMAND}") from error


def write_coverage(path: Path, coverage: Coverage) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(coverage), indent=1) + b"\n")
