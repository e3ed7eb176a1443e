r"""A1: the ball B_R of R^k is the union of at most (1 + 4R/rho)^k cells, in each of which any two points are less than
rho apart.

Let the centres be a finite subset of B_R with pairwise distances >= rho/2. The open balls of radius rho/4 around them
are disjoint and lie in B_{R + rho/4}, so by their volumes they are at most ((R + rho/4) / (rho/4))^k many. So there is
such a set of the greatest size, and to it no point can be added: every point of B_R is less than rho/2 from some
centre. Give it to the first such centre. Two points of one cell are less than rho/2 + rho/2 apart. R^0 has one cell.

Paper: ours.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies

RHO = z3.Real("rho")


def check() -> list[Finding]:
    """Disjoint balls, inside a larger one, their number, the cells."""
    return [disjoint(), inside(), ratio(), number(), cell()]


def disjoint() -> Finding:
    """No point lies in two of the small balls."""
    apart, first, second = z3.Reals("centre_to_centre to_first to_second")
    given = [RHO > 0, apart <= first + second, apart >= RHO / 2]
    return implies(
        "disjoint",
        "centres at least rho/2 apart and a point less than rho/4 from the first imply, by the triangle inequality, "
        "that it is not less than rho/4 from the second",
        [*given, first < RHO / 4],
        second >= RHO / 4,
        [
            FalseImplication("balls of radius rho/3", [*given, first < RHO / 3], second >= RHO / 3),
            FalseImplication("closed balls", [*given, first <= RHO / 4], second > RHO / 4),
            FalseImplication("centres of any distance", [*given[:2], first < RHO / 4]),
        ],
    )


def inside() -> Finding:
    """The small balls lie in B_{R + rho/4}."""
    radius, centre, to_centre, norm = z3.Reals("R norm_centre to_centre norm")
    given = [RHO > 0, norm <= centre + to_centre, centre <= radius]
    return implies(
        "inside",
        "a point less than rho/4 from a centre of norm at most R has a norm below R + rho/4",
        [*given, to_centre < RHO / 4],
        norm < radius + RHO / 4,
        [
            FalseImplication("R + rho/8", conclusion=norm < radius + RHO / 8),
            FalseImplication("a centre outside B_R", [RHO > 0, given[1], to_centre < RHO / 4]),
        ],
    )


def ratio() -> Finding:
    """The ratio of the volumes."""
    radius, rho, dimension = sympy.symbols("R rho k", positive=True)
    left = ((radius + rho / 4) / (rho / 4)) ** dimension
    return identity(
        "ratio",
        "((R + rho/4) / (rho/4))^k = (1 + 4R/rho)^k",
        left,
        (1 + 4 * radius / rho) ** dimension,
        [FalseIdentity("(1 + 2R/rho)^k", left, (1 + 2 * radius / rho) ** dimension)],
    )


def number() -> Finding:
    """K disjoint balls of one volume in a set q times as large."""
    cells, small, large, factor = z3.Reals("K small large q")
    given = [small > 0, large == factor * small]
    return implies(
        "number",
        "K balls of volume v > 0 whose volumes sum to at most q v are at most q many",
        [*given, cells * small <= large],
        cells <= factor,
        [
            FalseImplication("one less than q", conclusion=cells <= factor - 1),
            FalseImplication("half of each overlaps with another", [*given, cells * small / 2 <= large, cells >= 1]),
        ],
    )


def cell() -> Finding:
    """Two points of one cell."""
    apart, first, second = z3.Reals("point_to_point first_to_centre second_to_centre")
    given = [RHO > 0, apart <= first + second]
    return implies(
        "cell",
        "two points, each less than rho/2 from one centre, are less than rho apart",
        [*given, first < RHO / 2, second < RHO / 2],
        apart < RHO,
        [
            FalseImplication("centres rho apart, so points up to rho from one", [*given, first < RHO, second < RHO]),
            FalseImplication("two different centres", [RHO > 0, first < RHO / 2, second < RHO / 2]),
        ],
    )
