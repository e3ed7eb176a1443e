"""Results of runs that never happened: smooth, seeded, of the right shape. For tests of reports only."""

import math
import random
from pathlib import Path

from experiments.results import (
    SCHEMA_VERSION,
    Conflict,
    EpochRecord,
    Evaluation,
    Provenance,
    Result,
    save_result,
)
from experiments.spec import CLASSES, Spec, spec_key


def _conflict(spec: Spec, draw: random.Random, progress: float, *, flat: bool) -> Conflict:
    pairs = spec.mode not in ("stl", "sam_stl")
    level = 0.45 + 0.05 * progress if spec.mode == "erm" else 0.45 * math.exp(-3 * progress)
    return Conflict(
        batches=8,
        inter_loss=min(1.0, max(0.0, level + draw.uniform(-0.03, 0.03))) if pairs else None,
        inter_flat=0.38 + draw.uniform(-0.04, 0.04) if pairs and flat else None,
        intra=tuple(0.2 + draw.uniform(-0.1, 0.1) for _ in range(len(CLASSES[spec.problem]))) if flat else None,
        loss_norm=tuple(draw.uniform(0.5, 1.5) for _ in range(len(CLASSES[spec.problem]))),
        flat_norm=tuple(draw.uniform(0.1, 0.2) for _ in range(len(CLASSES[spec.problem]))) if flat else None,
        flat_to_loss=tuple(draw.uniform(0.1, 0.2) for _ in range(len(CLASSES[spec.problem]))) if flat else None,
    )


def result(spec: Spec) -> Result:
    """A result of ``spec`` that depends on the spec alone."""
    draw = random.Random(spec_key(spec))
    epochs = []
    for epoch in range(1, spec.epochs + 1):
        progress = epoch / spec.epochs
        accuracy = tuple(0.5 + 0.35 * progress + draw.uniform(-0.03, 0.03) for _ in range(len(CLASSES[spec.problem])))
        epochs.append(
            EpochRecord(
                epoch=epoch,
                train_loss=tuple(1 - share for share in accuracy),
                perturbed_loss=None,
                train_accuracy=accuracy,
                validation_loss=tuple(1 - share for share in accuracy),
                validation_accuracy=accuracy,
                during=_conflict(spec, draw, progress, flat=spec.mode == "decomposed")
                if spec.mode != "sam_sum"
                else None,
                probe=_conflict(spec, draw, progress, flat=True),
                parameter_norms={"trunk.weight": draw.uniform(1, 2)},
                seconds=draw.uniform(1, 2),
            )
        )
    best = max(epochs, key=lambda record: sum(record.validation_accuracy)).epoch
    steps = spec.epochs * -(-spec.n_train // spec.batch_size)
    passes = 2 if spec.mode in ("decomposed", "sam_sum", "sam_stl") else 1
    seconds = steps * passes * draw.uniform(0.010, 0.012)

    def evaluation(epoch: int) -> Evaluation:
        accuracy = tuple(share - draw.uniform(0, 0.02) for share in epochs[epoch - 1].validation_accuracy)
        return Evaluation(epoch=epoch, accuracy=accuracy, loss=tuple(1 - share for share in accuracy))

    return Result(
        schema_version=SCHEMA_VERSION,
        key=spec_key(spec),
        spec=spec,
        provenance=Provenance(
            commit="0123abcd",
            dirty=False,
            python="3.11.0",
            torch="2.13.0",
            numpy="2.0.0",
            machine="x86_64",
            threads=1,
            data_sha256={spec.problem: "ab" * 32},
            started="2026-01-01T00:00:00Z",
            finished="2026-01-01T01:00:00Z",
            resumed=0,
        ),
        dimensions={"shared": 30_890, "head 1": 510, "head 2": 510},
        epochs=tuple(epochs),
        best_epoch=best,
        test_best=evaluation(best),
        test_last=evaluation(spec.epochs),
        steps=steps,
        gradient_evaluations=steps * passes * len(CLASSES[spec.problem]),
        seconds_training=seconds,
        cpu_seconds_training=0.98 * seconds,
    )


def fill(store: Path, specs: tuple[Spec, ...]) -> None:
    """Store a result for each spec."""
    for spec in specs:
        save_result(store, result(spec))
