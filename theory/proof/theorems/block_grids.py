r"""A grid of priors for each block, and its price: for R >= 0 fixed before the sample let c_b = sigma_b^2 e^{R / k_b},
sigma_{b,j}^2 = c_b e^{(1-j)/k_b}, and let the pair (j, j') of task i have the level (delta/m) (6/pi^2)^2 / (j j')^2.
If k_b log(1 + ||theta_b||^2 / (k_b sigma_b^2)) <= R for both blocks of task i, then a pair of the grid has
KL <= sum_b [1/(4 k_b) + (k_b/2) log(1 + ||theta_b||^2 / (k_b sigma_b^2))], and
log(1/level) <= log(m/delta) + 4 log(1.29 (1 + R)).

The levels sum to delta over all tasks and pairs. The divergence of products is the sum of the blocks' divergences. Let
r_b = ||theta_b||^2 / (k_b sigma_b^2), so s_b = sigma_b^2 (1 + r_b). The condition says s_b <= c_b, so prior-grid finds
j_b with s_b <= sigma_{b,j_b}^2 <= e^{1/k_b} s_b; grid-kl, in its sharper form, bounds its divergence. As s_b >=
sigma_b^2, j_b <= 1 + k_b log(c_b / s_b) <= 1 + R. With pi / sqrt 6 < 1.29 the price is 2 log(pi^2/6) + 2 log j + 2 log
j' <= 4 log(1.29 (1 + R)): so 1.29 is pi / sqrt 6, rounded up. R = 2 L sqrt N in Theorem B, R = 4N in its square-root
form: block-large-norm covers the rest. c_b must not have a 1 added to e^{R / k_b}, as it has in
grid-union: then j could reach 1 + R + k_b log 2.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels import interval
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.interval import Claim, OppositeClaim
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The levels, the divergence of a product, the reach, the index, and the price in three steps."""
    return [levels(), product(), argument(), reach(), index(), constant(), price(), logarithm()]


def levels() -> Finding:
    """The sum of all levels."""
    j, k, delta, m = sympy.symbols("j k delta m", positive=True)

    def total(power: int) -> sympy.Expr:
        grids = [sympy.summation(6 / (sympy.pi**2 * index**power), (index, 1, sympy.oo)) for index in (j, k)]
        return m * (delta / m) * sympy.prod(grids)

    return identity(
        "levels",
        "m times the sum over j, j' >= 1 of (delta/m) (6/pi^2)^2 / (j j')^2 is delta (sympy's summation)",
        total(2),
        delta,
        [FalseIdentity("(j j')^4", total(4), delta), FalseIdentity("delta for each task", m * total(2), delta)],
    )


def product() -> Finding:
    """The log ratio of product densities."""
    posterior, other, prior, second = sympy.symbols("q_sh q_ns p_sh p_ns", positive=True)
    left = sympy.log(posterior * other / (prior * second))
    right = sympy.log(posterior / prior) + sympy.log(other / second)
    return identity(
        "product",
        "log[q_sh q_ns / (p_sh p_ns)] = log(q_sh/p_sh) + log(q_ns/p_ns) for positive densities: the divergences add",
        left,
        right,
        [FalseIdentity("one block forgotten", left, sympy.log(posterior / prior))],
    )


def argument() -> Finding:
    """r_b in terms of the radius."""
    size, rho, squared = sympy.symbols("k rho squared_norm", positive=True)
    log = sympy.Symbol("log_4N", positive=True)
    left = squared / (size * (rho / (sympy.sqrt(size) + sympy.sqrt(log))) ** 2)

    def ratio(inner: sympy.Expr) -> sympy.Expr:
        return squared / rho**2 * (1 + sympy.sqrt(inner)) ** 2

    return identity(
        "argument",
        "||theta||^2 / (k sigma^2) = (||theta||^2 / rho^2) (1 + sqrt(log(4N) / k))^2 at sigma = rho / (sqrt k + "
        "sqrt(log 4N))",
        left,
        ratio(log / size),
        [FalseIdentity("log(4N) without 1/k", left, ratio(log))],
    )


