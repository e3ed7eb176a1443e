"""The two halves of an argument by Taylor's theorem: the polynomial of first order, and the sign of the remainder."""

from collections.abc import Sequence

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication, implies


def tangent(function: sympy.Expr, symbol: sympy.Symbol, at: sympy.Expr, to: sympy.Expr) -> sympy.Expr:
    """f(at) + f'(at) (to - at)."""
    value, slope = (expression.subs(symbol, at) for expression in (function, sympy.diff(function, symbol)))
    return value + slope * (to - at)


def remainder(
    name: str,
    statement: str,
    hypotheses: Sequence[z3.BoolRef],
    terms: tuple[z3.ArithRef, z3.ArithRef, z3.ArithRef],
) -> Finding:
    """Whether f''(xi) (to - at)^2 / 2 >= 0 under hypotheses on f''(xi); ``terms``: at, to, f''(xi)."""
    at, to, second = terms
    term = second * (to - at) * (to - at) / 2
    twins = [
        FalseImplication("the remainder is positive also where the two points meet", conclusion=term > 0),
        FalseImplication("the sign of the remainder flipped", conclusion=-term >= 0),
    ]
    return implies(name, statement, hypotheses, term >= 0, twins)
