r"""A slack that suffices for all losses in [0, 1] suffices for all nonnegative ones: REFUTED.

The slack 1 suffices for a loss in [0, 1] with certainty, L_D <= 1 <= L_S + 1. Let l = M z for a bit z with
P(z = 1) = 1/4, whatever theta: L_D = M/4, and L_S = 0 on four samples with probability (3/4)^4 = 81/256, on every
ball. With M = 8 the inequality fails there. No other slack c that does not depend on the loss's bound does better:
M = 4 (c + 1). Cross entropy has no bound (scope).

Paper: "bounded loss" in Theorem 1.
"""

from fractions import Fraction

import z3

from theory.ledger import Finding
from theory.proof.chain.line_losses import Steps, Task
from theory.proof.kernels.enumeration import Case, Comparison, OppositeFamily, Space, for_all, independent
from theory.proof.kernels.smt import OppositeExistence, exists

BIT = Space({0: Fraction(3, 4), 1: Fraction(1, 4)})
DELTA = Fraction(1, 20)


def check() -> list[Finding]:
    """Slack 1 with M = 8, then any slack."""
    return [slack_of_one(), any_slack()]


def slack_of_one() -> Finding:
    """P(L_D <= max L_S + 1) >= 19/20."""
    return for_all(
        "slack-of-one",
        "N = 4, delta = 1/20, rho = 1, a loss M z, P(z = 1) = 1/4, M = 8: 'for all theta, L_D <= max L_S + 1' has "
        "probability >= 1 - delta",
        [case(8)],
        [OppositeFamily("M = 1, a loss in [0, 1]", [case(1)])],
    )


def case(largest: int) -> Case:
    """M z, a constant in theta."""
    task = Task({z: Steps((), (Fraction(largest * z),)) for z in (0, 1)}, BIT)
    space = independent([BIT] * 4)
    holds = space.probability(lambda sample: task.generalises(sample, Fraction(1), lambda _: Fraction(1)))
    return Case(f"M = {largest}", space, Comparison("P(A)", holds, ">=", 1 - DELTA))


def any_slack() -> Finding:
    """M/4 <= 0 + c at M = 4 (c + 1)."""
    largest, slack = z3.Reals("M c")
    covered = [slack >= 0, largest / 4 <= slack]
    return exists(
        "any-slack",
        "some slack c >= 0 covers L_D = M/4 where L_S = 0 at M = 4 (c + 1): M/4 <= c",
        [*covered, largest == 4 * (slack + 1)],
        [OppositeExistence("at M = 4 c", [*covered, largest == 4 * slack])],
    )
