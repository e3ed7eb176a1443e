r"""For T = 1 or 2, a loss in [0, 1] with the Gaussian assumption at every theta is constant almost everywhere.

One variance v > 0 is enough. Let f be measurable with values in [0, 1], P_w f(x) = E f(x + sqrt(w) xi), and
f <= P_v f everywhere.
1. P_v keeps inequalities and P_nv P_v = P_{(n+1) v} (gauss-semigroup), so P_nv f is nondecreasing in n. With
   g = P_v f - f >= 0, the sum of P_nv g over n < N telescopes to P_Nv f - f <= 1.
2. That sum is g(x) and the integral of g(y) G_N(x - y) over y, G_N = phi_v + .. + phi_{(N-1) v}. For T <= 2,
   phi_nv(z) >= (2 pi v)^{-T/2} e^{-|z|^2/(2v)} / n, whose sum over n diverges, as M terms with n <= 2 M sum to 1/2.
   So G_N increases to infinity everywhere, and by monotone convergence g = 0 almost everywhere.
3. Hence h = P_v f has h = P_v h = P_nv h. With w = n v and d = |x - y|, |h(x) - h(y)| is at most the integral of
   |phi_w(z) - phi_w(z - d)| over the coordinate along x - y (the other integrates to 1), since 0 <= h <= 1. That is
   2 erf(d / (2 sqrt(2 w))), which tends to 0. So h is constant, and f = h almost everywhere.
Step 2 needs T <= 2: for T = 3 the terms are n^{-3/2}, and there is a nonconstant loss (gauss-high-dimension).

Paper: the assumption of Theorem 1 (reconstructed), taken for all theta.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.chain.gauss_semigroup import density
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The telescope, the divergence, the distance of two shifted Gaussians."""
    return [telescope(), exponent(), one_dimension(), harmonic(), nearer(), shifted(), limit()]


def telescope() -> Finding:
    """One more term, and the bound."""
    total, first, now, following = z3.Reals("sum f_x P_n_f P_n_plus_1_f")
    given = [total == now - first, first >= 0, following <= 1]
    longer = total + (following - now)
    return implies(
        "telescope",
        "sum = P_nv f - f, f >= 0 and P_{(n+1)v} f <= 1 imply sum + (P_{(n+1)v} f - P_nv f) = P_{(n+1)v} f - f <= 1",
        given,
        z3.And(longer == following - first, longer <= 1),
        [FalseImplication("f >= 0 dropped", hypotheses=[given[0], given[2]])],
    )


def exponent() -> Finding:
    """-|z|^2/(2 n v) >= -|z|^2/(2 v)."""
    squared, n, v = z3.Reals("z_squared n v")
    given = [squared >= 0, v > 0]
    return implies(
        "exponent",
        "|z|^2 >= 0, v > 0 and n >= 1 imply -|z|^2/(2 n v) >= -|z|^2/(2 v)",
        [*given, n >= 1],
        -squared / (2 * n * v) >= -squared / (2 * v),
        [FalseImplication("n > 0 only", hypotheses=[*given, n > 0])],
    )


def one_dimension() -> Finding:
    """n^{-T/2} >= 1/n for T = 1, 2."""
    root = z3.Real("root_n")
    return implies(
        "dimension",
        "r = sqrt n >= 1 implies r^{-T} >= r^{-2}, for T = 1 and T = 2",
        [root >= 1],
        z3.And(1 / root >= 1 / (root * root), 1 / (root * root) >= 1 / (root * root)),
        [FalseImplication("T = 3", conclusion=1 / (root * root * root) >= 1 / (root * root))],
    )


def harmonic() -> Finding:
    """The M terms 1/(M + 1), .., 1/(2 M), each at least 1/(2 M)."""
    n, m, total, count = z3.Reals("n M sum count")
    given = [m >= 1, n >= 1, total >= count / (2 * m)]
    conclusion = total + 1 / n >= (count + 1) / (2 * m)
    return implies(
        "harmonic",
        "a sum of c terms that is >= c/(2 M), and one more, 1/n with 1 <= n <= 2 M, is >= (c + 1)/(2 M); at c = M: 1/2",
        [*given, n <= 2 * m],
        z3.And(conclusion, m / (2 * m) == z3.RealVal(1) / 2),
        [FalseImplication("n <= 3 M", hypotheses=[*given, n <= 3 * m])],
    )


def nearer() -> Finding:
    """phi_w(z) >= phi_w(z - d) exactly for z <= d/2."""
    z, d = z3.Reals("z d")
    return implies(
        "nearer",
        "d > 0: z^2 <= (z - d)^2 exactly where z <= d/2",
        [d > 0],
        (z * z <= (z - d) * (z - d)) == (2 * z <= d),
        [FalseImplication("z <= d", conclusion=(z * z <= (z - d) * (z - d)) == (z <= d))],
    )


def shifted() -> Finding:
    """The integral of |phi_w(z) - phi_w(z - d)|, without the sign on either half."""
    z = sympy.Symbol("z", real=True)
    d, w = sympy.symbols("d w", positive=True)
    difference = density(z, w) - density(z - d, w)
    halves = ((1, -sympy.oo, d / 2), (-1, d / 2, sympy.oo))
    integrals = (sympy.integrate(sign * term, (z, *ends)) for sign, *ends in halves for term in difference.args)
    left = sum(integrals, start=sympy.Integer(0)).rewrite(sympy.erf)
    right = 2 * sympy.erf(d / (2 * sympy.sqrt(2 * w)))
    return identity(
        "shifted",
        "|phi_w(z) - phi_w(z - d)|, integrated over z <= d/2 and z >= d/2, gives 2 erf(d/(2 sqrt(2 w))), d, w > 0",
        left,
        right,
        [FalseIdentity("2 erf(d/(2 sqrt w))", left, 2 * sympy.erf(d / (2 * sympy.sqrt(w))))],
    )


def limit() -> Finding:
    """It vanishes as w grows."""
    d, w = sympy.symbols("d w", positive=True)
    distance = 2 * sympy.erf(d / (2 * sympy.sqrt(2 * w)))
    return identity(
        "limit",
        "2 erf(d/(2 sqrt(2 w))) tends to 0 as w tends to infinity, for every d > 0",
        sympy.limit(distance, w, sympy.oo),
        sympy.Integer(0),
        [FalseIdentity("as w tends to 0", sympy.limit(distance, w, 0, "+"), sympy.Integer(0))],
    )
