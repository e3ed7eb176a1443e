r"""KL(N(theta, sigma^2 I) || N(0, sigma_P^2 I)) = (1/2) [T s / sigma_P^2 - T + T log(sigma_P^2 / sigma^2)] in R^T, with
s = sigma^2 + ||theta||^2 / T.

Both laws are products, so log q/p is a sum over the coordinates, and each summand's mean under Q is an integral in one
dimension (Tonelli, applied to its positive and negative parts). That integral is
(1/2) [(sigma^2 + theta_j^2) / sigma_P^2 - 1 + log(sigma_P^2 / sigma^2)]; the T of them are added.

Paper: proof of Theorem 1 (reconstructed).
"""

import sympy

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity

SIGMA, PRIOR = sympy.symbols("sigma sigma_P", positive=True)
THETA, X = sympy.symbols("theta x", real=True)


def density(mean: sympy.Expr, deviation: sympy.Expr) -> sympy.Expr:
    """Of N(mean, deviation^2) at x."""
    return sympy.exp(-((X - mean) ** 2) / (2 * deviation**2)) / (sympy.sqrt(2 * sympy.pi) * deviation)


LOG_RATIO = sympy.log(PRIOR / SIGMA) + X**2 / (2 * PRIOR**2) - (X - THETA) ** 2 / (2 * SIGMA**2)
ONE_COORDINATE = ((SIGMA**2 + THETA**2) / PRIOR**2 - 1 + sympy.log(PRIOR**2 / SIGMA**2)) / 2


def check() -> list[Finding]:
    """The log-density ratio, its mean in one dimension, the sum over the coordinates."""
    return [mass(), ratio(), mean(), coordinates()]


def mass() -> Finding:
    """The density has mass one."""
    total = sympy.integrate(density(THETA, SIGMA), (X, -sympy.oo, sympy.oo))
    return identity(
        "mass",
        "the integral over R of the density of N(theta, sigma^2) is 1 (sympy's integrator)",
        total,
        sympy.Integer(1),
        [FalseIdentity("sqrt(pi) as the constant", sympy.sqrt(2) * total, sympy.Integer(1))],
    )


def ratio() -> Finding:
    """log q - log p, as q = p e^{log ratio}."""
    left, prior = density(THETA, SIGMA), density(sympy.Integer(0), PRIOR)
    return identity(
        "ratio",
        "q = p exp[log(sigma_P / sigma) + x^2 / (2 sigma_P^2) - (x - theta)^2 / (2 sigma^2)] at every x",
        left,
        prior * sympy.exp(LOG_RATIO),
        [FalseIdentity("sigma / sigma_P", left, prior * sympy.exp(LOG_RATIO - 2 * sympy.log(PRIOR / SIGMA)))],
    )


def mean() -> Finding:
    """Its integral under Q in one dimension."""
    left = sympy.integrate(density(THETA, SIGMA) * sympy.expand(LOG_RATIO), (X, -sympy.oo, sympy.oo))
    return identity(
        "mean",
        "in one dimension E_Q log(q/p) = (1/2) [(sigma^2 + theta^2) / sigma_P^2 - 1 + log(sigma_P^2 / sigma^2)] "
        "(sympy's integrator)",
        left,
        ONE_COORDINATE,
        [
            FalseIdentity("the -1 forgotten", left, ONE_COORDINATE + sympy.Rational(1, 2)),
            FalseIdentity("theta^2 / sigma^2", left, ONE_COORDINATE + THETA**2 * (SIGMA**-2 - PRIOR**-2) / 2),
        ],
    )


def coordinates() -> Finding:
    """The sum over T coordinates with sum_j theta_j^2 = ||theta||^2."""
    size, squared = sympy.symbols("T squared_norm", positive=True)
    centred = ONE_COORDINATE.subs(THETA, 0)
    left = size * centred + sympy.simplify((ONE_COORDINATE - centred) / THETA**2) * squared
    tail = -size + size * sympy.log(PRIOR**2 / SIGMA**2)

    def total(spread: sympy.Expr) -> sympy.Expr:
        return (size * spread / PRIOR**2 + tail) / 2

    return identity(
        "coordinates",
        "a coordinate's mean is its value at theta_j = 0 plus theta_j^2 times a number free of theta_j; T such "
        "values plus that number times ||theta||^2 are (1/2) [T s / sigma_P^2 - T + T log(sigma_P^2 / sigma^2)] with "
        "s = sigma^2 + ||theta||^2 / T",
        left,
        total(SIGMA**2 + squared / size),
        [FalseIdentity("s = sigma^2 + ||theta||^2", left, total(SIGMA**2 + squared))],
    )
