"""What a mutant is: one file of the core with one piece of text replaced, known by content and not by position."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Literal

CORE = "flatmtl_core"


@dataclass(frozen=True)
class Mutant:
    """One fault.

    Args:
        kind: made by hand or by an operator.
        name: of a fault made by hand; of the operator otherwise.
        file: path in the checkout, with slashes.
        scope: dotted name of the function or class around it; empty for the module.
        old, new: the text that is replaced, and by what.
        number: which of the equal replacements in this scope, from 0.
        start, end: first and last line of ``old``, from 1.
        mutated: the whole file with the fault.
    """

    kind: Literal["hand", "automatic"]
    name: str
    file: str
    scope: str
    old: str
    new: str
    number: int
    start: int
    end: int
    mutated: str

    @property
    def identity(self) -> str:
        """What stays the same when other lines change: the key of explanations and of the sample."""
        if self.kind == "hand":
            return f"by hand: {self.name}"
        old, new = " ".join(self.old.split()), " ".join(self.new.split())
        return f"{self.file}:{self.scope}: {self.name}: {old} -> {new} #{self.number}"

    def diff(self, source: str) -> str:
        """The fault as a patch without context."""
        lines = unified_diff(source.splitlines(), self.mutated.splitlines(), n=0, lineterm="")
        return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def replace_once(source: str, old: str, new: str) -> tuple[str, int, int]:
    """The source with its only ``old`` replaced, and the first and last line of ``old``.

    Raises:
        ValueError: ``old`` is missing or stands there more than once, or nothing changes.
    """
    count = source.count(old)
    if count != 1 or old == new:
        raise ValueError(f"{count} times in the file, must be once and be changed: {old!r}")
    start = source[: source.index(old)].count("\n") + 1
    return source.replace(old, new), start, start + old.rstrip("\n").count("\n")


def core_files(root: Path) -> dict[str, str]:
    """{path in the checkout: source} of the core."""
    paths = sorted((root / CORE).rglob("*.py"))
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def digest(parts: Iterable[str]) -> str:
    """A short hash of several texts, none of which can pass for two."""
    whole = hashlib.sha256()
    for part in parts:
        content = part.encode()
        whole.update(len(content).to_bytes(8, "big") + content)
    return whole.hexdigest()[:24]
