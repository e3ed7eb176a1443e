"""Nash-MTL: weights that are the inverses of the products of their rows with the direction."""

from z3 import And, ArithRef, Implies

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication
from theory.proof.laws.lemma import (
    Formulas,
    Lemma,
    Reach,
    dot,
    findings,
    gramian,
    in_simplex,
    positive,
    products,
    psd,
    reals,
)

G2, G3 = gramian(2), gramian(3)
a1, a2, a3 = reals("a1 a2 a3")
a, b, u, z, n, v, count, squared = reals("a b u z n v count squared")
w1, w2, w3, c1, c2, c3, b1, b2, b3 = reals("w1 w2 w3 c1 c2 c3 b1 b2 b3")


def _nash(size: int) -> tuple[Formulas, list[ArithRef], tuple[ArithRef, ...]]:
    """a_i <g_i, d> = 1; the products <g_i, d> and the weights."""
    weights = (a1, a2, a3)[:size]
    matrix = (G2, G3)[size - 2]
    given = products(matrix, weights)
    return (*psd(matrix), *(x * p == 1 for x, p in zip(weights, given, strict=True))), given, weights


_NASH2, _GIVEN2, _WEIGHTS2 = _nash(2)
_NASH3, _GIVEN3, _WEIGHTS3 = _nash(3)
_SCALES, _SCALED = (c1, c2, c3), (b1, b2, b3)
_UNSCALED = (*_NASH3, *positive((*_WEIGHTS3, *_SCALES)))
_GS = [[c_i * c_j * g for c_j, g in zip(_SCALES, row, strict=True)] for c_i, row in zip(_SCALES, G3, strict=True)]
_HULL = ((w1, w2, w3), tuple(reals("u1 u2 u3")))
_POINT = dot(*_HULL)
_FAIR = tuple(x * p == 1 for x, p in zip(_WEIGHTS3, _HULL[1], strict=True))

DESCENT = (
    Lemma(
        "nash of two",
        "a > 0 with (G a)_i = 1 / a_i has <g_i, d> > 0 and ||d||^2 = 2.",
        Reach.GRAMIAN,
        (*_NASH2, *positive(_WEIGHTS2)),
        And(*positive(_GIVEN2), dot(_WEIGHTS2, _GIVEN2) == 2),
        FalseImplication("a negative weight", hypotheses=_NASH2),
        method="NashMTL",
        laws=("COMMON_DESCENT", "STRICT_DESCENT"),
        weights=("a1", "a2"),
    ),
    Lemma(
        "nash of three",
        "The same for three tasks: ||d||^2 = 3.",
        Reach.GRAMIAN,
        (*_NASH3, *positive(_WEIGHTS3)),
        And(*positive(_GIVEN3), dot(_WEIGHTS3, _GIVEN3) == 3),
        FalseImplication("||d|| = 3", conclusion=dot(_WEIGHTS3, _GIVEN3) == 9),
        method="NashMTL",
        laws=("COMMON_DESCENT", "STRICT_DESCENT"),
        weights=("a1", "a2", "a3"),
    ),
    Lemma(
        "nash's length",
        "||d||^2 = sum_i a_i <g_i, d> is the number of tasks: the step from `count` tasks to one more.",
        Reach.SUMMAND,
        (squared == count, a > 0, a * u == 1),
        And(squared + a * u == count + 1, u > 0),
        FalseImplication("a factor 2", hypotheses=(squared == count, a > 0, a * u == 2)),
        method="NashMTL",
        laws=("COMMON_DESCENT", "STRICT_DESCENT"),
    ),
)

UNIQUE = (
    Lemma(
        "nash is unique",
        "For two solutions with weights a and b, products u = 1 / a and z = 1 / b, every summand of ||d_a - d_b||^2 = "
        "sum_i (a_i - b_i) (u_i - z_i) is <= 0, and 0 only where a_i = b_i. As the sum is >= 0, a = b.",
        Reach.SUMMAND,
        (a > 0, b > 0, a * u == 1, b * z == 1),
        And((a - b) * (u - z) <= 0, Implies((a - b) * (u - z) == 0, a == b)),
        FalseImplication("weights of different signs", hypotheses=(a > 0, b < 0, a * u == 1, b * z == 1)),
        method="NashMTL",
    ),
)

SCALES = (
    Lemma(
        "nash ignores the norms",
        "If a solves for g_i, then b_i = a_i / c_i solves for c_i g_i, and gives the same direction.",
        Reach.GRAMIAN,
        (*_UNSCALED, *(b * c == a for a, b, c in zip(_WEIGHTS3, _SCALED, _SCALES, strict=True))),
        And(*(b * p == 1 for b, p in zip(_SCALED, products(_GS, _SCALED), strict=True))),
        FalseImplication(
            "the weights are kept",
            hypotheses=(*_UNSCALED, *(b == a for a, b in zip(_WEIGHTS3, _SCALED, strict=True))),
        ),
        method="NashMTL",
        laws=("TASK_SCALING_INVARIANT",),
    ),
)

HULL = (
    Lemma(
        "nash where 0 is in the hull",
        "There is no solution: with <g_i, d> = u_i = 1 / a_i > 0 no point g_w of the hull is 0, as <g_w, d> = "
        "sum_i w_i u_i > 0 and <g_w, d>^2 <= n v, n = ||g_w||^2, v = ||d||^2.",
        Reach.PRODUCTS,
        (*in_simplex((w1, w2, w3)), *positive(_WEIGHTS3), *_FAIR, n >= 0, v >= 0, n * v >= _POINT * _POINT),
        n > 0,
        FalseImplication(
            "a negative weight",
            hypotheses=(*in_simplex((w1, w2, w3)), *_FAIR, n >= 0, v >= 0, n * v >= _POINT * _POINT),
        ),
        method="NashMTL",
    ),
)

NASH = (*DESCENT, *UNIQUE, *SCALES, *HULL)


def descent() -> list[Finding]:
    """All losses fall, along a direction of squared length m."""
    return findings(DESCENT)


def unique() -> list[Finding]:
    """There is one solution at most."""
    return findings(UNIQUE)


def scales() -> list[Finding]:
    """The direction does not depend on the lengths of the rows."""
    return findings(SCALES)


def hull() -> list[Finding]:
    """There is no solution where 0 is in the hull."""
    return findings(HULL)
