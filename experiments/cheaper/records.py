"""What a measurement of the cheaper variants leaves: one strict JSON file a run. No torch here."""

import msgspec

from experiments import catalog
from experiments.results import STORE, Provenance, Shelf
from experiments.spec import Spec

SCHEMA_VERSION = 1
REVISION = 1
"""Raise it when a change alters what is measured: stored measurements then count as missing."""

STORED = STORE / "cheaper"
"""Measurements that are kept in the repository."""

EXACT, BASE, DIRECT, OTHER_BATCH = "exact", "no flat part", "direct", "another batch"


def stale_name(age: int) -> str:
    """The direction whose flat part is so many steps old."""
    return f"flat part {age} step{'s' if age > 1 else ''} old"


CONTROLS = (BASE, stale_name(1), stale_name(4), DIRECT, OTHER_BATCH)
"""Rows that are no variants: steps of the schedules by themselves, and what puts the others into scale."""


class Measurement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which training run is watched, and when.

    Args:
        training: the run; its method is the exact one.
        epochs: the first so many of its epochs are run.
        every: a checkpoint every so many steps.
        ages: stale flat directions are 1 .. ``ages`` steps old.
    """

    training: Spec
    epochs: int = 5
    every: int = 24
    ages: int = 4


class Deviation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One direction d of the trunk against the exact one d*, at the same weights and batch (see `Checkpoint`).

    Args:
        angle: between d and d*, degrees. relative_error: ``||d - d*|| / ||d*||``. length_ratio: ``||d|| / ||d*||``.
        flat_angle, flat_relative_error, flat_length_ratio: the same of the flat parts ``d - A(g^loss)`` and
            ``d* - A(g^loss)``; no angle (None) where the flat part is zero.
        seconds: process CPU of a step that takes this direction (a stale one: of the base step).
    """

    angle: float
    relative_error: float
    length_ratio: float
    flat_angle: float | None
    flat_relative_error: float
    flat_length_ratio: float
    seconds: float


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of the run.

    Args:
        step: from 0; ``epoch`` from 1.
        loss_length, flat_length: ``||A(g^loss)||`` and ``||A(g^flat)||``.
        unit, forward, behind: process CPU seconds of U, of F, and of forward and backward behind the cut.
        directions: by name.
    """

    step: int
    epoch: int
    loss_length: float
    flat_length: float
    unit: float
    forward: float
    behind: float
    directions: dict[str, Deviation]


class VariantRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A variant by its formula, and which of the measured directions it takes how often.

    Args:
        formula: cost in U, in words of m and f.
        cost: its value at this run's f (and b).
        schedule: direction -> share of the steps, summing to 1.
    """

    name: str
    formula: str
    cost: float
    schedule: dict[str, float]


class Measured(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that one run showed.

    Args:
        tasks: m.
        forward_share: f, median of F/U over the checkpoints. behind_share: b, median of the share of U behind the cut.
    """

    schema_version: int
    key: str
    measurement: Measurement
    provenance: Provenance
    tasks: int
    forward_share: float
    behind_share: float
    variants: tuple[VariantRecord, ...]
    checkpoints: tuple[Checkpoint, ...]
    seconds: float

    @property
    def summary(self) -> str:
        return f"measured at {len(self.checkpoints)} checkpoints"


def measurements() -> tuple[Measurement, ...]:
    """The laptop profile's runs of F-LS and F-CAGrad on MultiFashion at its first radii, seed 0 first."""
    return tuple(
        Measurement(training=spec)
        for spec in catalog.specs("laptop")
        if spec.mode == "decomposed"
        and spec.aggregator in ("Mean", "CAGrad")
        and spec.problem == "multi_fashion"
        and spec.rho_shared in catalog.FIRST_RADII
    )


MEASURED_SHELF: Shelf[Measurement, Measured] = Shelf(
    "measurement", Measured, SCHEMA_VERSION, REVISION, "measurement", "measure again"
)
