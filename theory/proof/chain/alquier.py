r"""Alquier: for fixed b > 0 and P, with probability >= 1 - delta over S, for all Q at once,
E_Q L_D <= E_Q L_S + [KL(Q || P) + log(1/delta)] / b + b L^2 / (8 N).

Z(S) = E_P e^{b (L_D - L_S)} is a nonnegative random variable. P does not depend on S, so E_S Z = E_P E_S e^{b (L_D -
L_S)} (Tonelli; the losses are jointly measurable), at most c = e^{b^2 L^2 / (8 N)} by Hoeffding's lemma at every point.
By Markov's inequality log Z <= b^2 L^2 / (8 N) + log(1/delta) except on an event of probability at most delta, which
does not name Q. Outside it Donsker-Varadhan with f = b (L_D - L_S), which is bounded, ends the proof for every Q.

P may not depend on S: let K hypotheses have fair bits as losses, all independent. When P = Q is the point mass at a
minimiser of L_S, KL = 0, and the inequality fails more often than delta allows.

Paper: proof of Theorem 1 (reconstructed).
"""

from fractions import Fraction
from math import comb

import z3

from theory.ledger import Finding
from theory.proof.kernels.enumeration import Case, Comparison, OppositeFamily, Space, for_all, independent
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The division by b; a prior that has seen the sample."""
    return [divided(), prior_after_sample()]


def divided() -> Finding:
    """From Donsker-Varadhan at f = b (L_D - L_S) to the bound."""
    b, n, length, population, empirical, kl, log_z, log_level = z3.Reals("b N L E_Q_L_D E_Q_L_S KL log_Z log_1_delta")
    positive = [b > 0, n > 0]
    change = b * (population - empirical) <= kl + log_z
    event = log_z <= b * b * length * length / (8 * n) + log_level

    def bound(complexity: z3.ArithRef, eighth: int) -> z3.BoolRef:
        return population <= empirical + complexity / b + b * length * length / (eighth * n)

    return implies(
        "divided",
        "b (E_Q L_D - E_Q L_S) <= KL + log Z, log Z <= b^2 L^2 / (8 N) + log(1/delta) and b, N > 0 imply "
        "E_Q L_D <= E_Q L_S + [KL + log(1/delta)] / b + b L^2 / (8 N)",
        [*positive, change, event],
        bound(kl + log_level, 8),
        [
            FalseImplication("b < 0", hypotheses=[b < 0, n > 0, change, event]),
            FalseImplication("9 in place of 8", conclusion=bound(kl + log_level, 9)),
            FalseImplication("log(1/delta) forgotten", conclusion=bound(kl, 8)),
            FalseImplication("the event not used", hypotheses=[*positive, change]),
        ],
    )


def prior_after_sample() -> Finding:
    """P(1/2 > min_k L_S(k) + log(1/delta) / b + b / (8 N)) against delta."""
    n, b, delta = 3, 5, Fraction(1, 2)
    slack = (1 / delta - 1) / b + Fraction(b, 8 * n)

    def case(hypotheses: int) -> Case:
        wrong = Space({k: Fraction(comb(n, k), 2**n) for k in range(n + 1)})
        space = independent([wrong] * hypotheses)
        fails = space.probability(lambda counts: Fraction(min(counts), n) + slack < Fraction(1, 2))
        return Case(f"K = {hypotheses}", space, Comparison("P(the inequality fails)", fails, ">", delta))

    return for_all(
        "prior-after-sample",
        "K = 6 hypotheses, N = 3, L = 1, fair bits as losses, P = Q at a minimiser of L_S, b = 5, delta = 1/2, KL = "
        "0, and log(1/delta) enlarged to 1/delta - 1: the inequality fails with probability more than delta",
        [case(6)],
        [OppositeFamily("P and Q at the first hypothesis: K = 1", [case(1)])],
    )
