r"""E cos(k (x + eps)) = e^{-k^2 v/2} cos(k x), eps of variance v; a smooth loss in [0, 1] made of two cosines.

cos(k (x + eps)) = cos(k x) cos(k eps) - sin(k x) sin(k eps), and the mean of the sine is 0. So
    W(x) = 1/2 - cos(x)/4 + cos(2 x)/8
has W(0) - 1/2 = -1/8, W''(0) = 1/4 - 1/2 = -1/4, and E W(eps) - W(0) = (1 - e^{-v/2})/4 - (1 - e^{-2v})/8. With c =
cos x it is 3/8 - c/4 + c^2/4, in [1/8, 7/8]; so is 1 - W.

Paper: ours; for what is said of the Gaussian assumption.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.chain.gauss_semigroup import density
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies

K, V = sympy.symbols("k v", positive=True)
X, Y = sympy.symbols("x y", real=True)
WAVES = sympy.Rational(1, 2) - sympy.cos(X) / 4 + sympy.cos(2 * X) / 8
GAIN = (1 - sympy.exp(-V / 2)) / 4 - (1 - sympy.exp(-2 * V)) / 8
"""E W(eps) - W(0)."""


def check() -> list[Finding]:
    """The two means, the sum of angles; of the two cosines the gain, the second derivative, the range."""
    return [cosine(), sine(), angles(), gain(), curvature(), values()]


def mean(wave: sympy.Expr) -> sympy.Expr:
    """Under the density of variance v."""
    return sympy.integrate(wave * density(Y, V), (Y, -sympy.oo, sympy.oo))


def cosine() -> Finding:
    """E cos(k eps)."""
    left = mean(sympy.cos(K * Y))
    return identity(
        "cosine",
        "E cos(k eps) = e^{-k^2 v/2} for k, v > 0 (sympy's integrator)",
        left,
        sympy.exp(-(K**2) * V / 2),
        [FalseIdentity("e^{-k v/2}", left, sympy.exp(-K * V / 2))],
    )


def sine() -> Finding:
    """E sin(k eps)."""
    return identity(
        "sine",
        "E sin(k eps) = 0 for k, v > 0 (sympy's integrator)",
        mean(sympy.sin(K * Y)),
        sympy.Integer(0),
        [FalseIdentity("of cos(k eps)", mean(sympy.cos(K * Y)), sympy.Integer(0))],
    )


def angles() -> Finding:
    """cos(k (x + eps))."""
    left = sympy.cos(K * (X + Y)).expand(trig=True)
    right = sympy.cos(K * X) * sympy.cos(K * Y)
    product = sympy.sin(K * X) * sympy.sin(K * Y)
    return identity(
        "angles",
        "cos(k (x + y)) = cos(k x) cos(k y) - sin(k x) sin(k y) for k > 0 and real x, y",
        left,
        right - product,
        [FalseIdentity("the sign of the sines", left, right + product)],
    )


def gain() -> Finding:
    """cos(k eps) replaced by its mean."""
    terms = {1: -sympy.Rational(1, 4), 2: sympy.Rational(1, 8)}
    mean_of_waves = sympy.Rational(1, 2) + sum(
        a * sympy.exp(-(sympy.Integer(k) ** 2) * V / 2) for k, a in terms.items()
    )
    left = mean_of_waves - WAVES.subs(X, 0)
    return identity(
        "gain",
        "W = 1/2 - cos(x)/4 + cos(2x)/8: E W(eps) - W(0) = (1 - e^{-v/2})/4 - (1 - e^{-2v})/8, from E cos(k eps) = "
        "e^{-k^2 v/2}",
        left,
        GAIN,
        [FalseIdentity("e^{-v} for both", left, GAIN.subs(sympy.exp(-2 * V), sympy.exp(-V / 2)))],
    )


def curvature() -> Finding:
    """W''(0)."""
    second = sympy.diff(WAVES, X, 2)
    return identity(
        "curvature",
        "W = 1/2 - cos(x)/4 + cos(2x)/8 has W''(0) = -1/4",
        second.subs(X, 0),
        -sympy.Rational(1, 4),
        [FalseIdentity("at pi", second.subs(X, sympy.pi), -sympy.Rational(1, 4))],
    )


def values() -> Finding:
    """cos 2x = 2 c^2 - 1."""
    c = z3.Real("cos_x")
    waves = z3.Q(1, 2) - c / 4 + (2 * c * c - 1) / 8
    return implies(
        "values",
        "-1 <= cos x <= 1 and cos 2x = 2 cos^2 x - 1 imply 1/8 <= W <= 7/8",
        [c >= -1, c <= 1],
        z3.And(8 * waves >= 1, 8 * waves <= 7),
        [FalseImplication("at most 3/4", conclusion=z3.And(8 * waves >= 1, 8 * waves <= 6))],
    )
