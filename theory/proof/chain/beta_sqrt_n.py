r"""b = sqrt N turns Alquier's bound into E_Q L_D <= E_Q L_S + [KL + log(1/delta) + L^2/8] / sqrt N.

It is a choice made before the sample is seen. With K = KL + log(1/delta) no b > 0 gives less than L sqrt(K / (2 N)),
which b = sqrt(8 N K) / L does; and the choice b = sqrt N costs (sqrt K - L / sqrt 8)^2 / sqrt N more than that: nothing
exactly where K = L^2/8, so it is loose on both sides of it. Where K is large, as it is for networks, it is of the order
K / sqrt N in place of sqrt(K / N); where K is small L^2 / (8 sqrt N) remains. But K depends on Q, so the best b is no
choice made before the sample: it needs a union bound over many b, or a bound of another form (foret-01).

Paper: proof of Theorem 1 (reconstructed).
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The constants, the least value over b, where it is attained, the excess over it, and where there is none."""
    return [constants(), least(), attained(), excess(), equality()]


def constants() -> Finding:
    """Alquier's right side at b = sqrt N."""
    complexity, length, n = sympy.symbols("K L N", positive=True)
    b = sympy.sqrt(n)
    left = complexity / b + b * length**2 / (8 * n)
    return identity(
        "constants",
        "K / b + b L^2 / (8 N) = (K + L^2/8) / sqrt N at b = sqrt N",
        left,
        (complexity + length**2 / 8) / sympy.sqrt(n),
        [FalseIdentity("L^2/4", left, (complexity + length**2 / 4) / sympy.sqrt(n))],
    )


def least() -> Finding:
    """K / b + b L^2 / (8 N) >= L sqrt(K / (2 N))."""
    b, n, length, complexity, root = z3.Reals("b N L K root")
    positive = [b > 0, n > 0, length > 0, complexity > 0, root > 0]
    value = complexity / b + b * length * length / (8 * n)
    return implies(
        "least",
        "K / b + b L^2 / (8 N) >= r where r > 0 is the root of r^2 = L^2 K / (2 N), for all b, N, L, K > 0",
        [*positive, 2 * n * root * root == length * length * complexity],
        value >= root,
        [FalseImplication("the root of L^2 K / N", [*positive, n * root * root == length * length * complexity])],
    )


def attained() -> Finding:
    """At b = sqrt(8 N K) / L."""
    complexity, length, n = sympy.symbols("K L N", positive=True)
    b = sympy.sqrt(8 * n * complexity) / length
    least_value = length * sympy.sqrt(complexity / (2 * n))

    def value(at: sympy.Expr) -> sympy.Expr:
        return complexity / at + at * length**2 / (8 * n)

    return identity(
        "attained",
        "K / b + b L^2 / (8 N) = L sqrt(K / (2 N)) at b = sqrt(8 N K) / L",
        value(b),
        least_value,
        [FalseIdentity("at twice that b", value(2 * b), least_value)],
    )


def excess() -> Finding:
    """The price of b = sqrt N."""
    complexity, length, n = sympy.symbols("K L N", positive=True)
    left = (complexity + length**2 / 8) / sympy.sqrt(n) - length * sympy.sqrt(complexity / (2 * n))
    return identity(
        "excess",
        "(K + L^2/8) / sqrt N - L sqrt(K / (2 N)) = (sqrt K - L / sqrt 8)^2 / sqrt N",
        left,
        (sympy.sqrt(complexity) - length / sympy.sqrt(8)) ** 2 / sympy.sqrt(n),
        [FalseIdentity("L / 2", left, (sympy.sqrt(complexity) - length / 2) ** 2 / sympy.sqrt(n))],
    )


def equality() -> Finding:
    """No excess exactly where K = L^2/8."""
    ratio, root_n, length, complexity = z3.Reals("t sqrt_N L K")
    positive = [ratio > 0, root_n > 0, length > 0, complexity > 0, ratio * ratio * length * length == 8 * complexity]
    costs = length * length / 8 * (ratio - 1) * (ratio - 1) / root_n
    return implies(
        "equality",
        "N, L, K > 0, t = sqrt(8 K) / L: (sqrt K - L / sqrt 8)^2 / sqrt N = (L^2/8) (t - 1)^2 / sqrt N is 0 where "
        "K = L^2/8, and positive everywhere else",
        positive,
        z3.And((costs == 0) == (8 * complexity == length * length), costs >= 0),
        [FalseImplication("positive everywhere", conclusion=costs > 0)],
    )
