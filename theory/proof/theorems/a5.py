r"""A5: let K_sh(a), K_i(b) be the numbers of cells of A1 in the balls of radius 2^a rho_sh and 2^b rho_ns, and
delta_C = (delta/m) (6/pi^2)^2 (a+1)^{-2} (b+1)^{-2} / (K_sh(a) K_i(b)) for each task and each of the product cells at
a, b. These levels lie in ]0, 1[, sum to delta, and log(1/delta_C) <= C_i at a = a(||theta_sh||/rho_sh), b =
a(||theta_i||/rho_ns).

At fixed task, a and b the K_sh K_i cells share (delta/m) (6/pi^2)^2 (a+1)^{-2} (b+1)^{-2}; the sum over a >= 0 of
(a+1)^{-2} is pi^2/6, and so is that over b; the sums of nonnegative terms may be taken in any order. Last, m tasks.

Paper: ours.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies

DELTA, TASKS, SHARED, HEAD = sympy.symbols("delta m K_sh K_i", positive=True)
A, B = sympy.symbols("a b", nonnegative=True, integer=True)
BASEL = sympy.pi**2 / 6


def level(constant: sympy.Expr = BASEL**-2, power: int = 2) -> sympy.Expr:
    """delta_C."""
    return DELTA / TASKS * constant / ((A + 1) ** power * (B + 1) ** power * SHARED * HEAD)


def check() -> list[Finding]:
    """Both grids, the levels' range, their logarithm, and that it is at most C_i."""
    return [total(), proper(), logarithm(), complexity()]


def total() -> Finding:
    """The sum over tasks, both grids, and cells."""

    def summed(term: sympy.Expr) -> sympy.Expr:
        over_b = sympy.summation(TASKS * SHARED * HEAD * term, (B, 0, sympy.oo))
        return sympy.summation(over_b, (A, 0, sympy.oo))

    return identity(
        "total",
        "m times the sum over a, b >= 0 of K_sh K_i delta_C is delta (sympy's summation)",
        summed(level()),
        DELTA,
        [
            FalseIdentity("6/pi^2 for one grid only", summed(level(BASEL**-1)), DELTA),
            FalseIdentity("(a+1)^-4 (b+1)^-4", summed(level(power=4)), DELTA),
        ],
    )


def proper() -> Finding:
    """0 < delta_C < 1."""
    value, delta, parts, weight = z3.Reals("delta_C delta parts weight")
    given = [delta > 0, delta < 1, weight > 0, value * parts == delta * weight]
    return implies(
        "proper",
        "delta_C = delta w / p with 0 < delta < 1, 0 < w <= 1 (w = (6/pi^2)^2, as pi^2 >= 6) and p >= 1 (p = m (a+1)^2 "
        "(b+1)^2 K_sh K_i) lies in ]0, 1[",
        [*given, weight <= 1, parts >= 1],
        z3.And(value > 0, value < 1),
        [
            FalseImplication("w of any size", [*given, parts >= 1]),
            FalseImplication("p > 0 of any size", [*given, weight <= 1, parts > 0]),
        ],
    )


def logarithm() -> Finding:
    """log(1/delta_C), term by term."""
    left = sympy.expand_log(sympy.log(1 / level()), force=True)

    def terms(basel: int) -> sympy.Expr:
        spread = sympy.log(TASKS / DELTA) + 2 * sympy.log((1 + A) * (1 + B)) + basel * sympy.log(BASEL)
        return sympy.expand_log(spread + sympy.log(SHARED) + sympy.log(HEAD), force=True)

    return identity(
        "logarithm",
        "log(1/delta_C) = log(m/delta) + 2 log[(1+a)(1+b)] + 2 log(pi^2/6) + log K_sh + log K_i",
        left,
        terms(2),
        [FalseIdentity("log(pi^2/6) once", left, terms(1)), FalseIdentity("log(pi^2/6) thrice", left, terms(3))],
    )


def complexity() -> Finding:
    """log(1/delta_C) <= C_i."""
    rest, log_shared, log_head, shared, head = z3.Reals("rest log_K_sh log_K_i k_sh_log k_i_log")
    conclusion = rest + log_shared + log_head <= rest + shared + head
    return implies(
        "complexity",
        "log K_sh <= k_sh log(5 + 8 ||theta_sh||/rho_sh) and log K_i <= k_i log(5 + 8 ||theta_i||/rho_ns) imply "
        "log(1/delta_C) <= C_i",
        [log_shared <= shared, log_head <= head],
        conclusion,
        [
            FalseImplication("the head's cells not counted", conclusion=rest + log_shared + log_head <= rest + shared),
            FalseImplication("no bound on K_i", [log_shared <= shared]),
        ],
    )
