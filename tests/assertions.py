"""What an answer of an aggregator must satisfy, and how far two answers may lie apart.

``definition_residual`` writes down each method's defining identity once more, from the Gramian and the weights alone.
All residuals are scaled by the size of the terms that make up their row, s_i sum_j |a_j| s_j, so that one limit serves
every input; ``direction_accuracy`` turns the same limit into a bound on the direction, method by method.
"""

import math
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import nnls
from torch import Tensor

from flatmtl_core import (
    IMTLG,
    MGDA,
    AlignedMTL,
    CAGrad,
    ConFIG,
    Constant,
    DualProj,
    FairGrad,
    GradDrop,
    Mean,
    NashMTL,
    PCGrad,
    UPGrad,
    Weighted,
)
from tests import identities
from tests.oracles.minnorm_rational import combination, projected, rational
from tests.oracles.obvious import all_orders

Array = NDArray[np.float64]
GramianMethod = (
    Mean | Constant | MGDA | PCGrad | CAGrad | IMTLG | NashMTL | FairGrad | UPGrad | DualProj | AlignedMTL | ConFIG
)
"""The methods that see inner products only, and have weights."""
Method = GramianMethod | GradDrop

LIMIT = 1e-12
"""Scaled residual of a defining identity in float64."""
LIMIT_FLOAT32 = 1e-6
"""The same for float32 rows, whose Gramian is good for about 1e-7."""


STATIONARY_DISTANCE = 1e-6
"""Distance of 0 from the convex hull of the unit rows below which floating point may call a point stationary."""


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def direction(aggregator: Method, rows: Tensor, seed: int = 0) -> Tensor:
    return aggregator(rows, generator=seeded(seed))


def weighted(aggregator: GramianMethod, rows: Tensor, seed: int = 0) -> Weighted:
    """The weighting of the rows' own Gramian, formed in float64."""
    rows = rows.double()
    return aggregator.weighting(rows @ rows.T, generator=seeded(seed))


def term_size(weights: Tensor, rows: Tensor) -> float:
    """sum_j |a_j| s_j: the size of what is added up to form the direction."""
    return float(weights.abs() @ rows.double().norm(dim=1))


def direction_size(aggregator: Method, rows: Tensor, seed: int = 0) -> float:
    """The size of what is added up to form the direction, beside which it counts as zero.

    Every coordinate of GradDrop is a part of a sum over tasks; ConFIG's length is a sum of projections.
    """
    total = float(rows.double().norm(dim=1).sum())
    if isinstance(aggregator, GradDrop):
        return total
    size = term_size(weighted(aggregator, rows, seed).weights, rows)
    return max(size, total) if isinstance(aggregator, ConFIG) else size


def cagrad_divisor(aggregator: CAGrad) -> float:
    return (1.0, 1 + aggregator.c**2, 1 + aggregator.c)[aggregator.rescale]


def fairness(aggregator: NashMTL | FairGrad) -> float:
    """alpha of G w = w^(-1/alpha)."""
    return aggregator.alpha if isinstance(aggregator, FairGrad) else 1.0


def paper_weights(aggregator: NashMTL | FairGrad, weights: Array, norms: Array) -> Array:
    """The weights w of G w = w^(-1/alpha), from those of A_norm(J) = (s / sqrt m) A(J / s), s the mean norm."""
    if aggregator.scale == "paper":
        return weights
    alpha = fairness(aggregator)
    return np.asarray(weights * math.sqrt(len(norms)) * norms.mean() ** (-2 * alpha / (1 + alpha)))


