r"""Maurer: E_S e^{N kl(L_S || L_D)} <= 2 sqrt N for N >= 1 iid losses in [0, 1].

Where L_D is 0 or 1 almost every loss equals it and the left side is 1. Else bernoulli-convexity allows 0-1 losses of
mean mu. Then N L_S = k has probability C(N, k) mu^k (1 - mu)^{N - k}, mu cancels, and the left side is
    xi(N) = sum_k C(N, k) (k/N)^k (1 - k/N)^{N - k},
the same for every mu; the terms k = 0 and k = N are 1. N = 1 .. 7: exact. N >= 8: for 0 < k < N Stirling's formula with
Robbins' bounds makes a term at most sqrt(N / (2 pi k (N - k))) e^{1/(12 N) - 1/(12 k + 1) - ..}, whose exponent is
negative. With f(x) = 1 / sqrt(x (1 - x)) the sum of these is sqrt(N / (2 pi)) (1/N) sum_k f(k/N). f is convex, so
f(k/N)/N is at most its integral over the interval of length 1/N around k/N; these intervals are disjoint, in (0, 1),
and the integral of f over (0, 1) is pi. So xi(N) <= 2 + sqrt(pi N / 2), which is at most 2 sqrt N from N = 8 on, as pi
< 22/7.

Paper: ours; A. Maurer, A note on the PAC Bayesian theorem (2004), theorem 1, has N >= 8.
"""

from fractions import Fraction
from math import comb

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.enumeration import Case, Comparison, OppositeFamily, Space, for_all
from theory.proof.kernels.smt import FalseImplication, implies

X, CENTRE, A = sympy.symbols("x c a", positive=True)
ARCSINE, INSIDE = 1 / sympy.sqrt(X * (1 - X)), {X: 1 / (1 + A)}


def check() -> list[Finding]:
    """The cancellation, each term, their sum, the last inequality."""
    terms = [cancelled(), ends(), stirling(), exponent(), riemann()]
    integral = [curvature(), convex(), midpoint(), *arcsine(), summed()]
    return [*terms, *integral, archimedes(), tail(), small()]


def cancelled() -> Finding:
    """The probability of k times e^{N kl(k/N || mu)} is free of mu."""
    n, x, y, mu, nu = sympy.symbols("N x y mu nu", positive=True)
    left = n * x * sympy.log(mu) + n * y * sympy.log(nu) + n * (x * sympy.log(x / mu) + y * sympy.log(y / nu))
    right = n * x * sympy.log(x) + n * y * sympy.log(y)
    return identity(
        "cancelled",
        "log [mu^k nu^j e^{N kl}] = k log x + j log y with k = N x, j = N y, kl = x log(x / mu) + y log(y / nu), for "
        "positive numbers; in use y = 1 - x, nu = 1 - mu",
        left,
        right,
        [FalseIdentity("e^{kl} without N", left - (n - 1) * (x * sympy.log(x / mu) + y * sympy.log(y / nu)), right)],
    )


def ends() -> Finding:
    """k = 0, and k = N with mu in place of 1 - mu."""
    n, nu = sympy.symbols("N nu", positive=True)
    divergence = sympy.log(1 / nu)
    return identity(
        "ends",
        "log [nu^N e^{N kl}] = 0 where kl = log(1/nu): the term k = 0 with nu = 1 - mu, kl(0 || mu) = log(1/(1 - mu)), "
        "and the term k = N with nu = mu",
        n * sympy.log(nu) + n * divergence,
        sympy.Integer(0),
        [FalseIdentity("e^{kl} without N", n * sympy.log(nu) + divergence, sympy.Integer(0))],
    )


