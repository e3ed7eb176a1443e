"""MGDA: the shortest vector of the convex hull."""

from dataclasses import dataclass
from operator import mul

import torch

from flatmtl_core.aggregate import FromGramian, Solution
from flatmtl_core.cosine import CosineForm
from flatmtl_core.laws import named_laws
from flatmtl_core.linalg import dot, to_floats
from flatmtl_core.nonnegative import nonnegative_quadratic
from flatmtl_core.types import Status


@dataclass(frozen=True)
class MGDA(FromGramian):
    """``d = J^T a``, ``a = argmin over the simplex of ||J^T a||``: the point of the convex hull nearest to 0.

    The KKT conditions are ``<g_i, d> >= ||d||^2`` for all i, with equality where ``a_i > 0``. ``d`` is unique, ``a``
    is not. A zero row gives ``d = 0``. ``gap = ||d||^2 - min_i <g_i, d>``; it bounds the squared distance to the
    minimiser. Status ``stationary`` when 0 is in the hull (up to rounding of G).

    Source: Desideri 2012 (the min-norm point; exact here, by an active set instead of Frank-Wolfe).

    Example:
        >>> MGDA()(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
        tensor([0.8000, 0.4000])
    """

    laws = named_laws("COMMON_DESCENT STRICT_DESCENT IN_CONE PERMUTATION IDENTITY_FOR_ONE_TASK REPEATED_TASK")
    laws |= named_laws("CONVEX_COMBINATION_ADDED DEFINED_WHEN_STATIONARY NORM_AT_MOST_MEAN CONTINUOUS")

    def solve(self, form: CosineForm, generator: torch.Generator | None) -> Solution:
        """The min-norm point and its duality gap; where there are zero rows, all weight is theirs."""
        if len(form.live) < form.tasks:
            return Solution(status="stationary", zero_rows=1 / (form.tasks - len(form.live)))
        scaled = min_norm_point(form)
        products = form.apply(scaled)
        gap = max(dot(scaled, products) - min(map(mul, form.lengths, products)), 0.0)
        weights = form.over_lengths(scaled)
        status: Status = "stationary" if form.vanishes(scaled, products) else "solved"
        total = sum(weights)
        return Solution([weight / total for weight in weights], gap * form.scale * form.scale, status)


def min_norm_point(form: CosineForm) -> list[float]:
    """Coefficients ``y_i = a_i s_i`` over the unit rows of the min-norm point of the live rows (``sum y_i / s_i = 1``).

    Notes:
        With r_i = s_min / s_i the minimiser of ``y'Ky + (r'y - 1)^2`` over y >= 0 is a positive multiple of it, so
        that one nonnegative kernel serves the simplex. Two rows: a = s_2 (s_2 - k s_1) / ||g_1 - g_2||^2, clipped.
    """
    if len(form.lengths) == 1:
        return form.lengths
    if len(form.lengths) == 2:
        (first, second), cosine = form.lengths, form.entries[0][1]
        # a_1 / a_2 = s_2 (s_2 - k s_1) / (s_1 (s_1 - k s_2)), hence y_1 : y_2 = (s_2 - k s_1) : (s_1 - k s_2)
        left, right = second - cosine * first, first - cosine * second
        if min(left, right) <= 0:
            return [0.0, second] if left <= 0 else [first, 0.0]
        total = left / first + right / second
        return [left / total, right / total]
    reciprocal = min(form.lengths) / form.norms
    scaled = nonnegative_quadratic(form.cosines + torch.outer(reciprocal, reciprocal), reciprocal)
    return to_floats(scaled / (scaled @ (1.0 / form.norms)))
