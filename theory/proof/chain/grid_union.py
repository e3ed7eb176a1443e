r"""log(1/delta_{j*}) <= log(1/delta) + 6 log(N + T) for all integers N, T >= 1: the price of the union over the grid.

delta_j = 6 delta / (pi^2 j^2), c = sigma^2 (1 + e^{4N/T}) and s >= sigma^2, so j* <= 1 + T log(c/s) <= J(N, T) = 1 + T
log(1 + e^{4N/T}). As log(1 + e^x) <= log 2 + x for x >= 0, J <= 1 + T log 2 + 4N, and with T >= 1 that is at most
4n - 3 + log 2, n = N + T: one variable is left. (pi / sqrt 6) (4n - 3 + log 2) < n^3 for every integer n >= 2, hence
1/delta_{j*} = (pi^2/6) j*^2 / delta <= n^6 / delta.

The smallest slack 6 log(N + T) - log(pi^2/6) - 2 log J(N, T) is at N = T = 1: between 0.434 and 0.436 there, and more
than 1 wherever N + T >= 3.

Paper: proof of Theorem 1 (reconstructed).
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels import integers, interval
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.integers import AllIntegers, OppositeIntegers
from theory.proof.kernels.interval import Claim, OppositeClaim
from theory.proof.kernels.rays import Ray
from theory.proof.kernels.smt import FalseImplication, implies

N, T = sympy.symbols("n t", positive=True)
ROOT = sympy.pi / sympy.sqrt(6)
LOG_2 = sympy.log(2)


def check() -> list[Finding]:
    """The index by N and T, by n alone, the power of n, the logarithm, and the smallest slack."""
    return [softplus(), index(), one_variable(), cube(), squared(), logarithm(), least(), elsewhere()]


def softplus() -> Finding:
    """log(1 + e^x) <= log 2 + x for x >= 0."""
    power, softplus_x, bound = z3.Reals("exp_x log_1_plus_exp_x log_2_plus_x")
    tangent = softplus_x - bound <= (1 + power) / (2 * power) - 1
    return implies(
        "softplus",
        "e^x >= 1 and log[(1 + e^x) / (2 e^x)] <= (1 + e^x) / (2 e^x) - 1 imply log(1 + e^x) <= log(2 e^x)",
        [power >= 1, tangent],
        softplus_x <= bound,
        [FalseImplication("x < 0", hypotheses=[power < 1, power > 0, tangent])],
    )


def index() -> Finding:
    """j* <= 1 + T log(1 + e^{4N/T})."""
    j, log_c, log_s, log_variance, softplus_x, dimension = z3.Reals("j log_c log_s log_sigma_squared softplus T")
    given = [dimension > 0, log_c == log_variance + softplus_x, j <= 1 + dimension * (log_c - log_s)]
    return implies(
        "index",
        "T > 0, log c = log sigma^2 + log(1 + e^{4N/T}), s >= sigma^2 and j <= 1 + T log(c/s) imply "
        "j <= 1 + T log(1 + e^{4N/T})",
        [*given, log_s >= log_variance],
        j <= 1 + dimension * softplus_x,
        [FalseImplication("s < sigma^2", hypotheses=[*given, log_s < log_variance])],
    )


def one_variable() -> Finding:
    """1 + T log(1 + e^{4N/T}) <= 4 (N + T) - 3 + log 2."""
    samples, dimension, softplus_x, log_two = z3.Reals("N T softplus log_2")
    given = [dimension * softplus_x <= dimension * log_two + 4 * samples, log_two > 0, log_two <= 1]
    return implies(
        "one-variable",
        "T >= 1, T log(1 + e^{4N/T}) <= T log 2 + 4N and 0 < log 2 <= 1 imply 1 + T log(1 + e^{4N/T}) <= 4 (N + T) - 3 "
        "+ log 2",
        [*given, dimension >= 1],
        1 + dimension * softplus_x <= 4 * (samples + dimension) - 3 + log_two,
        [FalseImplication("T < 1", hypotheses=[*given, dimension > 0, dimension < 1])],
    )


def power_of_n(exponent: int, factor: sympy.Expr, first: int) -> AllIntegers:
    """n^exponent > factor (4n - 3 + log 2) for all integers n >= first."""
    rest = factor * (4 * N - 3 + LOG_2)
    scaled = T**3 * (T**-exponent - factor * (4 / T - 3 + LOG_2))
    return AllIntegers(first, Ray(N**exponent - rest, N, max(first, 2), T, sympy.expand(scaled), power=3))


def cube() -> Finding:
    """(pi / sqrt 6) (4n - 3 + log 2) < n^3."""
    return integers.positive(
        "cube",
        "n^3 > (pi / sqrt 6) (4n - 3 + log 2) for all integers n >= 2",
        power_of_n(3, ROOT, 2),
        [
            OppositeIntegers("n^2: a price of 4 log(N + T)", power_of_n(2, ROOT, 2)),
            OppositeIntegers("pi^2/6 in place of its root", power_of_n(3, ROOT**2, 2)),
            OppositeIntegers("n = 1: no sample or no parameter", power_of_n(3, ROOT, 1)),
        ],
    )


def squared() -> Finding:
    """(pi^2/6) j^2 <= n^6."""
    root, j, bound, cubed = z3.Reals("pi_over_sqrt_6 j J n_cubed")
    given = [root > 0, root * bound <= cubed]
    conclusion = root * root * j * j <= cubed * cubed
    return implies(
        "squared",
        "0 < j <= J and (pi / sqrt 6) J <= n^3 imply (pi^2/6) j^2 <= n^6",
        [*given, j > 0, j <= bound],
        conclusion,
        [
            FalseImplication("j may be negative", hypotheses=[*given, j <= bound]),
            FalseImplication("j <= J dropped", hypotheses=[*given, j > 0]),
        ],
    )


def logarithm() -> Finding:
    """log(1/delta_j) where (pi^2/6) j^2 = n^6."""
    delta, n = sympy.symbols("delta n", positive=True)
    left = sympy.log(n**6 / delta)
    return identity(
        "logarithm",
        "log(n^6 / delta) = log(1/delta) + 6 log n for n, delta > 0; 1/delta_j = (pi^2/6) j^2 / delta",
        left,
        sympy.log(1 / delta) + 6 * sympy.log(n),
        [FalseIdentity("4 log n", left, sympy.log(1 / delta) + 4 * sympy.log(n))],
    )


def least() -> Finding:
    """The slack at N = T = 1."""
    slack = 6 * LOG_2 - 2 * sympy.log(ROOT) - 2 * sympy.log(1 + sympy.log(1 + sympy.exp(4)))
    low, high = sympy.Rational(434, 1000), sympy.Rational(436, 1000)
    return interval.positive(
        "least",
        "6 log 2 - log(pi^2/6) - 2 log(1 + log(1 + e^4)) is between 0.434 and 0.436",
        Claim((slack - low) * (high - slack), {}),
        [OppositeClaim("between 0.436 and 0.438", Claim((slack - high) * (high + high - low - slack), {}))],
    )


def elsewhere() -> Finding:
    """The slack is more than 1 for N + T >= 3."""
    return integers.positive(
        "elsewhere",
        "n^3 > sqrt(e) (pi / sqrt 6) (4n - 3 + log 2) for all integers n >= 3, so the slack exceeds 1 there",
        power_of_n(3, ROOT * sympy.exp(sympy.Rational(1, 2)), 3),
        [OppositeIntegers("from n = 2 on", power_of_n(3, ROOT * sympy.exp(sympy.Rational(1, 2)), 2))],
    )
