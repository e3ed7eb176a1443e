r"""Hoeffding's lemma for a weighted sum of tasks: E e^{b sum_i w_i (L_D^i - L_S^i)} <= e^{b^2 L^2 / (8N)} for w >= 0,
sum_i w_i = 1, and tasks that depend on one another in any way, also across samples.

Let x_i = b (L_D^i - L_S^i) and x = sum_i w_i x_i. From e^{x_i - x} >= 1 + x_i - x, e^{x_i} >= e^x (1 + x_i - x); with
weights w_i the sum of the right sides is e^x. So e^x <= sum_i w_i e^{x_i} at every sample; in the mean each term is at
most e^{b^2 L^2 / (8N)} by Hoeffding's lemma for one task, whatever the others do.

Paper: ours.
"""

import z3

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """One task's tangent, the weighted sum, the means."""
    return [tangent(), weighted(), means()]


def tangent() -> Finding:
    """w_i e^{x_i} >= w_i e^x (1 + x_i - x)."""
    at_mean, ratio, difference, weight = z3.Reals("exp_x exp_difference x_i_minus_x w_i")
    given = [at_mean > 0, ratio >= 1 + difference]
    return implies(
        "tangent",
        "w_i >= 0, e^x > 0 and e^{x_i - x} >= 1 + x_i - x imply w_i e^x e^{x_i - x} >= w_i e^x (1 + x_i - x)",
        [*given, weight >= 0],
        weight * at_mean * ratio >= weight * at_mean * (1 + difference),
        [
            FalseImplication("w_i of any sign", given),
            FalseImplication("the tangent not used", [at_mean > 0, weight >= 0]),
        ],
    )


def weighted() -> Finding:
    """The sum over the tasks, by sum w_i and sum w_i x_i."""
    at_mean, total, weights, products, mean = z3.Reals("exp_x sum_w_exp sum_w sum_w_x x")
    given = [at_mean > 0, total >= at_mean * (weights + products - mean * weights)]
    return implies(
        "weighted",
        "sum w_i e^{x_i} >= e^x (sum w_i + sum w_i x_i - x sum w_i), sum w_i = 1 and x = sum w_i x_i imply e^x <= sum "
        "w_i e^{x_i}",
        [*given, weights == 1, products == mean],
        at_mean <= total,
        [
            FalseImplication("weights that sum to 1/2", [*given, weights == z3.Q(1, 2), products == mean]),
            FalseImplication("x another number", [*given, weights == 1]),
        ],
    )


def means() -> Finding:
    """One task more in sum_i w_i E e^{x_i} <= (sum_i w_i) e^{b^2 L^2 / (8N)}."""
    left, weights, limit, weight, moment = z3.Reals("left weights limit w_i E_exp_x_i")
    given = [left <= weights * limit, moment <= limit]
    return implies(
        "means",
        "left <= W M, E e^{x_i} <= M and w_i >= 0 imply left + w_i E e^{x_i} <= (W + w_i) M",
        [*given, weight >= 0],
        left + weight * moment <= (weights + weight) * limit,
        [FalseImplication("w_i of any sign", given), FalseImplication("no bound on the task", [given[0], weight >= 0])],
    )
