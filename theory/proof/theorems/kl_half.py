r"""kl(1/2 - t || 1/2) <= 2 t^2 + (16 log 2 - 8) t^4 for 0 <= t <= 1/2, with equality at both ends.

With x = 2t the left side is f(x) = [(1 - x) log(1 - x) + (1 + x) log(1 + x)] / 2. Let D(x) = x^2/2 + h x^4 - f(x), h =
log 2 - 1/2. Then D(0) = D'(0) = D(1) = 0 and D''(x) = x^2 (12 h - 1 - 12 h x^2) / (1 - x^2). Since log 2 = log(4/3) +
log(3/2) >= 1/4 + 1/3, 12 h >= 1: D'' is at first not negative, then not positive. Up to that point x_1, D >= 0 by
Taylor's theorem at 0; from there to 1, D' does not increase, and D(x_1), D(1) >= 0 lie on no higher a chord (mean value
theorem).

Paper: ours.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.chain.taylor import remainder, tangent
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies

X = sympy.Symbol("x", positive=True)
SHARE = sympy.log(2) - sympy.Rational(1, 2)


def divergence(x: sympy.Expr) -> sympy.Expr:
    """kl(1/2 - x/2 || 1/2)."""
    return ((1 - x) * sympy.log(1 - x) + (1 + x) * sympy.log(1 + x)) / 2


def excess(share: sympy.Expr) -> sympy.Expr:
    """D."""
    return X**2 / 2 + share * X**4 - divergence(X)


def check() -> list[Finding]:
    """Divergence and f, both ends, the curvature, its sign, the two halves of the interval."""
    second, end, at = z3.Reals("second end at")
    low = remainder(
        "low", "D >= 0 on [0, x_1]: the remainder D''(xi) x^2 / 2 with D''(xi) >= 0", [second >= 0], (at, end, second)
    )
    return [same(), start(), stop(), curvature(), constant(), sign(), low, high()]


def same() -> Finding:
    """q log(q / (1/2)) + (1 - q) log((1 - q) / (1/2)) at q = 1/2 - t."""
    t = sympy.Symbol("t", positive=True)
    half = sympy.Rational(1, 2)
    left = (half - t) * sympy.log((half - t) / half) + (half + t) * sympy.log((half + t) / half)
    return identity(
        "same",
        "kl(1/2 - t || 1/2) = [(1 - x) log(1 - x) + (1 + x) log(1 + x)] / 2 at x = 2t",
        left,
        divergence(2 * t),
        [FalseIdentity("x = t", left, divergence(t))],
    )


def start() -> Finding:
    """D(0) + D'(0) x."""
    to = sympy.Symbol("to", real=True)
    return identity(
        "start",
        "D(0) = D'(0) = 0",
        tangent(excess(SHARE), X, sympy.Integer(0), to),
        sympy.Integer(0),
        [FalseIdentity("with x^2/2 + x", tangent(excess(SHARE) + X, X, sympy.Integer(0), to), sympy.Integer(0))],
    )


def stop() -> Finding:
    """D(x) -> 0 as x -> 1."""

    def end(share: sympy.Expr) -> sympy.Expr:
        return sympy.limit(excess(share), X, 1, "-")

    return identity(
        "stop",
        "D(x) -> 0 as x -> 1 (sympy's limit)",
        end(SHARE),
        sympy.Integer(0),
        [FalseIdentity("h = 1/5", end(sympy.Rational(1, 5)), sympy.Integer(0))],
    )


def curvature() -> Finding:
    """D''."""
    left = sympy.diff(excess(SHARE), X, 2)

    def right(factor: int) -> sympy.Expr:
        return X**2 * (factor * SHARE - 1 - factor * SHARE * X**2) / (1 - X**2)

    return identity(
        "curvature",
        "D''(x) = x^2 (12 h - 1 - 12 h x^2) / (1 - x^2)",
        left,
        right(12),
        [FalseIdentity("4 h", left, right(4))],
    )


def constant() -> Finding:
    """12 h >= 1, from log t >= 1 - 1/t at 4/3 and 3/2."""
    first, second, share = z3.Reals("log_4_3 log_3_2 h")
    given = [share == first + second - z3.Q(1, 2), first >= z3.Q(1, 4)]
    return implies(
        "constant",
        "log(4/3) >= 1/4, log(3/2) >= 1/3 and h = log(4/3) + log(3/2) - 1/2 imply 12 h >= 1",
        [*given, second >= z3.Q(1, 3)],
        12 * share >= 1,
        [FalseImplication("log(3/2) >= 1/4", [*given, second >= z3.Q(1, 4)])],
    )


def sign() -> Finding:
    """Once D'' is negative it stays so."""
    first, later, share = z3.Reals("x y h")

    def bracket(x: z3.ArithRef) -> z3.ArithRef:
        return 12 * share - 1 - 12 * share * x * x

    given = [first >= 0, later >= first, bracket(first) < 0]
    return implies(
        "sign",
        "12 h >= 1, 0 <= x <= y and 12 h - 1 - 12 h x^2 < 0 imply 12 h - 1 - 12 h y^2 < 0; and at x = 0 it is 12 h - 1 "
        ">= 0",
        [*given, 12 * share >= 1],
        bracket(later) < 0,
        [FalseImplication("h of any sign", given)],
    )


def high() -> Finding:
    """A function whose slope does not increase lies above its chord."""
    value, at_first, first, x, before, after = z3.Reals("D_x D_x_1 x_1 x slope_before slope_after")
    slopes = [value - at_first == before * (x - first), 0 - value == after * (1 - x)]
    given = [first <= x, x <= 1, first < 1, at_first >= 0, *slopes]
    return implies(
        "high",
        "x_1 <= x <= 1, D(x_1) >= 0, D(1) = 0, D(x) - D(x_1) = u (x - x_1), D(1) - D(x) = v (1 - x) and u >= v imply "
        "D(x) >= 0",
        [*given, before >= after],
        value >= 0,
        [FalseImplication("slopes in any order", given)],
    )
