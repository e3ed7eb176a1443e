"""Results of runs that never happened: smooth, seeded, of the right shape. For tests of reports only."""

import math
import random
from pathlib import Path

from experiments.dense_metrics import HIGHER_IS_BETTER
from experiments.results import (
    RECENT,
    SCHEMA_VERSION,
    Conflict,
    EpochRecord,
    Evaluation,
    Provenance,
    Result,
    save_result,
)
from experiments.spec import CLASSES, DENSE, Spec, spec_key


def _tasks(spec: Spec) -> int:
    return len(DENSE[spec.problem][0] if spec.problem in DENSE else CLASSES[spec.problem])


def _metrics(spec: Spec, epoch: int) -> dict[str, float]:
    """Of a dense problem: shares below 1, angles and errors above 0."""
    if spec.problem not in DENSE:
        return {}
    draw = random.Random(f"metrics {spec_key(spec)} {epoch}")
    names = list(HIGHER_IS_BETTER)[: 9 if "normals" in DENSE[spec.problem][0] else 4]
    return {name: draw.uniform(0.1, 0.9) * (1 if HIGHER_IS_BETTER[name] else 30) for name in names}


def _conflict(spec: Spec, draw: random.Random, progress: float, *, flat: bool) -> Conflict:
    pairs = spec.mode not in ("stl", "sam_stl")
    level = 0.45 + 0.05 * progress if spec.mode == "erm" else 0.45 * math.exp(-3 * progress)
    return Conflict(
        batches=8,
        inter_loss=min(1.0, max(0.0, level + draw.uniform(-0.03, 0.03))) if pairs else None,
        inter_flat=0.38 + draw.uniform(-0.04, 0.04) if pairs and flat else None,
        intra=tuple(0.2 + draw.uniform(-0.1, 0.1) for _ in range(_tasks(spec))) if flat else None,
        loss_norm=tuple(draw.uniform(0.5, 1.5) for _ in range(_tasks(spec))),
        flat_norm=tuple(draw.uniform(0.1, 0.2) for _ in range(_tasks(spec))) if flat else None,
        flat_to_loss=tuple(draw.uniform(0.1, 0.2) for _ in range(_tasks(spec))) if flat else None,
    )


def _head_norms(spec: Spec, epoch: int) -> dict[str, float]:
    draw = random.Random(f"{spec_key(spec)} {epoch}")
    return {f"heads.{task}.weight": draw.uniform(1, 2) for task in range(_tasks(spec))}


def result(spec: Spec) -> Result:
    """A result of ``spec`` that depends on the spec alone."""
    draw = random.Random(spec_key(spec))
    epochs = []
    for epoch in range(1, spec.epochs + 1):
        progress = epoch / spec.epochs
        shares = tuple(0.5 + 0.35 * progress + draw.uniform(-0.03, 0.03) for _ in range(_tasks(spec)))
        accuracy = () if spec.problem in DENSE else shares
        epochs.append(
            EpochRecord(
                epoch=epoch,
                train_loss=tuple(1 - share for share in shares),
                perturbed_loss=None,
                train_accuracy=accuracy,
                validation_loss=tuple(1 - share for share in shares),
                validation_accuracy=accuracy,
                during=_conflict(spec, draw, progress, flat=spec.mode == "decomposed")
                if spec.mode != "sam_sum"
                else None,
                probe=_conflict(spec, draw, progress, flat=True),
                parameter_norms={"trunk.weight": draw.uniform(1, 2)} | _head_norms(spec, epoch),
                seconds=draw.uniform(1, 2),
                validation_metrics=_metrics(spec, epoch),
            )
        )
    best = min(epochs, key=lambda record: sum(record.validation_loss)).epoch
    steps = spec.epochs * -(-spec.n_train // spec.batch_size)
    passes = 2 if spec.mode in ("decomposed", "sam_sum", "sam_stl") else 1
    seconds = steps * passes * draw.uniform(0.010, 0.012)

    def evaluation(epoch: int) -> Evaluation:
        shares = tuple(1 - loss - draw.uniform(0, 0.02) for loss in epochs[epoch - 1].validation_loss)
        accuracy = () if spec.problem in DENSE else shares
        losses = tuple(1 - share for share in shares)
        return Evaluation(epoch=epoch, accuracy=accuracy, loss=losses, metrics=_metrics(spec, -epoch))

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
        dimensions={"shared": 30_890} | {f"head {task}": 510 for task in range(1, 1 + _tasks(spec))},
        epochs=tuple(epochs),
        best_epoch=best,
        test_best=evaluation(best),
        test_last=evaluation(spec.epochs),
        steps=steps,
        gradient_evaluations=steps * passes * _tasks(spec),
        seconds_training=seconds,
        cpu_seconds_training=0.98 * seconds,
        test_recent=tuple(evaluation(record.epoch) for record in epochs[-RECENT:]) if spec.problem in DENSE else (),
    )


def fill(store: Path, specs: tuple[Spec, ...]) -> None:
    """Store a result for each spec."""
    for spec in specs:
        save_result(store, result(spec))
