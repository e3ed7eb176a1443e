"""The reviewers' table: every question that the theory can answer, once, with labels that exist."""

import re

import pytest

from theory.blueprint import BLUEPRINT
from theory.reviewers import ANSWERS

ASKED = ("R1.5", "R1.6", "R1.7", "R1.9", "R1.11", "R2.1", "R2.2", *(f"R4.{number}" for number in range(1, 9)))


def test_every_question_has_one_answer():
    assert tuple(answer.identity for answer in ANSWERS) == ASKED


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.identity)
def test_a_question_is_asked_and_answered_in_a_paragraph(answer):
    assert answer.question.endswith(("?", "."))
    assert answer.answer.endswith(".")
    assert 30 <= len(answer.answer.split()) <= 160
    assert "  " not in answer.question + answer.answer
    assert "\n" not in answer.answer
    assert len(set(answer.labels)) == len(answer.labels) > 0


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.identity)
def test_theorems_that_an_answer_names_are_among_its_labels(answer):
    lists = re.findall(r"Theorems? ((?:[ABC]'?|, | and )+)", answer.answer)
    named = {name for listed in lists for name in re.findall(r"[ABC]'?", listed)}
    assert {f"theorem-{name.lower().replace(chr(39), '-prime')}" for name in named} <= set(answer.labels)


def test_every_label_exists():
    labels = {entry.label for entry in BLUEPRINT}
    missing = {answer.identity: sorted(set(answer.labels) - labels) for answer in ANSWERS}
    assert not {number: unknown for number, unknown in missing.items() if unknown}
