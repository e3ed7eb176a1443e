"""False: <g_i, d_loss> >= 0 for all i makes d_loss + d_flat a common descent direction. The smallest counterexamples.

MGDA, two parameters, two tasks, convex quadratics. The search goes through all problems with integer entries of
absolute value at most 2, gradients of one length and that length as radius (then h_i = H_i g_i is rational), in the
order of their largest entry, then of the sum of all. The first counterexample has entries 0, 1, -1 and d_loss = 0; the
first with <g_i, d_loss> > 0 is g = (2, 1), (-1, -2), H = diag(0, 1), diag(2, 0), rho = sqrt 5: d_loss = (1, -1)/2,
d_flat = (-2, 4)/5, and d = (1, 3)/10 raises the second loss at theta as well as at its perturbed point. Nothing smaller
will do: one convex task, and two convex tasks in one parameter, never climb. A single concave task does. Quadratics
with a singular H may be unbounded below, so they are no losses; only H g_i enters, and H may be positive definite: then
each is bounded below, and a constant makes it a loss >= 0.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import product, takewhile

import z3

from theory.ledger import Finding
from theory.proof.kernels.enumeration import Case, Comparison, OppositeFamily, Relation, for_all
from theory.proof.kernels.smt import FalseImplication, implies
from theory.proof.step.problems import ONE_OUTCOME, ZERO, Problem, Vector, dot, problem, sizes

LARGEST = 2
FAMILY = (
    f"convex quadratic tasks in two parameters, g_i and H_i with integer entries of absolute value at most {LARGEST}, "
    "||g_1|| = ||g_2|| = rho > 0, MGDA, up to a signed permutation of the axes"
)

ALLOWED = "entries of at most 1 in absolute value, and a radius that descent-radius allows"

BOUNDED = problem([(2, 1), (-1, -2)], [((1, -2), (-2, 5)), ((6, -2), (-2, 1))], (5, 0))
"""The same h_i = H_i g_i as in the smallest strict counterexample, with positive definite Hessians."""


def check() -> list[Finding]:
    """The searches, losses that are bounded below, the concave task, and what is too small to fail."""
    searches = [stationary(), descending(), definite(), definite_at_both()]
    return [*searches, concave(), one_convex_task(), one_parameter()]


def stationary() -> Finding:
    """The smallest of all."""
    return for_all(
        "smallest",
        f"two {FAMILY}: <g_i, d_loss> >= 0 for both tasks implies <g_i, d_loss + d_flat> >= 0 for both",
        (_case(found, ">=", _at_losses(found)) for found in family()),
        [OppositeFamily(ALLOWED, _within_radius())],
    )


def descending() -> Finding:
    """The smallest with a strict premise, and against both readings of the conclusion."""
    return for_all(
        "smallest-strict",
        f"two {FAMILY}: <g_i, d_loss> > 0 for both tasks implies that d = d_loss + d_flat has <g_i, d> >= 0 for "
        f"both, or <g_i + h_i, d> >= 0 for both",
        (_case(found, ">", _at_either(found)) for found in family()),
        [OppositeFamily(ALLOWED, _within_radius())],
    )


def definite() -> Finding:
    """Losses that are bounded below."""
    return for_all(
        "smallest-definite",
        f"two {FAMILY}, H_i positive definite: <g_i, d_loss> > 0 for both tasks implies <g_i, d_loss + d_flat> >= 0 "
        "for both",
        (_definite(_case(found, ">", _at_losses(found)), found) for found in family()),
        [OppositeFamily(ALLOWED, _within_radius())],
    )


def definite_at_both() -> Finding:
    """The second loss rises at theta and at its perturbed point."""
    near = replace(BOUNDED, squared_radii=(Fraction(5, 10_000), ZERO))
    return for_all(
        "definite-at-both",
        "g = (2, 1), (-1, -2), H = ((1, -2), (-2, 5)), ((6, -2), (-2, 1)), positive definite, rho^2 = 5, MGDA: "
        "<g_i, d_loss> > 0 for both tasks implies that d = d_loss + d_flat has <g_i, d> >= 0 for both, or "
        "<g_i + h_i, d> >= 0 for both",
        [_definite(_case(BOUNDED, ">", _at_either(BOUNDED)), BOUNDED)],
        [OppositeFamily("rho^2 = 5/10000", [_definite(_case(near, ">", _at_either(near)), near)])],
    )


def _definite(case: Case, found: Problem) -> Case:
    return replace(case, hypotheses=(*case.hypotheses, found.definite()))


@cache
def family() -> tuple[Problem, ...]:
    """All problems, smallest first."""
    entries = range(-LARGEST, LARGEST + 1)
    hessians = [((a, b), (b, c)) for a, b, c in product(entries, repeat=3) if a >= 0 and c >= 0 and a * c >= b * b]
    gradients = [pair for pair in product(entries, entries) if any(pair)]
    found = [
        problem((first, second), pair, (_square(first), 0))
        for first in gradients
        if first[0] >= first[1] >= 0
        for second in gradients
        if _square(first) == _square(second)
        for pair in product(hessians, repeat=2)
    ]
    return tuple(sorted(found, key=sizes))


def _square(pair: tuple[int, int]) -> int:
    return pair[0] ** 2 + pair[1] ** 2


def _at_losses(found: Problem) -> Comparison:
    d = found.decomposed
    return Comparison("min_i <g_i, d>", _least(found.losses, d), ">=", ZERO)


def _at_either(found: Problem) -> Comparison:
    d = found.decomposed
    value = max(_least(found.losses, d), _least(found.sams, d))
    return Comparison("max(min_i <g_i, d>, min_i <g_i + h_i, d>)", value, ">=", ZERO)


def _least(rows: list[Vector], d: Vector) -> Fraction:
    return min(dot(row, d) for row in rows)


def _case(found: Problem, relation: Relation, conclusion: Comparison) -> Case:
    premise = Comparison("min_i <g_i, d_loss>", _least(found.losses, found.loss), relation, ZERO)
    return Case(str(found), ONE_OUTCOME, conclusion, (*found.well_posed(), premise))


def _within_radius() -> Iterator[Case]:
    """||d_flat|| max_i ||g_i|| < ||d_loss||^2, squared."""
    for found in takewhile(lambda one: sizes(one)[0] <= 1, family()):
        yield Case(str(found), ONE_OUTCOME, _at_losses(found), (*found.well_posed(), _near(found)))


def _near(found: Problem) -> Comparison:
    longest = max(dot(row, row) for row in found.losses)
    left = dot(found.flat, found.flat) * longest
    return Comparison("||d_flat||^2 max_i ||g_i||^2", left, "<", dot(found.loss, found.loss) ** 2)


def concave() -> Finding:
    """L = x - x^2: g = 1, h = -2."""
    entries = range(-LARGEST, LARGEST + 1)
    tasks = [problem([(g,)], [((a,),)], (1, 0), shared=1) for g, a in product(entries, repeat=2) if g]
    return for_all(
        "one-concave-task",
        f"one quadratic task in one parameter with integers g, H of absolute value at most {LARGEST}, rho = 1: "
        "<g, d_loss + d_flat> >= 0",
        (Case(str(found), ONE_OUTCOME, _at_losses(found)) for found in sorted(tasks, key=sizes)),
        [
            OppositeFamily(
                "H >= 0", (Case(str(found), ONE_OUTCOME, _at_losses(found), (found.convex(),)) for found in tasks)
            )
        ],
    )


def one_convex_task() -> Finding:
    """<g, g + h> >= ||g||^2 > 0."""
    square, inner = z3.Reals("gg gh")
    return implies(
        "one-convex-task",
        "one task with <g, h> >= 0, as the gradient of a convex loss at theta + rho g/||g|| gives, and g != 0: "
        "<g, g + h> > 0, in every dimension",
        [square > 0, inner >= 0],
        square + inner > 0,
        [FalseImplication("<g, h> >= 0 dropped", hypotheses=[square > 0])],
    )


def one_parameter() -> Finding:
    """d_loss and d_flat do not point apart."""
    g1, g2, k1, k2, w, u = z3.Reals("g1 g2 k1 k2 w u")
    h1, h2 = k1 * g1, k2 * g2
    loss, flat = w * g1 + (1 - w) * g2, u * h1 + (1 - u) * h2
    simplex = [w >= 0, w <= 1, u >= 0, u <= 1]
    shortest = [g1 * loss >= loss * loss, g2 * loss >= loss * loss, h1 * flat >= flat * flat, h2 * flat >= flat * flat]
    convex = [k1 >= 0, k2 >= 0]
    d = loss + flat
    return implies(
        "one-parameter",
        "two tasks in one parameter, h_i = k_i g_i with k_i >= 0 (convex), MGDA by its Karush-Kuhn-Tucker conditions: "
        "g_i (d_loss + d_flat) >= 0 for both",
        [*simplex, *shortest, *convex],
        z3.And(g1 * d >= 0, g2 * d >= 0),
        [FalseImplication("k_i >= 0 dropped", hypotheses=[*simplex, *shortest])],
    )
