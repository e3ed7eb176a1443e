"""Exact projections on the dual cone {x : J x >= 0} over the rationals, hence UPGrad and DualProj without rounding.

x is the projection of t iff x = t + J^T v with v >= 0, J x >= 0 and v_j <g_j, x> = 0 for all j. By Caratheodory's
theorem for cones v can be supported on linearly independent rows S, where it solves G_S v = -J_S t. At most 2^m
supports: meant for m <= 5.
"""

from fractions import Fraction
from itertools import combinations

from tests.oracles.minnorm_rational import Matrix, Vector, combination, dot, solve


def project(rows: Matrix, target: Vector) -> Vector:
    """The point of {x : J x >= 0} that is nearest to ``target``."""
    for size in range(len(rows) + 1):
        for support in combinations(rows, size):
            gramian = [[dot(a, b) for b in support] for a in support]
            multipliers = solve(gramian, [-dot(row, target) for row in support])
            if multipliers is None or any(v < 0 for v in multipliers):
                continue
            added = combination(multipliers, support) if support else (Fraction(0),) * len(target)
            point = tuple(a + b for a, b in zip(target, added, strict=True))
            if all(dot(row, point) >= 0 for row in rows):
                return point
    raise AssertionError("no support satisfies the optimality conditions: impossible for a closed convex cone")


def mean(rows: Matrix) -> Vector:
    """The mean of the rows."""
    return combination((Fraction(1, len(rows)),) * len(rows), rows)


def upgrad(rows: Matrix) -> Vector:
    """The mean of the projections of all rows."""
    return mean(tuple(project(rows, row) for row in rows))


def dual_proj(rows: Matrix) -> Vector:
    """The projection of the mean."""
    return project(rows, mean(rows))
