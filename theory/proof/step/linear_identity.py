"""A linear, the same weights in both calls: A(g_loss) + A(g_flat) = A(g_SAM), decomposed = direct.

A(G) = sum_i w_i g_i, or any linear map of the entries; as g_flat^i = g_SAM^i - g_loss^i the identity holds summand by
summand, for any number of tasks and parameters. Conversely, decomposed = direct on all inputs says A(G) + A(F) = A(G
+ F): exactly the additive aggregators do not tell the two apart. MGDA tells them apart in one parameter.
"""

from fractions import Fraction

import sympy

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.enumeration import Case, Comparison, OppositeFamily, for_all
from theory.proof.step.problems import ONE_OUTCOME, min_norm, vector


def check() -> list[Finding]:
    """The identity of one summand; MGDA against it."""
    return [summand(), mgda_is_not_additive()]


def summand() -> Finding:
    """w g + w (s - g) = w s."""
    w, other, g, s = sympy.symbols("w w' g s", real=True)
    return identity(
        "summand",
        "w g + w (s - g) = w s: one entry of one task's gradients g at theta and s at the perturbed point, its "
        "coefficient w in both calls",
        w * g + w * (s - g),
        w * s,
        [FalseIdentity("another weight in the second call", w * g + other * (s - g), w * s)],
    )


def mgda_is_not_additive() -> Finding:
    """A((1), (2)) + A((2), (1)) = 2 < 3 = A((3), (3))."""
    return for_all(
        "mgda",
        "two tasks with one parameter, MGDA: A(G) + A(F) < A(G + F) for G = ((1), (2)), F = ((2), (1))",
        [_case("G and F", (1, 2), (2, 1))],
        [OppositeFamily("F is a multiple of G", [_case("G and 2 G", (1, 2), (2, 4))])],
    )


def _case(name: str, loss: tuple[int, int], flat: tuple[int, int]) -> Case:
    apart = [min_norm([vector(entry) for entry in rows])[0] for rows in (loss, flat)]
    (together,) = min_norm([vector(g + f) for g, f in zip(loss, flat, strict=True)])
    return Case(name, ONE_OUTCOME, Comparison("A(G) + A(F)", sum(apart, Fraction(0)), "<", together))
