"""UPGrad and DualProj: projections on the dual cone of the rows, where every <g_i, d> >= 0."""

from z3 import And, Implies, Q, RealVal

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication
from theory.proof.laws.lemma import (
    Lemma,
    Reach,
    findings,
    gramian,
    negative_part,
    nonnegative,
    positive,
    products,
    psd,
    reals,
)
from theory.proof.laws.pcgrad import FIRST, TWO

HALF = Q(1, 2)
G = gramian(2)
(A, B), (_, C) = G
q, n, t, f2, w1, w2, a1, a2 = reals("q n t f2 w1 w2 a1 a2")

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

PROJECTION = (
    Lemma(
        "multipliers separate",
        "For x = y + J^T l with l >= 0 and z in the dual cone, inner = <g_i, z> >= 0: <y - x, z> = -sum_i l_i <g_i, z> "
        "<= 0. The step from the first tasks, `separated`, to one more; for z = x every summand is 0.",
        Reach.SUMMAND,
        (separated <= 0, multiplier >= 0, inner >= 0),
        separated - multiplier * inner <= 0,
        FalseImplication("a negative multiplier", hypotheses=(separated <= 0, inner >= 0)),
        method="UPGrad",
    ),
    Lemma(
        "the projection is the nearest",
        "With <y - x, x> = 0 and t = <y - x, z> <= 0, n = ||y - x||^2, distance = ||z - x||: ||y - z||^2 = "
        "n - 2 t + distance^2 >= n + distance^2, so x alone is the point of the dual cone nearest to y.",
        Reach.PRODUCTS,
        (n >= 0, t <= 0, distance >= 0),
        n - 2 * t + distance * distance >= n + distance * distance,
        FalseImplication("t >= 0", hypotheses=(n >= 0, t >= 0, distance >= 0)),
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
        FalseImplication("a factor 2 lost", hypotheses=(q >= 0, n >= 0, 2 * t - n == 0, t * t <= q * n)),
        method="UPGrad",
        laws=("COMMON_DESCENT", "STRICT_DESCENT", "NORM_AT_MOST_MEAN"),
    ),
    Lemma(
        "pcgrad of two is upgrad",
        "x = g_1 - f_2 g_2 satisfies the KKT conditions of the projection of g_1 on the dual cone: -f_2 >= 0, "
        "<g_i, x> >= 0, f_2 <g_2, x> = 0.",
        Reach.GRAMIAN,
        TWO,
        And(-f2 >= 0, *nonnegative(FIRST), f2 * FIRST[1] == 0),
        FalseImplication("the component is added", conclusion=And(*nonnegative(products(G, (RealVal(1), f2))))),
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
        FalseImplication(
            "the multipliers of the sum", hypotheses=(*psd(G), *_LIFTED, a1 == HALF + w1 / 2, a2 == HALF + w2 / 2)
        ),
        method="DualProj",
        laws=("COMMON_DESCENT", "IN_CONE"),
        weights=("a1", "a2"),
    ),
)

NOT_STRICT = (
    Lemma(
        "dualproj of two is not strict",
        "<g_i, d> > 0 for both tasks when the rows are independent.",
        Reach.GRAMIAN,
        (*_PROJECTION, A * C > B * B),
        And(*positive(_DUAL)),
        FalseImplication("no conflict", hypotheses=(*_PROJECTION, A * C > B * B, B >= 0)),
        verdict="refuted",
        method="DualProj",
        laws=("STRICT_DESCENT",),
        weights=("a1", "a2"),
    ),
)

DUAL_CONE = (*PROJECTION, *NOT_STRICT)


def projection() -> list[Finding]:
    """What makes a point the projection on the dual cone, and why no loss rises along it."""
    return findings(PROJECTION)


def not_strict() -> list[Finding]:
    """DualProj of two independent rows: strict descent would be claimed."""
    return findings(NOT_STRICT)
