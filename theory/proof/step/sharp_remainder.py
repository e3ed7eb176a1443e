"""The constant of flat-is-penalty-gradient is the best for every pair of radii: a cubic in two parameters attains it.

With z = x + i y (x the trunk, y the head) and r = rho_sh + i rho_ns let L = (M/6) Re(c z^3) + linear terms, c =
conj(r)^2 / |r|^2, |c| = 1. Its Hessian at z is the matrix of w -> M conj(c z w): H(z)^2 = M^2 |z|^2 I, and H is
linear in z, so it is M-Lipschitz in the spectral norm, with equality for any two points. At z = 0 the Hessian is 0,
and linear terms with positive coefficients make eps = (rho_sh, rho_ns): R is the trunk's entry of the gradient of the
cubic at eps.
"""

import sympy

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity

x, y = sympy.symbols("x y", real=True)
M, rho_sh, rho_ns = sympy.symbols("M rho_sh rho_ns", positive=True)
SQUARED = rho_sh**2 + rho_ns**2
CUBIC = M / 6 * sympy.re(sympy.expand((rho_sh - sympy.I * rho_ns) ** 2 * (x + sympy.I * y) ** 3)) / SQUARED
HESSIAN = sympy.hessian(CUBIC, (x, y))


def check() -> list[Finding]:
    """The Lipschitz constant is M, and R is (M/2)(rho_sh^2 + rho_ns^2)."""
    return [*lipschitz(), attained()]


def lipschitz() -> list[Finding]:
    """H(z)^2 = M^2 |z|^2 I, and H(z) + H(z') = H(z + z')."""
    return [finding for i, j in ((0, 0), (0, 1), (1, 1)) for finding in (_squared(i, j), _linear(i, j))]


def _squared(i: int, j: int) -> Finding:
    found = (HESSIAN * HESSIAN)[i, j]
    expected = M**2 * (x**2 + y**2) * (1 if i == j else 0)
    return identity(
        f"squared-{i + 1}{j + 1}",
        f"entry ({i + 1}, {j + 1}) of H(z)^2 is that of M^2 (x^2 + y^2) I",
        found,
        expected,
        [FalseIdentity("an entry of M^2 (x + y)^2 more", found, expected + M**2 * (x + y) ** 2)],
    )


def _linear(i: int, j: int) -> Finding:
    there = {x: sympy.Symbol("a", real=True), y: sympy.Symbol("b", real=True)}
    first, second = HESSIAN[i, j], HESSIAN[i, j].subs(there, simultaneous=True)
    whole = HESSIAN[i, j].subs({x: x + there[x], y: y + there[y]}, simultaneous=True)
    return identity(
        f"linear-{i + 1}{j + 1}",
        f"entry ({i + 1}, {j + 1}): H(z) + H(z') = H(z + z')",
        first + second,
        whole,
        [FalseIdentity("H(z') counted twice", first + 2 * second, whole)],
    )


def attained() -> Finding:
    """dL/dx at eps is (M/2)(rho_sh^2 + rho_ns^2)."""
    rest = sympy.diff(CUBIC, x).subs({x: rho_sh, y: rho_ns}, simultaneous=True)
    return identity(
        "attained",
        "the derivative by x of the cubic at (rho_sh, rho_ns), where its gradient and Hessian at 0 vanish, is "
        "(M/2)(rho_sh^2 + rho_ns^2)",
        rest,
        M / 2 * SQUARED,
        [
            FalseIdentity("the trunk's radius alone", rest, M / 2 * rho_sh**2),
            FalseIdentity("the constant 1/4", rest, M / 4 * SQUARED),
        ],
    )