def definition_residual(aggregator: GramianMethod, gramian: Tensor, weights: Tensor) -> float:
    """The largest scaled residual of the method's defining identity; infinite where it is not even formed.

    Notes:
        Zero rows take no part in a definition, except in MGDA's, where they make the answer zero.
    """
    G, a = gramian.numpy(), weights.numpy()
    n_tasks = len(a)
    live = G.diagonal() > 0
    if not isinstance(aggregator, MGDA):
        if not isinstance(aggregator, Constant) and a[~live].any():
            return math.inf
        G, a = G[np.ix_(live, live)], a[live]
    s = np.sqrt(G.diagonal())
    total = float(np.abs(a) @ s)
    products = G @ a
    match aggregator:
        case Mean():
            return float(np.max(np.abs(a * n_tasks - 1), initial=0))
        case Constant():
            return float(np.max(np.abs(a - np.array(aggregator.weights)[live]), initial=0))
        case MGDA():
            return _mgda_residual(a, products, s, total)
        case CAGrad():
            return _cagrad_residual(aggregator, a * cagrad_divisor(aggregator), G, s, n_tasks)
        case IMTLG():
            if total == 0:
                return math.inf
            projections = products / s
            spread = float(projections.max() - projections.min()) / 2 / total
            return max(spread, float(abs(a.sum() - 1) / np.abs(a).sum()))
        case NashMTL() | FairGrad():
            w = paper_weights(aggregator, a, s)
            if not (w > 0).all():
                return math.inf
            return float(np.max(np.abs(G @ w - w ** (-1 / fairness(aggregator))) / (s * (w @ s))))
        case UPGrad() | DualProj():
            return identities.dual_cone_residual(aggregator, G, a, s, n_tasks, LIMIT)
        case AlignedMTL():
            return identities.aligned_residual(aggregator, G, a, s, n_tasks, LIMIT)
        case ConFIG():
            return identities.config_residual(G, a, s)
        case PCGrad():
            raise TypeError("PCGrad has no identity in the Gramian: compare with the projections in explicit orders")


def _mgda_residual(a: Array, products: Array, s: Array, total: float) -> float:
    """Simplex; <g_i, d> >= ||d||^2 for all i, with equality where a_i > 0."""
    value = float(a @ products)
    scale = np.where(s * total > 0, s * total, 1.0)
    slack = products - value
    active = a * s > LIMIT * total
    return max(
        float(abs(a.sum() - 1)),
        float(-a.min()),
        float(np.max(-slack / scale)),
        float(np.max(np.abs(slack / scale)[active], initial=0)),
    )


def _cagrad_residual(aggregator: CAGrad, a: Array, G: Array, s: Array, n_tasks: int) -> float:
    """d = g_0 + J^T l, l >= 0; ||J^T l|| = r = c ||g_0|| and <g_i, d> >= dual value; or inside the ball, J d >= 0.

    On the sphere w = l / sum l is a point of the simplex with ||g_w|| = r / sum l, so the dual function is
    <g_w, g_0> + r^2 / sum l there: no lower value of min_i <g_i, d> than that is optimal. Inside the ball 0 must be in
    the convex hull, the optimal value is 0, and d is the nearest such point to g_0: l_i <g_i, d> = 0. Where r = 0 the
    ball is the point g_0.
    """
    total = float(a @ s)
    multipliers = a - 1 / n_tasks
    addition = float(multipliers @ G @ multipliers)
    radius_square = aggregator.c**2 * float(G.sum()) / n_tasks**2
    size = max(total, float(s.sum()) / n_tasks) ** 2
    if radius_square <= LIMIT * size:
        return addition / size
    scaled_products = G @ a / (s * total)
    negative = float(np.max(-multipliers * s)) / total
    outside = (addition - radius_square) / size
    if outside < -LIMIT:
        if hull_distance(G / np.outer(s, s)) > STATIONARY_DISTANCE:
            return math.inf
        active = multipliers * s > LIMIT * total
        return max(
            negative,
            float(np.max(-scaled_products)),
            float(np.max(np.abs(scaled_products[active]), initial=0)),
        )
    share = float(multipliers.sum())
    dual = (float(multipliers @ G.sum(axis=1)) / n_tasks + radius_square) / share
    return max(negative, outside, float(np.max(dual / (s * total) - scaled_products)))


def hull_distance(cosines: Array) -> float:
    """Distance of 0 from the convex hull of unit rows, to about 1e-8, by non-negative least squares.

    min ||R'y||^2 + (sum y - 1)^2 over y >= 0 has the optimum t^2 / (1 + t^2) where t is the distance.
    """
    ones = np.ones((1, len(cosines)))
    residual = float(nnls(np.vstack([identities.root(cosines).T, ones]), np.append(np.zeros(len(cosines)), 1.0))[1])
    return residual / math.sqrt(max(1 - residual**2, LIMIT))


