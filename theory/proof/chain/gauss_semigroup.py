r"""Two independent Gaussian steps of variances s and t are one of variance s + t; the Gaussian mean of a Gaussian bump.

phi_w(x) = e^{-x^2 / (2 w)} / sqrt(2 pi w). Completing the square,
    phi_s(x - y) phi_t(y) = phi_{s+t}(x) phi_{s t/(s+t)}(y - t x/(s + t)),
and the last factor integrates to 1 over y. In T coordinates the densities are products. As e^{-x^2/(2t)} is
sqrt(2 pi t) phi_t(x), its mean under a step of variance v is
    sqrt(2 pi t) phi_{t+v}(x) = sqrt(t/(t+v)) e^{-x^2/(2(t+v))}.

Paper: ours; for what is said of the Gaussian assumption.
"""

import sympy

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity

S, T, V, W = sympy.symbols("s t v w", positive=True)
X, Y, M = sympy.symbols("x y m", real=True)


def check() -> list[Finding]:
    """The exponents and the factors of the product, the integral, the bump."""
    return [exponents(), factors(), integral(), bump()]


def density(x: sympy.Expr, variance: sympy.Expr) -> sympy.Expr:
    """phi_variance(x)."""
    return sympy.exp(-(x**2) / (2 * variance)) / sympy.sqrt(2 * sympy.pi * variance)


def exponents() -> Finding:
    """The completed square."""
    left = (X - Y) ** 2 / (2 * S) + Y**2 / (2 * T)

    def right(centre: sympy.Expr) -> sympy.Expr:
        return X**2 / (2 * (S + T)) + (Y - centre) ** 2 * (S + T) / (2 * S * T)

    return identity(
        "exponents",
        "(x - y)^2/(2s) + y^2/(2t) = x^2/(2(s+t)) + (y - t x/(s+t))^2 (s+t)/(2st) for s, t > 0 and real x, y",
        left,
        right(T * X / (S + T)),
        [FalseIdentity("centred at s x/(s+t)", left, right(S * X / (S + T)))],
    )


def factors() -> Finding:
    """1/sqrt(2 pi w) of the four densities."""

    def both(first: sympy.Expr, second: sympy.Expr) -> sympy.Expr:
        return density(sympy.Integer(0), first) * density(sympy.Integer(0), second)

    return identity(
        "factors",
        "phi_s(0) phi_t(0) = phi_{s+t}(0) phi_{st/(s+t)}(0) for s, t > 0",
        both(S, T),
        both(S + T, S * T / (S + T)),
        [FalseIdentity("variance s t", both(S, T), both(S + T, S * T))],
    )


def integral() -> Finding:
    """The integral of phi_w(y - m) over y."""
    left = sympy.integrate(density(Y - M, W), (Y, -sympy.oo, sympy.oo))
    return identity(
        "integral",
        "phi_w(y - m) integrates to 1 over y, for w > 0 and real m",
        left,
        sympy.Integer(1),
        [FalseIdentity("sqrt(2 pi) forgotten", sympy.sqrt(2 * sympy.pi) * left, sympy.Integer(1))],
    )


def bump() -> Finding:
    """The mean of e^{-(x + eps)^2/(2t)}."""
    left = sympy.sqrt(2 * sympy.pi * T) * density(X, T + V)

    def right(factor: sympy.Expr) -> sympy.Expr:
        return factor * sympy.exp(-(X**2) / (2 * (T + V)))

    return identity(
        "bump",
        "sqrt(2 pi t) phi_{t+v}(x) = sqrt(t/(t+v)) e^{-x^2/(2(t+v))} for t, v > 0 and real x",
        left,
        right(sympy.sqrt(T / (T + V))),
        [FalseIdentity("t/(t+v) without the root", left, right(T / (T + V)))],
    )
