"""Residuals and accuracies of the methods that project on the dual cone, align, or take a pseudo-inverse.

``assertions.py`` hands over live (nonzero) rows only: their Gramian ``G``, weights ``a`` and norms ``s``; ``tasks`` is
m with the zero rows.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from flatmtl_core import AlignedMTL, DualProj, UPGrad
from tests.oracles import spectral

Array = NDArray[np.float64]


def root(cosines: Array) -> Array:
    """Rows with this Gramian, to rounding; curvature at rounding scale is dropped, as its root would not be small."""
    values, vectors = np.linalg.eigh(cosines)
    return np.asarray(vectors * np.sqrt(np.where(values > len(cosines) * spectral.RANK_CUT**2, values, 0.0)))


def own_weight(aggregator: UPGrad | DualProj | AlignedMTL, tasks: int) -> float:
    """1/m, or 1 under the reduction by sum."""
    return 1.0 if not isinstance(aggregator, DualProj) and aggregator.reduction == "sum" else 1 / tasks


def dual_cone_residual(aggregator: UPGrad | DualProj, G: Array, a: Array, s: Array, tasks: int, limit: float) -> float:
    """Own weights are a lower bound of a, J d >= 0, and, for DualProj, (a_j - 1/m) <g_j, d> = 0.

    UPGrad's weights are sums over projections, whose conditions they hide. With e_i = sum_j |y_ij| s_j for projection
    i, scaled residuals <= t of its conditions bound the squared distance to the exact point by 2 t e_i^2 (see
    ``dual_cone_accuracy``), so that ||d - d*||^2 <= 2 t (sum_j |a_j| s_j)^2: the residual is the t of that bound, d*
    from non-negative least squares. So it is for DualProj where no weights are given, as d = 0.
    """
    own = own_weight(aggregator, tasks)
    total = float(a @ s)
    if not a.any():
        exact = _dual_cone_weights(aggregator, G, s, own)
        return float(exact @ G @ exact) / (2 * float(exact @ s) ** 2)
    scaled = G @ a / (s * total)
    excess = (a - own) * s / total
    worst = max(float(-excess.min()), float(-scaled.min()))
    if isinstance(aggregator, DualProj):
        return max(worst, float(np.max(np.abs(scaled[excess > limit]), initial=0)))
    difference = a - _dual_cone_weights(aggregator, G, s, own)
    return max(worst, float(difference @ G @ difference) / (2 * total**2))


def _dual_cone_weights(aggregator: UPGrad | DualProj, G: Array, s: Array, own: float) -> Array:
    """By non-negative least squares: min ||t + R^T v|| over v >= 0, R the unit rows, t each target."""
    unit = root(G / np.outer(s, s))
    targets = own * np.diag(s) if isinstance(aggregator, UPGrad) else own * s[None]
    total = np.zeros(len(s))
    for target in targets:
        size = float(target.sum())
        total += target + size * np.asarray(nnls(unit.T, -(target / size) @ unit)[0])
    return np.asarray(total / s)


def smallest_singular_value(unit: Array) -> float:
    """Of unit rows; 0 when they are dependent."""
    return float(np.linalg.svd(unit, compute_uv=False)[-1]) if spectral.rank(unit) == len(unit) else 0.0


def dual_cone_accuracy(matrix: Array, size: float, limit: float) -> float:
    """x = t + J^T v is the projection of t on the dual cone when v >= 0, J x >= 0 and v_j <g_j, x> = 0.

    The exact x* is the point of t + cone(J) next to 0, so <x*, x - x*> >= 0 and ||x - x*||^2 <= <x, x - x*> =
    sum_j (v_j - v*_j) <g_j, x> <= limit e (sum_j v_j s_j + sum_j v*_j s_j) <= 2 limit e^2 to first order. For
    independent rows, sigma the smallest singular value of the unit rows, and a set of active rows without rounding:
    ||x - x*||^2 <= limit e sum_j |v_j - v*_j| s_j <= limit e sqrt(m) ||x - x*|| / sigma. Summed over projections, e is
    ``size``.
    """
    sigma = smallest_singular_value(spectral.unit_rows(matrix))
    loose = math.sqrt(2 * limit)
    return size * min(loose, limit * math.sqrt(len(matrix)) / sigma if sigma > 0 else loose)


def aligned_accuracy(aggregator: AlignedMTL, matrix: Array, tasks: int, limit: float) -> float:
    """d = sqrt(l_r) P^T w moves by at most 4 ||w|| ||E||_F when the rows move by E and their rank stays.

    Weyl: the singular value moves by at most ||E||. The polar factor P of rank r moves by at most
    (2 / (x + y) + 1 / max(x, y)) ||E||_F, x and y the smallest nonzero singular values before and after (Li 1995);
    times either this is at most 3 ||E||_F. A relative error ``limit`` of the cosine matrix is one of the unit rows, of
    size m limit / sigma, sigma their smallest nonzero singular value.

    Independent unit rows that move by F go over into U (I + U^+ F), and so do the rows: sqrt(l_r) and P then move by at
    most multiples 1 and 3 of ||U^+ F||, relative to sqrt(l_r) and to 1, however unequal the norms are (Li 1997).
    """
    least = spectral.orthogonalised(matrix)[1][spectral.rank(matrix) - 1]
    return _aligned_accuracy(own_weight(aggregator, tasks), matrix, float(least), limit)


def _aligned_accuracy(own: float, matrix: Array, least: float, limit: float) -> float:
    kept = spectral.rank(matrix)
    sigma = float(np.linalg.svd(spectral.unit_rows(matrix), compute_uv=False)[kept - 1])
    error = 4 * own * math.sqrt(len(matrix)) * len(matrix) * limit / sigma
    absolute = error * float(np.linalg.norm(matrix))
    return min(absolute, error * math.sqrt(len(matrix)) / sigma * least) if kept == len(matrix) else absolute


def aligned_residual(aggregator: AlignedMTL, G: Array, a: Array, s: Array, tasks: int, limit: float) -> float:
    """The relative error of the cosine matrix that explains d, in the bound of ``aligned_accuracy``.

    d* = J'^T w, where J' has the singular vectors of J and equal singular values, from rows with the Gramian G.
    """
    rows = root(G / np.outer(s, s)) * s[:, None]
    own = own_weight(aggregator, tasks)
    exact, least = spectral.aligned(rows, np.full(len(s), own))
    return float(np.linalg.norm(rows.T @ a - exact)) / _aligned_accuracy(own, rows, least, limit) * limit


def config_residual(G: Array, a: Array, s: Array) -> float:
    """d is along the least-squares solution of U x = 1, and ||d||^2 = sum_i <g_i, d>, which fixes its length and sign.

    With projections p = U d: U^T (1 - t p) = 0 for some t, that is K (1 - t p) = 0, and p = 1 / t for independent rows.
    """
    total = float(np.abs(a) @ s)
    if total == 0:
        return math.inf
    products = G @ a
    projections = products / s
    square = float(a @ products)
    length = abs(float(products.sum()) - square) / (total * float(s.sum() + total))
    cosines = G / np.outer(s, s)
    if np.linalg.eigvalsh(cosines)[0] > spectral.RANK_CUT**2:
        return max(length, float(projections.max() - projections.min()) / 2 / total)
    factor = float(projections.sum() / (projections @ projections))
    normal = np.abs(cosines @ (1 - factor * projections)).max()
    return max(length, float(normal) / (len(s) * (1 + abs(factor) * total)))


def config_accuracy(matrix: Array, limit: float) -> float:
    """K y = 1 is solved with the relative error limit / sigma^2, sigma the smallest nonzero singular value of U.

    Then x = U^T y is off by limit / sigma^2 sum |y_i|, its direction by twice that over ||x||, and d = e sum_i <g_i, e>
    by twice the change of e times sum_i s_i, beside the rounding of the sums.
    """
    unit = spectral.unit_rows(matrix)
    values = np.linalg.svd(unit, compute_uv=False)
    sigma = float(values[: spectral.rank(matrix)][-1])
    solution = np.linalg.pinv(unit.T, rcond=spectral.RANK_CUT) @ (
        point := np.linalg.pinv(unit, rcond=spectral.RANK_CUT) @ np.ones(len(unit))
    )
    norms = float(np.linalg.norm(matrix, axis=1).sum())
    length = float(np.linalg.norm(point))
    if length <= spectral.RANK_CUT:
        return limit * norms
    return norms * limit * (1 + 4 * float(np.abs(solution).sum()) / length / sigma**2)