def reach() -> Finding:
    """k log(1 + r) <= R implies s <= c."""
    variance, ratio, grown, quotient, inverse, log = z3.Reals("sigma_squared r exp_R_k quotient inverse log_quotient")
    s, c = variance * (1 + ratio), variance * grown
    given = [variance > 0, ratio >= 0, grown > 0, quotient * grown == 1 + ratio, quotient * inverse == 1]
    tangent = inverse >= 1 - log
    return implies(
        "reach",
        "q = (1 + r) / e^{R/k} with log q = log(1 + r) - R/k <= 0 and 1/q >= 1 - log q imply s = sigma^2 (1 + r) <= c "
        "= sigma^2 e^{R/k}",
        [*given, tangent, log <= 0],
        s <= c,
        [FalseImplication("k log(1 + r) > R", hypotheses=[*given, tangent, log > 0])],
    )


def index() -> Finding:
    """j <= 1 + R."""
    j, k, reach, log_c, log_s, log_variance = z3.Reals("j k R log_c log_s log_sigma_squared")
    grid = [k >= 1, reach >= 0, j <= 1 + k * (log_c - log_s)]
    long = log_s >= log_variance
    return implies(
        "index",
        "j <= 1 + k log(c/s), log c = log sigma^2 + R/k, s >= sigma^2, k >= 1 and R >= 0 imply j <= 1 + R",
        [*grid, log_c == log_variance + reach / k, long],
        j <= 1 + reach,
        [
            FalseImplication("s < sigma^2", [*grid, log_c == log_variance + reach / k, z3.Not(long)]),
            FalseImplication("log c = log sigma^2 + R", [*grid, log_c == log_variance + reach, long]),
        ],
    )


def constant() -> Finding:
    """pi / sqrt 6 < 1.29."""

    def claim(bound: sympy.Rational) -> Claim:
        return Claim(bound - sympy.pi / sympy.sqrt(6), {})

    return interval.positive(
        "constant",
        "1.29 - pi / sqrt 6 > 0",
        claim(sympy.Rational(129, 100)),
        [OppositeClaim("1.28", claim(sympy.Rational(128, 100)))],
    )


def price() -> Finding:
    """(pi^2/6)^2 (j j')^2 <= (1.29 (1 + R))^4."""
    root, j, other, reach = z3.Reals("pi_over_sqrt_6 j j_prime R")
    top = z3.Q(129, 100) * (1 + reach)
    given = [root > 0, root <= z3.Q(129, 100), reach >= 0, j > 0, other > 0]
    square = root * root * j * other

    def within(bound: z3.ArithRef) -> list[z3.BoolRef]:
        return [*given, j <= bound, other <= bound]

    return implies(
        "price",
        "0 < j, j' <= 1 + R, R >= 0 and 0 < pi / sqrt 6 <= 1.29 imply (pi^2/6) j j' <= (1.29 (1 + R))^2, both sides "
        "positive, and so for their squares",
        within(1 + reach),
        z3.And(square <= top * top, square > 0),
        [
            FalseImplication("j, j' <= 2 + R", hypotheses=within(2 + reach)),
            FalseImplication(
                "1.28 in place of 1.29 in the bound",
                conclusion=square <= z3.Q(16384, 10000) * (1 + reach) * (1 + reach),
            ),
        ],
    )


def logarithm() -> Finding:
    """log(1/level) where the squares are equal."""
    top, delta, m = sympy.symbols("top delta m", positive=True)
    left = sympy.log(m / delta * top**4)
    return identity(
        "logarithm",
        "log[(m/delta) x^4] = log(m/delta) + 4 log x for x, m, delta > 0; 1/level = (m/delta) (pi^2/6)^2 (j j')^2",
        left,
        sympy.log(m / delta) + 4 * sympy.log(top),
        [FalseIdentity("one grid only: 2 log x", left, sympy.log(m / delta) + 2 * sympy.log(top))],
    )
