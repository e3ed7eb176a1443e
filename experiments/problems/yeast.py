"""Yeast: 2,417 genes, 103 numbers of expression and phylogeny each, 14 functional classes. Not images; many labels.

A gene may belong to several classes, hence 14 yes-or-no tasks, some of them rare (class 14: 34 genes). The numbers are
used as they come: every row has norm 1. Data: Elisseeff and Weston, "A kernel method for multi-labelled
classification", NIPS 2001; the published test set is kept, rows 1,501 to 2,417; of the first 1,500 a seeded permutation
keeps 300 for validation.

The table lies in the Debian package ``r-cran-mlr`` as data of the R package mlr; no R is needed, see `r_data`.
"""

import io
import tarfile
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.problems.fetching import DataError, download_debian
from experiments.problems.packaged import Labelled, PackagedFiles, Split, checked_count
from experiments.problems.r_data import LazyData

TASKS = tuple(f"class {number}" for number in range(1, 15))
ROWS = 2_417
FEATURES = 103
SIZES: dict[Split, int] = {"train": 1_200, "validation": 300, "test": 917}
SEED = 20_221_123

INDEX, BASE = "Rdata.rdx", "Rdata.rdb"
PACKAGE = "r-cran-mlr"
MEMBERS = "./usr/lib/R/site-library/mlr/data/"


def _download(folder: Path) -> dict[str, bytes]:
    try:
        with tarfile.open(fileobj=io.BytesIO(download_debian(PACKAGE, folder))) as archive:
            found = {name: archive.extractfile(MEMBERS + name) for name in (INDEX, BASE)}
            return {name: file.read() for name, file in found.items() if file is not None}
    except (tarfile.TarError, KeyError) as error:
        raise DataError(f"the package {PACKAGE} is not as expected ({error})") from error


FILES = PackagedFiles(
    title="Yeast",
    folder="yeast",
    package=f"the Debian package {PACKAGE} (`apt-get download {PACKAGE}`, `dpkg-deb -x`, folder {MEMBERS[2:-1]})",
    sums={
        INDEX: "8f02895cb869b09c4ac188065630e4ab6feabf23fa486d655e43054a1275fab9",
        BASE: "e440394b870f038bc68ae7c024f84bd0057f1ece96039da4b5708e9f5833b210",
    },
    download=_download,
)


def parse(index: bytes, base: bytes, where: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The table of mlr's ``yeast.task``: (n, 103) numbers and (n, 14) labels of 0 and 1.

    Raises:
        DataError: the files are damaged, or hold no such table.
    """
    data = LazyData(index, base, where)
    task = data.variable("yeast.task")
    frame = data.environment(task["env"])["bindings"]["data"]
    columns = [column.value for column in frame.value]
    shapes = {np.shape(column) for column in columns}
    if len(columns) != len(TASKS) + FEATURES or len(shapes) != 1:
        raise DataError(f"{where}: {len(columns)} columns of lengths {shapes}, expected 14 labels and 103 numbers")
    labels, features = np.stack(columns[: len(TASKS)], axis=1), np.stack(columns[len(TASKS) :], axis=1)
    if not np.isin(labels, (0, 1)).all():
        raise DataError(f"{where}: a label is neither 0 nor 1")
    return features.astype(np.float32), labels.astype(np.int64)


@cache
def _table(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    contents = FILES.read(folder)
    features, labels = parse(contents[INDEX], contents[BASE], str(folder))
    if len(features) != ROWS:
        raise DataError(f"{folder}: {len(features)} genes, expected {ROWS}. Get the files again.")
    return features, labels


def load_yeast(split: Split, *, count: int | None = None, data_dir: Path | None = None) -> Labelled:
    """The first ``count`` genes (default: all) of a split of 1,200 / 300 / 917.

    Raises:
        DataError: the files can not be found or fetched, or are not the recorded ones.
        ValueError: a split or a count that does not exist.
    """
    size = checked_count(split, count, SIZES, "genes")
    features, labels = _table(FILES.find(data_dir) or FILES.fetch())
    known = ROWS - SIZES["test"]
    order = np.random.Generator(np.random.PCG64(SEED)).permutation(known)
    train, validation = np.split(order, [SIZES["train"]])
    own = {"train": train, "validation": validation, "test": np.arange(known, ROWS)}[split][:size]
    return Labelled.of(features[own], labels[own])
