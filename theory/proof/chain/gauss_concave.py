r"""That every bounded loss satisfies L_D(theta) <= E L_D(theta + eps), if only where L_S is least: REFUTED.

One parameter, u = e^{-theta^2/2}, eps of variance v = 3; then E u at theta = 0 is s = 1/sqrt(1 + v) = 1/2
(gauss-semigroup).

At a maximum: the smooth loss l = u, in [0, 1], has L_D(0) = 1 > 1/2. That it fails at every global maximum of a
continuous L_D that is not constant, for every variance, is gauss-maximum; at a point where L_D is concave it may hold
(gauss-sign).

At the returned parameter: data z with P(z = 1) = p, l = 1 - u where z = 1 and u where z = 0, so
L_D = p (1 - u) + (1 - p) u. Let k of N samples have z = 1, N odd. L_S = (k/N)(1 - u) + (1 - k/N) u falls in u if
k > N/2, and then has its only minimiser at theta = 0, where u = 1; else it has none, as u > 0. At theta = 0 the
assumption is 1 - p <= p (1 - s) + (1 - p) s, which is false for p < 1/2: with p = 1/4 and N = 3 the parameter
returned violates it with probability 5/32. For every v > 0 and p < 1/2 the same happens: (1 - 2p)(1 - s) > 0.

Paper: the assumption of Theorem 1 (reconstructed).
"""

from fractions import Fraction

import z3

from theory.ledger import Finding
from theory.proof.kernels.enumeration import Case, Comparison, OppositeFamily, Space, for_all, independent
from theory.proof.kernels.smt import FalseImplication, implies

MEAN_OF_BUMP = Fraction(1, 2)
"""1/sqrt(1 + v) at v = 3."""


def check() -> list[Finding]:
    """At a maximum of L_D, for every variance at a mixture, at what training returns."""
    return [at_a_maximum(), at_a_mixture(), at_the_returned()]


def bump() -> tuple[list[z3.BoolRef], z3.ArithRef]:
    """s = 1/sqrt(1 + v)."""
    v, s = z3.Reals("v s")
    return [v > 0, s > 0, s * s * (1 + v) == 1], s


def at_a_maximum() -> Finding:
    """1 <= s."""
    given, s = bump()
    return implies(
        "at-a-maximum",
        "s = 1/sqrt(1 + v), v > 0: the loss e^{-theta^2/2}, at theta = 0, has L_D(0) = 1 <= E L_D(eps) = s",
        given,
        s >= 1,
        [FalseImplication("the loss 1 - e^{-theta^2/2}: 0 <= 1 - s", conclusion=1 - s >= 0)],
    )


def at_a_mixture() -> Finding:
    """1 - p <= p (1 - s) + (1 - p) s."""
    given, s = bump()
    p = z3.Real("p")
    inside = [*given, p > 0, p < 1]
    assumption = 1 - p <= p * (1 - s) + (1 - p) * s
    return implies(
        "at-a-mixture",
        "0 < p < 1, s = 1/sqrt(1 + v), v > 0: p (1 - u) + (1 - p) u, u = e^{-theta^2/2}, has L_D(0) <= E L_D(eps)",
        inside,
        assumption,
        [FalseImplication("p >= 1/2", hypotheses=[*inside, 2 * p >= 1])],
    )


def at_the_returned() -> Finding:
    """P(L_S has its minimiser at 0 and the assumption fails there) = 0."""
    return for_all(
        "at-the-returned",
        "L_D as in at-a-mixture, v = 3, N = 3 samples, p = 1/4: the probability that L_S is least at theta = 0 alone "
        "and L_D(0) > E L_D(eps) is 0",
        [returned(Fraction(1, 4))],
        [OppositeFamily("p = 3/4", [returned(Fraction(3, 4))])],
    )


def returned(p: Fraction) -> Case:
    """Three samples."""
    space = independent([Space({1: p, 0: 1 - p})] * 3)
    fails = mixture(p, Fraction(1)) > mixture(p, MEAN_OF_BUMP)

    def least_at_zero(sample: tuple[int, ...]) -> bool:
        share = Fraction(sum(sample), len(sample))
        return mixture(share, Fraction(1)) < mixture(share, Fraction(0))

    violated = space.probability(lambda sample: least_at_zero(sample) and fails)
    return Case(f"p = {p}", space, Comparison("P(violated where returned)", violated, "=", Fraction(0)))


def mixture(p: Fraction, u: Fraction) -> Fraction:
    """p (1 - u) + (1 - p) u, affine in u: least at u = 1, that is theta = 0, exactly when it falls."""
    return p * (1 - u) + (1 - p) * u
