r"""A common eps_sh against one eps_sh^i for each task: eq. 9 is at most eq. 10, and by how much for linear losses.

The common choice eps = eps^1 = .. = eps^m is one of the choices that eq. 10 admits, so in every coordinate, and in
every weighted sum, the worst case of eq. 10 is at least that of eq. 9. Under a weighted sum eq. 10 is exactly the
sum of w_i sup L_i: choose eps^i within eta of the supremum; the weights sum to 1, so the sum is within eta. What
minimises eq. 10 minimises an upper bound of eq. 9, no more.

For linearised losses rho ||w_1 g_1 + w_2 g_2|| <= rho (w_1 ||g_1|| + w_2 ||g_2||); equality, for w > 0, exactly where
the two gradients have the same direction, or one of them is zero. Two vectors lie in a plane: g_1 = (a, 0) with a >= 0,
g_2 = (p, q).

Paper: eq. 9, eq. 10.
"""

import z3

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The diagonal, the approximation, and the gap of two linear losses."""
    return [diagonal(), approximate(), linear(), linear_equality()]


def diagonal() -> Finding:
    """sup over the product is an upper bound on the diagonal."""
    value, supremum, own = z3.Reals("sum_at_common_eps supremum_over_all_eps_i sum_at_eps_i")
    bounds = [own <= supremum]
    return implies(
        "diagonal",
        "a supremum S over all (eps^1, .., eps^m) bounds the sum at the choice eps^1 = .. = eps^m = eps",
        [*bounds, own == value],
        value <= supremum,
        [FalseImplication("the common eps not among the choices", hypotheses=bounds)],
    )


def approximate() -> Finding:
    """One more task, each within eta of its supremum, the weights summing to 1 in the end."""
    total, suprema, mass, weight, loss, supremum, eta = z3.Reals("sum suprema mass w L_i S_i eta")
    given = [total >= suprema - mass * eta, weight >= 0, eta > 0]
    conclusion = total + weight * loss >= suprema + weight * supremum - (mass + weight) * eta
    return implies(
        "approximate",
        "sum >= suprema - W eta, L_i >= S_i - eta, w >= 0 and eta > 0 imply "
        "sum + w L_i >= suprema + w S_i - (W + w) eta",
        [*given, loss >= supremum - eta],
        conclusion,
        [FalseImplication("L_i >= S_i - 2 eta", hypotheses=[*given, loss >= supremum - 2 * eta])],
    )


def plane() -> tuple[list[z3.BoolRef], z3.ArithRef, z3.ArithRef, z3.BoolRef]:
    """Two gradients in a plane: what defines their norms, both sides, and the same direction."""
    a, p, q, second, joint, w_1, w_2 = z3.Reals("a p q norm_2 norm_of_sum w_1 w_2")
    defined = [
        a >= 0,
        second >= 0,
        second * second == p * p + q * q,
        joint >= 0,
        joint * joint == (w_1 * a + w_2 * p) * (w_1 * a + w_2 * p) + w_2 * w_2 * q * q,
        w_1 > 0,
        w_2 > 0,
    ]
    same_direction = z3.Or(a == 0, z3.And(q == 0, p >= 0))
    return defined, joint, w_1 * a + w_2 * second, same_direction


def linear() -> Finding:
    """||w_1 g_1 + w_2 g_2|| <= w_1 ||g_1|| + w_2 ||g_2||."""
    defined, common, separate, _ = plane()
    return implies(
        "linear",
        "w_1, w_2 > 0: ||w_1 g_1 + w_2 g_2|| <= w_1 ||g_1|| + w_2 ||g_2|| for g_1 = (a, 0), a >= 0, and g_2 = (p, q)",
        defined,
        common <= separate,
        [FalseImplication("at most half of it", conclusion=2 * common <= separate)],
    )


def linear_equality() -> Finding:
    """Equality where the directions are the same, and only there."""
    defined, common, separate, same_direction = plane()
    either_direction = z3.Or(z3.Real("a") == 0, z3.Real("q") == 0)
    return implies(
        "linear-equality",
        "w_1, w_2 > 0: equality holds exactly where a = 0 or g_2 = (p, 0) with p >= 0: the same direction, or a zero",
        defined,
        (common == separate) == same_direction,
        [
            FalseImplication("everywhere", conclusion=common == separate),
            FalseImplication("also for opposite ones", conclusion=(common == separate) == either_direction),
        ],
    )
