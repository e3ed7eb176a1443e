"""One kernel, several users: the minimum over y >= 0 of 1/2 y'Hy - q'y, by an active set, to rounding."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float64
from torch import Tensor

from flatmtl_core.errors import NotConverged
from flatmtl_core.linalg import EPS, is_positive_definite, solve_positive, to_floats

_CONSISTENT = 1e-6
"""A slope along a flat direction that a Gramian of low precision can fake: such a column is left out."""

_RIDGES = (1e-13, 1e-11, 1e-9, 1e-7)
"""Added to the diagonal in turn where no answer is found; the last is what float32 rows leave undecided anyway."""

_Vector = Float64[Tensor, " n"]
_Matrix = Float64[Tensor, "n n"]


def nonnegative_quadratic(
    matrix: _Matrix,
    linear: _Vector,
    *,
    start: Sequence[int] | None = None,
    ridge: float = 0.0,
) -> _Vector:
    """argmin over y >= 0 of 1/2 y'Hy - q'y with y_i = 0 or (q - Hy)_i = 0, and (q - Hy)_i <= 0 where y_i = 0.

    Source: the active-set method for nonnegative least squares (Lawson and Hanson 1974, chapter 23), on the
    Gramian; a column that depends on the passive ones is entered along its null direction instead of by a solve.

    Args:
        matrix: H, positive semi-definite with a diagonal of order 1.
        linear: q.
        start: a guess of the support (from a neighbouring problem); everything when it is left out.
        ridge: added to the diagonal of H: keeps y from growing along directions that H does not know.

    Raises:
        NotConverged: the minimum is unbounded below, or the support still changes after 40 n + 100 exchanges.

    Notes:
        Where rounding decides (supports that are singular, or singular up to a low-precision Gramian's errors) the
        search may end without an answer; it is then made again with the smallest ridge that gives one. What that costs
        shows in the certificate, which is formed from H itself.
    """
    support = range(linear.shape[0]) if start is None else start
    for added in (ridge, *(larger for larger in _RIDGES if larger > ridge)):
        shifted = matrix + added * torch.eye(linear.shape[0], dtype=torch.float64) if added else matrix
        solution = _active_set(shifted, linear, list(support))
        if solution is not None:
            return solution
    rule = "a bounded minimum over the nonnegative orthant, found in 40 n + 100 exchanges"
    remedy = "report this matrix: it is a defect of the solver"
    raise NotConverged("the quadratic has no minimum", "gramian", to_floats(matrix), rule, remedy)


def _active_set(matrix: _Matrix, linear: _Vector, support: list[int]) -> _Vector | None:
    """The solution; None where no finite one was found."""
    size = linear.shape[0]
    passive, solution = _restart(matrix, linear, support)
    banned: set[int] = set()
    for _ in range(40 * size + 100):
        slope = linear - matrix @ solution
        rounding = 4 * size * EPS * (linear.abs() + matrix.abs() @ solution)
        order = to_floats(slope - rounding)
        if math.isnan(sum(order)):
            return None
        entering = [i for i in range(size) if i not in passive and i not in banned and order[i] > 0]
        if not entering:
            return solution
        new = max(entering, key=order.__getitem__)
        exchanged = _exchange(matrix, linear, passive, solution, new)
        if exchanged is None:
            if order[new] > _CONSISTENT * to_floats(linear.abs() + 1.0)[new]:
                return None
            banned.add(new)
            continue
        banned = banned | {new} if exchanged[0] == passive else set()
        passive, solution = exchanged
    return None


def _solve(matrix: _Matrix, right: _Vector, passive: list[int]) -> list[float]:
    block = matrix[passive][:, passive]
    return to_floats(solve_positive(block, right[passive].unsqueeze(1)))


def _restart(matrix: _Matrix, linear: _Vector, passive: list[int]) -> tuple[list[int], _Vector]:
    """The largest part of the guessed support on which the unconstrained solution is positive; none if it is singular.

    Eigenvalues below 1e-9 count as zero: such a support is entered column by column instead.
    """
    solution = torch.zeros_like(linear)
    if passive and is_positive_definite(
        matrix[passive][:, passive] - 1e-9 * torch.eye(len(passive), dtype=torch.float64)
    ):
        while passive:
            values = _solve(matrix, linear, passive)
            if min(values) > 0:
                solution[passive] = torch.tensor(values, dtype=torch.float64)
                return passive, solution
            passive = [i for i, value in zip(passive, values, strict=True) if value > 0]
    return [], solution


def _exchange(
    matrix: _Matrix, linear: _Vector, passive: list[int], solution: _Vector, new: int
) -> tuple[list[int], _Vector] | None:
    """Enter ``new``, then leave variables until the solution on the support is positive; None: nothing bounds it."""
    values: dict[int, float] = dict(zip(passive, to_floats(solution[passive]), strict=True))
    dependent = False
    if passive:
        null = _solve(matrix, matrix[:, new], passive)
        column = to_floats(matrix[passive, new])
        pivot = to_floats(matrix[new, new])[0] - sum(a * b for a, b in zip(null, column, strict=True))
        dependent = pivot <= 8 * len(values) * EPS * (1.0 + sum(abs(a) for a in null))
        moved = _along_null(values, dict(zip(passive, null, strict=True)), new) if dependent else values
        if moved is None:
            return None
        values = moved
    if not dependent:
        values[new] = 0.0
    while values:
        support = list(values)
        target: dict[int, float] = dict(zip(support, _solve(matrix, linear, support), strict=True))
        if not all(map(math.isfinite, target.values())):  # singular: what the move along its null direction reached
            break
        blocked: dict[int, float] = {i: values[i] / (values[i] - target[i]) for i in support if target[i] <= 0}
        if not blocked:
            values = target
            break
        step = min(blocked.values())
        leaving = min(blocked, key=lambda i: blocked[i])
        advanced = {i: values[i] + step * (target[i] - values[i]) for i in support}
        values = {i: value for i, value in advanced.items() if i != leaving and (value > 0 or i not in blocked)}
    result = torch.zeros_like(linear)
    if values:
        result[list(values)] = torch.tensor(list(values.values()), dtype=torch.float64)
    return list(values), result


def _along_null(values: dict[int, float], null: dict[int, float], new: int) -> dict[int, float] | None:
    """Move along (1, -null), where the quadratic is flat, until a variable reaches zero; None: none does."""
    steps = {i: values[i] / null[i] for i in values if null[i] > 0}
    if not steps:
        return None
    leaving = min(steps, key=lambda i: steps[i])
    step = steps[leaving]
    moved = {i: max(value - step * null[i], 0.0) for i, value in values.items() if i != leaving}
    moved[new] = step
    return moved
