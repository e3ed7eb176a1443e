r"""What m statements at 1 - delta give jointly: (1 - delta)^m if independent, at worst max(0, 1 - m delta).

Independent: (1 - delta)^m < 1 - delta for m >= 2 and 0 < delta < 1, by induction over m. Dependent: let b points be
equally probable and let task i fail on the a points after i a, counted round a circle; then each fails with
probability delta = a / b, and some task fails on min(b, m a) points. By countable subadditivity no dependence does
worse. With delta = 1/20 and m = 40 (CelebA): 0.128 and 0.

Paper: ours; against the proof of Theorem 1 (reconstructed).
"""

from collections.abc import Iterable
from fractions import Fraction

import z3

from theory.ledger import Finding
from theory.proof.kernels.enumeration import Case, Comparison, OppositeFamily, Space, for_all, independent, uniform
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """Independent tasks, the base and the step of the induction; any dependence; 40 tasks."""
    return [two_tasks(), one_more(), circle(), forty_independent(), forty_dependent()]


def two_tasks() -> Finding:
    """(1 - delta)^2 < 1 - delta."""
    delta = z3.Real("delta")
    square = (1 - delta) * (1 - delta)
    return implies(
        "two-tasks",
        "0 < delta < 1 implies (1 - delta)^2 < 1 - delta",
        [delta > 0, delta < 1],
        square < 1 - delta,
        [
            FalseImplication("delta = 0 allowed", hypotheses=[delta >= 0, delta < 1]),
            FalseImplication("below 1 - 2 delta", conclusion=square < 1 - 2 * delta),
        ],
    )


def one_more() -> Finding:
    """(1 - delta)^m < 1 - delta implies it for m + 1."""
    delta, power = z3.Reals("delta power")
    given = [delta > 0, delta < 1, power > 0]
    return implies(
        "one-more",
        "0 < delta < 1 and 0 < p < 1 - delta imply 0 < p (1 - delta) < 1 - delta, where p = (1 - delta)^m, m >= 2",
        [*given, power < 1 - delta],
        z3.And(power * (1 - delta) > 0, power * (1 - delta) < 1 - delta),
        [FalseImplication("p < 1 - delta dropped", hypotheses=given)],
    )


def circle() -> Finding:
    """P(no task fails) = max(0, 1 - m delta)."""

    def cases(overlap: int) -> Iterable[Case]:
        return (arcs(a, b, m, overlap) for b in range(2, 11) for a in range(1, b) for m in range(2, 13))

    return for_all(
        "circle",
        "task i fails on the points i a, .., i a + a - 1 modulo b of b equally probable ones: each fails with "
        "probability delta = a / b, none does with probability max(0, 1 - m delta); 1 <= a < b <= 10, 2 <= m <= 12",
        cases(0),
        [OppositeFamily("every task's points shifted back by i", cases(1))],
    )


def arcs(a: int, b: int, m: int, overlap: int) -> Case:
    """Arcs of length a, each begun ``overlap`` points before the last one ends."""
    space = uniform(range(b))
    failures = [{(i * (a - overlap) + j) % b for j in range(a)} for i in range(m)]
    delta = Fraction(a, b)
    each = (
        Comparison(f"P(task {i} fails)", space.probability(failure.__contains__), "=", delta)
        for i, failure in enumerate(failures)
    )
    none = space.probability(lambda w: not any(w in failure for failure in failures))
    name = f"a = {a}, b = {b}, m = {m}"
    return Case(name, space, Comparison("P(none fails)", none, "=", max(Fraction(0), 1 - m * delta)), tuple(each))


def forty_independent() -> Finding:
    """(19/20)^40."""
    return for_all(
        "forty-independent",
        "of 40 independent tasks with delta = 1/20 none fails with probability < 129/1000",
        [forty(40, Fraction(129, 1000))],
        [
            OppositeFamily("< 128/1000", [forty(40, Fraction(128, 1000))]),
            OppositeFamily("39 tasks", [forty(39, Fraction(129, 1000))]),
        ],
    )


def forty(m: int, at_most: Fraction) -> Case:
    """The number of failures, one task after the other."""
    task = Space({0: Fraction(19, 20), 1: Fraction(1, 20)})
    failures: Space[int] = uniform((0,))
    for _ in range(m):
        failures = independent([failures, task]).law(sum)
    none = failures.probability(lambda count: count == 0)
    return Case(f"m = {m}", failures, Comparison("P(none fails)", none, "<", at_most))


def forty_dependent() -> Finding:
    """delta = 1/20, 20 tasks suffice."""

    def case(m: int) -> Case:
        arc = arcs(1, 20, m, 0)
        return Case(
            arc.name, arc.space, Comparison("P(none fails)", arc.conclusion.left, "=", Fraction(0)), arc.hypotheses
        )

    return for_all(
        "forty-dependent",
        "40 tasks that fail with probability 1/20 each can be such that one always fails",
        [case(40)],
        [OppositeFamily("19 tasks", [case(19)])],
    )
