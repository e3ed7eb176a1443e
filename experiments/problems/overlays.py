"""The three overlay problems: two images on one canvas, one task for each (MultiMNIST and its kin).

Definition (ours: the files of the paper's authors are not published)

- Base images. The 60,000 training images of a source are split once by a seeded permutation: the first 54,000 are
  ``train``, the last 6,000 ``validation``; ``test`` are the source's 10,000 test images. No image is on two sides, and
  a source is split the same way in every problem.
- Pairs. Every base image is the first of two overlays; its two partners are distinct images of another class from the
  same split: 108,000 / 12,000 / 20,000 overlays. Partners are drawn as two matchings, so that every image is the
  second of two overlays as well. ``multi_fashion_mnist`` pairs a digit (first) with an item (second); there "another
  class" compares the class indices, so that the two labels of an overlay differ in all three problems.
- Canvas. 36 x 36, zero. The corner of the first image is at row and column 0..4, of the second at 4..8, uniform;
  where both lie the pixel is their maximum. Task 1 is the class of the first (top left), task 2 of the second.
- Order. Overlays stand in a seeded order; smaller sets are its prefixes.
- ``disjoint=True``: for statements that need independent samples. No base image is used twice; firsts and seconds are
  paired at random and pairs of one class are left out. If base images are independent draws of one law, so are these
  overlays: of the law of two images, given that their classes differ. (Matchings make each pair depend on the others'
  labels.) About 24,300 / 2,700 / 4,500 overlays, for ``multi_fashion_mnist`` twice as many.

Randomness: one ``numpy.random.Generator`` (PCG64) for each source's split and for each set (problem, split, disjoint),
seeded with the SHA-256 of a text that names it (`seeded_generator`). `OVERLAY_SHA256` holds the sums of all sets.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from experiments.problems import adult, vader, yeast
from experiments.problems.fetching import DataError
from experiments.problems.image_packages import SOURCES, SourceName
from experiments.problems.packaged import PackagedFiles
from experiments.problems.sources import DataStatus, Part, data_status, fetch, load_images, load_labels
from experiments.spec import ProblemName

Split: TypeAlias = Literal["train", "validation", "test"]

PACKAGED: tuple[PackagedFiles, ...] = (yeast.FILES, vader.FILES)
"""What `describe_data` tells of, beside the sources of overlays and Adult."""

IMAGE = 28
"""Rows and columns of a base image."""
CANVAS = 36
"""Rows and columns of an overlay."""
SHIFTS = 5
"""Number of rows, and of columns, at which a corner may lie: 0..4 for the first image, 4..8 for the second."""
VALIDATION_SHARE = 10
"""One training image in so many belongs to the validation split."""

PROBLEM_SOURCES: dict[ProblemName, tuple[SourceName, SourceName]] = {
    "multi_mnist": ("mnist", "mnist"),
    "multi_fashion": ("fashion-mnist", "fashion-mnist"),
    "multi_fashion_mnist": ("mnist", "fashion-mnist"),
}
"""The sources of the first and of the second image."""

OVERLAY_SHA256: dict[tuple[ProblemName, Split, bool], str] = {
    ("multi_mnist", "train", False): "13f41e90026a64e8e8fa49c7e84adac04ef08db001e44fc8ca0da0b804a3c066",
    ("multi_mnist", "train", True): "f8c39ca6cae07b2f02970ed0c6709490a0fe426eb80f6bdaae34cdf43db22982",
    ("multi_mnist", "validation", False): "d298c9e5300f5c4c8f5050a58f8b61f2cc10ba955533adf2faef36e1c73547fb",
    ("multi_mnist", "validation", True): "f0f9cf0b1c85c036e760ec6bf827d08e00a65afbd03776ce1011dc515c0e1e67",
    ("multi_mnist", "test", False): "f67ba9cb3b78c974d3de30041e0f49970f2adb1914cdc30520a1a67485bcffd8",
    ("multi_mnist", "test", True): "1c83ad2551c339d82c7ff0bce0d33ed7671266a0f239c9425ca0883d5967bb36",
    ("multi_fashion", "train", False): "546999d2efc5b4a76e2b674496de7b0a10d7ac8f9961bbd79b1aede57cdc0fa3",
    ("multi_fashion", "train", True): "a0ac28606e0cdacfc233cbff8d805c08ee2c783ab1051c50dd62ee6321c04479",
    ("multi_fashion", "validation", False): "ecc4e8d7522dbf0c3b47e4c7a96045e8d14df5f688e4100c529023b0b3804f6a",
    ("multi_fashion", "validation", True): "23dc937e0852f45b2e5b1261a84fc12d6f38c47d9b3356d7463e834fa52ad725",
    ("multi_fashion", "test", False): "6044e074f16719b93f8fd5ffbc23dd7f1f7f7a5b403e09cc43e84736e9a02003",
    ("multi_fashion", "test", True): "e75c60abf899025ef1ce46af0d0e26d70a88c3df981e753413fe4408ddf10275",
    ("multi_fashion_mnist", "train", False): "5ebb8343fe33bda072c37c0ea9abdf5d3988ceb69108972d945ea73ea7cb0557",
    ("multi_fashion_mnist", "train", True): "070d4c7a913957e812e0788e9184e5321b7a205af9a09779c3a77f98095c11ab",
    ("multi_fashion_mnist", "validation", False): "983a344600bde8d1470cc9e5ba397f78ca81ace0993258aff242fca5b70cc198",
    ("multi_fashion_mnist", "validation", True): "287d4fb6ea155faed734486b7e2eceef91986f4ffe100be8d558cf1a7fc38251",
    ("multi_fashion_mnist", "test", False): "945e95daac23a5c7dd8fda18df059bbf9b60414835fee326edb88cb5e61354d7",
    ("multi_fashion_mnist", "test", True): "8c0c97cc607875b78483047b53d06f6b43f1273435ff6f5c44618268a860d028",
}
"""Sums (`Overlays.sha256`) of the full sets, by problem, split and ``disjoint``."""


@dataclass(frozen=True, eq=False)
class Overlays:
    """Overlays and their classes.

    ``images``: uint8 (n, 36, 36), 0..255. ``labels``: int64 (n, 2), classes 0..9 of the first and of the second image.
    ``sha256``: of the bytes of ``images``, then of ``labels`` as little-endian int64, both in C order.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    sha256: str


