"""What the toys leave: one strict JSON file. No torch here."""

from pathlib import Path

import msgspec

from experiments.results import STORE, Provenance, StoreError, refuse_non_finite, write_atomically

SCHEMA_VERSION = 1
STORED = STORE / "toys.json"
COMMAND = "python -m experiments.toys"

EVERY = 5
"""Steps from one kept point of a trajectory to the next."""

Pair = tuple[float, float]


class Task(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``(1/2) (x - c)' H (x - c)``: c, and H as (H_11, H_12, H_22)."""

    minimum: Pair
    hessian: tuple[float, float, float]


class Trajectory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a method goes from one start: that and the point after every ``EVERY`` steps.

    ``direction``: what its first step goes against.
    """

    method: str
    start: int
    direction: Pair
    points: tuple[Pair, ...]


class Mark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Loss and flat gradients of both tasks at one point, as the core's step sees them."""

    name: str
    point: Pair
    loss_gradients: tuple[Pair, Pair]
    flat_gradients: tuple[Pair, Pair]


class Toy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One problem, plain gradient descent with one learning rate; ``pareto``: points of the Pareto set, in order.

    The first start is where the theory's statements hold, at 0; the others are numbered on.
    """

    name: str
    rho: float
    learning_rate: float
    tasks: tuple[Task, Task]
    pareto: tuple[Pair, ...]
    trajectories: tuple[Trajectory, ...]
    marks: tuple[Mark, ...]


class Toys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All toys."""

    schema_version: int
    provenance: Provenance
    toys: tuple[Toy, ...]


def save_toys(path: Path, found: Toys) -> Path:
    """Write the file; refuses numbers that are not finite."""
    refuse_non_finite(msgspec.to_builtins(found), "toys")
    write_atomically(path, msgspec.json.encode(found) + b"\n")
    return path


def read_toys(path: Path) -> Toys:
    """Read the file strictly."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Toys)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: no toys ({error}). Make them again: {COMMAND}") from error
    if found.schema_version != SCHEMA_VERSION:
        raise StoreError(f"{path}: schema version {found.schema_version}, expected {SCHEMA_VERSION}: {COMMAND}")
    return found
