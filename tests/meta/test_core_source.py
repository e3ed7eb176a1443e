"""What the syntax trees of the core may hold: one door to the host, two dependencies, small pieces."""

import ast
import io
import sys
import tokenize
from collections.abc import Iterator, Mapping

import pytest

from tests.trace import ROOT, read_modules

SOURCES = read_modules(ROOT / "flatmtl_core")

DOORS = {"flatmtl_core.linalg.to_host", "flatmtl_core.linalg.to_floats"}
"""The only functions that may move values from a tensor to Python: one transfer, then host floats."""

HOST_CASTS = {
    "flatmtl_core.linalg.count_non_finite",  # of what to_host returned
    "flatmtl_core.weightings.constant.Constant.__post_init__",  # of the user's Python numbers
}
"""Functions that call float, int or bool on values that are on the host already."""

TRANSFERS = {"item", "tolist", "cpu", "numpy"}
ALLOWED_IMPORTS = {"torch", "jaxtyping", "flatmtl_core"}
LAYOUT_TOKENS = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
MOST_LINES, MOST_LINES_OF_A_FILE, MOST_LINES_OF_A_FUNCTION = 1750, 250, 40


def scoped(node: ast.AST, name: str) -> Iterator[tuple[ast.AST, str]]:
    """Every node with the dotted name of the innermost function or class around it."""
    for child in ast.iter_child_nodes(node):
        inner = f"{name}.{child.name}" if isinstance(child, ast.ClassDef | ast.FunctionDef) else name
        yield child, inner
        yield from scoped(child, inner)


def host_transfers(sources: Mapping[str, str]) -> list[str]:
    """Transfers outside the doors, and casts of what may be a tensor outside the named functions."""
    found = []
    for module, source in sources.items():
        for node, scope in scoped(ast.parse(source), module):
            if isinstance(node, ast.Attribute) and node.attr in TRANSFERS and scope not in DOORS:
                found.append(f"{scope}: .{node.attr}")
            if _is_cast(node) and scope not in DOORS | HOST_CASTS:
                found.append(f"{scope}: {ast.unparse(node)}")
    return found


def _is_cast(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"float", "int", "bool", "complex"}
        and not all(isinstance(argument, ast.Constant) for argument in node.args)
    )


def unwanted_statements(sources: Mapping[str, str]) -> list[str]:
    """Assertions (python -O removes them) and prints (a library does not talk)."""
    found = []
    for module, source in sources.items():
        for node, scope in scoped(ast.parse(source), module):
            if isinstance(node, ast.Assert):
                found.append(f"{scope}: assert")
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                found.append(f"{scope}: print")
    return found


def foreign_imports(sources: Mapping[str, str]) -> list[str]:
    """Imports of anything but the standard library, torch, jaxtyping and the core itself; relative ones too."""
    found = []
    for module, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = ["." if node.level else node.module or ""]
            roots = {name.split(".")[0] for name in names}
            found += [f"{module}: {root or '.'}" for root in sorted(roots - ALLOWED_IMPORTS - sys.stdlib_module_names)]
    return found


def code_lines(source: str) -> set[int]:
    """Numbers of the lines that hold code: no docstrings (bare strings), blank lines or comments."""
    documentation = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in LAYOUT_TOKENS:
            held |= set(range(token.start[0], token.end[0] + 1))
    return held - documentation


def too_large(sources: Mapping[str, str]) -> list[str]:
    """The core, its files and its functions that exceed their limits."""
    found = []
    total = 0
    for module, source in sources.items():
        lines = code_lines(source)
        total += len(lines)
        if len(lines) > MOST_LINES_OF_A_FILE:
            found.append(f"{module}: {len(lines)} lines of code")
        for node, scope in scoped(ast.parse(source), module):
            if isinstance(node, ast.FunctionDef):
                count = len(lines & set(range(node.lineno, (node.end_lineno or node.lineno) + 1)))
                if count > MOST_LINES_OF_A_FUNCTION:
                    found.append(f"{scope}: {count} lines of code")
    return found + ([f"all files: {total} lines of code"] if total > MOST_LINES else [])


def without_docstring(sources: Mapping[str, str]) -> list[str]:
    """Public modules, classes and functions (methods of the language left out) that do not say what they are."""
    found = []
    for module, source in sources.items():
        tree = ast.parse(source)
        for node, scope in [(tree, module), *scoped(tree, module)]:
            if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                continue
            private = any(part.startswith("_") for part in scope.removeprefix(module).split("."))
            if not private and ast.get_docstring(node) is None:
                found.append(scope)
    return found


def test_values_leave_tensors_by_the_doors_only() -> None:
    assert host_transfers(SOURCES) == []


def test_the_doors_and_the_casts_that_are_allowed_exist() -> None:
    scopes = {scope for module, source in SOURCES.items() for _, scope in scoped(ast.parse(source), module)}
    assert scopes >= DOORS | HOST_CASTS


def test_no_assertion_and_no_print() -> None:
    assert unwanted_statements(SOURCES) == []


def test_the_core_stands_on_torch_and_jaxtyping() -> None:
    assert foreign_imports(SOURCES) == []


def test_the_core_is_small() -> None:
    assert too_large(SOURCES) == []


def test_every_public_name_has_a_docstring() -> None:
    assert without_docstring(SOURCES) == []


@pytest.mark.parametrize(
    ("source", "violation"),
    [
        ("def f(t):\n    return t.item()", "core.f: .item"),
        ("class A:\n    def f(self, t):\n        return [x for x in t.tolist()]", "core.A.f: .tolist"),
        ("def f(t):\n    return t.detach().cpu()", "core.f: .cpu"),
        ("move = torch.Tensor.numpy", "core: .numpy"),
        ("def f(t):\n    return float(t.sum())", "core.f: float(t.sum())"),
        ("def f(t):\n    return bool(t)", "core.f: bool(t)"),
    ],
)
def test_a_planted_transfer_is_found(source: str, violation: str) -> None:
    assert host_transfers({"core": source}) == [violation]
    assert host_transfers({"core": "def f(t):\n    return t.sum() + float('inf')"}) == []


def test_planted_statements_and_imports_are_found() -> None:
    source = (
        "import numpy as np\nfrom scipy.linalg import eigh\nfrom . import types\ndef f(x):\n    assert x\n    print(x)"
    )
    assert unwanted_statements({"core": source}) == ["core.f: assert", "core.f: print"]
    assert foreign_imports({"core": source}) == ["core: numpy", "core: scipy", "core: ."]
    assert foreign_imports({"core": "import math\nfrom torch import nn\nfrom flatmtl_core.types import Losses"}) == []


def test_lines_of_code_leave_out_what_documents() -> None:
    source = (
        '"""Module."""\n\n# comment\nX = (\n    1,  # one\n)\n"""About X."""\n\ndef f():\n    """F."""\n    return X\n'
    )
    assert code_lines(source) == {4, 5, 6, 9, 11}


def test_planted_size_is_found() -> None:
    long_function = "def f(x):\n" + "    x += 1\n" * 40
    assert too_large({"core": "X = 1\n" * MOST_LINES_OF_A_FILE + long_function}) == [
        "core: 291 lines of code",
        "core.f: 41 lines of code",
    ]
    whole = {f"core.part{number}": "X = 1\n" * 250 for number in range(8)}
    assert too_large(whole) == ["all files: 2000 lines of code"]


def test_a_planted_missing_docstring_is_found() -> None:
    source = "class A:\n    def f(self): ...\n    def __repr__(self): ...\n    def _g(self): ...\ndef _h(): ..."
    assert without_docstring({"core": source}) == ["core", "core.A", "core.A.f"]
