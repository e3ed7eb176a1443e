"""CAGrad: the best direction for the worst task in a ball around the mean."""

from z3 import And, Implies, Q, Real

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication
from theory.proof.laws.lemma import (
    Lemma,
    Reach,
    dot,
    findings,
    gramian,
    in_simplex,
    length_square,
    nonnegative,
    products,
    psd,
    reals,
)

HALF = Q(1, 2)
G = gramian(2)
(A, B), (_, C) = G
pair = reals("w1 w2")
w1, w2 = pair
V = length_square(G, pair)
p, n, x, t = reals("p n x t")
value = Real("value")
c, r, s, y, e, factor, root = reals("c r s y e factor root")

a1, a2 = reals("a1 a2")
_DIRECTION = products(G, (a1, a2))
_ROOTS = (r >= 0, r * r == (A + 2 * B + C) / 4, s > 0, s * s == V)
_WEIGHTS = (factor * s == c * r, a1 == HALF + factor * w1, a2 == HALF + factor * w2)
_BALL = (*psd(G), *in_simplex(pair), *_ROOTS, *_WEIGHTS)
_OPTIMAL = tuple(product >= dot(pair, _DIRECTION) for product in _DIRECTION)
_ADDED = length_square(G, (a1 - HALF, a2 - HALF))
_LARGE = And(p >= 0, Implies(x > -r * s, p > 0), Implies(x == -r * s, 2 * r * r * s * s + 2 * r * s * x == 0))
_NORMS = (r >= 0, s >= 0, x * x <= r * r * s * s)
_APART = e * e - 2 * factor * y + factor * factor * s * s
_DUAL = (s > 0, c >= 0, r >= 0, n >= 0, y * y <= n * s * s, factor * s == c * r, root >= 0, t > 0, t <= 1)
_TILTED = root * root == (1 - t) * (1 - t) * s * s + 2 * t * (1 - t) * y + t * t * n
_SHORT = x + factor * s * s - p - factor * y
_CURVE = factor * t * (s * s - 2 * y + n)
_CORNER = (w1 == 1, G[0][0] == 1)

OPTIMAL = (
    Lemma(
        "cagrad stays on its sphere",
        "d = g_0 + c ||g_0|| g_w / ||g_w|| has ||d - g_0|| = c ||g_0||, r = ||g_0||, s = ||g_w||, for two tasks.",
        Reach.GRAMIAN,
        (c >= 0, *_BALL),
        c * c * r * r == _ADDED,
        FalseImplication(
            "g_w is divided by its squared length",
            hypotheses=(c >= 0, *psd(G), *in_simplex(pair), *_ROOTS, factor * s * s == c * r, *_WEIGHTS[1:]),
        ),
        method="CAGrad",
    ),
    Lemma(
        "cagrad is optimal",
        "With x = <g_w, g_0>, r = ||g_0||, s = ||g_w||, a point z of the ball, e = ||z - g_0|| <= c r, y = "
        "<g_w, z - g_0>: min_i <g_i, z> <= <g_w, z> = x + y <= x + c r s = <g_w, d>. So d is best once "
        "<g_i, d> >= <g_w, d> for all i; and alone, as ||z - d||^2 = e^2 - 2 f y + f^2 s^2 with f = c r / s.",
        Reach.PRODUCTS,
        (c >= 0, *_NORMS, e >= 0, e <= c * r, y <= s * e, factor * s == c * r, s > 0),
        And(x + y <= x + c * r * s, x + factor * s * s == x + c * r * s, Implies(y >= c * r * s, _APART <= 0)),
        FalseImplication(
            "a ball twice as large",
            hypotheses=(c >= 0, *_NORMS, e >= 0, e <= 2 * c * r, y <= s * e, factor * s == c * r, s > 0),
        ),
        method="CAGrad",
    ),
    Lemma(
        "cagrad's dual is a kkt point",
        "With x = <g_w, g_0>, p = <g_i, g_0>, y = <g_w, g_i>, n = ||g_i||^2, f = c r / s: if <g_i, d> = p + f y falls "
        "short of <g_w, d> = x + f s^2, a small step t from w to task i, root = ||(1 - t) g_w + t g_i||, lowers "
        "the dual <g_w, g_0> + c r ||g_w||. So where it is least, <g_i, d> >= <g_w, d> for all i.",
        Reach.PRODUCTS,
        (*_DUAL, _TILTED, _SHORT > 0, _CURVE <= _SHORT),
        (1 - t) * x + t * p + c * r * root < x + c * r * s,
        FalseImplication("a step three times as long", hypotheses=(*_DUAL, _TILTED, _SHORT > 0, _CURVE <= 3 * _SHORT)),
        method="CAGrad",
    ),
)

