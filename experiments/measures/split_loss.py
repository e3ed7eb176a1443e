"""The loss of a whole split as a function of blocks of parameters: value and gradient, also at displaced weights."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import torch
from jaxtyping import Float64, Int64
from torch import Tensor, nn
from torch.nn import functional

from experiments.metrics import Examples, to_input
from experiments.models import MultiTaskModel

Blocks: TypeAlias = tuple[tuple[nn.Parameter, ...], ...]
Offsets: TypeAlias = tuple[Float64[Tensor, " k"], ...]
"""One flat vector a block."""

PIECE = 250


@dataclass(frozen=True)
class SplitLoss:
    """``L(w) = sum of the pieces`` at whatever weights the parameters hold; sums run in float64.

    Args:
        blocks: the parameters, block by block: trunk and own head, or trunk and all heads.
        pieces: makes the summands, one a batch, each differentiable in the blocks.
    """

    blocks: Blocks
    pieces: Callable[[], Iterator[Tensor]]

    @property
    def parameters(self) -> list[nn.Parameter]:
        return [parameter for block in self.blocks for parameter in block]

    @torch.no_grad()
    def value(self) -> float:
        return sum(float(piece.double()) for piece in self.pieces())

    def value_and_gradient(self) -> tuple[float, Offsets]:
        value, totals = 0.0, zeros(self.blocks)
        for piece in self.pieces():
            value += float(piece.detach().double())
            accumulate(totals, self.by_block(torch.autograd.grad(piece, self.parameters)))
        return value, totals

    def by_block(self, tensors: Sequence[Tensor]) -> Offsets:
        """One tensor a parameter, to one flat vector a block."""
        remaining = iter(tensors)
        return tuple(torch.cat([next(remaining).detach().double().flatten() for _ in block]) for block in self.blocks)

    def by_parameter(self, offsets: Offsets) -> list[Tensor]:
        """One flat vector a block, to one tensor a parameter, of its shape and dtype."""
        return [
            part.view_as(parameter).to(parameter.dtype)
            for block, offset in zip(self.blocks, offsets, strict=True)
            for parameter, part in zip(block, offset.split([one.numel() for one in block]), strict=True)
        ]

    @contextmanager
    def displaced(self, offsets: Offsets) -> Iterator[None]:
        """The weights moved by the offsets; they come back bit for bit, whatever happens."""
        starts = [parameter.detach().clone() for parameter in self.parameters]
        try:
            with torch.no_grad():
                for parameter, offset in zip(self.parameters, self.by_parameter(offsets), strict=True):
                    parameter.add_(offset)
            yield
        finally:
            with torch.no_grad():
                for parameter, start in zip(self.parameters, starts, strict=True):
                    parameter.copy_(start)


def zeros(blocks: Blocks) -> Offsets:
    return tuple(torch.zeros(sum(one.numel() for one in block), dtype=torch.float64) for block in blocks)


def accumulate(totals: Offsets, parts: Offsets) -> None:
    """``totals <- totals + parts``, in place."""
    for total, part in zip(totals, parts, strict=True):
        total.add_(part)


def gaussian(blocks: Blocks, generator: torch.Generator) -> Offsets:
    """Independent standard normal entries."""
    return tuple(torch.randn(zero.shape, dtype=torch.float64, generator=generator) for zero in zeros(blocks))


def frozen_copy(network: MultiTaskModel) -> MultiTaskModel:
    """A deep copy in evaluation mode: what is measured on it leaves the network as it was."""
    return copy.deepcopy(network).eval()


def task_loss(network: MultiTaskModel, examples: Examples, labels: Int64[Tensor, "n m"], task: int) -> SplitLoss:
    """``L^i`` as a function of trunk and own head: mean cross entropy (nats) over the split."""

    def pieces() -> Iterator[Tensor]:
        for chosen in torch.arange(len(labels)).split(PIECE):
            (logits,) = network(to_input(examples[chosen]), (task,))
            yield functional.cross_entropy(logits.double(), labels[chosen, task], reduction="sum") / len(labels)

    return SplitLoss((tuple(network.shared_parameters()), tuple(network.head_parameters()[task])), pieces)


def mean_loss(network: MultiTaskModel, examples: Examples, labels: Int64[Tensor, "n m"]) -> SplitLoss:
    """``(1/m) sum_i L^i`` as a function of trunk and all heads."""
    tasks = tuple(range(len(network.heads)))

    def pieces() -> Iterator[Tensor]:
        for chosen in torch.arange(len(labels)).split(PIECE):
            sums = [
                functional.cross_entropy(logits.double(), labels[chosen, task], reduction="sum")
                for task, logits in enumerate(network(to_input(examples[chosen]), tasks))
            ]
            yield torch.stack(sums).sum() / (len(labels) * len(tasks))

    heads = tuple(tuple(head) for head in network.head_parameters())
    return SplitLoss((tuple(network.shared_parameters()), *heads), pieces)


@torch.no_grad()
def predict(network: MultiTaskModel, examples: Examples) -> list[Tensor]:
    """Logits (n, classes) of every task over a whole split, in evaluation mode; the mode comes back."""
    training, tasks = network.training, tuple(range(len(network.heads)))
    network.eval()
    parts = [network(to_input(examples[chosen]), tasks) for chosen in torch.arange(len(examples)).split(PIECE)]
    network.train(training)
    return [torch.cat(column) for column in zip(*parts, strict=True)]


def loss_and_accuracy(
    network: MultiTaskModel, examples: Examples, labels: Int64[Tensor, "n m"]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean cross entropy (nats) and accuracy (share) per task over a whole split."""
    losses, accuracies = [], []
    for task, logits in enumerate(predict(network, examples)):
        losses.append(float(functional.cross_entropy(logits.double(), labels[:, task])))
        accuracies.append(float((logits.argmax(1) == labels[:, task]).double().mean()))
    return tuple(losses), tuple(accuracies)
