"""The adaptive ball: eps = rho w^2 g / || |w| g || is its worst case, yet g_flat misses part of the penalty's gradient.

The ball ||eps / |w| || <= rho has the dual norm || |w| g ||. Its penalty P = rho || |w| g(w) || depends on w twice:
dP/dw_k = (rho / || |w| g ||) (sum_j w_j^2 g_j H_jk + w_k g_k^2) = [H eps]_k + rho w_k g_k^2 / || |w| g ||.
The flat gradient has the first part only (to first order; exactly on quadratics). With |w| frozen, as a constant scale
c, dP/dw_k = [H eps]_k: then it is the penalty's gradient.
"""

import sympy

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity

g, H, t = sympy.symbols("g_j H_jk t", real=True)
w = sympy.Symbol("w_j", real=True, nonzero=True)
rho, total = sympy.symbols("rho total", positive=True)


def check() -> list[Finding]:
    """The worst case of the ball, the penalty's derivative with |w| moving and frozen."""
    return [attained(), on_the_sphere(), own_coordinate(), other_coordinate(), frozen(), root()]


def attained() -> Finding:
    """<g, eps> = rho || |w| g ||."""
    eps = rho * w**2 * g / sympy.sqrt(total)
    return identity(
        "attained",
        "with total = || |w| g ||^2 and eps_j = rho w_j^2 g_j / sqrt(total): g_j eps_j = (rho / sqrt(total)) (|w_j| "
        "g_j)^2, so <g, eps> = rho sqrt(total), the bound of dual-norm for the vectors |w| g and eps / |w|",
        g * eps,
        rho / sympy.sqrt(total) * (sympy.Abs(w) * g) ** 2,
        [FalseIdentity("one |w_j| lost", g * eps / sympy.Abs(w), rho / sympy.sqrt(total) * (sympy.Abs(w) * g) ** 2)],
    )


def on_the_sphere() -> Finding:
    """||eps / |w| || = rho."""
    eps = rho * w**2 * g / sympy.sqrt(total)
    return identity(
        "on-the-sphere",
        "with the same eps and w_j != 0: (eps_j / |w_j|)^2 = (rho^2 / total) (|w_j| g_j)^2, so ||eps / |w| || = rho (a "
        "coordinate with w_j = 0 is not moved)",
        (eps / sympy.Abs(w)) ** 2,
        rho**2 / total * (sympy.Abs(w) * g) ** 2,
        [FalseIdentity("the plain ball", eps**2, rho**2 / total * (sympy.Abs(w) * g) ** 2)],
    )


def own_coordinate() -> Finding:
    """d/dw_k (w_k g_k)^2 = 2 w_k^2 g_k H_kk + 2 w_k g_k^2."""
    slope = sympy.diff(((w + t) * (g + t * H)) ** 2, t).subs(t, 0)
    return identity(
        "own-coordinate",
        "the derivative of (w_k g_k(w))^2 by w_k, where g_k changes by H_kk, is 2 w_k^2 g_k H_kk + 2 w_k g_k^2",
        slope,
        2 * w**2 * g * H + 2 * w * g**2,
        [FalseIdentity("that of the flat gradient alone", slope, 2 * w**2 * g * H)],
    )


def other_coordinate() -> Finding:
    """d/dw_k (w_j g_j)^2 = 2 w_j^2 g_j H_jk for j != k."""
    slope = sympy.diff((w * (g + t * H)) ** 2, t).subs(t, 0)
    return identity(
        "other-coordinate",
        "the derivative of (w_j g_j(w))^2 by w_k, k != j, is 2 w_j^2 g_j H_jk",
        slope,
        2 * w**2 * g * H,
        [FalseIdentity("one w_j lost", slope, 2 * w * g * H)],
    )


def frozen() -> Finding:
    """d/dw_k (c_k g_k)^2 = 2 c_k^2 g_k H_kk."""
    c = sympy.Symbol("c_j", positive=True)
    slope = sympy.diff((c * (g + t * H)) ** 2, t).subs(t, 0)
    return identity(
        "frozen",
        "the derivative of (c_j g_j(w))^2 by w_k, c = |w| held fixed, is 2 c_j^2 g_j H_jk for every j, k included",
        slope,
        2 * c**2 * g * H,
        [FalseIdentity("c moves with w", sympy.diff(((c + t) * (g + t * H)) ** 2, t).subs(t, 0), 2 * c**2 * g * H)],
    )


def root() -> Finding:
    """rho sqrt(total) has the derivative rho total' / (2 sqrt(total)): half of the sums above, over the norm."""
    curvature, extra = sympy.symbols("S E", real=True)
    slope = sympy.diff(rho * sympy.sqrt(total + t * (2 * curvature + 2 * extra)), t).subs(t, 0)
    return identity(
        "root",
        "total = || |w| g ||^2 with the derivative 2 S + 2 E by w_k, S = sum_j w_j^2 g_j H_jk and E = w_k g_k^2: the "
        "penalty rho sqrt(total) has the derivative rho S / sqrt(total) + rho E / sqrt(total), the first part of which "
        "is [H eps]_k",
        slope,
        rho * curvature / sympy.sqrt(total) + rho * extra / sympy.sqrt(total),
        [FalseIdentity("E is left out", slope, rho * curvature / sympy.sqrt(total))],
    )
