"""The linearised worst case on two separate balls and on one joint ball.

Separate: rho_sh ||g_sh|| + rho_ns ||g_ns||, each block by itself (dual-norm). Joint, ||eps_sh||^2 + ||eps_ns||^2 <=
rho^2: rho sqrt(||g_sh||^2 + ||g_ns||^2), Cauchy-Schwarz for the two blocks at once, attained at eps_b = rho g_b / N
with N = sqrt(||g_sh||^2 + ||g_ns||^2). At equal radii joint <= separate <= sqrt 2 joint; separate balls lie in the
joint one of radius sqrt(rho_sh^2 + rho_ns^2).
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies

g_sh, g_ns, e_sh, e_ns, p_sh, p_ns, joint = z3.Reals("g_sh g_ns e_sh e_ns p_sh p_ns joint")
rho, rho_sh, rho_ns = z3.Reals("rho rho_sh rho_ns")
CAUCHY_SCHWARZ = (
    *(length >= 0 for length in (g_sh, g_ns, e_sh, e_ns, rho)),
    p_sh <= g_sh * e_sh,
    p_ns <= g_ns * e_ns,
)
JOINT = (g_sh >= 0, g_ns >= 0, joint >= 0, joint * joint == g_sh * g_sh + g_ns * g_ns)

THREE_FOUR = (g_sh == 3, g_ns == 4)
"""Lengths with a rational N."""


def check() -> list[Finding]:
    """Both maxima, and their order."""
    return [separate(), joint_ball(), joint_attained(), equal_radii(), box_in_ball()]


def separate() -> Finding:
    """<g_sh, eps_sh> + <g_ns, eps_ns> <= rho_sh ||g_sh|| + rho_ns ||g_ns||."""
    inside = [e_sh <= rho_sh, e_ns <= rho_ns]
    return implies(
        "separate",
        "||eps_sh|| = e_sh <= rho_sh and ||eps_ns|| = e_ns <= rho_ns imply <g_sh, eps_sh> + <g_ns, eps_ns> = p_sh + "
        "p_ns <= rho_sh ||g_sh|| + rho_ns ||g_ns||; dual-norm attains both summands",
        [*CAUCHY_SCHWARZ, *inside],
        p_sh + p_ns <= rho_sh * g_sh + rho_ns * g_ns,
        [FalseImplication("one common radius, that of the trunk", conclusion=p_sh + p_ns <= rho_sh * (g_sh + g_ns))],
    )


def joint_ball() -> Finding:
    """<g_sh, eps_sh> + <g_ns, eps_ns> <= rho N."""
    return implies(
        "joint",
        "||eps_sh||^2 + ||eps_ns||^2 <= rho^2 implies <g_sh, eps_sh> + <g_ns, eps_ns> <= rho N, N = "
        "sqrt(||g_sh||^2 + ||g_ns||^2)",
        [*CAUCHY_SCHWARZ, *JOINT, e_sh * e_sh + e_ns * e_ns <= rho * rho],
        p_sh + p_ns <= rho * joint,
        [
            FalseImplication(
                "separate balls (at ||g_sh|| = 3, ||g_ns|| = 4)",
                hypotheses=[*CAUCHY_SCHWARZ, *JOINT, *THREE_FOUR, e_sh <= rho, e_ns <= rho],
            )
        ],
    )


def joint_attained() -> Finding:
    """At eps_b = rho g_b / N."""
    shared, head, radius = sympy.symbols("n_sh n_ns rho", positive=True)
    norm = sympy.sqrt(shared + head)
    value = radius / norm * shared + radius / norm * head
    return identity(
        "joint-attained",
        "with n_b = ||g_b||^2: sum_b <g_b, rho g_b / N> = rho N, N = sqrt(n_sh + n_ns)",
        value,
        radius * norm,
        [FalseIdentity("each block has its own norm", radius * (sympy.sqrt(shared) + sympy.sqrt(head)), radius * norm)],
    )


def equal_radii() -> Finding:
    """N <= ||g_sh|| + ||g_ns|| <= sqrt 2 N."""
    both = g_sh + g_ns
    return implies(
        "equal-radii",
        "N <= ||g_sh|| + ||g_ns|| and (||g_sh|| + ||g_ns||)^2 <= 2 N^2",
        [*JOINT],
        z3.And(joint <= both, both * both <= 2 * joint * joint),
        [
            FalseImplication("the two are equal (at 3 and 4)", (*JOINT, *THREE_FOUR), both <= joint),
            FalseImplication(
                "a constant below 2 (at 3 and 4)", (*JOINT, *THREE_FOUR), 20 * both * both <= 39 * joint * joint
            ),
        ],
    )


def box_in_ball() -> Finding:
    """rho_sh ||g_sh|| + rho_ns ||g_ns|| <= sqrt(rho_sh^2 + rho_ns^2) N."""
    radii = [rho_sh >= 0, rho_ns >= 0, rho >= 0]
    return implies(
        "box-in-ball",
        "rho^2 = rho_sh^2 + rho_ns^2 implies rho_sh ||g_sh|| + rho_ns ||g_ns|| <= rho N",
        [*JOINT, *radii, rho * rho == rho_sh * rho_sh + rho_ns * rho_ns],
        rho_sh * g_sh + rho_ns * g_ns <= rho * joint,
        [FalseImplication("rho = rho_sh", hypotheses=[*JOINT, *radii, rho == rho_sh])],
    )
