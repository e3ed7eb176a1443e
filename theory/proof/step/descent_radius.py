"""Sufficient for MGDA, the exact shortest vector of the hull, not rescaled: ||d_flat|| max_i ||g_i|| < ||d_loss||^2
makes d_loss + d_flat descend on all tasks.

<g_i, d_loss> >= ||d_loss||^2 (law-mgda-descent) and <g_i, d_flat> >= -||g_i|| ||d_flat|| (Cauchy-Schwarz). With v =
||d_loss||^2 > 0 and G = max_i ||g_i|| this bounds the radius:
- on quadratics, where the flat gradients grow in proportion to the radii, and with them d_flat: if both radii are
  multiplied by t, any t < v / (G ||d_flat||) will do, d_flat as found at t = 1. All three numbers stand in the step's
  report, so this largest radius can be logged along training; for other losses it is one to first order;
- for losses whose Hessian's norm is at most B on the balls: ||h_i|| <= B sqrt(rho_sh^2 + rho_ns^2), and ||d_flat|| <=
  min_i ||h_i|| (law-mgda-short), so B G sqrt(rho_sh^2 + rho_ns^2) < v; rho < v / (sqrt 2 B G) for equal radii;
- with a solver's gap, <g_i, d_loss> >= v - gap (law-mgda-shortest), and f G < v - gap will do;
- for MGDA times m, D = m d: <g_i, D_loss> >= m v = ||D_loss||^2 / m, and ||D_flat|| G < ||D_loss||^2 / m will do.
"""

import z3

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication, implies

inner_loss, inner_flat, v, longest, length, flat = z3.Reals("inner_loss inner_flat v G g f")
BOTH = (length >= 0, length <= longest, flat >= 0, inner_loss >= v, inner_flat >= -length * flat)
NOTATION = "<g_i, d_loss> >= v = ||d_loss||^2, <g_i, d_flat> >= -||g_i|| f with f = ||d_flat||, ||g_i|| <= G"


def check() -> list[Finding]:
    """The condition, and the radii that it allows."""
    return [condition(), scaled(), smooth(), radii(), approximate(), times_m()]


def condition() -> Finding:
    """f G < v."""
    return implies(
        "condition",
        f"{NOTATION}: f G < v implies <g_i, d_loss + d_flat> > 0",
        [*BOTH, flat * longest < v],
        inner_loss + inner_flat > 0,
        [
            FalseImplication("f G <= v", hypotheses=[*BOTH, v > 0, flat * longest <= v]),
            FalseImplication("f G < 2 v", hypotheses=[*BOTH, flat * longest < 2 * v]),
        ],
    )


def scaled() -> Finding:
    """t f G < v, d_flat being t times that of t = 1."""
    t, found = z3.Reals("t f_1")
    given = [*BOTH, t > 0, found >= 0, flat == t * found]
    return implies(
        "scaled",
        f"{NOTATION}, and f = t f_1 (quadratics, both radii multiplied by t, MGDA of degree 1): t f_1 G < v implies "
        "<g_i, d_loss + d_flat> > 0",
        [*given, t * found * longest < v],
        inner_loss + inner_flat > 0,
        [FalseImplication("the length of d_flat is taken for constant", hypotheses=[*given, found * longest < v])],
    )


def smooth() -> Finding:
    """B G e < v."""
    bound, e = z3.Reals("B e")
    given = [*BOTH, bound >= 0, e >= 0, longest >= 0, flat <= bound * e]
    return implies(
        "smooth",
        f"{NOTATION}, f <= ||h_j|| <= B e for one j, e = sqrt(rho_sh^2 + rho_ns^2): B G e < v implies "
        "<g_i, d_loss + d_flat> > 0",
        [*given, bound * longest * e < v],
        inner_loss + inner_flat > 0,
        [FalseImplication("half of it", hypotheses=[*given, bound * longest * e < 2 * v])],
    )


def radii() -> Finding:
    """B G sqrt(rho_sh^2 + rho_ns^2) < v."""
    bound, e, shared, head = z3.Reals("B e rho_sh rho_ns")
    product = bound * longest
    given = [v > 0, bound >= 0, longest >= 0, e >= 0, e * e == shared * shared + head * head]
    squares = product * product * (shared * shared + head * head)
    return implies(
        "radii",
        "e^2 = rho_sh^2 + rho_ns^2: (B G)^2 (rho_sh^2 + rho_ns^2) < v^2 implies B G e < v; with equal radii the left "
        "side is 2 (B G rho)^2",
        [*given, squares < v * v],
        product * e < v,
        [
            FalseImplication(
                "the trunk's radius alone (at 3 and 4)",
                hypotheses=[*given, shared == 3, head == 4, product * product * shared * shared < v * v],
            )
        ],
    )


def approximate() -> Finding:
    """f G < v - gap."""
    gap = z3.Real("gap")
    given = [*BOTH[:3], gap >= 0, inner_loss >= v - gap, BOTH[4]]
    return implies(
        "gap",
        "<g_i, d_loss> >= v - gap, <g_i, d_flat> >= -||g_i|| f, ||g_i|| <= G: f G < v - gap implies <g_i, d_loss + "
        "d_flat> > 0, whether or not d_flat is exact",
        [*given, flat * longest < v - gap],
        inner_loss + inner_flat > 0,
        [FalseImplication("the gap forgotten", hypotheses=[*given, flat * longest < v])],
    )


def times_m() -> Finding:
    """||D_flat|| G < ||D_loss||^2 / m."""
    m, whole, whole_flat = z3.Reals("m squared_D_loss F")
    given = [*BOTH, m >= 1, whole == m * m * v, whole_flat == m * flat]
    return implies(
        "times-m",
        f"{NOTATION}, D_loss = m d_loss, D_flat = m d_flat, F = ||D_flat||: F G < ||D_loss||^2 / m implies "
        "<g_i, D_loss + D_flat> > 0",
        [*given, whole_flat * longest < whole / m],
        m * inner_loss + m * inner_flat > 0,
        [FalseImplication("not divided by m", hypotheses=[*given, whole_flat * longest < whole])],
    )
