r"""Beyond the grid the bound is trivial: ||theta||^2 > T sigma^2 (e^{4N/T} - 1) makes its right side at least L.

Then T log(1 + ||theta||^2 / (T sigma^2)) > 4N, so the terms with the logarithm and with L^2 alone are at least 2 sqrt N
+ L^2 / (8 sqrt N), which exceeds L by (L - 4 sqrt N)^2 / (8 sqrt N) >= 0, for every L.

Paper: proof of Theorem 1 (reconstructed).
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The logarithm, the square, the right side."""
    return [logarithm(), square(), right_side()]


def logarithm() -> Finding:
    """T log(1 + ||theta||^2 / (T sigma^2)) > 4N."""
    samples, dimension, ratio, power, log = z3.Reals("N T ratio exp_4N_T log_1_plus_ratio")
    given = [dimension > 0, power > 0, 4 * samples / dimension - log <= power / (1 + ratio) - 1, 1 + ratio > 0]
    return implies(
        "logarithm",
        "r = ||theta||^2 / (T sigma^2) > e^{4N/T} - 1, T > 0 and log[e^{4N/T} / (1 + r)] <= e^{4N/T} / (1 + r) - 1 "
        "imply T log(1 + r) > 4N",
        [*given, ratio > power - 1],
        dimension * log > 4 * samples,
        [FalseImplication("a norm within the grid", hypotheses=[*given, ratio < power - 1])],
    )


def square() -> Finding:
    """2 sqrt N + L^2 / (8 sqrt N) - L is a square over a positive number."""
    length, n = sympy.symbols("L N", positive=True)
    root = sympy.sqrt(n)
    left = 2 * root + length**2 / (8 * root) - length
    return identity(
        "square",
        "2 sqrt N + L^2 / (8 sqrt N) - L = (L - 4 sqrt N)^2 / (8 sqrt N) for L, N > 0",
        left,
        (length - 4 * root) ** 2 / (8 * root),
        [FalseIdentity("sqrt N in place of 2 sqrt N", left - root, (length - 4 * root) ** 2 / (8 * root))],
    )


def right_side() -> Finding:
    """[(T/2) log(..) + L^2/8] / sqrt N >= L."""
    root, log, length = z3.Reals("sqrt_N T_log L")
    given = [root > 0, log >= 4 * root * root]

    def value(eighth: int = 8) -> z3.ArithRef:
        return (log / 2 + length * length / eighth) / root

    return implies(
        "right-side",
        "T log(..) >= 4N and N > 0 imply [(T/2) log(..) + L^2/8] / sqrt N >= L for every real L",
        given,
        value() >= length,
        [
            FalseImplication("T log(..) >= 3N", hypotheses=[root > 0, log >= 3 * root * root]),
            FalseImplication("L^2/9", conclusion=value(9) >= length),
        ],
    )
