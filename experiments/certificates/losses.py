"""The losses that a record names, one a task, as functions."""

import math
from collections.abc import Sequence
from typing import TypeAlias

from jaxtyping import Float64
from torch import Tensor

from experiments.bounded_losses import BoundedLoss, angle, clipped_cross_entropy, clipped_depth, zero_one
from experiments.certificates.records import TaskLoss
from experiments.targets import ClassTargets, DenseTargets, Targets
from theory.bounds.quantities import InvalidBound

Losses: TypeAlias = BoundedLoss | Sequence[BoundedLoss]
"""One for all tasks, or one each."""


def losses_of(named: Sequence[TaskLoss]) -> Losses:
    """The functions; 0-1 for all tasks where none is named.

    Raises:
        ValueError: a limit that is not the loss's own.
    """
    return tuple(_loss(*one) for one in named) or zero_one


def _loss(name: str, limit: float) -> BoundedLoss:
    match name, limit:
        case "zero_one", 1.0:
            return zero_one
        case "angle", math.pi:
            return angle
        case "clipped_cross_entropy", _:
            return clipped_cross_entropy(limit)
        case "clipped_depth", _:
            return clipped_depth(limit)
    raise ValueError(f"no loss {name!r} has the limit {limit:g}: 0-1 has 1, the angle pi.")


def each_task(losses: Losses, tasks: int) -> tuple[BoundedLoss, ...]:
    """One a task.

    Raises:
        ValueError: another number of losses.
    """
    found = (losses,) * tasks if callable(losses) else tuple(losses)
    if len(found) != tasks:
        raise ValueError(f"{len(found)} losses for {tasks} tasks: give one each, or one for all.")
    return found


def example_losses(
    losses: Sequence[BoundedLoss], predictions: Sequence[Tensor], targets: Targets
) -> list[Float64[Tensor, " n"]]:
    """Every task's loss of every example, or image.

    Raises:
        InvalidBound: a loss outside [0, 1] or not a number; other than one number an example.
    """
    found = []
    for task, (loss, prediction) in enumerate(zip(losses, predictions, strict=True)):
        values = loss(prediction, truth(targets, task))
        if values.shape != (len(prediction),):
            rule = f"one number for each of {len(prediction)} examples"
            raise InvalidBound("shape of a loss", tuple(values.shape), rule, "Take means over pixels, not over images.")
        outside = values[~((values >= 0) & (values <= 1))]
        if len(outside):
            raise InvalidBound(
                f"the loss of task {task + 1}", float(outside[0]), "in [0, 1]", "Clip it, and divide by its limit."
            )
        found.append(values)
    return found


def truth(targets: Targets, task: int) -> Tensor:
    """What one task's predictions are compared with."""
    match targets:
        case ClassTargets():
            return targets.labels[:, task]
        case DenseTargets():
            return targets.maps[task][1]
    raise TypeError(f"targets are {type(targets).__name__}: use classes or maps.")
