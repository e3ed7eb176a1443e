"""The shapes that travel through the core, and the two protocols that a method may follow.

Axes: ``m`` tasks, ``d`` shared parameters. ``G = J J^T`` is the Gramian of the rows of ``J``.
"""

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import torch
from jaxtyping import Float, Float64
from torch import Tensor

TaskGrads: TypeAlias = Float[Tensor, "m d"]
"""Task gradients, one row a task; any floating dtype."""

Gramian: TypeAlias = Float64[Tensor, "m m"]
"""Inner products of the rows, float64, symmetric, positive semi-definite up to rounding."""

Weights: TypeAlias = Float64[Tensor, " m"]
"""Coefficients of the rows, float64, on the Gramian's device."""

Direction: TypeAlias = Float[Tensor, " d"]
"""What replaces the gradient of the shared parameters; the update is ``theta - lr * direction``."""

Losses: TypeAlias = Float[Tensor, " m"]
"""Task losses, detached."""

Status: TypeAlias = Literal["solved", "zero", "stationary"]
"""``zero``: every row is zero. ``stationary``: 0 lies in the convex hull (or, IMTL-G, the sum of v vanishes)."""


@dataclass(frozen=True)
class Weighted:
    """Weights with the means to check them.

    They certify the Gramian that was given: one formed from float32 rows is itself known to about 1e-7 only, so that a
    point of the hull nearer to 0 than about 3e-4 of the rows' length can not be told from a stationary one.

    Args:
        weights: coefficients of the rows; the direction is ``weights @ task_grads``.
        gap: absolute certificate in the units of the method: the duality gap (MGDA, CAGrad), the largest
            row residual of the defining identity (IMTL-G, Nash-MTL, FairGrad), 0 for closed forms.
        status: see ``Status``; for ``zero`` and ``stationary`` the direction is exactly zero.
    """

    weights: Weights
    gap: float
    status: Status


@runtime_checkable
class Aggregator(Protocol):
    """From task gradients to one direction: pure, stateless, homogeneous in nothing but what it declares."""

    def __call__(
        self, task_grads: TaskGrads, *, generator: torch.Generator | None = None, out: Direction | None = None
    ) -> Direction: ...


@runtime_checkable
class GramianAggregator(Aggregator, Protocol):
    """An aggregator that needs the inner products of the rows only."""

    @property
    def degree(self) -> float:
        """Degree k of homogeneity: A(t J) = t^k A(J) for t > 0."""
        ...

    def weighting(self, gramian: Gramian, *, generator: torch.Generator | None = None) -> Weighted:
        """Weights of the rows, their certificate, and what was found."""
        ...
