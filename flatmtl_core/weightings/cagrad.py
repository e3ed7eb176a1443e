"""CAGrad: the best worst-case descent in a ball around the mean gradient."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float64
from torch import Tensor

from flatmtl_core.aggregate import FromGramian
from flatmtl_core.cosine import CosineForm, cosine_form
from flatmtl_core.errors import NotConverged, check_choice, check_number
from flatmtl_core.laws import Law, named_laws
from flatmtl_core.linalg import EPS, solve_positive, to_floats
from flatmtl_core.nonnegative import nonnegative_quadratic
from flatmtl_core.types import Gramian, Status, Weighted
from flatmtl_core.weightings.mgda import min_norm_point, vanishes

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

    laws: ClassVar[frozenset[Law]] = named_laws(
        "IN_CONE HOMOGENEOUS PERMUTATION ROTATION ZERO_TO_ZERO ZERO_ROW_IGNORED DEFINED_WHEN_STATIONARY "
        "ZERO_ONLY_IF_STRONGLY_STATIONARY"
    )

    def __post_init__(self) -> None:
        check_number("c", self.c)
        check_choice("rescale", self.rescale, (0, 1, 2))

    def weighting(self, gramian: Gramian, *, generator: torch.Generator | None = None) -> Weighted:
        """``1/m + c ||g_0|| w / ||g_w||``, rescaled; duality gap."""
        form = cosine_form(gramian)
        count = len(form.live)
        if not count:
            return form.nothing("zero", gramian.device)
        mean = form.norms / count
        if vanishes(form, mean):
            return form.nothing("stationary", gramian.device)
        addition, gap = ball_addition(form, mean, self.c)
        shrink = (count / form.tasks) / (1.0, 1.0 + self.c**2, 1.0 + self.c)[self.rescale]
        scaled = mean + addition
        status: Status = "stationary" if vanishes(form, scaled) else "solved"
        weights = form.spread(shrink * scaled / form.norms)
        gap *= (form.scale * count / form.tasks) * form.scale
        return Weighted(weights.to(gramian.device), gap, status)


def ball_addition(form: CosineForm, mean: _Vector, c: float) -> tuple[_Vector, float]:
    """``d - g_0`` over the unit rows, and the duality gap, in units where the largest row has norm 1.

    For a value v let d(v) be the point nearest to g_0 with ``<g_i, d> >= v`` for all i. Its distance from g_0 grows
    with v; CAGrad's d is d(v*) at distance ``c ||g_0||``. When 0 is in the hull v* <= 0, and d(0) is the answer as
    soon as the ball reaches it (g_w = 0 there).
    """
    alignment = form.cosines @ mean
    radius = c * _length(form, mean)
    if radius == 0:
        return torch.zeros_like(mean), 0.0
    hull = min_norm_point(form)
    at_zero = nonnegative_quadratic(form.cosines, -alignment, noise=_noise(form, mean))
    reached = _length(form, at_zero) <= radius * (1 + 8 * EPS)
    if vanishes(form, hull) and reached:
        worst = min(to_floats(form.norms * (form.cosines @ (mean + at_zero))))
        return at_zero, max(-worst, 0.0)
    low = min(to_floats(form.norms * alignment))
    high = to_floats(hull @ alignment)[0] + radius * _length(form, hull) if reached else 0.0
    direction = _at_radius(form, mean, radius, min(low, high), high, at_zero)
    addition = direction * (radius / _length(form, direction))
    primal = min(to_floats(form.norms * (form.cosines @ (mean + addition))))
    simplex = direction / to_floats(direction @ (1.0 / form.norms))[0]
    dual = to_floats(simplex @ alignment)[0] + radius * _length(form, simplex)
    return addition, max(dual - primal, 0.0)


def _at_radius(form: CosineForm, mean: _Vector, radius: float, low: float, high: float, start: _Vector) -> _Vector:
    """``d(v) - g_0`` with v in [low, high] such that its length is ``radius``.

    On one support the squared length is a quadratic of v, whose root is exact; a bracket guards the steps between
    supports.
    """
    reciprocal = 1.0 / form.norms
    alignment = form.cosines @ mean
    noise = _noise(form, mean)
    support = _support(start)
    value = high
    best = start
    for _ in range(200):
        best = nonnegative_quadratic(form.cosines, value * reciprocal - alignment, noise=noise, start=support)
        length = _length(form, best)
        if abs(length - radius) <= 4 * EPS * radius:
            return best
        low, high = (value, high) if length < radius else (low, value)
        support = _support(best)
        root = _root(form, alignment, radius, support) if support else None
        middle = (low + high) / 2
        following = root if root is not None and low <= root <= high else middle
        if following == value:
            return best
        value = following
    if abs(_length(form, best) - radius) <= 1e-9 * radius:
        return best
    found, rule = f"length {_length(form, best)} for radius {radius}", "equal to 1e-9"
    raise NotConverged("CAGrad's radius was not met", "gramian", found, rule, "report this matrix: it is a defect")


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


def _noise(form: CosineForm, mean: _Vector) -> _Vector:
    """Rounding errors of ``K @ mean``."""
    return len(form.live) * EPS * (form.cosines.abs() @ mean)


def _support(values: _Vector) -> list[int]:
    return [i for i, value in enumerate(to_floats(values)) if value > 0]


def _length(form: CosineForm, values: _Vector) -> float:
    return math.sqrt(max(to_floats(values @ form.cosines @ values)[0], 0.0))
