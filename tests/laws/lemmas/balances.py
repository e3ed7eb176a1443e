"""IMTL-G and Nash-MTL: directions that treat all tasks alike."""

from z3 import And, ArithRef, Implies, RealVal, Sum

from tests.laws.lemmas.lemma import (
    Formulas,
    Lemma,
    Reach,
    Twin,
    dot,
    gramian,
    in_simplex,
    nonnegative,
    positive,
    products,
    psd,
    reals,
)

G2, G3 = gramian(2), gramian(3)
s1, s2, s3, y1, y2, y3, a1, a2, a3, total = reals("s1 s2 s3 y1 y2 y3 a1 a2 a3 total")
k12, k13, k23 = reals("K12 K13 K23")
ONE = RealVal(1)
K = ((ONE, k12, k13), (k12, ONE, k23), (k13, k23, ONE))
K2 = ((ONE, k12), (k12, ONE))


def _scaled_rows(size: int) -> tuple[Formulas, list[ArithRef]]:
    """The rows s_i u_i; K y = 1, a = (y / s) / total with total = sum_i y_i / s_i: hypotheses and <d, u_i>."""
    lengths, ys, weights = (s1, s2, s3)[:size], (y1, y2, y3)[:size], (a1, a2, a3)[:size]
    cosines = [row[:size] for row in K[:size]]
    hypotheses = (
        *psd(cosines),
        *positive(lengths),
        *(row == 1 for row in products(cosines, ys)),
        *(a * s * total == y for a, s, y in zip(weights, lengths, ys, strict=True)),
        Sum(list(weights)) == 1,
    )
    return hypotheses, products(cosines, [a * s for a, s in zip(weights, lengths, strict=True)])


_TWO, _PROJECTIONS2 = _scaled_rows(2)
_THREE, _PROJECTIONS3 = _scaled_rows(3)
_P2 = products(K2, (a1 * s1, a2 * s2))
_DEFINED = (*psd(K2), s1 > 0, s2 > 0, a1 + a2 == 1, _P2[0] == _P2[1], Implies(k12 == 1, a1 * s1 == a2 * s2))

IMTLG = (
    Lemma(
        "imtl-g of two projects equally",
        "K y = 1 and a = (y / s) / total with sum a = 1 give <d, u_i> total = 1 for both tasks.",
        Reach.GRAMIAN,
        _TWO,
        And(*(projection * total == 1 for projection in _PROJECTIONS2)),
        Twin("the norms are not divided out", conclusion=And(*(a * s1 * s2 == 1 for a in (a1, a2)))),
        method="IMTLG",
        weights=("a1", "a2"),
    ),
    Lemma(
        "imtl-g of three projects equally",
        "The same for three tasks.",
        Reach.GRAMIAN,
        _THREE,
        And(*(projection * total == 1 for projection in _PROJECTIONS3)),
        Twin("the sign of the common projection", conclusion=And(*(q * total == -1 for q in _PROJECTIONS3))),
        method="IMTLG",
        weights=("a1", "a2", "a3"),
    ),
    Lemma(
        "imtl-g of two",
        "Affine weights with equal projections are positive and have <d, u_i> > 0 for both tasks, unless u_1 = -u_2 "
        "(where u_1 = u_2 the pseudo-inverse takes a_1 s_1 = a_2 s_2).",
        Reach.GRAMIAN,
        (*_DEFINED, k12 > -1),
        And(*positive((*_P2, a1, a2))),
        Twin("opposite rows are admitted", hypotheses=_DEFINED),
        method="IMTLG",
        laws=("COMMON_DESCENT", "STRICT_DESCENT", "IN_CONE"),
        weights=("a1", "a2"),
    ),
    Lemma(
        "imtl-g of three",
        "False: the common projection is > -||g_1|| / 8 for three tasks.",
        Reach.GRAMIAN,
        _THREE,
        _PROJECTIONS3[0] > -s1 / 8,
        Twin("y >= 0 is assumed", hypotheses=(*_THREE, *nonnegative((y1, y2, y3)))),
        verdict="refuted",
        method="IMTLG",
        laws=("COMMON_DESCENT", "STRICT_DESCENT"),
        weights=("a1", "a2", "a3"),
    ),
)

a, b, c, u, z, w, n, v, count, squared = reals("a b c u z w n v count squared")
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

NASH = (
    Lemma(
        "nash of two",
        "a > 0 with (G a)_i = 1 / a_i has <g_i, d> > 0 and ||d||^2 = 2.",
        Reach.GRAMIAN,
        (*_NASH2, *positive(_WEIGHTS2)),
        And(*positive(_GIVEN2), dot(_WEIGHTS2, _GIVEN2) == 2),
        Twin("a negative weight", hypotheses=_NASH2),
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
        Twin("||d|| = 3", conclusion=dot(_WEIGHTS3, _GIVEN3) == 9),
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
        Twin("a factor 2", hypotheses=(squared == count, a > 0, a * u == 2)),
        method="NashMTL",
        laws=("COMMON_DESCENT", "STRICT_DESCENT"),
    ),
    Lemma(
        "nash is unique",
        "For two solutions with weights a and b, products u = 1 / a and z = 1 / b, every summand of ||d_a - d_b||^2 = "
        "sum_i (a_i - b_i) (u_i - z_i) is <= 0, and 0 only where a_i = b_i. As the sum is >= 0, a = b.",
        Reach.SUMMAND,
        (a > 0, b > 0, a * u == 1, b * z == 1),
        And((a - b) * (u - z) <= 0, Implies((a - b) * (u - z) == 0, a == b)),
        Twin("weights of different signs", hypotheses=(a > 0, b < 0, a * u == 1, b * z == 1)),
        method="NashMTL",
    ),
    Lemma(
        "nash ignores the norms",
        "If a solves for g_i, then b_i = a_i / c_i solves for c_i g_i, and gives the same direction.",
        Reach.GRAMIAN,
        (*_UNSCALED, *(b * c == a for a, b, c in zip(_WEIGHTS3, _SCALED, _SCALES, strict=True))),
        And(*(b * p == 1 for b, p in zip(_SCALED, products(_GS, _SCALED), strict=True))),
        Twin(
            "the weights are kept",
            hypotheses=(*_UNSCALED, *(b == a for a, b in zip(_WEIGHTS3, _SCALED, strict=True))),
        ),
        method="NashMTL",
        laws=("TASK_SCALING_INVARIANT",),
    ),
    Lemma(
        "nash where 0 is in the hull",
        "There is no solution: with <g_i, d> = u_i = 1 / a_i > 0 no point g_w of the hull is 0, as <g_w, d> = "
        "sum_i w_i u_i > 0 and <g_w, d>^2 <= n v, n = ||g_w||^2, v = ||d||^2.",
        Reach.PRODUCTS,
        (*in_simplex((w1, w2, w3)), *positive(_WEIGHTS3), *_FAIR, n >= 0, v >= 0, n * v >= _POINT * _POINT),
        n > 0,
        Twin(
            "a negative weight",
            hypotheses=(*in_simplex((w1, w2, w3)), *_FAIR, n >= 0, v >= 0, n * v >= _POINT * _POINT),
        ),
        method="NashMTL",
    ),
)
