r"""Donsker and Varadhan: E_Q f <= KL(Q || P) + log E_P e^f whenever E_P e^f is finite.

Only KL(Q || P) < infinity says something (else the right side is infinite, and E_Q f may not exist), so Q has a density
q with respect to P. Let Z = E_P e^f, which is positive, and p_f = e^f / Z, the density of the tilted law P_f. Where q >
0,
    log q - f + log Z = log(q / p_f) >= 1 - p_f / q,
by log t <= t - 1 at t = p_f / q; multiplied by q and solved for f,
    q f <= q log q + q log Z - q + p_f.
Where q = 0 this reads 0 <= p_f. The right side is integrable with respect to P, so E_Q f exists (-infinity is
possible), and integrating gives E_Q f <= KL(Q || P) + log Z - 1 + 1. The terms that were dropped are KL(Q || P_f).

Paper: proof of Theorem 1 (reconstructed).
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The log-density ratio, the pointwise inequality, its integral, and the whole on three atoms."""
    return [ratio(), pointwise(), integrated(), three_atoms()]


def ratio() -> Finding:
    """log q - f + log Z = log(q / p_f)."""
    q, mass = sympy.symbols("q Z", positive=True)
    f = sympy.Symbol("f", real=True)
    left = sympy.log(q) - f + sympy.log(mass)
    return identity(
        "ratio",
        "log q - f + log Z = log(q / (e^f / Z)) for q, Z > 0 and real f",
        left,
        sympy.log(q / (sympy.exp(f) / mass)),
        [FalseIdentity("the tilted density not normalised", left, sympy.log(q / sympy.exp(f)))],
    )


def pointwise() -> Finding:
    """q f <= q log q + q log Z - q + p_f where q > 0."""
    q, tilted, f, log_q, log_mass, log_ratio = z3.Reals("q tilted f log_q log_Z log_ratio")
    given = [q > 0, tilted > 0, log_ratio == log_q - f + log_mass]
    gibbs = -log_ratio <= tilted / q - 1
    bound = q * log_q + q * log_mass - q + tilted
    return implies(
        "pointwise",
        "q, p_f > 0, log(q / p_f) = log q - f + log Z and -log(q / p_f) <= p_f / q - 1 imply "
        "q f <= q log q + q log Z - q + p_f",
        [*given, gibbs],
        q * f <= bound,
        [
            FalseImplication("log t <= t - 1 not used", hypotheses=given),
            FalseImplication("q < 0", hypotheses=[q < 0, *given[1:], gibbs]),
            FalseImplication("half of p_f", conclusion=q * f <= bound - tilted / 2),
        ],
    )


def integrated() -> Finding:
    """The integral of the pointwise inequality, term by term."""
    left, kl, log_mass, total, tilted = z3.Reals("E_Q_f KL log_Z total tilted")
    masses = [total == 1, tilted == 1]
    bound = left <= kl + log_mass * total - total + tilted
    return implies(
        "integrated",
        "E_Q f <= KL + log Z E_P q - E_P q + E_P p_f and E_P q = E_P p_f = 1 imply E_Q f <= KL + log Z",
        [*masses, bound],
        left <= kl + log_mass,
        [
            FalseImplication("Q of mass less than one", hypotheses=[total < 1, total > 0, tilted == 1, bound]),
            FalseImplication("KL forgotten", conclusion=left <= log_mass),
        ],
    )


def three_atoms() -> Finding:
    """The inequality itself for every P and f on three atoms and the uniform Q, exponentiated and cubed."""
    x, y, z = z3.Reals("x y z")
    given = [x > 0, y > 0, z > 0]
    total = x + y + z
    return implies(
        "three-atoms",
        "three atoms, Q uniform, x, y, z the values of P e^f: e^{3 (E_Q f - KL)} = 27 x y z <= (x + y + z)^3",
        given,
        27 * x * y * z <= total * total * total,
        [
            FalseImplication("28 in place of 27", conclusion=28 * x * y * z <= total * total * total),
            FalseImplication("a signed P", hypotheses=[x > 0, y < 0, z < 0]),
        ],
    )
