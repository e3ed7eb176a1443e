r"""What a bound for the clipped loss min(l, c) says: something about the error rate, nothing about the unclipped mean.

0 <= min(l, c) <= c, so the theorems apply with L = c; and l = min(l, c) + max(l - c, 0), so the mean of l exceeds
that of the clipped loss by the mean of the excess, which no sample bounds (drop-bounded-loss). For cross entropy
l = -log p of the true class, with c >= log 2: where the prediction is wrong some other class has at least its
probability, so p <= 1/2, l >= log 2 and min(l, c)/log 2 >= 1. The 0-1 error is at most min(l, c)/log 2 everywhere, so
a bound on the clipped cross entropy bounds the error rate.

Paper: "bounded loss" in Theorem 1; ours.
"""

import z3

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The range, the excess, the wrong class, the error."""
    return [clipped_range(), excess(), wrong_class(), error()]


def minimum(a: z3.ArithRef, b: z3.ArithRef) -> z3.ArithRef:
    """min(a, b)."""
    return z3.If(a <= b, a, b)


def clipped_range() -> Finding:
    """0 <= min(l, c) <= c."""
    loss, c = z3.Reals("l c")
    clipped = minimum(loss, c)
    return implies(
        "range",
        "l >= 0 and c > 0 imply 0 <= min(l, c) <= c",
        [loss >= 0, c > 0],
        z3.And(clipped >= 0, clipped <= c),
        [FalseImplication("a loss below 0", hypotheses=[c > 0])],
    )


def excess() -> Finding:
    """l = min(l, c) + max(l - c, 0)."""
    loss, c = z3.Reals("l c")
    above = z3.If(loss >= c, loss - c, z3.RealVal(0))
    return implies(
        "excess",
        "l = min(l, c) + max(l - c, 0) for all real l and c",
        [z3.BoolVal(True)],
        loss == minimum(loss, c) + above,
        [FalseImplication("the excess forgotten", conclusion=loss == minimum(loss, c))],
    )


def wrong_class() -> Finding:
    """p <= 1/2."""
    true, other, rest = z3.Reals("p_true p_other p_rest")
    simplex = [true >= 0, other >= 0, rest >= 0, true + other + rest == 1]
    return implies(
        "wrong-class",
        "probabilities of the true class, of another and of the rest sum to 1: p_other >= p_true implies p_true <= 1/2",
        [*simplex, other >= true],
        2 * true <= 1,
        [
            FalseImplication("p_true <= 1/3", conclusion=3 * true <= 1),
            FalseImplication("the prediction right", hypotheses=[*simplex, true >= other]),
        ],
    )


def error() -> Finding:
    """1{wrong} <= min(l, c)/log 2."""
    loss, c, log_2, wrong = z3.Reals("l c log_2 error")
    given = [loss >= 0, log_2 > 0, z3.Or(wrong == 0, z3.And(wrong == 1, loss >= log_2))]
    return implies(
        "error",
        "l >= 0, and l >= log 2 where the error is 1: the error is at most min(l, c)/log 2, for c >= log 2 > 0",
        [*given, c >= log_2],
        wrong * log_2 <= minimum(loss, c),
        [FalseImplication("c < log 2", hypotheses=[*given, c > 0, c < log_2])],
    )
