r"""What m statements at 1 - delta give jointly: (1 - delta)^m if independent, at worst max(0, 1 - m delta).

Independent: (1 - delta)^m < 1 - delta for m >= 2 and 0 < delta < 1, by induction over m. Dependent: by countable
subadditivity no dependence gives less than max(0, 1 - m delta). It is attained for every delta: let U be uniform on a
circle of length 1, and let task i fail where U lies in the arc of length delta from (i - 1) delta on. If m delta <= 1
the arcs do not wrap and are disjoint, so their union has the measure m delta; else they cover the circle. Also in
exact numbers, with b equally probable points and arcs of a of them. With delta = 1/20 and m = 40 (CelebA): 0.128 and 0.

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
    dependent = [no_less(), wrapped(), disjoint(), covered(), circle()]
    return [two_tasks(), one_more(), *dependent, forty_independent(), forty_dependent()]


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


def no_less() -> Finding:
    """P(none fails) >= max(0, 1 - m delta)."""
    none, some, m, delta = z3.Reals("P_none P_some m delta")
    given = [none == 1 - some, none >= 0]
    return implies(
        "no-less",
        "P(some task fails) <= m delta and P(none fails) = 1 - P(some fails) >= 0 imply P(none fails) >= max(0, 1 - m "
        "delta)",
        [*given, some <= m * delta],
        z3.And(none >= 0, none >= 1 - m * delta),
        [FalseImplication("P(some) <= 2 m delta", hypotheses=[*given, some <= 2 * m * delta, m >= 1, delta >= 0])],
    )


def wrapped() -> Finding:
    """The length of an arc that passes 1."""
    start, delta = z3.Reals("start delta")
    whole = z3.If(start + delta <= 1, delta, (1 - start) + (start + delta - 1))
    return implies(
        "wrapped",
        "an arc from 0 <= x < 1 on, [x, x + delta) or, where x + delta > 1, [x, 1) and [0, x + delta - 1), which are "
        "disjoint for delta < 1, has the length delta",
        [start >= 0, start < 1, delta > 0, delta < 1],
        z3.And(whole == delta, start + delta - 1 < start),
        [FalseImplication("delta > 1: the two overlap", hypotheses=[start >= 0, start < 1, delta > 1])],
    )


def disjoint() -> Finding:
    """The arcs of tasks i < j when m delta <= 1."""
    point, i, j, m, delta = z3.Reals("u i j m delta")
    arc = [(i - 1) * delta <= point, point < i * delta]
    given = [i >= 1, j <= m, delta > 0, m * delta <= 1, *arc]
    return implies(
        "disjoint",
        "1 <= i, i + 1 <= j <= m and m delta <= 1: a point of [(i - 1) delta, i delta) lies in [0, 1) and not in "
        "[(j - 1) delta, j delta)",
        [*given, i + 1 <= j],
        z3.And(point >= 0, point < 1, point < (j - 1) * delta),
        [FalseImplication("j = i", hypotheses=[*given, i == j])],
    )


def covered() -> Finding:
    """Every point of [0, 1) when m delta >= 1."""
    point, i, m, delta = z3.Reals("u i m delta")
    arc = [(i - 1) * delta <= point, point < i * delta]
    given = [point >= 0, point < 1, delta > 0, *arc]
    return implies(
        "covered",
        "0 <= u < 1 <= m delta: the integer i with (i - 1) delta <= u < i delta has i > 0 and i - 1 < m, so 1 <= i <= "
        "m",
        [*given, m * delta >= 1],
        z3.And(i > 0, i - 1 < m),
        [FalseImplication("2 m delta >= 1 only", hypotheses=[*given, m >= 1, 2 * m * delta >= 1])],
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
