"""The kernel that asks z3: it says no, it says that it does not know, and a model is not taken on trust."""

from fractions import Fraction

import pytest
import z3

from theory.ledger import Verdict
from theory.proof.kernels import smt
from theory.proof.kernels.smt import FalseImplication

x, y = z3.Reals("x y")
FALSE = z3.BoolVal(False)
DROPPED = FalseImplication("the hypothesis is dropped", hypotheses=())


def test_what_holds_is_proved_and_its_twin_has_a_model() -> None:
    finding = smt.implies("squares", "x^2 > 0 for x > 0", (x > 0,), x * x > 0, [DROPPED])
    assert (finding.verdict, finding.twins[0].verdict) == (Verdict.UNSAT, Verdict.REFUTED)
    assert finding.twins[0].evidence == "x = 0"


def test_what_is_false_is_refuted_by_a_model() -> None:
    finding = smt.implies("squares", "x^2 > 0", (), x * x > 0, [FalseImplication("x > 0", hypotheses=(x > 0,))])
    assert (finding.verdict, finding.evidence) == (Verdict.REFUTED, "x = 0")


def test_a_twin_that_holds_as_well_leaves_the_lemma_undecided() -> None:
    finding = smt.implies("squares", "x^2 >= 0 for x > 0", (x > 0,), x * x >= 0, [DROPPED])
    assert finding.verdict is Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("hypotheses", "conclusion", "twin"),
    [((x > 0, x < 0), x > 1, DROPPED), ((), x > 0, FalseImplication("contradictory", hypotheses=(x > 0, x < 0)))],
)
def test_hypotheses_that_nothing_meets_are_no_lemma(
    hypotheses: tuple[z3.BoolRef, ...], conclusion: z3.BoolRef, twin: FalseImplication
) -> None:
    with pytest.raises(ValueError, match="say nothing"):
        smt.implies("vacuous", "", hypotheses, conclusion, [twin])


def test_what_is_cut_short_is_undecided() -> None:
    a, b, c, d = z3.Reals("a b c d")
    hard = a * a * a * d + b * b * b * c + c * c * c * a >= 3 * a * b * c - d * d * d * b
    assert smt.decide((a > 0, b > 0, c > 0, d > 0), hard, limit=100).verdict == "undecided"
    with pytest.raises(AssertionError, match="undecided"):
        smt.consistent((a > 0, b > 0, hard), limit=1)


def test_a_model_is_read_as_fractions() -> None:
    assert smt.decide((3 * x == 1, y == x / 7), y > x).values == {"x": Fraction(1, 3), "y": Fraction(1, 21)}
    with pytest.raises(AssertionError, match="irrational"):
        smt.decide((x * x == 2,), FALSE)


def test_a_false_model_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smt, "_fraction", lambda model, variable: Fraction(0))
    with pytest.raises(AssertionError, match="is false for"):
        smt.decide((x > 1,), FALSE)


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        (x * x - 2 * y == -z3.Q(1, 3), True),
        (x * x - 2 * y > z3.Q(-1, 3), False),
        (z3.And(z3.If(x < y, x, y) == x, z3.Or(x <= 0, z3.Not(x / 2 >= 1))), False),
        (z3.Implies(x <= y, y == 1), True),
    ],
)
def test_formulas_are_evaluated_without_z3(formula: z3.BoolRef, value: bool) -> None:
    assert smt.evaluate(formula, {"x": Fraction(1, 3), "y": Fraction(2, 9)}) is value
