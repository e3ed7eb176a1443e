r"""The grid sigma_{P,j}^2 = c e^{(1-j)/T}, j >= 1, has a prior with s <= sigma_P^2 <= e^{1/T} s exactly if c >= s.

Let y = T log(c/s), which is >= 0 where c >= s, and j* = floor(1 + y). Then sigma_{P,j*}^2 / s = e^{(1 + y - j*)/T}, and
0 <= 1 + y - j* < 1. From e^u >= 1 + u follow e^u >= 1 and e^{1/T} = e^u e^{1/T - u} >= e^u for 0 <= u <= 1/T. Where c <
s no prior of the grid reaches s: sigma_{P,j}^2 <= c < s for every j >= 1.

Paper: proof of Theorem 1 (reconstructed).
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The ratio, its exponent, its size, the index, and that c >= s is needed."""
    return [ratio(), exponent(), index(), size(), needed()]


def ratio() -> Finding:
    """sigma_{P,j}^2 / s in terms of y."""
    c, s, dimension = sympy.symbols("c s T", positive=True)
    j = sympy.Symbol("j", real=True)
    left = c * sympy.exp((1 - j) / dimension) / s

    def right(y: sympy.Expr) -> sympy.Expr:
        return sympy.exp((1 + y - j) / dimension)

    return identity(
        "ratio",
        "c e^{(1-j)/T} / s = e^{(1 + y - j)/T} with y = T log(c/s), for c, s, T > 0 and real j",
        left,
        right(dimension * sympy.log(c / s)),
        [FalseIdentity("y = log(c/s)", left, right(sympy.log(c / s)))],
    )


def exponent() -> Finding:
    """0 <= (1 + y - j) / T <= 1/T for j = floor(1 + y)."""
    y, j, dimension = z3.Reals("y j T")
    power = (1 + y - j) / dimension
    inside = z3.And(power >= 0, power <= 1 / dimension)
    return implies(
        "exponent",
        "j <= 1 + y < j + 1 and T > 0 imply 0 <= (1 + y - j)/T <= 1/T",
        [dimension > 0, j <= 1 + y, 1 + y < j + 1],
        inside,
        [FalseImplication("rounded up", [dimension > 0, j >= 1 + y, 1 + y > j - 1])],
    )


def index() -> Finding:
    """j* >= 1: the grid begins at j = 1."""
    y, j = z3.Reals("y j")
    return implies(
        "index",
        "y >= 0 and 1 + y < j + 1 imply j > 0, which for an integer is j >= 1",
        [y >= 0, 1 + y < j + 1],
        j > 0,
        [FalseImplication("c < s: y < 0", hypotheses=[y < 0, 1 + y < j + 1, j <= 1 + y])],
    )


def size() -> Finding:
    """1 <= e^u <= e^{1/T}."""
    u, step, grown, rest, whole = z3.Reals("u one_over_T exp_u exp_rest exp_one_over_T")
    given = [grown >= 1 + u, rest >= 1 + step - u, whole == grown * rest]
    return implies(
        "size",
        "0 <= u <= 1/T, e^u >= 1 + u, e^{1/T - u} >= 1 + 1/T - u and e^{1/T} = e^u e^{1/T - u} imply "
        "1 <= e^u <= e^{1/T}",
        [*given, u >= 0, u <= step],
        z3.And(grown >= 1, grown <= whole),
        [
            FalseImplication("u > 1/T", hypotheses=[*given, u > step, step > 0, rest > 0]),
            FalseImplication("u < 0", hypotheses=[*given, u < 0, step > 0, grown > 0]),
        ],
    )


def needed() -> Finding:
    """c < s: every prior of the grid is narrower than s."""
    c, s, j, dimension, grown, shrunk = z3.Reals("c s j T exp_plus exp_minus")
    grid = [j >= 1, dimension > 0, grown >= 1 + (j - 1) / dimension, grown * shrunk == 1, c > 0]
    return implies(
        "needed",
        "0 < c < s, j >= 1, T > 0, e^{(j-1)/T} >= 1 + (j-1)/T and e^{(1-j)/T} e^{(j-1)/T} = 1 imply c e^{(1-j)/T} < s",
        [*grid, c < s],
        c * shrunk < s,
        [
            FalseImplication("c >= s", hypotheses=[*grid, c >= s, s > 0]),
            FalseImplication("a grid that also has j < 1", hypotheses=[*grid[1:], j < 1, shrunk > 0, c < s]),
        ],
    )
