"""Nash-MTL and FairGrad: alpha-fair bargaining between the tasks, by a damped Newton method."""

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NoReturn

import torch
from jaxtyping import Float64
from torch import Tensor

from flatmtl_core.aggregate import FromGramian
from flatmtl_core.cosine import CosineForm, cosine_form
from flatmtl_core.errors import NotConverged, check_choice, check_number
from flatmtl_core.laws import Law, named_laws
from flatmtl_core.linalg import EPS, solve_positive, to_floats
from flatmtl_core.types import Gramian, Weighted

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

    laws: ClassVar[frozenset[Law]] = named_laws(
        "COMMON_DESCENT STRICT_DESCENT IN_CONE HOMOGENEOUS PERMUTATION ROTATION ZERO_TO_ZERO ZERO_ROW_IGNORED"
    )

    def __post_init__(self) -> None:
        check_choice("scale", self.scale, ("paper", "norm"))
        check_choice("stationary", self.stationary, ("zero", "raise"))
        check_number("alpha", self.alpha, positive=True)

    @property
    def degree(self) -> float:
        """(1 - alpha) / (1 + alpha) for ``scale="paper"`` (0 for Nash-MTL), 1 for ``scale="norm"``."""
        return 1.0 if self.scale == "norm" else (1 - self.alpha) / (1 + self.alpha)

    def weighting(self, gramian: Gramian, *, generator: torch.Generator | None = None) -> Weighted:
        """The fair weights; ``gap`` is the largest ``|a_i^(1/alpha) (G a)_i - 1|`` (of the unscaled weights)."""
        form = cosine_form(gramian)
        if not form.live:
            return form.nothing("zero", gramian.device)
        scaled, residual, limit = fair_point(form, self.alpha)
        if not residual <= limit:
            if self.stationary == "raise":
                _refuse_stationary(residual, limit)
            return form.nothing("stationary", gramian.device, gap=min(residual, 1.0))
        power = -2 * self.alpha / (1 + self.alpha)
        if self.scale == "norm":
            factor = to_floats(form.norms.mean())[0] ** -power / math.sqrt(len(form.live))
        else:
            factor = form.scale**power
        weights = form.spread(factor * scaled / form.norms)
        return Weighted(weights.to(gramian.device), residual, "solved")


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

    laws: ClassVar[frozenset[Law]] = FairGrad.laws


def fair_point(form: CosineForm, alpha: float) -> tuple[Float64[Tensor, " n"], float, float]:
    """``b_i = a_i s_i`` with ``s_i (K b)_i = (b_i / s_i)^(-1/alpha)``, its largest relative residual, and the limit.

    Above the limit (1e-6, or 8 times what rounding alone can make) there is no solution: 0 is in the hull.

    Notes:
        With beta_i = s_i^((1 - alpha)/(1 + alpha)), b = beta y and M = diag(beta) K diag(beta) the equation reads
        ``(M y)_i = beta_i^2 y_i^(-1/alpha)``: the gradient of a convex function of y, which damped Newton steps
        minimise. Where 0 is in the hull y grows without end; the search stops when rounding hides the equation.
    """
    beta = form.norms ** ((1 - alpha) / (1 + alpha))
    problem = _FairProblem(beta.unsqueeze(1) * form.cosines * beta, beta * beta, 1.0 / alpha)
    size = len(form.live)
    point = torch.full((size,), size ** (-alpha / (1 + alpha)), dtype=torch.float64)
    best, least, residual, hidden, reach, stalled = point, math.inf, math.inf, math.inf, math.inf, 0
    for _ in range(300):
        now, plain, rounding = to_floats(torch.stack(problem.residuals(point)))
        if now < least:
            best, least, residual, hidden = point, now, plain, rounding
        elif reach <= 1e-8:
            stalled += 1
        if least == 0.0 or stalled > 3 or not math.isfinite(now) or rounding > 1e3 * _HIDDEN:
            break
        point, reach = problem.newton(point)
    return beta * best, residual if hidden <= _HIDDEN else math.inf, max(_STATIONARY, 8 * hidden)


@dataclass(frozen=True)
class _FairProblem:
    """min over y > 0 of ``1/2 y'My - sum_i q_i phi(y_i)``, ``phi'(t) = t^-p``."""

    matrix: Float64[Tensor, "n n"]
    square: Float64[Tensor, " n"]
    inverse: float

    def residuals(self, point: Float64[Tensor, " n"]) -> tuple[Tensor, Tensor, Tensor]:
        """The largest row residual at its rounding scale, relative to its right side, and rounding's part of that."""
        pull = self.square * point**-self.inverse
        terms = self.matrix.abs() @ point
        distance = (self.matrix @ point - pull).abs()
        return (distance / terms).amax(), (distance / pull).amax(), EPS * (terms / pull).amax()

    def value(self, point: Float64[Tensor, " n"]) -> Float64[Tensor, ""]:
        power = 1.0 - self.inverse
        barrier = point.log() if power == 0 else point**power / power
        return point @ self.matrix @ point / 2 - self.square @ barrier

    def newton(self, point: Float64[Tensor, " n"]) -> tuple[Float64[Tensor, " n"], float]:
        """One step in relative coordinates, y (1 + t p): t = 1 once |p| <= 0.1, else by an Armijo search; and |p|."""
        pull = self.square * point ** (1.0 - self.inverse)
        gradient = pull - point * (self.matrix @ point)
        hessian = point.unsqueeze(1) * self.matrix * point + torch.diag(self.inverse * pull)
        unit = hessian.diagonal().sqrt()
        step = solve_positive(hessian / unit / unit.unsqueeze(1), (gradient / unit).unsqueeze(1)).squeeze(1) / unit
        slope, reach, back, start = to_floats(
            torch.stack([gradient @ step, step.abs().amax(), step.neg().amax(), self.value(point)])
        )
        if reach <= 0.1:
            return point * (1.0 + step), reach
        length = 1.0 if back <= 0.9 else 0.9 / back
        for _ in range(60):
            moved = point * (1.0 + length * step)
            if to_floats(self.value(moved))[0] <= start - 1e-4 * length * slope:
                return moved, reach
            length /= 2
        return point * (1.0 + length * step), reach


def _refuse_stationary(residual: float, limit: float) -> NoReturn:
    rule = f"at most {limit:.1e}"
    remedy = 'stop training, or pass stationary="zero" to go on with a zero direction'
    raise NotConverged(
        "there is no fair direction: 0 lies in (or too near) the convex hull of the task gradients",
        "task_grads",
        f"relative residual {residual:.1e}",
        rule,
        remedy,
    )
