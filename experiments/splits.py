"""The three splits of a problem, as a run reads them: batches with their targets, and answers over a whole split."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import torch
from jaxtyping import Int64
from torch import Tensor

from experiments.dense_splits import load_dense
from experiments.metrics import Answers, Examples, evaluate, to_input
from experiments.models import MultiTaskModel
from experiments.problems.adult import load_adult
from experiments.problems.overlays import Split as SplitName
from experiments.problems.overlays import load_overlays
from experiments.problems.packaged import Labelled
from experiments.problems.yeast import load_yeast
from experiments.spec import DENSE, ProblemName
from experiments.targets import ClassTargets, Targets

Batch: TypeAlias = tuple[Tensor, Targets]
"""Inputs of a network, and what they are to be mapped to."""


class AnySplit(Protocol):
    """What a run needs of a split."""

    @property
    def sha256(self) -> str:
        """Of all that is in it."""
        ...

    @property
    def tasks(self) -> int:
        """Number of tasks."""
        ...

    def __len__(self) -> int: ...

    def batch(self, indices: Tensor, augmentation: torch.Generator | None = None) -> Batch:
        """These examples; changed at random where there is a generator for it."""
        ...

    def evaluate(self, networks: Sequence[MultiTaskModel]) -> Answers:
        """Losses and metrics over the whole split, in evaluation mode."""
        ...


@dataclass(frozen=True)
class Split:
    """Grey images 0 .. 255, or rows of a table, and one label a task; ``sha256`` of the arrays.

    Raises:
        ValueError: not one row of labels an example.
    """

    examples: Examples
    labels: Int64[Tensor, "n m"]
    sha256: str

    def __post_init__(self) -> None:
        if len(self.examples) != len(self.labels):
            raise ValueError(
                f"a split has {len(self.examples)} examples and {len(self.labels)} rows of labels: give one an example."
            )

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def tasks(self) -> int:
        return self.labels.shape[1]

    def batch(self, indices: Tensor, augmentation: torch.Generator | None = None) -> Batch:
        if augmentation is not None:
            raise ValueError("these data have no augmentation: set augmentation to 'none'.")
        return to_input(self.examples[indices]), ClassTargets(self.labels[indices])

    def evaluate(self, networks: Sequence[MultiTaskModel]) -> Answers:
        return Answers(*evaluate(networks, self.examples, self.labels))


@dataclass(frozen=True)
class LoadedProblem:
    """The three splits of one problem; no image and no person is in two of them."""

    train: Split
    validation: Split
    test: Split

    def sums(self) -> dict[str, str]:
        return {"train": self.train.sha256, "validation": self.validation.sha256, "test": self.test.sha256}


@dataclass(frozen=True)
class DenseProblem:
    """The same of a problem of dense prediction."""

    train: AnySplit
    validation: AnySplit
    test: AnySplit

    def sums(self) -> dict[str, str]:
        return {"train": self.train.sha256, "validation": self.validation.sha256, "test": self.test.sha256}


AnyProblem: TypeAlias = LoadedProblem | DenseProblem

LABELLED: Mapping[ProblemName, Callable[..., Labelled]] = {"yeast": load_yeast}
"""Loaders that give examples as networks see them."""


def load_problem(
    problem: ProblemName, n_train: int, n_validation: int, n_test: int, data_dir: Path | None = None
) -> LoadedProblem:
    """The splits of a problem that classifies examples; ``data_dir``: folder with the original files.

    Raises:
        ValueError: a problem of dense prediction, see `load`.
    """
    if problem in DENSE:
        raise ValueError(f"{problem} is dense prediction, which has no labels a split: load it with splits.load.")

    def split(name: SplitName, count: int) -> Split:
        if problem == "adult":
            people = load_adult(name, count=count, data_dir=data_dir)
            return Split(torch.from_numpy(people.features), torch.from_numpy(people.labels), people.sha256)
        if problem in LABELLED:
            found = LABELLED[problem](name, count=count, data_dir=data_dir)
            return Split(torch.from_numpy(found.examples), torch.from_numpy(found.labels), found.sha256)
        overlays = load_overlays(problem, name, count=count, data_dir=data_dir)
        return Split(torch.from_numpy(overlays.images), torch.from_numpy(overlays.labels), overlays.sha256)

    return LoadedProblem(
        train=split("train", n_train), validation=split("validation", n_validation), test=split("test", n_test)
    )


def load(
    problem: ProblemName, n_train: int, n_validation: int, n_test: int, data_dir: Path | None = None
) -> AnyProblem:
    """A problem's splits in the sizes asked for; ``data_dir``: folder with the original files."""
    if problem in DENSE:
        return DenseProblem(*load_dense(problem, n_train, n_validation, n_test, data_dir))
    return load_problem(problem, n_train, n_validation, n_test, data_dir)
