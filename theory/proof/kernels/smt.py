"""Verdicts by z3: a lemma is proved when no model satisfies its hypotheses and denies its conclusion.

A model is not taken on trust: its values are read as fractions, and all formulas are evaluated again without z3.
"""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Any, Literal

import z3

from theory.ledger import Finding, Twin, Verdict, judged

LIMIT = 20_000_000
"""z3's own measure of work at which a question counts as undecided, 8 times what any lemma takes."""
SECONDS = 20
"""The same in time: work on irrational numbers is not measured. All lemmas take less than one."""


@dataclass(frozen=True)
class Answer:
    """
    Args:
        verdict: "proved": no model; "refuted": the values are one; "undecided": z3 gave up.
        values: the model, by the variables' names.
    """

    verdict: Literal["proved", "refuted", "undecided"]
    values: Mapping[str, Fraction]


@dataclass(frozen=True)
class FalseImplication:
    """A planted twin: ``hypotheses`` imply ``conclusion`` is false; None: the lemma's own."""

    change: str
    hypotheses: Sequence[z3.BoolRef] | None = None
    conclusion: z3.BoolRef | None = None


@dataclass(frozen=True)
class OppositeExistence:
    """A planted twin: whether real numbers satisfy its ``formulas`` has the opposite answer."""

    change: str
    formulas: Sequence[z3.BoolRef]


VERDICTS = {"proved": Verdict.UNSAT, "refuted": Verdict.REFUTED, "undecided": Verdict.UNDECIDED}


def implies(
    name: str,
    statement: str,
    hypotheses: Sequence[z3.BoolRef],
    conclusion: z3.BoolRef,
    twins: Iterable[FalseImplication],
) -> Finding:
    """Whether the hypotheses imply the conclusion for all reals.

    Raises:
        ValueError: no real numbers meet the hypotheses of the lemma, or of a twin that is proved.
    """
    answer = _meaningful(name, hypotheses, conclusion)
    answers = [
        (
            twin.change,
            _meaningful(
                f"{name}, {twin.change}",
                hypotheses if twin.hypotheses is None else twin.hypotheses,
                conclusion if twin.conclusion is None else twin.conclusion,
            ),
        )
        for twin in twins
    ]
    return judged(
        name,
        statement,
        "smt",
        VERDICTS[answer.verdict],
        described(answer),
        [Twin(change=change, verdict=VERDICTS[twin.verdict], evidence=described(twin)) for change, twin in answers],
    )


def _meaningful(name: str, hypotheses: Sequence[z3.BoolRef], conclusion: z3.BoolRef) -> Answer:
    answer = decide(hypotheses, conclusion)
    if answer.verdict == "proved" and not consistent(hypotheses):
        raise ValueError(f"{name}: no real numbers satisfy the hypotheses, so they say nothing")
    return answer


def exists(name: str, statement: str, formulas: Sequence[z3.BoolRef], twins: Iterable[OppositeExistence]) -> Finding:
    """Whether some real numbers satisfy all formulas: ENUMERATED by rational ones, REFUTED where there are none."""
    verdict, evidence = satisfied(formulas)
    answers = [
        Twin(change=twin.change, verdict=answer, evidence=how)
        for twin in twins
        for answer, how in [satisfied(twin.formulas)]
    ]
    return judged(name, statement, "smt", verdict, evidence, answers)


def satisfied(formulas: Sequence[z3.BoolRef]) -> tuple[Verdict, str]:
    """A model evaluated again in fractions, or that there is none."""
    answer = decide(formulas, z3.BoolVal(False))
    if answer.verdict == "refuted":
        return Verdict.ENUMERATED, f"satisfied by {described(answer)}"
    if answer.verdict == "proved":
        return Verdict.REFUTED, "no real numbers satisfy it: unsatisfiable"
    return Verdict.UNDECIDED, described(answer)


def described(answer: Answer) -> str:
    """The model, or that there is none."""
    if answer.verdict == "refuted":
        return ", ".join(f"{name} = {value}" for name, value in answer.values.items())
    return "the negation is unsatisfiable over the reals" if answer.verdict == "proved" else "z3 gave up"


