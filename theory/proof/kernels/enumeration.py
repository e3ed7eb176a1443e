"""Verdicts by counting: finite probability spaces in exact fractions, and statements about a finite family of them.

Every probability is a sum of fractions over all outcomes. Floats are refused, so nothing is rounded.
"""

import operator
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product as tuples
from math import prod
from typing import Any, Generic, Literal, TypeVar

from theory.ledger import Finding, Twin, Verdict, judged

LIMIT = 200_000
"""Outcomes, over all cases of a statement, at which it counts as undecided."""
SHOWN = 32
"""Outcomes of a witness that its text lists."""

Outcome = TypeVar("Outcome", bound=Hashable)
Value = TypeVar("Value", bound=Hashable)


@dataclass(frozen=True)
class Space(Generic[Outcome]):
    """Outcomes and their probabilities.

    Raises:
        TypeError: a probability that is no fraction.
        ValueError: a negative one, or a sum other than exactly one.
    """

    probabilities: Mapping[Outcome, Fraction]

    def __post_init__(self) -> None:
        for outcome, mass in self.probabilities.items():
            if exact(mass) < 0:
                raise ValueError(f"outcome {outcome} has the probability {mass}")
        if (total := sum(self.probabilities.values(), Fraction(0))) != 1:
            raise ValueError(f"the probabilities sum to {total}")

    def expectation(self, variable: Callable[[Outcome], Fraction | int]) -> Fraction:
        """sum_w P(w) X(w)."""
        terms = (mass * exact(variable(outcome)) for outcome, mass in self.probabilities.items())
        return sum(terms, Fraction(0))

    def probability(self, event: Callable[[Outcome], bool]) -> Fraction:
        """P(A) = sum of P(w) over the outcomes of the event."""
        return sum((mass for outcome, mass in self.probabilities.items() if event(outcome)), Fraction(0))

    def law(self, variable: Callable[[Outcome], Value]) -> "Space[Value]":
        """The distribution of a random variable."""
        masses: dict[Value, Fraction] = {}
        for outcome, mass in self.probabilities.items():
            value = variable(outcome)
            masses[value] = masses.get(value, Fraction(0)) + mass
        return Space(masses)

    def dependence(self, variables: Sequence[Callable[[Outcome], Hashable]]) -> Fraction:
        """max over all values of |P(X_1 = x_1, X_2 = x_2, ..) - prod_i P(X_i = x_i)|: zero exactly when independent."""
        joint = self.law(lambda outcome: tuple(variable(outcome) for variable in variables)).probabilities
        marginals = [self.law(variable).probabilities for variable in variables]
        return max(
            abs(joint.get(values, Fraction(0)) - prod(law[value] for law, value in zip(marginals, values, strict=True)))
            for values in tuples(*marginals)
        )

    def __str__(self) -> str:
        atoms = [f"{shown(outcome)}: {mass}" for outcome, mass in self.probabilities.items()]
        more = f", .. ({len(atoms)} outcomes)" if len(atoms) > SHOWN else ""
        return "{" + ", ".join(atoms[:SHOWN]) + more + "}"


def exact(number: Fraction | int) -> Fraction:
    """The number as a fraction.

    Raises:
        TypeError: a float or a bool.
    """
    if isinstance(number, bool) or not isinstance(number, int | Fraction):
        raise TypeError(f"{number!r} is no fraction")
    return Fraction(number)


def uniform(outcomes: Iterable[Outcome]) -> Space[Outcome]:
    """All outcomes, which are distinct, equally probable."""
    listed = list(outcomes)
    return Space(dict.fromkeys(listed, Fraction(1, len(listed))))


def independent(spaces: Sequence[Space[Any]]) -> Space[tuple[Any, ...]]:
    """The product: an outcome is a tuple, with one entry from every space."""
    factors = [space.probabilities for space in spaces]
    return Space(
        {
            outcome: prod((factor[entry] for factor, entry in zip(factors, outcome, strict=True)), start=Fraction(1))
            for outcome in tuples(*factors)
        }
    )


Relation = Literal["<", "<=", "=", ">=", ">"]
_RELATIONS: dict[Relation, Callable[[Fraction, Fraction], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


@dataclass(frozen=True)
class Comparison:
    """``left`` against ``right``, both computed from a space; ``what`` names the left side.

    Raises:
        TypeError: a side that is no fraction.
    """

    what: str
    left: Fraction
    relation: Relation
    right: Fraction

    def __post_init__(self) -> None:
        exact(self.left)
        exact(self.right)

    @property
    def true(self) -> bool:
        return _RELATIONS[self.relation](self.left, self.right)

    def __str__(self) -> str:
        if self.true and self.relation == "=":
            return f"{self.what} = {self.left}"
        return f"{self.what} = {self.left}{' ' if self.true else ', not '}{self.relation} {self.right}"


@dataclass(frozen=True)
class Case:
    """One member of a family: if all ``hypotheses`` are true, then ``conclusion`` is claimed."""

    name: str
    space: Space[Any]
    conclusion: Comparison
    hypotheses: tuple[Comparison, ...] = ()


@dataclass(frozen=True)
class OppositeFamily:
    """A planted twin: the same statement of other cases, of the opposite truth."""

    change: str
    cases: Iterable[Case]


def for_all(name: str, statement: str, cases: Iterable[Case], twins: Iterable[OppositeFamily]) -> Finding:
    """Whether, in every case of a finite family, the hypotheses imply the conclusion."""
    verdict, evidence = decide(cases)
    answers = [
        Twin(change=twin.change, verdict=answer, evidence=how) for twin in twins for answer, how in [decide(twin.cases)]
    ]
    return judged(name, statement, "enumeration", verdict, evidence, answers)


def decide(cases: Iterable[Case], limit: int = LIMIT) -> tuple[Verdict, str]:
    """REFUTED by the first case that denies it, ENUMERATED where none does, UNDECIDED beyond ``limit`` outcomes.

    Raises:
        ValueError: no case meets its hypotheses, so that they say nothing.
    """
    count, outcomes, last = 0, 0, ""
    for case in met(cases):
        if not case.conclusion.true:
            return Verdict.REFUTED, f"{case.name}: {facts(case)}; space {case.space}"
        count, outcomes, last = count + 1, outcomes + len(case.space.probabilities), f"{case.name}: {facts(case)}"
        if outcomes > limit:
            return Verdict.UNDECIDED, f"stopped after {count} cases and {outcomes} outcomes"
    if not count:
        raise ValueError("no case meets the hypotheses, so they say nothing")
    return Verdict.ENUMERATED, f"{count} cases, {outcomes} outcomes; the last, {last}"


def met(cases: Iterable[Case]) -> Iterator[Case]:
    """The cases whose hypotheses are true."""
    return (case for case in cases if all(hypothesis.true for hypothesis in case.hypotheses))


def facts(case: Case) -> str:
    """The hypotheses with their values, then the conclusion."""
    return "; ".join(str(comparison) for comparison in (*case.hypotheses, case.conclusion))


def shown(outcome: Hashable) -> str:
    """Fractions as 1/2, tuples in brackets."""
    return f"({', '.join(map(shown, outcome))})" if isinstance(outcome, tuple) else str(outcome)
