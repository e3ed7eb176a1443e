r"""Hoeffding: E e^{b (L_D - L_S)} <= e^{b^2 L^2 / (8 N)} for real b and N iid losses in an interval of length L.

The losses are bounded, so M(u) = E e^{u (L_D - l)} may be differentiated under the integral as often as wanted: psi =
log M has psi(0) = 0, psi'(0) = E(L_D - l) = 0, and psi''(u) = M''/M - (M'/M)^2 is the variance of the loss under the
law tilted by e^{-u l} / E e^{-u l}. Shifted to x in [0, L], it has x^2 <= L x, hence a variance at most m (L - m) <=
L^2 / 4 (Popoviciu). By Taylor's theorem psi(u) <= u^2 L^2 / 8. By independence log E e^{b (L_D - L_S)} = N psi(b / N).

Paper: proof of Theorem 1 (reconstructed).
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The cumulant's first terms, its curvature, the variance, and the sum over the samples."""
    return [at_zero(), curvature(), square(), variance(), remainder(), samples()]


def at_zero() -> Finding:
    """psi(0) = psi'(0) = 0."""
    u, slope, to = sympy.symbols("u slope to", real=True)
    moment = sympy.Function("M", positive=True)(u)
    polynomial = sympy.log(moment) + sympy.diff(sympy.log(moment), u) * to

    def line(value: sympy.Expr, derivative: sympy.Expr) -> sympy.Expr:
        return polynomial.subs(sympy.diff(moment, u), derivative).subs(moment, value)

    return identity(
        "at-zero",
        "M(0) = 1 and M'(0) = 0 imply that the first Taylor polynomial of log M at 0 is zero",
        line(sympy.Integer(1), sympy.Integer(0)),
        sympy.Integer(0),
        [FalseIdentity("the loss not centred at its mean", line(sympy.Integer(1), slope), sympy.Integer(0))],
    )


def curvature() -> Finding:
    """(log M)'' = M''/M - (M'/M)^2."""
    u = sympy.Symbol("u", real=True)
    moment = sympy.Function("M", positive=True)(u)
    first, second = (sympy.diff(moment, u, order) / moment for order in (1, 2))
    left, at = sympy.diff(sympy.log(moment), u, 2), [(moment, sympy.exp(u) + 1)]
    return identity(
        "curvature",
        "(log M)'' = M''/M - (M'/M)^2 for every twice differentiable M > 0",
        left,
        second - first**2,
        [
            FalseIdentity(
                "the square of the mean forgotten, at M = e^u + 1", *(e.subs(at).doit() for e in (left, second))
            )
        ],
    )


def square() -> Finding:
    """x^2 <= L x on [0, L]."""
    x, length = z3.Reals("x L")
    return implies(
        "square",
        "x^2 <= L x for 0 <= x <= L",
        [x >= 0, x <= length],
        x * x <= length * x,
        [
            FalseImplication("x >= 0 dropped", hypotheses=[x <= length, length >= 0]),
            FalseImplication("x <= L dropped", hypotheses=[x >= 0, length >= 0]),
        ],
    )


def variance() -> Finding:
    """Popoviciu's inequality from the pointwise one."""
    mean, second, length = z3.Reals("mean second L")
    given = [second <= length * mean, length >= 0]
    value = second - mean * mean
    return implies(
        "variance",
        "E x^2 <= L E x and L >= 0 imply E x^2 - (E x)^2 <= L^2 / 4",
        given,
        value <= length * length / 4,
        [
            FalseImplication("L^2 / 5", conclusion=value <= length * length / 5),
            FalseImplication("the pointwise inequality not used", hypotheses=given[1:]),
        ],
    )


def remainder() -> Finding:
    """The remainder of second order."""
    u, second, length = z3.Reals("u second L")
    given = [second <= length * length / 4, length >= 0]
    return implies(
        "remainder",
        "psi''(xi) <= L^2 / 4 and L >= 0 imply (1/2) psi''(xi) u^2 <= u^2 L^2 / 8",
        given,
        second * u * u / 2 <= u * u * length * length / 8,
        [FalseImplication("u^2 L^2 / 9", conclusion=second * u * u / 2 <= u * u * length * length / 9)],
    )


def samples() -> Finding:
    """N psi(b / N) <= b^2 L^2 / (8 N)."""
    length, n = sympy.symbols("L N", positive=True)
    b = sympy.Symbol("b", real=True)
    left = n * ((b / n) ** 2 * length**2 / 8)
    return identity(
        "samples",
        "N (b/N)^2 L^2 / 8 = b^2 L^2 / (8 N) for N, L > 0 and real b",
        left,
        b**2 * length**2 / (8 * n),
        [
            FalseIdentity(
                "the sum in place of the mean of the losses", n * (b**2 * length**2 / 8), b**2 * length**2 / (8 * n)
            )
        ],
    )
