"""Where opposite-parts ends: d_loss = -d_flat != 0 and direct moves, in convex problems with exact numbers.

Three parameters, only the trunk perturbed; or two parameters and one perturbed head a task, where the loss is convex in
both blocks at once and still <g_sh, h> < 0 can occur; or two parameters and losses that are not convex. The Hessians
of the convex ones are positive definite: these tasks are bounded below.
"""

from theory.ledger import Finding
from theory.proof.kernels.enumeration import Case, Comparison, OppositeFamily, for_all
from theory.proof.step.problems import ONE_OUTCOME, ZERO, Problem, add, dot, problem

THREE = problem(
    [(2, 1, 1), (-1, -2, -1)],
    [((2, -2, -2), (-2, 6, -1), (-2, -1, 5)), ((7, -1, -1), (-1, 3, -2), (-1, -2, 5))],
    (6, 0),
    shared=3,
)
HEADS = problem(
    [(1, 1, 1), (-1, 1, 1)],
    [((5, -1, -2), (-1, 6, -3), (-2, -3, 3)), ((6, 2, 1), (2, 6, -3), (1, -3, 3))],
    (2, 4),
)
PLANE = problem([(1, 1), (1, -1)], [((2, -3), (-3, 5)), ((2, 3), (3, 5))], (2, 0))
NOT_CONVEX = problem([(2, 2), (2, -2)], [((-2, 0), (0, -1)), ((-2, 0), (0, -3))], (2, 0))


def check() -> list[Finding]:
    """Three parameters; perturbed heads; no convexity. The twin: two parameters, no heads, convex."""
    return [
        _finding("three-parameters", "convex quadratic tasks in three parameters, no heads", THREE),
        _finding("heads", "convex quadratic tasks in two parameters, perturbed heads", HEADS),
        _finding("not-convex", "quadratic tasks in two parameters, no heads", NOT_CONVEX),
    ]


def _finding(name: str, which: str, found: Problem) -> Finding:
    return for_all(
        name,
        f"two {which}, MGDA: d_loss = -d_flat != 0 implies direct = 0",
        [_case(found)],
        [OppositeFamily("a convex problem in two parameters without heads", [_case(PLANE)])],
    )


def _case(found: Problem) -> Case:
    apart = add(found.loss, found.flat)
    hypotheses = (
        *found.certificates(),
        *(() if found is NOT_CONVEX else (found.definite(),)),
        Comparison("||d_loss + d_flat||^2", dot(apart, apart), "=", ZERO),
        Comparison("||d_loss||^2", dot(found.loss, found.loss), ">", ZERO),
    )
    still = Comparison("||direct||^2", dot(found.direct, found.direct), "=", ZERO)
    return Case(str(found), ONE_OUTCOME, still, hypotheses)
