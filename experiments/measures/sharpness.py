"""The worst loss in the ball around the weights, from below: projected gradient ascent from several starts.

All blocks move at once, each in a ball of its own radius. What is found is a LOWER bound of the true maximum: there may
be worse points that no ascent reached. A difference of two such bounds is an estimate, a bound on neither side.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int64
from torch import Tensor

from experiments.measures.records import BallSharpness, Sharpness
from experiments.measures.split_loss import Offsets, SplitLoss, frozen_copy, gaussian, mean_loss, task_loss, zeros
from experiments.metrics import Examples
from experiments.models import MultiTaskModel
from flatmtl_core.perturb import shared_radius_factor

Radii = Sequence[float]


@dataclass(frozen=True)
class Peak:
    """A point of the ball and its loss."""

    value: float
    offsets: Offsets


def _scaled(vectors: Offsets, radii: Radii) -> Offsets:
    """Each block's vector at the length of its radius; zero stays zero."""
    return tuple(
        vector * shared_radius_factor(float(vector.norm()), rho) for vector, rho in zip(vectors, radii, strict=True)
    )


def _projected(offsets: Offsets, radii: Radii) -> Offsets:
    """Each block's offset, shortened to its radius where it is longer."""
    return tuple(
        offset * shared_radius_factor(norm, rho) if (norm := float(offset.norm())) > rho else offset
        for offset, rho in zip(offsets, radii, strict=True)
    )


def _look(loss: SplitLoss, offsets: Offsets) -> tuple[Peak, Offsets]:
    with loss.displaced(offsets):
        value, gradient = loss.value_and_gradient()
    return Peak(value, offsets), gradient


def ascend(loss: SplitLoss, radii: Radii, start: Offsets, steps: int) -> Peak:
    """``eps_b <- P_b(eps_b + a rho_b g_b / ||g_b||)``, a = 1 at first, halved when the loss would not rise.

    The first step from zero is SAM's. The value never falls below the start's.

    Args:
        radii: one a block, >= 0.
        start: a point of the ball.
        steps: gradient evaluations after the one at the start.
    """
    peak, gradient = _look(loss, start)
    length = 1.0
    for _ in range(steps):
        step = _scaled(gradient, [length * rho for rho in radii])
        moved = _projected(tuple(one + other for one, other in zip(peak.offsets, step, strict=True)), radii)
        found, there = _look(loss, moved)
        if found.value > peak.value:
            peak, gradient = found, there
        else:
            length /= 2
    return peak


def sam_value(loss: SplitLoss, radii: Radii) -> float:
    """``L(w + eps)``, ``eps_b = rho_b g_b / ||g_b||``: the loss after SAM's one step.

    Paper: eq. 12
    """
    with loss.displaced(_scaled(loss.value_and_gradient()[1], radii)):
        return loss.value()


def worst_case(
    loss: SplitLoss,
    radii: Radii,
    *,
    steps: int,
    restarts: int,
    generator: torch.Generator,
    further: Sequence[Offsets] = (),
) -> Peak:
    """The highest point of ascents from zero, from ``restarts`` random points of the spheres and from ``further``.

    A lower bound of the maximum over the product of the balls, never below the unperturbed loss.
    """
    randoms = [_scaled(gaussian(loss.blocks, generator), radii) for _ in range(restarts)]
    starts = [zeros(loss.blocks), *randoms, *further]
    return max((ascend(loss, radii, start, steps) for start in starts), key=lambda peak: peak.value)


def sharpness(
    network: MultiTaskModel,
    examples: Examples,
    labels: Int64[Tensor, "n m"],
    *,
    rho: float,
    steps: int,
    restarts: int,
    generator: torch.Generator,
) -> BallSharpness:
    """Worst case of every task at radius rho of trunk and own head, and with one ``eps_sh`` common to all tasks.

    The common ascent climbs the mean over tasks in trunk and all heads. Every task's own ascents start from its point,
    too, so that what is found keeps the order of the true maxima: common <= mean over tasks of the own ones.

    Paper: eq. 8-10
    """
    network = frozen_copy(network)
    tasks = range(len(network.heads))
    losses = [task_loss(network, examples, labels, task) for task in tasks]
    common = worst_case(
        mean_loss(network, examples, labels),
        (rho, *(rho for _ in tasks)),
        steps=steps,
        restarts=restarts,
        generator=generator,
    )
    found, radii = [], (rho, rho)
    for task, loss in enumerate(losses):
        there: Offsets = (common.offsets[0], common.offsets[1 + task])
        peak = worst_case(loss, radii, steps=steps, restarts=restarts, generator=generator, further=[there])
        at_common = ascend(loss, radii, there, 0).value
        found.append(Sharpness(loss=loss.value(), sam=sam_value(loss, radii), worst=peak.value, at_common=at_common))
    return BallSharpness(
        rho=rho,
        tasks=tuple(found),
        common=statistics.fmean(one.at_common for one in found),
        own=statistics.fmean(one.worst for one in found),
    )
