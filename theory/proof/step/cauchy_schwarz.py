"""Cauchy-Schwarz and the triangle inequality in R^d for every d: what all statements about inner products rest on.

By induction on the number of coordinates. With p = <x, y>, n = ||x||^2, q = ||y||^2 the empty sums satisfy p^2 <= n q;
one more coordinate adds a b to p, a^2 to n and b^2 to q.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The step of the induction, its equality, and the triangle inequality."""
    return [one_more_coordinate(), parallel(), triangle()]


def one_more_coordinate() -> Finding:
    """(p + a b)^2 <= (n + a^2)(q + b^2)."""
    p, n, q, a, b = z3.Reals("p n q a b")
    longer = (p + a * b) * (p + a * b) <= (n + a * a) * (q + b * b)
    return implies(
        "one-more-coordinate",
        "p^2 <= n q with n, q >= 0 implies (p + a b)^2 <= (n + a^2)(q + b^2), for all reals: the step from d "
        "coordinates to d + 1; the base case is the empty sum p = n = q = 0",
        [n >= 0, q >= 0, p * p <= n * q],
        longer,
        [
            FalseImplication("p^2 <= 2 n q", hypotheses=[n >= 0, q >= 0, p * p <= 2 * n * q]),
            FalseImplication("n, q >= 0 dropped", hypotheses=[p * p <= n * q]),
        ],
    )


def parallel() -> Finding:
    """<c y, y>^2 = ||c y||^2 ||y||^2."""
    c, q = sympy.symbols("c q", real=True)
    left = (c * q) ** 2
    return identity(
        "parallel",
        "x = c y attains it: p = c q and n = c^2 q give p^2 = n q",
        left,
        c**2 * q * q,
        [FalseIdentity("n = |c| q", left, sympy.Abs(c) * q * q)],
    )


def triangle() -> Finding:
    """||x + y||^2 = n + 2 p + q <= (||x|| + ||y||)^2."""
    p, a, b, whole = z3.Reals("p a b whole")
    lengths = [a >= 0, b >= 0, whole >= 0, whole * whole == a * a + 2 * p + b * b]
    return implies(
        "triangle",
        "whole = ||x + y||, a = ||x||, b = ||y|| and p = <x, y> with p^2 <= a^2 b^2 have whole <= a + b; equality "
        "needs p = a b, the same direction",
        [*lengths, p * p <= a * a * b * b],
        z3.And(whole <= a + b, z3.Implies(whole == a + b, p == a * b)),
        [FalseImplication("without Cauchy-Schwarz", hypotheses=lengths)],
    )
