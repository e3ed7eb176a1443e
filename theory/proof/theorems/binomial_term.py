r"""P(Bin(N, 1/2) = s) >= e^{-N kl(s/N || 1/2)} / (N + 1) for integers 0 <= s <= N, N >= 1.

The N + 1 probabilities of Bin(N, s/N) sum to one, and that of s is the largest: the ratio of neighbours j + 1 and j is
(N - j) s / ((j + 1) (N - s)), at least 1 for j < s and at most 1 for j >= s. So C(N, s) q^s (1 - q)^{N - s} >= 1 / (N +
1) with q = s/N, and (1/2)^N = q^s (1 - q)^{N - s} e^{-N kl(q || 1/2)}. For s = 0, q = 0: both sides of the last are
2^{-N}.

Paper: ours.
"""

from fractions import Fraction
from math import comb

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.enumeration import Case, Comparison, OppositeFamily, Space, for_all
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """Rising before s, falling after, the largest of N + 1, the change of measure, small N exactly."""
    return [rising(), falling(), largest(), measure(), small()]


J, S, N = z3.Reals("j s N")
RANGE = [J >= 0, S >= 0, S < N]
UP = (N - J) * S >= (J + 1) * (N - S)


def rising() -> Finding:
    """j + 1 <= s."""
    return implies(
        "rising",
        "0 <= j <= s - 1 and s < N imply (N - j) s >= (j + 1) (N - s)",
        [*RANGE, J + 1 <= S],
        UP,
        [FalseImplication("j <= s", [*RANGE, J <= S])],
    )


def falling() -> Finding:
    """j >= s."""
    return implies(
        "falling",
        "s <= j and 0 <= s < N imply (N - j) s <= (j + 1) (N - s)",
        [*RANGE, J >= S],
        (N - J) * S <= (J + 1) * (N - S),
        [FalseImplication("j >= s - 1", [*RANGE, J >= S - 1])],
    )


def largest() -> Finding:
    """One of N + 1 numbers that sum to one."""
    value = z3.Real("largest")
    return implies(
        "largest",
        "1 <= (N + 1) x and N >= 1 imply x >= 1 / (N + 1)",
        [N >= 1, (N + 1) * value >= 1],
        value >= 1 / (N + 1),
        [FalseImplication("1 / N", conclusion=value >= 1 / N)],
    )


def measure() -> Finding:
    """Logarithms: N log(1/2) + N kl(q || 1/2) = s log q + (N - s) log(1 - q)."""
    n, q = sympy.symbols("N q", positive=True)
    rest = sympy.Symbol("one_minus_q", positive=True)

    def left(s: sympy.Expr) -> sympy.Expr:
        kl = q * sympy.log(2 * q) + (1 - q) * sympy.log(2 * rest)
        return sympy.expand_log(-n * sympy.log(2) + n * kl, force=True) - s * sympy.log(q)

    right = (n - n * q) * sympy.log(rest)
    return identity(
        "measure",
        "-N log 2 + N kl(q || 1/2) = s log q + (N - s) log(1 - q) at s = N q",
        left(n * q),
        right,
        [FalseIdentity("s = N q / 2", left(n * q / 2), right)],
    )


def small() -> Finding:
    """C(N, s) s^s (N - s)^{N - s} / N^N >= 1 / (N + 1)."""

    def case(n: int, s: int, cells: int) -> Case:
        q = Fraction(s, n)
        space = Space({j: comb(n, j) * q**j * (1 - q) ** (n - j) for j in range(n + 1)})
        probability = space.probability(lambda j: j == s)
        return Case(f"N = {n}, s = {s}", space, Comparison("P(s)", probability, ">=", Fraction(1, cells)))

    pairs = [(n, s) for n in range(1, 25) for s in range(n + 1)]
    return for_all(
        "small",
        "1 <= N <= 24, 0 <= s <= N: P(Bin(N, s/N) = s) >= 1 / (N + 1), exactly",
        [case(n, s, n + 1) for n, s in pairs],
        [OppositeFamily("1 / 4 at the most", [case(n, s, 4) for n, s in pairs])],
    )
