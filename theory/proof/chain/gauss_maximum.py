r"""At a global maximum of a continuous L_D that is not constant the Gaussian assumption fails, for every variance.

Let L_D(theta) = M be the maximum and L_D(y) < M for some y. By continuity L_D <= M - c on a ball around y, for some
c > 0. On it the density of theta + eps is at least some d > 0, as the ball is bounded, so theta + eps is in it with a
probability p >= d vol > 0, and E L_D(theta + eps) <= (1 - p) M + p (M - c) < M. In every dimension, and for every
Gaussian with a density, blocks of their own variances included.

Paper: the assumption of Theorem 1 (reconstructed).
"""

import z3

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The ball's probability, the mean."""
    return [mass(), mean()]


def mass() -> Finding:
    """p >= d vol."""
    p, density, volume = z3.Reals("p d vol")
    return implies(
        "mass",
        "p >= d vol and d, vol > 0 imply p > 0",
        [p >= density * volume, density > 0, volume > 0],
        p > 0,
        [FalseImplication("d >= 0: no density", hypotheses=[p >= density * volume, density >= 0, volume > 0])],
    )


def mean() -> Finding:
    """E L_D < M."""
    p, gap, top, expected = z3.Reals("p c M E_L_D")
    split = expected <= (1 - p) * top + p * (top - gap)
    return implies(
        "mean",
        "0 < p <= 1, c > 0 and E L_D(theta + eps) <= (1 - p) M + p (M - c) imply E L_D(theta + eps) < M",
        [p > 0, p <= 1, gap > 0, split],
        expected < top,
        [FalseImplication("a constant loss: c >= 0", hypotheses=[p > 0, p <= 1, gap >= 0, split])],
    )
