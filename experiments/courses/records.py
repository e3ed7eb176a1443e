"""What is followed along a training run, and what it leaves: one strict JSON file a run. No torch here."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import msgspec

from experiments.certificates.records import OVERLAYS, PEOPLE
from experiments.profiles import BASE, FLAT, Options
from experiments.results import STORE, Provenance, Shelf
from experiments.spec import AggregatorName, Mode, ProblemName, Spec
from experiments.statistics import Paired

SCHEMA_VERSION = 1
REVISION = 2
"""Raise it when a change alters what is found: stored courses then count as missing."""

STORED = STORE / "courses"
COMMAND = "python -m experiments.courses"


class Following(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which run is followed, and how.

    Args:
        training: method, model, sizes; trained on the first ``n_prior`` of the ``n_train`` examples.
        n_prior: the certificate is computed on the others.
        checkpoints: epochs after which the network is looked at; 0: before training.
        radii: of trunk and heads, for the Gaussian noise and the theorems' terms.
        piece: test examples that share one draw of the noise; divides their number.
        delta: a certificate of one checkpoint fails with at most this probability.
    """

    training: Spec
    n_prior: int
    checkpoints: tuple[int, ...]
    radii: tuple[float, ...] = (0.05, 0.2)
    piece: int = 250
    delta: float = 0.05


class Rise(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One radius: ``E L(w + eps) - L(w)`` of every task on the test split, with paired intervals. ``loss``: L(w)."""

    rho: float
    loss: tuple[float, ...]
    rise: tuple[Paired, ...]


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The network after ``epoch`` epochs. Errors are 0-1 losses; tuples run over tasks.

    Args:
        train_error: on the examples that it was trained on. held_out_error: on the bound's.
        bounds: by name, on the risk of the mean task; the posterior is the prior, a point.
        theorems: by name, the largest term over the tasks at the last radius: what a theorem adds to the worst case.
        rises: radius by radius.
    """

    epoch: int
    train_error: tuple[float, ...]
    held_out_error: tuple[float, ...]
    test_error: tuple[float, ...]
    bounds: dict[str, float]
    theorems: dict[str, float]
    rises: tuple[Rise, ...]


class Course(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that one run showed."""

    schema_version: int
    key: str
    following: Following
    provenance: Provenance
    n_bound: int
    checkpoints: tuple[Checkpoint, ...]
    cpu_seconds: float

    @property
    def summary(self) -> str:
        return f"followed in {self.cpu_seconds:.0f} CPU s"


METHODS: tuple[tuple[Mode, AggregatorName, Options], ...] = (
    ("erm", "Mean", BASE["Mean"]),
    ("decomposed", "CAGrad", FLAT["CAGrad"]),
)
SHORT = replace(OVERLAYS, epochs=15)
RHO = 0.2
"""Of the decomposed method."""
CHECKPOINTS: dict[ProblemName, tuple[int, ...]] = {
    "adult": (0, 1, 2, 3, 5, 7, 10, 15),
    "multi_fashion": (0, 1, 2, 4, 6, 10, 15),
}


def followings() -> tuple[Following, ...]:
    """Plain and decomposed training on Adult and MultiFashion, seed 0."""
    return tuple(_followings())


def _followings() -> Iterator[Following]:
    for (problem, checkpoints), (mode, aggregator, options) in product(CHECKPOINTS.items(), METHODS):
        profile, rho = PEOPLE if problem == "adult" else SHORT, 0.0 if mode == "erm" else RHO
        training = profile.spec(problem, 0, mode, aggregator=aggregator, options=options, rho=rho)
        yield Following(training=training, n_prior=profile.n_train // 2, checkpoints=checkpoints)


COURSE_SHELF: Shelf[Following, Course] = Shelf(
    "following", Course, SCHEMA_VERSION, REVISION, "course", "follow the run again"
)
