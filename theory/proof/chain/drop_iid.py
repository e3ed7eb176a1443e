r"""The samples need not be independent: REFUTED by one sample, N times.

The task on the line of induction: y a fair bit, the loss y for theta >= 0 and 1/2 for theta < 0. With N = 4
independent samples the statement "for all theta, L_D <= max L_S + f" fails with probability 1/16. With four copies of
one sample, each of the same law, it fails with probability 1/2.

Paper: the sample S of Theorem 1.
"""

from fractions import Fraction
from operator import itemgetter

from theory.ledger import Finding
from theory.proof.chain.induction import LABELS, event
from theory.proof.kernels.enumeration import Case, Comparison, OppositeFamily, Space, for_all, independent

ONE_TASK = LABELS["equal labels"]
Sample = tuple[tuple[int, int], ...]


def check() -> list[Finding]:
    """Four copies against four independent samples."""
    return [copies()]


def copies() -> Finding:
    """P(A) >= 15/16."""
    copied: Space[Sample] = Space({(point,) * 4: mass for point, mass in ONE_TASK.probabilities.items()})
    return for_all(
        "copies",
        "N = 4 samples, each a fair bit: 'for all theta, L_D <= max L_S + f', on the line as in induction, has "
        "probability >= 15/16",
        [case("four copies", copied)],
        [OppositeFamily("independent", [case("independent", independent([ONE_TASK] * 4))])],
    )


def case(name: str, space: Space[Sample]) -> Case:
    """The hypothesis: every sample has the law of a fair bit."""
    fair = [
        Comparison(f"P(y = 1) of sample {n + 1}", space.law(itemgetter(n)).probabilities[1, 1], "=", Fraction(1, 2))
        for n in range(4)
    ]
    holds = space.probability(event(ONE_TASK, 0))
    return Case(name, space, Comparison("P(A)", holds, ">=", Fraction(15, 16)), tuple(fair))
