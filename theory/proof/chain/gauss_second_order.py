r"""The Gaussian assumption for quadratics, and so for any L_D to second order: it says tr Hess L_D(theta) >= 0.

For a quadratic q and independent eps_j of mean 0 and variances v_j, E q(theta + eps) - q(theta) is half the
sum of v_j q_jj exactly: a quadratic is a linear combination of monomials in at most two coordinates, and the mean is
linear. With one variance v that is (v/2) tr Hess q, so q(theta) <= E q(theta + eps) exactly when tr Hess q >= 0; with a
variance for each block it is sigma_sh^2 tr H_sh + sigma_i^2 tr H_i >= 0. What comes next is (v^2/8) Delta^2: for
polynomials up to degree 4, monomials in at most four coordinates, E q(theta + eps) = q + (v/2) Delta q +
(v^2/8) Delta^2 q exactly. So the sign of the trace decides only where v^2 Delta^2 is small against v Delta. For a
bounded L_D it decides for all small v (gauss-small-variance), and for a given v neither way (gauss-sign).

Paper: the assumption of Theorem 1 (reconstructed).
"""

from collections.abc import Sequence
from functools import cache
from itertools import combinations_with_replacement
from math import prod

import sympy
import z3

from theory.ledger import Finding
from theory.proof.chain.gauss_semigroup import density
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies

V = sympy.Symbol("v", positive=True)


def check() -> list[Finding]:
    """Quadratics under two variances, quartics under one, the sign."""
    return [quadratic(), quartic(), sign()]


@cache
def moment(power: int) -> sympy.Expr:
    """E eps^power at variance v, integrated."""
    x = sympy.Symbol("x", real=True)
    return sympy.integrate(x**power * density(x, V), (x, -sympy.oo, sympy.oo))


def gaussian_mean(
    polynomial: sympy.Expr, coordinates: Sequence[sympy.Symbol], variances: Sequence[sympy.Expr]
) -> sympy.Expr:
    """E q(x + eps), term by term, the eps_j independent."""
    noise = sympy.symbols(f"eps:{len(coordinates)}")
    shifted = {x: x + eps for x, eps in zip(coordinates, noise, strict=True)}
    terms = sympy.Poly(sympy.expand(polynomial.subs(shifted, simultaneous=True)), *noise).terms()
    moments = {(k, v): moment(k).subs(V, v) for v in variances for k in range(5)}
    return sum(
        (c * prod(moments[power, v] for power, v in zip(powers, variances, strict=True)) for powers, c in terms),
        start=sympy.Integer(0),
    )


def general(degree: int, coordinates: Sequence[sympy.Symbol]) -> sympy.Expr:
    """The polynomial of this degree with a symbol for every coefficient."""
    factors = list(combinations_with_replacement([sympy.Integer(1), *coordinates], degree))
    coefficients = sympy.symbols(f"c:{len(factors)}", real=True)
    return sum((c * prod(f) for c, f in zip(coefficients, factors, strict=True)), start=sympy.Integer(0))


def quadratic() -> Finding:
    """(v_1 q_11 + v_2 q_22)/2."""
    coordinates = sympy.symbols("x y", real=True)
    variances = sympy.symbols("v_1 v_2", positive=True)
    q = general(2, coordinates)
    gain = gaussian_mean(q, coordinates, variances) - q
    second = sum(v * sympy.diff(q, x, 2) for v, x in zip(variances, coordinates, strict=True))
    return identity(
        "quadratic",
        "E q(x + eps) - q(x) = (v_1 q_11 + v_2 q_22)/2 for every quadratic q of two coordinates, v_1, v_2 > 0",
        gain,
        second / 2,
        [
            FalseIdentity("1/2 lost", gain, second),
            FalseIdentity("q_12 added", gain, second / 2 + sympy.diff(q, *coordinates)),
        ],
    )


def quartic() -> Finding:
    """(v/2) Delta q + (v^2/8) Delta^2 q."""
    coordinates = sympy.symbols("x y z u", real=True)
    q = general(4, coordinates)

    def laplacian(of: sympy.Expr) -> sympy.Expr:
        return sum((sympy.diff(of, x, 2) for x in coordinates), start=sympy.Integer(0))

    gain = gaussian_mean(q, coordinates, [V] * 4) - q
    first, second = V / 2 * laplacian(q), V**2 * laplacian(laplacian(q))
    return identity(
        "quartic",
        "E q(x + eps) - q(x) = (v/2) Delta q + (v^2/8) Delta^2 q for every q of degree <= 4 in four coordinates",
        gain,
        first + second / 8,
        [FalseIdentity("Delta^2 forgotten", gain, first), FalseIdentity("v^2/4", gain, first + second / 4)],
    )


def sign() -> Finding:
    """q <= E q exactly when the trace is nonnegative."""
    value, mean, v, trace = z3.Reals("q mean v trace")
    given = [v > 0, mean == value + v / 2 * trace]
    return implies(
        "sign",
        "v > 0 and E q = q + (v/2) trace imply: q <= E q exactly when trace >= 0",
        given,
        (value <= mean) == (trace >= 0),
        [FalseImplication("trace > 0", conclusion=(value <= mean) == (trace > 0))],
    )
