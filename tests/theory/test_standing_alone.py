"""The proofs are an independent witness: what they may import."""

import ast
import sys

from tests.trace import ROOT, read_modules

ALLOWED = {"sympy", "z3", "flint", "numpy"}
OWN = ("theory.ledger", "theory.proof")


def foreign_imports(source: str) -> set[str]:
    """Modules beyond the standard library, the four libraries that decide, and the proofs themselves."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
    allowed = sys.stdlib_module_names | ALLOWED
    own = {name for name in names if name in OWN or name.startswith("theory.proof.")}
    return {name for name in names - own if name.split(".")[0] not in allowed}


def test_the_proofs_stand_alone() -> None:
    modules = read_modules(ROOT / "theory" / "proof")
    assert len(modules) > 10
    assert {name: foreign_imports(source) for name, source in modules.items()} == {name: set() for name in modules}


def test_a_foreign_import_is_seen() -> None:
    assert foreign_imports("import torch\nfrom flatmtl_core import MGDA\nfrom . import smt\nimport z3") == {
        "torch",
        "flatmtl_core",
        ".",
    }
    assert foreign_imports("import theory.bounds\nimport theory.ledger") == {"theory.bounds"}
