r"""On the grid's interval KL <= (1/2) [1 + T log(1 + ||theta||^2 / (T sigma^2))]; the 1 can be 1/(2T).

The interval is s <= sigma_P^2 <= e^{1/T} s: write sigma_P^2 = s e^x with 0 <= x <= 1/T. Then KL = (1/2) [T (e^{-x} - 1
+ x) + T log(s / sigma^2)] and s / sigma^2 = 1 + ||theta||^2 / (T sigma^2). From e^x >= 1 + x >= 1 follows e^{-x} <= 1,
so T (e^{-x} - 1 + x) <= T x <= 1. Sharper: g(x) = 1 - x + x^2/2 - e^{-x} has g(0) = g'(0) = 0 and g'' = 1 - e^{-x} >= 0
on x >= 0; by Taylor's theorem g >= 0, so T (e^{-x} - 1 + x) <= T x^2 / 2 <= 1 / (2 T).

Paper: proof of Theorem 1 (reconstructed).
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.chain.taylor import remainder, tangent
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The divergence on the interval, the published 1, and the sharper 1/(2T)."""
    return [substituted(), monotone(), published(), *quadratic(), sharper()]


def substituted() -> Finding:
    """KL at sigma_P^2 = s e^x."""
    x = sympy.Symbol("x", real=True)
    size, variance, squared = sympy.symbols("T sigma_squared squared_norm", positive=True)
    s = variance + squared / size
    prior = s * sympy.exp(x)
    kl = (size * s / prior - size + size * sympy.log(prior / variance)) / 2
    log = sympy.log(1 + squared / (size * variance))

    def right(argument: sympy.Expr) -> sympy.Expr:
        return (size * (sympy.exp(-argument) - 1 + argument) + size * log) / 2

    return identity(
        "substituted",
        "sigma_P^2 = s e^x, s = sigma^2 + ||theta||^2 / T: (1/2) [T s / sigma_P^2 - T + T log(sigma_P^2 / sigma^2)] = "
        "(1/2) [T (e^{-x} - 1 + x) + T log(1 + ||theta||^2 / (T sigma^2))]",
        kl,
        right(x),
        [FalseIdentity("x and -x interchanged", kl, right(-x))],
    )


def monotone() -> Finding:
    """e^{-x} <= 1 for x >= 0."""
    x, grown, shrunk = z3.Reals("x exp_x exp_minus_x")
    given = [grown * shrunk == 1, grown >= 1 + x]
    return implies(
        "monotone",
        "e^x e^{-x} = 1, e^x >= 1 + x and x >= 0 imply 0 <= e^{-x} <= 1",
        [*given, x >= 0],
        z3.And(shrunk >= 0, shrunk <= 1),
        [FalseImplication("x >= 0 dropped", hypotheses=[*given, grown > 0])],
    )


def published() -> Finding:
    """T (e^{-x} - 1 + x) <= 1."""
    size, x, shrunk = z3.Reals("T x exp_minus_x")
    given = [size >= 1, x >= 0, shrunk >= 0, shrunk <= 1]
    return implies(
        "published",
        "T >= 1, 0 <= x <= 1/T and 0 <= e^{-x} <= 1 imply T (e^{-x} - 1 + x) <= 1",
        [*given, x * size <= 1],
        size * (shrunk - 1 + x) <= 1,
        [
            FalseImplication("an interval twice as long", hypotheses=[*given, x * size <= 2]),
            FalseImplication("e^{-x} > 1: a prior narrower than s", [size >= 1, x >= 0, shrunk > 1, x * size <= 1]),
        ],
    )


def quadratic() -> list[Finding]:
    """e^{-x} <= 1 - x + x^2/2 for x >= 0."""
    x, to = sympy.symbols("x to", real=True)
    gap = 1 - x + x**2 / 2 - sympy.exp(-x)
    end, second, shrunk = z3.Reals("x second exp_minus_xi")
    return [
        identity(
            "polynomial",
            "1 - x + x^2/2 - e^{-x} and its derivative vanish at 0: the first Taylor polynomial there is zero",
            tangent(gap, x, sympy.Integer(0), to),
            sympy.Integer(0),
            [FalseIdentity("1 + x instead of 1 - x", tangent(gap + 2 * x, x, sympy.Integer(0), to), sympy.Integer(0))],
        ),
        identity(
            "second-derivative",
            "the second derivative of 1 - x + x^2/2 - e^{-x} is 1 - e^{-x}",
            sympy.diff(gap, x, 2),
            1 - sympy.exp(-x),
            [FalseIdentity("1 + e^{-x}", sympy.diff(gap, x, 2), 1 + sympy.exp(-x))],
        ),
        remainder(
            "remainder",
            "e^{-xi} <= 1 implies (1/2) (1 - e^{-xi}) x^2 >= 0",
            [second == 1 - shrunk, shrunk <= 1, shrunk >= 0],
            (z3.RealVal(0), end, second),
        ),
    ]


def sharper() -> Finding:
    """T (e^{-x} - 1 + x) <= 1/(2T)."""
    size, x, shrunk = z3.Reals("T x exp_minus_x")
    given = [size >= 1, x >= 0, x * size <= 1, shrunk <= 1 - x + x * x / 2]
    value = size * (shrunk - 1 + x)
    return implies(
        "sharper",
        "T >= 1, 0 <= x <= 1/T and e^{-x} <= 1 - x + x^2/2 imply T (e^{-x} - 1 + x) <= 1/(2T)",
        given,
        value * 2 * size <= 1,
        [FalseImplication("1/(3T)", conclusion=value * 3 * size <= 1)],
    )
