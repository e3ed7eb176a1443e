r"""Where the theorem does not reach, by its hypotheses: losses without a bound, and balls that are not the theorem's.

Cross entropy of two classes at logit margin z against the label is log(1 + e^z) = z + log(1 + e^{-z}) > z, so every L
is exceeded; the absolute error of a depth is, too. Of the losses trained here only that of the normals, one minus a
cosine, has a bound: it lies in [0, 2] (Cauchy-Schwarz). The adaptive step eps = rho w^2 g / || |w| g || has norm at
least c rho where all |w_j| >= c, so it leaves the ball of radius rho for c > 1; and for |w_j| < 1 the adaptive ball {
||eps / |w| || <= rho } does not hold the ball of radius rho. Neither contains the other, so a maximum over one says
nothing on the other's.

Paper: Theorem 1 (bounded loss); the authors' code (adaptive perturbations).
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """Two losses without a bound, one with, then both directions between the balls."""
    return [softplus(), cross_entropy(), absolute_error(), cosine(), outside(), inside()]


def softplus() -> Finding:
    """log(1 + e^z) = z + log(1 + e^{-z})."""
    z = sympy.Symbol("z", real=True)
    left = 1 + sympy.exp(z)
    return identity(
        "softplus",
        "1 + e^z = e^z (1 + e^{-z}), so log(1 + e^z) = z + log(1 + e^{-z}), for real z",
        left,
        sympy.exp(z) * (1 + sympy.exp(-z)),
        [FalseIdentity("the sign of z flipped", left, sympy.exp(-z) * (1 + sympy.exp(-z)))],
    )


def cross_entropy() -> Finding:
    """At margin z = L it exceeds L."""
    bound, margin, power, rest, loss = z3.Reals("L z exp_minus_z log_rest loss")
    given = [power > 0, -rest <= 1 / (1 + power) - 1, loss == margin + rest]
    return implies(
        "cross-entropy",
        "for every L: log(1 + e^z) = z + log(1 + e^{-z}), -log(1 + e^{-z}) <= 1/(1 + e^{-z}) - 1 and e^{-z} > 0 imply "
        "log(1 + e^z) > L at z = L",
        [*given, margin == bound],
        loss > bound,
        [FalseImplication("at z = L - 1", hypotheses=[*given, margin == bound - 1])],
    )


def absolute_error() -> Finding:
    """|output - target| at output = target + L + 1."""
    bound, output, target = z3.Reals("L output target")
    error = z3.If(output >= target, output - target, target - output)
    return implies(
        "absolute-error",
        "for every L >= 0 and target: |output - target| > L at output = target + L + 1",
        [bound >= 0, output == target + bound + 1],
        error > bound,
        [FalseImplication("output = target + L / 2", hypotheses=[bound >= 0, output == target + bound / 2])],
    )


def cosine() -> Finding:
    """0 <= 1 - <x, y> / (||x|| ||y||) <= 2."""
    inner, x, y, cos = z3.Reals("p norm_x norm_y cos")
    given = [x > 0, y > 0, cos * x * y == inner]
    return implies(
        "cosine",
        "p = <x, y> with p^2 <= ||x||^2 ||y||^2, ||x||, ||y|| > 0 and cos = p / (||x|| ||y||): 0 <= 1 - cos <= 2",
        [*given, inner * inner <= x * x * y * y],
        z3.And(1 - cos >= 0, 1 - cos <= 2),
        [
            FalseImplication("without Cauchy-Schwarz", hypotheses=given),
            FalseImplication("at most 1", [*given, inner * inner <= x * x * y * y], 1 - cos <= 1),
        ],
    )


def outside() -> Finding:
    """||eps|| >= c rho for the adaptive step, two parameters."""
    weights, gradients = z3.RealVector("w", 2), z3.RealVector("g", 2)
    norm, rho, c = z3.Reals("norm rho c")
    scaled = [w * g for w, g in zip(weights, gradients, strict=True)]
    step = [rho * w * s / norm for w, s in zip(weights, scaled, strict=True)]
    given = [rho > 0, norm > 0, norm * norm == sum(s * s for s in scaled), c > 0]
    return implies(
        "outside",
        "two parameters with |w_j| >= c > 0, rho > 0, n = || |w| g || > 0: eps = rho w^2 g / n has ||eps||^2 >= c^2 "
        "rho^2",
        [*given, *(w * w >= c * c for w in weights)],
        sum(s * s for s in step) >= c * c * rho * rho,
        [FalseImplication("|w_1| >= c only", hypotheses=[*given, weights[0] * weights[0] >= c * c])],
    )


def inside() -> Finding:
    """eps = rho along a parameter with |w| < 1."""
    rho, weight, ratio = z3.Reals("rho w ratio")
    given = [rho > 0, ratio * weight == rho]
    return implies(
        "inside",
        "0 < |w| < 1 and eps = rho > 0 along that parameter imply (eps / w)^2 > rho^2: eps is in the ball, not in "
        "the adaptive ball",
        [*given, weight * weight < 1],
        ratio * ratio > rho * rho,
        [FalseImplication("|w| > 1", hypotheses=[*given, weight * weight > 1])],
    )
