r"""A3: for every eta > 0 each cell C that is not empty holds a point theta_C with L_D(theta_C) >= sup_C L_D - eta.

L_D is bounded, so its supremum s over C is finite. If no point had L_D >= s - eta, then s - eta would be an upper bound
below the least one. The points are chosen before the sample is seen, for each task its own, one for each of countably
many cells. Nothing is asked of L_D as a function of theta: no continuity, no measurability. A point with
L_D(theta_C) = s need not exist, hence eta and A7.

Paper: ours.
"""

import z3

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """An upper bound below the supremum; every point of the cell against the chosen one."""
    return [below_supremum(), chosen()]


def below_supremum() -> Finding:
    """s - eta is no upper bound."""
    supremum, eta, bound = z3.Reals("s eta u")
    return implies(
        "below-supremum",
        "if s is at most every upper bound, then a number u that is an upper bound is not s - eta, for eta > 0",
        [eta > 0, supremum <= bound],
        z3.Not(bound == supremum - eta),
        [
            FalseImplication("eta = 0: the supremum is attained", [eta >= 0, supremum <= bound]),
            FalseImplication("s any upper bound", [eta > 0]),
        ],
    )


def chosen() -> Finding:
    """L_D(theta) <= L_D(theta_C) + eta."""
    supremum, eta, at_point, at_chosen = z3.Reals("s eta L_D_theta L_D_theta_C")
    given = [eta > 0, at_point <= supremum]
    conclusion = at_point <= at_chosen + eta
    return implies(
        "chosen",
        "L_D(theta) <= s and L_D(theta_C) >= s - eta imply L_D(theta) <= L_D(theta_C) + eta",
        [*given, at_chosen >= supremum - eta],
        conclusion,
        [
            FalseImplication("eta left out", conclusion=at_point <= at_chosen),
            FalseImplication("theta_C any point of the cell", [*given, at_chosen <= supremum]),
        ],
    )
