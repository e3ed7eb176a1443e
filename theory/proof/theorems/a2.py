r"""A2: with a(r) = max(0, ceil(log2 r)) and a(0) = 0, a point of norm r rho lies in the ball of radius R = 2^a rho, and
1 + 4R/rho = 1 + 4 2^a <= 5 + 8 r, for every r >= 0.

For r <= 1, a = 0 and the left side is 5. For r > 1, a >= 1 is the integer with a - 1 < log2 r <= a, so
2^a / 2 < r <= 2^a and 4 2^a < 8 r. The k-th power and the logarithm keep the order: A1 gives log K <= k log(5 + 8 r).

Paper: ours.
"""

import z3

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication, implies

RATIO, POWER = z3.Reals("r two_to_a")
NEAR = z3.And(RATIO >= 0, RATIO <= 1, POWER == 1)
FAR = z3.And(POWER >= 2, POWER / 2 < RATIO, RATIO <= POWER)


def check() -> list[Finding]:
    """The point is in the ball; the number of cells in terms of the norm; powers and logarithms keep the order."""
    return [covered(), count(), power()]


def covered() -> Finding:
    """r <= 2^a."""
    return implies(
        "covered",
        "r <= 2^a, where either 0 <= r <= 1 and 2^a = 1, or 2^a >= 2 and 2^a / 2 < r <= 2^a",
        [z3.Or(NEAR, FAR)],
        RATIO <= POWER,
        [FalseImplication("floor in place of ceil", [POWER >= 2, POWER <= RATIO, RATIO < 2 * POWER])],
    )


def count() -> Finding:
    """1 + 4 2^a <= 5 + 8 r."""
    return implies(
        "count",
        "1 + 4 2^a <= 5 + 8 r in both cases, 2^a any real number",
        [z3.Or(NEAR, FAR)],
        1 + 4 * POWER <= 5 + 8 * RATIO,
        [
            FalseImplication("5 + 7 r, at a = 4", [FAR, POWER == 16], 1 + 4 * POWER <= 5 + 7 * RATIO),
            FalseImplication("4 + 8 r", conclusion=1 + 4 * POWER <= 4 + 8 * RATIO),
            FalseImplication("one radius too many", [z3.And(POWER >= 4, POWER / 4 < RATIO, RATIO <= POWER)]),
        ],
    )


def power() -> Finding:
    """One factor more: x^k <= y^k implies x^{k+1} <= y^{k+1}."""
    left, right, x, y = z3.Reals("x_to_k y_to_k x y")
    given = [left >= 0, x >= 0, left <= right]
    return implies(
        "power",
        "0 <= x <= y and 0 <= x^k <= y^k imply x^k x <= y^k y; for k = 0 both are 1",
        [*given, x <= y],
        left * x <= right * y,
        [FalseImplication("x and y in any order", given)],
    )
