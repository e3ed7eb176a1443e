"""Two toys: direct aggregation cancels where the decomposed one moves, and the other way round.

Quadratic tasks in two parameters with positive definite Hessians, so bounded below; MGDA, rho = 1. In the first the SAM
gradients are opposite, (-3, 1) and (3, -1): direct stands still, while decomposed follows d_flat = (2, 3)/13, along
which both gradient norms fall to first order. In the second the loss gradients are opposite and so are the flat
gradients: decomposed stands still, direct = (-2, -5)/29 moves. In both d_loss = 0: the gradients are opposite, the
point is Pareto stationary for the losses, and to first order no direction lowers one of them without raising the other.
"""

from theory.ledger import Finding
from theory.proof.kernels.enumeration import Case, Comparison, OppositeFamily, for_all
from theory.proof.step.problems import ONE_OUTCOME, ZERO, Problem, Vector, dot, problem

FIRST = problem([(-2, 0), (1, 0)], [((1, -1), (-1, 2)), ((2, -1), (-1, 1))])
SECOND = problem([(-2, 0), (1, 0)], [((1, -1), (-1, 2)), ((1, -1), (-1, 2))])
TASKS = "g_1 = (-2, 0), g_2 = (1, 0), H_1 = ((1, -1), (-1, 2))"


def check() -> list[Finding]:
    """Both toys, each the other's twin."""
    return [direct_cancels(), decomposed_cancels()]


def direct_cancels() -> Finding:
    """H_2 = ((2, -1), (-1, 1))."""
    return for_all(
        "direct-cancels",
        f"{TASKS}, H_2 = ((2, -1), (-1, 1)), rho = 1, MGDA: direct = 0, and <h_i, d> > 0 for both tasks along the "
        "decomposed d",
        _cases(FIRST, FIRST.direct, FIRST.decomposed),
        [OppositeFamily("H_2 = H_1", _cases(SECOND, SECOND.direct, SECOND.decomposed))],
    )


def decomposed_cancels() -> Finding:
    """H_2 = H_1."""
    return for_all(
        "decomposed-cancels",
        f"{TASKS} = H_2, rho = 1, MGDA: decomposed = 0, and <g_i + h_i, d> > 0 for both tasks along the direct d",
        _cases(SECOND, SECOND.decomposed, SECOND.direct),
        [OppositeFamily("H_2 = ((2, -1), (-1, 1))", _cases(FIRST, FIRST.decomposed, FIRST.direct))],
    )


def _cases(found: Problem, still: Vector, moving: Vector) -> list[Case]:
    rows = found.flats if moving is found.decomposed else found.sams
    least = min(dot(row, moving) for row in rows)
    claims = [
        Comparison("squared length of what stands still", dot(still, still), "=", ZERO),
        Comparison("least product along what moves", least, ">", ZERO),
    ]
    return [Case(str(found), ONE_OUTCOME, claim, (*found.well_posed(), found.definite())) for claim in claims]
