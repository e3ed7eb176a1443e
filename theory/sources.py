"""What a check consists of: the module that holds it and every module of this room that it imports, as texts."""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def sources(checks: Iterable[str]) -> dict[str, str]:
    """SHA-256 of every file that checks ``package.module:function`` consist of, by path.

    Follows the import statements below ``theory``, also those inside functions; what is imported by a computed name is
    not seen. A module that does not exist is left out.
    """
    waiting = [check.partition(":")[0] for check in checks]
    files: dict[str, str] = {}
    seen: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        path = module_file(module)
        if path is not None:
            waiting += _imported(path, module)
            files[path.relative_to(ROOT).as_posix()] = _digest(path)
    return dict(sorted(files.items()))


def module_file(module: str) -> Path | None:
    """The file of a module of the checkout, or None."""
    path = ROOT.joinpath(*module.split("."))
    files = (path.with_name(f"{path.name}.py"), path / "__init__.py")
    return next((file for file in files if file.is_file()), None)


def forget() -> None:
    """Read all files again."""
    _digest.cache_clear()
    _imported.cache_clear()


@cache
def _digest(path: Path) -> str:
    """Of the text: the same however the checkout ends its lines."""
    return hashlib.sha256(path.read_text(encoding="utf-8").encode()).hexdigest()


@cache
def _imported(path: Path, module: str) -> frozenset[str]:
    """Modules of this room that a file may import, its packages, whose ``__init__`` runs first, included."""
    parents = module.split(".")[:-1]
    names = {".".join(parents[:depth]) for depth in range(1, len(parents) + 1)}
    package = module if path.name == "__init__.py" else ".".join(parents)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names.update(_named(node, package))
    return frozenset(name for name in names if name.split(".")[0] == "theory")


def _named(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)
