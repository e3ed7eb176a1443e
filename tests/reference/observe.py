"""Means to see what a step did: the rows it aggregated, the points it visited, the state it left."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from tests.reference.twin import TaskLosses


def relative_error(actual: Tensor, expected: Tensor) -> float:
    """||actual - expected|| / ||expected|| in float64, both read as one vector; 0 when both are zero."""
    assert actual.shape == expected.shape, f"{tuple(actual.shape)} against {tuple(expected.shape)}"
    difference = float((actual.double() - expected.double()).norm())
    scale = float(expected.double().norm())
    if scale == 0.0:
        return 0.0 if difference == 0.0 else float("inf")
    return difference / scale


def same_bits(left: Tensor, right: Tensor) -> bool:
    """Equal shape, dtype and bit pattern: tells -0 from 0 and holds for NaN."""
    if left.shape != right.shape or left.dtype != right.dtype:
        return False
    pairs = (tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8) for tensor in (left, right))
    return torch.equal(*pairs)


def flat_grads_of(parameters: Iterable[Tensor]) -> Tensor:
    """The ``.grad`` of the parameters as one vector; a missing one counts as zero."""
    grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    return torch.cat([grad.detach().flatten() for grad in grads]).clone() if grads else torch.zeros(0)


def clear_grads(parameters: Iterable[Tensor]) -> None:
    for parameter in parameters:
        parameter.grad = None


@dataclass
class RowRecorder:
    """An aggregator (the mean of the rows) that keeps a copy of every matrix it was given."""

    matrices: list[Tensor] = field(default_factory=list)

    def __call__(
        self, task_grads: Tensor, *, generator: torch.Generator | None = None, out: Tensor | None = None
    ) -> Tensor:
        self.matrices.append(task_grads.detach().clone())
        direction = task_grads.mean(dim=0)
        return direction if out is None else out.copy_(direction)


@dataclass
class CallRecorder:
    """Task losses that note, at each call, the tasks asked for and every parameter's value."""

    task_losses: TaskLosses
    parameters: Sequence[Tensor]
    tasks: list[tuple[int, ...]] = field(default_factory=list)
    points: list[list[Tensor]] = field(default_factory=list)

    def __call__(self, tasks: tuple[int, ...]) -> Sequence[Tensor]:
        self.tasks.append(tuple(tasks))
        self.points.append([parameter.detach().clone() for parameter in self.parameters])
        return self.task_losses(tasks)


@dataclass
class FailingCall:
    """Task losses that run the forward (so noise is drawn and buffers move) and raise at one call."""

    task_losses: TaskLosses
    fails_at: int
    error: BaseException
    calls: int = 0

    def __call__(self, tasks: tuple[int, ...]) -> Sequence[Tensor]:
        losses = self.task_losses(tasks)
        self.calls += 1
        if self.calls - 1 == self.fails_at:
            raise self.error
        return losses


@dataclass(frozen=True)
class State:
    """Everything that a step may touch, copied."""

    tensors: dict[str, Tensor]
    places: dict[str, int]
    absent: frozenset[str]
    training: dict[str, bool]

    @classmethod
    def of(cls, model: nn.Module, generator: torch.Generator | None = None) -> "State":
        tensors = {"rng": torch.get_rng_state()}
        places, absent = {}, set()
        for name, parameter in model.named_parameters():
            tensors[f"parameter {name}"] = parameter.detach().clone()
            places[name] = parameter.data_ptr()
            if parameter.grad is None:
                absent.add(f"grad {name}")
            else:
                tensors[f"grad {name}"] = parameter.grad.detach().clone()
        for name, buffer in model.named_buffers():
            tensors[f"buffer {name}"] = buffer.detach().clone()
        if generator is not None:
            tensors["generator"] = generator.get_state()
        training = {name: module.training for name, module in model.named_modules()}
        return cls(tensors, places, frozenset(absent), training)

    def changes(self, later: "State", ignore: Callable[[str], bool] = lambda name: False) -> list[str]:
        """Names of what differs from ``later``, bit for bit; a parameter's storage counts too."""
        names = {*self.tensors, *later.tensors}
        changed = [
            name
            for name in names
            if name not in self.tensors
            or name not in later.tensors
            or not same_bits(self.tensors[name], later.tensors[name])
        ]
        changed += [f"storage {name}" for name, place in self.places.items() if later.places[name] != place]
        changed += [f"training {name}" for name, flag in self.training.items() if later.training[name] != flag]
        return sorted(name for name in changed if not ignore(name))
