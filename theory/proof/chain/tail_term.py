r"""E_eps L_S(theta + eps) <= (1 - 1/sqrt N) sup_{||eps|| <= rho} L_S(theta + eps) + L / sqrt N.

Within the ball L_S is at most the supremum, outside at most L: integrated, E L_S <= (1 - p) sup + p L with p =
P(||eps|| > rho). As sup <= L the right side increases with p, and p <= 1/sqrt N by radius. That L / sqrt N can not be
left out is tail-dropped.

Paper: proof of Theorem 1 (reconstructed).
"""

import z3

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """At one eps, and for the mean."""
    return [pointwise(), mean()]


def pointwise() -> Finding:
    """L_S <= sup 1{inside} + L 1{outside}."""
    loss, worst, length, inside = z3.Reals("L_S sup_L_S L inside")
    given = [z3.Or(inside == 0, inside == 1), z3.Implies(inside == 1, loss <= worst)]
    return implies(
        "pointwise",
        "L_S <= L, and L_S <= sup where eps is in the ball, imply L_S <= 1{inside} sup + 1{outside} L",
        [*given, loss <= length],
        loss <= inside * worst + (1 - inside) * length,
        [FalseImplication("an unbounded loss", hypotheses=given)],
    )


def mean() -> Finding:
    """(1 - p) sup + p L <= (1 - q) sup + q L for p <= q."""
    mean_loss, worst, length, outside, level = z3.Reals("E_L_S sup_L_S L P_outside one_over_sqrt_N")
    given = [mean_loss <= (1 - outside) * worst + outside * length, outside >= 0, level <= 1]
    bound = (1 - level) * worst + level * length
    return implies(
        "mean",
        "E L_S <= (1 - p) sup + p L, 0 <= p <= 1/sqrt N <= 1 and sup <= L imply E L_S <= (1 - 1/sqrt N) sup + "
        "L / sqrt N",
        [*given, worst <= length, outside <= level],
        mean_loss <= bound,
        [
            FalseImplication("sup > L", hypotheses=[*given, worst > length, outside <= level]),
            FalseImplication("p > 1/sqrt N", hypotheses=[*given, worst <= length, outside > level]),
            FalseImplication("L / sqrt N left out", conclusion=mean_loss <= (1 - level) * worst),
        ],
    )