def direction_accuracy(aggregator: Method, rows: Tensor, seed: int = 0, limit: float = LIMIT) -> float:
    """How far the direction may be from the exact one when the scaled residuals of the definition are <= limit.

    With e = sum_j |a_j| s_j and S = max s_i:

    * fixed weights, PCGrad: limit * e, the rounding of the sum.
    * MGDA: ||d - d*||^2 <= duality gap <= limit * S e, as d* is the projection of 0 on a convex set.
    * CAGrad: points of a ball of radius r satisfy <u, d* - d> >= ||d - d*||^2 / (2 r), u the outer normal at d*, so
      that ||d - d*||^2 <= 2 r gap / ||g_w||. Inside the ball d is a projection, with the bound of MGDA.
    * Nash-MTL, FairGrad: the convex function 1/2 w'Gw - sum phi(w_i) has the Hessian H = G + diag(w^(-1 - 1/alpha)) /
      alpha; a gradient r moves J^T w by at most sqrt(r' H^-1 r) <= sqrt(alpha sum r_i^2 w_i^(1 + 1/alpha)), to first
      order, doubled for the rest.
    * IMTL-G: K y = 1 is solved with the relative error limit / sigma^2, sigma the smallest nonzero singular value of
      the unit rows; the division by sum v multiplies it by 1 + sum |a_i|.
    * UPGrad, DualProj, Aligned-MTL, ConFIG: see ``identities``. GradDrop: limit * sum_i s_i, the rounding of the sums.
    """
    if isinstance(aggregator, GradDrop):
        return limit * direction_size(aggregator, rows)
    scale = power_of_two(rows)
    matrix = (rows.double() / scale).numpy()
    answer = weighted(aggregator, rows.double() / scale, seed)
    return float(scale**aggregator.degree) * unit_accuracy(aggregator, matrix, answer, limit)


def power_of_two(rows: Tensor) -> float:
    """The power of two next to the largest entry (1 for zero rows): dividing by it rounds nothing."""
    largest = float(rows.double().abs().max())
    return math.ldexp(1.0, round(math.log2(largest))) if largest > 0 else 1.0


def unit_accuracy(aggregator: GramianMethod, matrix: Array, answer: Weighted, limit: float) -> float:
    """``direction_accuracy`` for rows whose largest entry is about 1."""
    a = answer.weights.numpy()
    s = np.linalg.norm(matrix, axis=1)
    size = float(np.abs(a) @ s)
    rounding = limit * size
    gap = limit * s.max() * size
    match aggregator:
        case MGDA():
            return math.sqrt(gap) + rounding
        case CAGrad():
            multipliers = (a * cagrad_divisor(aggregator) - 1 / len(s)) * (s > 0)
            radius = aggregator.c * float(np.linalg.norm(matrix.mean(axis=0)))
            addition = float(np.linalg.norm(matrix.T @ multipliers))
            if addition == 0:
                return rounding + math.sqrt(gap)
            if addition < radius * (1 - LIMIT):
                return math.sqrt(gap) + rounding
            return min(2 * radius, math.sqrt(2 * radius * gap * multipliers.sum() / addition)) + rounding
        case NashMTL() | FairGrad():
            if answer.status != "solved":
                return rounding
            s, w = s[s > 0], a[s > 0]
            paper = paper_weights(aggregator, w, s)
            gradient = limit * s * (paper @ s)
            alpha = fairness(aggregator)
            error = math.sqrt(alpha * float(gradient**2 @ paper ** (1 + 1 / alpha)))
            return 2 * error * float(w[0] / paper[0]) + rounding
        case IMTLG():
            if answer.status != "solved":
                return rounding
            values = np.linalg.svd(matrix[s > 0] / s[s > 0, None], compute_uv=False)
            smallest = float(values[values > 1e-6].min())
            return rounding * (1 + (1 + float(np.abs(a).sum())) / smallest**2)
        case UPGrad() | DualProj() if s.any():
            return identities.dual_cone_accuracy(matrix[s > 0], size or float(s.sum()), limit) + rounding
        case AlignedMTL() if s.any():
            return identities.aligned_accuracy(aggregator, matrix[s > 0], len(s), limit) + rounding
        case ConFIG() if s.any():
            return identities.config_accuracy(matrix[s > 0], limit) + rounding
        case _:
            return rounding


def assert_close(left: Tensor, right: Tensor, accuracy: float) -> None:
    distance = float((left.double() - right.double()).norm())
    assert distance <= accuracy, f"{left.tolist()} and {right.tolist()} are {distance} apart, allowed {accuracy}"


def pcgrad_candidates(aggregator: PCGrad, rows: Tensor) -> list[Tensor]:
    """The exact direction for each choice of orders, rounded once."""
    exact = rational(rows)
    ones = (Fraction(1),) * len(exact)
    factor = 1 if aggregator.reduction == "sum" else len(exact)
    results = {combination(ones, projected(exact, orders)) for orders in all_orders(len(exact))}
    return [torch.tensor([float(x / factor) for x in result], dtype=torch.float64) for result in results]
