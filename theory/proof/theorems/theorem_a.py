r"""Theorem A, without a Gaussian assumption and coordinate by coordinate. Let 0 <= l^i <= L be measurable in the data
at each parameter, rho_sh, rho_ns > 0 be fixed before the sample, N samples of each task be independent and identically
distributed, the tasks dependent in any way, 0 < delta < 1, a(r) = max(0, ceil(log2 r)), a(0) = 0. With probability
>= 1 - delta, for all i and all theta at once,
L_D^i(theta^i) <= sup_{||eps_sh|| <= rho_sh, ||eps_i|| <= rho_ns} L_S^i(theta_sh + eps_sh, theta_i + eps_i)
    + L sqrt(C_i / (2N)),
C_i = k_sh log(5 + 8 ||theta_sh||/rho_sh) + k_i log(5 + 8 ||theta_i||/rho_ns) + log(m/delta)
    + 2 log[(1 + a(||theta_sh||/rho_sh)) (1 + a(||theta_i||/rho_ns))] + 2 log(pi^2/6).

A1 and A2 cover the blocks with cells; A3 chooses a point in every product cell; A4 bounds the deviation there at the
level of A5; A6 carries it to all of the cell; A7 removes eta. A level of its own for each task makes it a union bound
over tasks. "With probability >= 1 - delta" means: outside an event of probability at most delta.

Paper: ours; in place of Theorem 1.
"""

import z3

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The deviation at delta_C against the bound's; the bound."""
    return [assembled(), trivial()]


def assembled() -> Finding:
    """From an inequality with log(1/delta_C) to one with C_i."""
    population, worst, length, n = z3.Reals("L_D sup_L_S L N")
    log_level, complexity, root, root_bound = z3.Reals("log_1_delta_C C root root_bound")
    given = [n > 0, length > 0, root >= 0, root_bound >= 0]
    roots = [2 * n * root * root == log_level, 2 * n * root_bound * root_bound == complexity]
    steps = [population <= worst + length * root]
    bound = population <= worst + length * root_bound
    return implies(
        "assembled",
        "L_D <= sup L_S + L sqrt(log(1/delta_C) / (2N)), log(1/delta_C) <= C and L, N > 0 imply L_D <= sup L_S + L "
        "sqrt(C / (2N)); square roots by their squares",
        [*given, *roots, *steps, log_level <= complexity],
        bound,
        [
            FalseImplication(
                "4N in place of 2N",
                [*given, roots[0], 4 * n * root_bound * root_bound == complexity, *steps, log_level <= complexity],
            ),
            FalseImplication("C below log(1/delta_C)", [*given, *roots, *steps]),
            FalseImplication("L left out", conclusion=population <= worst + root_bound),
        ],
    )


def trivial() -> Finding:
    """C_i >= 2N: the bound says nothing."""
    population, worst, length, n, complexity, root = z3.Reals("L_D sup_L_S L N C root")
    given = [n > 0, length > 0, root >= 0, 2 * n * root * root == complexity, population <= length, worst >= 0]
    return implies(
        "trivial",
        "for 0 <= sup L_S, L_D <= L and C >= 2N the bound holds for every sample: it says nothing there",
        [*given, complexity >= 2 * n],
        population <= worst + length * root,
        [FalseImplication("C >= N", [*given, complexity >= n])],
    )
