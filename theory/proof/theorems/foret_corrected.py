r"""The bound of Foret et al. with what its proof leaves out: losses in [0, L], N >= 1 iid samples for each of m tasks,
whatever the dependence between tasks, one ball of radius rho > 0 in each task's k parameters. With probability >= 1 -
delta, for all i and every w with L_D^i(w) <= E L_D^i(w + eps), eps ~ N(0, sigma^2 I), sigma = rho / (sqrt k + sqrt(log
N)), with KL = 1/(4k) + (k/2) log(1 + (||w||^2/rho^2) (1 + sqrt(log N / k))^2),
L_D^i(w) <= (1 - 1/sqrt N) sup_{||eps|| <= rho} L_S^i(w + eps) + L / sqrt N
    + L sqrt([KL + log(2 sqrt N m/delta) + 2 log(1.29 (1 + 4N))] / (2N)).

Theorem B in its square-root form (theorem-b-root), for one ball: the bound with the kl divergence (foret-01), at the
levels of one-grid with R = 4N; the Gaussian leaves the ball with probability at most 1/sqrt N (radius). Beyond the grid
KL > 2N, and the right side is at least L (block-large-norm, whose second form is for any one block).
"""

import z3

from theory.ledger import Finding
from theory.proof.chain.theorem_1_single import argument
from theory.proof.kernels.smt import FalseImplication, implies
from theory.proof.theorems.block_large_norm import square_root
from theory.proof.theorems.theorem_b_root import gibbs, population


def check() -> list[Finding]:
    """The logarithm's argument, the root's argument, the mean over eps, theta itself, and what is beyond the grid."""
    return [argument(), complexity(), gibbs(), population(), square_root()]


def complexity() -> Finding:
    """KL + log(2 sqrt N) + log(1/level), bounded."""
    size, logarithm, kl, log_root = z3.Reals("k k_log KL log_2_sqrt_N")
    total, log_grid, log_level, price = z3.Reals("C log_1_level log_m_delta two_log")
    divergence = 1 / (4 * size) + logarithm / 2
    given = [size >= 1, kl <= divergence, total == kl + log_root + log_grid, log_grid <= log_level + price]
    return implies(
        "complexity",
        "C = KL + log(2 sqrt N) + log(1/level), KL <= 1/(4k) + (k/2) log(..), k >= 1 and log(1/level) <= log(m/delta) "
        "+ 2 log(1.29 (1 + 4N)) imply C <= the sum of the four right sides",
        given,
        total <= divergence + log_root + log_level + price,
        [
            FalseImplication("no price for the grid", conclusion=total <= divergence + log_root + log_level),
            FalseImplication("1/(4k) left out", conclusion=total <= logarithm / 2 + log_root + log_level + price),
            FalseImplication("log(2 sqrt N) left out", conclusion=total <= divergence + log_level + price),
        ],
    )
