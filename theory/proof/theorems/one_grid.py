r"""One grid of priors and its price: for R >= 0 fixed before the sample let c = sigma^2 e^{R/k}, sigma_j^2 = c
e^{(1-j)/k}, and let prior j of each of m tasks have the level (delta/m) (6/pi^2) / j^2. If k log(1 + ||w||^2 / (k
sigma^2)) <= R, a prior of the grid has
KL <= 1/(4k) + (k/2) log(1 + ||w||^2 / (k sigma^2)) and log(1/level) <= log(m/delta) + 2 log(1.29 (1 + R)).

As block-grids with a single block. With u = pi / sqrt 6, which is at most 1.29, the price is 2 log(u j) and j <= 1 + R.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies
from theory.proof.theorems.block_grids import constant, index, reach


def check() -> list[Finding]:
    """The levels, the reach, the index, and the price in three steps."""
    return [levels(), reach(), index(), constant(), price(), logarithm()]


def levels() -> Finding:
    """The sum of all levels."""
    j, delta, m = sympy.symbols("j delta m", positive=True)

    def total(power: int) -> sympy.Expr:
        return m * (delta / m) * sympy.summation(6 / (sympy.pi**2 * j**power), (j, 1, sympy.oo))

    return identity(
        "levels",
        "m times the sum over j >= 1 of (delta/m) (6/pi^2) / j^2 is delta (sympy's summation)",
        total(2),
        delta,
        [FalseIdentity("j^4", total(4), delta), FalseIdentity("delta for each task", m * total(2), delta)],
    )


def price() -> Finding:
    """(pi^2/6) j^2 <= (1.29 (1 + R))^2."""
    root, j, distance = z3.Reals("pi_over_sqrt_6 j R")
    top = z3.Q(129, 100) * (1 + distance)
    given = [root > 0, root <= z3.Q(129, 100), distance >= 0, j > 0]
    return implies(
        "price",
        "0 < j <= 1 + R, R >= 0 and 0 < pi / sqrt 6 <= 1.29 imply (pi^2/6) j^2 <= (1.29 (1 + R))^2",
        [*given, j <= 1 + distance],
        root * root * j * j <= top * top,
        [
            FalseImplication("j <= 2 + R", [*given, j <= 2 + distance]),
            FalseImplication("1.29 (1 + R), not squared", conclusion=root * root * j * j <= top),
        ],
    )


def logarithm() -> Finding:
    """log(1/level) where the squares are equal."""
    top, delta, m = sympy.symbols("top delta m", positive=True)
    left = sympy.log(m / delta * top**2)
    return identity(
        "logarithm",
        "log[(m/delta) x^2] = log(m/delta) + 2 log x for x, m, delta > 0; 1/level = (m/delta) (pi^2/6) j^2",
        left,
        sympy.log(m / delta) + 2 * sympy.log(top),
        [FalseIdentity("two grids: 4 log x", left, sympy.log(m / delta) + 4 * sympy.log(top))],
    )
