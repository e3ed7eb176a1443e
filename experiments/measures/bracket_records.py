"""The worst loss in the ball from both sides, for trained perceptrons: what is asked and found. No torch here."""

from itertools import product

import msgspec

from experiments.certificates.records import METHODS, RHO, SEEDS
from experiments.profiles import ADULT_LAPTOP
from experiments.results import STORE, Provenance, Shelf
from experiments.spec import Spec

SCHEMA_VERSION = 1
REVISION = 1
"""Raise it when a change alters what is found: stored brackets then count as missing."""

STORED = STORE / "brackets"
COMMAND = "python -m experiments.measures --kind brackets"


class Bracketing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which network is looked at, and how: on the first examples of its training split.

    Args:
        training: the run; its last weights are displaced.
        radii: of trunk and of head: those of the experiments, and smaller ones.
        examples: how many; where the split has fewer, all.
        steps, restarts: of the ascent from below.
    """

    training: Spec
    radii: tuple[float, ...] = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
    examples: int = 2_000
    steps: int = 6
    restarts: int = 1


class Bracket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One task at one radius: its greatest loss in the ball of trunk and head lies between lower and upper.

    Cross entropies in nats, errors as shares. The lower ends are attained: ``entropy_lower`` at the highest point that
    the ascent found, ``error_lower`` there or at the weights. The upper ends are certain.
    """

    entropy: float
    entropy_lower: float
    entropy_upper: float
    error: float
    error_lower: float
    error_upper: float

    def __post_init__(self) -> None:
        if not self.entropy <= self.entropy_lower <= self.entropy_upper:
            raise ValueError(f"no bracket: {self.entropy} <= {self.entropy_lower} <= {self.entropy_upper} is false.")
        if not self.error <= self.error_lower <= self.error_upper:
            raise ValueError(f"no bracket: {self.error} <= {self.error_lower} <= {self.error_upper} is false.")


class AtRadius(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All tasks of one network at one radius."""

    rho: float
    tasks: tuple[Bracket, ...]


class Brackets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that one network showed, radius by radius. ``cpu_seconds``: without the training."""

    schema_version: int
    key: str
    bracketing: Bracketing
    provenance: Provenance
    radii: tuple[AtRadius, ...]
    cpu_seconds: float

    @property
    def summary(self) -> str:
        return f"bracketed in {self.cpu_seconds:.0f} CPU s"


def bracketings() -> tuple[Bracketing, ...]:
    """Plain, SAM-sum, direct and decomposed perceptrons on Adult, seed 0 first: runs of the laptop list."""

    def training(seed: int, place: int) -> Spec:
        mode, aggregator, options = METHODS[place]
        rho = 0.0 if mode == "erm" else RHO
        return ADULT_LAPTOP.spec("adult", seed, mode, aggregator=aggregator, options=options, rho=rho)

    return tuple(Bracketing(training=training(*pair)) for pair in product(range(SEEDS), range(len(METHODS))))


BRACKET_SHELF: Shelf[Bracketing, Brackets] = Shelf(
    "bracketing", Brackets, SCHEMA_VERSION, REVISION, "set of brackets", "bracket again"
)
