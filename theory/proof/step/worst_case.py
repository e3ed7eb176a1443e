"""From the worst case over a product of balls to a loss with two gradient norms.

Paper: eq. 2, eq. 3, eq. 9, eq. 10, eq. 12, eq. 13

For one task: the maximum over (eps_sh, eps_ns) is the maximum over eps_sh of the maximum over eps_ns, and of the
linearised loss it is L + rho_sh ||g_sh|| + rho_ns ||g_ns|| (dual-norm for each block). With a Hessian of norm at most
B on the balls the worst case and the loss at the perturbed point differ from that by at most (B/2)(rho_sh^2 +
rho_ns^2) (Taylor). For m tasks one common eps_sh is worse or equal for each of them than its own; so for every
weighting the common worst case is at most the weighted per-task one. Linearised: rho_sh ||sum_i w_i g_i|| <= rho_sh
sum_i w_i ||g_i||.
"""

import z3

from theory.ledger import Finding
from theory.proof.kernels.enumeration import Case, Comparison, OppositeFamily, for_all
from theory.proof.kernels.smt import FalseImplication, implies
from theory.proof.step.problems import ONE_OUTCOME, Vector, add, dot, root, vector

value, best, whole, slack, bound = z3.Reals("f s S slack u")
loss, linear, curvature, hessian, squares = z3.Reals("L linear q B squares")


def nested() -> list[Finding]:
    """Eq. 2: two maxima are one, and no smaller than the loss."""
    return [nested_above(), nested_below(), at_least_the_loss()]


def nested_above() -> Finding:
    """The nested supremum is an upper bound."""
    return implies(
        "nested-above",
        "f(x, y) <= s(x) = sup_y f(x, y) and s(x) <= S = sup_x s(x) imply f(x, y) <= S: the nested supremum bounds all "
        "values",
        [value <= best, best <= whole],
        value <= whole,
        [FalseImplication("s(x) <= S dropped", hypotheses=[value <= best])],
    )


def nested_below() -> Finding:
    """It is the least one."""
    near = [value > best - slack, best > whole - slack, slack > 0]
    return implies(
        "nested-below",
        "for every slack > 0 there are x and y with s(x) > S - slack and f(x, y) > s(x) - slack: an upper bound u of "
        "all values has u > S - 2 slack, so u >= S",
        [*near, value <= bound],
        bound > whole - 2 * slack,
        [FalseImplication("y far from the supremum", hypotheses=[*near[1:], value <= bound])],
    )


def at_least_the_loss() -> Finding:
    """eps = 0 is in both balls, and larger radii hold smaller ones."""
    length, rho, larger = z3.Reals("e rho rho'")
    return implies(
        "at-least-the-loss",
        "||eps|| <= rho <= rho' implies ||eps|| <= rho', and eps = 0 is in every ball of radius rho >= 0: the worst "
        "case is at least the loss, and grows with the radii",
        [length >= 0, length <= rho, rho <= larger],
        z3.And(length <= larger, rho >= 0),
        [FalseImplication("a smaller radius", hypotheses=[length >= 0, length <= rho, larger <= rho])],
    )


def constant() -> list[Finding]:
    """Eq. 3: f^i does not depend on eps, so it may stand inside the maximum or outside."""
    complexity = z3.Real("F")
    given = [value <= best, bound >= value + complexity]
    return [
        implies(
            "complexity",
            "f(eps) <= s implies f(eps) + F <= s + F, and an upper bound u of f(eps) + F at an eps with f(eps) > s - "
            "slack has u > s + F - slack: sup_eps (f(eps) + F) = sup_eps f(eps) + F",
            [*given, slack > 0, value > best - slack],
            z3.And(value + complexity <= best + complexity, bound > best + complexity - slack),
            [FalseImplication("eps far from the supremum", hypotheses=[*given, slack > 0])],
        )
    ]


def common() -> list[Finding]:
    """Eq. 9: one common eps_sh, as a weighted sum, linearised."""
    inner, weighted, e, rho = z3.Reals("p n_w e rho")
    given = [weighted >= 0, e >= 0, inner * inner <= weighted * weighted * e * e]
    return [
        implies(
            "weighted",
            "sum_i w_i <g_i, eps> = <sum_i w_i g_i, eps> = p <= rho ||sum_i w_i g_i|| for ||eps|| = e <= rho, "
            "attained as in dual-norm: the linearised worst case of eq. 9 for weights w is sum_i w_i (L^i + rho_ns "
            "||g_ns^i||) + rho_sh ||sum_i w_i g_sh^i||",
            [*given, e <= rho],
            inner <= rho * weighted,
            [FalseImplication("||eps|| <= 2 rho", hypotheses=[*given, e <= 2 * rho, rho >= 0])],
        )
    ]


