"""Misreadings made by hand: what somebody who implements the paper, or one of the methods, could get wrong."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tests.mutation.mutants import CORE, Mutant, replace_once


class Misreading(NamedTuple):
    """``old`` must stand exactly once in the file (below the core); ``stands_for`` says what was misread."""

    name: str
    file: str
    old: str
    new: str
    stands_for: str


def hand_mutants(files: Mapping[str, str], misreadings: Iterable[Misreading]) -> list[Mutant]:
    """The misreadings as mutants.

    Raises:
        ValueError: one does not apply any more; its name is in the message.
    """
    found = []
    for fault in misreadings:
        file = f"{CORE}/{fault.file}"
        try:
            mutated, start, end = replace_once(files[file], fault.old, fault.new)
        except (ValueError, KeyError) as error:
            raise ValueError(f"{fault.name}: {error}") from error
        found.append(Mutant("hand", fault.name, file, fault.name, fault.old, fault.new, 0, start, end, mutated))
    return found
