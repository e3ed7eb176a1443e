"""The laws of aggregators: each lemma gets its verdict from z3, and its twin the opposite one."""

import pytest
import z3

from theory.proof.kernels import smt
from theory.proof.laws import LEMMAS
from theory.proof.laws.lemma import Lemma

FALSE = z3.BoolVal(False)


@pytest.mark.parametrize("lemma", LEMMAS, ids=lambda lemma: lemma.name)
def test_lemma(lemma: Lemma) -> None:
    finding = lemma.finding()
    assert finding.verdict is smt.VERDICTS[lemma.verdict], finding
    assert lemma.statement in finding.statement
    assert lemma.reach.value in finding.statement
    assert lemma.twin.hypotheses is not None or lemma.twin.conclusion is not None


@pytest.mark.parametrize("lemma", LEMMAS, ids=lambda lemma: lemma.name)
def test_hypotheses_contradict_neither_themselves_nor_the_conclusion(lemma: Lemma) -> None:
    assert smt.decide(lemma.hypotheses, FALSE).verdict == "refuted"
    assert smt.decide((*lemma.hypotheses, lemma.conclusion), FALSE).verdict == "refuted"


def test_a_lemma_that_is_cut_short_has_no_verdict() -> None:
    (hard,) = (lemma for lemma in LEMMAS if lemma.name == "imtl-g of three")
    assert hard.twin.hypotheses is not None
    answer = smt.decide(hard.twin.hypotheses, hard.conclusion, limit=1000)
    assert (answer.verdict, dict(answer.values)) == ("undecided", {})
    assert answer.verdict not in {lemma.verdict for lemma in LEMMAS}
    with pytest.raises(AssertionError, match="undecided"):
        smt.consistent(hard.twin.hypotheses, limit=10)
