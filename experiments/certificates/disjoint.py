"""Splits on which a certificate may rest: independent samples."""

from pathlib import Path

import torch

from experiments.problems.adult import load_adult
from experiments.problems.overlays import load_overlays
from experiments.spec import ProblemName
from experiments.splits import LoadedProblem, Split


def load_disjoint(
    problem: ProblemName, n_train: int, n_validation: int, n_test: int, data_dir: Path | None = None
) -> LoadedProblem:
    """The splits of a certified run, of independent samples: overlays that share no base image; people, whose numbers
    are scaled by the validation split, so that no part of the training split depends on another."""

    def overlays(name: str, count: int) -> Split:
        found = load_overlays(problem, name, count=count, disjoint=True, data_dir=data_dir)  # type: ignore[arg-type]
        return Split(torch.from_numpy(found.images), torch.from_numpy(found.labels), found.sha256)

    def people(name: str, count: int) -> Split:
        found = load_adult(name, count=count, data_dir=data_dir, reference="validation")  # type: ignore[arg-type]
        return Split(torch.from_numpy(found.features), torch.from_numpy(found.labels), found.sha256)

    split = people if problem == "adult" else overlays
    return LoadedProblem(
        train=split("train", n_train), validation=split("validation", n_validation), test=split("test", n_test)
    )
