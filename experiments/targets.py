"""What a batch is to be mapped to: the tasks' targets, which know the losses of predictions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional

from experiments.problems.dense_losses import IGNORED, depth_loss, normal_loss, segmentation_loss
from experiments.spec import DenseTask

Labels: TypeAlias = Int64[Tensor, "n m"]


@runtime_checkable
class Targets(Protocol):
    """Targets of all tasks for some examples."""

    @property
    def tasks(self) -> int:
        """How many there are."""
        ...

    def loss(self, task: int, prediction: Float[Tensor, "n ..."]) -> Float[Tensor, ""]:
        """The task's loss of a prediction: a mean over the examples, or over all their valid pixels."""
        ...

    def correct(self, task: int, prediction: Float[Tensor, "n ..."]) -> Int64[Tensor, ""] | None:
        """How many examples are classified rightly; None for a task that does not classify examples."""
        ...

    def columns(self) -> Iterator["Targets"]:
        """The targets of each task alone."""
        ...

    def part(self, start: int, stop: int) -> "Targets":
        """Those of the examples ``start .. stop - 1``."""
        ...


@dataclass(frozen=True)
class ClassTargets:
    """One class an example and task: mean cross entropy in nats."""

    labels: Labels

    @property
    def tasks(self) -> int:
        return self.labels.shape[1]

    def loss(self, task: int, prediction: Float[Tensor, "n ..."]) -> Float[Tensor, ""]:
        return functional.cross_entropy(prediction, self.labels[:, task])

    def correct(self, task: int, prediction: Float[Tensor, "n ..."]) -> Int64[Tensor, ""] | None:
        return (prediction.argmax(1) == self.labels[:, task]).sum()

    def columns(self) -> Iterator[Targets]:
        return map(ClassTargets, self.labels.split(1, dim=1))

    def part(self, start: int, stop: int) -> Targets:
        return ClassTargets(self.labels[start:stop])


@dataclass(frozen=True)
class DenseTargets:
    """Maps: classes (n, h, w), depth (n, 1, h, w), normals (n, 3, h, w), each with its task's name."""

    maps: tuple[tuple[DenseTask, Tensor], ...]

    @property
    def tasks(self) -> int:
        return len(self.maps)

    def loss(self, task: int, prediction: Float[Tensor, "n ..."]) -> Float[Tensor, ""]:
        name, target = self.maps[task]
        match name:
            case "segmentation":
                return segmentation_loss(prediction, target)
            case "depth":
                return depth_loss(prediction, target)
            case "normals":
                return normal_loss(prediction, target)

    def known(self, task: int) -> Bool[Tensor, "n h w"]:
        """The pixels that carry a target: those that the task's loss is a mean over."""
        name, target = self.maps[task]
        return target != IGNORED if name == "segmentation" else (target != 0).any(dim=1)

    def valid(self, task: int) -> int:
        """How many pixels carry a target."""
        return int(self.known(task).sum())

    def correct(self, task: int, prediction: Float[Tensor, "n ..."]) -> Int64[Tensor, ""] | None:
        return None

    def columns(self) -> Iterator[Targets]:
        return (DenseTargets((one,)) for one in self.maps)

    def part(self, start: int, stop: int) -> Targets:
        return DenseTargets(tuple((name, target[start:stop]) for name, target in self.maps))


def targets_of(given: Targets | Labels) -> Targets:
    """Labels of classes as targets; targets as they are."""
    return ClassTargets(given) if isinstance(given, torch.Tensor) else given
