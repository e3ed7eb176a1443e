"""UPGrad and DualProj: projections on the dual cone, where no task is in conflict."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import add
from typing import Literal

import torch
from jaxtyping import Float64
from torch import Tensor

from flatmtl_core.aggregate import FromGramian, Solution
from flatmtl_core.cosine import CosineForm
from flatmtl_core.errors import check_choice
from flatmtl_core.laws import named_laws
from flatmtl_core.linalg import is_positive_definite, solve_positive, to_floats
from flatmtl_core.nonnegative import nonnegative_quadratic

_LONG = 1e3
"""Multipliers whose sum of low-precision rows would be their rounding."""


@dataclass(frozen=True)
class UPGrad(FromGramian):
    """``d = (1/m) sum_i P(g_i)``, ``P`` the projection on the dual cone ``{x : <g_j, x> >= 0 for all j}``.

    ``P(g_i) = g_i + sum_j l_j g_j`` with ``l >= 0``, and ``l_j <g_j, P(g_i)> = 0``. Zero rows count in m. ``gap`` is
    the largest over i of ``sum_j l_j |<g_j, P(g_i)>|`` (complementarity) plus the largest violation ``-<u_j, P(g_i)>``
    times ``||g_i||``. Status ``stationary`` when d vanishes.

    Args:
        reduction: ``"mean"`` (the method's paper) or ``"sum"``.

    Source: Quinton and Rey 2024 (Jacobian descent), section 3.

    Example:
        >>> UPGrad()(torch.tensor([[1.0, 0.0], [-1.0, 1.0]]))
        tensor([0.2500, 0.7500])
    """

    reduction: Literal["mean", "sum"] = "mean"

    laws = named_laws("COMMON_DESCENT STRICT_DESCENT IN_CONE TASK_SCALING_LINEAR PERMUTATION IDENTITY_FOR_ONE_TASK")
    laws |= named_laws("ZERO_ROW_IGNORED DEFINED_WHEN_STATIONARY ZERO_ONLY_IF_STRONGLY_STATIONARY")

    def __post_init__(self) -> None:
        check_choice("reduction", self.reduction, ("mean", "sum"))

    def solve(self, form: CosineForm, generator: torch.Generator | None) -> Solution:
        """The summed coefficients of the projections, each found for a unit row."""
        count, divisor = len(form.live), form.tasks if self.reduction == "mean" else 1
        added = _orthogonal_to_others(form) if count > 2 else None
        if added is None:
            rows = [dual_cone_multipliers(form, row, start=_without(count, i)) for i, row in enumerate(form.entries)]
            added = torch.tensor(rows, dtype=torch.float64).T
        raised = form.cosines @ added + form.cosines
        slack = (added * raised.abs()).sum(0) + raised.amin(0).clamp(max=0.0).abs()
        total = (added @ form.norms + form.norms) / divisor
        return _solution(form, to_floats(total), max(to_floats(slack * form.norms.square())))


@dataclass(frozen=True)
class DualProj(FromGramian):
    """``d = P(g_0)``, ``g_0 = (1/m) sum_i g_i``, ``P`` the projection on the dual cone ``{x : <g_j, x> >= 0}``.

    ``gap`` and status as for ``UPGrad``, with g_0 in place of g_i and the longest row's length in place of ``||g_i||``.

    Source: Lopez-Paz and Ranzato 2017 (gradient episodic memory), equation 11, for the mean gradient.

    Example:
        >>> DualProj()(torch.tensor([[1.0, 0.0], [-3.0, 1.0]]))
        tensor([0.0000, 0.5000])
    """

    laws = named_laws("COMMON_DESCENT IN_CONE PERMUTATION IDENTITY_FOR_ONE_TASK ZERO_ROW_IGNORED")
    laws |= named_laws("DEFINED_WHEN_STATIONARY ZERO_ONLY_IF_STRONGLY_STATIONARY NORM_AT_MOST_MEAN")

    def solve(self, form: CosineForm, generator: torch.Generator | None) -> Solution:
        """``1/m`` plus the multipliers."""
        mean = [length / form.tasks for length in form.lengths]
        products = form.apply(mean)
        added = dual_cone_multipliers(form, products)
        raised = list(map(add, products, form.apply(added)))
        slack = sum([y * abs(r) for y, r in zip(added, raised, strict=True)]) + max(-min(raised), 0.0)
        return _solution(form, list(map(add, mean, added)), slack)


def dual_cone_multipliers(
    form: CosineForm, products: list[float], *, start: Sequence[int] | None = None
) -> list[float]:
    """``y >= 0`` for which ``x = t + sum_j y_j u_j`` is the point of the dual cone nearest to t.

    Args:
        form: the rows.
        products: ``<u_j, t>``.
        start: a guess of the support.
    """
    if min(products) >= 0:
        return [0.0] * len(products)
    linear = -torch.tensor(products, dtype=torch.float64)
    added = to_floats(nonnegative_quadratic(form.cosines, linear, start=start))
    if sum(added) > _LONG and form.noise:
        added = to_floats(nonnegative_quadratic(form.cosines, linear, ridge=form.noise))
    return added


def _without(count: int, left_out: int) -> list[int]:
    return [j for j in range(count) if j != left_out]


def _orthogonal_to_others(form: CosineForm) -> Float64[Tensor, "n n"] | None:
    """Column i: the multipliers of u_i if its projection is its part orthogonal to all other rows; None if one is not.

    With P = K^-1 that part is ``sum_j P_ji u_j / P_ii``, and it is the projection where no coefficient is negative.
    """
    unit = torch.eye(len(form.live), dtype=torch.float64)
    if not is_positive_definite(form.cosines - 1e-9 * unit):
        return None
    inverse = solve_positive(form.cosines, unit)
    added = inverse / inverse.diagonal() - unit
    return added if min(to_floats(added.amin())) >= 0 else None


def _solution(form: CosineForm, values: list[float], gap: float) -> Solution:
    vanishes = form.vanishes(values, form.apply(values))
    weights, gap = form.over_lengths(values), gap * form.scale * form.scale
    return Solution(weights, gap, "stationary" if vanishes else "solved")
