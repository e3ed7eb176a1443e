r"""Markov: Z >= 0, E Z <= c and c > 0 imply log Z <= log c + log(1/delta) with probability >= 1 - delta.

The indicator of Z > c / delta is at most Z delta / c at every point; its mean is at most delta. Else Z <= c / delta.

Paper: proof of Theorem 1 (reconstructed).
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The pointwise inequality, its mean, the level in logarithms."""
    return [pointwise(), mean(), level()]


def pointwise() -> Finding:
    """1{Z > a} <= Z / a."""
    z, a = z3.Reals("Z a")
    indicator = z3.If(z > a, z3.RealVal(1), z3.RealVal(0))
    return implies(
        "pointwise",
        "the indicator of Z > a is at most Z / a, for Z >= 0 and a > 0",
        [z >= 0, a > 0],
        indicator <= z / a,
        [
            FalseImplication("Z >= 0 dropped", hypotheses=[a > 0]),
            FalseImplication("Z / (2 a)", conclusion=indicator <= z / (2 * a)),
        ],
    )


def level() -> Finding:
    """log(c / delta) = log c + log(1 / delta)."""
    c, delta = sympy.symbols("c delta", positive=True)
    left = sympy.log(c / delta)
    return identity(
        "level",
        "log(c / delta) = log c + log(1/delta) for c, delta > 0",
        left,
        sympy.log(c) + sympy.log(1 / delta),
        [FalseIdentity("log(delta)", left, sympy.log(c) + sympy.log(delta))],
    )


def mean() -> Finding:
    """P(Z > level) <= E Z / level <= delta at the level c / delta."""
    expected, c, delta, height, probability = z3.Reals("E_Z c delta level P")
    given = [c > 0, delta > 0, height * delta == c, probability <= expected / height]
    return implies(
        "mean",
        "P(Z > a) <= E Z / a, E Z <= c, c, delta > 0 and a = c / delta imply P(Z > a) <= delta",
        [*given, expected <= c],
        probability <= delta,
        [FalseImplication("E Z <= 2 c", hypotheses=[*given, expected <= 2 * c])],
    )
