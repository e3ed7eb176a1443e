"""PCGrad, UPGrad and DualProj: directions made of projections."""

from itertools import product

from z3 import And, ArithRef, Implies, Not, Or, Q, Real, RealVal, Sum

from tests.laws.lemmas.lemma import (
    Formulas,
    Lemma,
    Reach,
    Twin,
    dot,
    gramian,
    length_square,
    negative_part,
    nonnegative,
    positive,
    products,
    psd,
    reals,
)

HALF = Q(1, 2)
G = gramian(2)
(A, B), (_, C) = G
G3 = gramian(3)
q, n, t, f, f1, f2, w, w1, w2, a1, a2 = reals("q n t f f1 f2 w w1 w2 a1 a2")

_CONFLICT = negative_part(B)
_FACTORS = (f1 * A == _CONFLICT, f2 * C == _CONFLICT, Implies(A == 0, f1 == 0), Implies(C == 0, f2 == 0))
_TWO = (*psd(G), *_FACTORS, a1 == 1 - f1, a2 == 1 - f2)
_SUM = products(G, (a1, a2))
_FIRST, _SECOND = products(G, (RealVal(1), -f2)), products(G, (-f1, RealVal(1)))
_IN_HULL = Or(A == 0, C == 0, And(B < 0, A * C == B * B))


_ORDERS = (((1, 2), (2, 1)), ((2, 0), (0, 2)), ((0, 1), (1, 0)))
"""The two orders in which each of three tasks meets the others."""


def _projected(task: int, order: tuple[int, ...]) -> tuple[list[ArithRef], Formulas]:
    """The coefficients of PCGrad's projected gradient, and the equations of its factors."""
    coefficients = [RealVal(1 if i == task else 0) for i in range(3)]
    equations = []
    for other in order:
        factor = Real(f"f{task + 1}_{order[0] + 1}{order[1] + 1}_{other + 1}")
        equations.append(factor * G3[other][other] == negative_part(dot(G3[other], coefficients)))
        coefficients[other] = coefficients[other] - factor
    return coefficients, tuple(equations)


_PROJECTED = [[_projected(task, order) for order in orders] for task, orders in enumerate(_ORDERS)]
_THREE = (
    *psd(G3),
    *(G3[i][i] == 1 for i in range(3)),
    *(equation for both in _PROJECTED for _, equations in both for equation in equations),
)
_SUMS3 = [
    products(G3, [Sum(list(column)) for column in zip(*(coefficients for coefficients, _ in chosen), strict=True)])
    for chosen in product(*_PROJECTED)
]

PCGRAD = (
    Lemma(
        "a projection is orthogonal",
        "p - f g with f ||g||^2 = t = <p, g>, n = ||g||^2, is orthogonal to g, and no longer than p, q = ||p||^2.",
        Reach.PRODUCTS,
        (n > 0, q >= 0, t * t <= q * n, f * n == t),
        And(t - f * n == 0, q - 2 * f * t + f * f * n <= q),
        Twin("a factor 2: a reflection", hypotheses=(n > 0, q >= 0, t * t <= q * n, f * n == 2 * t)),
        method="PCGrad",
    ),
    Lemma(
        "pcgrad of two",
        "In conflict each projected gradient is orthogonal to the other original one; the sum has <g_i, d> >= 0 for "
        "both tasks.",
        Reach.GRAMIAN,
        _TWO,
        And(*nonnegative(_SUM), Implies(B < 0, And(_FIRST[1] == 0, _SECOND[0] == 0))),
        Twin("the component is added", hypotheses=(*psd(G), *_FACTORS, a1 == 1 + f1, a2 == 1 + f2)),
        method="PCGrad",
        laws=("COMMON_DESCENT",),
        weights=("a1", "a2"),
    ),
    Lemma(
        "pcgrad of two is strict",
        "<g_i, d> > 0 for both tasks unless a row is zero or the rows are opposite.",
        Reach.GRAMIAN,
        (*_TWO, Not(_IN_HULL)),
        And(*positive(_SUM)),
        Twin("opposite rows are admitted", hypotheses=(*_TWO, A > 0, C > 0)),
        method="PCGrad",
        laws=("STRICT_DESCENT",),
        weights=("a1", "a2"),
    ),
    Lemma(
        "the hull of two",
        "0 is in the hull of two rows only if one of them is zero or they are opposite.",
        Reach.GRAMIAN,
        (*psd(G), w >= 0, w <= 1, length_square(G, (w, 1 - w)) == 0),
        _IN_HULL,
        Twin("w may leave [0, 1]", hypotheses=(*psd(G), length_square(G, (w, 1 - w)) == 0)),
    ),
    Lemma(
        "pcgrad's weights",
        "A projection removes f g_j with f ||g_j||^2 = t = <p, g_j> < 0, n = ||g_j||^2: the weight w >= 0 of g_j in p "
        "grows, and no other changes. So all weights stay >= 0, a task's own >= 1, in any order of any number of "
        "tasks.",
        Reach.SUMMAND,
        (w >= 0, t < 0, n > 0, f * n == t),
        w - f > w,
        Twin("projected where there is no conflict", hypotheses=(w >= 0, n > 0, f * n == t)),
        method="PCGrad",
        laws=("IN_CONE", "ZERO_ONLY_IF_STRONGLY_STATIONARY"),
    ),
    Lemma(
        "pcgrad of three",
        "False: one at least of the 8 choices of orders gives a sum with <g_i, d> > -1/8 for all three tasks "
        "(refuted by unit rows).",
        Reach.GRAMIAN,
        _THREE,
        Or(*(And(*(inner > -Q(1, 8) for inner in inners)) for inners in _SUMS3)),
        Twin("no conflicts", hypotheses=(*_THREE, *(G3[i][j] >= 0 for i in range(3) for j in range(i)))),
        verdict="refuted",
        method="PCGrad",
        laws=("COMMON_DESCENT", "STRICT_DESCENT"),
    ),
)

