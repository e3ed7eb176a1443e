"""CAGrad: the best worst-case descent in a ball around the mean gradient."""

import math
from dataclasses import dataclass
from operator import add, mul
from typing import Literal

import torch
from jaxtyping import Float64
from torch import Tensor

from flatmtl_core.aggregate import FromGramian, Solution
from flatmtl_core.cosine import CosineForm
from flatmtl_core.errors import check_choice, check_number
from flatmtl_core.laws import named_laws
from flatmtl_core.linalg import EPS, dot, solve_positive, to_floats
from flatmtl_core.nonnegative import nonnegative_quadratic
from flatmtl_core.types import Status
from flatmtl_core.weightings.dual_cone import dual_cone_multipliers
from flatmtl_core.weightings.mgda import min_norm_point

_Vector = Float64[Tensor, " n"]


@dataclass(frozen=True)
class CAGrad(FromGramian):
    """``d`` maximises ``min_i <g_i, d>`` over the ball ``||d - g_0|| <= c ||g_0||``, ``g_0 = (1/m) sum_i g_i``.

    Dual: ``w`` minimises ``<g_w, g_0> + c ||g_0|| ||g_w||`` over the simplex, ``d = g_0 + c ||g_0|| g_w / ||g_w||``.
    Where ``g_w = 0`` at the optimum several d are optimal: the one nearest to g_0 is taken. Zero rows are left out of
    the minimum (they still count in m). ``gap`` is dual minus primal value, of the direction before rescaling.

    Args:
        c: radius in units of ||g_0||, c >= 0; 0 is the mean, large values approach the direction of MGDA.
        rescale: 0 (the method's paper), 1: divided by 1 + c^2 (the authors' code), 2: divided by 1 + c.

    Source: Liu et al. 2021 (conflict-averse gradient descent), equations 3 and 4.

    Example:
        >>> CAGrad(c=0.5)(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
        tensor([1.0590, 1.0000])
    """

    c: float = 0.4
    rescale: Literal[0, 1, 2] = 0

    laws = named_laws("IN_CONE PERMUTATION ZERO_ROW_IGNORED DEFINED_WHEN_STATIONARY ZERO_ONLY_IF_STRONGLY_STATIONARY")

    def __post_init__(self) -> None:
        check_number("c", self.c)
        check_choice("rescale", self.rescale, (0, 1, 2))

    def solve(self, form: CosineForm, generator: torch.Generator | None) -> Solution:
        """``g_0 + c ||g_0|| g_w / ||g_w||``, rescaled; duality gap."""
        count = len(form.live)
        mean = [length / count for length in form.lengths]
        alignment = form.apply(mean)
        if form.vanishes(mean, alignment):
            return Solution(status="stationary")
        radius = self.c * math.sqrt(dot(mean, alignment))
        addition, dual = ball_addition(form, alignment, self.c, radius) if radius else ([0.0] * count, -math.inf)
        raised, scaled = list(map(add, alignment, form.apply(addition))), list(map(add, mean, addition))
        gap = max(dual - min(map(mul, form.lengths, raised)), 0.0) * (count / form.tasks) * form.scale * form.scale
        shrink = (count / form.tasks) / (1.0, 1.0 + self.c**2, 1.0 + self.c)[self.rescale]
        status: Status = "stationary" if form.vanishes(scaled, raised) else "solved"
        return Solution([shrink * weight for weight in form.over_lengths(scaled)], gap, status)


