"""Exact oracles over the rationals: float64 entries are dyadic rationals, so nothing is rounded on the way in.

The shortest vector of the convex hull is found by enumerating supports: by Caratheodory it is a combination of affinely
independent rows S, where it solves G_S a = t 1, sum a = 1 (with t = ||d||^2), and the Karush-Kuhn-Tucker conditions
a >= 0 and <g_i, d> >= t for every row i are sufficient. 2^m - 1 supports: meant for m <= 5.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

from torch import Tensor

Vector = tuple[Fraction, ...]
Matrix = tuple[Vector, ...]


def rational(rows: Tensor | Sequence[Sequence[float]]) -> Matrix:
    """The entries as exact fractions."""
    return tuple(tuple(Fraction(float(entry)) for entry in row) for row in rows)


def dot(left: Vector, right: Vector) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True)), Fraction(0))


def combination(weights: Vector, rows: Matrix) -> Vector:
    """sum_i w_i g_i."""
    return tuple(dot(weights, column) for column in zip(*rows, strict=True))


def solve(matrix: Sequence[Sequence[Fraction]], right: Sequence[Fraction]) -> Vector | None:
    """The solution of a square system by Gauss-Jordan elimination; None when the matrix is singular."""
    size = len(right)
    table = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for column in range(size):
        pivot = next((row for row in range(column, size) if table[row][column] != 0), None)
        if pivot is None:
            return None
        table[column], table[pivot] = table[pivot], table[column]
        head = table[column][column]
        table[column] = [entry / head for entry in table[column]]
        for row in range(size):
            factor = table[row][column]
            if row != column and factor != 0:
                table[row] = [a - factor * b for a, b in zip(table[row], table[column], strict=True)]
    return tuple(row[size] for row in table)


def rank(rows: Matrix) -> int:
    """The number of linearly independent rows."""
    table = [list(row) for row in rows]
    found = 0
    for column in range(len(table[0]) if table else 0):
        pivot = next((row for row in range(found, len(table)) if table[row][column] != 0), None)
        if pivot is None:
            continue
        table[found], table[pivot] = table[pivot], table[found]
        for row in range(found + 1, len(table)):
            factor = table[row][column] / table[found][column]
            table[row] = [a - factor * b for a, b in zip(table[row], table[found], strict=True)]
        found += 1
    return found


def shortest_vector(rows: Matrix) -> Vector:
    """The point of the convex hull of the rows that is nearest to 0."""
    n_tasks = len(rows)
    for size in range(1, n_tasks + 1):
        for support in combinations(range(n_tasks), size):
            system = [[*(dot(rows[i], rows[j]) for j in support), Fraction(-1)] for i in support]
            system.append([*(Fraction(1) for _ in support), Fraction(0)])
            solution = solve(system, [*(Fraction(0) for _ in support), Fraction(1)])
            if solution is None or any(weight < 0 for weight in solution[:-1]):
                continue
            direction = combination(solution[:-1], tuple(rows[i] for i in support))
            if all(dot(row, direction) >= solution[-1] for row in rows):
                return direction
    raise AssertionError("no support satisfies the optimality conditions: impossible for a finite set of points")


def zero_in_hull(rows: Matrix) -> bool:
    """Whether 0 is a convex combination of the rows (Pareto-stationary)."""
    return not any(shortest_vector(rows))


def strongly_stationary(rows: Matrix) -> bool:
    """Whether J^T w = 0 for some w > 0.

    Equivalently every row takes part in some convex combination that is 0: if all do, the sum of those combinations is
    positive everywhere; if J^T w = 0 with w > 0, then w is one for all. Row i takes part iff -g_i is in the cone of the
    others; the cone is tested on minimal (linearly independent) supports.
    """
    return all(_in_cone(tuple(-x for x in row), rows[:i] + rows[i + 1 :]) for i, row in enumerate(rows))


def _in_cone(target: Vector, rows: Matrix) -> bool:
    if not any(target):
        return True
    for size in range(1, len(rows) + 1):
        for support in combinations(rows, size):
            gramian = [[dot(a, b) for b in support] for a in support]
            weights = solve(gramian, [dot(row, target) for row in support])
            if weights is not None and min(weights) >= 0 and combination(weights, support) == target:
                return True
    return False


def projected(rows: Matrix, orders: Sequence[Sequence[int]]) -> Matrix:
    """PCGrad's projected gradients: row i against the original rows ``orders[i]``, one after the other."""
    results = []
    for row, order in zip(rows, orders, strict=True):
        current = row
        for other in order:
            product = dot(current, rows[other])
            if product < 0:
                factor = product / dot(rows[other], rows[other])
                current = tuple(a - factor * b for a, b in zip(current, rows[other], strict=True))
        results.append(current)
    return tuple(results)
