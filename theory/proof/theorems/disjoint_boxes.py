r"""In R^k with 0 < rho <= R the ball B_R holds at least (R / (2 rho))^k points whose closed balls of radius rho are
disjoint.

Take a set of points of B_R, pairwise more than 2 rho apart, to which none can be added; it is finite as in A1. A common
point of two of the balls would leave their centres at most 2 rho apart. Every point of B_R is at most 2 rho from some
centre, so that K balls of radius 2 rho cover B_R, and K (2 rho)^k >= R^k. For two blocks the products are disjoint
boxes, at least (R_sh / (2 rho_sh))^{k_sh} (R_i / (2 rho_ns))^{k_i} of them: different boxes differ in one of the
blocks.

Paper: ours.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies

RHO = z3.Real("rho")


def check() -> list[Finding]:
    """Disjoint balls, the ratio of the volumes, their number."""
    return [disjoint(), ratio(), number()]


def disjoint() -> Finding:
    """A point within rho of the first centre."""
    apart, first, second = z3.Reals("centre_to_centre to_first to_second")
    given = [RHO > 0, apart <= first + second, first <= RHO]
    return implies(
        "disjoint",
        "centres more than 2 rho apart and a point at most rho from the first imply, by the triangle inequality, that "
        "it is more than rho from the second",
        [*given, apart > 2 * RHO],
        second > RHO,
        [
            FalseImplication("centres 2 rho apart", [*given, apart >= 2 * RHO]),
            FalseImplication("centres more than rho apart", [*given, apart > RHO]),
        ],
    )


def ratio() -> Finding:
    """vol(B_R) / vol(B_{2 rho})."""
    radius, rho, dimension = sympy.symbols("R rho k", positive=True)
    left = radius**dimension / (2 * rho) ** dimension
    return identity(
        "ratio",
        "R^k / (2 rho)^k = (R / (2 rho))^k",
        left,
        (radius / (2 * rho)) ** dimension,
        [FalseIdentity("(R / rho)^k", left, (radius / rho) ** dimension)],
    )


def number() -> Finding:
    """K balls that cover a set q times as large as one."""
    cells, small, large, factor = z3.Reals("K small large q")
    given = [small > 0, large == factor * small]
    return implies(
        "number",
        "if K balls of volume v > 0 cover a set of volume q v, so that q v <= K v, then K >= q",
        [*given, large <= cells * small],
        cells >= factor,
        [
            FalseImplication("one more", conclusion=cells >= factor + 1),
            FalseImplication("no cover: K disjoint balls inside", [*given, cells * small <= large]),
        ],
    )
