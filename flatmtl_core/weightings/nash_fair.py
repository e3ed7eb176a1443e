"""Nash-MTL and FairGrad: alpha-fair bargaining between the tasks, by a damped Newton method."""

import math
from dataclasses import dataclass, field
from typing import Literal, NoReturn

import torch
from jaxtyping import Float64
from torch import Tensor

from flatmtl_core.aggregate import FromGramian, Solution
from flatmtl_core.cosine import CosineForm
from flatmtl_core.errors import NotConverged, check_choice, check_number
from flatmtl_core.laws import named_laws
from flatmtl_core.linalg import EPS, solve_positive, to_floats

_Vector = Float64[Tensor, " n"]

_STATIONARY = 1e-6
_HIDDEN = 1e-3


@dataclass(frozen=True)
class FairGrad(FromGramian):
    """``a > 0`` with ``(G a)_i = a_i^(-1/alpha)`` over the nonzero rows; ``alpha = 1`` is Nash-MTL.

    It is the minimiser of ``1/2 a'Ga - sum_i a_i^(1 - 1/alpha) / (1 - 1/alpha)``, which exists and is unique iff 0 is
    not in the convex hull; otherwise status ``stationary``.

    Args:
        alpha: fairness, > 0.
        scale: ``"paper"``: as above, of degree (1 - alpha) / (1 + alpha). ``"norm"``: (s / sqrt m) A(J / s) with s the
            mean norm of the nonzero rows and m their number, of degree 1, so that a flat part vanishes with the radius.
        stationary: ``"zero"`` (zero direction) or ``"raise"`` (NotConverged).

    Source: Ban and Ji 2024, equation 5.

    Example:
        >>> FairGrad(alpha=2.0)(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
        tensor([1.0000, 0.7937])
    """

    alpha: float = 2.0
    scale: Literal["paper", "norm"] = "paper"
    stationary: Literal["zero", "raise"] = "zero"

    laws = named_laws("COMMON_DESCENT STRICT_DESCENT IN_CONE PERMUTATION ZERO_ROW_IGNORED")

    def __post_init__(self) -> None:
        check_choice("scale", self.scale, ("paper", "norm"))
        check_choice("stationary", self.stationary, ("zero", "raise"))
        check_number("alpha", self.alpha, positive=True)

    @property
    def degree(self) -> float:
        """(1 - alpha) / (1 + alpha) for ``scale="paper"`` (0 for Nash-MTL), 1 for ``scale="norm"``."""
        return 1.0 if self.scale == "norm" else (1 - self.alpha) / (1 + self.alpha)

    def solve(self, form: CosineForm, generator: torch.Generator | None) -> Solution:
        """The fair weights; ``gap`` is the largest ``|a_i^(1/alpha) (G a)_i - 1|`` (of the unscaled weights)."""
        scaled, residual, limit = fair_point(form, self.alpha)
        if not residual <= limit:
            if self.stationary == "raise":
                _refuse_stationary(residual, limit)
            return Solution(gap=min(residual, 1.0), status="stationary")
        power, count = -2 * self.alpha / (1 + self.alpha), len(form.live)
        if self.scale == "norm":
            factor = (sum(form.lengths) / count) ** -power / math.sqrt(count)
        else:
            factor = form.scale**power
        return Solution([factor * weight for weight in form.over_lengths(scaled)], residual)


@dataclass(frozen=True)
class NashMTL(FairGrad):
    """``a > 0`` with ``(G a)_i = 1 / a_i``: ``<g_i, d> = 1 / a_i``, hence ``||d||^2 = m``. It is ``FairGrad(alpha=1)``.

    It is the minimiser of ``1/2 a'Ga - sum_i log a_i``, which exists and is unique iff 0 is not in the convex hull;
    otherwise status ``stationary``.

    Args:
        scale: ``"paper"``: as above, of degree 0: the length does not depend on the gradients' length, so that a flat
            part weighs as much as the loss part at every radius. ``"norm"``: times mean_i ||g_i|| / sqrt m, degree 1.
        stationary: ``"zero"`` (zero direction) or ``"raise"`` (NotConverged).

    Source: Navon et al. 2022, equation 2.

    Example:
        >>> NashMTL()(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
        tensor([1., 1.])
    """

    alpha: float = field(default=1.0, init=False, repr=False)

    laws = FairGrad.laws


def fair_point(form: CosineForm, alpha: float) -> tuple[list[float], float, float]:
    """``b_i = a_i s_i`` with ``s_i (K b)_i = (b_i / s_i)^(-1/alpha)``, its largest relative residual, and the limit.

    Above the limit (1e-6, or 8 times what rounding alone can make) there is no solution: 0 is in the hull.
    """
    best, residual, hidden = _pair(form, alpha) if len(form.lengths) == 2 else _newton(form, alpha)
    return best, residual if hidden <= _HIDDEN else math.inf, max(_STATIONARY, 8 * hidden)


