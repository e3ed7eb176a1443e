"""Inequalities on an infinite range, reduced to boxes: f(x) > 0 for all real x >= start.

Either x = t^{-root} maps the range to 0 < t <= end and f(x) = t^{-power} g(t) with g > 0 on the closed box (order 0).
Or f, and its derivatives below ``order``, are positive at the start, and the derivative of that order is t^{-power}
g(t) with g > 0: then each of them in turn increases, and stays positive. The identity is decided by ``algebra``, the
signs by ``interval``. That f has no gap is seen from its form: whatever is divided by, or stands under a root or a
logarithm, is positive by the assumptions on the symbols.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product

import sympy

from theory.ledger import Finding, Twin, Verdict, judged
from theory.proof.kernels import algebra, interval
from theory.proof.kernels.interval import Box, Claim

DOUBLINGS = 40
"""How often the start is doubled in search of a point that denies the claim."""


@dataclass(frozen=True)
class Ray:
    """``expression`` > 0 for all real values of ``symbol`` from ``start`` on, the other symbols in a box.

    Args:
        start: a positive rational; its root of degree ``root`` is rational.
        t: the new variable.
        scaled: g(t) = t^power times the derivative of the given order at t^{-root}, written so that it can be evaluated
            at t = 0.

    Raises:
        ValueError: a start that is not positive, or whose root is irrational; a symbol that is not assumed positive, or
            assumed an integer.
    """

    expression: sympy.Expr
    symbol: sympy.Symbol
    start: Fraction | int
    t: sympy.Symbol
    scaled: sympy.Expr
    order: int = 0
    root: int = 1
    power: int = 0
    box: Box = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.start <= 0:
            raise ValueError(f"{self.symbol} >= {self.start}: the range has to be positive")
        if not sympy.root(sympy.Rational(self.start), self.root).is_Rational:
            raise ValueError(f"{self.symbol} >= {self.start}: no rational root of degree {self.root}")
        if any(symbol.is_integer or not symbol.is_positive for symbol in (self.symbol, self.t)):
            raise ValueError(f"{self.symbol} and {self.t} have to be positive real symbols")

    @property
    def end(self) -> Fraction:
        """t at the start."""
        value = 1 / sympy.root(sympy.Rational(self.start), self.root)
        return Fraction(int(value.p), int(value.q))

    def derivative(self, order: int) -> sympy.Expr:
        return sympy.diff(self.expression, self.symbol, order) if order else self.expression


@dataclass(frozen=True)
class OppositeRay:
    """A planted twin: a neighbour of the claim, of the opposite truth."""

    change: str
    ray: Ray


def positive(name: str, statement: str, ray: Ray, twins: Iterable[OppositeRay]) -> Finding:
    """Whether a function is positive from a point on."""
    verdict, evidence = decide(ray)
    answers = [
        Twin(change=twin.change, verdict=answer, evidence=how) for twin in twins for answer, how in [decide(twin.ray)]
    ]
    return judged(name, statement, "interval", verdict, evidence, answers)


def decide(ray: Ray) -> tuple[Verdict, str]:
    """ENCLOSED by the reduction, REFUTED at a rational point of the range, else UNDECIDED."""
    for point in samples(ray):
        value = interval.at(ray.expression, point)
        if value <= 0:
            return Verdict.REFUTED, interval.witness(value, point)
    return reduced(ray)


def reduced(ray: Ray) -> tuple[Verdict, str]:
    """ENCLOSED where each step of the reduction is decided, else UNDECIDED: a step that fails denies nothing."""
    if not smooth(ray.expression):
        return Verdict.UNDECIDED, f"{ray.expression} is not seen to be smooth"
    told = []
    for order in range(ray.order):
        at_start = ray.derivative(order).subs(ray.symbol, sympy.Rational(ray.start))
        verdict, how = interval.decide(Claim(at_start, ray.box))
        if verdict is not Verdict.ENCLOSED:
            return Verdict.UNDECIDED, f"derivative {order} at {ray.symbol} = {ray.start}: {verdict}, {how}"
        told.append(f"derivative {order} at {ray.symbol} = {ray.start}: {how}")
    substituted = ray.derivative(ray.order).subs(ray.symbol, ray.t**-ray.root) * ray.t**ray.power
    verdict, how = algebra.decide(substituted, ray.scaled)
    if verdict is not Verdict.IDENTITY:
        return Verdict.UNDECIDED, f"the substitution: {verdict}, {how}"
    verdict, how = interval.decide(Claim(ray.scaled, {ray.t: (0, ray.end), **ray.box}))
    if verdict is not Verdict.ENCLOSED:
        return Verdict.UNDECIDED, f"{ray.scaled} on 0 <= {ray.t} <= {ray.end}: {verdict}, {how}"
    told.append(
        f"derivative {ray.order} at {ray.symbol} = {ray.t}^-{ray.root} is {ray.t}^-{ray.power} f, "
        f"f = {ray.scaled} on 0 <= {ray.t} <= {ray.end}: {how}"
    )
    return Verdict.ENCLOSED, "; ".join(told)


def smooth(expression: sympy.Expr) -> bool:
    """Whether all that is divided by, or stands under a root or a logarithm, is positive by assumption."""
    parts = list(sympy.preorder_traversal(expression))
    powers = [part.base for part in parts if part.is_Pow and not (part.exp.is_Integer and part.exp >= 0)]
    arguments = [part.args[0] for part in parts if part.func in (sympy.log, sympy.gamma, sympy.loggamma)]
    return all(part.is_positive for part in (*powers, *arguments))


def samples(ray: Ray) -> Iterator[Mapping[sympy.Symbol, Fraction]]:
    """The start and its doubles, at the corners of the box."""
    corners = [dict(zip(ray.box, corner, strict=True)) for corner in product(*ray.box.values())]
    for doubling in range(DOUBLINGS):
        for corner in corners:
            yield {ray.symbol: Fraction(ray.start) * 2**doubling} | {s: Fraction(end) for s, end in corner.items()}
