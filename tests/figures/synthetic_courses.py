"""Courses and trained posteriors that never were, every number of which is known. For tests of exhibits only."""

from experiments.certificates.records import Split
from experiments.certificates.trained_records import (
    FITTED_SHELF,
    Fitted,
    Fitting,
    Outcome,
    Tried,
)
from experiments.certificates.trained_records import (
    SCHEMA_VERSION as FITTED_VERSION,
)
from experiments.courses.records import (
    COURSE_SHELF,
    SCHEMA_VERSION,
    Checkpoint,
    Course,
    Following,
    Rise,
)
from experiments.spec import CLASSES
from experiments.statistics import Paired
from tests.figures.synthetic import result
from tests.figures.synthetic_certificates import task

SLACK = 0.02
THEOREMS = {"Theorem 1": 700.0, "A": 2.0, "Foret": 3.3}


def _checkpoint(following: Following, epoch: int) -> Checkpoint:
    """Errors fall from 1/2 towards 1/4; the rise is negative at first, then grows; half of it under flat training."""
    tasks = len(CLASSES[following.training.problem])
    error = 0.25 + 0.25 / (1 + epoch)
    rise = (epoch - 1) / 1000 * (0.5 if following.training.mode == "decomposed" else 1.0)
    found = Paired(n=20, difference=rise, low=rise - 0.0002, high=rise + 0.0002, p=0.01)
    return Checkpoint(
        epoch=epoch,
        train_error=(error - 0.01,) * tasks,
        held_out_error=(error,) * tasks,
        test_error=(error + 0.002,) * tasks,
        bounds={"Seeger-Maurer": error + SLACK, "McAllester": error + 2 * SLACK},
        theorems=THEOREMS,
        rises=tuple(Rise(rho=rho, loss=(error,) * tasks, rise=(found,) * tasks) for rho in following.radii),
    )


def course(following: Following) -> Course:
    return Course(
        schema_version=SCHEMA_VERSION,
        key=COURSE_SHELF.key(following),
        following=following,
        provenance=result(following.training).provenance,
        n_bound=13_500,
        checkpoints=tuple(_checkpoint(following, epoch) for epoch in following.checkpoints),
        cpu_seconds=10.0,
    )


def fitted(fitting: Fitting) -> Fitted:
    """The trained posterior is one point below the prior's."""
    tasks = len(CLASSES[fitting.training.problem])

    def outcome(risk: float, kl: float) -> Outcome:
        tried = Tried(scale=0.05, kl=kl, risk=risk, value=risk + 0.05, ratios=(1.0,))
        return Outcome(
            tried=(tried,),
            scale=0.05,
            tasks=tuple(task(risk + 0.01 * number, kl) for number in range(tasks)),
            average=task(risk, kl),
        )

    return Fitted(
        schema_version=FITTED_VERSION,
        key=FITTED_SHELF.key(fitting),
        fitting=fitting,
        provenance=result(fitting.training).provenance,
        split=Split(sample=0.04, draws=0.01, scales=3, tasks=tasks),
        n_bound=13_500,
        held_out=outcome(0.3, 0.0),
        trained=outcome(0.29, 4.0),
        prior_test_error=(0.3,) * tasks,
        cpu_seconds={"prior": 10.0, "posteriors": 20.0},
    )
