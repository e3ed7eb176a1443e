"""IMTL-G: a direction with equal projections on all rows."""

from z3 import And, ArithRef, Implies, RealVal, Sum

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication
from theory.proof.laws.lemma import (
    Formulas,
    Lemma,
    Reach,
    findings,
    nonnegative,
    positive,
    products,
    psd,
    reals,
)

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

PROJECTIONS = (
    Lemma(
        "imtl-g of two projects equally",
        "K y = 1 and a = (y / s) / total with sum a = 1 give <d, u_i> total = 1 for both tasks.",
        Reach.GRAMIAN,
        _TWO,
        And(*(projection * total == 1 for projection in _PROJECTIONS2)),
        FalseImplication("the norms are not divided out", conclusion=And(*(a * s1 * s2 == 1 for a in (a1, a2)))),
        method="IMTLG",
        weights=("a1", "a2"),
    ),
    Lemma(
        "imtl-g of three projects equally",
        "The same for three tasks.",
        Reach.GRAMIAN,
        _THREE,
        And(*(projection * total == 1 for projection in _PROJECTIONS3)),
        FalseImplication(
            "the sign of the common projection", conclusion=And(*(q * total == -1 for q in _PROJECTIONS3))
        ),
        method="IMTLG",
        weights=("a1", "a2", "a3"),
    ),
)

OF_TWO = (
    Lemma(
        "imtl-g of two",
        "Affine weights with equal projections are positive and have <d, u_i> > 0 for both tasks, unless u_1 = -u_2 "
        "(where u_1 = u_2 the pseudo-inverse takes a_1 s_1 = a_2 s_2).",
        Reach.GRAMIAN,
        (*_DEFINED, k12 > -1),
        And(*positive((*_P2, a1, a2))),
        FalseImplication("opposite rows are admitted", hypotheses=_DEFINED),
        method="IMTLG",
        laws=("COMMON_DESCENT", "STRICT_DESCENT", "IN_CONE"),
        weights=("a1", "a2"),
    ),
)

OF_THREE = (
    Lemma(
        "imtl-g of three",
        "The common projection is > -||g_1|| / 8 for three tasks.",
        Reach.GRAMIAN,
        _THREE,
        _PROJECTIONS3[0] > -s1 / 8,
        FalseImplication("y >= 0 is assumed", hypotheses=(*_THREE, *nonnegative((y1, y2, y3)))),
        verdict="refuted",
        method="IMTLG",
        laws=("COMMON_DESCENT", "STRICT_DESCENT"),
        weights=("a1", "a2", "a3"),
    ),
)

IMTLG = (*PROJECTIONS, *OF_TWO, *OF_THREE)


def projections() -> list[Finding]:
    """All projections <d, u_i> are equal."""
    return findings(PROJECTIONS)


def of_two() -> list[Finding]:
    """Two tasks: both losses fall."""
    return findings(OF_TWO)


def of_three() -> list[Finding]:
    """Three tasks: a bound on how far a loss may rise."""
    return findings(OF_THREE)
