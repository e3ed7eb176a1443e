"""Nash-MTL and FairGrad: alpha-fair bargaining between the tasks, by a damped Newton method."""

import math
from dataclasses import dataclass, field
from operator import mul
from typing import Literal

import torch

from flatmtl_core.aggregate import FromGramian, Solution
from flatmtl_core.cosine import CosineForm, Entries
from flatmtl_core.errors import NotConverged, check_choice, check_number
from flatmtl_core.laws import named_laws
from flatmtl_core.linalg import EPS, dot, invert, to_rows

_STATIONARY = 1e-6
_HIDDEN = 1e-3
_RANGE, _TINY = 690.0, 1e-300


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
        if not residual <= limit < math.inf:
            if self.stationary == "raise":
                what = "there is no fair direction: 0 lies in (or too near) the convex hull of the task gradients"
                remedy = 'stop training, or pass stationary="zero" to go on with a zero direction'
                raise NotConverged(what, "task_grads", f"relative residual {residual:.1e}", f"<= {limit:.1e}", remedy)
            return Solution(gap=min(residual, 1.0), status="stationary")
        power, count = -2 * self.alpha / (1 + self.alpha), len(form.live)
        of_norms = (sum(form.lengths) / count) ** -power / math.sqrt(count)
        factor = of_norms if self.scale == "norm" else form.scale**power
        return Solution(form.over_lengths([factor * value for value in scaled]), residual)


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
    logs, cosine = [math.log(s) for s in form.lengths], form.entries[0][1]
    shift, x, ratio = (1 - 1 / alpha) * (logs[1] - logs[0]), 0.0, 1.0
    high = math.log(1 / max(-cosine, EPS)) if cosine < 0 else min(alpha * abs(shift), _RANGE)
    low = -high
    for _ in range(64 if shift else 0):
        x = (low + high) / 2
        ratio = math.exp(x)
        top, bottom = cosine + ratio, 1 + cosine * ratio
        above = top > 0 and (bottom <= 0 or math.log(top / bottom) + x / alpha + shift > 0)
        low, high = (low, x) if above else (x, high)
    own = ((1 / alpha - 1) * logs[0] - math.log(max(1 + cosine * ratio, EPS))) * alpha / (1 + alpha)
    best = [_exp(own), _exp(own + x)]
    pull = [(log - b) / alpha - log for log, b in zip(logs, (own, own + x), strict=True)]
    found = zip(form.apply(best), pull, strict=True)
    residual = max([abs(_exp(math.log(left) - right) - 1) if left > 0 else 1.0 for left, right in found])
    return best, residual, EPS * _exp(math.log(sum(best)) - min(pull))


def _newton(form: CosineForm, alpha: float) -> tuple[list[float], float, float]:
    """The fair point, its residual, and rounding's part of that.

    With beta_i = s_i^((1 - alpha)/(1 + alpha)), b = beta y and M = diag(beta) K diag(beta) the equation reads
    ``(M y)_i = beta_i^2 y_i^(-1/alpha)``: the gradient of a convex function of y, which damped Newton steps
    minimise. Where 0 is in the hull y grows without end; the search stops when rounding hides the equation.
    """
    beta = [_exp((1 - alpha) / (1 + alpha) * math.log(s)) for s in form.lengths]
    problem = _FairProblem(form, beta, 1 / alpha)
    # the fixed point of the rows' own sums: exact where all of them are equal
    sums = zip(problem.matrix, problem.square, strict=True)
    point = [max(sum(row) / square, 0.05) ** (-alpha / (1 + alpha)) for row, square in sums]
    best, least, residual, hidden, reach, stalled = point, math.inf, math.inf, math.inf, math.inf, 0
    for _ in range(300):
        gradient, now, plain, rounding = problem.residuals(point)
        if now < least:
            best, least, residual, hidden = point, now, plain, rounding
        elif reach <= 1e-8:
            stalled += 1
        if least <= 4 * EPS or stalled > 3 or not math.isfinite(now) or rounding > 1e3 * _HIDDEN:
            break
        point, reach = problem.newton(point, gradient, reach)
    return list(map(mul, beta, best)), residual, hidden


