r"""Of all N iid losses in [0, 1] with mean mu, 0 < mu < 1, 0-1 losses have the largest E e^{N kl(L_S || mu)}.

h(p) = kl(p || mu) = p log(p / mu) + (1 - p) log((1 - p) / (1 - mu)) is continuous on [0, 1] with h''(p) = 1/(p (1 - p))
inside; so G = e^{N h} has G'' = N (h'' + N h'^2) G >= 0. By Taylor's theorem at p, and by continuity at 0 and 1, G is
above its tangents at both ends of an interval, so it is below its chords: g(x) = G((c + x)/N) <= (1 - x) g(0) + x g(1)
for 0 <= x <= 1. Integrate over one loss x of mean mu, independent of the sum c of the others (Tonelli): it may be
replaced by a 0-1 loss of the same mean, and the expectation does not decrease. Replace the N losses one after the
other.

Paper: ours; after A. Maurer, A note on the PAC Bayesian theorem (2004).
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The two second derivatives, their sign, the chord, one replacement."""
    return [divergence(), exponential(), sign(), chord(), replaced()]


def divergence() -> Finding:
    """h'' = 1/(p (1 - p))."""
    p, mu = sympy.symbols("p mu")
    a, b = sympy.symbols("a b", positive=True)
    kl = p * sympy.log(p / mu) + (1 - p) * sympy.log((1 - p) / (1 - mu))
    inside = {p: 1 / (1 + a), mu: 1 / (1 + b)}
    left = sympy.diff(kl, p, 2).subs(inside)
    return identity(
        "divergence",
        "the second derivative of kl(p || mu) by p is 1/(p (1 - p)), at p = 1/(1 + a) and mu = 1/(1 + b) with a, b > 0",
        left,
        (1 / (p * (1 - p))).subs(inside),
        [FalseIdentity("1/p", left, (1 / p).subs(inside))],
    )


def exponential() -> Finding:
    """(e^{N h})'' = N (h'' + N h'^2) e^{N h}."""
    p, n = sympy.symbols("p N", positive=True)
    h = sympy.Function("h", real=True)(p)
    left = sympy.diff(sympy.exp(n * h), p, 2)
    right = n * sympy.diff(h, p, 2) * sympy.exp(n * h)
    at = [(h, p**2)]
    return identity(
        "exponential",
        "(e^{N h})'' = N (h'' + N h'^2) e^{N h} for every twice differentiable h",
        left,
        right + n**2 * sympy.diff(h, p) ** 2 * sympy.exp(n * h),
        [FalseIdentity("h'^2 forgotten, at h = p^2", *(side.subs(at).doit() for side in (left, right)))],
    )


def sign() -> Finding:
    """G'' >= 0."""
    p, n, second, slope, value = z3.Reals("p N second slope value")
    curvature = n * (second + n * slope * slope) * value
    given = [n > 0, value > 0, second * p * (1 - p) == 1]
    return implies(
        "sign",
        "N, G > 0, 0 < p < 1 and h'' = 1/(p (1 - p)) imply N (h'' + N h'^2) G >= 0",
        [*given, p > 0, p < 1],
        curvature >= 0,
        [FalseImplication("p > 1", hypotheses=[*given, p > 1])],
    )


def chord() -> Finding:
    """Above the tangent at two ends: below the chord."""
    x, value, slope, start, end = z3.Reals("x value slope start end")
    tangents = [start >= value - slope * x, end >= value + slope * (1 - x)]
    line = (1 - x) * start + x * end
    return implies(
        "chord",
        "0 <= x <= 1, g(0) >= g(x) - x g'(x) and g(1) >= g(x) + (1 - x) g'(x) imply g(x) <= (1 - x) g(0) + x g(1)",
        [x >= 0, x <= 1, *tangents],
        value <= line,
        [
            FalseImplication("x > 1", hypotheses=[x > 1, *tangents]),
            FalseImplication("one tangent only", hypotheses=[x >= 0, x <= 1, tangents[0]]),
        ],
    )


def replaced() -> Finding:
    """E g(x) <= (1 - mu) g(0) + mu g(1) = E g(Bernoulli)."""
    mean, start, end, left, mixed = z3.Reals("E_x g_0 g_1 E_g mu")
    integrated = left <= (1 - mean) * start + mean * end
    return implies(
        "replaced",
        "the chord inequality integrated, E g(x) <= (1 - E x) g(0) + E x g(1), and E x = mu imply "
        "E g(x) <= (1 - mu) g(0) + mu g(1)",
        [integrated, mean == mixed],
        left <= (1 - mixed) * start + mixed * end,
        [FalseImplication("another mean", hypotheses=[integrated, mean >= 0, mean < mixed, mixed <= 1])],
    )
