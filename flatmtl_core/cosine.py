"""A Gramian taken apart into cosines and norms: the form in which every small solver works, free of scale."""

import math
from dataclasses import dataclass
from typing import NoReturn

import torch
from jaxtyping import Float64
from torch import Tensor

from flatmtl_core.errors import InvalidInput
from flatmtl_core.linalg import EPS, symmetric_eigen, to_floats, to_host
from flatmtl_core.types import Gramian, Status, Weighted, Weights

_CURVATURE = 1e-6


@dataclass(frozen=True)
class CosineForm:
    """G_ij = scale^2 s_i s_j K_ij over the ``n`` live (nonzero) rows of ``m``.

    Args:
        cosines: K, (n, n), unit diagonal, positive semi-definite up to rounding, on the host.
        norms: s, (n,), the largest is 1.
        scale: the largest norm.
        live: the tasks' indices, ascending.
        tasks: m.
    """

    cosines: Float64[Tensor, "n n"]
    norms: Float64[Tensor, " n"]
    scale: float
    live: tuple[int, ...]
    tasks: int

    def spread(self, values: Float64[Tensor, " n"]) -> Weights:
        """Values of the live rows at their tasks' places, 0 elsewhere."""
        weights = torch.zeros(self.tasks, dtype=torch.float64)
        weights[list(self.live)] = values
        return weights

    def nothing(self, status: Status, device: torch.device, *, gap: float = 0.0) -> Weighted:
        """Zero weights: the direction is exactly zero."""
        return Weighted(torch.zeros(self.tasks, dtype=torch.float64, device=device), gap, status)


def cosine_form(gramian: Gramian) -> CosineForm:
    """Check a Gramian and take it apart.

    Raises:
        InvalidInput: no task, not finite, not symmetric, or an eigenvalue of the cosine matrix below -1e-6 m.

    Notes:
        Negative curvature above that limit (float32 products of dependent rows) is clipped to zero; curvature of
        rounding size is left to the solvers.
    """
    host = gramian.detach() if gramian.is_cpu and gramian.dtype == torch.float64 else to_host(gramian)[0]
    count = host.shape[0] if host.ndim else 0
    if count == 0 or host.shape != (count, count):
        _refuse("(m, m) with m >= 1 tasks", tuple(host.shape))
    diagonal = to_floats(host.diagonal())
    if not all(math.isfinite(value) for value in to_floats(host)) or min(diagonal) < 0:
        _refuse("finite entries and a diagonal >= 0", diagonal)
    live = tuple(task for task, square in enumerate(diagonal) if square > 0)
    norms = torch.tensor([math.sqrt(diagonal[task]) for task in live], dtype=torch.float64)
    scale = max(to_floats(norms), default=1.0)
    cosines = host[list(live)][:, list(live)] / norms / norms.unsqueeze(1)
    if live and to_floats((cosines - cosines.T).abs().amax())[0] > _CURVATURE:
        _refuse("symmetric", to_floats(host))
    dead = [task for task in range(count) if task not in live]
    if dead and to_floats(host[dead].abs().amax())[0] > 0:
        _refuse("rows of a zero diagonal entry are zero", diagonal)
    return CosineForm(_positive_part(cosines, count), norms / scale, scale, live, count)


def _positive_part(cosines: Float64[Tensor, "n n"], tasks: int) -> Float64[Tensor, "n n"]:
    """Symmetrise, set the diagonal to 1 and clip negative curvature beyond rounding."""
    cosines = (cosines + cosines.T) / 2
    cosines.fill_diagonal_(1.0)
    size = cosines.shape[0]
    if size == 2:
        (cosine,) = to_floats(cosines[0, 1])
        if abs(cosine) > 1 + _CURVATURE * tasks:
            _refuse("a cosine matrix without eigenvalue below -1e-6 m", 1 - abs(cosine))
        return cosines.clamp(-1.0, 1.0)
    if size < 2:
        return cosines
    values, vectors = symmetric_eigen(cosines)
    smallest = to_floats(values[0])[0]
    if smallest < -_CURVATURE * tasks:
        _refuse("a cosine matrix without eigenvalue below -1e-6 m", smallest)
    if smallest < -16 * EPS * size:
        cosines = (vectors * values.clamp(min=0.0)) @ vectors.T
        unit = cosines.diagonal().sqrt()
        cosines = cosines / unit / unit.unsqueeze(1)
        cosines.fill_diagonal_(1.0)
    return cosines


def _refuse(rule: str, value: object) -> NoReturn:
    rule = f"inner products of the task gradients: {rule}"
    remedy = "form it as J @ J.T in float64 or with flatmtl_core.linalg.gramian"
    raise InvalidInput("this is not a Gramian", "gramian", value, rule, remedy)
