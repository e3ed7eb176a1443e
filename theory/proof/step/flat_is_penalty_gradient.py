"""g_flat = grad_sh(rho_sh ||g_sh|| + rho_ns ||g_ns||) + R with ||R|| <= (M/2)(rho_sh^2 + rho_ns^2).

For a loss L of trunk and head that is twice differentiable with an M-Lipschitz Hessian H (in the spectral norm), at a
point where neither block g_sh, g_ns of its gradient is zero; eps = (rho_sh g_sh/||g_sh||, rho_ns g_ns/||g_ns||).

1. ||eps||^2 = rho_sh^2 + rho_ns^2: both blocks move at once.
2. The derivative of rho ||g|| along a direction e of the trunk is rho <g, H e>/||g||, for both blocks; H is
   symmetric, so together they are <[H eps]_sh, e>: the gradient of the penalty is [H eps]_sh.
3. R = g_sh(theta + eps) - g_sh - [H eps]_sh. For a unit vector v of the trunk let psi(t) = <v, g(theta + t eps) - g -
   t H eps> - (M/2) t^2 ||eps||^2. Then psi(0) = 0 and psi'(t) = <v, (H(theta + t eps) - H) eps> - M t ||eps||^2 <= 0,
   so psi(1) <= 0 by the mean value theorem; take v along R.
4. The constant can not be improved, whatever the radii: a cubic attains it (sharp-remainder).
5. The relative error: where the first-order part is rho h, h > 0, the remainder is O(rho) of it. Where h = 0 it may be
   all there is (flat-relative-error).
6. On quadratics the Hessian is constant, M = 0 and R = 0: g_flat = rho_sh H_ss g_sh/||g_sh|| + rho_ns H_sn
   g_ns/||g_ns||.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies

rho_sh, rho_ns, n_sh, n_ns = sympy.symbols("rho_sh rho_ns n_sh n_ns", positive=True)


def lengths() -> list[Finding]:
    """Of the perturbation."""
    return [length()]


def check() -> list[Finding]:
    """Gradient of the penalty, remainder, quadratics, relative error."""
    return [derivative_of_a_norm(), symmetric(), remainder(), quadratic(), relative()]


def length() -> Finding:
    """||eps||^2 = rho_sh^2 + rho_ns^2."""
    squared = (rho_sh / sympy.sqrt(n_sh)) ** 2 * n_sh + (rho_ns / sympy.sqrt(n_ns)) ** 2 * n_ns
    return identity(
        "length",
        "with n_b = ||g_b||^2 > 0: sum_b ||rho_b g_b / ||g_b|| ||^2 = rho_sh^2 + rho_ns^2",
        squared,
        rho_sh**2 + rho_ns**2,
        [FalseIdentity("the radii are added", squared, (rho_sh + rho_ns) ** 2)],
    )


def derivative_of_a_norm() -> Finding:
    """d/dt ||g + t H e|| = <g, H e> / ||g|| at t = 0."""
    inner, curvature = sympy.symbols("p q", real=True)
    t = sympy.Symbol("t", real=True)
    moved = sympy.sqrt(n_sh + 2 * t * inner + t**2 * curvature)
    slope = sympy.diff(moved, t).subs(t, 0)
    return identity(
        "derivative-of-a-norm",
        "with n = ||g||^2 > 0, p = <g, H e>, q = ||H e||^2: the derivative of ||g + t H e|| at t = 0 is p / sqrt n",
        slope,
        inner / sympy.sqrt(n_sh),
        [
            FalseIdentity("a factor 2", slope, 2 * inner / sympy.sqrt(n_sh)),
            FalseIdentity("of the squared norm", slope, 2 * inner),
        ],
    )


def symmetric() -> Finding:
    """<g, H e> = <H g, e>, summand by summand, with both radii."""
    gradient, entry, mirrored, direction, factor = sympy.symbols("g_i H_ij H_ji e_j rho_i", real=True)
    left = factor * gradient * entry * direction
    right = entry * factor * gradient * direction
    return identity(
        "symmetric",
        "with H_ji = H_ij: sum_i (rho_i g_i / ||g||_i) (H e)_i = sum_j (H eps)_j e_j, summand by summand (rho_i: "
        "radius over norm of the block of i); e has coordinates of the trunk only, so the right side is <[H eps]_sh, "
        "e>",
        left,
        right,
        [FalseIdentity("H_ji is another number", left, mirrored * factor * gradient * direction)],
    )


def remainder() -> Finding:
    """psi' <= 0 on [0, 1]."""
    slope, lipschitz, e, t = z3.Reals("slope M e t")
    given = [lipschitz >= 0, e >= 0, t >= 0, t <= 1]
    bound = lipschitz * t * e * e
    half = z3.Q(1, 2)

    def falls(constant: z3.ArithRef) -> z3.BoolRef:
        return slope - 2 * constant * bound <= 0

    return implies(
        "remainder",
        "slope = <v, (H(theta + t eps) - H(theta)) eps> with ||v|| = 1, e = ||eps|| and an M-Lipschitz Hessian, "
        "|slope| <= (M t e) e, makes psi(t) = <v, g(theta + t eps) - g - t H eps> - (1/2) M e^2 t^2 fall for 0 <= t "
        "<= 1",
        [*given, slope * slope <= bound * bound],
        falls(half),
        [
            FalseImplication("the constant 1/4", conclusion=falls(half / 2)),
            FalseImplication("a Hessian that is 2 M-Lipschitz", [*given, slope * slope <= 4 * bound * bound]),
        ],
    )


def quadratic() -> Finding:
    """H (theta + eps) + b - (H theta + b) = H eps, summand by summand."""
    entry, point, step, shift = sympy.symbols("H_ij theta_j eps_j b_i", real=True)
    left = entry * (point + step) + shift - (entry * point + shift)
    return identity(
        "quadratic",
        "L = (1/2) theta' H theta + b' theta: g(theta + eps) - g(theta) = H eps exactly, summand by summand",
        left,
        entry * step,
        [FalseIdentity("a factor 1/2 as in the loss", left, entry * step / 2)],
    )


def relative() -> Finding:
    """||R|| <= c rho ||[H eps]_sh|| with c = M (a^2 + b^2) / (2 h)."""
    rest, lipschitz, rho, a, b, h, c = z3.Reals("R M rho a b h c")
    given = [lipschitz >= 0, rho > 0, h > 0, 2 * rest <= lipschitz * rho * rho * (a * a + b * b)]
    numerator = lipschitz * (a * a + b * b)
    return implies(
        "relative",
        "radii a rho and b rho, first-order part rho h with h = ||a H_ss g_sh/||g_sh|| + b H_sn g_ns/||g_ns|| || > 0, "
        "and c = M (a^2 + b^2) / (2 h): R <= (M/2) (a^2 + b^2) rho^2 implies R <= c rho (rho h), a relative error "
        "O(rho)",
        [*given, 2 * c * h == numerator],
        rest <= c * rho * (rho * h),
        [FalseImplication("a constant that ignores h", hypotheses=[*given, 2 * c == numerator])],
    )
