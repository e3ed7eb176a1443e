"""A Gramian taken apart into cosines and norms: the form in which every small solver works, free of scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn

import torch
from jaxtyping import Float64
from torch import Tensor

from flatmtl_core.errors import InvalidInput
from flatmtl_core.linalg import EPS, dot, is_positive_definite, symmetric_eigen, to_floats, to_host, to_rows
from flatmtl_core.types import Gramian

_CURVATURE, _MANY = 1e-6, 8

Entries = list[list[float]]


@dataclass
class CosineForm:
    """G_ij = scale^2 s_i s_j K_ij over the ``n`` live (nonzero) rows of ``m``, in Python floats.

    Args:
        entries: K, n rows of n, unit diagonal, positive semi-definite up to rounding.
        lengths: s, n of them, the largest is 1.
        scale: the largest norm.
        live: the tasks' indices, ascending.
        tasks: m.
        noise: errors that K brings along from low-precision rows; 0 where it is all there is to know.
    """

    entries: Entries
    lengths: list[float]
    scale: float
    live: tuple[int, ...]
    tasks: int
    noise: float = 0.0

    @cached_property
    def cosines(self) -> Float64[Tensor, "n n"]:
        """K as a host tensor."""
        return torch.tensor(self.entries, dtype=torch.float64)

    @cached_property
    def norms(self) -> Float64[Tensor, " n"]:
        """s as a host tensor."""
        return torch.tensor(self.lengths, dtype=torch.float64)

    def apply(self, values: Sequence[float]) -> list[float]:
        """K y, the inner products of ``sum_i y_i u_i`` with the unit rows u_j."""
        if len(values) == 2:
            (left, right), cosine = values, self.entries[0][1]
            return [left + cosine * right, cosine * left + right]
        if len(values) > _MANY:
            return to_floats(self.cosines @ torch.tensor(values, dtype=torch.float64))
        return [dot(row, values) for row in self.entries]

    def over_lengths(self, values: Sequence[float]) -> list[float]:
        """``y_i / s_i``: from coefficients of the unit rows to weights of the rows, up to the common scale."""
        return [value / length for value, length in zip(values, self.lengths, strict=True)]

    def length(self, values: Sequence[float]) -> float:
        """``||sum_i y_i u_i||``, the square root of y'Ky."""
        return math.sqrt(max(dot(values, self.apply(values)), 0.0))

    def vanishes(self, values: Sequence[float], products: Sequence[float]) -> bool:
        """Whether ``||sum_i y_i u_i||^2`` is zero up to the rounding of a float64 Gramian, given also K y."""
        reach = sum(map(abs, values))
        return dot(values, products) <= 8 * len(values) * EPS * reach * reach


def cosine_form(gramian: Gramian) -> CosineForm:
    """Check a Gramian and take it apart.

    Raises:
        InvalidInput: no task, not finite, not symmetric, or an eigenvalue of the cosine matrix below -1e-6 m.

    Notes:
        Negative curvature above that limit (float32 products of dependent rows) is clipped to zero; curvature of
        rounding size is left to the solvers.
    """
    (host,) = to_host(gramian)
    count = host.shape[0] if host.ndim else 0
    if count == 0 or host.shape != (count, count):
        _refuse("(m, m) with m >= 1 tasks", tuple(host.shape))
    flat = to_floats(host)
    diagonal = flat[:: count + 1]
    if not all(map(math.isfinite, flat)) or min(diagonal) < 0:
        _refuse("finite entries and a diagonal >= 0", diagonal)
    for row in [row for row, square in enumerate(diagonal) if square == 0]:
        if any(flat[row * count : (row + 1) * count]) or any(flat[row::count]):
            _refuse("rows of a zero diagonal entry are zero", diagonal)
    return take_apart(flat, 0.0)


def take_apart(gramian: list[float], noise: float) -> CosineForm:
    """The cosine form of a finite Gramian, given row by row, and of the noise of its rows."""
    count = math.isqrt(len(gramian))
    live = tuple([task for task in range(count) if gramian[task * (count + 1)] > 0])
    norms = [math.sqrt(gramian[task * (count + 1)]) for task in live]
    scale = max(norms, default=1.0)
    pairs = list(zip(live, norms, strict=True))
    entries = [[gramian[row * count + column] / s / t for column, t in pairs] for row, s in pairs]
    return CosineForm(_positive_part(entries, count), [s / scale for s in norms], scale, live, count, noise)


def _positive_part(entries: Entries, tasks: int) -> Entries:
    """Symmetrise, set the diagonal to 1 and clip negative curvature beyond rounding."""
    for i, row in enumerate(entries):
        row[i] = 1.0
        for j in range(i):
            cosine = (row[j] + entries[j][i]) / 2
            if abs(row[j] - entries[j][i]) > _CURVATURE:
                _refuse("symmetric", (row[j], entries[j][i]))
            if abs(cosine) > 1 + _CURVATURE * tasks:
                _refuse("a cosine matrix without eigenvalue below -1e-6 m", 1 - abs(cosine))
            row[j] = entries[j][i] = max(-1.0, min(1.0, cosine))
    if len(entries) <= 2 or max([sum(map(abs, row)) for row in entries]) <= 2.0:  # Gershgorin's circles
        return entries
    cosines = torch.tensor(entries, dtype=torch.float64)
    if is_positive_definite(cosines):
        return entries
    values, vectors = symmetric_eigen(cosines)
    smallest = to_floats(values[0])[0]
    if smallest < -_CURVATURE * tasks:
        _refuse("a cosine matrix without eigenvalue below -1e-6 m", smallest)
    if smallest >= -16 * EPS * len(entries):
        return entries
    cosines = (vectors * values.clamp(min=0.0)) @ vectors.T
    unit = cosines.diagonal().sqrt()
    cosines = cosines / unit / unit.unsqueeze(1)
    cosines.fill_diagonal_(1.0)
    return to_rows(cosines)


def _refuse(rule: str, value: object) -> NoReturn:
    rule = f"inner products of the task gradients: {rule}"
    remedy = "form it as J @ J.T in float64 or with flatmtl_core.linalg.gramian"
    raise InvalidInput("this is not a Gramian", "gramian", value, rule, remedy)
