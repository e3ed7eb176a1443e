"""Figure 1 in exact numbers: two quadratic tasks in two parameters, MGDA, rho = ||g_1|| = ||g_2|| = sqrt 5.

Both Hessians are positive definite: the tasks are bounded below, losses up to a constant.

CONFLICT: g = (2, 1), (-2, 1) and h = (1, 0), (-6, 6) are in conflict both. The decomposed d = (0, 1) + (36, 42)/85
has positive products with all four of them: to first order both losses fall, and both penalties rho ||grad L^i||,
whose gradients the h_i are. The direct d = (174, 319)/157 raises the second loss.
MIRROR: there is a problem of the same kind in which the two change their roles. The figure illustrates; it proves
nothing about which is better.
"""

from theory.ledger import Finding
from theory.proof.kernels.enumeration import Case, Comparison, OppositeFamily, for_all
from theory.proof.step.problems import ONE_OUTCOME, ZERO, Problem, Vector, dot, problem

CONFLICT = problem([(2, 1), (-2, 1)], [((1, -1), (-1, 2)), ((3, 0), (0, 6))], (5, 0))
MIRROR = problem([(2, 1), (-1, -2)], [((1, 0), (0, 1)), ((1, -1), (-1, 2))], (5, 0))


def check() -> list[Finding]:
    """Each problem is the other's twin."""
    return [decomposed_descends(), direct_descends()]


def decomposed_descends() -> Finding:
    """On CONFLICT."""
    return for_all(
        "decomposed-descends",
        "g = (2, 1), (-2, 1), H = ((1, -1), (-1, 2)), ((3, 0), (0, 6)), rho^2 = 5: <g_1, g_2>, <h_1, h_2> < 0, the "
        "decomposed d has <g_i, d>, <h_i, d> > 0 for both tasks, the direct one has <g_2, d> < 0",
        _cases(CONFLICT, CONFLICT.decomposed, CONFLICT.direct),
        [OppositeFamily("the mirror", _cases(MIRROR, MIRROR.decomposed, MIRROR.direct))],
    )


def direct_descends() -> Finding:
    """On MIRROR."""
    return for_all(
        "direct-descends",
        "g = (2, 1), (-1, -2), H = ((1, 0), (0, 1)), ((1, -1), (-1, 2)), rho^2 = 5: <g_1, g_2>, <h_1, h_2> < 0, the "
        "direct d has <g_i, d>, <h_i, d> > 0 for both tasks, the decomposed one has <g_2, d> < 0",
        _cases(MIRROR, MIRROR.direct, MIRROR.decomposed),
        [OppositeFamily("the problem of the figure", _cases(CONFLICT, CONFLICT.direct, CONFLICT.decomposed))],
    )


def _cases(found: Problem, descends: Vector, climbs: Vector) -> list[Case]:
    products = [dot(row, descends) for row in (*found.losses, *found.flats)]
    claims = [
        Comparison("<g_1, g_2>", dot(*found.losses), "<", ZERO),
        Comparison("<h_1, h_2>", dot(*found.flats), "<", ZERO),
        *(Comparison(f"<{name}, d>", value, ">", ZERO) for name, value in zip(NAMES, products, strict=True)),
        Comparison("<g_2, d'>", dot(found.losses[1], climbs), "<", ZERO),
    ]
    return [Case(str(found), ONE_OUTCOME, claim, (*found.well_posed(), found.definite())) for claim in claims]


NAMES = ("g_1", "g_2", "h_1", "h_2")
