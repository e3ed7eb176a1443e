r"""What the maximum of a vector can mean: m suprema, one for each task, each with its own perturbation.

A loss with values in [0, L] has a supremum S_i over the ball, whatever the other tasks do; [L_D^i]_i <= [S_i + f^i]_i
is m inequalities between numbers. They give a weighted one: for w >= 0, sum_i w_i L_D^i <= sum_i w_i (S_i + f^i), by
induction over the tasks. On the right every task keeps its own supremum. That one perturbation common to all tasks
would do there is not implied: see coordinate-not-scalar.

Paper: eq. 3, read coordinate by coordinate.
"""

import z3

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication, OppositeExistence, exists, implies


def check() -> list[Finding]:
    """The weighted sum, and the two linear losses with a perturbation each."""
    return [weighted(), own_perturbation()]


def weighted() -> Finding:
    """One more task in both sums."""
    left, right, population, bound, weight = z3.Reals("left right L_D bound w")
    given = [left <= right, population <= bound]
    conclusion = left + weight * population <= right + weight * bound
    return implies(
        "weighted",
        "left <= right, L_D <= bound and w >= 0 imply left + w L_D <= right + w bound; an empty sum is 0",
        [*given, weight >= 0],
        conclusion,
        [
            FalseImplication("w of any sign", hypotheses=given),
            FalseImplication("no bound for the new task", hypotheses=[left <= right, weight >= 0]),
        ],
    )


def own_perturbation() -> Finding:
    """eps_1 = 1, eps_2 = -1."""
    first, second = z3.Reals("eps_1 eps_2")
    ball = [bound for eps in (first, second) for bound in (eps >= -1, eps <= 1)]
    maxima = [first >= 1, -second >= 1]
    return exists(
        "own-perturbation",
        "some eps_1, eps_2 in [-1, 1] attain the maximum of eps_1 and of -eps_2 over [-1, 1]",
        [*ball, *maxima],
        [OppositeExistence("eps_1 = eps_2", [*ball, *maxima, first == second])],
    )
