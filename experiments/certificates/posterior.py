"""A Gaussian around a network: its divergence from the prior, block by block, and its risk by independent draws."""

import copy
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float64
from torch import Tensor

from experiments.bounded_losses import zero_one
from experiments.certificates.losses import Losses, each_task, example_losses
from experiments.certificates.parts import AnyPart, Prior
from experiments.models import MultiTaskModel
from theory.bounds.binary_kl import kl_inverse
from theory.bounds.quantities import Estimate, UpperBound, check_count, check_probability, check_share
from theory.bounds.rounding import Interval, log, sqrt


class Gaussian(Protocol):
    """What is drawn from and charged for."""

    @property
    def prior(self) -> Prior:
        """What it is charged against, and what that has seen."""
        ...

    def centre(self) -> MultiTaskModel:
        """A network at the mean."""
        ...

    def deviations(self) -> tuple[float, ...]:
        """Standard deviation of every parameter tensor, in the order of the network's parameters."""
        ...

    def divergences(self) -> tuple[float, tuple[float, ...]]:
        """KL from the prior of the trunk and of each head, nats."""
        ...


@dataclass(frozen=True)
class Posterior:
    """``N(w_0 + t (w - w_0), diag(scale * deviation)^2)``; the prior has the same covariance and the centre w_0.

    Buffers, such as running statistics, are the prior's: those of the trained network have seen the bound's part, and
    no divergence pays for them.
    """

    prior: Prior
    trained: MultiTaskModel
    mixture: float
    scale: float

    def centre(self) -> MultiTaskModel:
        """A network at the posterior's centre."""
        network = copy.deepcopy(self.prior.centre)
        with torch.no_grad():
            for parameter, target in zip(network.parameters(), self.trained.parameters(), strict=True):
                parameter.lerp_(target, self.mixture)
        return network

    def deviations(self) -> tuple[float, ...]:
        """Those of the prior at this scale."""
        return tuple(self.scale * deviation for deviation in self.prior.deviations)

    def divergences(self) -> tuple[float, tuple[float, ...]]:
        """KL of the trunk and of each head, nats: ``sum_b ||w_b - w_0b||^2 / (2 (scale deviation_b)^2)``.

        Rounded up by 1e-12 of itself, far more than the float64 sums can be wrong.
        """
        centre = self.centre()
        blocks: dict[str, float] = {}
        for (name, parameter), start, deviation in zip(
            centre.named_parameters(), self.prior.centre.parameters(), self.prior.deviations, strict=True
        ):
            block = "trunk" if name.startswith("trunk.") else name.split(".")[1]
            square = float((parameter.detach().double() - start.detach().double()).square().sum())
            blocks[block] = blocks.get(block, 0.0) + square / (2 * (self.scale * deviation) ** 2)
        rounded = {block: value * (1 + 1e-12) for block, value in blocks.items()}
        return rounded["trunk"], tuple(rounded[str(task)] for task in range(len(centre.heads)))


def drawn_risks(
    posterior: Gaussian,
    part: AnyPart,
    *,
    passes: int,
    draw_batch: int,
    generator: torch.Generator,
    loss: Losses = zero_one,
) -> tuple[Float64[Tensor, " m"], int]:
    """Mean loss per task over the part, and the number of independent draws behind it: means of `drawn_errors`."""
    found = drawn_errors(posterior, part, passes=passes, draw_batch=draw_batch, generator=generator, loss=loss)
    return found.mean(0), len(found)


@torch.no_grad()
def drawn_errors(
    posterior: Gaussian,
    part: AnyPart,
    *,
    passes: int,
    draw_batch: int,
    generator: torch.Generator,
    loss: Losses = zero_one,
) -> Float64[Tensor, "draws m"]:
    """Loss per task of every batch of examples, each with weights of its own in every pass; in evaluation mode.

    A batch's error is a number in [0, 1], and given the part all of them are independent. The batches cut the part into
    equal pieces, always the same ones, so their mean has the Gibbs risk of the part as its expectation.

    Args:
        loss: of a task's predictions and targets, one number in [0, 1] an example or image; 0-1 if not given.

    Raises:
        InvalidBound: a loss outside [0, 1], or not one number an example.
        ValueError: the batches do not cut the part into equal pieces, or no pass.
    """
    if len(part) == 0 or len(part) % draw_batch or passes < 1:
        raise ValueError(
            f"{len(part)} examples in batches of {draw_batch}, {passes} passes: the batch must divide the number of "
            "examples, and there must be at least one pass."
        )
    network = posterior.centre().eval()
    centres = [parameter.clone() for parameter in network.parameters()]
    deviations, tasks = posterior.deviations(), tuple(range(len(network.heads)))
    losses, rows = each_task(loss, len(tasks)), []
    for _ in range(passes):
        for start in range(0, len(part), draw_batch):
            for parameter, centre, deviation in zip(network.parameters(), centres, deviations, strict=True):
                parameter.normal_(0.0, deviation, generator=generator).add_(centre)
            inputs, targets = part.batch(slice(start, start + draw_batch))
            found = example_losses(losses, network(inputs, tasks), targets)
            rows.append(torch.stack([values.mean() for values in found]))
    return torch.stack(rows)


def gibbs_upper(risk: float, draws: int, delta: float) -> UpperBound:
    """What the draws estimate is at most this, except with probability delta: Chernoff's bound in its kl form.

    It holds for the mean of independent variables in [0, 1] that need not have the same law.

    Raises:
        InvalidBound: delta outside (0, 1), a risk outside [0, 1], fewer than two draws.
    """
    check_probability("delta", delta)
    estimate = Estimate(mean=risk, draws=draws)
    budget = (-1.0 * log(delta) / float(estimate.draws)).high
    return UpperBound(kl_inverse(estimate.mean, budget), delta, 1.0, "Chernoff")


def bernstein_upper(values: Float64[Tensor, " draws"], delta: float) -> UpperBound:
    """What the draws estimate is at most ``mean + sqrt(2 V log(2/delta) / n) + 7 log(2/delta) / (3 (n - 1))``, except
    with probability delta; V is the sample variance. Far below Chernoff's bound where the draws vary little.

    It holds for independent variables in [0, 1] that need not have the same law. Source: Maurer and Pontil 2009,
    Empirical Bernstein bounds and sample variance penalization, theorem 11 (theorem 4 where they have the same law);
    there V is the sum over i < j of (z_i - z_j)^2 / (n (n - 1)), which is the variance with n - 1.

    Raises:
        InvalidBound: delta outside (0, 1), a mean outside [0, 1], fewer than two draws.
    """
    check_probability("delta", delta)
    draws = check_count("draws", len(values), least=2)
    mean, variance = float(values.mean()), float(values.var()) * (1 + 1e-12)
    check_share("risk", mean)
    confidence = log(2.0 / Interval.of(delta))
    root = sqrt(2.0 * variance * confidence / float(draws))
    value = mean + root + 7.0 * confidence / (3.0 * (draws - 1))
    return UpperBound(min(value.high, 1.0), delta, 1.0, "empirical Bernstein")
