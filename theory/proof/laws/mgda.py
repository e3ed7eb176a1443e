"""MGDA: the shortest vector of the hull of the rows."""

from z3 import And, Implies, Or

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication
from theory.proof.laws.lemma import (
    Lemma,
    Reach,
    findings,
    gramian,
    in_simplex,
    length_square,
    nonnegative,
    products,
    psd,
    reals,
)

G = gramian(2)
(A, B), (_, C) = G
G3 = gramian(3)
pair, triple = reals("w1 w2"), reals("w1 w2 w3")
w1, w2 = pair
P, P3 = products(G, pair), products(G3, triple)
V, V3 = length_square(G, pair), length_square(G3, triple)
p, v, n, x, t, w, gap = reals("p v n x t w gap")
weighed, weight = reals("weighed weight")
r, s = reals("r s")

_INNER = (w1 * (A + C - 2 * B) == C - B, w2 * (A + C - 2 * B) == A - B)
_DENOMINATOR = A + C - 2 * B > 0
_SEGMENT = Or(
    And(A <= B, w1 == 1, w2 == 0),
    And(A > B, C <= B, w1 == 0, w2 == 1),
    And(A > B, C > B, *_INNER),
)
_MOVED = (1 - t) * (1 - t) * v + 2 * t * (1 - t) * p + t * t * n

DESCENT = (
    Lemma(
        "mgda of two",
        "The clipped closed form, w_1 : w_2 = <g_2, g_2 - g_1> : <g_1, g_1 - g_2>, is in the simplex and has "
        "<g_i, d> >= ||d||^2 >= 0 for both tasks.",
        Reach.GRAMIAN,
        (*psd(G), _SEGMENT),
        And(*in_simplex(pair), *(product >= V for product in P), V >= 0),
        FalseImplication("the weights are not clipped", hypotheses=(*psd(G), _DENOMINATOR, *_INNER)),
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
        FalseImplication(
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
        FalseImplication(
            "a step twice as long",
            hypotheses=(v >= 0, n >= 0, p * p <= n * v, p < v, t > 0, t <= 1, t * (v - 2 * p + n) <= 2 * (v - p)),
        ),
        method="MGDA",
        laws=("COMMON_DESCENT", "STRICT_DESCENT"),
    ),
)

SHORTEST = (
    Lemma(
        "mgda weighs its inequalities",
        "If <g_i, d> = p >= v = ||d||^2 for all i, then <J^T w, d> >= v sum_i w_i for all w >= 0: the step from the "
        "first tasks, whose weights sum to `weight` and whose products to `weighed`, to one more.",
        Reach.SUMMAND,
        (weighed >= weight * v, w >= 0, p >= v),
        weighed + w * p >= (weight + w) * v,
        FalseImplication("a negative weight", hypotheses=(weighed >= weight * v, p >= v)),
        method="MGDA",
    ),
    Lemma(
        "mgda is the shortest",
        "If x = <J^T w, d> >= v = ||d||^2, then n = ||J^T w||^2 >= v; and n <= v only if ||J^T w - d||^2 = n - 2 x + v "
        "vanishes: a KKT point is the only shortest vector of the hull.",
        Reach.PRODUCTS,
        (v >= 0, n >= 0, x >= v, x * x <= n * v),
        And(n >= v, Implies(n <= v, n - 2 * x + v <= 0)),
        FalseImplication("a factor 2 lost", hypotheses=(v >= 0, n >= 0, 2 * x >= v, x * x <= n * v)),
        method="MGDA",
    ),
    Lemma(
        "mgda's certificate",
        "If <g_i, d> >= v - gap for all i, v = ||d||^2, and z is the shortest vector, n = ||z||^2, then x = <z, d> >= "
        "v - gap as z is in the hull, x >= n as d is in the hull, and ||d - z||^2 = v - 2 x + n <= gap.",
        Reach.PRODUCTS,
        (v >= 0, n >= 0, gap >= 0, x * x <= n * v, x >= v - gap, x >= n),
        v - 2 * x + n <= gap,
        FalseImplication("half the gap", conclusion=2 * (v - 2 * x + n) <= gap),
        method="MGDA",
    ),
)

SHORT = (
    Lemma(
        "mgda is short",
        "r = ||d|| is at most s = ||g_i|| for all i, hence at most their mean: r^2 <= <g_i, d> = p <= s r.",
        Reach.PRODUCTS,
        (r >= 0, s >= 0, p >= r * r, p <= s * r),
        r <= s,
        FalseImplication("a factor 2 lost", hypotheses=(r >= 0, s >= 0, 2 * p >= r * r, p <= s * r)),
        method="MGDA",
        laws=("NORM_AT_MOST_MEAN",),
    ),
)

MGDA = (*DESCENT, *SHORTEST, *SHORT)


def descent() -> list[Finding]:
    """No task's loss rises along the shortest vector of the hull."""
    return findings(DESCENT)


def shortest() -> list[Finding]:
    """The Karush-Kuhn-Tucker conditions are sufficient, and their gap bounds the distance to the answer."""
    return findings(SHORTEST)


def short() -> list[Finding]:
    """The direction is no longer than any row."""
    return findings(SHORT)