def relaxed() -> list[Finding]:
    """Eq. 10: every task its own eps_sh."""
    return [one_more_task(), triangle(), gap()]


def one_more_task() -> Finding:
    """sum_i w_i f_i(eps) <= sum_i w_i max f_i."""
    acc, best_acc, weight = z3.Reals("acc best_acc w")
    given = [acc <= best_acc, value <= best]
    return implies(
        "one-more-task",
        "acc <= best_acc, w >= 0 and f_i(eps) <= s_i = max f_i imply acc + w f_i(eps) <= best_acc + w s_i: eq. 9 <= "
        "eq. 10 for all weights >= 0, by induction on the number of tasks, and in every coordinate",
        [*given, weight >= 0],
        acc + weight * value <= best_acc + weight * best,
        [FalseImplication("a negative weight", hypotheses=given)],
    )


def triangle() -> Finding:
    """||sum_i w_i g_i|| <= sum_i w_i ||g_i||."""
    acc, lengths, weight, length, longer = z3.Reals("acc lengths w n longer")
    given = [acc >= 0, acc <= lengths, weight >= 0, length >= 0]
    return implies(
        "triangle",
        "||x|| = acc <= lengths, ||x + w g|| <= ||x|| + w ||g|| (Cauchy-Schwarz) imply ||x + w g|| <= lengths + w "
        "||g||: the step from the first tasks to one more",
        [*given, longer <= acc + weight * length],
        longer <= lengths + weight * length,
        [FalseImplication("the triangle inequality dropped", hypotheses=given)],
    )


def gap() -> Finding:
    """Opposite gradients: 0 against 1."""
    opposite, parallel = (vector(1, 0), vector(-1, 0)), (vector(1, 0), vector(2, 0))
    return for_all(
        "gap",
        "g = (1, 0), (-1, 0), w = (1/2, 1/2): ||sum_i w_i g_i|| < sum_i w_i ||g_i||, the relaxation is strict",
        [_gap(opposite)],
        [OppositeFamily("parallel gradients", [_gap(parallel)])],
    )


def _gap(rows: tuple[Vector, Vector]) -> Case:
    half = tuple(entry / 2 for entry in add(*rows))
    lengths = (root(dot(rows[0], rows[0])) + root(dot(rows[1], rows[1]))) / 2
    return Case("two tasks", ONE_OUTCOME, Comparison("||sum_i w_i g_i||", root(dot(half, half)), "<", lengths))


CURVED = (hessian >= 0, squares >= 0, curvature <= hessian * squares, curvature >= -hessian * squares)


def perturbed() -> list[Finding]:
    """Eq. 12: the loss at the perturbed point."""
    error = value - linear
    given = [*CURVED, value == linear + curvature / 2]
    return [
        implies(
            "perturbed-point",
            "L(theta + eps) = linear + q/2 with linear = L + rho_sh ||g_sh|| + rho_ns ||g_ns|| at the maximiser eps, "
            "q = <eps, H eps> at a point between, |q| <= B squares, squares = rho_sh^2 + rho_ns^2: |L(theta + eps) - "
            "linear| <= (B/2) squares",
            given,
            z3.And(error <= hessian * squares / 2, -error <= hessian * squares / 2),
            [FalseImplication("half of it", conclusion=error <= hessian * squares / 4)],
        ),
        implies(
            "convex",
            "if in addition q >= 0, as for a convex loss, L(theta + eps) >= linear",
            [*given, curvature >= 0],
            value >= linear,
            [FalseImplication("q >= 0 dropped", hypotheses=given)],
        ),
    ]


def penalised() -> list[Finding]:
    """Eq. 13: the worst case to first order."""
    inner = z3.Real("p")
    everywhere = [*CURVED, value == loss + inner + curvature / 2, loss + inner <= linear]
    half = hessian * squares / 2
    return [
        implies(
            "everywhere",
            "for every eps of the balls, p = <g_sh, eps_sh> + <g_ns, eps_ns> <= rho_sh ||g_sh|| + rho_ns ||g_ns|| "
            "(separate-vs-joint), so linear = L + rho_sh ||g_sh|| + rho_ns ||g_ns|| >= L + p, and |q| <= B squares: "
            "L(theta + eps) <= linear + (B/2) squares",
            everywhere,
            value <= linear + half,
            [FalseImplication("no curvature is allowed for", conclusion=value <= linear)],
        ),
        implies(
            "two-sided",
            "the worst case S bounds the value at the maximiser, which is >= linear - (B/2) squares, and is <= "
            "linear + (B/2) squares: |S - linear| <= (B/2) squares",
            [*CURVED, value >= linear - half, whole >= value, whole <= linear + half],
            z3.And(whole - linear <= half, linear - whole <= half),
            [FalseImplication("S is not a maximum", [*CURVED, value >= linear - half, whole <= linear + half])],
        ),
    ]
