"""One task, and A the identity on one row: the step is SAM, with one radius for each block.

A(g) + A(s - g) = g + (s - g) = s = A(s), the gradient at theta + eps. Of the aggregators here MGDA, the mean, PCGrad
and IMTL-G (their weights of one task sum to 1) are the identity on one row. CAGrad without its rescaling multiplies by
1 + c, and by (1 + c)/(1 + c^2) with that of the authors' code: both combinations are that multiple of s. Nash-MTL at
its own scale normalises: decomposed is not even parallel to SAM.
"""

from fractions import Fraction

import sympy

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.enumeration import Case, Comparison, OppositeFamily, for_all
from theory.proof.step.problems import ONE_OUTCOME, Vector, dot, root, shown, vector


def check() -> list[Finding]:
    """Both combinations; what is no identity on one row."""
    return [decomposed(), cagrad(), nash()]


def decomposed() -> Finding:
    """g + (s - g) = s."""
    g, s = sympy.symbols("g s", real=True)
    return identity(
        "decomposed",
        "A(g) = g for one row: A(g) + A(s - g) = s = A(s), coordinate by coordinate",
        g + (s - g),
        s,
        [FalseIdentity("the flat part alone", s - g, s)],
    )


def cagrad() -> Finding:
    """k g + k (s - g) = k s."""
    g, s = sympy.symbols("g s", real=True)
    k = sympy.Symbol("k", positive=True)
    both = k * g + k * (s - g)
    return identity(
        "cagrad",
        "A(g) = k g: decomposed is k s, for k > 0. CAGrad of one row has k = 1 + c without its rescaling, (1 + c)/(1 + "
        "c^2) with that of its authors' code",
        both,
        k * s,
        [FalseIdentity("it is s", both, s)],
    )


def nash() -> Finding:
    """g = (2, 0), s = (2, 1): g / ||g|| + f / ||f|| = (1, 1)."""
    return for_all(
        "nash",
        "one task, A(g) = g / ||g||: decomposed is not parallel to s, that is the determinant of the two is "
        "positive, for g = (2, 0), s = (2, 1)",
        [_case(vector(2, 0), vector(2, 1))],
        [OppositeFamily("s is parallel to g", [_case(vector(2, 0), vector(3, 0))])],
    )


def _case(g: Vector, s: Vector) -> Case:
    f = tuple(b - a for a, b in zip(g, s, strict=True))
    d = tuple(a + b for a, b in zip(_unit(g), _unit(f), strict=True))
    return Case(
        f"g = {shown(g)}, s = {shown(s)}",
        ONE_OUTCOME,
        Comparison("det(s, d)", s[0] * d[1] - s[1] * d[0], ">", Fraction(0)),
    )


def _unit(row: Vector) -> Vector:
    norm = root(dot(row, row))
    return tuple(entry / norm for entry in row)
