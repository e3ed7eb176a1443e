r"""Theorem A with 4N in place of 2N is false: for k_sh = k_i = m = L = 1, N = 128 and delta = 1/2 it fails with
probability more than 1/2 for some distribution.

Let r = 2^28. In the shared coordinate there are M = r closed intervals of radius rho_sh, disjoint, with centres of norm
at most r rho_sh (2 rho_sh r / (r - 1) apart); the losses in interval j are independent fair bits, elsewhere 1/2;
theta_i = 0. At every centre C <= log Q with Q = 5 (5 + 8 r) (1/delta) (1 + 28)^2 (10/6)^2, since pi^2 < 10; and Q <
e^32, by its series. A centre with X <= 32 ones among 128 bits has 1/2 - X/N >= 1/4 = sqrt(32 / (4N)) > sqrt(C / (4N)).
If that has probability p, some centre has it with probability at least 1 - 1/(1 + M p), by theorem-d's one-box-more,
and this would have to be at most delta: M p <= 1. It is not.

Paper: ours.
"""

from fractions import Fraction
from math import comb, factorial

from theory.ledger import Finding
from theory.proof.kernels.enumeration import Case, Comparison, OppositeFamily, Space, for_all

LOG2_RATIO, SAMPLES, EXPONENT = 28, 128, 32
BOXES = 2**LOG2_RATIO
DELTA = Fraction(1, 2)
PRODUCT = 5 * (5 + 8 * BOXES) / DELTA * (1 + LOG2_RATIO) ** 2 * Fraction(10, 6) ** 2
"""Q."""


def check() -> list[Finding]:
    """M p <= 1."""
    return [few_enough()]


def few_enough() -> Finding:
    """P(1/2 - X/N >= sqrt(32 / (factor N))), squared to stay exact."""
    bits = Space({ones: Fraction(comb(SAMPLES, ones), 2**SAMPLES) for ones in range(SAMPLES + 1)})
    series = sum((Fraction(EXPONENT**k, factorial(k)) for k in range(100)), Fraction(0))

    def case(factor: int) -> Case:
        def far_below(ones: int) -> bool:
            return 2 * ones <= SAMPLES and factor * (SAMPLES - 2 * ones) ** 2 >= 4 * SAMPLES * EXPONENT

        return Case(
            f"{factor}N",
            bits.law(far_below),
            Comparison("p", bits.probability(far_below), "<=", Fraction(1, BOXES)),
            (Comparison("100 terms of e^32, rounded down", Fraction(int(series)), ">", PRODUCT),),
        )

    return for_all(
        "few-enough",
        "Q < e^32, and p = P(1/2 - X/N >= sqrt(32 / (4N))) <= 1/M for M = 2^28, X the sum of N = 128 fair bits",
        [case(4)],
        [OppositeFamily("2N, as in Theorem A", [case(2)]), OppositeFamily("3N", [case(3)])],
    )