def ball_addition(form: CosineForm, alignment: list[float], c: float, radius: float) -> tuple[list[float], float]:
    """``d - g_0`` over the unit rows and the dual value, in units where the largest row has norm 1.

    For a value v let d(v) be the point nearest to g_0 with ``<g_i, d> >= v`` for all i. Its distance from g_0 grows
    with v; CAGrad's d is d(v*) at distance ``c ||g_0||``. When 0 is in the hull v* <= 0, and d(0) is the answer as
    soon as the ball reaches it (g_w = 0 there).

    Args:
        form: the rows.
        alignment: ``<u_i, g_0>``.
        c: the radius in units of ||g_0||.
        radius: the radius.
    """
    hull = min_norm_point(form) if min(alignment) <= 4 * len(alignment) * EPS else []
    inside = len(hull) > 0 and form.vanishes(hull, form.apply(hull))
    if inside:
        at_zero = dual_cone_multipliers(form, alignment)
        if form.length(at_zero) <= radius * (1 + 8 * EPS):
            return at_zero, 0.0
    if len(alignment) <= 2:
        addition = _pair_at_radius(form, alignment, c, radius)
    else:
        addition = _many_at_radius(form, alignment, radius, inside=inside)
    factor = radius / form.length(addition)
    addition = [factor * value for value in addition]
    dual = (dot(addition, alignment) + radius * radius) / sum(form.over_lengths(addition))
    return addition, dual


def _pair_at_radius(form: CosineForm, alignment: list[float], c: float, radius: float) -> list[float]:
    """One or two rows: only the worse one is added, or ``d`` is the multiple of K^-1 (1/s) at this distance.

    With E = (s_1^2 - s_2^2)^2 / (4 s_1^2 s_2^2 (1 - k^2)) and D = ||g_1 - g_2||^2 that is
    ``d_1 = (1 + sqrt(c^2 - E (1 - c^2))) s_1 s_2 (s_2 - k s_1) / D``, and likewise ``d_2``.
    """
    if len(alignment) == 1:
        return [radius]
    (first, second), cosine = form.lengths, form.entries[0][1]
    if first * (alignment[0] + radius) <= second * (alignment[1] + cosine * radius):
        return [radius, 0.0]
    if second * (alignment[1] + radius) <= first * (alignment[0] + cosine * radius):
        return [0.0, radius]
    product, difference = first * second, (first - second) ** 2 + 2 * first * second * (1 - cosine)
    excess = ((first - second) * (first + second) / (2 * product)) ** 2 / ((1 - cosine) * (1 + cosine))
    factor = (1 + math.sqrt(max(c * c - excess * (1 - c * c), 0.0))) * product / difference
    left, right = factor * (second - cosine * first) - first / 2, factor * (first - cosine * second) - second / 2
    return [max(left, 0.0), max(right, 0.0)]


def _many_at_radius(form: CosineForm, alignment: list[float], radius: float, *, inside: bool) -> list[float]:
    """Three rows or more: ``d(v) - g_0`` for the v at which its length is ``radius``.

    On one support the squared length is a quadratic of v, whose root is exact; a bracket guards the steps between
    supports, up to the rounding of its ends (where one row is added its upper end is the root).
    """
    target, slack = torch.tensor(alignment, dtype=torch.float64), 8 * EPS * (max(map(abs, alignment)) + radius)
    low = min(map(mul, form.lengths, alignment))
    high = 0.0 if inside else min([s * (product + radius) for s, product in zip(form.lengths, alignment, strict=True)])
    low, support, value, best = min(low, high), list(range(len(alignment))), math.nan, alignment
    for _ in range(200):
        root = _root(form, target, radius, support) if support else None
        if root is None or not low - slack <= root <= high + slack:
            root = (low + high) / 2
        following = max(low, min(root, high))
        if following == value:
            break
        value = following
        linear = value / form.norms - target
        best = to_floats(nonnegative_quadratic(form.cosines, linear, start=support))
        length = form.length(best)
        if abs(length - radius) <= 4 * EPS * radius:
            break
        low, high = (value, high) if length < radius else (low, value)
        support = [i for i, added in enumerate(best) if added > 0]
    return best


def _root(form: CosineForm, alignment: _Vector, radius: float, support: list[int]) -> float | None:
    """The larger v with ``||v p - r|| = radius`` on one support, K p = 1/s and K r = alignment there."""
    block = form.cosines[support][:, support]
    right = torch.stack([1.0 / form.norms[support], alignment[support]], dim=1)
    both = solve_positive(block, right)
    square, cross, constant = to_floats((both.T @ block @ both)[[0, 0, 1], [0, 1, 1]])
    if square <= 0:
        return None
    centre = cross / square
    under = centre * centre - (constant - radius * radius) / square
    return centre + math.sqrt(under) if under >= 0 else None
