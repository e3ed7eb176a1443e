r"""The price of one grid of priors in the bound of Foret et al.: log(1/delta_j) <= log(1/delta) + 2 log(6N + 3k) for
all integers N, k >= 1.

delta_j = 6 delta / (pi^2 j^2), c = sigma^2 (1 + e^{4N/k}) and s >= sigma^2, as in grid-union: so j <= 1 + k log(1 +
e^{4N/k}) <= 1 + k log 2 + 4N. As log 2 <= 1 and pi / sqrt 6 <= 1.29, (pi / sqrt 6) (1 + k + 4N) <= 6N + 3k. The paper's
own chain begins with j <= k log(c/s), which is false (foret-slips); its last line is right all the same.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.chain.grid_union import index, softplus
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies
from theory.proof.theorems.block_grids import constant


def check() -> list[Finding]:
    """The index, in two steps, the constant, the linear bound, its square, the logarithm."""
    return [softplus(), index(), constant(), price(), squared(), logarithm()]


def price() -> Finding:
    """(pi / sqrt 6) (1 + k log 2 + 4N) <= 6N + 3k."""
    root, log_two, samples, dimension = z3.Reals("pi_over_sqrt_6 log_2 N k")
    given = [root > 0, log_two > 0, log_two <= 1, samples >= 1, dimension >= 1]
    small = root <= z3.Q(129, 100)
    reach = root * (1 + dimension * log_two + 4 * samples)
    return implies(
        "price",
        "0 < pi / sqrt 6 <= 1.29, 0 < log 2 <= 1, N >= 1 and k >= 1 imply (pi / sqrt 6) (1 + k log 2 + 4N) <= 6N + 3k",
        [*given, small],
        reach <= 6 * samples + 3 * dimension,
        [
            FalseImplication("pi / sqrt 6 of any size", given),
            FalseImplication("5N + 3k", conclusion=reach <= 5 * samples + 3 * dimension),
            FalseImplication("6N + k", conclusion=reach <= 6 * samples + dimension),
        ],
    )


def squared() -> Finding:
    """(pi^2/6) j^2 <= (6N + 3k)^2."""
    root, j, bound, top = z3.Reals("pi_over_sqrt_6 j J top")
    given = [root > 0, j > 0, root * bound <= top]
    conclusion = root * root * j * j <= top * top
    return implies(
        "squared",
        "0 < j <= J and (pi / sqrt 6) J <= x imply (pi^2/6) j^2 <= x^2; x = 6N + 3k",
        [*given, j <= bound],
        conclusion,
        [FalseImplication("j <= J dropped", given)],
    )


def logarithm() -> Finding:
    """log(1/delta_j) where (pi^2/6) j^2 = (6N + 3k)^2."""
    delta, top = sympy.symbols("delta top", positive=True)
    left = sympy.log(top**2 / delta)
    return identity(
        "logarithm",
        "log(x^2 / delta) = log(1/delta) + 2 log x for x, delta > 0; 1/delta_j = (pi^2/6) j^2 / delta",
        left,
        sympy.log(1 / delta) + 2 * sympy.log(top),
        [FalseIdentity("log x", left, sympy.log(1 / delta) + sympy.log(top))],
    )