def stirling() -> Finding:
    """The main terms of Stirling's formula."""
    k, j = sympy.symbols("k j", positive=True)
    n = k + j

    def main(size: sympy.Expr) -> sympy.Expr:
        return sympy.log(2 * sympy.pi) / 2 + (size + sympy.Rational(1, 2)) * sympy.log(size) - size

    left = main(n) - main(k) - main(j) + k * sympy.log(k / n) + j * sympy.log(j / n)
    right = sympy.log(n / (2 * sympy.pi * k * j)) / 2
    return identity(
        "stirling",
        "s(N) - s(k) - s(j) + k log(k/N) + j log(j/N) = (1/2) log(N / (2 pi k j)) with N = k + j and "
        "s(n) = (1/2) log(2 pi) + (n + 1/2) log n - n",
        left,
        right,
        [FalseIdentity("the factor 2 pi dropped", left, right + sympy.log(2 * sympy.pi) / 2)],
    )


def exponent() -> Finding:
    """The rest of Robbins' bounds is negative."""
    k, j = z3.Reals("k j")
    rest = 1 / (12 * (k + j)) - 1 / (12 * k + 1) - 1 / (12 * j + 1)
    return implies(
        "exponent",
        "1/(12 N) - 1/(12 k + 1) - 1/(12 j + 1) < 0 for real k, j >= 1 and N = k + j",
        [k >= 1, j >= 1],
        rest < 0,
        [FalseImplication("no lower bounds of k! and j!", conclusion=1 / (12 * (k + j)) < 0)],
    )


def curvature() -> Finding:
    """f''."""
    left = sympy.diff(ARCSINE, X, 2).subs(INSIDE)
    product = X * (1 - X)
    right = (3 * (1 - 2 * X) ** 2 + 4 * product) / (4 * product**2) * ARCSINE
    return identity(
        "curvature",
        "f = 1/sqrt(x (1 - x)) has f'' = [3 (1 - 2x)^2 + 4 x (1 - x)] f / (4 x^2 (1 - x)^2), at x = 1/(1 + a) with a "
        "> 0",
        left,
        right.subs(INSIDE),
        [FalseIdentity("without 4 x (1 - x)", left, (right - ARCSINE / product).subs(INSIDE))],
    )


def convex() -> Finding:
    """f'' >= 0 and the remainder."""
    x, f, step = z3.Reals("x f step")
    product = x * (1 - x)
    second = (3 * (1 - 2 * x) * (1 - 2 * x) + 4 * product) * f / (4 * product * product)
    given = [x > 0, x < 1, f > 0]
    return implies(
        "convex",
        "[3 (1 - 2x)^2 + 4 x (1 - x)] f / (4 x^2 (1 - x)^2) step^2 / 2 >= 0 for 0 < x < 1 and f > 0",
        given,
        second * step * step / 2 >= 0,
        [FalseImplication("f < 0", hypotheses=[x > 0, x < 1, f < 0])],
    )


def midpoint() -> Finding:
    """The tangent's integral over an interval around the point."""
    half, value, slope = sympy.symbols("h value slope", positive=True)
    line = value + slope * (X - CENTRE)
    left = sympy.integrate(line, (X, CENTRE - half, CENTRE + half))
    return identity(
        "midpoint",
        "the integral of v + v' (x - c) over [c - h, c + h] is 2 h v",
        left,
        2 * half * value,
        [FalseIdentity("an interval to one side", sympy.integrate(line, (X, CENTRE, CENTRE + half)), half * value)],
    )


def arcsine() -> list[Finding]:
    """The integral of f over (0, 1)."""
    primitive = 2 * sympy.asin(sympy.sqrt(X))
    growth = primitive.subs(X, 1) - primitive.subs(X, 0)
    slope = sympy.diff(primitive, X).subs(INSIDE)
    return [
        identity(
            "primitive",
            "2 arcsin sqrt x has the derivative f = 1/sqrt(x (1 - x)), at x = 1/(1 + a) with a > 0",
            slope,
            ARCSINE.subs(INSIDE),
            [FalseIdentity("arcsin sqrt x", slope / 2, ARCSINE.subs(INSIDE))],
        ),
        identity(
            "growth",
            "2 arcsin sqrt x grows by pi from 0 to 1",
            growth,
            sympy.pi,
            [FalseIdentity("arcsin sqrt x", growth / 2, sympy.pi)],
        ),
    ]


