r"""Laurent and Massart: P(X > T + 2 sqrt(T t) + 2t) <= e^{-t} for t > 0 and X the sum of T squares of independent
standard Gaussians, T a positive integer.

For 0 <= u < 1/2 each square has E e^{u z^2} = (1 - 2u)^{-1/2}, so log E e^{u (X - T)} = -T [u + (1/2) log(1 - 2u)].
h(u) = u^2 / (1 - 2u) + u + (1/2) log(1 - 2u) has h(0) = 0 and h'(u) = 2 u^2 / (1 - 2u)^2 >= 0, hence log E e^{u (X -
T)} <= T u^2 / (1 - 2u). (The power series say the same term by term: 2^{k-1}/k <= 2^{k-2} for k >= 2.) By Markov's
inequality at level e^{-t}, u (X - T) <= T u^2 / (1 - 2u) + t with probability >= 1 - e^{-t}. At u = sqrt t / (sqrt T +
2 sqrt t), which is between 0 and 1/2, that is X - T <= 2 sqrt(T t) + 2t.

Paper: proof of Theorem 1 (reconstructed); B. Laurent, P. Massart, Ann. Statist. 28 (2000), lemma 1.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies

U, DIMENSION = sympy.symbols("u T", positive=True)
ROOT_T, ROOT_LEVEL = sympy.symbols("root_T root_t", positive=True)


def check() -> list[Finding]:
    """The moment generating function, its bound in u, Markov's inequality solved for X, the choice of u."""
    return [one_square(), all_squares(), at_zero(), slope(), coefficients(), grows(), solved(), within(), chosen()]


def one_square() -> Finding:
    """E e^{u z^2} with v = 1 - 2u > 0."""
    z = sympy.Symbol("z", real=True)
    v = sympy.Symbol("v", positive=True)
    density = sympy.exp(-v * z**2 / 2) / sympy.sqrt(2 * sympy.pi)
    left = sympy.integrate(density, (z, -sympy.oo, sympy.oo))
    return identity(
        "one-square",
        "the integral of e^{u z^2} e^{-z^2/2} / sqrt(2 pi) over the line is v^{-1/2}, v = 1 - 2u > 0"
        " (sympy's integral)",
        left,
        v ** sympy.Rational(-1, 2),
        [FalseIdentity("1/v", left, 1 / v)],
    )


def all_squares() -> Finding:
    """log of e^{-uT} v^{-T/2}."""
    v = sympy.Symbol("v", positive=True)
    left = sympy.log(sympy.exp(-U * DIMENSION) * v ** (-DIMENSION / 2))

    def right(half: sympy.Expr) -> sympy.Expr:
        return -DIMENSION * (U + half * sympy.log(v))

    return identity(
        "all-squares",
        "log [e^{-uT} v^{-T/2}] = -T [u + (1/2) log v] for u, v, T > 0; in use v = 1 - 2u",
        sympy.expand_log(left),
        right(sympy.Rational(1, 2)),
        [FalseIdentity("T in place of T/2", sympy.expand_log(left), right(sympy.Integer(1)))],
    )


def gap(factor: int = 1) -> sympy.Expr:
    """h(u) = u^2 / (1 - 2u) + u + (1/2) log(1 - 2u)."""
    return factor * U**2 / (1 - 2 * U) + U + sympy.log(1 - 2 * U) / 2


def at_zero() -> Finding:
    """h(0) = 0."""
    return identity(
        "at-zero",
        "u^2 / (1 - 2u) + u + (1/2) log(1 - 2u) vanishes at u = 0",
        gap().subs(U, 0),
        sympy.Integer(0),
        [FalseIdentity("1 + u in place of u", (gap() + 1).subs(U, 0), sympy.Integer(0))],
    )


