"""Aligned-MTL and ConFIG from the rows themselves, in the parameter space: no Gramian is formed.

``orthogonalised`` is Hestenes' one-sided Jacobi method. For rows J = D U, D diagonal and U well-conditioned, it finds
small singular values of J to full relative accuracy however unequal the norms in D are.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RANK_CUT = 1e-7
"""Singular values of the unit rows below this are rounding: their squares are 1e-14 in a Gramian of unit rows."""

_SWEEPS = 16
"""Convergence is quadratic; rows that ought to be zero are rounding and turn for ever."""


def unit_rows(rows: Array) -> Array:
    """Nonzero rows divided by their norms."""
    rows = rows / np.abs(rows).max(axis=1, keepdims=True)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def rank(rows: Array, cut: float = RANK_CUT) -> int:
    """The number of linearly independent directions among nonzero rows: singular values of unit rows above the cut."""
    return int((np.linalg.svd(unit_rows(rows), compute_uv=False) > cut).sum())


def orthogonalised(rows: Array) -> tuple[Array, Array, Array]:
    """Left singular vectors (columns), singular values (descending) and unit right singular vectors (rows)."""
    left, right = np.eye(len(rows)), rows.copy()
    tiny, smallest = np.finfo(np.float64).eps, np.finfo(np.float64).tiny
    for _ in range(_SWEEPS):
        turned = False
        for i in range(len(rows) - 1):
            for j in range(i + 1, len(rows)):
                alpha, beta, gamma = right[i] @ right[i], right[j] @ right[j], right[i] @ right[j]
                if abs(gamma) <= tiny * np.sqrt(alpha) * np.sqrt(beta) or abs(gamma) <= smallest:
                    continue
                turned = True
                difference, twice = beta - alpha, 2 * gamma
                tangent = np.copysign(1.0, difference) * twice / (abs(difference) + np.hypot(difference, twice))
                cosine = 1 / np.hypot(1.0, tangent)
                turn = cosine * np.array([[1.0, -tangent], [tangent, 1.0]])
                right[[i, j]] = turn @ right[[i, j]]
                left[:, [i, j]] = left[:, [i, j]] @ turn.T
        if not turned:
            break
    values = np.linalg.norm(right, axis=1)
    order = np.argsort(-values)
    values = values[order]
    right = right[order] / np.where(values > 0, values, 1.0)[:, None]
    return left[:, order], values, right


def aligned(rows: Array, own: Array) -> tuple[Array, float]:
    """Aligned-MTL for nonzero rows and own weights w: the direction and the common singular value s_r.

    J = W S Z^T becomes J' = s_r W_r Z_r^T, whose nonzero singular values are all equal; the direction is J'^T w.
    """
    left, values, right = orthogonalised(rows)
    kept = rank(rows)
    least = float(values[kept - 1])
    return least * (left[:, :kept].T @ own) @ right[:kept], least


def config(rows: Array) -> Array | None:
    """ConFIG for nonzero rows, by least squares for U x = 1; None where x vanishes."""
    unit = unit_rows(rows)
    point = np.linalg.lstsq(unit, np.ones(len(rows)), rcond=RANK_CUT)[0]
    length = float(np.linalg.norm(point))
    if length <= RANK_CUT:
        return None
    return np.asarray(point / length * float((rows @ (point / length)).sum()))
