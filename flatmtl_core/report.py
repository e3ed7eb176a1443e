"""What one step tells about itself: detached, and computed only when read."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from flatmtl_core.linalg import to_floats, to_host
from flatmtl_core.types import Gramian, Losses, Weighted


@dataclass(frozen=True)
class StepReport:
    """Diagnostics of one step (geometry of the shared block).

    Args:
        losses: (m,) at the parameters.
        perturbed_losses: (m,) at the perturbed parameters; None without a second pass.
        loss_gramian: inner products of the loss gradients, float64, on the host.
        flat_gramian: of the flat gradients; None without a second pass and for ``combine="direct"`` and ``"each"``
            (whose rows are overwritten).
        loss_norms: ``||g_i^loss||``.
        flat_norms: ``||g_i^flat||``; None without a second pass.
        intra_products: ``<g_i^loss, g_i^flat>``; None without a second pass.
        head_norms: norms of the heads' loss gradients (of ``|w| g`` when adaptive).
        weighted: weights and certificates of every aggregation, by name: ``loss`` and ``flat``; ``sam``; ``pair``;
            ``task 0`` .. and ``tasks``.
    """

    losses: Losses
    perturbed_losses: Losses | None
    loss_gramian: Gramian
    flat_gramian: Gramian | None
    loss_norms: Float64[Tensor, " m"]
    flat_norms: Float64[Tensor, " m"] | None
    intra_products: Float64[Tensor, " m"] | None
    head_norms: tuple[float, ...]
    weighted: Mapping[str, Weighted]

    @property
    def inter_loss_conflict(self) -> float | None:
        """Share of task pairs with ``<g_i^loss, g_j^loss> < 0``; None for one task."""
        return _negative_share(self.loss_gramian)

    @property
    def inter_flat_conflict(self) -> float | None:
        """Share of task pairs with ``<g_i^flat, g_j^flat> < 0``; None for one task or without the flat Gramian."""
        return None if self.flat_gramian is None else _negative_share(self.flat_gramian)

    @property
    def intra_conflict(self) -> tuple[bool, ...] | None:
        """For each task whether ``<g_i^loss, g_i^flat> < 0``."""
        if self.intra_products is None:
            return None
        return tuple(value < 0 for value in to_floats(*to_host(self.intra_products)))

    @property
    def minimal_cosine(self) -> float | None:
        """Smallest cosine between two nonzero loss gradients; None when there are no two."""
        return _minimal_cosine(self.loss_gramian)

    @property
    def flat_to_loss(self) -> tuple[float, ...] | None:
        """``||g_i^flat|| / ||g_i^loss||``; 0 where both are zero, infinite where only the loss gradient is."""
        if self.flat_norms is None:
            return None
        loss, flat = (to_floats(values) for values in to_host(self.loss_norms, self.flat_norms))
        pairs = zip(flat, loss, strict=True)
        return tuple(above / below if below > 0 else math.inf if above > 0 else 0.0 for above, below in pairs)

    @property
    def stationary(self) -> int:
        """How many aggregations found a stationary point."""
        return sum(weighted.status == "stationary" for weighted in self.weighted.values())


def _negative_share(gramian: Gramian) -> float | None:
    pairs = len(gramian) * (len(gramian) - 1) / 2
    return to_floats(torch.triu(gramian < 0, diagonal=1).sum())[0] / pairs if pairs else None


def _minimal_cosine(gramian: Gramian) -> float | None:
    norms = to_floats(gramian.diagonal().sqrt())
    pairs = [(i, j) for i in range(len(norms)) for j in range(i) if norms[i] > 0 and norms[j] > 0]
    return min((to_floats(gramian[i, j])[0] / norms[i] / norms[j] for i, j in pairs), default=None)
