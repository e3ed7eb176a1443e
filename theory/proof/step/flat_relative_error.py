"""False: the remainder of flat-is-penalty-gradient is always O(rho) of the first-order part. It may be all there is.

L = x + x^3 + y at 0, the trunk x, the head y: g = (1, 1), and the Hessian is 0, so the penalty's gradient rho_sh H_ss
g_sh/||g_sh|| + rho_ns H_sn g_ns/||g_ns|| is 0 at all radii. The flat gradient is 3 rho_sh^2, within the bound (M/2)
(rho_sh^2 + rho_ns^2) at M = 6. The relative error is O(rho) as rho -> 0 with rho_ns/rho_sh fixed where [H u]_sh is not
0, u the two unit gradients with that ratio: flat-is-penalty-gradient's finding "relative".
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import OppositeExistence, exists

x, y = sympy.symbols("x y", real=True)
rho_sh, rho_ns = sympy.symbols("rho_sh rho_ns", positive=True)
ZERO = sympy.Integer(0)


def check() -> list[Finding]:
    """The penalty's gradient, the flat gradient, and their ratio."""
    return [penalty(), flat(), relative()]


def loss(power: int) -> sympy.Expr:
    """x + x^power + y."""
    return x + x**power + y


def penalty_gradient(power: int) -> sympy.Expr:
    """The derivative by x of rho_sh |L_x| + rho_ns |L_y| at 0, where both are positive."""
    shared, head = (sympy.diff(loss(power), symbol) for symbol in (x, y))
    return sympy.diff(rho_sh * sympy.sqrt(shared**2) + rho_ns * sympy.sqrt(head**2), x).subs({x: 0, y: 0})


def flat_gradient(power: int) -> sympy.Expr:
    """L_x at (rho_sh, rho_ns) less that at 0."""
    slope = sympy.diff(loss(power), x)
    return slope.subs({x: rho_sh, y: rho_ns}) - slope.subs({x: 0, y: 0})


def penalty() -> Finding:
    """It vanishes."""
    return identity(
        "penalty",
        "L = x + x^3 + y: the derivative by x of rho_sh |L_x| + rho_ns |L_y| at (0, 0) is 0",
        penalty_gradient(3),
        ZERO,
        [FalseIdentity("x^2 in place of x^3", penalty_gradient(2), ZERO)],
    )


def flat() -> Finding:
    """3 rho_sh^2."""
    return identity(
        "flat",
        "L = x + x^3 + y, whose gradient at (0, 0) is (1, 1): L_x at (rho_sh, rho_ns) exceeds L_x at (0, 0) by "
        "3 rho_sh^2",
        flat_gradient(3),
        3 * rho_sh**2,
        [FalseIdentity("x^2 in place of x^3", flat_gradient(2), 3 * rho_sh**2)],
    )


def relative() -> Finding:
    """3 rho^2 <= c rho |first-order part|."""
    rho, c, first_order = z3.Reals("rho c first_order")
    bounded = [rho > 0, c > 0, 3 * rho * rho <= c * rho * first_order]
    return exists(
        "relative",
        "for some c, rho = rho_sh > 0 the remainder 3 rho^2 is at most c rho times the first-order part, which is 0",
        [*bounded, first_order == 0],
        [OppositeExistence("a first-order part of rho", [*bounded, first_order == rho])],
    )