DESCENT = (
    Lemma(
        "cagrad's large ball holds 0",
        "0 is r = ||g_0|| away from g_0, hence in the ball for c >= 1, and min_i <g_i, 0> = 0: no optimum has a lower "
        "value, not even where g_w = 0 and there are several.",
        Reach.PRODUCTS,
        (c >= 1, r >= 0, Implies(r <= c * r, value >= 0), p >= value),
        p >= 0,
        FalseImplication("c >= 1/2", hypotheses=(c >= HALF, r >= 0, Implies(r <= c * r, value >= 0), p >= value)),
        method="CAGrad",
        laws=("COMMON_DESCENT",),
    ),
    Lemma(
        "cagrad with c >= 1",
        "<g_i, d> = p >= <g_w, d> = x + c r s >= 0 for c >= 1, for any number of tasks; > 0 unless x = -r s, where "
        "s g_0 + r g_w = 0 (or r or s is 0), so that 0 is in the hull.",
        Reach.PRODUCTS,
        (c >= 1, *_NORMS, p >= x + c * r * s),
        _LARGE,
        FalseImplication("c >= 1/2", hypotheses=(c >= HALF, *_NORMS, p >= x + c * r * s)),
        method="CAGrad",
        laws=("COMMON_DESCENT", "STRICT_DESCENT"),
    ),
    Lemma(
        "cagrad of two with c = 1",
        "The best direction in the ball of radius ||g_0||, <g_i, d> >= <g_w, d>, has <g_i, d> >= 0 for both tasks.",
        Reach.GRAMIAN,
        (c == 1, *_BALL, *_OPTIMAL),
        And(*nonnegative(_DIRECTION)),
        FalseImplication(
            "<g_i, d> <= <g_w, d>",
            hypotheses=(c == 1, *_BALL, *_CORNER, *(product <= dot(pair, _DIRECTION) for product in _DIRECTION)),
        ),
        method="CAGrad",
        laws=("COMMON_DESCENT",),
        weights=("a1", "a2"),
    ),
)

HALF_BALL = (
    Lemma(
        "cagrad of two with c = 1/2",
        "The best direction in the ball of radius ||g_0|| / 2 has <g_1, d> > -||g_1||^2 / 8 (refuted where "
        "g_w = g_1 is a unit vector).",
        Reach.GRAMIAN,
        (c == HALF, *_BALL, *_OPTIMAL, *_CORNER),
        _DIRECTION[0] > -A / 8,
        FalseImplication("c = 1", hypotheses=(c == 1, *_BALL, *_OPTIMAL, *_CORNER)),
        verdict="refuted",
        method="CAGrad",
        laws=("COMMON_DESCENT",),
        weights=("a1", "a2"),
    ),
)

CAGRAD = (*OPTIMAL, *DESCENT, *HALF_BALL)


def optimal() -> list[Finding]:
    """The direction of the dual's minimum is the best in the ball, and the only one."""
    return findings(OPTIMAL)


def descent() -> list[Finding]:
    """With c >= 1 no task's loss rises."""
    return findings(DESCENT)


def half_ball() -> list[Finding]:
    """With c = 1/2 the same would be claimed."""
    return findings(HALF_BALL)
