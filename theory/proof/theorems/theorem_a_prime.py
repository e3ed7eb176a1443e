r"""Theorem A', with one shared perturbation common to all tasks. As in Theorem A, for weights w >= 0, sum_i w_i = 1,
fixed before the sample: with probability >= 1 - delta, for all theta at once,
sum_i w_i L_D^i <= sup_{||eps_sh|| <= rho_sh} sum_i w_i S_i(eps_sh) + L sqrt(C_w / (2N)),
S_i(eps_sh) = sup_{||eps_i|| <= rho_ns} L_S^i(theta_sh + eps_sh, theta_i + eps_i),
C_w = k_sh log(5 + 8 ||theta_sh||/rho_sh) + sum_i k_i log(5 + 8 ||theta_i||/rho_ns) + log(1/delta)
    + 2 log prod_j (1 + a_j) + (m + 1) log(pi^2/6), j over all m + 1 blocks.

The proof of Theorem A for the one bounded function sum_i w_i L_D^i, with joint cells: mixture-mgf in place of
Hoeffding's lemma, joint-cells in place of A5. In the box, L_S^i(theta_C) <= sup_{eps_i} L_S^i at the common eps_sh =
theta_C,sh - theta_sh, for every i. For m = 1 it is Theorem A. If all k_i >= 1, C_w is at least each C_i: the common
perturbation makes the first term smaller, and the second larger.

Paper: ours; in place of Theorem 1, scalarised.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The box, the chain, and the complexity beside Theorem A's."""
    return [box(), chain(), difference(), tasks()]


def box() -> Finding:
    """One task more in sum_i w_i L_S^i(theta_C) <= sum_i w_i sup_{eps_i} L_S^i."""
    left, right, weight, sample, worst = z3.Reals("left right w_i L_S_theta_C sup_eps_i_L_S")
    given = [left <= right, sample <= worst]
    return implies(
        "box",
        "left <= right, L_S^i(theta_C) <= sup_{eps_i} L_S^i and w_i >= 0 imply left + w_i L_S^i(theta_C) <= right + "
        "w_i sup_{eps_i} L_S^i",
        [*given, weight >= 0],
        left + weight * sample <= right + weight * worst,
        [
            FalseImplication("w_i of any sign", given),
            FalseImplication("theta_C,i outside the ball", [left <= right, weight >= 0]),
        ],
    )


def chain() -> Finding:
    """From theta to theta_C, to the sample, to the common eps_sh, to the supremum over it."""
    at_point, at_chosen, sample, inner, worst, dev, eta = z3.Reals("D_theta D_theta_C S_theta_C inner sup dev eta")
    steps = [at_point <= at_chosen + eta, at_chosen <= sample + dev, sample <= inner, inner <= worst]
    return implies(
        "chain",
        "for D = sum w_i L_D^i and S = sum w_i L_S^i: D(theta) <= D(theta_C) + eta, D(theta_C) <= S(theta_C) + dev, "
        "S(theta_C) <= sum w_i sup_{eps_i} L_S^i at eps_sh = theta_C,sh - theta_sh <= the supremum over eps_sh; so "
        "D(theta) <= that + dev + eta",
        steps,
        at_point <= worst + dev + eta,
        [
            FalseImplication("theta_C,sh outside the ball", steps[:3]),
            FalseImplication("weights chosen after the sample, for which Hoeffding may fail", [steps[0], *steps[2:]]),
        ],
    )


OWN, OTHERS = sympy.symbols("own others", real=True)
"""The terms k log(5 + 8 r) + 2 log(1 + a) of the shared block and head i, and those of the other heads."""
TASKS, DELTA = sympy.symbols("m delta", positive=True)
BASEL = sympy.log(sympy.pi**2 / 6)
COMPLEXITY_A = OWN + sympy.log(TASKS) + sympy.log(1 / DELTA) + 2 * BASEL
COMPLEXITY_W = OWN + OTHERS + sympy.log(1 / DELTA) + (TASKS + 1) * BASEL


def difference() -> Finding:
    """C_w - C_i."""
    left = COMPLEXITY_W - COMPLEXITY_A
    right = OTHERS + (TASKS - 1) * BASEL - sympy.log(TASKS)
    return identity(
        "difference",
        "C_w - C_i = sum over the other heads of [k_j log(5 + 8 r_j) + 2 log(1 + a_j)] + (m - 1) log(pi^2/6) - log m",
        left,
        right,
        [FalseIdentity("m in place of m - 1", left, right + BASEL)],
    )


def tasks() -> Finding:
    """log m <= (m - 1) log 5, which the other heads' terms exceed: by induction m <= 5^(m-1)."""
    count, power = z3.Reals("m five_to_m_minus_1")
    return implies(
        "tasks",
        "m >= 1 and m <= 5^(m-1) imply m + 1 <= 5^m; at m = 1 both are 1",
        [count >= 1, count <= power],
        count + 1 <= 5 * power,
        [FalseImplication("powers of 1, as for heads without parameters", conclusion=count + 1 <= power)],
    )