def _pair(form: CosineForm, alpha: float) -> tuple[list[float], float, float]:
    """The fair point of two rows, its residual, and rounding's part of that.

    ``x = log(b_2 / b_1)`` is the root of the quotient of the equations, ``log(k + e^x) - log(1 + k e^x) + x / alpha +
    (1 - 1/alpha) log(s_2 / s_1) = 0``, which increases in x; for Nash-MTL it is 0.
    """
    (first, second), cosine = form.lengths, form.entries[0][1]
    shift, ratio = (1 - 1 / alpha) * math.log(second / first), 1.0
    high = math.log(1 / max(-cosine, EPS)) if cosine < 0 else alpha * abs(shift)
    low = -high
    for _ in range(64 if shift else 0):
        x = (low + high) / 2
        ratio = math.exp(x)
        top, bottom = cosine + ratio, 1 + cosine * ratio
        above = top > 0 and (bottom <= 0 or math.log(top / bottom) + x / alpha + shift > 0)
        low, high = (low, x) if above else (x, high)
    own = (first ** (1 / alpha - 1) / max(1 + cosine * ratio, EPS)) ** (alpha / (1 + alpha))
    best = [own, own * ratio]
    pull = [(b / s) ** (-1 / alpha) / s for b, s in zip(best, form.lengths, strict=True)]
    residual = max([abs(left - right) / right for left, right in zip(form.apply(best), pull, strict=True)])
    return best, residual, EPS * sum(best) / min(pull)


def _newton(form: CosineForm, alpha: float) -> tuple[list[float], float, float]:
    """The fair point, its residual, and rounding's part of that.

    With beta_i = s_i^((1 - alpha)/(1 + alpha)), b = beta y and M = diag(beta) K diag(beta) the equation reads
    ``(M y)_i = beta_i^2 y_i^(-1/alpha)``: the gradient of a convex function of y, which damped Newton steps
    minimise. Where 0 is in the hull y grows without end; the search stops when rounding hides the equation.
    """
    beta = form.norms ** ((1 - alpha) / (1 + alpha))
    problem = _FairProblem(form, beta, 1.0 / alpha)
    # the fixed point of the rows' own sums: exact where all of them are equal
    rows = (problem.matrix.sum(1) / problem.square).clamp(min=0.05)
    point = rows ** (-alpha / (1 + alpha))
    best, least, residual, hidden, reach, stalled = point, math.inf, math.inf, math.inf, math.inf, 0
    for _ in range(300):
        pull, missing, (now, plain, rounding) = problem.residuals(point)
        if now < least:
            best, least, residual, hidden = point, now, plain, rounding
        elif reach <= 1e-8:
            stalled += 1
        if least <= 4 * EPS or stalled > 3 or not math.isfinite(now) or rounding > 1e3 * _HIDDEN:
            break
        point, reach = problem.newton(point, pull, missing)
    return to_floats(beta * best), residual, hidden


class _FairProblem:
    """min over y > 0 of ``1/2 y'My - sum_i q_i phi(y_i)``, ``phi'(t) = t^-p``."""

    def __init__(self, form: CosineForm, beta: _Vector, inverse: float) -> None:
        self.matrix, self.square, self.inverse = torch.outer(beta, beta) * form.cosines, beta * beta, inverse
        self.both = torch.cat([self.matrix, self.matrix.abs()])

    def value(self, point: _Vector) -> float:
        power = 1.0 - self.inverse
        barrier = point.log() if power == 0 else point**power / power
        return to_floats(point @ self.matrix @ point / 2 - self.square @ barrier)[0]

    def residuals(self, point: _Vector) -> tuple[_Vector, _Vector, list[float]]:
        """The right side and what it lacks; the largest row residual at its rounding scale, relative, and rounding."""
        pull, products, size = self.square * point**-self.inverse, self.both @ point, len(point)
        values = to_floats(torch.cat((pull, products)))
        rows = list(zip(values[:size], values[size : 2 * size], values[2 * size :], strict=True))
        now = max([abs(right - left) / reach for right, left, reach in rows])
        plain = max([abs(right - left) / right for right, left, _ in rows])
        return pull, pull - products[:size], [now, plain, EPS * max([reach / right for right, _, reach in rows])]

    def newton(self, point: _Vector, pull: _Vector, missing: _Vector) -> tuple[_Vector, float]:
        """One step in relative coordinates, y (1 + t p): t = 1 once |p| <= 0.1, else by an Armijo search; and |p|."""
        hessian = torch.outer(point, point) * self.matrix
        hessian.diagonal().add_(point * pull, alpha=self.inverse)
        gradient = point * missing
        step = solve_positive(hessian, gradient.unsqueeze(1), refine=False).squeeze(1)
        parts = to_floats(step)
        reach, back, length = max(map(abs, parts)), -min(parts), 1.0
        if reach > 0.1:
            length, start, slope = min(1.0, 0.9 / max(back, 0.9)), self.value(point), to_floats(gradient @ step)[0]
            for _ in range(60):
                if self.value(point * (1.0 + length * step)) <= start - 1e-4 * length * slope:
                    break
                length /= 2
        return torch.addcmul(point, point, step, value=length), reach


def _refuse_stationary(residual: float, limit: float) -> NoReturn:
    what = "there is no fair direction: 0 lies in (or too near) the convex hull of the task gradients"
    remedy = 'stop training, or pass stationary="zero" to go on with a zero direction'
    raise NotConverged(what, "task_grads", f"relative residual {residual:.1e}", f"at most {limit:.1e}", remedy)
