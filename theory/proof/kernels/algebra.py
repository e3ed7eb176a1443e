"""Exact identities by sympy: the difference of both sides simplifies to zero, or a rational point tells them apart."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

import sympy

from theory.ledger import Finding, Twin, Verdict, judged


@dataclass(frozen=True)
class FalseIdentity:
    """A planted twin: ``left`` = ``right`` is false."""

    change: str
    left: sympy.Expr
    right: sympy.Expr


def identity(name: str, statement: str, left: sympy.Expr, right: sympy.Expr, twins: Iterable[FalseIdentity]) -> Finding:
    """Whether two expressions are the same function of their symbols, under the symbols' assumptions."""
    verdict, evidence = decide(left, right)
    answers = [
        Twin(change=twin.change, verdict=answer, evidence=how)
        for twin in twins
        for answer, how in [decide(twin.left, twin.right)]
    ]
    return judged(name, statement, "algebra", verdict, evidence, answers)


def decide(left: sympy.Expr, right: sympy.Expr) -> tuple[Verdict, str]:
    """IDENTITY by simplification, REFUTED at a point of small rationals, else UNDECIDED."""
    difference = sympy.simplify(sympy.expand(left - right))
    if difference == 0:
        return Verdict.IDENTITY, f"{left} - ({right}) = 0"
    unsimplified = sympy.sympify(left - right)
    for point in _points(sorted(unsimplified.free_symbols, key=str)):
        value = unsimplified.subs(point)
        if value.is_zero is False or (value.is_comparable and abs(value.evalf(40)) > sympy.Rational(1, 10**20)):
            at = ", ".join(f"{symbol} = {entry}" for symbol, entry in point.items())
            return Verdict.REFUTED, f"left - right = {value.evalf(6)} at {at or 'no symbol'}"
    return Verdict.UNDECIDED, f"not simplified to zero: {difference}"


_VALUES = (sympy.Integer(1), sympy.Integer(2), sympy.Rational(1, 2), sympy.Integer(3), sympy.Integer(-1))


def _points(symbols: list[sympy.Symbol]) -> Iterable[Mapping[sympy.Symbol, sympy.Rational]]:
    """Few points that satisfy the symbols' assumptions, unequal coordinates first."""
    shifted = ([_VALUES[(start + i) % 4] for i in range(len(symbols))] for start in range(4))
    equal = ([value] * len(symbols) for value in _VALUES)
    signs = product(_VALUES[-2:], repeat=min(len(symbols), 4)) if len(symbols) <= 4 else ()
    for values in (*shifted, *equal, *signs):
        point = dict(zip(symbols, values, strict=True))
        if all(not (symbol.is_positive and entry <= 0) for symbol, entry in point.items()):
            yield point
