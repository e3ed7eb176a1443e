"""ConFIG: equal cosines with all task gradients."""

from dataclasses import dataclass
from operator import mul

import torch

from flatmtl_core.aggregate import FromGramian, Solution
from flatmtl_core.cosine import CosineForm
from flatmtl_core.laws import named_laws
from flatmtl_core.linalg import EPS
from flatmtl_core.weightings.imtlg import solve_ones


@dataclass(frozen=True)
class ConFIG(FromGramian):
    """``d = (sum_i <g_i, e>) e``, ``e`` the unit vector along ``U^+ 1``, ``U`` the unit rows ``g_i / ||g_i||``.

    On their cosine matrix K: ``y = K^+ 1``, ``e = U^T y / sqrt(y'Ky)``. Independent rows have the same cosine
    ``1 / sqrt(sum y)`` with e; dependent ones take the pseudo-inverse, and then equality is not promised. Status
    ``stationary`` when ``U^+ 1`` vanishes. ``gap`` is the largest ``|<d, u_i> - mean_j <d, u_j>|``.

    Source: Liu, Chu and Thuerey 2024 (conflict-free inverse gradients), equation 2.

    Example:
        >>> ConFIG()(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
        tensor([1.5000, 1.5000])
    """

    laws = named_laws("PERMUTATION TASK_SCALING_LINEAR IDENTITY_FOR_ONE_TASK ZERO_ROW_IGNORED")

    def solve(self, form: CosineForm, generator: torch.Generator | None) -> Solution:
        """``y_i / s_i`` times ``sum_j s_j (K y)_j / y'Ky``."""
        solution, condition = solve_ones(form)
        products = form.apply(solution)
        square, reach = sum(map(mul, solution, products)), sum(map(abs, solution))
        if square <= 8 * len(solution) * EPS * condition * reach * reach:
            return Solution(status="stationary")
        factor = sum(map(mul, form.lengths, products)) / square
        mean = sum(products) / len(products)
        gap = abs(factor) * form.scale * max([abs(product - mean) for product in products])
        return Solution([factor * weight for weight in form.over_lengths(solution)], gap)
