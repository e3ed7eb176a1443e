"""The loss on a line or a plane through the weights, along directions as large as the filters that they change."""

from collections.abc import Sequence

import torch
from jaxtyping import Int64
from torch import Tensor

from experiments.measures.noise import moved
from experiments.measures.records import Landscape
from experiments.measures.split_loss import frozen_copy, loss_and_accuracy
from experiments.metrics import Examples
from experiments.models import MultiTaskModel


def filter_normalised(network: MultiTaskModel, generator: torch.Generator) -> list[Tensor]:
    """A random direction, float64: every filter ``d <- d ||w|| / ||d||``; zero for biases and normalisation parameters.

    A filter is what makes one output: a row of a linear layer, the kernels of one output channel of a convolution.

    Source: Li et al. 2018, Visualizing the loss landscape of neural nets.
    """
    return [_like_filters(parameter.detach().double(), generator) for parameter in network.parameters()]


def _like_filters(weights: Tensor, generator: torch.Generator) -> Tensor:
    drawn = torch.randn(weights.shape, dtype=torch.float64, generator=generator)
    if weights.dim() < 2:
        return torch.zeros_like(weights)
    factors = weights.flatten(1).norm(dim=1) / drawn.flatten(1).norm(dim=1)
    scaled: Tensor = drawn.flatten(1) * factors.unsqueeze(1)
    return scaled.view_as(weights)


def landscape(
    network: MultiTaskModel,
    examples: Examples,
    labels: Int64[Tensor, "n m"],
    *,
    coordinates: Sequence[float],
    directions: int,
    generator: torch.Generator,
) -> Landscape:
    """Loss per task at ``w + a d`` (one direction) or ``w + a d + b e`` (two): row after row, b the faster.

    Args:
        coordinates: of a, and of b, in units of the filters' norms.
        directions: 1 or 2.

    Raises:
        ValueError: another number of directions.
    """
    if directions not in (1, 2):
        raise ValueError(f"{directions} directions: a landscape has 1 or 2.")
    network = frozen_copy(network)
    drawn = [filter_normalised(network, generator) for _ in range(directions)]
    losses = []
    for first in coordinates:
        for second in coordinates if directions == 2 else (0.0,):
            joint = [first * one for one in drawn[0]]
            if directions == 2:
                joint = [one + second * other for one, other in zip(joint, drawn[1], strict=True)]
            with moved(network, joint, 1.0):
                losses.append(loss_and_accuracy(network, examples, labels)[0])
    return Landscape(coordinates=tuple(coordinates), directions=directions, losses=tuple(losses))
