"""PCGrad: every task's gradient loses its components against the tasks that it conflicts with."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Int64
from torch import Tensor

from flatmtl_core.aggregate import FromGramian, Solution
from flatmtl_core.cosine import CosineForm
from flatmtl_core.errors import check_choice
from flatmtl_core.laws import named_laws
from flatmtl_core.linalg import to_floats


@dataclass(frozen=True)
class PCGrad(FromGramian):
    """For each task i: ``p = g_i``; for the other tasks j in a random order, where ``<p, g_j> < 0``:
    ``p <- p - <p, g_j> / ||g_j||^2 g_j`` (the original g_j; j = i is left out). ``d = sum_i p_i`` (or the mean).

    Only coefficients of the projected gradients are tracked, so the Gramian suffices. At every call one order a task
    is drawn from ``generator`` (none where at most two rows are nonzero: there is one order only).

    Args:
        reduction: ``"sum"`` (the method's paper) or ``"mean"``.

    Source: Yu et al. 2020, algorithm 1.

    Example:
        >>> PCGrad()(torch.tensor([[1.0, 0.0], [-1.0, 1.0]]), generator=torch.Generator().manual_seed(0))
        tensor([0.5000, 1.5000])
    """

    reduction: Literal["sum", "mean"] = "sum"

    laws = named_laws("IN_CONE TASK_SCALING_LINEAR IDENTITY_FOR_ONE_TASK ZERO_ROW_IGNORED DEFINED_WHEN_STATIONARY")
    laws |= named_laws("ZERO_ONLY_IF_STRONGLY_STATIONARY")

    draws = True

    def __post_init__(self) -> None:
        check_choice("reduction", self.reduction, ("sum", "mean"))

    def solve(self, form: CosineForm, generator: torch.Generator | None) -> Solution:
        """The summed coefficients of the projected gradients; gap 0."""
        count = len(form.live)
        divisor = form.tasks if self.reduction == "mean" else 1
        if count <= 2:
            conflict = min(form.entries[0][-1], 0.0)
            # g_1 loses s_1 k u_2 and g_2 loses s_2 k u_1
            pair = zip(form.lengths, reversed(form.lengths), strict=True)
            return Solution([(1 - conflict * other / own) / divisor for own, other in pair])
        coefficients, products = torch.diag(form.norms), form.norms.unsqueeze(1) * form.cosines
        everyone = torch.arange(count)
        for against in draw_orders(count, generator).unbind(1):
            # a conflict of task i with task j = against[i] removes min(<p, u_j>, 0) u_j from p
            conflicts = products[everyone, against].clamp(max=0.0)
            coefficients[everyone, against] -= conflicts
            products = products - conflicts.unsqueeze(1) * form.cosines[against]
        return Solution(to_floats(coefficients.sum(0) / form.norms / divisor))


def draw_orders(tasks: int, generator: torch.Generator | None) -> Int64[Tensor, "m others"]:
    """Row i: the other tasks in a uniformly random order, independent of the other rows."""
    keys = torch.rand(tasks, tasks, dtype=torch.float64, generator=generator)
    keys.fill_diagonal_(2.0)
    return keys.argsort(dim=1)[:, :-1]
