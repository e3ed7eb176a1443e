r"""The coordinate-wise bound implies the scalarised one with a common perturbation: REFUTED.

For linear losses a eps and b eps on |eps| <= 1 the task's suprema are |a| and |b|, and the supremum of the weighted
sum under one eps is |w a + (1 - w) b|. L_D^1 <= |a| and L_D^2 <= |b| allow w L_D^1 + (1 - w) L_D^2 up to
w |a| + (1 - w) |b|, which is larger where a and b have opposite signs. So Theorem A, which is coordinate-wise, does
not give Theorem A', which has one common eps_sh under a weighted sum: that one has a proof of its own.

Paper: eq. 3; ours.
"""

import z3

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """Two linear losses on the line."""
    return [linear()]


def magnitude(x: z3.ArithRef) -> z3.ArithRef:
    """|x|, the maximum of x eps over |eps| <= 1."""
    return z3.If(x >= 0, x, -x)


def linear() -> Finding:
    """w L_D^1 + (1 - w) L_D^2 <= |w a + (1 - w) b|."""
    a, b, w, first, second = z3.Reals("a b w L_D_1 L_D_2")
    given = [w >= 0, w <= 1, first <= magnitude(a), second <= magnitude(b)]
    return implies(
        "linear",
        "L_D^1 <= max a eps, L_D^2 <= max b eps, over |eps| <= 1, and 0 <= w <= 1 imply "
        "w L_D^1 + (1 - w) L_D^2 <= max over one eps of w a eps + (1 - w) b eps",
        given,
        w * first + (1 - w) * second <= magnitude(w * a + (1 - w) * b),
        [FalseImplication("a and b of one sign", hypotheses=[*given, a >= 0, b >= 0])],
    )
