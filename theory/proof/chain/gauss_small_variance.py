r"""For all small variances the sign of the trace decides: tr Hess L_D(theta) > 0 gives L_D(theta) < E L_D(theta + eps).

L_D with values in [0, 1], twice continuously differentiable on a ball around theta; g, H its gradient and Hessian
there, eps of variance v in each of T coordinates, e = ||eps||. Let 2 eta T = tr H, and r so small that the Hessian
changes by at most eta on the ball of radius r. Then with
    rest = L_D(theta + eps) - L_D(theta) - <g, eps> - <eps, H eps>/2
1. rest >= -eta e^2/2 for e <= r: it is <eps, (H(xi) - H) eps>/2 (Taylor, along the segment).
2. rest >= -C e^4 for e >= r: 1, e and e^2 are at most e^4/r^4, e^4/r^3 and e^4/r^2; C r^4 = 1 + ||g|| r + ||H|| r^2/2.
3. So rest >= -eta e^2/2 - C e^4 everywhere. As E <g, eps> = 0, E <eps, H eps> = v tr H, E e^2 = T v and E e^4 =
   T (T + 2) v^2, E L_D(theta + eps) - L_D(theta) >= (v/2) (tr H - eta T) - C T (T + 2) v^2, which is positive for
   0 < v < tr H/(4 C T (T + 2)).
For tr H < 0 take 1 - L_D: the assumption fails for all small v. At tr H = 0 nothing follows.

Paper: the assumption of Theorem 1 (reconstructed).
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.chain.gauss_second_order import V, moment
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """Near, far, the moments, the sign, and the mirror image."""
    return [near(), far(), squared(), fourth(), sign(), mirrored()]


def near() -> Finding:
    """Where the Hessian hardly changes."""
    rest, there, here, eta, square = z3.Reals("rest eps_H_xi_eps eps_H_eps eta e_squared")
    given = [eta > 0, square >= 0, 2 * rest == there - here]
    return implies(
        "near",
        "rest = <eps, (H(xi) - H) eps>/2 and |<eps, (H(xi) - H) eps>| <= eta e^2 imply rest >= -eta e^2/2",
        [*given, there - here >= -eta * square],
        rest >= -eta * square / 2,
        [FalseImplication("a change of 2 eta", hypotheses=[*given, there - here >= -2 * eta * square])],
    )


def far() -> Finding:
    """1 + a t + b t^2 <= (1 + a + b) t^4 with t = e/r >= 1, a = ||g|| r, b = ||H|| r^2/2."""
    rest, gain, linear, half, a, b, t = z3.Reals("rest gain linear half_quadratic a b t")
    given = [a >= 0, b >= 0, rest == gain - linear - half, gain >= -1, linear <= a * t, half <= b * t * t]
    return implies(
        "far",
        "t = e/r >= 1, L_D(theta + eps) - L_D(theta) >= -1, <g, eps> <= ||g|| e = a t, <eps, H eps>/2 <= ||H|| e^2/2 = "
        "b t^2 imply rest >= -(1 + a + b) t^4 = -C e^4",
        [*given, t >= 1],
        rest >= -(1 + a + b) * t * t * t * t,
        [FalseImplication("t < 1", hypotheses=[*given, t >= 0, t < 1])],
    )


def squared() -> Finding:
    """E e^2 = T v."""
    size = sympy.Symbol("T", positive=True)
    return identity(
        "squared",
        "T coordinates of second moment v (integrated): E e^2 = T v",
        size * moment(2),
        size * V,
        [FalseIdentity("T v^2", size * moment(2), size * V**2)],
    )


def fourth() -> Finding:
    """E e^4 = sum_j E eps_j^4 + sum_{j != k} E eps_j^2 E eps_k^2."""
    size = sympy.Symbol("T", positive=True)
    left = size * moment(4) + size * (size - 1) * moment(2) ** 2
    return identity(
        "fourth",
        "T fourth moments and T (T - 1) products of two second ones (integrated): E e^4 = T (T + 2) v^2",
        left,
        size * (size + 2) * V**2,
        [FalseIdentity("T^2 v^2", left, size**2 * V**2)],
    )


def sign() -> Finding:
    """(v/2) (tr H - eta T) - C T (T + 2) v^2 > 0."""
    gain, trace, eta, size, c, v = z3.Reals("gain trace eta T C v")
    given = [size >= 1, c > 0, v > 0, 2 * eta * size == trace]
    far_term = c * size * (size + 2) * v * v
    bound = gain >= v / 2 * (trace - eta * size) - far_term
    return implies(
        "sign",
        "gain >= (v/2) (tr H - eta T) - C T (T + 2) v^2, 2 eta T = tr H and 0 < v < tr H/(4 C T (T + 2)) imply gain > "
        "0",
        [*given, bound, 4 * far_term < v * trace],
        gain > 0,
        [FalseImplication("v twice as large", hypotheses=[*given, bound, 4 * far_term < 2 * v * trace])],
    )


def mirrored() -> Finding:
    """1 - L_D in place of L_D."""
    value, mean = z3.Reals("L_D E_L_D")
    return implies(
        "mirrored",
        "1 - L_D(theta) < E [1 - L_D(theta + eps)] = 1 - E L_D(theta + eps) implies L_D(theta) > E L_D(theta + eps)",
        [1 - value < 1 - mean],
        value > mean,
        [FalseImplication("<= in place of <", hypotheses=[1 - value <= 1 - mean])],
    )
