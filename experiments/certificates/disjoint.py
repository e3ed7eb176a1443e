"""Splits on which a certificate may rest: independent samples."""

from pathlib import Path

import torch

from experiments.certificates.records import ROOM_SIZE
from experiments.dense_splits import splits_of
from experiments.problems.adult import load_adult
from experiments.problems.overlays import load_overlays
from experiments.problems.scenes.cache import rendered_folder
from experiments.spec import ProblemName
from experiments.splits import AnyProblem, DenseProblem, LoadedProblem, Split


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


def load_independent(
    problem: ProblemName, n_train: int, n_validation: int, n_test: int, data_dir: Path | None = None
) -> AnyProblem:
    """The same, and rendered rooms: each image is of a scene of its own seed, so images are independent, pixels not."""
    if problem != "rooms":
        return load_disjoint(problem, n_train, n_validation, n_test, data_dir)
    height, width = ROOM_SIZE
    folder = rendered_folder("rooms", train=n_train + n_validation, val=n_test, height=height, width=width)
    return DenseProblem(*splits_of("rooms", folder, n_train, n_validation, n_test))
