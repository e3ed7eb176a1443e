r"""Beyond the grids of Theorem B its bounds are trivial: a block with k_b log(1 + r_b) > R makes the right side at
least L, for R = 2 L sqrt N in the form with 1/sqrt N, and for R = 4N in the square-root form.

All terms are nonnegative. In the first form (k_b/2) log(1 + r_b) / sqrt N > L alone. In the second KL > 2N, so
L sqrt(KL / (2N)) > L. In the first form R = 4N would do as well, by large-norm; it is smaller where L > 2 sqrt N.
"""

import z3

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication, implies

LENGTH, ROOT_N, LOGARITHM, OTHERS, WORST = z3.Reals("L sqrt_N k_log other_terms sup_L_S")
RANGE = [LENGTH > 0, ROOT_N >= 1, OTHERS >= 0, WORST >= 0]


def check() -> list[Finding]:
    """Both forms."""
    return [linear(), square_root()]


def linear() -> Finding:
    """(1/sqrt N) {.. + (k/2) log(1 + r)} >= L."""
    value = (1 - 1 / ROOT_N) * WORST + (OTHERS + LOGARITHM / 2) / ROOT_N
    return implies(
        "linear",
        "k log(1 + r) > 2 L sqrt N, other terms of the bracket >= 0, sup L_S >= 0 and N >= 1 imply (1 - 1/sqrt N) sup "
        "L_S + (other terms + (k/2) log(1 + r)) / sqrt N >= L",
        [*RANGE, LOGARITHM > 2 * LENGTH * ROOT_N],
        value >= LENGTH,
        [FalseImplication("k log(1 + r) > L sqrt N", hypotheses=[*RANGE, LOGARITHM > LENGTH * ROOT_N])],
    )


def square_root() -> Finding:
    """L sqrt([.. + (k/2) log(1 + r)] / (2N)) >= L."""
    root = z3.Real("root")
    squared = 2 * ROOT_N * ROOT_N * root * root == OTHERS + LOGARITHM / 2
    value = (1 - 1 / ROOT_N) * WORST + LENGTH / ROOT_N + LENGTH * root
    return implies(
        "square-root",
        "k log(1 + r) > 4N, other terms under the root >= 0, sup L_S >= 0 and N >= 1 imply (1 - 1/sqrt N) sup L_S + "
        "L / sqrt N + L x >= L where x >= 0 and x^2 = (other terms + (k/2) log(1 + r)) / (2N)",
        [*RANGE, root >= 0, squared, LOGARITHM > 4 * ROOT_N * ROOT_N],
        value >= LENGTH,
        [FalseImplication("k log(1 + r) > 2N", [*RANGE, root >= 0, squared, LOGARITHM > 2 * ROOT_N * ROOT_N])],
    )
