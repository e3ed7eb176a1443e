"""What the kl inverse came to beside ball arithmetic: one strict JSON file. Neither torch nor the bounds here."""

from pathlib import Path
from typing import Literal

import msgspec

from theory.ledger import LedgerError
from theory.sources import ROOT

NAME = "kl_inverse.json"
KEPT = ROOT / "experiments" / "store" / NAME
"""What the report reads."""
FRESH = ROOT / "build" / "store" / NAME
COMMAND = "python -m theory.coverage.inverse --keep"


class Inverted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All arguments whose budget lies in [low, high), nats.

    Args:
        below: the computed inverse is below the exact one. It must never be.
        loose: it is more than 100 floats above the least bound: more than rounding explains. It should never be.
        certain: it is 1, where nothing is to be shown.
        ulps: how many arguments have an inverse that is at most ``Inversion.steps[i]`` floats above the least float
            that is still a bound, and more than the one before; the last: above all of them. They add up to ``count``.
        median, greatest: of these numbers of floats.
        excess: the greatest share of itself by which an inverse lies above the least bound.
    """

    low: float
    high: float
    count: int
    below: int
    loose: int
    certain: int
    ulps: tuple[int, ...]
    median: int
    greatest: int
    excess: float

    def __post_init__(self) -> None:
        if sum(self.ulps) != self.count or not max(self.below, self.loose, self.certain) <= self.count:
            raise ValueError(f"budgets from {self.low} to {self.high}: {self.ulps} of {self.count} arguments")


class Inversion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that one run found, and what it ran on. ``bits``: of the balls; ``steps``: of the counts."""

    schema_version: Literal[1]
    seed: int
    bits: int
    steps: tuple[int, ...]
    python: str
    flint: str
    numpy: str
    seconds: float
    rows: tuple[Inverted, ...]

    @property
    def count(self) -> int:
        """Of all arguments."""
        return sum(row.count for row in self.rows)

    @property
    def below(self) -> int:
        """Of all arguments whose inverse is no bound."""
        return sum(row.below for row in self.rows)

    @property
    def loose(self) -> int:
        """Of all arguments whose inverse is further above than rounding explains."""
        return sum(row.loose for row in self.rows)


def read_inversion(path: Path) -> Inversion:
    """Read one run strictly.

    Raises:
        LedgerError: no file, an unknown or missing field, a wrong type, counts that do not agree.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Inversion)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LedgerError(f"{path}: no record of the kl inverse ({error}). Make it again: {COMMAND}") from error


def write_inversion(path: Path, inversion: Inversion) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(inversion), indent=1) + b"\n")
