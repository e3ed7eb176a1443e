r"""A7: the samples for which the inequality without eta fails for some theta and some task lie in an event of
probability at most delta.

Let H_n be the event that Hoeffding's inequality fails in some cell for some task, with points theta_C chosen for
eta = 1/n: a countable union of events, of probability at most the sum of all delta_C. Let S be a sample outside the
claim: some theta and i have an excess x = L_D - sup L_S - dev > 0. By A6, x <= 1/n for each n with S not in H_n. So S
is in H_n for every n > 1/x: in liminf H_n, an event of probability at most liminf P(H_n) <= delta (Fatou). The set of
these samples itself, a union over all theta, need not be an event, nor sup L_S measurable. That P(H_n) <= delta for
each n does not do alone: the H_n of different n could be different events.

Paper: ours.
"""

from fractions import Fraction
from itertools import combinations

import z3

from theory.ledger import Finding
from theory.proof.kernels.enumeration import Case, Comparison, OppositeFamily, for_all, uniform
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """Membership for all large n; why membership for one n is not enough; the limit of the probabilities."""
    return [member(), eventually(), limit()]


def member() -> Finding:
    """S in H_n for every n > 1/x; h is the indicator of H_n."""
    excess, n, indicator = z3.Reals("x n in_H_n")
    values = z3.Or(indicator == 0, indicator == 1)
    outside = z3.Implies(indicator == 0, excess <= 1 / n)
    return implies(
        "member",
        "x > 0, x <= 1/n if S is not in H_n, and n > 1/x imply that S is in H_n",
        [values, outside, excess > 0, n > 0, n * excess > 1],
        indicator == 1,
        [
            FalseImplication("n <= 1/x", [values, outside, excess > 0, n > 0, n * excess <= 1]),
            FalseImplication("x >= 0: the inequality holds", [values, outside, excess >= 0, n > 0]),
        ],
    )


def eventually() -> Finding:
    """Two events that alternate for ever, over 4 equally probable samples."""
    samples = range(4)
    events = [frozenset(chosen) for size in (0, 1, 2) for chosen in combinations(samples, size)]

    def case(first: frozenset[int], second: frozenset[int], claimed: frozenset[int]) -> Case:
        probability = uniform(samples).probability(lambda sample: sample in claimed)
        return Case(
            f"H_1 = {sorted(first)}, H_2 = {sorted(second)}",
            uniform(samples),
            Comparison("P", probability, "<=", Fraction(1, 2)),
        )

    return for_all(
        "eventually",
        "4 equally probable samples, events H_1, H_2, H_1, H_2, .. of probability at most 1/2: those samples that lie "
        "in all H_n from some n on, in H_1 and in H_2, have probability at most 1/2",
        [case(first, second, first & second) for first in events for second in events],
        [OppositeFamily("in some H_n", [case(first, second, first | second) for first in events for second in events])],
    )


def limit() -> Finding:
    """Fatou's lemma and the union bound, put together."""
    probability, lower_limit, delta = z3.Reals("P liminf_P_H_n delta")
    return implies(
        "limit",
        "P(liminf H_n) <= liminf P(H_n) and liminf P(H_n) <= delta, since each P(H_n) <= delta, imply "
        "P(liminf H_n) <= delta",
        [probability <= lower_limit, lower_limit <= delta],
        probability <= delta,
        [FalseImplication("no bound on P(H_n)", [probability <= lower_limit])],
    )