separated, multiplier, inner, distance = reals("separated multiplier inner distance")
_MEAN = products(G, (HALF, HALF))
_DUAL = products(G, (a1, a2))
_LIFTED = (
    w1 >= 0,
    w2 >= 0,
    w1 * A == -negative_part(_MEAN[0]),
    w2 * C == -negative_part(_MEAN[1]),
    Implies(A == 0, w1 == 0),
    Implies(C == 0, w2 == 0),
)
_PROJECTION = (*psd(G), *_LIFTED, a1 == HALF + w1, a2 == HALF + w2)

DUAL_CONE = (
    Lemma(
        "multipliers separate",
        "For x = y + J^T l with l >= 0 and z in the dual cone, inner = <g_i, z> >= 0: <y - x, z> = -sum_i l_i <g_i, z> "
        "<= 0. The step from the first tasks, `separated`, to one more; for z = x every summand is 0.",
        Reach.SUMMAND,
        (separated <= 0, multiplier >= 0, inner >= 0),
        separated - multiplier * inner <= 0,
        Twin("a negative multiplier", hypotheses=(separated <= 0, inner >= 0)),
        method="UPGrad",
    ),
    Lemma(
        "the projection is the nearest",
        "With <y - x, x> = 0 and t = <y - x, z> <= 0, n = ||y - x||^2, distance = ||z - x||: ||y - z||^2 = "
        "n - 2 t + distance^2 >= n + distance^2, so x alone is the point of the dual cone nearest to y.",
        Reach.PRODUCTS,
        (n >= 0, t <= 0, distance >= 0),
        n - 2 * t + distance * distance >= n + distance * distance,
        Twin("t >= 0", hypotheses=(n >= 0, t >= 0, distance >= 0)),
        method="DualProj",
    ),
    Lemma(
        "a projection descends",
        "With <y - x, x> = 0: t = <y, x> = ||x||^2 = n >= 0, and ||x|| <= ||y||, q = ||y||^2. So UPGrad's own part "
        "gives <g_i, x_i> > 0 unless x_i = 0, where -g_i is in the cone of the rows and 0 in their hull; the other "
        "parts are in the dual cone.",
        Reach.PRODUCTS,
        (q >= 0, n >= 0, t - n == 0, t * t <= q * n),
        And(t >= 0, Implies(n > 0, t > 0), n <= q),
        Twin("a factor 2 lost", hypotheses=(q >= 0, n >= 0, 2 * t - n == 0, t * t <= q * n)),
        method="UPGrad",
        laws=("COMMON_DESCENT", "STRICT_DESCENT", "NORM_AT_MOST_MEAN"),
    ),
    Lemma(
        "pcgrad of two is upgrad",
        "x = g_1 - f_2 g_2 satisfies the KKT conditions of the projection of g_1 on the dual cone: -f_2 >= 0, "
        "<g_i, x> >= 0, f_2 <g_2, x> = 0.",
        Reach.GRAMIAN,
        _TWO,
        And(-f2 >= 0, *nonnegative(_FIRST), f2 * _FIRST[1] == 0),
        Twin("the component is added", conclusion=And(*nonnegative(products(G, (RealVal(1), f2))))),
        method="UPGrad",
        laws=("COMMON_DESCENT",),
    ),
    Lemma(
        "dualproj of two",
        "g_0 + l_1 g_1 + l_2 g_2 with l_i ||g_i||^2 = -min(<g_i, g_0>, 0) satisfies the KKT conditions of the "
        "projection of g_0 on the dual cone: l >= 0, <g_i, d> >= 0, l_i <g_i, d> = 0.",
        Reach.GRAMIAN,
        _PROJECTION,
        And(*nonnegative(_DUAL), w1 * _DUAL[0] == 0, w2 * _DUAL[1] == 0),
        Twin("the multipliers of the sum", hypotheses=(*psd(G), *_LIFTED, a1 == HALF + w1 / 2, a2 == HALF + w2 / 2)),
        method="DualProj",
        laws=("COMMON_DESCENT", "IN_CONE"),
        weights=("a1", "a2"),
    ),
    Lemma(
        "dualproj of two is not strict",
        "False: <g_i, d> > 0 for both tasks when the rows are independent.",
        Reach.GRAMIAN,
        (*_PROJECTION, A * C > B * B),
        And(*positive(_DUAL)),
        Twin("no conflict", hypotheses=(*_PROJECTION, A * C > B * B, B >= 0)),
        verdict="refuted",
        method="DualProj",
        laws=("STRICT_DESCENT",),
        weights=("a1", "a2"),
    ),
)
