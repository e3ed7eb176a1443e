"""The trace from the paper to the code to the tests: every `Paper:` line has a marked test, every mark a `Paper:` line.

As a pytest plugin (`-p tests.trace`) it prints one line an equation and fails the run when an end dangles.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LABEL = re.compile(r"eq\. \d+|Algorithm \d+")
PAPER_LINE = re.compile(r"^Paper: +(.*?)\.?$", re.MULTILINE)


class TraceError(Exception):
    """A `Paper:` line or a mark that names no label; nothing can be traced through it."""


def labels_in_docstring(docstring: str, where: str) -> list[str]:
    """Labels of the `Paper:` lines: one or more of `eq. N`, `Algorithm N`, separated by commas."""
    labels: list[str] = []
    for line in PAPER_LINE.findall(docstring):
        for label in line.split(", "):
            if not LABEL.fullmatch(label):
                raise TraceError(f"{where}: `Paper: {line}`. Write labels as `eq. 7, eq. 11` or `Algorithm 1`.")
            labels.append(label)
    return labels


def functions_by_label(modules: Mapping[str, str]) -> dict[str, list[str]]:
    """For each label the functions, classes and modules that claim it, from {dotted module name: source}."""
    found: dict[str, list[str]] = defaultdict(list)

    def visit(node: ast.AST, name: str) -> None:
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            for label in labels_in_docstring(ast.get_docstring(node) or "", name):
                found[label].append(name)
        for child in ast.iter_child_nodes(node):
            visit(child, f"{name}.{child.name}" if isinstance(child, ast.ClassDef | ast.FunctionDef) else name)

    for module, source in modules.items():
        visit(ast.parse(source), module)
    return dict(found)


def marks_by_label(modules: Mapping[str, str]) -> dict[str, list[str]]:
    """For each label the modules that hold a `pytest.mark.paper(...)` with it, from {dotted module name: source}."""
    found: dict[str, list[str]] = defaultdict(list)
    for module, source in modules.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.paper":
                for label in _checked_labels(
                    [argument.value if isinstance(argument, ast.Constant) else None for argument in node.args],
                    f"{module}:{node.lineno}",
                ):
                    found[label].append(module)
    return dict(found)


def _checked_labels(arguments: Sequence[object], where: str) -> Iterator[str]:
    for label in arguments or [None]:
        if not isinstance(label, str) or not LABEL.fullmatch(label):
            raise TraceError(f'{where}: write pytest.mark.paper("eq. N") with literal labels.')
        yield label


def dangling(in_code: Iterable[str], in_tests: Iterable[str]) -> list[str]:
    """The ends that lead nowhere, one sentence each."""
    code, tests = set(in_code), set(in_tests)
    untested = [f"{label}: claimed by a `Paper:` line, but no test is marked with it" for label in code - tests]
    unclaimed = [f"{label}: a test is marked with it, but no `Paper:` line claims it" for label in tests - code]
    return sorted(untested + unclaimed, key=_order)


def read_modules(folder: Path) -> dict[str, str]:
    """{dotted module name: source} of all Python files below a folder of the checkout."""
    return {
        ".".join(path.relative_to(folder.parent).with_suffix("").parts): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.py"))
    }


def _order(text: str) -> tuple[str, int]:
    """Sorts texts that start with a label by its kind, then by its number."""
    kind, number = LABEL.findall(text)[0].rsplit(" ", 1)
    return kind, int(number)


class Trace:
    """Collects the outcome of every marked test and prints the table."""

    def __init__(self) -> None:
        self.functions = functions_by_label(read_modules(ROOT / "flatmtl_core"))
        self.tests: dict[str, set[str]] = defaultdict(set)
        self.outcomes: dict[str, str] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            for mark in item.iter_markers("paper"):
                for label in _checked_labels(mark.args, item.nodeid):
                    self.tests[label].add(item.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.nodeid] = report.outcome

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if dangling(self.functions, self.tests) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("from the paper to the code to the tests")
        for label in sorted({*self.functions, *self.tests}, key=_order):
            functions = ", ".join(self.functions.get(label, ["no function"]))
            outcomes = [self.outcomes.get(test, "not run") for test in sorted(self.tests[label])]
            counts = ", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in sorted(set(outcomes)))
            terminalreporter.line(f"{label:<12} {functions:<70} {counts or 'no test'}")
        for sentence in dangling(self.functions, self.tests):
            terminalreporter.line(sentence, red=True)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Trace(), "trace")
