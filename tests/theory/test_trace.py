"""The trace of statements: every planted end that leads nowhere is found, and the real ones lead somewhere."""

import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from tests.theory import planted
from theory import trace
from theory.blueprint import BLUEPRINT, Entry
from theory.reviewers import ANSWERS, Answer
from theory.sources import ROOT
from theory.trace import loose_ends, unanswered, unfounded, unsound

SOUND = replace(
    planted.entry("sound"),
    checks=("theory.proof.kernels.smt:decide",),
    code=("flatmtl_core.step:sam_mtl_backward", "flatmtl_core.weightings.mgda:MGDA.solve"),
    tests=(
        "tests/theory/test_trace.py::test_what_is_there_is_found",
        "tests/theory/test_trace.py::TestInClass::test_in_class",
        "tests/meta/test_trace.py::test_a_label_that_can_not_be_traced_is_refused[eq. 14, 15]",
    ),
)


class TestInClass:
    def test_in_class(self) -> None:
        assert trace.unsound([]) == []


def test_what_is_there_is_found() -> None:
    assert loose_ends([SOUND]) == []
    assert loose_ends(planted.BLUEPRINT[:2]) == []


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"uses": ("nowhere",)}, "sound: uses nowhere, which is no statement"),
        ({"uses": ("sound",)}, "a circle: sound -> sound"),
        ({"checks": ("theory.proof.kernels.smt:guess",)}, "the check theory.proof.kernels.smt:guess does not exist"),
        ({"checks": ("theory.proof.kernels.magic:decide",)}, "theory.proof.kernels.magic:decide does not exist"),
        ({"checks": ("theory.proof.kernels.smt",)}, "the check theory.proof.kernels.smt does not exist"),
        ({"checks": ("tests.theory.planted:holds",)}, "tests.theory.planted:holds is not below theory.proof"),
        ({"code": ("flatmtl_core.step:leap",)}, "the function flatmtl_core.step:leap does not exist"),
        ({"code": ("flatmtl_core.weightings.mgda:MGDA.leap",)}, "MGDA.leap does not exist"),
        ({"tests": ("tests/theory/test_trace.py::test_nothing",)}, "test_trace.py::test_nothing does not exist"),
        ({"tests": ("tests/theory/test_trace.py::test_in_class",)}, "test_trace.py::test_in_class does not exist"),
        ({"tests": ("tests/theory/test_none.py::test_x",)}, "test_none.py::test_x does not exist"),
        ({"tests": ("tests/theory/test_trace.py",)}, "tests/theory/test_trace.py does not exist"),
        ({"expected": "assumed"}, "what is assumed has a source and no checks"),
        ({"expected": "assumed", "source": "a book"}, "what is assumed has a source and no checks"),
        ({"expected": "assumed", "checks": ()}, "what is assumed has a source and no checks"),
    ],
)
def test_planted_ends_that_lead_nowhere_are_found(changed: dict[str, Any], sentence: str) -> None:
    (found,) = loose_ends([replace(SOUND, **changed)])
    assert found.startswith(("sound: ", "a circle: "))
    assert found.endswith(sentence)


def test_a_label_that_stands_twice_is_found() -> None:
    assert unsound([SOUND, SOUND]) == ["sound: stands twice"]


def test_a_longer_circle_is_found() -> None:
    first, second = replace(SOUND, label="first", uses=("second",)), replace(SOUND, label="second", uses=("first",))
    assert unsound([first, second]) == ["a circle: first -> second -> first"]


def test_a_label_of_the_paper_without_a_statement_is_found() -> None:
    about = [replace(SOUND, paper="proof of eq. 7 and Algorithm 1")]
    assert [sentence.split(":")[0] for sentence in unanswered(["eq. 7", "eq. 77", "Algorithm 1"], about)] == ["eq. 77"]


def test_an_answer_without_a_statement_is_found() -> None:
    answers = [Answer("R9.1", "?", ("sound", "unsound"), "!"), Answer("R9.2", "?", (), "!")]
    assert unfounded(answers, [SOUND]) == [
        "R9.2: rests on no statement",
        "R9.1: rests on unsound, which is no statement",
    ]
    assert set(unfounded(answers, [SOUND])) < set(trace.all_ends([SOUND], answers))


def test_the_blueprint_has_no_loose_end() -> None:
    assert loose_ends(BLUEPRINT) == []
    assert unfounded(ANSWERS, BLUEPRINT) == []


def test_formulas_are_written_once() -> None:
    latex = {entry.label: entry.latex for entry in BLUEPRINT}
    assert [label for label, text in latex.items() if re.search(r"\\\\[a-zA-Z]", text)] == [], "a doubled backslash"
    assert [label for label, text in latex.items() if text.count("{") != text.count("}")] == [], "a brace is missing"


def test_the_trace_imports_no_torch() -> None:
    code = "import sys\nfrom theory.__main__ import main\nmain(['trace', '--check'])\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, timeout=120)


def test_every_label_of_the_core_and_the_tests_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    stated: list[Entry] = [replace(SOUND, paper="eq. 7")]
    sentences = trace.all_ends(stated)
    assert "eq. 11: claimed by a `Paper:` line, but no statement of the blueprint is about it" in sentences
    assert not any(sentence.startswith("eq. 7:") for sentence in sentences)
    monkeypatch.setattr(trace, "marks_by_label", lambda modules: {})
    untested = "eq. 7: claimed by a `Paper:` line, but no test is marked with it"
    assert untested in trace.all_ends(stated)
