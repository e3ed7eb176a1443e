r"""Theorem 1 as derived: the single-task bound at one confidence delta for all m tasks, the maximum of a vector.

What is checked here is only how it is put together: that the complexity f^i is a strictly increasing function of
||theta^i||^2, and that a ball in all of theta^i's coordinates lies in the product of the two balls when its radius is
the smaller one. The derivation rests on induction, vector-max and one-sigma, which do not hold: it is what is refuted.
That the inequality is false for the published f^i is not claimed: salvage says where its number is right. For some f^i
an inequality of this form holds, trivially with f^i above L, and see theorem-a and theorem-c.

Paper: Theorem 1.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The slope of f^i and its sign; the ball in the product of balls."""
    return [slope(), increasing(), product_of_balls()]


def slope() -> Finding:
    """(d/dx) (T/2) log(1 + a x) = T a / (2 (1 + a x)); the other terms of f^i do not depend on x = ||theta^i||^2."""
    size, a, x = sympy.symbols("T a x", positive=True)
    left = sympy.diff(size / 2 * sympy.log(1 + a * x), x)
    return identity(
        "slope",
        "the derivative of (T/2) log(1 + a x) by x is T a / (2 (1 + a x)), for T, a, x > 0",
        left,
        size * a / (2 * (1 + a * x)),
        [FalseIdentity("the inner derivative a forgotten", left, size / (2 * (1 + a * x)))],
    )


def increasing() -> Finding:
    """The slope is positive."""
    size, a, x = z3.Reals("T a x")
    value = size * a / (2 * (1 + a * x))
    return implies(
        "increasing",
        "T a / (2 (1 + a x)) > 0 for T, a > 0 and x >= 0",
        [size > 0, a > 0, x >= 0],
        value > 0,
        [
            FalseImplication("1 + a x < 0", hypotheses=[size > 0, a > 0, 1 + a * x < 0]),
            FalseImplication("an infinite radius: a = 0", hypotheses=[size > 0, a >= 0, x >= 0]),
        ],
    )


def product_of_balls() -> Finding:
    """||eps_sh||^2 + ||eps_i||^2 <= rho^2 with rho = min(rho_sh, rho_ns)."""
    shared, head, rho, rho_shared, rho_heads = z3.Reals("squared_sh squared_ns rho rho_sh rho_ns")
    given = [shared >= 0, head >= 0, rho > 0, shared + head <= rho * rho]
    inside = z3.And(shared <= rho_shared * rho_shared, head <= rho_heads * rho_heads)
    return implies(
        "product-of-balls",
        "||eps_sh||^2 + ||eps_i||^2 <= rho^2 and 0 < rho <= rho_sh, rho_ns imply ||eps_sh|| <= rho_sh and "
        "||eps_i|| <= rho_ns",
        [*given, rho <= rho_shared, rho <= rho_heads],
        inside,
        [FalseImplication("the larger radius", [*given, rho_heads > 0, rho_heads <= rho, rho == rho_shared])],
    )
