r"""sup_eps sum_i w_i L_i(eps) <= sum_i w_i sup_eps L_i(eps) for w >= 0, with a strict example.

At every eps, L_i(eps) <= S_i = sup L_i, and by induction over the tasks sum_i w_i L_i(eps) <= sum_i w_i S_i: the
right side is an upper bound of the left side over eps, so it is at least the least one. They are equal where one eps
attains all maxima. On L_1 = eps, L_2 = -eps, w = (1/2, 1/2), |eps| <= 1 they are 0 and 1.

Paper: eq. 8, eq. 9, eq. 10.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """One more task, a common maximiser, the strict example."""
    return [one_more(), common_maximiser(), strict()]


def one_more() -> Finding:
    """One more task at a fixed eps."""
    left, right, loss, supremum, weight = z3.Reals("left right L_eps S w")
    given = [left <= right, loss <= supremum]
    conclusion = left + weight * loss <= right + weight * supremum
    return implies(
        "one-more",
        "left <= right, L(eps) <= S and w >= 0 imply left + w L(eps) <= right + w S; an empty sum is 0",
        [*given, weight >= 0],
        conclusion,
        [
            FalseImplication("w of any sign", hypotheses=given),
            FalseImplication("S no upper bound", hypotheses=[left <= right, weight >= 0]),
        ],
    )


def common_maximiser() -> Finding:
    """At a common maximiser the sum is the sum of the suprema: equality."""
    left, right, loss, supremum, weight = z3.Reals("left right L_eps S w")
    conclusion = left + weight * loss == right + weight * supremum
    return implies(
        "common-maximiser",
        "left = right and L(eps) = S imply left + w L(eps) = right + w S",
        [left == right, loss == supremum],
        conclusion,
        [FalseImplication("L(eps) <= S only", hypotheses=[left == right, loss <= supremum])],
    )


def strict() -> Finding:
    """Opposite slopes."""
    eps = sympy.Symbol("eps", real=True)
    ball = sympy.Interval(-1, 1)
    half = sympy.Rational(1, 2)

    def supremum(loss: sympy.Expr) -> sympy.Expr:
        return sympy.calculus.util.maximum(loss, eps, ball)

    common = supremum(half * eps - half * eps)
    separate = half * supremum(eps) + half * supremum(-eps)
    return identity(
        "strict",
        "on |eps| <= 1: the sum of the suprema of eps/2 and -eps/2 exceeds the supremum of their sum by 1",
        separate - common,
        sympy.Integer(1),
        [FalseIdentity("equal", separate, common)],
    )
