"""Algorithm 1 written as slowly and plainly as possible: the twin that the step is compared with.

Every task and every pass has a forward and a backward of its own. Parameters are moved by hand and put back from
clones. Gradients are flat vectors in python lists. The aggregator is a black box on the (m, d) matrix.
Noise and buffers are no concern of the twin: it is used where the losses depend on the parameters alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict

import torch
from torch import Tensor

Combine = Literal["decomposed", "direct", "second", "each"]
Norm = Literal["separate", "joint"]
TaskLosses = Callable[[tuple[int, ...]], Sequence[Tensor]]
BlackBox = Callable[[Tensor], Tensor]


class StepOptions(TypedDict, total=False):
    """The choices that the step and its twin share."""

    rho_shared: float
    rho_heads: float
    combine: Combine
    norm: Norm
    adaptive: bool


@dataclass(frozen=True)
class TwinStep:
    """Everything that one iteration computes.

    Args:
        losses, perturbed_losses: (m,).
        loss_grads, sam_grads, flat_grads: (m, d), rows g_sh^{i,loss}, g_sh^{i,SAM}, g_sh^{i,flat}.
        head_loss_grads, head_sam_grads: one flat vector a task, g_ns^i at the two points.
        direction: (d,), what the shared parameters receive.
    """

    losses: Tensor
    perturbed_losses: Tensor
    loss_grads: Tensor
    sam_grads: Tensor
    flat_grads: Tensor
    head_loss_grads: list[Tensor]
    head_sam_grads: list[Tensor]
    direction: Tensor


def flat_values(parameters: Sequence[Tensor]) -> Tensor:
    """The parameters as one vector, cloned."""
    if not parameters:
        return torch.zeros(0, dtype=torch.float64)
    return torch.cat([parameter.detach().clone().flatten() for parameter in parameters])


def write_values(parameters: Sequence[Tensor], values: Tensor) -> None:
    """Write one vector into the parameters, piece by piece, in place."""
    start = 0
    with torch.no_grad():
        for parameter in parameters:
            stop = start + parameter.numel()
            parameter.copy_(values[start:stop].view(parameter.shape))
            start = stop


def flat_gradient(loss: Tensor, parameters: Sequence[Tensor]) -> Tensor:
    """One backward; a parameter that the loss does not reach counts as zero."""
    for parameter in parameters:
        parameter.grad = None
    loss.backward()
    pieces = [
        torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.clone() for parameter in parameters
    ]
    for parameter in parameters:
        parameter.grad = None
    return flat_values(pieces)


def length(vector: Tensor) -> Tensor:
    """Euclidean norm."""
    return (vector * vector).sum().sqrt()


def perturbations(
    grad_shared: Tensor,
    grad_head: Tensor,
    theta_shared: Tensor,
    theta_head: Tensor,
    *,
    rho_shared: float,
    rho_heads: float,
    norm: Norm,
    adaptive: bool,
) -> tuple[Tensor, Tensor]:
    """eps = rho g / ||g|| in each block; adaptive: eps = rho w^2 g / || |w| g ||; joint: one norm over both blocks."""
    scale_shared = theta_shared.abs() if adaptive else torch.ones_like(theta_shared)
    scale_head = theta_head.abs() if adaptive else torch.ones_like(theta_head)
    norm_shared = length(scale_shared * grad_shared)
    norm_head = length(scale_head * grad_head)
    if norm == "joint":
        norm_shared = norm_head = (norm_shared**2 + norm_head**2).sqrt()
    eps_shared = torch.zeros_like(grad_shared)
    if norm_shared > 0:
        eps_shared = rho_shared * scale_shared * scale_shared * grad_shared / norm_shared
    eps_head = torch.zeros_like(grad_head)
    if norm_head > 0:
        eps_head = rho_heads * scale_head * scale_head * grad_head / norm_head
    return eps_shared, eps_head


def combined(
    loss_grads: Tensor, sam_grads: Tensor, flat_grads: Tensor, aggregate: BlackBox, combine: Combine
) -> Tensor:
    """The four ways from the rows to one direction; the black box is called in the order written."""
    if combine == "direct":
        return aggregate(sam_grads)
    if combine == "each":
        per_task = [
            aggregate(torch.stack([loss_grad, flat_grad]))
            for loss_grad, flat_grad in zip(loss_grads, flat_grads, strict=True)
        ]
        return aggregate(torch.stack(per_task))
    from_loss = aggregate(loss_grads)
    from_flat = aggregate(flat_grads)
    if combine == "second":
        return aggregate(torch.stack([from_loss, from_flat]))
    return from_loss + from_flat


def twin_step(
    task_losses: TaskLosses,
    *,
    shared: Sequence[Tensor],
    heads: Sequence[Sequence[Tensor]],
    aggregate: BlackBox,
    rho_shared: float,
    rho_heads: float,
    combine: Combine = "decomposed",
    norm: Norm = "separate",
    adaptive: bool = False,
) -> TwinStep:
    """Algorithm 1 of the paper. Leaves the parameters as they were and their ``.grad`` None."""
    losses, perturbed_losses = [], []
    loss_grads, sam_grads, flat_grads = [], [], []
    head_loss_grads, head_sam_grads = [], []

    for task, head in enumerate(heads):
        both = [*shared, *head]
        n_shared = sum(parameter.numel() for parameter in shared)
        theta = flat_values(both)

        (loss,) = task_losses((task,))
        gradient = flat_gradient(loss, both)
        eps_shared, eps_head = perturbations(
            gradient[:n_shared],
            gradient[n_shared:],
            theta[:n_shared],
            theta[n_shared:],
            rho_shared=rho_shared,
            rho_heads=rho_heads,
            norm=norm,
            adaptive=adaptive,
        )

        write_values(both, theta + torch.cat([eps_shared, eps_head]))
        (perturbed_loss,) = task_losses((task,))
        sam_gradient = flat_gradient(perturbed_loss, both)
        write_values(both, theta)

        losses.append(loss.detach())
        perturbed_losses.append(perturbed_loss.detach())
        loss_grads.append(gradient[:n_shared])
        sam_grads.append(sam_gradient[:n_shared])
        flat_grads.append(sam_gradient[:n_shared] - gradient[:n_shared])
        head_loss_grads.append(gradient[n_shared:])
        head_sam_grads.append(sam_gradient[n_shared:])

    rows = (torch.stack(loss_grads), torch.stack(sam_grads), torch.stack(flat_grads))
    return TwinStep(
        losses=torch.stack(losses),
        perturbed_losses=torch.stack(perturbed_losses),
        loss_grads=rows[0],
        sam_grads=rows[1],
        flat_grads=rows[2],
        head_loss_grads=head_loss_grads,
        head_sam_grads=head_sam_grads,
        direction=combined(*rows, aggregate, combine),
    )
