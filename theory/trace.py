"""From the paper to statements, checks, code and tests: every end that leads nowhere. Imports none of them."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from theory.blueprint import Entry
from theory.ledger import Verdict, fold
from theory.reviewers import Answer
from theory.sources import ROOT, module_file

LABEL = re.compile(r"eq\. \d+|Algorithm \d+")
PAPER_LINE = re.compile(r"^Paper: +(.*?)\.?$", re.MULTILINE)
CHECKS = "theory.proof."


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
                for label in checked_labels(
                    [argument.value if isinstance(argument, ast.Constant) else None for argument in node.args],
                    f"{module}:{node.lineno}",
                ):
                    found[label].append(module)
    return dict(found)


def checked_labels(arguments: Sequence[object], where: str) -> Iterator[str]:
    """The labels of a mark.

    Raises:
        TraceError: none, or something else than a literal label.
    """
    for label in arguments or [None]:
        if not isinstance(label, str) or not LABEL.fullmatch(label):
            raise TraceError(f'{where}: write pytest.mark.paper("eq. N") with literal labels.')
        yield label


def dangling(in_code: Iterable[str], in_tests: Iterable[str]) -> list[str]:
    """The ends between code and tests that lead nowhere, one sentence each."""
    code, tests = set(in_code), set(in_tests)
    untested = [f"{label}: claimed by a `Paper:` line, but no test is marked with it" for label in code - tests]
    unclaimed = [f"{label}: a test is marked with it, but no `Paper:` line claims it" for label in tests - code]
    return sorted(untested + unclaimed, key=order)


def order(text: str) -> tuple[str, int]:
    """Sorts texts that start with a label by its kind, then by its number."""
    kind, number = LABEL.findall(text)[0].rsplit(" ", 1)
    return kind, int(number)


def read_modules(folder: Path) -> dict[str, str]:
    """{dotted module name: source} of all Python files below a folder of the checkout."""
    return {
        ".".join(path.relative_to(folder.parent).with_suffix("").parts): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.py"))
    }


def unanswered(in_code: Iterable[str], blueprint: Sequence[Entry]) -> list[str]:
    """Labels of the paper that the core claims and no statement is about, one sentence each."""
    stated = {label for entry in blueprint for label in LABEL.findall(entry.paper)}
    missing = sorted(set(in_code) - stated, key=order)
    return [f"{label}: claimed by a `Paper:` line, but no statement of the blueprint is about it" for label in missing]


def unsound(blueprint: Sequence[Entry]) -> list[str]:
    """Why statements can not be folded: labels that stand twice or are used and unknown, or a circle."""
    labels = [entry.label for entry in blueprint]
    sentences = [f"{label}: stands twice" for label in sorted({one for one in labels if labels.count(one) > 1})]
    sentences += [
        f"{entry.label}: uses {used}, which is no statement"
        for entry in blueprint
        for used in entry.uses
        if used not in labels
    ]
    if not sentences:
        try:
            fold(dict.fromkeys(labels, Verdict.IDENTITY), {entry.label: entry.uses for entry in blueprint})
        except ValueError as error:
            sentences.append(str(error))
    return sentences


def loose_ends(blueprint: Sequence[Entry]) -> list[str]:
    """Labels, checks, functions and tests of the blueprint that are not there, one sentence each."""
    return unsound(blueprint) + [f"{entry.label}: {fault}" for entry in blueprint for fault in _faults(entry)]


def _faults(entry: Entry) -> Iterator[str]:
    for check in entry.checks:
        if not check.startswith(CHECKS):
            yield f"the check {check} is not below {CHECKS[:-1]}"
        elif not _function_exists(check):
            yield f"the check {check} does not exist"
    yield from (f"the function {code} does not exist" for code in entry.code if not _function_exists(code))
    yield from (f"the test {test} does not exist" for test in entry.tests if not _test_exists(test))
    if entry.expected == "assumed" and (not entry.source or entry.checks):
        yield "what is assumed has a source and no checks"


def _function_exists(name: str) -> bool:
    """``package.module:function`` or ``package.module:Class.method``."""
    module, _, function = name.partition(":")
    path = module_file(module)
    return path is not None and function in _definitions(path)


def _test_exists(node: str) -> bool:
    """``tests/...py::test`` or ``tests/...py::Class::test``, perhaps with parameters."""
    path, _, name = node.partition("[")[0].partition("::")
    file = ROOT / path
    return file.is_file() and name.replace("::", ".") in _definitions(file)


@cache
def _definitions(path: Path) -> frozenset[str]:
    """Functions and classes of a module, those in classes with their class."""

    def visit(node: ast.AST, prefix: str) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                yield prefix + child.name
            if isinstance(child, ast.ClassDef):
                yield from visit(child, f"{prefix}{child.name}.")

    return frozenset(visit(ast.parse(path.read_text(encoding="utf-8")), ""))


def unfounded(answers: Sequence[Answer], blueprint: Sequence[Entry]) -> list[str]:
    """Answers to reviewers that rest on no statement, or on one that is not there, one sentence each."""
    labels = {entry.label for entry in blueprint}
    sentences = [f"{one.identity}: rests on no statement" for one in answers if not one.labels]
    return sentences + [
        f"{one.identity}: rests on {label}, which is no statement"
        for one in answers
        for label in one.labels
        if label not in labels
    ]


def all_ends(blueprint: Sequence[Entry], answers: Sequence[Answer] = ()) -> list[str]:
    """Every end that leads nowhere, of the blueprint, the answers to reviewers and the labels of the paper.

    Raises:
        TraceError: a label of the paper that can not be read.
    """
    in_code = functions_by_label(read_modules(ROOT / "flatmtl_core"))
    in_tests = marks_by_label(read_modules(ROOT / "tests"))
    return [
        *loose_ends(blueprint),
        *unfounded(answers, blueprint),
        *dangling(in_code, in_tests),
        *unanswered(in_code, blueprint),
    ]
