"""Splits of dense problems: numbered files of a folder as batches of maps, and the metrics of a whole split."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from experiments.dense_metrics import DepthTally, NormalTally, SegmentationTally
from experiments.metrics import Answers
from experiments.models import MultiTaskModel
from experiments.problems.dense import (
    INDOOR,
    SPLITS,
    STREET,
    DenseExample,
    DenseKind,
    DenseSplit,
    augment,
    open_split,
)
from experiments.problems.fetching import DataError, given_folder
from experiments.problems.scenes.cache import rendered_folder
from experiments.spec import DENSE, DenseTask, ProblemName
from experiments.targets import DenseTargets

KINDS: dict[ProblemName, DenseKind] = {"rooms": INDOOR, "nyuv2": INDOOR, "streets": STREET, "cityscapes": STREET}
RENDERED_SIZES: dict[ProblemName, tuple[int, int]] = {"rooms": (96, 128), "streets": (64, 128)}
"""Rows and columns of rendered images."""

USUAL_NAMES: dict[ProblemName, tuple[str, ...]] = {"cityscapes": ("cityscapes", "cityscapes2")}
"""Of the folder inside a data folder, where not only the problem's; the images of 128 x 256 come as the second."""

EVALUATION_BATCH = 8
KEPT = 1 << 30
"""Bytes of examples that a split keeps in memory; a larger one is read anew whenever it is used."""


@dataclass(frozen=True)
class DenseImages:
    """Some images of a folder, by their numbers; ``sha256`` of their files.

    Args:
        tasks_of: the tasks' names, in the order of the network's heads.
    """

    source: DenseSplit
    numbers: range
    tasks_of: tuple[DenseTask, ...]
    sha256: str
    kept: dict[int, DenseExample] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def tasks(self) -> int:
        return len(self.tasks_of)

    def batch(self, indices: Tensor, augmentation: torch.Generator | None = None) -> tuple[Tensor, DenseTargets]:
        """Images (n, 3, h, w) and their maps; scaled, cropped and flipped with a generator."""
        examples = [self._read(self.numbers[int(index)]) for index in indices]
        if augmentation is not None:
            examples = [augment(example, self.source.kind, augmentation) for example in examples]
        maps = {
            "segmentation": torch.stack([example.label for example in examples]),
            "depth": torch.stack([example.depth for example in examples]),
        }
        if self.source.kind.normals:
            maps["normals"] = torch.stack([example.normal for example in examples if example.normal is not None])
        images = torch.stack([example.image for example in examples])
        return images, DenseTargets(tuple((name, maps[name]) for name in self.tasks_of))

    def _read(self, number: int) -> DenseExample:
        if number in self.kept:
            return self.kept[number]
        example = self.source.read(number)
        size = sum(part.numel() * part.element_size() for part in example if part is not None)
        if size * len(self.numbers) <= KEPT:
            self.kept[number] = example
        return example

    @torch.no_grad()
    def evaluate(self, networks: Sequence[MultiTaskModel]) -> Answers:
        """Losses over all valid pixels of the split, no accuracies, and the metrics of every task.

        One network answers for all tasks, or each of several for its own. Sums run in float64.
        """
        sums, pixels, tallies = [0.0] * self.tasks, [0] * self.tasks, self._tallies()
        training = [network.training for network in networks]
        for network in networks:
            network.eval()
        for indices in torch.arange(len(self)).split(EVALUATION_BATCH):
            images, targets = self.batch(indices)
            predictions = [one for network in networks for one in network(images, tuple(range(len(network.heads))))]
            for task, (prediction, (_, target)) in enumerate(zip(predictions, targets.maps, strict=True)):
                valid = targets.valid(task)
                sums[task] += float(targets.loss(task, prediction.double())) * valid
                pixels[task] += valid
                shown = prediction.argmax(1) if isinstance(tallies[task], SegmentationTally) else prediction
                tallies[task].add(shown.numpy(), target.numpy())
        for network, mode in zip(networks, training, strict=True):
            network.train(mode)
        losses = tuple(total / max(count, 1) for total, count in zip(sums, pixels, strict=True))
        metrics: dict[str, float] = {}
        for tally in tallies:
            metrics |= tally.result()._asdict()
        return Answers(losses, (), metrics)

    def _tallies(self) -> list[SegmentationTally | DepthTally | NormalTally]:
        made: dict[DenseTask, SegmentationTally | DepthTally | NormalTally] = {
            "segmentation": SegmentationTally(self.source.kind.classes),
            "depth": DepthTally(),
            "normals": NormalTally(),
        }
        return [made[name] for name in self.tasks_of]


def folder_of(problem: ProblemName, n_train: int, n_test: int, data_dir: Path | None) -> Path:
    """Where the images of a problem are; rendered ones are made where they are missing.

    Raises:
        DataError: nobody has said where NYUv2 or CityScapes is, or there is no such folder.
    """
    if problem == "rooms" or problem == "streets":
        height, width = RENDERED_SIZES[problem]
        return rendered_folder(problem, train=n_train, val=n_test, height=height, width=width)
    given = given_folder(data_dir)
    title = KINDS[problem].title
    if given is None:
        raise DataError(
            f"{problem} can not be fetched: name the folder that holds the pre-processed {problem}/train/ and "
            f"{problem}/val/ ({title}) with --data-dir or FLATMTL_DATA."
        )
    names = USUAL_NAMES.get(problem, (problem,))
    return next((given / name for name in names if (given / name).is_dir()), given)


def load_dense(
    problem: ProblemName, n_train: int, n_validation: int, n_test: int, data_dir: Path | None = None
) -> tuple[DenseImages, DenseImages, DenseImages]:
    """Train, validation and test: the first images of ``train/``, those after them, and the first of ``val/``.

    Raises:
        DataError: the folder is not as it should be, or has fewer images than asked for.
    """
    folder = folder_of(problem, n_train + n_validation, n_test, data_dir)
    return splits_of(problem, folder, n_train, n_validation, n_test)


def splits_of(
    problem: ProblemName, folder: Path, n_train: int, n_validation: int, n_test: int
) -> tuple[DenseImages, DenseImages, DenseImages]:
    """The same of a folder that is known.

    Raises:
        DataError: as `load_dense`.
    """
    train, val = open_dense(folder, problem, n_train + n_validation, n_test)
    return (
        _images(problem, train, range(n_train)),
        _images(problem, train, range(n_train, n_train + n_validation)),
        _images(problem, val, range(n_test)),
    )


def open_dense(folder: Path, problem: ProblemName, n_train: int, n_test: int) -> tuple[DenseSplit, DenseSplit]:
    """``train/`` and ``val/`` of a folder; names and headers are looked at.

    Raises:
        DataError: the folder is not as it should be, or has fewer images than asked for.
    """
    train, val = (open_split(folder, KINDS[problem], name) for name in SPLITS)
    for split, wanted in ((train, n_train), (val, n_test)):
        if len(split) < wanted:
            raise DataError(
                f"{split.folder} has {len(split)} images, {wanted} are asked for: get the whole folder, or ask for "
                "fewer."
            )
    return train, val


def _images(problem: ProblemName, source: DenseSplit, numbers: range) -> DenseImages:
    digest = hashlib.sha256()
    for number in numbers:
        for what in source.kind.folders:
            digest.update(source.path(what, number).read_bytes())
    return DenseImages(source, numbers, DENSE[problem][0], digest.hexdigest())