def decide(hypotheses: Sequence[z3.BoolRef], conclusion: z3.BoolRef, limit: int = LIMIT) -> Answer:
    """Whether the hypotheses imply the conclusion for all reals.

    Raises:
        AssertionError: z3's model does not hold in exact arithmetic, or holds an irrational number.
    """
    formulas = [*hypotheses, z3.Not(conclusion)]
    found, solver = _check(formulas, limit)
    if found != z3.sat:
        return Answer("proved" if found == z3.unsat else "undecided", {})
    values = {name: _fraction(solver.model(), term.translate(solver.ctx)) for name, term in variables(formulas).items()}
    for formula in formulas:
        assert evaluate(formula, values) is True, f"{formula} is false for {values}"
    return Answer("refuted", values)


def consistent(formulas: Sequence[z3.BoolRef], limit: int = LIMIT) -> bool:
    """Whether some real numbers, not only rational ones, satisfy the formulas.

    Raises:
        AssertionError: z3 gave up.
    """
    found, _ = _check(formulas, limit)
    assert found != z3.unknown, "undecided"
    return bool(found == z3.sat)


def _check(formulas: Sequence[z3.BoolRef], limit: int) -> tuple[z3.CheckSatResult, z3.Solver]:
    """In a context of its own, so that no answer depends on earlier questions."""
    context = z3.Context()
    solver = z3.SolverFor("QF_NRA", ctx=context)
    solver.set("rlimit", limit)
    solver.set("timeout", 1000 * SECONDS)
    solver.add(*(formula.translate(context) for formula in formulas))
    return solver.check(), solver


def variables(formulas: Iterable[z3.ExprRef]) -> dict[str, z3.ArithRef]:
    """The variables of the formulas by name, in order of appearance."""
    found: dict[str, z3.ArithRef] = {}
    for formula in formulas:
        if z3.is_const(formula) and formula.decl().kind() == z3.Z3_OP_UNINTERPRETED:
            found[str(formula)] = formula
        found |= variables(formula.children())
    return found


def _fraction(model: z3.ModelRef, variable: z3.ArithRef) -> Fraction:
    value = model.eval(variable, model_completion=True)
    assert z3.is_rational_value(value), f"{variable} = {value} is irrational: ask for a rational model"
    return Fraction(value.numerator_as_long(), value.denominator_as_long())


_OPERATIONS: dict[int, Callable[..., Any]] = {
    z3.Z3_OP_ADD: lambda *terms: sum(terms, Fraction(0)),
    z3.Z3_OP_MUL: lambda *terms: reduce(operator.mul, terms, Fraction(1)),
    z3.Z3_OP_SUB: lambda first, *others: first - sum(others, Fraction(0)),
    z3.Z3_OP_DIV: operator.truediv,
    z3.Z3_OP_UMINUS: operator.neg,
    z3.Z3_OP_TO_REAL: lambda term: term,
    z3.Z3_OP_EQ: operator.eq,
    z3.Z3_OP_LE: operator.le,
    z3.Z3_OP_LT: operator.lt,
    z3.Z3_OP_GE: operator.ge,
    z3.Z3_OP_GT: operator.gt,
    z3.Z3_OP_NOT: operator.not_,
    z3.Z3_OP_AND: lambda *parts: all(parts),
    z3.Z3_OP_OR: lambda *parts: any(parts),
    z3.Z3_OP_IMPLIES: lambda left, right: not left or right,
    z3.Z3_OP_ITE: lambda condition, then, otherwise: then if condition else otherwise,
    z3.Z3_OP_TRUE: lambda: True,
    z3.Z3_OP_FALSE: lambda: False,
}


def evaluate(formula: z3.ExprRef, values: Mapping[str, Fraction]) -> Fraction | bool:
    """The value of a formula or a term in rational arithmetic; z3 serves as a syntax tree only."""
    if z3.is_rational_value(formula) or z3.is_int_value(formula):
        return Fraction(str(formula.as_fraction()) if z3.is_rational_value(formula) else formula.as_long())
    if formula.decl().kind() == z3.Z3_OP_UNINTERPRETED:
        return values[str(formula)]
    parts = [evaluate(part, values) for part in formula.children()]
    result: Fraction | bool = _OPERATIONS[formula.decl().kind()](*parts)
    return result
