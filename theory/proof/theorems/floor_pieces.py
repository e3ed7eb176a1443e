r"""A set on which m functions take values in [0, L] is the union of at most n^m pieces, on each of which every function
varies by at most L/n, for every integer n >= 1.

Sort the points by the vector of q(v) = min(n - 1, floor(n v / L)), v the value: an integer from 0 to n - 1, with
q(v) <= n v / L <= q(v) + 1. The floor alone takes n + 1 values, since v = L has floor n: without the minimum the number
of pieces is up to (n + 1)^m.

Paper: ours.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies

VALUE, LENGTH, COUNT, FLOOR, PIECE = z3.Reals("v L n floor q")
GIVEN = [LENGTH > 0, COUNT >= 1, VALUE >= 0, FLOOR * LENGTH <= COUNT * VALUE, COUNT * VALUE < (FLOOR + 1) * LENGTH]
MERGED = [z3.If(FLOOR <= COUNT - 1, FLOOR, COUNT - 1) == PIECE]


def check() -> list[Finding]:
    """The value between its piece's ends; n pieces; the variation on one; their number for m tasks."""
    return [between(), last(), variation(), number()]


def between() -> Finding:
    """q <= n v / L <= q + 1."""
    ends = z3.And(PIECE * LENGTH <= COUNT * VALUE, COUNT * VALUE <= (PIECE + 1) * LENGTH)
    return implies(
        "between",
        "0 <= v <= L, n >= 1, floor <= n v / L < floor + 1 and q = min(n - 1, floor) imply q <= n v / L <= q + 1",
        [*GIVEN, *MERGED, VALUE <= LENGTH],
        ends,
        [
            FalseImplication("a value above L", [*GIVEN, *MERGED]),
            FalseImplication(
                "the upper end excluded",
                conclusion=z3.And(PIECE * LENGTH <= COUNT * VALUE, COUNT * VALUE < (PIECE + 1) * LENGTH),
            ),
        ],
    )


def last() -> Finding:
    """q <= n - 1."""
    return implies(
        "last",
        "0 <= v <= L, n >= 1 and q = min(n - 1, floor(n v / L)) imply q <= n - 1",
        [*GIVEN, *MERGED, VALUE <= LENGTH],
        PIECE <= COUNT - 1,
        [FalseImplication("the floor alone", [*GIVEN, VALUE <= LENGTH, PIECE == FLOOR])],
    )


def variation() -> Finding:
    """Two values of one piece."""
    other = z3.Real("v_other")
    ends = [
        bound
        for value in (VALUE, other)
        for bound in (COUNT * value >= PIECE * LENGTH, COUNT * value <= (PIECE + 1) * LENGTH)
    ]
    given = [LENGTH > 0, COUNT >= 1]
    return implies(
        "variation",
        "q <= n v / L <= q + 1 for two values implies that they differ by at most L/n",
        [*given, *ends],
        COUNT * (VALUE - other) <= LENGTH,
        [
            FalseImplication("two different pieces", [*given, *ends[:2]]),
            FalseImplication("L / (2n)", conclusion=2 * COUNT * (VALUE - other) <= LENGTH),
        ],
    )


def number() -> Finding:
    """log n^m."""
    count, tasks = sympy.symbols("n m", positive=True)
    left = sympy.log(count**tasks)
    return identity(
        "number",
        "n values for each of m tasks: log n^m = m log n",
        left,
        tasks * sympy.log(count),
        [FalseIdentity("n + 1 values, by the floor alone", sympy.log((count + 1) ** tasks), tasks * sympy.log(count))],
    )
