r"""One Gaussian with sigma = rho / (sqrt T + sqrt(log N)) for two balls, T = k_sh + k_i and rho their joint radius
sqrt(rho_sh^2 + rho_ns^2): that it stays in both with probability >= 1 - 1/sqrt N is REFUTED.

It stays in the ball of radius rho, which is larger than the product of the two. With k_sh = k_i = 1 both coordinates
are independent, and the probability is erf(rho_sh / (sigma sqrt 2)) erf(rho_ns / (sigma sqrt 2)). Unequal radii: at
rho_sh = 1, rho_ns = 1/10, N = 4 it is less than 1/2 = 1 - 1/sqrt N. Equal radii: at N = 10^8 it is less than 1 - 10^-4,
since P(|eps_sh| > rho_sh) is of the order N^{-1/4}. Remedies: one-sigma-remedy, and two deviations (Theorem B).

Paper: Theorem 1, which has two radii and one Gaussian (reconstructed).
"""

import sympy

from theory.ledger import Finding
from theory.proof.kernels.interval import Claim, OppositeClaim, positive

Radii = tuple[sympy.Rational, sympy.Rational]
UNEQUAL: Radii = (sympy.Integer(1), sympy.Rational(1, 10))
EQUAL: Radii = (sympy.Integer(1), sympy.Integer(1))


def check() -> list[Finding]:
    """Unequal radii and few samples, equal radii and many."""
    return [
        outside("unequal-radii", UNEQUAL, sympy.Integer(4)),
        outside("equal-radii", EQUAL, sympy.Integer(10) ** 8),
    ]


def margin(radii: Radii, n: sympy.Integer, sigma: sympy.Expr) -> sympy.Expr:
    """P(|eps_sh| <= rho_sh, |eps_i| <= rho_ns) - (1 - 1/sqrt N) for one parameter in each block."""
    shared, head = (sympy.erf(radius / (sigma * sympy.sqrt(2))) for radius in radii)
    return shared * head - (1 - 1 / sympy.sqrt(n))


def outside(name: str, radii: Radii, n: sympy.Integer) -> Finding:
    """The margin is negative at the joint radius, and positive with the remedy's sigma."""
    shared, head = radii
    joint = sympy.sqrt(shared**2 + head**2) / (sympy.sqrt(2) + sympy.sqrt(sympy.log(n)))
    remedy = min(radii) / (1 + sympy.sqrt(sympy.log(4 * n)))
    return positive(
        name,
        f"f = P(|eps_sh| <= {shared} and |eps_i| <= {head}) - (1 - 1/sqrt N) >= 0 for eps ~ N(0, sigma^2 I) in R^2, "
        f"sigma = sqrt({shared}^2 + ({head})^2) / (sqrt 2 + sqrt(log N)), N = {n}",
        Claim(margin(radii, n, joint), {}, strict=False),
        [OppositeClaim("sigma = min_b rho_b / (1 + sqrt(log 4N))", Claim(margin(radii, n, remedy), {}, strict=False))],
    )
