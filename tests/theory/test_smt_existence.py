"""Existence by z3: a rational witness, or none; whatever z3 can not decide stays open."""

import pytest
import z3

from theory.ledger import Verdict
from theory.proof.kernels import smt

X, Y = z3.Reals("x y")


def test_a_witness_is_found_and_its_twin_refuted():
    [twin] = (finding := smt.exists("", "", [X * X == 4, X < 0], [smt.OppositeExistence("= -4", [X * X == -4])])).twins
    assert finding.verdict is Verdict.ENUMERATED
    assert finding.evidence == "satisfied by x = -2"
    assert twin.verdict is Verdict.REFUTED


def test_what_no_number_satisfies_is_refuted():
    finding = smt.exists("", "", [X > Y, Y > X], [smt.OppositeExistence("one", [X > Y])])
    assert finding.verdict is Verdict.REFUTED
    assert finding.evidence == "no real numbers satisfy it: unsatisfiable"


def test_a_twin_that_is_not_told_apart_leaves_it_undecided():
    assert smt.exists("", "", [X > Y], [smt.OppositeExistence("same", [X > Y])]).verdict is Verdict.UNDECIDED
    assert smt.exists("", "", [X > Y, Y > X], []).verdict is Verdict.UNDECIDED


def test_an_irrational_witness_is_not_taken():
    with pytest.raises(AssertionError, match="irrational"):
        smt.satisfied([X * X == 2])


def test_undecided_stays_undecided(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(smt, "decide", lambda formulas, conclusion: smt.Answer("undecided", {}))
    assert smt.satisfied([X > 0]) == (Verdict.UNDECIDED, "z3 gave up")