def riemann() -> Finding:
    """A term as a value of f."""
    n, share = sympy.symbols("N share", positive=True)
    left = sympy.sqrt(n / (2 * sympy.pi * (n * share) * (n * (1 - share)))).subs(share, INSIDE[X])
    right = sympy.sqrt(n / (2 * sympy.pi)) * ARCSINE.subs(INSIDE) / n
    return identity(
        "riemann",
        "sqrt(N / (2 pi k (N - k))) = sqrt(N / (2 pi)) f(k/N) / N, at k = N / (1 + a) with a > 0",
        left,
        right,
        [FalseIdentity("1/sqrt N in place of 1/N", left, right * sympy.sqrt(n))],
    )


def summed() -> Finding:
    """sqrt(N / (2 pi)) pi = sqrt(pi / 2) sqrt N."""
    n = sympy.Symbol("N", positive=True)
    left = sympy.sqrt(n / (2 * sympy.pi)) * sympy.pi
    return identity(
        "summed",
        "sqrt(N / (2 pi)) pi = sqrt(pi / 2) sqrt N",
        left,
        sympy.sqrt(sympy.pi / 2) * sympy.sqrt(n),
        [FalseIdentity("sqrt(2 / pi)", left, sympy.sqrt(2 / sympy.pi) * sympy.sqrt(n))],
    )


def tail() -> Finding:
    """2 + sqrt(pi N / 2) <= 2 sqrt N."""
    root, pi, factor = z3.Reals("sqrt_N pi factor")
    given = [root > 0, factor > 0, 2 * factor * factor == pi]
    return implies(
        "tail",
        "2 + sqrt(pi / 2) sqrt N <= 2 sqrt N for every real N >= 8, from pi <= 22/7",
        [*given, root * root >= 8, pi <= z3.Q(22, 7)],
        2 + factor * root <= 2 * root,
        [FalseImplication("N >= 7", hypotheses=[*given, root * root >= 7, pi <= z3.Q(22, 7)])],
    )


def archimedes() -> Finding:
    """22/7 - pi is the integral of what is not negative."""
    x = sympy.Symbol("x", positive=True)
    left = sympy.integrate(x**4 * (1 - x) ** 4 / (1 + x**2), (x, 0, 1))
    return identity(
        "archimedes",
        "22/7 - pi is the integral of x^4 (1 - x)^4 / (1 + x^2) over [0, 1] (sympy's integrator)",
        left,
        sympy.Rational(22, 7) - sympy.pi,
        [FalseIdentity("355/113", left, sympy.Rational(355, 113) - sympy.pi)],
    )


def small() -> Finding:
    """N = 1 .. 7: the mean of e^{N kl} over 0-1 losses, squared, against 4 N."""
    means = (Fraction(1, 2), Fraction(1, 5), Fraction(6, 7))

    def cases(factor: int) -> list[Case]:
        return [case(n, mu, factor * n) for n in range(1, 8) for mu in means]

    return for_all(
        "small",
        "N = 1 .. 7 losses, 0 or 1 with mean mu in {1/2, 1/5, 6/7}: (E e^{N kl(L_S || mu)})^2 <= 4 N; the value is "
        "free of mu by cancelled and ends",
        cases(4),
        [OppositeFamily("3 N", cases(3))],
    )


def case(n: int, mu: Fraction, limit: int) -> Case:
    """E e^{N kl}, with e^{N kl} = (x / mu)^k ((1 - x) / (1 - mu))^{N - k} at x = k / N."""
    space = Space({k: comb(n, k) * mu**k * (1 - mu) ** (n - k) for k in range(n + 1)})

    def exponential(k: int) -> Fraction:
        return (Fraction(k, n) / mu) ** k * (Fraction(n - k, n) / (1 - mu)) ** (n - k)

    square = space.expectation(exponential) ** 2
    return Case(f"N = {n}, mu = {mu}", space, Comparison("(E e^{N kl})^2", square, "<=", Fraction(limit)))
