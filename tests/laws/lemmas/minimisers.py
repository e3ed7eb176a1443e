"""MGDA and CAGrad: directions that minimise or maximise something."""

from z3 import And, Implies, Or, Q

from tests.laws.lemmas.lemma import (
    Lemma,
    Reach,
    Twin,
    dot,
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
G3 = gramian(3)
pair, triple = reals("w1 w2"), reals("w1 w2 w3")
w1, w2 = pair
P, P3 = products(G, pair), products(G3, triple)
V, V3 = length_square(G, pair), length_square(G3, triple)
p, v, n, x, t, w, gap = reals("p v n x t w gap")
weighed, weight, value = reals("weighed weight value")
c, r, s, y, e, factor, root = reals("c r s y e factor root")

_INNER = (w1 * (A + C - 2 * B) == C - B, w2 * (A + C - 2 * B) == A - B)
_DENOMINATOR = A + C - 2 * B > 0
_SEGMENT = Or(
    And(A <= B, w1 == 1, w2 == 0),
    And(A > B, C <= B, w1 == 0, w2 == 1),
    And(A > B, C > B, *_INNER),
)
_MOVED = (1 - t) * (1 - t) * v + 2 * t * (1 - t) * p + t * t * n

MGDA = (
    Lemma(
        "mgda of two",
        "The clipped closed form, w_1 : w_2 = <g_2, g_2 - g_1> : <g_1, g_1 - g_2>, is in the simplex and has "
        "<g_i, d> >= ||d||^2 >= 0 for both tasks.",
        Reach.GRAMIAN,
        (*psd(G), _SEGMENT),
        And(*in_simplex(pair), *(product >= V for product in P), V >= 0),
        Twin("the weights are not clipped", hypotheses=(*psd(G), _DENOMINATOR, *_INNER)),
        method="MGDA",
        laws=("COMMON_DESCENT", "IN_CONE"),
        weights=("w1", "w2"),
    ),
    Lemma(
        "mgda of three",
        "Weights of the simplex with <g_i, d> >= ||d||^2 have <g_i, d> >= 0 for all three tasks. Of G no more is used "
        "than the form of three, ||d||^2 = w'Gw >= 0.",
        Reach.GRAMIAN,
        (V3 >= 0, *in_simplex(triple), *(product >= V3 for product in P3)),
        And(*nonnegative(P3)),
        Twin(
            "<= instead of >= ||d||^2", hypotheses=(*psd(G3), *in_simplex(triple), *(product <= V3 for product in P3))
        ),
        method="MGDA",
        laws=("COMMON_DESCENT",),
        weights=("w1", "w2", "w3"),
    ),
    Lemma(
        "mgda is a kkt point",
        "If <g_i, d> = p < v = ||d||^2, a small step t from d to g_i is shorter than d: with n = ||g_i||^2 any t in "
        "(0, 1] with t ||d - g_i||^2 <= v - p. So the shortest vector of the hull has <g_i, d> >= ||d||^2 >= 0, for "
        "any number of tasks, and > 0 unless d = 0, a point of the hull.",
        Reach.PRODUCTS,
        (v >= 0, n >= 0, p * p <= n * v, p < v, t > 0, t <= 1, t * (v - 2 * p + n) <= v - p),
        v > _MOVED,
        Twin(
            "a step twice as long",
            hypotheses=(v >= 0, n >= 0, p * p <= n * v, p < v, t > 0, t <= 1, t * (v - 2 * p + n) <= 2 * (v - p)),
        ),
        method="MGDA",
        laws=("COMMON_DESCENT", "STRICT_DESCENT"),
    ),
    Lemma(
        "mgda weighs its inequalities",
        "If <g_i, d> = p >= v = ||d||^2 for all i, then <J^T w, d> >= v sum_i w_i for all w >= 0: the step from the "
        "first tasks, whose weights sum to `weight` and whose products to `weighed`, to one more.",
        Reach.SUMMAND,
        (weighed >= weight * v, w >= 0, p >= v),
        weighed + w * p >= (weight + w) * v,
        Twin("a negative weight", hypotheses=(weighed >= weight * v, p >= v)),
        method="MGDA",
    ),
    Lemma(
        "mgda is the shortest",
        "If x = <J^T w, d> >= v = ||d||^2, then n = ||J^T w||^2 >= v; and n <= v only if ||J^T w - d||^2 = n - 2 x + v "
        "vanishes: a KKT point is the only shortest vector of the hull.",
        Reach.PRODUCTS,
        (v >= 0, n >= 0, x >= v, x * x <= n * v),
        And(n >= v, Implies(n <= v, n - 2 * x + v <= 0)),
        Twin("a factor 2 lost", hypotheses=(v >= 0, n >= 0, 2 * x >= v, x * x <= n * v)),
        method="MGDA",
    ),
    Lemma(
        "mgda's certificate",
        "If <g_i, d> >= v - gap for all i, v = ||d||^2, and z is the shortest vector, n = ||z||^2, then x = <z, d> >= "
        "v - gap as z is in the hull, x >= n as d is in the hull, and ||d - z||^2 = v - 2 x + n <= gap.",
        Reach.PRODUCTS,
        (v >= 0, n >= 0, gap >= 0, x * x <= n * v, x >= v - gap, x >= n),
        v - 2 * x + n <= gap,
        Twin("half the gap", conclusion=2 * (v - 2 * x + n) <= gap),
        method="MGDA",
    ),
    Lemma(
        "mgda is short",
        "r = ||d|| is at most s = ||g_i|| for all i, hence at most their mean: r^2 <= <g_i, d> = p <= s r.",
        Reach.PRODUCTS,
        (r >= 0, s >= 0, p >= r * r, p <= s * r),
        r <= s,
        Twin("a factor 2 lost", hypotheses=(r >= 0, s >= 0, 2 * p >= r * r, p <= s * r)),
        method="MGDA",
        laws=("NORM_AT_MOST_MEAN",),
    ),
)

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

CAGRAD = (
    Lemma(
        "cagrad stays on its sphere",
        "d = g_0 + c ||g_0|| g_w / ||g_w|| has ||d - g_0|| = c ||g_0||, r = ||g_0||, s = ||g_w||, for two tasks.",
        Reach.GRAMIAN,
        (c >= 0, *_BALL),
        c * c * r * r == _ADDED,
        Twin(
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
        Twin(
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
        Twin("a step three times as long", hypotheses=(*_DUAL, _TILTED, _SHORT > 0, _CURVE <= 3 * _SHORT)),
        method="CAGrad",
    ),
    Lemma(
        "cagrad's large ball holds 0",
        "0 is r = ||g_0|| away from g_0, hence in the ball for c >= 1, and min_i <g_i, 0> = 0: no optimum has a lower "
        "value, not even where g_w = 0 and there are several.",
        Reach.PRODUCTS,
        (c >= 1, r >= 0, Implies(r <= c * r, value >= 0), p >= value),
        p >= 0,
        Twin("c >= 1/2", hypotheses=(c >= HALF, r >= 0, Implies(r <= c * r, value >= 0), p >= value)),
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
        Twin("c >= 1/2", hypotheses=(c >= HALF, *_NORMS, p >= x + c * r * s)),
        method="CAGrad",
        laws=("COMMON_DESCENT", "STRICT_DESCENT"),
    ),
    Lemma(
        "cagrad of two with c = 1",
        "The best direction in the ball of radius ||g_0||, <g_i, d> >= <g_w, d>, has <g_i, d> >= 0 for both tasks.",
        Reach.GRAMIAN,
        (c == 1, *_BALL, *_OPTIMAL),
        And(*nonnegative(_DIRECTION)),
        Twin(
            "<g_i, d> <= <g_w, d>",
            hypotheses=(c == 1, *_BALL, *_CORNER, *(product <= dot(pair, _DIRECTION) for product in _DIRECTION)),
        ),
        method="CAGrad",
        laws=("COMMON_DESCENT",),
        weights=("a1", "a2"),
    ),
    Lemma(
        "cagrad of two with c = 1/2",
        "False: the best direction in the ball of radius ||g_0|| / 2 has <g_1, d> > -||g_1||^2 / 8 (refuted where "
        "g_w = g_1 is a unit vector).",
        Reach.GRAMIAN,
        (c == HALF, *_BALL, *_OPTIMAL, *_CORNER),
        _DIRECTION[0] > -A / 8,
        Twin("c = 1", hypotheses=(c == 1, *_BALL, *_OPTIMAL, *_CORNER)),
        verdict="refuted",
        method="CAGrad",
        laws=("COMMON_DESCENT",),
        weights=("a1", "a2"),
    ),
)
