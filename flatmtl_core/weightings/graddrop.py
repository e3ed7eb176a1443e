"""GradDrop: every coordinate keeps the gradients of one sign, drawn by their share."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from flatmtl_core.aggregate import check_out, check_task_grads, need_generator, refuse_non_finite
from flatmtl_core.errors import check_number
from flatmtl_core.laws import Law, named_laws
from flatmtl_core.linalg import blocks_of, measure
from flatmtl_core.types import Direction, TaskGrads


@dataclass(frozen=True)
class GradDrop:
    """``d_k = p_k if u_k < P_k else n_k``: p_k and n_k are the sums of the positive and of the negative g_ik.

    ``P_k = p_k / (p_k + |n_k|)`` is the purity of the sign, ``u_k`` uniform on [0, 1) from ``generator``, one draw a
    coordinate. With a leak l it is ``(1 - l)`` times that plus ``l (p_k + n_k)``. Works a coordinate at a time: no
    Gramian, hence no weights and no certificate.

    Args:
        leak: share of the gradients that is never dropped, from 0 (the method's paper) to 1 (the sum).

    Source: Chen et al. 2020, algorithm 1.

    Example:
        >>> GradDrop()(torch.tensor([[1.0, 0.0], [3.0, 2.0]]), generator=torch.Generator().manual_seed(0))
        tensor([4., 2.])
    """

    leak: float = 0.0

    degree: ClassVar[float] = 1.0
    laws: ClassVar[frozenset[Law]] = named_laws(
        "PERMUTATION IDENTITY_FOR_ONE_TASK ZERO_ROW_IGNORED DEFINED_WHEN_STATIONARY"
    ) - {Law.ROTATION}

    def __post_init__(self) -> None:
        check_number("leak", self.leak, most=1.0)

    def __call__(
        self, task_grads: TaskGrads, *, generator: torch.Generator | None = None, out: Direction | None = None
    ) -> Direction:
        """The direction of these task gradients; arguments, result and errors as for every aggregator."""
        check_task_grads(task_grads)
        out, rows, generator = check_out(out, task_grads), task_grads.detach(), need_generator(self, generator)
        refuse_non_finite(measure(rows), rows)
        for block, part in blocks_of(rows, out):
            positive, negative = block.clamp(min=0).sum(0), block.clamp(max=0).sum(0)
            draws = torch.rand(part.shape, generator=generator, device=generator.device).to(block)
            keeps = (negative == 0) | (draws * (positive - negative) < positive)
            kept = torch.where(keeps, positive, negative)
            part.copy_(torch.lerp(kept, positive + negative, self.leak))
        return out
