r"""Theorem B: two radii, two deviations. Fix rho_sh, rho_ns > 0, sigma_b = rho_b / (sqrt k_b + sqrt(log 4N)), losses in
[0, L], N iid samples for each of m tasks, whatever the dependence between tasks. With probability >= 1 - delta, for
every task i and every theta with L_D^i(theta^i) <= E_eps L_D^i(theta^i + eps), eps_b ~ N(0, sigma_b^2 I) in the blocks
b = sh, i of sizes k_sh, k_i >= 1,
L_D^i(theta^i) <= (1 - 1/sqrt N) sup L_S^i + (1/sqrt N) { L + sum_b 1/(4 k_b)
    + sum_b (k_b/2) log[1 + (||theta_b||^2 / rho_b^2) (1 + sqrt(log(4N) / k_b))^2]
    + log(m/delta) + 4 log(1.29 (1 + 2 L sqrt N)) + L^2/8 },
sup over ||eps_sh|| <= rho_sh, ||eps_i|| <= rho_ns. Without the condition on theta it bounds E_eps L_D^i(theta^i +
eps).

Alquier's bound with b = sqrt N holds for all tasks and all pairs of the grids at once, at the levels of block-grids
with R = 2 L sqrt N. Where both blocks are within the grids: block-grids, and tail-term with block-radius in place of
radius. Else the right side is at least L (block-large-norm).
"""

import z3

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication, implies

WORST, LENGTH, ROOT_N, GIBBS, POPULATION = z3.Reals("sup_L_S L sqrt_N E_L_D L_D")
EMPIRICAL, KL, LOG_LEVEL, PRICE = z3.Reals("E_L_S KL log_m_delta four_log")
SHARED, HEAD, SHARED_LOG, HEAD_LOG = z3.Reals("k_sh k_i k_sh_log k_i_log")
RANGE = [ROOT_N >= 1, LENGTH > 0, WORST >= 0, SHARED >= 1, HEAD >= 1]
DIVERGENCE = (1 / SHARED + 1 / HEAD) / 4 + (SHARED_LOG + HEAD_LOG) / 2
TAIL = EMPIRICAL <= (1 - 1 / ROOT_N) * WORST + LENGTH / ROOT_N


def bound(
    tail: z3.ArithRef = LENGTH,
    divergence: z3.ArithRef = DIVERGENCE,
    level: z3.ArithRef = LOG_LEVEL,
    price: z3.ArithRef = PRICE,
) -> z3.ArithRef:
    """The right side."""
    return (1 - 1 / ROOT_N) * WORST + (tail + divergence + level + price + LENGTH * LENGTH / 8) / ROOT_N


def check() -> list[Finding]:
    """For the mean over eps, and for theta itself."""
    return [gibbs(), population()]


def gibbs() -> Finding:
    """E_eps L_D is at most the right side: no assumption on theta."""
    log_grid, log_m = z3.Reals("log_1_level log_m")
    alquier = EMPIRICAL + (KL + log_grid + LENGTH * LENGTH / 8) / ROOT_N >= GIBBS
    given = [*RANGE, alquier, KL <= DIVERGENCE, log_grid <= LOG_LEVEL + PRICE]
    zero = z3.RealVal(0)
    return implies(
        "gibbs",
        "E L_D <= E L_S + (KL + log(1/level) + L^2/8) / sqrt N, KL <= sum_b [1/(4 k_b) + (k_b/2) log(..)], "
        "log(1/level) <= log(m/delta) + 4 log(1.29 (1 + 2 L sqrt N)), E L_S <= (1 - 1/sqrt N) sup L_S + "
        "L / sqrt N, N >= 1 imply E L_D <= the right side",
        [*given, TAIL],
        bound() >= GIBBS,
        [
            FalseImplication("L left out", [*given, TAIL], bound(tail=zero) >= GIBBS),
            FalseImplication("the head's logarithm left out", conclusion=bound(divergence=SHARED_LOG / 2) >= GIBBS),
            FalseImplication(
                "1/(8 k_b)", conclusion=bound(divergence=DIVERGENCE - (1 / SHARED + 1 / HEAD) / 8) >= GIBBS
            ),
            FalseImplication("log(1/delta)", [*given, TAIL, log_m > 0], bound(level=LOG_LEVEL - log_m) >= GIBBS),
            FalseImplication("no price for the grids", conclusion=bound(price=zero) >= GIBBS),
            FalseImplication("no bound on E L_S", hypotheses=given),
        ],
    )


def population() -> Finding:
    """L_D by the Gaussian assumption."""
    return implies(
        "population",
        "E L_D <= the right side and gauss-assumption L_D <= E L_D imply L_D <= the right side",
        [*RANGE, bound() >= GIBBS, POPULATION <= GIBBS],
        bound() >= POPULATION,
        [FalseImplication("gauss-assumption dropped", hypotheses=[*RANGE, bound() >= GIBBS])],
    )