def slope() -> Finding:
    """h'(u) = 2 u^2 / (1 - 2u)^2."""
    return identity(
        "slope",
        "the derivative of u^2 / (1 - 2u) + u + (1/2) log(1 - 2u) is 2 u^2 / (1 - 2u)^2",
        sympy.diff(gap(), U),
        2 * U**2 / (1 - 2 * U) ** 2,
        [FalseIdentity("2 u^2 / (1 - 2u)", sympy.diff(gap(2), U), 2 * U**2 / (1 - 2 * U) ** 2)],
    )


def coefficients() -> Finding:
    """2^{k-1}/k <= 2^{k-2}."""
    k, power = z3.Reals("k two_to_k_minus_2")
    return implies(
        "coefficients",
        "2p/k <= p for k >= 2 and p > 0: with p = 2^{k-2} the coefficients of u^k in the power series of -u - (1/2) "
        "log(1 - 2u) and of u^2 / (1 - 2u); the proof does not need it",
        [k >= 2, power > 0],
        2 * power / k <= power,
        [FalseImplication("k >= 1", hypotheses=[k >= 1, power > 0])],
    )


def grows() -> Finding:
    """h(u) = h(0) + h'(xi) u >= 0."""
    u, xi, value = z3.Reals("u xi h")
    mean_value = value == 2 * xi * xi / ((1 - 2 * xi) * (1 - 2 * xi)) * u
    return implies(
        "grows",
        "0 <= xi <= u < 1/2 and h(u) = u 2 xi^2 / (1 - 2 xi)^2 imply h(u) >= 0",
        [xi >= 0, xi <= u, u < z3.Q(1, 2), mean_value],
        value >= 0,
        [FalseImplication("u < 0", hypotheses=[xi <= 0, u <= xi, mean_value])],
    )


def solved() -> Finding:
    """Markov's inequality, divided by u."""
    u, dimension, level, excess, log_moment = z3.Reals("u T t X_minus_T log_moment")
    given = [u < z3.Q(1, 2), dimension >= 1, level > 0, u * excess <= log_moment + level]
    moment = log_moment <= dimension * u * u / (1 - 2 * u)
    conclusion = excess <= dimension * u / (1 - 2 * u) + level / u
    return implies(
        "solved",
        "0 < u < 1/2, u (X - T) <= log E e^{u (X - T)} + t and log E e^{u (X - T)} <= T u^2 / (1 - 2u) imply X - T <= "
        "T u / (1 - 2u) + t/u",
        [*given, u > 0, moment],
        conclusion,
        [
            FalseImplication("the moment not bounded", hypotheses=[*given, u > 0]),
            FalseImplication("u < 0", hypotheses=[*given, u < 0, moment]),
        ],
    )


def within() -> Finding:
    """0 < u < 1/2."""
    dimension, level = z3.Reals("root_T root_t")
    u = level / (dimension + 2 * level)
    return implies(
        "within",
        "0 < sqrt t / (sqrt T + 2 sqrt t) < 1/2 for T, t > 0",
        [dimension > 0, level > 0],
        z3.And(u > 0, u < z3.Q(1, 2)),
        [FalseImplication("T = 0", hypotheses=[dimension == 0, level > 0])],
    )


def chosen() -> Finding:
    """T u / (1 - 2u) + t/u at the chosen u."""

    def value(u: sympy.Expr) -> sympy.Expr:
        return ROOT_T**2 * u / (1 - 2 * u) + ROOT_LEVEL**2 / u

    right = 2 * ROOT_T * ROOT_LEVEL + 2 * ROOT_LEVEL**2
    return identity(
        "chosen",
        "T u / (1 - 2u) + t/u = 2 sqrt(T t) + 2t at u = sqrt t / (sqrt T + 2 sqrt t), for T, t > 0",
        value(ROOT_LEVEL / (ROOT_T + 2 * ROOT_LEVEL)),
        right,
        [FalseIdentity("u = sqrt t / (sqrt T + 3 sqrt t)", value(ROOT_LEVEL / (ROOT_T + 3 * ROOT_LEVEL)), right)],
    )
