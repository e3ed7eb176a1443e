r"""The repair: m statements, each of probability >= 1 - delta / m, hold jointly with probability >= 1 - delta.

Countable subadditivity bounds the probability that one fails by the sum of the m probabilities; that the first j sum
to at most j delta / m is an induction over j, and j = m gives delta. No independence is asked for. In a bound with
log(1/delta) the level delta / m puts log(m/delta): log m more, once.

In the witness against induction (two tasks on the line, delta = 2^{-N}) one sample more, which is log2 of m = 2,
makes each statement's failure delta / 2, and the joint probability is >= 1 - delta, whatever the dependence.

Paper: ours, in place of the induction in the proof of Theorem 1 (reconstructed).
"""

from fractions import Fraction

import sympy
import z3

from theory.ledger import Finding
from theory.proof.chain.induction import LABELS, line_case
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.enumeration import OppositeFamily, for_all
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """One more task, all tasks, the logarithm, and the repaired witness."""
    return [one_more(), all_tasks(), logarithm(), repaired()]


def one_more() -> Finding:
    """The first j + 1 failure probabilities."""
    total, failure, j, m, delta = z3.Reals("sum failure j m delta")
    positive = [m >= 1, delta > 0, total <= j * delta / m]
    return implies(
        "one-more",
        "failure probabilities that sum to at most j delta / m, and one more of at most delta / m, sum to at most "
        "(j + 1) delta / m, for real m >= 1, delta > 0 and j",
        [*positive, failure <= delta / m],
        total + failure <= (j + 1) * delta / m,
        [FalseImplication("one more of at most delta", hypotheses=[*positive, failure <= delta])],
    )


def all_tasks() -> Finding:
    """j = m, and the complement."""
    total, some, none, j, m, delta = z3.Reals("sum P_some_fails P_none_fails j m delta")
    given = [m >= 1, delta > 0, some <= total, none == 1 - some, none >= 0]
    return implies(
        "all-tasks",
        "P(some task fails) <= sum <= j delta / m with j = m imply P(no task fails) >= 1 - delta",
        [*given, total <= j * delta / m, j == m],
        none >= 1 - delta,
        [FalseImplication("delta for each task", hypotheses=[*given, total <= j * delta, j == m])],
    )


def logarithm() -> Finding:
    """log(1 / (delta / m)) = log(1/delta) + log m."""
    m, delta = sympy.symbols("m delta", positive=True)
    left = sympy.log(1 / (delta / m))
    return identity(
        "logarithm",
        "log(1/(delta/m)) = log(1/delta) + log m for m, delta > 0",
        left,
        sympy.log(1 / delta) + sympy.log(m),
        [FalseIdentity("log m forgotten", left, sympy.log(1 / delta))],
    )


def repaired() -> Finding:
    """N + 1 samples, level delta / 2 for each of two tasks."""
    sizes = (1, 2, 3)
    return for_all(
        "repaired",
        "two tasks on the line as in induction, N + 1 samples, labels independent, complementary or equal: each "
        "statement has probability exactly 1 - delta / 2 and both have jointly >= 1 - delta, delta = 2^-N, N = 1, 2, 3",
        [line_case(pair, n + 1, Fraction(1, 2**n), exponent=1) for pair in LABELS for n in sizes],
        [OppositeFamily("N samples", [line_case(pair, n, Fraction(1, 2**n)) for pair in LABELS for n in sizes])],
    )
