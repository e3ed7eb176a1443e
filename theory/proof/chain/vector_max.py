r"""One eps_sh attains the maximum of every task's loss over the ball: REFUTED by two linear losses on the line.

L^1(eps) = eps and L^2(eps) = -eps on |eps| <= 1 both have the maximum 1, at 1 and at -1: opposite gradients. No eps
attains both, nor comes within t < 1 of both; eps = 0 comes within 1. So "max" of a vector, in the sense of one
maximiser, does not exist there. What holds is said coordinate by coordinate (coordinate-wise), of a weighted sum
(sup-of-sum and theorem-a-prime), or of one eps at which all L_S^i dominate L_D^i up to the slack of theorem-c, and
which need not attain any maximum. As losses with values in [0, 1]: 1/2 + eps/2 and 1/2 - eps/2 on that ball.

Paper: eq. 2, eq. 3.
"""

import z3

from theory.ledger import Finding
from theory.proof.kernels.smt import OppositeExistence, exists


def check() -> list[Finding]:
    """Both maxima attained, both nearly attained."""
    return [attained(), nearly_attained()]


def within(slopes: tuple[int, int], shortfall: z3.ArithRef | int) -> list[z3.BoolRef]:
    """Both losses slope eps are at most ``shortfall`` below their maximum |slope| over |eps| <= 1."""
    eps = z3.Real("eps")
    return [eps >= -1, eps <= 1, *(slope * eps >= abs(slope) - shortfall for slope in slopes)]


def attained() -> Finding:
    """eps = 1 and eps = -1."""
    return exists(
        "attained",
        "some eps in [-1, 1] attains the maximum of eps and the maximum of -eps over [-1, 1]",
        within((1, -1), 0),
        [OppositeExistence("parallel gradients: eps and 2 eps", within((1, 2), 0))],
    )


def nearly_attained() -> Finding:
    """Within t < 1."""
    shortfall = z3.Real("t")
    return exists(
        "nearly-attained",
        "for some t < 1 some eps in [-1, 1] brings both eps and -eps within t of their maxima over [-1, 1]",
        [*within((1, -1), shortfall), shortfall < 1],
        [OppositeExistence("t <= 1", [*within((1, -1), shortfall), shortfall <= 1])],
    )
