"""Expressions evaluated on Arb balls: every value of the expression, for arguments in the balls, lies in the answer."""

import math
from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction

import sympy
from flint import arb, fmpq

Evaluation = Callable[[Mapping[sympy.Symbol, arb]], arb]


def ball(ends: tuple[Fraction, Fraction]) -> arb:
    """A ball around a range with rational ends."""
    low, high = (arb(fmpq(end.numerator, end.denominator)) for end in ends)
    return low if ends[0] == ends[1] else low.union(high)


def below(value: arb) -> str:
    """Three digits of the lower end, rounded down."""
    return _rounded(value.lower(), ROUND_FLOOR)


def above(value: arb) -> str:
    """Three digits of the upper end, rounded up."""
    return _rounded(value.upper(), ROUND_CEILING)


def _rounded(end: arb, rounding: str) -> str:
    mantissa, exponent = (int(part) for part in end.man_exp())
    value, context = Fraction(mantissa) * Fraction(2) ** exponent, Context(prec=3, rounding=rounding)
    return str(context.divide(Decimal(value.numerator), Decimal(value.denominator)))


_FUNCTIONS: dict[type[sympy.Function], Callable[..., arb]] = {
    sympy.exp: arb.exp,
    sympy.log: arb.log,
    sympy.erf: arb.erf,
    sympy.erfc: arb.erfc,
    sympy.sin: arb.sin,
    sympy.cos: arb.cos,
    sympy.tanh: arb.tanh,
    sympy.atan: arb.atan,
    sympy.gamma: arb.gamma,
    sympy.loggamma: arb.lgamma,
    sympy.polygamma: lambda order, x: x.digamma() if order == 0 else arb.nan(),
}
_CONSTANTS: dict[sympy.Expr, Callable[[], arb]] = {sympy.pi: arb.pi, sympy.E: arb.const_e}


def compiled(expression: sympy.Expr) -> Evaluation:
    """The expression as a function of balls.

    Raises:
        TypeError: a float, or an operation that has no enclosure here.
    """
    if isinstance(expression, sympy.Symbol):
        return lambda point: point[expression]
    if isinstance(expression, sympy.Rational):
        return lambda point: arb(fmpq(int(expression.p), int(expression.q)))
    if expression in _CONSTANTS:
        return lambda point: _CONSTANTS[expression]()
    parts = [compiled(part) for part in expression.args]
    if expression.is_Add:
        return lambda point: sum((part(point) for part in parts), arb(0))
    if expression.is_Mul:
        return lambda point: math.prod((part(point) for part in parts), start=arb(1))
    if expression.is_Pow:
        return _power(expression.exp, *parts)
    if expression.func in _FUNCTIONS:
        return lambda point: _FUNCTIONS[expression.func](*(part(point) for part in parts))
    raise TypeError(f"no enclosure of {expression.func} in {expression}")


def _power(exponent: sympy.Expr, base: Evaluation, raised: Evaluation) -> Evaluation:
    if exponent.is_Integer and exponent >= 0:
        return lambda point: _times(base(point), int(exponent))
    if exponent.is_Integer:
        return lambda point: 1 / _times(base(point), -int(exponent))
    if exponent == sympy.Rational(1, 2):
        return lambda point: base(point).sqrt()
    return lambda point: (raised(point) * base(point).log()).exp()


def _times(base: arb, exponent: int) -> arb:
    """Repeated squaring: Arb's own power of a ball around zero is not a number."""
    if exponent == 0:
        return arb(1)
    half = _times(base, exponent // 2)
    return half * half * (base if exponent % 2 else arb(1))
