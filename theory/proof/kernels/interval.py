"""Inequalities by Arb balls: f > 0 on a box with rational ends, by bisection of the cells that are not yet decided.

A cell counts as done when the lower end of an enclosure of f over all of it is positive. Two enclosures are tried: the
expression evaluated on balls, and its mean value form f(c) + sum_i f_i(cell) (x_i - c_i) around the centre c. A claim
is refuted by a rational point at which the whole enclosure is negative. Beyond a number of cells or a
precision it is undecided: so is every f >= 0 that vanishes somewhere, unless its enclosures are exact there. Infinite
ranges are reduced in ``rays``. A square root of a variable is not defined on a cell that touches 0: radii are rounded
up, so that the cell reaches below it; substitute its square.
"""

import heapq
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import count, product

import sympy
from flint import arb, ctx

from theory.ledger import Finding, Twin, Verdict, judged
from theory.proof.kernels.balls import Evaluation, above, ball, below, compiled

CELLS = 20_000
"""Cells at which a claim counts as undecided."""
BITS = 1024
"""Precision at which it does. It begins at ``START``; a cell's has two bits more for every cut that led to it."""
START = 64

Ends = tuple[Fraction | int, Fraction | int]
Box = Mapping[sympy.Symbol, Ends]


@dataclass(frozen=True)
class Claim:
    """``expression`` > 0 at every point of the box; >= 0 where not ``strict``. A box without symbols is one point.

    Raises:
        TypeError: an end that is no fraction.
        ValueError: ends in the wrong order or against the symbol's assumptions, or a symbol without ends.
    """

    expression: sympy.Expr
    box: Box
    strict: bool = True

    def __post_init__(self) -> None:
        for symbol, ends in self.box.items():
            if not all(isinstance(end, int | Fraction) for end in ends):
                raise TypeError(f"{symbol}: {ends} are no fractions")
            if ends[0] > ends[1]:
                raise ValueError(f"{symbol}: {ends} are in the wrong order")
            if (symbol.is_nonnegative and ends[0] < 0) or (symbol.is_integer and ends[0] < ends[1]):
                raise ValueError(f"{symbol}: {ends} do not agree with what is assumed of it")
        if missing := self.expression.free_symbols - set(self.box):
            raise ValueError(f"no ends are given for {', '.join(sorted(map(str, missing)))}")

    def denied_by(self, value: arb) -> bool:
        """Whether all numbers of an enclosure deny it."""
        return bool(value < 0 if not self.strict else value <= 0)

    def granted_by(self, value: arb) -> bool:
        """Whether all numbers of an enclosure grant it."""
        return bool(value > 0 if self.strict else value >= 0)


@dataclass(frozen=True)
class OppositeClaim:
    """A planted twin: a neighbour of the claim, of the opposite truth."""

    change: str
    claim: Claim


def positive(name: str, statement: str, claim: Claim, twins: Iterable[OppositeClaim]) -> Finding:
    """Whether a function is positive on a whole box."""
    verdict, evidence = decide(claim)
    answers = [
        Twin(change=twin.change, verdict=answer, evidence=how) for twin in twins for answer, how in [decide(twin.claim)]
    ]
    return judged(name, statement, "interval", verdict, evidence, answers)


def decide(claim: Claim, cells: int = CELLS, bits: int = BITS) -> tuple[Verdict, str]:
    """ENCLOSED, REFUTED at a rational point, or UNDECIDED beyond the limits."""
    if all(low == high for low, high in claim.box.values()):
        return _at_a_point(claim, {symbol: Fraction(low) for symbol, (low, _) in claim.box.items()}, bits)
    box = {symbol: (Fraction(low), Fraction(high)) for symbol, (low, high) in claim.box.items()}
    for corner in product(*box.values()):
        point = dict(zip(box, corner, strict=True))
        if claim.denied_by(value := at(claim.expression, point)):
            return Verdict.REFUTED, witness(value, point)
    return _bisected(claim, box, cells, bits)


def at(expression: sympy.Expr, point: Mapping[sympy.Symbol, Fraction], bits: int = START) -> arb:
    """An enclosure of the value at a rational point."""
    with ctx.workprec(bits):
        return compiled(expression)({symbol: ball((value, value)) for symbol, value in point.items()})


