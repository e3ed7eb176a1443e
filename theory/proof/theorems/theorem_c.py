r"""Theorem C, one perturbation for all tasks at once. As in Theorem A, for an integer n >= 1 fixed before the sample:
with probability >= 1 - delta, for every theta there is one eps = (eps_sh, eps_1 .. eps_m) within the radii with, for
all i, L_D^i(theta^i) <= L_S^i(theta_sh + eps_sh, theta_i + eps_i) + L sqrt(C_vec / (2N)) + L/n,
C_vec = C_w + m log n + log m, with C_w of Theorem A'.

Before the sample is seen, split each joint cell into at most n^m pieces, on each of which every L_D^i varies by at most
L/n (floor-pieces), and choose a point theta_P in each piece that is not empty. Hoeffding's inequality at theta_P for
each task at the level delta_C / (n^m m): the levels sum to delta. For theta in the piece let eps = theta_P - theta,
which is within the radii and does not depend on the sample. No supremum is taken, so no eta and no limit is needed.

It gives Theorem A' for weights chosen after the sample, with C_vec in place of C_w and L/n added. C_vec is at least
each C_i of Theorem A, and at least C_w. With n = ceil(sqrt N), L/n <= L / sqrt N.

Paper: ours; Theorem 1 as its maximum of a vector might be read.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies
from theory.proof.theorems.theorem_a_prime import BASEL, COMPLEXITY_A, COMPLEXITY_W, OTHERS, TASKS

PIECES = sympy.Symbol("n", positive=True)


def check() -> list[Finding]:
    """The levels, the chain for one task, weights after the sample, sizes."""
    return [levels(), logarithm(), chain(), weighted(), against_a(), rounded()]


def levels() -> Finding:
    """The sum over the pieces of a cell and the tasks."""
    level = sympy.Symbol("delta_C", positive=True)
    each = level / (PIECES**TASKS * TASKS)
    return identity(
        "levels",
        "n^m pieces of a cell, m tasks in each, at level delta_C / (n^m m), sum to delta_C",
        PIECES**TASKS * TASKS * each,
        level,
        [FalseIdentity("one level for all tasks", PIECES**TASKS * TASKS * (level / PIECES**TASKS), level)],
    )


def logarithm() -> Finding:
    """log of one over the level."""
    level = sympy.Symbol("delta_C", positive=True)
    left = sympy.expand_log(sympy.log(PIECES**TASKS * TASKS / level), force=True)

    def right(tasks: sympy.Expr) -> sympy.Expr:
        return sympy.expand_log(sympy.log(1 / level), force=True) + tasks * sympy.log(PIECES) + sympy.log(TASKS)

    return identity(
        "logarithm",
        "log(n^m m / delta_C) = log(1/delta_C) + m log n + log m",
        left,
        right(TASKS),
        [FalseIdentity("log n once", left, right(sympy.Integer(1)))],
    )


def chain() -> Finding:
    """For each task, with the same theta_P."""
    at_point, at_chosen, sample, dev, loss = z3.Reals("L_D_theta L_D_theta_P L_S_theta_P dev L_over_n")
    piece, hoeffding = at_point <= at_chosen + loss, at_chosen <= sample + dev
    return implies(
        "chain",
        "L_D^i(theta) <= L_D^i(theta_P) + L/n and L_D^i(theta_P) <= L_S^i(theta_P) + dev imply L_D^i(theta) <= "
        "L_S^i(theta + eps) + dev + L/n, eps = theta_P - theta",
        [piece, hoeffding],
        at_point <= sample + dev + loss,
        [
            FalseImplication("L/n > 0 lost", [piece, hoeffding, loss > 0], at_point <= sample + dev),
            FalseImplication("another piece", [hoeffding]),
        ],
    )


def weighted() -> Finding:
    """One task more, for weights of any origin."""
    left, right, weights, weight, population, sample, slack = z3.Reals("left right W w_i L_D L_S slack")
    given = [left <= right + weights * slack, population <= sample + slack]
    return implies(
        "weighted",
        "left <= right + W s, L_D^i <= L_S^i(theta + eps) + s and w_i >= 0 imply left + w_i L_D^i <= right + w_i "
        "L_S^i(theta + eps) + (W + w_i) s; for all tasks W = 1, and the right sum is at most the supremum of Theorem "
        "A'",
        [*given, weight >= 0],
        left + weight * population <= right + weight * sample + (weights + weight) * slack,
        [
            FalseImplication("w_i of any sign", given),
            FalseImplication("an eps that serves only the other tasks", [given[0], weight >= 0]),
        ],
    )


def against_a() -> Finding:
    """C_vec - C_i, a sum of terms that are not negative."""
    left = COMPLEXITY_W + TASKS * sympy.log(PIECES) + sympy.log(TASKS) - COMPLEXITY_A
    right = OTHERS + (TASKS - 1) * BASEL + TASKS * sympy.log(PIECES)
    return identity(
        "against-a",
        "C_vec - C_i = sum over the other heads of [k_j log(5 + 8 r_j) + 2 log(1 + a_j)] + (m - 1) log(pi^2/6) + m log "
        "n",
        left,
        right,
        [FalseIdentity("log m left over", left, right + sympy.log(TASKS))],
    )


def rounded() -> Finding:
    """n = ceil(sqrt N)."""
    root, count, length = z3.Reals("sqrt_N n L")
    given = [root >= 1, length > 0, count < root + 1]
    conclusion = z3.And(length / count <= length / root, count <= 2 * root)
    return implies(
        "rounded",
        "sqrt N >= 1 and sqrt N <= n < sqrt N + 1 imply L/n <= L / sqrt N and n <= 2 sqrt N, so that m log n <= m log "
        "2 + (m/2) log N",
        [*given, count >= root],
        conclusion,
        [FalseImplication("the floor of sqrt N", [root >= 1, length > 0, count <= root, count > root - 1, count >= 1])],
    )
