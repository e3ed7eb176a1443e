"""The convex programs of the methods, written in the parameter space for cvxpy: nothing is shared with the core.

Each takes the name of the solver, so that two solvers can be held against each other before they judge.
"""

import warnings
from typing import Any, Literal

import cvxpy as cp
import numpy as np
from hypothesis import reject
from numpy.typing import NDArray

Array = NDArray[np.float64]
Solver = Literal["CLARABEL", "SCS", "OSQP"]

_PRECISION: dict[Solver, dict[str, Any]] = {
    "CLARABEL": {"tol_gap_abs": 1e-9, "tol_gap_rel": 1e-9, "tol_feas": 1e-9},
    "SCS": {"eps_abs": 1e-8, "eps_rel": 1e-8, "max_iters": 200_000},
    "OSQP": {"eps_abs": 1e-8, "eps_rel": 1e-8, "max_iter": 200_000, "polishing": True},
}
VALUE_ACCURACY = 1e-7
"""What the optimal values are good for, relative to the squared row norms."""
POINT_ACCURACY = VALUE_ACCURACY**0.5
"""What the optimal points are good for, relative: the square root of the values' accuracy."""


def _solve(problem: cp.Problem, solver: Solver) -> None:
    """Solve, or have the example drawn anew where the solver itself calls its answer inaccurate."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Solution may be inaccurate")
        problem.solve(solver=solver, **_PRECISION[solver])
    if problem.status == cp.OPTIMAL_INACCURATE:
        reject()
    if problem.status != cp.OPTIMAL:
        raise AssertionError(f"{solver} ended with status {problem.status}: the oracle can not judge this input")


def shortest_vector(rows: Array, solver: Solver) -> Array:
    """MGDA: min ||J^T a||^2 over the simplex; returns J^T a."""
    weights = cp.Variable(len(rows), nonneg=True)
    _solve(cp.Problem(cp.Minimize(cp.sum_squares(rows.T @ weights)), [cp.sum(weights) == 1]), solver)
    return np.asarray(rows.T @ weights.value)


def cagrad(rows: Array, c: float, solver: Solver) -> tuple[Array, float]:
    """CAGrad's primal: max min_i <g_i, d> over ||d - g_0|| <= c ||g_0||; returns d and the value."""
    mean = rows.mean(axis=0)
    direction = cp.Variable(rows.shape[1])
    worst = cp.min(rows @ direction)
    problem = cp.Problem(cp.Maximize(worst), [cp.norm(direction - mean) <= c * float(np.linalg.norm(mean))])
    _solve(problem, solver)
    return np.asarray(direction.value), float(problem.value)


def nearest_without_conflict(rows: Array, target: Array, solver: Solver) -> Array:
    """The projection of ``target`` on the dual cone {d : J d >= 0}."""
    direction = cp.Variable(rows.shape[1])
    _solve(cp.Problem(cp.Minimize(cp.sum_squares(direction - target)), [rows @ direction >= 0]), solver)
    return np.asarray(direction.value)


def fair(rows: Array, alpha: float, solver: Solver) -> Array:
    """FairGrad (alpha = 1: Nash-MTL) as a fair allocation: max sum_i U(<g_i, d>) on the unit ball.

    U(x) = x^(1-alpha)/(1-alpha), log x for alpha = 1. At the optimum d is proportional to sum_i <g_i, d>^(-alpha) g_i;
    the length of d follows from G w = w^(-1/alpha): w_i = <g_i, d>^(-alpha) is homogeneous of degree -alpha, so a
    unit solution e with J^T (J e)^(-alpha) = t e scales to d = t^(1/(1+alpha)) e.
    """
    direction = cp.Variable(rows.shape[1])
    products = rows @ direction
    if alpha == 1:
        utility = cp.sum(cp.log(products))
    else:
        utility = cp.sum(cp.power(products, 1 - alpha, approx=False)) / (1 - alpha)
    _solve(cp.Problem(cp.Maximize(utility), [cp.norm(direction) <= 1]), solver)
    unit = np.asarray(direction.value) / np.linalg.norm(direction.value)
    length = float(np.linalg.norm(rows.T @ (rows @ unit) ** -alpha))
    return np.asarray(length ** (1 / (1 + alpha)) * unit)


def upgrad(rows: Array, solver: Solver) -> Array:
    """UPGrad: the mean of the projections of all rows on the dual cone."""
    return np.mean([nearest_without_conflict(rows, row, solver) for row in rows], axis=0)
