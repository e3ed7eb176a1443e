r"""Theorem B in its square-root form: under the same hypotheses and for every N >= 1, with
KL = sum_b { 1/(4 k_b) + (k_b/2) log[1 + (||theta_b||^2 / rho_b^2) (1 + sqrt(log(4N) / k_b))^2] },
L_D^i(theta^i) <= (1 - 1/sqrt N) sup L_S^i + L / sqrt N
    + L sqrt([KL + log(2 sqrt N m/delta) + 4 log(1.29 (1 + 4N))] / (2N)).

The bound with the kl divergence (foret-01, from maurer-mgf, whatever N) in place of Alquier's, at the levels of
block-grids with R = 4N; beyond the grids KL > 2N and the right side is at least L (block-large-norm). It is smaller
than Theorem B's first form where KL is large: of the order sqrt(KL / N) in place of KL / sqrt N.
"""

import z3

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication, implies
from theory.proof.theorems.theorem_b import (
    DIVERGENCE,
    GIBBS,
    KL,
    LENGTH,
    LOG_LEVEL,
    POPULATION,
    PRICE,
    RANGE,
    ROOT_N,
    TAIL,
    WORST,
)

ROOT, LARGER, LOG_ROOT = z3.Reals("root larger_root log_2_sqrt_N")
TWO_N = 2 * ROOT_N * ROOT_N
SIDE = (1 - 1 / ROOT_N) * WORST + LENGTH / ROOT_N + LENGTH * LARGER


def check() -> list[Finding]:
    """The root's argument, the mean over eps, theta itself."""
    return [argument(), gibbs(), population()]


def argument() -> Finding:
    """KL + log(2 sqrt N) + log(1/level), bounded."""
    complexity, log_grid = z3.Reals("C log_1_level")
    given = [*RANGE, KL <= DIVERGENCE, complexity == KL + LOG_ROOT + log_grid]
    fits = log_grid <= LOG_LEVEL + PRICE
    return implies(
        "argument",
        "C = KL + log(2 sqrt N) + log(1/level), KL <= sum_b [1/(4 k_b) + (k_b/2) log(..)] and log(1/level) <= "
        "log(m/delta) + 4 log(1.29 (1 + 4N)) imply C <= the sum of the four right sides",
        [*given, fits],
        complexity <= DIVERGENCE + LOG_ROOT + LOG_LEVEL + PRICE,
        [
            FalseImplication("no price for the grids", conclusion=complexity <= DIVERGENCE + LOG_ROOT + LOG_LEVEL),
            FalseImplication("log(2 sqrt N) left out", conclusion=complexity <= DIVERGENCE + LOG_LEVEL + PRICE),
        ],
    )


def gibbs() -> Finding:
    """The root increases with its argument."""
    complexity, bound, empirical = z3.Reals("C C_bound E_L_S")
    roots = [ROOT >= 0, LARGER >= 0, complexity == TWO_N * ROOT * ROOT, bound == TWO_N * LARGER * LARGER]
    kl_form = empirical + LENGTH * ROOT >= GIBBS
    given = [*RANGE, *roots, TAIL, kl_form]
    return implies(
        "gibbs",
        "E L_D <= E L_S + L x, E L_S <= (1 - 1/sqrt N) sup L_S + L / sqrt N, x, y >= 0, x^2 = C / (2N), y^2 = C' / "
        "(2N), C <= C' imply E L_D <= (1 - 1/sqrt N) sup L_S + L / sqrt N + L y",
        [*given, complexity <= bound],
        SIDE >= GIBBS,
        [
            FalseImplication("C > C'", hypotheses=[*given, complexity > bound]),
            FalseImplication("L / sqrt N left out", conclusion=SIDE - LENGTH / ROOT_N >= GIBBS),
        ],
    )


def population() -> Finding:
    """L_D by the Gaussian assumption."""
    return implies(
        "population",
        "E L_D <= the right side and gauss-assumption L_D <= E L_D imply L_D <= the right side",
        [*RANGE, SIDE >= GIBBS, POPULATION <= GIBBS],
        SIDE >= POPULATION,
        [FalseImplication("gauss-assumption dropped", hypotheses=[*RANGE, SIDE >= GIBBS])],
    )
