"""PCGrad: every task's gradient loses its components against the tasks that it conflicts with."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Int64
from torch import Tensor

from flatmtl_core.aggregate import FromGramian
from flatmtl_core.cosine import cosine_form
from flatmtl_core.errors import InvalidInput, check_choice
from flatmtl_core.laws import Law, named_laws
from flatmtl_core.types import Gramian, Weighted


@dataclass(frozen=True)
class PCGrad(FromGramian):
    """For each task i: ``p = g_i``; for the other tasks j in a random order, where ``<p, g_j> < 0``:
    ``p <- p - <p, g_j> / ||g_j||^2 g_j`` (the original g_j; j = i is left out). ``d = sum_i p_i`` (or the mean).

    Only coefficients of the projected gradients are tracked, so the Gramian suffices. One order a task is drawn from
    ``generator`` at every call.

    Args:
        reduction: ``"sum"`` (the method's paper) or ``"mean"``.

    Source: Yu et al. 2020, algorithm 1.

    Example:
        >>> PCGrad()(torch.tensor([[1.0, 0.0], [-1.0, 1.0]]), generator=torch.Generator().manual_seed(0))
        tensor([0.5000, 1.5000])
    """

    reduction: Literal["sum", "mean"] = "sum"

    laws: ClassVar[frozenset[Law]] = named_laws(
        "IN_CONE HOMOGENEOUS TASK_SCALING_LINEAR ROTATION IDENTITY_FOR_ONE_TASK ZERO_TO_ZERO ZERO_ROW_IGNORED "
        "DEFINED_WHEN_STATIONARY ZERO_ONLY_IF_STRONGLY_STATIONARY"
    )

    def __post_init__(self) -> None:
        check_choice("reduction", self.reduction, ("sum", "mean"))

    def weighting(self, gramian: Gramian, *, generator: torch.Generator | None = None) -> Weighted:
        """The summed coefficients of the projected gradients; gap 0."""
        form = cosine_form(gramian)
        if generator is None:
            rule = "a torch.Generator on the CPU"
            remedy = "pass generator=torch.Generator().manual_seed(0), made once before training"
            raise InvalidInput("PCGrad draws the order of its projections", "generator", None, rule, remedy)
        orders = draw_orders(form.tasks, generator)
        if not form.live:
            return form.nothing("zero", gramian.device)
        cosines = torch.zeros(form.tasks, form.tasks, dtype=torch.float64)
        index = torch.tensor(form.live)
        cosines[index.unsqueeze(1), index] = form.cosines
        start = form.spread(form.norms)
        coefficients, products = torch.diag(start), start.unsqueeze(1) * cosines
        everyone = torch.arange(form.tasks)
        for against in orders.unbind(1):
            # a conflict of task i with task j = against[i] removes min(<p, u_j>, 0) u_j from p
            conflict = products[everyone, against].clamp(max=0.0)
            coefficients[everyone, against] -= conflict
            products = products - conflict.unsqueeze(1) * cosines[against]
        total = coefficients.sum(0)[index] / form.norms
        if self.reduction == "mean":
            total = total / form.tasks
        return Weighted(form.spread(total).to(gramian.device), 0.0, "solved")


def draw_orders(tasks: int, generator: torch.Generator) -> Int64[Tensor, "m others"]:
    """Row i: the other tasks in a uniformly random order, independent of the other rows."""
    keys = torch.rand(tasks, tasks, dtype=torch.float64, generator=generator)
    keys.fill_diagonal_(2.0)
    return keys.argsort(dim=1)[:, :-1]
