"""Inequalities for all integers from one on: a finite part, integer by integer, and a ray beyond it. Both are required.

The finite part is decided by Arb at each integer, over a box of the other symbols; the rest holds for all real numbers
from the ray's start on, which must not lie beyond the finite part. A statement over two integers is first reduced to
one variable, by monotonicity or by a bound, each a finding of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from theory.ledger import Finding, Twin, Verdict, judged
from theory.proof.kernels import interval, rays
from theory.proof.kernels.interval import Claim
from theory.proof.kernels.rays import Ray

LIMIT = 5_000
"""Integers of the finite part at which a claim counts as undecided."""


@dataclass(frozen=True)
class AllIntegers:
    """The ray's expression is positive for all integers from ``first`` on, and all real numbers from its start on.

    Raises:
        ValueError: a ray that starts before ``first`` or not at an integer.
    """

    first: int
    ray: Ray

    def __post_init__(self) -> None:
        if self.ray.start < self.first or Fraction(self.ray.start).denominator != 1:
            raise ValueError(f"a ray from {self.ray.start} on does not continue the integers from {self.first} on")

    @property
    def finite(self) -> range:
        """The integers before the ray, and its start."""
        return range(self.first, int(self.ray.start) + 1)


@dataclass(frozen=True)
class OppositeIntegers:
    """A planted twin: a neighbour of the claim, of the opposite truth."""

    change: str
    claim: AllIntegers


def positive(name: str, statement: str, claim: AllIntegers, twins: Iterable[OppositeIntegers]) -> Finding:
    """Whether an expression is positive at all integers from one on."""
    verdict, evidence = decide(claim)
    answers = [
        Twin(change=twin.change, verdict=answer, evidence=how) for twin in twins for answer, how in [decide(twin.claim)]
    ]
    return judged(name, statement, "integers", verdict, evidence, answers)


def decide(claim: AllIntegers, limit: int = LIMIT) -> tuple[Verdict, str]:
    """ENCLOSED by both parts, REFUTED at an integer, else UNDECIDED."""
    if len(claim.finite) > limit:
        return Verdict.UNDECIDED, f"{len(claim.finite)} integers are more than {limit}"
    symbol, told = claim.ray.symbol, ""
    for n in claim.finite:
        verdict, how = interval.decide(Claim(claim.ray.expression, {symbol: (n, n), **claim.ray.box}))
        if verdict is not Verdict.ENCLOSED:
            return verdict, how if verdict is Verdict.REFUTED else f"{symbol} = {n}: {how}"
        told = f"{symbol} = {claim.first} .. {n} one by one, the last with {how}"
    verdict, how = rays.decide(claim.ray)
    return verdict, how if verdict is not Verdict.ENCLOSED else f"{told}; beyond, {how}"
