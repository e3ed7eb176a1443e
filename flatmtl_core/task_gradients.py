"""One forward, m backwards: the gradient of every task in the trunk and in its own head."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from flatmtl_core.errors import InvalidInput
from flatmtl_core.parameters import Blocks
from flatmtl_core.types import Direction, TaskGrads


def check_callable(losses: object) -> None:
    """The second pass evaluates the losses again: it needs the function, not its values."""
    if not callable(losses):
        rule = "a callable: task indices -> list of 0-dim losses at the current parameters"
        remedy = "wrap the forward pass: lambda tasks: [loss_of(task) for task in tasks]"
        raise InvalidInput("the losses can not be evaluated again", "losses", type(losses).__name__, rule, remedy)


@dataclass(frozen=True)
class HeadGrads:
    """What one backward found besides the row of the trunk.

    Args:
        gradients: of the own head's parameters; None where the loss does not reach one.
        reached: for each shared parameter whether the loss depends on it.
    """

    gradients: tuple[Tensor | None, ...]
    reached: tuple[bool, ...]

    def found(self) -> tuple[Tensor, ...]:
        """The gradients that exist."""
        return tuple(gradient for gradient in self.gradients if gradient is not None)


def check_losses(losses: object, tasks: Sequence[int]) -> None:
    """One 0-dim differentiable loss for each of these tasks.

    Raises:
        InvalidInput: another number of losses, or one that is no 0-dim tensor with a graph.
    """
    if not isinstance(losses, list | tuple):
        rule = "a list or tuple of 0-dim tensors, one a task"
        remedy = "pass [loss_1, loss_2, ...]; the callable of sam_mtl_backward returns such a list"
        raise InvalidInput("the losses can not be read", "losses", type(losses).__name__, rule, remedy)
    values = cast("Sequence[object]", losses)
    if len(values) != len(tasks):
        found, rule = f"{len(values)} losses for {len(tasks)} tasks", "one loss a task, in the order of the heads"
        remedy = "pass heads=[[], ...] for tasks without own parameters"
        raise InvalidInput("losses and heads do not match", "losses", found, rule, remedy)
    for task, loss in zip(tasks, values, strict=True):
        if not isinstance(loss, Tensor) or loss.ndim != 0 or not loss.is_floating_point():
            found = f"shape {tuple(loss.shape)}, {loss.dtype}" if isinstance(loss, Tensor) else type(loss).__name__
            rule, remedy = "a 0-dim floating tensor", "reduce it, for example with .mean()"
            raise InvalidInput("this is no scalar loss", f"losses, task {task}", found, rule, remedy)
        if not loss.requires_grad:
            what, rule = "this loss can not be differentiated", "computed from the parameters with gradients enabled"
            remedy = "compute it outside torch.no_grad() and without .detach()"
            raise InvalidInput(what, f"losses, task {task}", "a tensor without graph", rule, remedy)


def gradient_into(row: Direction, loss: Float[Tensor, ""], blocks: Blocks, task: int, *, keep_graph: bool) -> HeadGrads:
    """The gradient of one task's loss: in the trunk, written into ``row``; in its own head, returned.

    A shared parameter that the loss does not reach counts as zero.
    """
    count = len(blocks.shared)
    found = _differentiate(loss, blocks.shared + blocks.heads[task], keep_graph=keep_graph)
    with torch.no_grad():
        for piece, gradient in zip(blocks.pieces(row), found[:count], strict=True):
            if gradient is None:
                piece.zero_()
            else:
                piece.copy_(gradient.to_dense() if gradient.is_sparse else gradient)
    own = tuple(gradient if gradient is None else gradient.to_dense() for gradient in found[count:])
    return HeadGrads(own, tuple(gradient is not None for gradient in found[:count]))


def _differentiate(loss: Tensor, parameters: Sequence[Tensor], *, keep_graph: bool) -> Sequence[Tensor | None]:
    """torch.autograd.grad with its true type: None for a parameter that the loss does not reach."""
    return torch.autograd.grad(loss, parameters, retain_graph=keep_graph, allow_unused=True)


def task_gradients(losses: Sequence[Tensor], blocks: Blocks, rows: TaskGrads) -> list[HeadGrads]:
    """``g_sh^i`` into row i and ``g_ns^i`` for every task i, by m backwards through one graph, which is freed.

    Paper: eq. 15

    Args:
        losses: m 0-dim losses of one forward.
        rows: (m, d), overwritten.

    Returns:
        For each task the gradients of its head.
    """
    last = len(losses) - 1
    return [gradient_into(rows[task], loss, blocks, task, keep_graph=task < last) for task, loss in enumerate(losses)]


def write_gradients(blocks: Blocks, result: Direction, heads: Sequence[HeadGrads], first: Sequence[HeadGrads]) -> None:
    """Add to ``.grad``; parameters that no task reaches keep what they had.

    ``result`` and the heads' gradients are given away: where there was no ``.grad`` it becomes a view of them.
    """
    reached = [any(found.reached[index] for found in (*first, *heads)) for index in range(len(blocks.shared))]
    with torch.no_grad():
        for parameter, piece, touched in zip(blocks.shared, blocks.pieces(result), reached, strict=True):
            if touched:
                _add_gradient(parameter, piece)
        for parameters, found in zip(blocks.heads, heads, strict=True):
            for parameter, gradient in zip(parameters, found.gradients, strict=True):
                if gradient is not None:
                    _add_gradient(parameter, gradient)


def _add_gradient(parameter: Tensor, gradient: Tensor) -> None:
    if parameter.grad is None:
        parameter.grad = gradient.to(parameter.dtype)
    else:
        parameter.grad.add_(gradient)