def witness(value: arb, point: Mapping[sympy.Symbol, Fraction]) -> str:
    """An upper bound of a value at its point."""
    where = ", ".join(f"{symbol} = {entry}" for symbol, entry in point.items())
    return f"f <= {above(value)}" + (f" at {where}" if where else "")


def _at_a_point(claim: Claim, point: Mapping[sympy.Symbol, Fraction], bits: int) -> tuple[Verdict, str]:
    precision = START
    while precision <= bits:
        value = at(claim.expression, point, precision)
        if claim.denied_by(value):
            return Verdict.REFUTED, witness(value, point)
        if claim.granted_by(value):
            return Verdict.ENCLOSED, f"f >= {below(value)}, with {precision} bits"
        precision *= 2
    return Verdict.UNDECIDED, f"f is not told from 0 with {bits} bits"


def _bisected(
    claim: Claim, box: dict[sympy.Symbol, tuple[Fraction, Fraction]], cells: int, bits: int
) -> tuple[Verdict, str]:
    """The cell with the lowest enclosure first, so that a false claim is refuted early."""
    function = compiled(claim.expression)
    slopes = {symbol: compiled(sympy.diff(claim.expression, symbol)) for symbol in box}
    order, done, deepest, least = count(1), 0, 0, arb("inf")
    heap = [(-math.inf, 0, 0, box)]
    while heap:
        _, number, depth, cell = heapq.heappop(heap)
        if number >= cells or START + 2 * depth > bits:
            return Verdict.UNDECIDED, f"stopped after {number} cells, at depth {depth}"
        with ctx.workprec(START + 2 * depth):
            centre = {symbol: _middle(ends) for symbol, ends in cell.items()}
            middle = function({symbol: ball((value, value)) for symbol, value in centre.items()})
            if claim.denied_by(middle):
                return Verdict.REFUTED, witness(middle, centre)
            lower, granted = _lower(claim, function, slopes, cell, (centre, middle))
            if granted:
                done, deepest, least = done + 1, max(deepest, depth), lower if lower < least else least
                continue
        for half in _halves(cell, box):
            key = float(lower) if lower.is_finite() else -math.inf
            heapq.heappush(heap, (key, next(order), depth + 1, half))
    return Verdict.ENCLOSED, f"{done} cells, depth {deepest}, f >= {below(least)}"


def _lower(
    claim: Claim,
    function: Evaluation,
    slopes: Mapping[sympy.Symbol, Evaluation],
    cell: Mapping[sympy.Symbol, tuple[Fraction, Fraction]],
    centred: tuple[Mapping[sympy.Symbol, Fraction], arb],
) -> tuple[arb, bool]:
    """The larger lower end of the two enclosures, and whether it is enough."""
    balls = {symbol: ball(ends) for symbol, ends in cell.items()}
    plain = function(balls)
    if not plain.is_finite() or claim.granted_by(plain):
        return plain.lower(), plain.is_finite()
    centre, middle = centred
    mean_value = middle + sum(
        (slope(balls) * (balls[symbol] - ball((centre[symbol],) * 2)) for symbol, slope in slopes.items()), arb(0)
    )
    best = mean_value if mean_value.is_finite() and mean_value.lower() > plain.lower() else plain
    return best.lower(), claim.granted_by(best)


def _middle(ends: tuple[Fraction, Fraction]) -> Fraction:
    """About the middle, with few binary digits."""
    low, high = ends
    if low == high:
        return low
    width = high - low
    unit = Fraction(2) ** (width.numerator.bit_length() - width.denominator.bit_length() - 5)
    return round((low + high) / 2 / unit) * unit


def _halves(
    cell: dict[sympy.Symbol, tuple[Fraction, Fraction]], box: Mapping[sympy.Symbol, tuple[Fraction, Fraction]]
) -> Iterable[dict[sympy.Symbol, tuple[Fraction, Fraction]]]:
    """Cut across the side that was cut least."""
    wide = [symbol for symbol, (low, high) in box.items() if low < high]
    longest = max(wide, key=lambda s: (cell[s][1] - cell[s][0]) / (box[s][1] - box[s][0]))
    (low, high), middle = cell[longest], _middle(cell[longest])
    return cell | {longest: (low, middle)}, cell | {longest: (middle, high)}
