"""The worst case of a linearised loss on one ball: max of <g, eps> over ||eps|| <= rho is rho ||g||, at rho g / ||g||.

Cauchy-Schwarz bounds <g, eps> by ||g|| ||eps|| <= rho ||g||; eps = rho g / ||g|| attains it, and nothing else does
unless g = 0, where every eps gives 0 and the step takes eps = 0. All in inner products, so in every dimension.

Paper: eq. 7, eq. 11
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The bound, the point that attains it, its length, and that it is the only one."""
    return [bounded(), attained(), on_the_sphere(), unique()]


def bounded() -> Finding:
    """<g, eps> <= rho ||g||."""
    p, g, e, rho = z3.Reals("p g e rho")
    given = [g >= 0, e >= 0, p * p <= g * g * e * e]
    return implies(
        "bounded",
        "p = <g, eps>, g = ||g||, e = ||eps|| <= rho with p^2 <= g^2 e^2 have p <= rho g",
        [*given, e <= rho],
        p <= rho * g,
        [FalseImplication("||eps|| <= 2 rho", hypotheses=[*given, e <= 2 * rho, rho >= 0])],
    )


def attained() -> Finding:
    """<g, (rho / ||g||) g> = rho ||g||."""
    square, rho = sympy.symbols("n rho", positive=True)
    norm = sympy.sqrt(square)
    return identity(
        "attained",
        "with n = ||g||^2 > 0: <g, (rho / ||g||) g> = rho ||g||",
        rho / norm * square,
        rho * norm,
        [FalseIdentity("g is not divided by its norm", rho * square, rho * norm)],
    )


def on_the_sphere() -> Finding:
    """||(rho / ||g||) g||^2 = rho^2."""
    square, rho = sympy.symbols("n rho", positive=True)
    norm = sympy.sqrt(square)
    return identity(
        "on-the-sphere",
        "with n = ||g||^2 > 0: ||(rho / ||g||) g||^2 = rho^2",
        (rho / norm) ** 2 * square,
        rho**2,
        [FalseIdentity("divided by the squared norm", (rho / square) ** 2 * square, rho**2)],
    )


def unique() -> Finding:
    """||eps - (rho / ||g||) g||^2 = e^2 - 2 (rho / ||g||) p + rho^2 <= 0 for every maximiser."""
    p, g, e, rho = z3.Reals("p g e rho")
    given = [g > 0, rho >= 0, e >= 0, e <= rho]
    apart = e * e * g - 2 * rho * p + rho * rho * g
    return implies(
        "unique",
        "p = <g, eps> >= rho g with g = ||g|| > 0 and e = ||eps|| <= rho gives ||g|| ||eps - rho g / ||g|| ||^2 = "
        "g e^2 - 2 rho p + rho^2 g <= 0: there is no other maximiser",
        [*given, p >= rho * g],
        apart <= 0,
        [FalseImplication("half the maximum", hypotheses=[*given, 2 * p >= rho * g])],
    )
