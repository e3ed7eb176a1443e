"""A Gaussian posterior whose mean and deviations are trained on the bound itself, from the data-dependent prior on."""

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from experiments.certificates.parts import Part, Prior
from experiments.metrics import to_input
from experiments.models import MultiTaskModel


def block_of(name: str) -> str:
    """``trunk``, or the number of the head, of a parameter's name."""
    return "trunk" if name.startswith("trunk.") else name.split(".")[1]


@dataclass(frozen=True)
class TrainedPosterior:
    """``N(w, diag(scale * deviation_b * ratio_b)^2)``, b a parameter tensor; the prior has centre w_0 and ratio 1."""

    prior: Prior
    mean: MultiTaskModel
    scale: float
    ratios: tuple[float, ...]

    def centre(self) -> MultiTaskModel:
        """A network at the mean."""
        return copy.deepcopy(self.mean)

    def deviations(self) -> tuple[float, ...]:
        """One a tensor."""
        return tuple(self.scale * one * ratio for one, ratio in zip(self.prior.deviations, self.ratios, strict=True))

    def divergences(self) -> tuple[float, tuple[float, ...]]:
        """KL of the trunk and of each head, nats, s_b the prior's deviation:
        ``sum_b [||w_b - w_0b||^2 / s_b^2 + k_b (r_b^2 - 1 - 2 log r_b)] / 2``.

        Rounded up by 1e-9 of itself and of the sizes' rounding, more than the float64 sums can be wrong.
        """
        blocks: dict[str, float] = {}
        for (name, parameter), start, deviation, ratio in zip(
            self.mean.named_parameters(),
            self.prior.centre.parameters(),
            self.prior.deviations,
            self.ratios,
            strict=True,
        ):
            square = float((parameter.detach().double() - start.detach().double()).square().sum())
            moved = square / (self.scale * deviation) ** 2
            spread = parameter.numel() * (max(ratio * ratio - 1 - 2 * math.log(ratio), 0.0) + 1e-14)
            block = block_of(name)
            blocks[block] = blocks.get(block, 0.0) + (moved + spread) / 2
        rounded = {block: value * (1 + 1e-9) for block, value in blocks.items()}
        return rounded["trunk"], tuple(rounded[str(task)] for task in range(len(self.mean.heads)))


@dataclass(frozen=True)
class Training:
    """How the posterior is trained.

    Args:
        epochs: through the bound's part. learning_rate: of plain gradient steps in units of the prior's deviation.
        clip: of the cross entropy (nats): the loss lies in [0, clip], as the bound demands.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    clip: float


class _Whitened:
    """``w_b = w_0b + s_b (z_b + r_b eps)``, ``r_b = exp(a_b / sqrt(2 k_b))``: KL is about (||z||^2 + ||a||^2) / 2."""

    def __init__(self, prior: Prior, scale: float) -> None:
        self.names = [name for name, _ in prior.centre.named_parameters()]
        self.starts = [parameter.detach().clone() for parameter in prior.centre.parameters()]
        self.spreads = [scale * deviation for deviation in prior.deviations]
        self.moves = [torch.zeros_like(start, requires_grad=True) for start in self.starts]
        self.logs = [torch.zeros((), requires_grad=True) for _ in self.starts]

    def ratios(self) -> list[Tensor]:
        return [
            torch.exp(log / math.sqrt(2 * start.numel())) for log, start in zip(self.logs, self.starts, strict=True)
        ]

    def divergence(self) -> Tensor:
        total = torch.zeros(())
        for move, ratio, log in zip(self.moves, self.ratios(), self.logs, strict=True):
            spread = move.numel() * (ratio * ratio - 1) - math.sqrt(2 * move.numel()) * log
            total = total + (move.square().sum() + spread) / 2
        return total

    def drawn(self, generator: torch.Generator) -> dict[str, Tensor]:
        weights = {}
        for name, start, spread, move, ratio in zip(
            self.names, self.starts, self.spreads, self.moves, self.ratios(), strict=True
        ):
            noise = torch.randn(start.shape, generator=generator)
            weights[name] = start + spread * (move + ratio * noise)
        return weights


def quadratic_objective(loss: Tensor, divergence: Tensor, *, clip: float, n_samples: int, delta: float) -> Tensor:
    """``c (sqrt(l/c + b/2) + sqrt(b/2))^2``, ``b = (KL + log(2 sqrt n / delta)) / n``, for a loss l in [0, c]."""
    half = (divergence + math.log(2 * math.sqrt(n_samples) / delta)) / (2 * n_samples)
    return clip * (torch.sqrt(loss / clip + half) + torch.sqrt(half)) ** 2


def train_posterior(
    prior: Prior, part: Part, scale: float, training: Training, *, delta: float, generator: torch.Generator
) -> TrainedPosterior:
    """Descend the quadratic bound of the average task by pathwise gradients, one draw of the weights a batch.

    The learning rate falls to zero along a half cosine. Whatever comes out is a posterior that the bound holds for.
    """
    network = copy.deepcopy(prior.centre).eval()
    whitened, tasks = _Whitened(prior, scale), tuple(range(len(network.heads)))
    free: list[Tensor] = [*whitened.moves, *whitened.logs]
    steps = training.epochs * math.ceil(len(part) / training.batch_size)
    done = 0
    for _ in range(training.epochs):
        for chosen in torch.randperm(len(part), generator=generator).split(training.batch_size):
            logits = functional_call(network, whitened.drawn(generator), (to_input(part.examples[chosen]), tasks))
            loss = _clipped(logits, part.labels[chosen], training.clip)
            value = quadratic_objective(
                loss, whitened.divergence(), clip=training.clip, n_samples=len(part), delta=delta
            )
            rate = training.learning_rate * (1 + math.cos(math.pi * done / steps)) / 2
            with torch.no_grad():
                for one, gradient in zip(free, torch.autograd.grad(value, free), strict=True):
                    one.sub_(rate * gradient)
            done += 1
    return _read(prior, scale, whitened)


def _clipped(logits: tuple[Tensor, ...], labels: Tensor, clip: float) -> Tensor:
    each = [
        functional.cross_entropy(one, labels[:, task], reduction="none").clamp(max=clip).mean()
        for task, one in enumerate(logits)
    ]
    return torch.stack(each).mean()


@torch.no_grad()
def _read(prior: Prior, scale: float, whitened: _Whitened) -> TrainedPosterior:
    mean = copy.deepcopy(prior.centre)
    parameters: list[nn.Parameter] = list(mean.parameters())
    for parameter, spread, move in zip(parameters, whitened.spreads, whitened.moves, strict=True):
        parameter.add_(spread * move)
    return TrainedPosterior(prior, mean, scale, tuple(float(ratio) for ratio in whitened.ratios()))
