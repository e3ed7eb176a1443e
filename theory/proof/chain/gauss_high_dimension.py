r"""For T >= 3 some nonconstant L_D in [0, 1[ has L_D(theta) < E L_D(theta + eps) for all theta and all sigma.

Data t >= 1 with the density t^{-3/2}/2; loss l(theta; t) = 1 - e^{-r^2/(2t)}, r^2 the sum of the first three
coordinates squared. The noise in the other coordinates does nothing. By gauss-semigroup, with v = sigma^2,
    E_eps e^{-|theta + eps|^2/(2t)} = (t/(t + v))^{3/2} e^{-r^2/(2(t + v))};
times the density this is (t + v)^{-3/2} e^{-r^2/(2(t+v))}/2, so the mean over t is the integral of
t^{-3/2} e^{-r^2/(2t)}/2 from 1 + v on, in place of 1: for r > 0,
    L_D(theta) = 1 - U(1), E L_D(theta + eps) = 1 - U(1 + v), U(a) = sqrt(pi/2) erf(r/sqrt(2a))/r,
and U decreases in a, since its derivative is -a^{-3/2} e^{-r^2/(2a)}/2 (which by the fundamental theorem also makes it
that integral). At r = 0, U(a) = a^{-1/2}. L_D(0) = 0, and l > 0 for r > 0. So at every theta the assumption holds,
strictly, and forces nothing. With the density t^{-T/2} for T <= 2, which can not be normalised, this construction ends,
as it has to (gauss-low-dimension).

Paper: the assumption of Theorem 1 (reconstructed), taken for all theta.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies

T, V, A, R = sympy.symbols("t v a r", positive=True)
HALF = sympy.Rational(1, 2)


def check() -> list[Finding]:
    """The density, the mean over eps, the mean over t, and that the loss is not constant."""
    return [normalised(), after_noise(), potential(), vanishing(), centre(), nonconstant()]


def weight(t: sympy.Expr) -> sympy.Expr:
    """The density of the data."""
    return t ** (-3 * HALF) / 2


def normalised() -> Finding:
    """It integrates to 1."""
    left = sympy.integrate(weight(T), (T, 1, sympy.oo))
    return identity(
        "normalised",
        "t^{-3/2}/2 integrates to 1 over t >= 1",
        left,
        sympy.Integer(1),
        [FalseIdentity("t^{-2}/2", sympy.integrate(T**-2 / 2, (T, 1, sympy.oo)), sympy.Integer(1))],
    )


def after_noise() -> Finding:
    """(t/(t + v))^{3/2} t^{-3/2} = (t + v)^{-3/2}."""

    def left(coordinates: int) -> sympy.Expr:
        return sympy.sqrt(T / (T + V)) ** coordinates * weight(T)

    return identity(
        "after-noise",
        "(t/(t+v))^{3/2} t^{-3/2}/2 = (t+v)^{-3/2}/2 for t, v > 0",
        left(3),
        weight(T + V),
        [FalseIdentity("two coordinates", left(2), weight(T + V))],
    )


def bump_mass(a: sympy.Expr) -> sympy.Expr:
    """U(a), for r > 0."""
    return sympy.sqrt(sympy.pi / 2) * sympy.erf(R / sympy.sqrt(2 * a)) / R


def potential() -> Finding:
    """U'(a) = -a^{-3/2} e^{-r^2/(2a)}/2."""
    left = sympy.diff(bump_mass(A), A)
    right = weight(A) * sympy.exp(-(R**2) / (2 * A))
    return identity(
        "potential",
        "the derivative of U(a) = sqrt(pi/2) erf(r/sqrt(2a))/r is -a^{-3/2} e^{-r^2/(2a)}/2, for a, r > 0",
        left,
        -right,
        [FalseIdentity("the sign flipped", left, right)],
    )


def vanishing() -> Finding:
    """U(infinity) = 0, so U(a) is the integral from a on."""
    return identity(
        "vanishing",
        "U(a) tends to 0 as a tends to infinity, for every r > 0",
        sympy.limit(bump_mass(A), A, sympy.oo),
        sympy.Integer(0),
        [FalseIdentity("as a tends to 0", sympy.limit(bump_mass(A), A, 0, "+"), sympy.Integer(0))],
    )


def centre() -> Finding:
    """At r = 0 the integral of t^{-3/2}/2 from 1 + v on, below 1."""
    left = sympy.integrate(weight(T), (T, 1 + V, sympy.oo))
    return identity(
        "centre",
        "t^{-3/2}/2 integrates to 1/sqrt(1 + v) over t >= 1 + v, v > 0",
        left,
        1 / sympy.sqrt(1 + V),
        [FalseIdentity("no noise", left, sympy.Integer(1))],
    )


def nonconstant() -> Finding:
    """e^{-q} <= 1/(1 + q) < 1 for q > 0."""
    q, bump = z3.Reals("q exp_minus_q")
    given = [bump > 0, bump * (1 + q) <= 1]
    return implies(
        "nonconstant",
        "q = r^2/(2t) > 0 and e^{-q} <= 1/(1 + q) imply 0 < 1 - e^{-q} < 1; at q = 0 it is 0",
        [*given, q > 0],
        z3.And(1 - bump > 0, 1 - bump < 1),
        [FalseImplication("q >= 0", hypotheses=[*given, q >= 0])],
    )
