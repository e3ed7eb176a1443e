"""What is measured beside the loss: accuracy of a split, geometry of the task gradients, norms of the parameters."""

import copy
import statistics
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor
from torch.nn import functional

from experiments.methods import BatchLosses
from experiments.models import MultiTaskModel
from experiments.results import Conflict
from experiments.targets import Targets
from flatmtl_core import Mean, StepReport, sam_mtl_backward

Examples: TypeAlias = UInt8[Tensor, "n 36 36"] | Float32[Tensor, "n k"]
"""Grey images, or rows of a table."""

EVALUATION_BATCH = 1_000


class Answers(NamedTuple):
    """What networks say of a whole split: per task the loss, and the accuracy or else metrics by name."""

    losses: tuple[float, ...]
    accuracies: tuple[float, ...]
    metrics: dict[str, float] = {}  # noqa: RUF012 - never changed


COUNTED_AS = {"loss": "loss", "sam": "loss", "tasks": "loss", "flat": "flat"}
"""Aggregations over tasks, as step reports name them, and the family whose stationary points they count as: a mode with
one aggregation over tasks (``sam`` of direct, ``tasks`` of each-aggregation) has the loss family only."""


def to_input(examples: Examples) -> Tensor:
    """Grey values 0 .. 255 to float32 in [0, 1], one channel, not centred, not scaled; rows of a table as they are."""
    if examples.dtype == torch.uint8:
        return examples.unsqueeze(1).to(torch.float32).div_(255.0)
    return examples


@torch.no_grad()
def evaluate(
    networks: Sequence[MultiTaskModel], examples: Examples, labels: Int64[Tensor, "n m"]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean cross entropy (nats) and accuracy (share in [0, 1]) per task over a whole split, in evaluation mode.

    One network answers for all tasks, or each of several for its own. Sums run in float64.
    """
    m = labels.shape[1]
    loss_sums = torch.zeros(m, dtype=torch.float64)
    correct = torch.zeros(m, dtype=torch.int64)
    training = [network.training for network in networks]
    for network in networks:
        network.eval()
    for start in range(0, len(examples), EVALUATION_BATCH):
        inputs = to_input(examples[start : start + EVALUATION_BATCH])
        targets = labels[start : start + EVALUATION_BATCH]
        all_logits = [logits for network in networks for logits in network(inputs, tuple(range(len(network.heads))))]
        for task, logits in enumerate(all_logits):
            loss_sums[task] += functional.cross_entropy(logits.double(), targets[:, task], reduction="sum")
            correct[task] += (logits.argmax(1) == targets[:, task]).sum()
    for network, mode in zip(networks, training, strict=True):
        network.train(mode)
    return tuple((loss_sums / len(examples)).tolist()), tuple((correct.double() / len(examples)).tolist())


class ConflictTally:
    """Averages the geometry of step reports over mini-batches.

    A mini-batch brings the reports of all networks: one for m tasks, or one a task, whose per-task numbers are then
    joined and for which there are no pairs of tasks.
    """

    def __init__(self) -> None:
        self._rows: list[dict[str, tuple[float, ...] | None]] = []
        self._stationary = {"loss": 0, "flat": 0}

    def add(self, reports: Sequence[StepReport]) -> None:
        """Count the reports of one mini-batch."""
        self._rows.append(
            {
                "inter_loss": _join([_one(report.inter_loss_conflict) for report in reports]),
                "inter_flat": _join([_one(report.inter_flat_conflict) for report in reports]),
                "intra": _join([_floats(report.intra_conflict) for report in reports]),
                "loss_norm": _join([_floats(report.loss_norms.tolist()) for report in reports]),
                "flat_norm": _join(
                    [None if report.flat_norms is None else _floats(report.flat_norms.tolist()) for report in reports]
                ),
                "flat_to_loss": _join([_floats(report.flat_to_loss) for report in reports]),
            }
        )
        for report in reports:
            for aggregation, weighted in report.weighted.items():
                if weighted.status == "stationary" and aggregation in COUNTED_AS:
                    self._stationary[COUNTED_AS[aggregation]] += 1

    def result(self) -> Conflict:
        """Means over the mini-batches counted so far (at least one)."""
        inter_loss, inter_flat = self._mean("inter_loss"), self._mean("inter_flat")
        loss_norm = self._mean("loss_norm")
        assert loss_norm is not None
        return Conflict(
            batches=len(self._rows),
            inter_loss=None if inter_loss is None else inter_loss[0],
            inter_flat=None if inter_flat is None else inter_flat[0],
            intra=self._mean("intra"),
            loss_norm=loss_norm,
            flat_norm=self._mean("flat_norm"),
            flat_to_loss=self._mean("flat_to_loss"),
            stationary_loss=self._stationary["loss"],
            stationary_flat=self._stationary["flat"],
        )

    def _mean(self, name: str) -> tuple[float, ...] | None:
        rows = [row[name] for row in self._rows]
        present = [row for row in rows if row is not None]
        if len(present) < len(rows):
            return None
        return tuple(statistics.fmean(column) for column in zip(*present, strict=True))


def _one(value: float | None) -> tuple[float, ...] | None:
    return None if value is None else (float(value),)


def _floats(values: Sequence[float] | None) -> tuple[float, ...] | None:
    return None if values is None else tuple(float(value) for value in values)


def _join(parts: Sequence[tuple[float, ...] | None]) -> tuple[float, ...] | None:
    present = [part for part in parts if part is not None]
    if len(present) < len(parts):
        return None
    return tuple(value for part in present for value in part)


def probe(
    networks: Sequence[MultiTaskModel],
    batches: Sequence[tuple[Tensor, Targets]],
    rho: float,
) -> Conflict:
    """Geometry at the present weights on given mini-batches, by F-LS steps at radius ``rho`` for trunk and heads.

    The same measurement for every method, plain ones included. Works on a deep copy in training mode: parameters,
    buffers, ``.grad`` and the global generator of the run are untouched.
    """
    networks = [copy.deepcopy(network).train() for network in networks]
    tally = ConflictTally()
    with torch.random.fork_rng(devices=[]):
        for inputs, targets in batches:
            columns = [targets] if len(networks) == 1 else targets.columns()
            reports = []
            for network, column in zip(networks, columns, strict=True):
                network.zero_grad()
                reports.append(
                    sam_mtl_backward(
                        network,
                        BatchLosses(network, inputs, column),
                        shared=network.shared_parameters(),
                        heads=network.head_parameters(),
                        aggregator=Mean(),
                        rho_shared=rho,
                        rho_heads=rho,
                    )
                )
            tally.add(reports)
    return tally.result()


def parameter_norms(networks: Sequence[MultiTaskModel]) -> dict[str, float]:
    """Euclidean norm of each parameter by name; ``network 1.`` ... in front where there is one network a task."""
    return {
        (name if len(networks) == 1 else f"network {number}.{name}"): float(parameter.detach().double().norm())
        for number, network in enumerate(networks, start=1)
        for name, parameter in network.named_parameters()
    }


def block_dimensions(networks: Sequence[MultiTaskModel]) -> dict[str, int]:
    """Number of parameters per block: ``shared``, ``head 1`` ..., or ``network 1`` ... with one network a task."""
    if len(networks) > 1:
        return {
            f"network {number}": sum(parameter.numel() for parameter in network.parameters())
            for number, network in enumerate(networks, start=1)
        }
    shared = {"shared": sum(parameter.numel() for parameter in networks[0].shared_parameters())}
    heads = {
        f"head {number}": sum(parameter.numel() for parameter in head)
        for number, head in enumerate(networks[0].head_parameters(), start=1)
    }
    return shared | heads
