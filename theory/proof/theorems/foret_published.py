r"""Theorem 2 of Foret et al. as it stands, for every loss with values in [0, infinity): REFUTED.

Their losses are nonnegative, and nothing else is asked of them; the bracket does not contain their size. N = 2, k = 1,
w = 0, delta = 1/20 and the loss L z for a fair bit z, whatever w: the Gaussian assumption holds with equality at every
deviation, L_D = L/2, and L_S = 0 on every ball with probability 1/4. The published term is sqrt(4 log 40 + 8 log 15),
less than 13/2: with L = 13 the inequality fails with probability 1/4, more than delta. The O~(1) of the theorem is read
as 8 log(6N + 3k), the last line of its proof; whatever it is, a loss that is larger does the same (drop-bounded-loss).
With losses in [0, 1] the number is a bound: foret-bounded.
"""

from fractions import Fraction

import sympy

from theory.ledger import Finding
from theory.proof.kernels.enumeration import Case, Comparison, OppositeFamily, Space, for_all, independent
from theory.proof.kernels.interval import Claim, OppositeClaim, positive
from theory.proof.theorems.foret_slips import SHORT

BIT = Space({0: Fraction(1, 2), 1: Fraction(1, 2)})
DELTA = Fraction(1, 20)


def check() -> list[Finding]:
    """How often the training loss is zero; the inequality where it is."""
    return [chance(), short()]


def zero(samples: int) -> Case:
    """P(L_S = 0)."""
    space = independent([BIT] * samples)
    return Case(f"N = {samples}", space, Comparison("P(L_S = 0)", space.probability(lambda z: not any(z)), ">", DELTA))


def chance() -> Finding:
    """P(L_S = 0) > delta."""
    return for_all(
        "chance",
        "the loss L z, P(z = 1) = 1/2, N = 2, delta = 1/20: P(L_S = 0) > delta",
        [zero(2)],
        [OppositeFamily("N = 5", [zero(5)])],
    )


def short() -> Finding:
    """L/2 <= 0 + sqrt([4 log(N/delta) + 8 log(6N + 3k)] / (N - 1))."""

    def covers(limit: int) -> Claim:
        return Claim(2 * sympy.sqrt(SHORT) - sympy.Rational(limit, 2), {}, strict=False)

    return positive(
        "short",
        "L_D <= max L_S + sqrt([k log(1 + 0) + 4 log(N/delta) + 8 log(6N + 3k)] / (N - 1)) at w = 0 where L_S = 0, for "
        "N = 2, k = 1, delta = 1/20, the loss L z and L = 13: 13/2 <= sqrt(4 log 40 + 8 log 15)",
        covers(13),
        [OppositeClaim("L = 12", covers(12))],
    )
