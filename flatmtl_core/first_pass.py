"""Pass 1: one forward, m backwards, and everything that the balls and the report need from them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from flatmtl_core.aggregate import non_finite, refuse_non_finite
from flatmtl_core.linalg import Measured, count_non_finite, measure, norm, to_floats
from flatmtl_core.parameters import Blocks
from flatmtl_core.perturb import dual_weight
from flatmtl_core.task_gradients import HeadGrads, check_losses, task_gradients
from flatmtl_core.types import Direction, Losses, TaskGrads
from flatmtl_core.workspace import Workspace

Reduce: TypeAlias = Callable[[Tensor], None]
"""Averages a tensor over processes, in place."""


@dataclass(frozen=True)
class FirstPass:
    """Pass 1: losses, the (m, d) rows, the heads' gradients, the Gramian, and the norms of the balls' duals."""

    losses: Losses
    rows: TaskGrads
    heads: list[HeadGrads]
    measured: Measured
    head_norms: list[float]
    shared_norms: list[float]


def first_pass(
    values: Sequence[Tensor], blocks: Blocks, workspace: Workspace, *, adaptive: bool, reduce: Reduce | None
) -> FirstPass:
    """Lines 1 and 2 of Algorithm 1: every task's gradient in the trunk and in its head, and their norms.

    Args:
        values: the m losses; their graph is freed.
        adaptive: whether the norms are those of ``|w| g``.
        reduce: averages the gradients over processes before anything else sees them.
    """
    tasks = range(len(blocks.heads))
    check_losses(values, tasks)
    detached = torch.stack([value.detach().to(blocks.device) for value in values])
    rows = workspace.take("rows", (len(tasks), sum(blocks.sizes)), blocks.dtype, blocks.device)
    heads = task_gradients(values, blocks, rows)
    if reduce is not None:
        reduce(rows)
        reduce_heads(heads, reduce)
    riders = [head_norms(blocks, heads, adaptive=adaptive)]
    if adaptive:
        riders.append(torch.stack([_shared_norm(blocks, rows[task]) for task in tasks]))
    measured = measure(rows, *riders)
    refuse_non_finite(measured, rows, names=blocks.shared_names(), sizes=blocks.sizes)
    refuse_heads(blocks, heads, measured.riders[0], "")
    shared_norms = to_floats(measured.riders[1]) if adaptive else measured.norms
    return FirstPass(detached, rows, heads, measured, to_floats(measured.riders[0]), shared_norms)


def _shared_norm(blocks: Blocks, row: Direction) -> Tensor:
    pairs = zip(blocks.shared, blocks.pieces(row), strict=True)
    return norm([dual_weight(parameter.detach(), piece, adaptive=True) for parameter, piece in pairs], row)


def head_norms(blocks: Blocks, heads: Sequence[HeadGrads], *, adaptive: bool) -> Tensor:
    """``||g_ns^i||`` (or of ``|w| g``) for every task, (m,) float64."""
    norms: list[Tensor] = []
    for parameters, found in zip(blocks.heads, heads, strict=True):
        pairs = zip(parameters, found.gradients, strict=True)
        vectors = [dual_weight(p.detach(), g, adaptive=adaptive) for p, g in pairs if g is not None]
        norms.append(norm(vectors, blocks.shared[0]).to(blocks.device))
    return torch.stack(norms)


def reduce_heads(heads: Sequence[HeadGrads], reduce: Reduce) -> None:
    """Average the heads' gradients over processes."""
    for found in heads:
        for gradient in found.found():
            reduce(gradient)


def refuse_heads(blocks: Blocks, heads: Sequence[HeadGrads], norms: Tensor, when: str) -> None:
    """Raise NonFinite for the first head parameter whose gradient holds NaN or infinity."""
    for task, length in enumerate(to_floats(norms)):
        if math.isfinite(length):
            continue
        for parameter, gradient in zip(blocks.heads[task], heads[task].gradients, strict=True):
            if gradient is not None and (count := count_non_finite(gradient)):
                raise non_finite(task, blocks.names[id(parameter)], count, when)
