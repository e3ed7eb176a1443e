"""A question about a tiny training run that is answered at once, or as its name says."""

import os
import time
from pathlib import Path

import msgspec

from experiments.provenance import now, provenance
from experiments.results import Provenance, Shelf
from experiments.spec import Spec
from experiments.splits import LoadedProblem
from flatmtl_core import InvalidInput
from tests.experiments.tiny_problem import tiny_spec


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``how`` it is answered: ``at once``, ``never`` (an error), ``dying`` (the process ends), ``held`` (as long as a
    file ``log.hold`` stands beside the log). ``log``: a file that gets one byte an answer.
    """

    training: Spec
    how: str
    log: str


class Given(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The number of training examples."""

    schema_version: int
    key: str
    asked: Asked
    provenance: Provenance
    examples: int

    @property
    def summary(self) -> str:
        return f"{self.examples} examples"


SHELF: Shelf[Asked, Given] = Shelf("asked", Given, 1, 1, "answer", "ask again")


def ask(folder: Path, how: str, seed: int = 0) -> Asked:
    return Asked(training=tiny_spec(seed=seed), how=how, log=str(folder / f"log{seed}"))


def answer(asked: Asked, problem: LoadedProblem, *, commit: str, dirty: bool) -> Given:
    """Raises an error that can not be sent from process to process where the answer is ``never``."""
    started = now()
    with Path(asked.log).open("ab") as log:
        log.write(b".")
    if asked.how == "never":
        raise InvalidInput("no answer", "here", 0, "an answer", "look elsewhere")
    if asked.how == "dying":
        os._exit(9)
    while asked.how == "held" and Path(f"{asked.log}.hold").exists():
        time.sleep(0.02)
    return Given(
        schema_version=1,
        key=SHELF.key(asked),
        asked=asked,
        provenance=provenance(problem, commit=commit, dirty=dirty, started=started, resumed=0),
        examples=len(problem.train.labels),
    )
