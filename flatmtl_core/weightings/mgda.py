"""MGDA: the shortest vector of the convex hull."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float64
from torch import Tensor

from flatmtl_core.aggregate import FromGramian
from flatmtl_core.cosine import CosineForm, cosine_form
from flatmtl_core.laws import Law, named_laws
from flatmtl_core.linalg import EPS, to_floats
from flatmtl_core.nonnegative import nonnegative_quadratic
from flatmtl_core.types import Gramian, Status, Weighted


@dataclass(frozen=True)
class MGDA(FromGramian):
    """``d = J^T a``, ``a = argmin over the simplex of ||J^T a||``: the point of the convex hull nearest to 0.

    The KKT conditions are ``<g_i, d> >= ||d||^2`` for all i, with equality where ``a_i > 0``. ``d`` is unique, ``a``
    is not. A zero row gives ``d = 0``. ``gap = ||d||^2 - min_i <g_i, d>``; it bounds the squared distance to the
    minimiser.

    Source: Desideri 2012 (the min-norm point; exact here, by an active set instead of Frank-Wolfe).

    Example:
        >>> MGDA()(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
        tensor([0.8000, 0.4000])
    """

    laws: ClassVar[frozenset[Law]] = named_laws(
        "COMMON_DESCENT STRICT_DESCENT IN_CONE HOMOGENEOUS PERMUTATION ROTATION IDENTITY_FOR_ONE_TASK "
        "REPEATED_TASK CONVEX_COMBINATION_ADDED ZERO_TO_ZERO DEFINED_WHEN_STATIONARY NORM_AT_MOST_MEAN "
        "CONTINUOUS"
    )

    def weighting(self, gramian: Gramian, *, generator: torch.Generator | None = None) -> Weighted:
        """The min-norm weights with their duality gap; ``stationary`` when 0 is in the hull (up to rounding of G)."""
        form = cosine_form(gramian)
        if not form.live:
            return form.nothing("zero", gramian.device)
        if len(form.live) < form.tasks:
            zero_rows = torch.ones(form.tasks, dtype=torch.float64)
            zero_rows[list(form.live)] = 0.0
            return Weighted((zero_rows / zero_rows.sum()).to(gramian.device), 0.0, "stationary")
        scaled = min_norm_point(form)
        inner_products = form.norms * (form.cosines @ scaled)
        square = to_floats(scaled @ form.cosines @ scaled)[0]
        gap = max(square - min(to_floats(inner_products)), 0.0)
        weights = scaled / form.norms
        status: Status = "stationary" if vanishes(form, scaled) else "solved"
        return Weighted((weights / weights.sum()).to(gramian.device), gap * form.scale * form.scale, status)


def min_norm_point(form: CosineForm) -> Float64[Tensor, " n"]:
    """Coefficients ``y_i = a_i s_i`` over the unit rows of the min-norm point of the live rows (``sum y_i / s_i = 1``).

    Notes:
        With r_i = s_min / s_i the minimiser of ``y'Ky + (r'y - 1)^2`` over y >= 0 is a positive multiple of it, so
        that one nonnegative kernel serves the simplex. Two rows: a = s_2 (s_2 - k s_1) / ||g_1 - g_2||^2, clipped.
    """
    norms = to_floats(form.norms)
    if len(norms) == 1:
        return form.norms.clone()
    if len(norms) == 2:
        first, second = norms
        (cosine,) = to_floats(form.cosines[0, 1])
        if cosine * first >= second:
            return torch.tensor([0.0, second], dtype=torch.float64)
        if cosine * second >= first:
            return torch.tensor([first, 0.0], dtype=torch.float64)
        # a_1 / a_2 = s_2 (s_2 - k s_1) / (s_1 (s_1 - k s_2)), hence y_1 : y_2 = (s_2 - k s_1) : (s_1 - k s_2)
        left, right = second - cosine * first, first - cosine * second
        total = left / first + right / second
        return torch.tensor([left / total, right / total], dtype=torch.float64)
    reciprocal = min(norms) / form.norms
    scaled = nonnegative_quadratic(form.cosines + torch.outer(reciprocal, reciprocal), reciprocal)
    return scaled / (scaled @ (1.0 / form.norms))


def vanishes(form: CosineForm, scaled: Float64[Tensor, " n"]) -> bool:
    """Whether ``||sum_i y_i u_i||^2`` is zero up to the rounding of a float64 Gramian."""
    square, reach = to_floats(torch.stack([scaled @ form.cosines @ scaled, scaled.abs().sum()]))
    return square <= 8 * len(form.live) * EPS * reach * reach
