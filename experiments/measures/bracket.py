"""The worst loss in the ball from both sides: projected ascent below, the certificate above, the same weights."""

import time
from pathlib import Path

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from experiments.measures.ball_certificate import BallCertificate, ball_certificate
from experiments.measures.bracket_records import (
    BRACKET_SHELF,
    SCHEMA_VERSION,
    AtRadius,
    Bracket,
    Bracketing,
    Brackets,
)
from experiments.measures.run import trained_network
from experiments.measures.sharpness import worst_case
from experiments.measures.split_loss import frozen_copy, loss_and_accuracy, task_loss
from experiments.methods import stream_seed
from experiments.models import MultiTaskModel
from experiments.provenance import now, provenance
from experiments.splits import LoadedProblem

INSIDE = 1 - 1e-9
"""The ascent keeps to so much of the radius: rounding does not carry it out of the ball."""


def brackets(
    network: MultiTaskModel,
    rows: Float[Tensor, "n inputs"],
    labels: Int64[Tensor, "n m"],
    *,
    rho: float,
    steps: int,
    restarts: int,
    generator: torch.Generator,
) -> AtRadius:
    """Lower and upper bounds of every task's greatest losses where trunk and own head each move by at most rho.

    Both in float64, at the same weights and examples. The network is left as it was.

    Raises:
        ValueError: as `ball_certificate`.
    """
    network, rows = frozen_copy(network).double(), rows.double()
    certificates = ball_certificate(network, rows, labels, rho=rho)

    def one(task: int, above: BallCertificate) -> Bracket:
        loss, radii = task_loss(network, rows, labels, task), (INSIDE * rho, INSIDE * rho)
        still = 1 - loss_and_accuracy(network, rows, labels)[1][task]
        peak = worst_case(loss, radii, steps=steps, restarts=restarts, generator=generator)
        with loss.displaced(peak.offsets):
            moved = 1 - loss_and_accuracy(network, rows, labels)[1][task]
        return Bracket(
            entropy=loss.value(),
            entropy_lower=peak.value,
            entropy_upper=above.cross_entropy.value,
            error=still,
            error_lower=max(still, moved),
            error_upper=above.errors.value,
        )

    return AtRadius(rho=rho, tasks=tuple(one(task, above) for task, above in enumerate(certificates)))


def bracket_trained(
    bracketing: Bracketing, problem: LoadedProblem, *, commit: str, dirty: bool, weights: Path
) -> Brackets:
    """The brackets of one run, which is trained first where its weights are missing.

    Args:
        problem: the splits of the run.
        weights: folder of trained weights.
    """
    started = now()
    network = trained_network(bracketing.training, problem, weights, commit=commit, dirty=dirty)
    clock, train = time.process_time(), problem.train
    generator = torch.Generator().manual_seed(stream_seed(bracketing.training.seed, "probe"))
    found = tuple(
        brackets(
            network,
            train.examples[: bracketing.examples],
            train.labels[: bracketing.examples],
            rho=rho,
            steps=bracketing.steps,
            restarts=bracketing.restarts,
            generator=generator,
        )
        for rho in bracketing.radii
    )
    return Brackets(
        schema_version=SCHEMA_VERSION,
        key=BRACKET_SHELF.key(bracketing),
        bracketing=bracketing,
        provenance=provenance(problem, commit=commit, dirty=dirty, started=started),
        radii=found,
        cpu_seconds=time.process_time() - clock,
    )
