r"""At the size of ResNet-18 every version is above the largest loss: a trunk of k_sh >= 11,223,560 parameters, N <=
200,000.

Theorem A: C_i >= k_sh log 5 > 2 N, whatever the norms, so L sqrt(C_i / (2N)) > L; and C_w, C_vec have the same term, so
Theorems A' and C are no better. Theorem B under the root: its complexity is at least (k_sh/2) log(1 + r^2), r =
||theta_sh|| / rho_sh, as (1 + sqrt(..))^2 >= 1; that is more than 2 N from r = 1/3 on. For losses in [0, 1] the
published number and Theorem B's first form are at least (T/2) log(1 + r^2) / sqrt N with T >= k_sh, r the norm over the
radius: more than 1 from r = 1/100 on. So only a trunk whose norm is far below its radius would leave these below L. All
other terms of the brackets are nonnegative, and the claims keep when k_sh grows or N shrinks.

Paper: Theorem 1, at the size of its experiments (Multi-MNIST: N = 120,000; CelebA: N = 162,770).
"""

from fractions import Fraction

import sympy

from theory.ledger import Finding
from theory.proof.kernels.interval import Claim, OppositeClaim, positive

SHARED, SAMPLES = 11_223_560, 200_000
K, N = sympy.symbols("k_sh N", positive=True)
HALF = sympy.Rational(1, 2)


def check() -> list[Finding]:
    """Theorem A; Theorem B under the root; the published number and Theorem B."""
    return [covers(), under_the_root(), over_the_root()]


def at_size(expression: sympy.Expr, shared: int = SHARED) -> Claim:
    """At the least trunk and the largest sample."""
    point = {K: (shared, shared), N: (SAMPLES, SAMPLES)}
    return Claim(expression, {symbol: ends for symbol, ends in point.items() if expression.has(symbol)})


def log_ratio(r: Fraction) -> sympy.Expr:
    """(k_sh/2) log(1 + r^2)."""
    return K * HALF * sympy.log(1 + sympy.Rational(r.numerator, r.denominator) ** 2)


def covers() -> Finding:
    """k_sh log 5 > 2 N."""
    excess = K * sympy.log(5) - 2 * N
    return positive(
        "theorem-a",
        "k_sh log 5 > 2 N at k_sh = 11,223,560 and N = 200,000",
        at_size(excess),
        [OppositeClaim("LeNet, k_sh = 30,890", at_size(excess, 30_890))],
    )


def under_the_root() -> Finding:
    """(k_sh/2) log(1 + r^2) > 2 N."""
    return positive(
        "theorem-b-root",
        "(k_sh/2) log(1 + r^2) > 2 N at k_sh = 11,223,560, N = 200,000 and r = 1/3",
        at_size(log_ratio(Fraction(1, 3)) - 2 * N),
        [OppositeClaim("r = 1/4", at_size(log_ratio(Fraction(1, 4)) - 2 * N))],
    )


def over_the_root() -> Finding:
    """(k_sh/2) log(1 + r^2) > sqrt N."""
    return positive(
        "theorem-1-and-b",
        "(k_sh/2) log(1 + r^2) > sqrt N at k_sh = 11,223,560, N = 200,000 and r = 1/100",
        at_size(log_ratio(Fraction(1, 100)) - sympy.sqrt(N)),
        [OppositeClaim("r = 1/200", at_size(log_ratio(Fraction(1, 200)) - sympy.sqrt(N)))],
    )
