"""PCGrad: every row projected on the planes orthogonal to the rows that it is in conflict with."""

from itertools import product

from z3 import And, ArithRef, Implies, Not, Or, Q, Real, RealVal, Sum

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication
from theory.proof.laws.lemma import (
    Formulas,
    Lemma,
    Reach,
    dot,
    findings,
    gramian,
    length_square,
    negative_part,
    nonnegative,
    positive,
    products,
    psd,
    reals,
)

G = gramian(2)
(A, B), (_, C) = G
G3 = gramian(3)
q, n, t, f, f1, f2, w, a1, a2 = reals("q n t f f1 f2 w a1 a2")

_CONFLICT = negative_part(B)
_FACTORS = (f1 * A == _CONFLICT, f2 * C == _CONFLICT, Implies(A == 0, f1 == 0), Implies(C == 0, f2 == 0))
TWO = (*psd(G), *_FACTORS, a1 == 1 - f1, a2 == 1 - f2)
_SUM = products(G, (a1, a2))
FIRST, SECOND = products(G, (RealVal(1), -f2)), products(G, (-f1, RealVal(1)))
_IN_HULL = Or(A == 0, C == 0, And(B < 0, A * C == B * B))


_ORDERS = (((1, 2), (2, 1)), ((2, 0), (0, 2)), ((0, 1), (1, 0)))
"""The two orders in which each of three tasks meets the others."""


def _projected(task: int, order: tuple[int, ...]) -> tuple[list[ArithRef], Formulas]:
    """The coefficients of PCGrad's projected gradient, and the equations of its factors."""
    coefficients = [RealVal(1 if i == task else 0) for i in range(3)]
    equations = []
    for other in order:
        factor = Real(f"f{task + 1}_{order[0] + 1}{order[1] + 1}_{other + 1}")
        equations.append(factor * G3[other][other] == negative_part(dot(G3[other], coefficients)))
        coefficients[other] = coefficients[other] - factor
    return coefficients, tuple(equations)


_PROJECTED = [[_projected(task, order) for order in orders] for task, orders in enumerate(_ORDERS)]
_THREE = (
    *psd(G3),
    *(G3[i][i] == 1 for i in range(3)),
    *(equation for both in _PROJECTED for _, equations in both for equation in equations),
)
_SUMS3 = [
    products(G3, [Sum(list(column)) for column in zip(*(coefficients for coefficients, _ in chosen), strict=True)])
    for chosen in product(*_PROJECTED)
]

OF_TWO = (
    Lemma(
        "a projection is orthogonal",
        "p - f g with f ||g||^2 = t = <p, g>, n = ||g||^2, is orthogonal to g, and no longer than p, q = ||p||^2.",
        Reach.PRODUCTS,
        (n > 0, q >= 0, t * t <= q * n, f * n == t),
        And(t - f * n == 0, q - 2 * f * t + f * f * n <= q),
        FalseImplication("a factor 2: a reflection", hypotheses=(n > 0, q >= 0, t * t <= q * n, f * n == 2 * t)),
        method="PCGrad",
    ),
    Lemma(
        "pcgrad of two",
        "In conflict each projected gradient is orthogonal to the other original one; the sum has <g_i, d> >= 0 for "
        "both tasks.",
        Reach.GRAMIAN,
        TWO,
        And(*nonnegative(_SUM), Implies(B < 0, And(FIRST[1] == 0, SECOND[0] == 0))),
        FalseImplication("the component is added", hypotheses=(*psd(G), *_FACTORS, a1 == 1 + f1, a2 == 1 + f2)),
        method="PCGrad",
        laws=("COMMON_DESCENT",),
        weights=("a1", "a2"),
    ),
    Lemma(
        "pcgrad of two is strict",
        "<g_i, d> > 0 for both tasks unless a row is zero or the rows are opposite.",
        Reach.GRAMIAN,
        (*TWO, Not(_IN_HULL)),
        And(*positive(_SUM)),
        FalseImplication("opposite rows are admitted", hypotheses=(*TWO, A > 0, C > 0)),
        method="PCGrad",
        laws=("STRICT_DESCENT",),
        weights=("a1", "a2"),
    ),
    Lemma(
        "the hull of two",
        "0 is in the hull of two rows only if one of them is zero or they are opposite.",
        Reach.GRAMIAN,
        (*psd(G), w >= 0, w <= 1, length_square(G, (w, 1 - w)) == 0),
        _IN_HULL,
        FalseImplication("w may leave [0, 1]", hypotheses=(*psd(G), length_square(G, (w, 1 - w)) == 0)),
    ),
)

WEIGHTS = (
    Lemma(
        "pcgrad's weights",
        "A projection removes f g_j with f ||g_j||^2 = t = <p, g_j> < 0, n = ||g_j||^2: the weight w >= 0 of g_j in p "
        "grows, and no other changes. So all weights stay >= 0, a task's own >= 1, in any order of any number of "
        "tasks.",
        Reach.SUMMAND,
        (w >= 0, t < 0, n > 0, f * n == t),
        w - f > w,
        FalseImplication("projected where there is no conflict", hypotheses=(w >= 0, n > 0, f * n == t)),
        method="PCGrad",
        laws=("IN_CONE", "ZERO_ONLY_IF_STRONGLY_STATIONARY"),
    ),
)

OF_THREE = (
    Lemma(
        "pcgrad of three",
        "One at least of the 8 choices of orders gives a sum with <g_i, d> > -1/8 for all three tasks "
        "(refuted by unit rows).",
        Reach.GRAMIAN,
        _THREE,
        Or(*(And(*(inner > -Q(1, 8) for inner in inners)) for inners in _SUMS3)),
        FalseImplication("no conflicts", hypotheses=(*_THREE, *(G3[i][j] >= 0 for i in range(3) for j in range(i)))),
        verdict="refuted",
        method="PCGrad",
        laws=("COMMON_DESCENT", "STRICT_DESCENT"),
    ),
)

PCGRAD = (*OF_TWO, *WEIGHTS, *OF_THREE)


def of_two() -> list[Finding]:
    """Two tasks: no loss rises."""
    return findings(OF_TWO)


def weights() -> list[Finding]:
    """Any number of tasks: all weights are >= 0, a task's own >= 1."""
    return findings(WEIGHTS)


def of_three() -> list[Finding]:
    """Three tasks: the same as of two would be claimed."""
    return findings(OF_THREE)
