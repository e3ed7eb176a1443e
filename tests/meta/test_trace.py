"""Equations, functions and tests belong together: the trace of `nox -s verify`, checked in the fast suite too."""

import pytest

from tests.trace import ROOT
from theory.trace import (
    TraceError,
    dangling,
    functions_by_label,
    labels_in_docstring,
    marks_by_label,
    read_modules,
)

ALGORITHM_1 = {"Algorithm 1", "eq. 7", "eq. 11", "eq. 14", "eq. 15", "eq. 16"}
"""What one iteration computes; a step that leaves one of them out is not the paper's."""


def test_no_end_dangles() -> None:
    in_code = functions_by_label(read_modules(ROOT / "flatmtl_core"))
    in_tests = marks_by_label(read_modules(ROOT / "tests"))
    assert dangling(in_code, in_tests) == []
    assert set(in_code) >= ALGORITHM_1


CODE = '''
class Step:
    """Algorithm.

    Paper: Algorithm 1
    """

    def run(self):
        """One line.

        Paper: eq. 7, eq. 11.
        """
'''
MARKED = """
pytestmark = [pytest.mark.paper("Algorithm 1")]

@pytest.mark.paper("eq. 7", "eq. 12")
def test_something(): ...
"""


def test_both_kinds_of_dangling_end_are_found() -> None:
    in_code = functions_by_label({"core.step": CODE})
    in_tests = marks_by_label({"tests.some": MARKED})
    assert in_code == {
        "Algorithm 1": ["core.step.Step"],
        "eq. 7": ["core.step.Step.run"],
        "eq. 11": ["core.step.Step.run"],
    }
    assert in_tests == {"Algorithm 1": ["tests.some"], "eq. 7": ["tests.some"], "eq. 12": ["tests.some"]}
    assert [sentence.split(":")[0] for sentence in dangling(in_code, in_tests)] == ["eq. 11", "eq. 12"]


@pytest.mark.parametrize("line", ["eq. 14, 15", "equation 7", "eq. 7 and eq. 11", "Table 1"])
def test_a_label_that_can_not_be_traced_is_refused(line: str) -> None:
    with pytest.raises(TraceError, match="core"):
        labels_in_docstring(f"One line.\n\nPaper: {line}\n", "core.step")


@pytest.mark.parametrize("mark", ['paper("11")', "paper(NAME)", "paper()"])
def test_a_mark_without_a_literal_label_is_refused(mark: str) -> None:
    with pytest.raises(TraceError, match="tests"):
        marks_by_label({"tests.some": f"@pytest.mark.{mark}\ndef test_something(): ..."})


pytest_plugins = ["pytester"]


@pytest.mark.parametrize(("label", "exit_code"), [("eq. 7", 0), ("eq. 11", 1)])
def test_the_plugin_fails_a_run_whose_trace_dangles(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, label: str, exit_code: int
) -> None:
    monkeypatch.setattr("tests.trace.ROOT", pytester.path)
    pytester.mkpydir("flatmtl_core").joinpath("step.py").write_text(
        'def f():\n    """One.\n\n    Paper: eq. 7\n    """\n'
    )
    pytester.makeini("[pytest]\nmarkers = paper")
    pytester.makepyfile(f'import pytest\n@pytest.mark.paper("{label}")\ndef test_one(): ...')
    result = pytester.runpytest_inprocess("-p", "tests.trace", "-m", "paper", "-p", "no:randomly")
    assert result.ret == exit_code
    result.stdout.fnmatch_lines(["eq. 7 *flatmtl_core.step.f *" + ("1 passed" if exit_code == 0 else "no test")])