@dataclass(frozen=True, eq=False)
class OverlayPlan:
    """What a set of n overlays is made of, in its order; a prefix of the plan makes the prefix of the set.

    ``bases``: int64 (n, 2), indices of the first and second image in their source's part.
    ``corners``: int64 (n, 2, 2), row and column of the corner of each image. ``labels``: int64 (n, 2).
    """

    bases: NDArray[np.int64]
    corners: NDArray[np.int64]
    labels: NDArray[np.int64]


def seeded_generator(name: str) -> np.random.Generator:
    """PCG64 seeded with the SHA-256 of ``FlatMTL overlays 1: <name>`` as a big-endian integer.

    Names in use: ``split of <source>`` and ``<problem>, <split>, overlapping`` or ``..., disjoint``.
    """
    digest = hashlib.sha256(f"FlatMTL overlays 1: {name}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


def _part(split: Split) -> Part:
    return "test" if split == "test" else "train"


def base_indices(source: SourceName, split: Split, size: int) -> NDArray[np.int64]:
    """Indices of the base images of a split among the ``size`` images of its part: (n,), each at most once."""
    if split == "test":
        return np.arange(size)
    order = seeded_generator(f"split of {source}").permutation(size)
    n_train = size - size // VALIDATION_SHARE
    return order[:n_train] if split == "train" else order[n_train:]


def match_labels(
    first_labels: NDArray[np.integer],
    second_labels: NDArray[np.integer],
    generator: np.random.Generator,
    *,
    taken: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """A random matching of n firsts with n seconds in which no pair shares its label.

    A uniform permutation, then one swap for each pair that breaks the rule, with a random pair such that both keep it
    afterwards. Such a swap exists as long as any matching does: were there none for a pair of label c, every pair would
    hold a c and this one two, hence c would occur more than n times among firsts and seconds, and no matching exists.

    Args:
        first_labels: (n,).
        second_labels: (n,).
        generator: the source of randomness.
        taken: (n,) positions that the firsts must not be matched with (again); the argument above does not cover them,
            so that tiny inputs may fail.

    Returns:
        (n,) the position of each first's partner among the seconds; a permutation.

    Raises:
        DataError: no swap repairs a pair.
    """
    n = len(first_labels)
    partner = generator.permutation(n)

    def fits(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.bool_]:
        fit: NDArray[np.bool_] = first_labels[first] != second_labels[second]
        return fit if taken is None else fit & (taken[first] != second)

    everyone = np.arange(n)
    for position in np.flatnonzero(~fits(everyone, partner)):
        here = np.array([position])
        if fits(here, partner[here])[0]:
            continue  # an earlier swap repaired it
        for others in (generator.integers(n, size=64), everyone):
            usable = others[fits(here, partner[others]) & fits(others, partner[here])]
            if usable.size:
                partner[[position, usable[0]]] = partner[[usable[0], position]]
                break
        else:
            raise DataError(
                f"no matching without equal labels was found for {n} images: a class holds more than half of them, or "
                "they are too few. Use more images or more even classes."
            )
    return partner


def plan_overlays(
    problem: ProblemName,
    split: Split,
    labels: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    *,
    disjoint: bool = False,
) -> OverlayPlan:
    """Draw the full set of a problem and split: which images, where, in which order. Nothing is rendered.

    Args:
        problem: the problem's name.
        split: the split's name.
        labels: labels of the whole part (train or test) of the first and of the second source.
        disjoint: independent overlays: no base image twice, pairs of one class left out.

    Raises:
        DataError: the labels admit no pairs of different classes.
    """
    generator = seeded_generator(f"{problem}, {split}, {'disjoint' if disjoint else 'overlapping'}")
    sources = PROBLEM_SOURCES[problem]
    first, second = (base_indices(name, split, len(own)) for name, own in zip(sources, labels, strict=True))
    if disjoint:
        bases = _independent_pairs(first, second, labels, generator, one_source=sources[0] == sources[1])
    else:
        first_labels, second_labels = labels[0][first], labels[1][second]
        partner = match_labels(first_labels, second_labels, generator)
        again = match_labels(first_labels, second_labels, generator, taken=partner)
        order = generator.permutation(2 * len(first))
        bases = np.stack((np.tile(first, 2), second[np.concatenate((partner, again))]), axis=1)[order]
    corners = generator.integers(SHIFTS, size=(len(bases), 2, 2))
    corners[:, 1] += SHIFTS - 1
    pair_labels = np.stack((labels[0][bases[:, 0]], labels[1][bases[:, 1]]), axis=1).astype(np.int64)
    return OverlayPlan(bases, corners, pair_labels)


def _independent_pairs(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    labels: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    generator: np.random.Generator,
    *,
    one_source: bool,
) -> NDArray[np.int64]:
    """(n, 2): shuffled firsts beside shuffled seconds (of one source: two halves), without pairs of one class."""
    if one_source:
        shuffled = generator.permutation(first)
        half = len(shuffled) // 2
        first, second = shuffled[:half], shuffled[half : 2 * half]
    else:
        first, second = generator.permutation(first), generator.permutation(second)
    differ: NDArray[np.bool_] = labels[0][first] != labels[1][second]
    return np.stack((first[differ], second[differ]), axis=1)


def render_overlays(
    plan: OverlayPlan, images: tuple[NDArray[np.uint8], NDArray[np.uint8]], count: int
) -> NDArray[np.uint8]:
    """The first ``count`` overlays of a plan: uint8 (count, 36, 36), the pixel-wise maximum on a zero canvas.

    ``images``: the whole part of the first and of the second source, uint8 (., 28, 28). Images that share a corner are
    laid down together.
    """
    canvas = np.zeros((count, CANVAS, CANVAS), dtype=np.uint8)
    for side, sources in enumerate(images):
        corners, bases = plan.corners[:count, side], plan.bases[:count, side]
        for row, column in np.unique(corners, axis=0):
            here = np.flatnonzero((corners[:, 0] == row) & (corners[:, 1] == column))
            window = (here, slice(row, row + IMAGE), slice(column, column + IMAGE))
            canvas[window] = np.maximum(canvas[window], sources[bases[here]])
    return canvas


def load_overlays(
    problem: ProblemName,
    split: Split,
    *,
    count: int | None = None,
    disjoint: bool = False,
    data_dir: Path | None = None,
) -> Overlays:
    """The first ``count`` overlays of a set, or all of them; the same arrays whenever and wherever it is called.

    Args:
        problem: ``multi_mnist``, ``multi_fashion`` or ``multi_fashion_mnist``.
        split: ``train``, ``validation`` or ``test``.
        count: how many, 1 up to the size of the set; None for all.
        disjoint: no base image is used twice (for statements that need independent examples).
        data_dir: folder with the original files, see `experiments.problems.sources`.

    Raises:
        DataError: a source can not be found, fetched or verified.
        ValueError: an unknown problem or split, or a count outside the set.
    """
    for argument, value, known in (("problem", problem, tuple(PROBLEM_SOURCES)), ("split", split, get_args(Split))):
        if value not in known:
            raise ValueError(f"{argument} is {value!r}. Use one of {', '.join(known)}.")
    part = _part(split)
    names = PROBLEM_SOURCES[problem]
    labels = {name: load_labels(name, part, data_dir) for name in dict.fromkeys(names)}
    plan = plan_overlays(problem, split, (labels[names[0]], labels[names[1]]), disjoint=disjoint)
    size = len(plan.bases)
    if count is None:
        count = size
    if not 1 <= count <= size:
        kind = "disjoint " if disjoint else ""
        raise ValueError(
            f"count is {count}, but {problem} has {size} {kind}{split} overlays. Use 1 to {size}, or None for all."
        )
    images = {name: load_images(name, part, data_dir) for name in dict.fromkeys(names)}
    canvas = render_overlays(plan, (images[names[0]], images[names[1]]), count)
    pair_labels = plan.labels[:count]
    digest = hashlib.sha256(canvas.data)
    digest.update(pair_labels.astype("<i8").tobytes())
    return Overlays(canvas, pair_labels, digest.hexdigest())


@dataclass(frozen=True)
class OverlayCheck:
    """One full set: its name, its number of overlays, the recorded sum and the one that was found."""

    problem: ProblemName
    split: Split
    disjoint: bool
    size: int
    expected: str
    found: str

    @property
    def holds(self) -> bool:
        return self.expected == self.found


def verify_overlays(data_dir: Path | None = None) -> Iterator[OverlayCheck]:
    """Build every full set and compare its sum with the recorded one; one set at a time is in memory.

    A difference with verified sources means that this numpy draws other numbers than the recorded sets were made with.

    Raises:
        DataError: a source can not be found, fetched or verified.
    """
    for (problem, split, disjoint), expected in OVERLAY_SHA256.items():
        overlays = load_overlays(problem, split, disjoint=disjoint, data_dir=data_dir)
        yield OverlayCheck(problem, split, disjoint, len(overlays.images), expected, overlays.sha256)


def describe_data(data_dir: Path | None = None, fetch_missing: bool = False, *, verify: bool = False) -> int:
    """Print where each source is and in which state; what to do about those that are not verified.

    Args:
        data_dir: folder with the original files.
        fetch_missing: get what is missing or corrupt with the package clients first.
        verify: also build all overlay sets and compare their sums (only when all sources are verified).

    Returns:
        Exit code: 0 when every source (and every set that was asked for) is verified, else 1.
    """
    console = Console()
    failures: dict[str, str] = {}
    if fetch_missing:
        fetchers: list[Callable[[], Path]] = [
            *(partial(fetch, name) for name in SOURCES),
            adult.fetch,
            *(files.fetch for files in PACKAGED),
        ]
        for fetch_one, status in zip(fetchers, _states(data_dir), strict=True):
            if status.state != "verified":
                try:
                    fetch_one()
                except DataError as error:
                    failures[status.what] = str(error)
    rows = _states(data_dir)
    console.print(_status_table(rows))
    for row in rows:
        if row.state != "verified":
            console.print(Text(failures.get(row.what, row.remedy)), soft_wrap=True)
    if any(row.state != "verified" for row in rows):
        return 1
    if not verify:
        return 0
    checks = tuple(verify_overlays(data_dir))
    console.print(_check_table(checks))
    return 0 if all(check.holds for check in checks) else 1


def _states(data_dir: Path | None) -> tuple[DataStatus, ...]:
    return (*data_status(data_dir), adult.status(data_dir), *(files.status(data_dir) for files in PACKAGED))


def _status_table(rows: tuple[DataStatus, ...]) -> Table:
    table = Table("data", "state", "where")
    for row in rows:
        table.add_row(Text(row.what), row.state, Text(str(row.where or "-"), overflow="fold"))
    return table


def _check_table(checks: tuple[OverlayCheck, ...]) -> Table:
    table = Table("problem", "split", "disjoint", "overlays", "SHA-256")
    for check in checks:
        outcome = "as recorded" if check.holds else f"{check.found}, recorded {check.expected}"
        row = (check.problem, check.split, str(check.disjoint), f"{check.size:,}", Text(outcome, overflow="fold"))
        table.add_row(*row)
    return table
