"""Measurements of runs that never happened, every number of which is known. For tests of exhibits only."""

from pathlib import Path

from experiments.cheaper.records import (
    BASE,
    EXACT,
    MEASURED_SHELF,
    OTHER_BATCH,
    SCHEMA_VERSION,
    Checkpoint,
    Deviation,
    Measured,
    Measurement,
    VariantRecord,
    measurements,
    stale_name,
)
from tests.figures.synthetic import result

EVERY_NAME = (
    "half of the batch",
    "quarter of the batch",
    "shared perturbation",
    "last layers",
    "last layers, all gradients",
    "SAMO",
    BASE,
    "direct",
    OTHER_BATCH,
)
STALE_ANGLE = 40.0
BASE_ANGLE = 30.0


def deviation(angle: float, seconds: float, *, flat: float | None = 50.0) -> Deviation:
    return Deviation(
        angle=angle,
        relative_error=angle / 100,
        length_ratio=1.0,
        flat_angle=flat,
        flat_relative_error=1.0 if flat is None else flat / 100,
        flat_length_ratio=0.0 if flat is None else 1.0,
        seconds=seconds,
    )


def measured(measurement: Measurement) -> Measured:
    """Angles grow by the epoch; a seed adds a degree; every step takes 3 U but the base step, which takes 1.5 U."""
    spec = measurement.training
    checkpoints = []
    for epoch in range(1, measurement.epochs + 1):
        directions = {name: deviation(10.0 + epoch + spec.seed, 0.03) for name in EVERY_NAME}
        directions[EXACT] = deviation(0.0, 0.03, flat=0.0)
        directions[BASE] = deviation(BASE_ANGLE, 0.015, flat=None)
        directions |= {stale_name(age): deviation(STALE_ANGLE, 0.015) for age in range(1, 5)}
        checkpoints.append(
            Checkpoint(
                step=24 * epoch - 1,
                epoch=epoch,
                loss_length=2.0,
                flat_length=1.0 if spec.rho_shared < 0.1 else 3.0,
                unit=0.01,
                forward=0.004,
                behind=0.001,
                directions=directions,
            )
        )
    schedules = {
        EXACT: {EXACT: 1.0},
        "every 5th step": {EXACT: 0.2, BASE: 0.8},
        "every 5th step, stale between": {EXACT: 0.2} | {stale_name(age): 0.2 for age in range(1, 5)},
        **{name: {name: 1.0} for name in EVERY_NAME},
    }
    return Measured(
        schema_version=SCHEMA_VERSION,
        key=MEASURED_SHELF.key(measurement),
        measurement=measurement,
        provenance=result(spec).provenance,
        tasks=2,
        forward_share=0.4,
        behind_share=0.1,
        variants=tuple(
            VariantRecord(name=name, formula=f"formula of {name}", cost=2.0, schedule=schedule)
            for name, schedule in schedules.items()
        ),
        checkpoints=tuple(checkpoints),
        seconds=1.0,
    )


def fill(folder: Path) -> None:
    """Store every measurement of the list."""
    for measurement in measurements():
        MEASURED_SHELF.save(folder, measured(measurement))