class _FairProblem:
    """min over y > 0 of ``1/2 y'My - sum_i q_i phi(y_i)``, ``phi'(t) = t^-p``, in Python floats."""

    def __init__(self, form: CosineForm, beta: list[float], power: float) -> None:
        self.matrix = _scaled(form.entries, beta)
        self.absolute = [list(map(abs, row)) for row in self.matrix]
        self.square, self.power = [max(b * b, _TINY) for b in beta], power
        self.logs = list(map(math.log, self.square))
        self.inverse: Entries = []

    def value(self, point: list[float]) -> float:
        power = 1.0 - self.power
        barrier = [math.log(y) if power == 0 else _exp(power * math.log(y)) / power for y in point]
        return dot(point, [dot(row, point) for row in self.matrix]) / 2 - dot(self.square, barrier)

    def pull(self, point: list[float]) -> list[float]:
        """``q_i y_i^-p``."""
        if self.power == 1.0:
            return [square / y for square, y in zip(self.square, point, strict=True)]
        return [_exp(log - self.power * math.log(y)) for log, y in zip(self.logs, point, strict=True)]

    def residuals(self, point: list[float]) -> tuple[list[float], float, float, float]:
        """The gradient in relative coordinates, downhill; the largest row residual at its rounding scale, the same
        relative to its right side, and rounding's part of that."""
        pull = self.pull(point)
        missing = [right - dot(row, point) for right, row in zip(pull, self.matrix, strict=True)]
        terms = [dot(row, point) + _TINY for row in self.absolute]
        now = max([abs(lack) / reach for lack, reach in zip(missing, terms, strict=True)])
        plain = max([abs(lack) / right for lack, right in zip(missing, pull, strict=True)])
        rounding = EPS * max([reach / right for reach, right in zip(terms, pull, strict=True)])
        return list(map(mul, point, missing)), now, plain, rounding

    def newton(self, point: list[float], gradient: list[float], before: float) -> tuple[list[float], float]:
        """One step in relative coordinates, y (1 + t p): t = 1 once |p| <= 0.1, else by an Armijo search; and |p|.

        The inverse of the Hessian is kept while it makes every step 100 times shorter than the one ``before``.
        """
        step = [dot(row, gradient) for row in self.inverse]
        if not step or not max(map(abs, step)) <= 0.01 * before:
            self.inverse = self.inverted_hessian(point)
            step = [dot(row, gradient) for row in self.inverse]
        reach, length = max(map(abs, step)), 1.0
        if reach > 0.1:
            length = min(1.0, 0.9 / max(-min(step), 0.9))
            start, slope = self.value(point), dot(gradient, step)
            for _ in range(60):
                if self.value(_moved(point, step, length)) <= start - 1e-4 * length * slope:
                    break
                length /= 2
        return _moved(point, step, length), reach

    def inverted_hessian(self, point: list[float]) -> Entries:
        """Of the function in relative coordinates: ``(diag(y) M diag(y) + p diag(q y^(1-p)))^-1``."""
        hessian = _scaled(self.matrix, point)
        for i, (y, pull) in enumerate(zip(point, self.pull(point), strict=True)):
            hessian[i][i] += self.power * y * pull
        return to_rows(invert(torch.tensor(hessian, dtype=torch.float64)))


def _scaled(matrix: Entries, factors: list[float]) -> Entries:
    """diag(f) M diag(f)."""
    return [
        [f * g * entry for g, entry in zip(factors, row, strict=True)] for f, row in zip(factors, matrix, strict=True)
    ]


def _moved(point: list[float], step: list[float], length: float) -> list[float]:
    return [max(y * (1.0 + length * change), _TINY) for y, change in zip(point, step, strict=True)]


def _exp(value: float) -> float:
    """exp, kept positive and finite."""
    return math.exp(max(-_RANGE, min(_RANGE, value)))
