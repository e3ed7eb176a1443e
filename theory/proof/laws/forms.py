"""Why "all principal minors >= 0" is the same as "the Gramian of rows": w'Gw >= 0, for two and three rows.

The converse needs no lemma: the Gramian of rows has w'Gw = ||J^T w||^2 >= 0, and its minors are squared volumes.
"""

from z3 import And

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication
from theory.proof.laws.lemma import Lemma, Reach, determinant, dot, findings, gramian, length_square, psd, reals

G, G3 = gramian(2), gramian(3)
w1, w2, w3, form, square, rest = reals("w1 w2 w3 form square rest")
w = (w1, w2, w3)
FIRST = dot(G3[0], w)
COMPLEMENT = [[G3[0][0] * G3[i][j] - G3[0][i] * G3[0][j] for j in (1, 2)] for i in (1, 2)]
"""G11 times the Schur complement."""

FORMS = (
    Lemma(
        "form of two",
        "w'Gw >= 0 when all principal minors of G are >= 0.",
        Reach.GRAMIAN,
        psd(G),
        length_square(G, (w1, w2)) >= 0,
        FalseImplication("without the determinant", hypotheses=psd(G)[:-1]),
    ),
    Lemma(
        "form of three, completed square",
        "G11 w'Gw = (G w)_1^2 + a form of two in (w_2, w_3), whose minors are >= 0.",
        Reach.GRAMIAN,
        psd(G3),
        And(
            G3[0][0] * length_square(G3, w) == FIRST * FIRST + length_square(COMPLEMENT, (w2, w3)),
            determinant(COMPLEMENT) == G3[0][0] * determinant(G3),
            *psd(COMPLEMENT),
        ),
        FalseImplication("without the determinant", hypotheses=psd(G3)[:-1]),
    ),
    Lemma(
        "form of three, G11 > 0",
        "So with G11 w'Gw = square^2 + rest and, by the form of two, rest >= 0: w'Gw >= 0.",
        Reach.GRAMIAN,
        (G3[0][0] > 0, G3[0][0] * form == square * square + rest, rest >= 0),
        form >= 0,
        FalseImplication(
            "without the form of two", hypotheses=(G3[0][0] > 0, G3[0][0] * form == square * square + rest)
        ),
    ),
    Lemma(
        "form of three, G11 = 0",
        "The minors of two rows make G12 = G13 = 0, and w'Gw >= 0 is the form of two.",
        Reach.GRAMIAN,
        (*psd(G3), G3[0][0] == 0),
        length_square(G3, w) >= 0,
        FalseImplication("without the minors of two rows", hypotheses=(*psd(G3)[:3], psd(G3)[-1], G3[0][0] == 0)),
    ),
)


def minors() -> list[Finding]:
    """Principal minors >= 0 make w'Gw >= 0, for two and three rows."""
    return findings(FORMS)
