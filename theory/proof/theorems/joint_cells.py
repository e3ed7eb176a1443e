r"""Joint cells of all blocks, theta_sh and theta_1 .. theta_m, each cell a product of one of A1 in every block, with
delta_C = delta (6/pi^2)^{m+1} prod_j [(a_j + 1)^{-2} / K_j(a_j)], j over the m + 1 blocks. The levels sum to delta, and
log(1/delta_C) = log(1/delta) + (m+1) log(pi^2/6) + 2 log prod_j (1 + a_j) + sum_j log K_j.

By induction over the blocks: each block multiplies the number of cells by K_j and the level by (6/pi^2) / ((a_j + 1)^2
K_j), and the sum over a_j >= 0 and the K_j cells of that factor is 1. Two points of a joint cell are less than the
radius apart in every block, as in A6. No sum over tasks: the inequality is one, so no factor m.

Paper: ours.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies

LEVEL, CELLS = sympy.symbols("delta_C K_j", positive=True)
INDEX = sympy.Symbol("a_j", nonnegative=True, integer=True)
BASEL = sympy.pi**2 / 6


def check() -> list[Finding]:
    """One block more: the sum of the levels, their logarithm, all blocks' logarithms, the bound by norms."""
    return [one_more(), one_logarithm(), three_blocks(), complexity()]


def factor(constant: sympy.Expr = BASEL, index: sympy.Expr = INDEX, cells: sympy.Expr = CELLS) -> sympy.Expr:
    """(6/pi^2) / ((a_j + 1)^2 K_j)."""
    return 1 / (constant * (index + 1) ** 2 * cells)


def one_more() -> Finding:
    """Its K_j cells at every a_j."""

    def summed(constant: sympy.Expr) -> sympy.Expr:
        return sympy.summation(CELLS * LEVEL * factor(constant), (INDEX, 0, sympy.oo))

    return identity(
        "one-more",
        "the sum over a_j >= 0 of K_j delta_C (6/pi^2) / ((a_j + 1)^2 K_j) is delta_C (sympy's summation)",
        summed(BASEL),
        LEVEL,
        [FalseIdentity("without 6/pi^2", summed(sympy.Integer(1)), LEVEL)],
    )


def one_logarithm() -> Finding:
    """What a block adds to log(1/delta_C)."""
    left = sympy.expand_log(sympy.log(1 / (LEVEL * factor())), force=True)

    def right(twice: int) -> sympy.Expr:
        added = sympy.log(BASEL) + twice * sympy.log(1 + INDEX) + sympy.log(CELLS)
        return sympy.expand_log(sympy.log(1 / LEVEL) + added, force=True)

    return identity(
        "one-logarithm",
        "a block adds log(pi^2/6) + 2 log(1 + a_j) + log K_j to log(1/delta_C)",
        left,
        right(2),
        [FalseIdentity("log(1 + a_j) once", left, right(1))],
    )


def three_blocks() -> Finding:
    """m = 2, in one go."""
    delta = sympy.Symbol("delta", positive=True)
    indices, cells = sympy.symbols("a_0:3", nonnegative=True), sympy.symbols("K_0:3", positive=True)
    value = delta * sympy.prod(factor(BASEL, index, count) for index, count in zip(indices, cells, strict=True))
    left = sympy.expand_log(sympy.log(1 / value), force=True)

    def right(basel: int) -> sympy.Expr:
        product = sympy.prod(1 + index for index in indices)
        terms = sympy.log(1 / delta) + basel * sympy.log(BASEL) + 2 * sympy.log(product)
        return sympy.expand_log(terms + sum(map(sympy.log, cells)), force=True)

    return identity(
        "three-blocks",
        "m = 2: log(1/delta_C) = log(1/delta) + 3 log(pi^2/6) + 2 log prod (1 + a_j) + sum log K_j",
        left,
        right(3),
        [FalseIdentity("m in place of m + 1", left, right(2))],
    )


def complexity() -> Finding:
    """One block more in log(1/delta_C) <= C_w."""
    left, right, log_cells, dimension_log, rest = z3.Reals("left right log_K_j k_j_log rest")
    return implies(
        "complexity",
        "left <= right and log K_j <= k_j log(5 + 8 ||theta_j||/rho) imply left + rest + log K_j <= right + rest + k_j "
        "log(5 + 8 ||theta_j||/rho)",
        [left <= right, log_cells <= dimension_log],
        left + rest + log_cells <= right + rest + dimension_log,
        [FalseImplication("the block's cells not bounded", [left <= right])],
    )
