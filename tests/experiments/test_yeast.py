"""The Yeast table: known counts, the published test set, disjoint splits, and files that can not be trusted."""

import hashlib
import io
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

from experiments.problems import packaged, yeast
from experiments.problems.fetching import DataError
from experiments.problems.packaged import PackagedFiles
from paper_figures.tab_beyond_vision import MAJORITY
from tests.experiments import r_writer as r

ROWS = 40
COUNTS = [762, 1038, 983, 862, 722, 597, 428, 480, 178, 253, 289, 1816, 1799, 34]


def tiny_files(columns: int = 117, label: int = 1) -> dict[str, bytes]:
    """40 invented genes: label c of gene g is whether c divides g, number k of gene g is g + k / 200."""
    genes = np.arange(ROWS)
    labels = {f"label{c}": r.numbers(label * (genes % c == 0)) for c in range(1, 15)}
    numbers = {f"x{k}": r.numbers(genes + k / 200) for k in range(1, columns - 13)}
    frame = r.named({"data": r.named(labels | numbers)})
    environments = {"env::1": r.named({"bindings": frame, "enclos": r.NULL})}
    index, base = r.data_base({"yeast.task": r.named({"env": r.environment("env::1")})}, environments)
    return {yeast.INDEX: index, yeast.BASE: base}


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that passes as the real one."""
    files = tiny_files()
    (tmp_path / "yeast").mkdir()
    for name, content in files.items():
        (tmp_path / "yeast" / name).write_bytes(content)
    monkeypatch.setenv("FLATMTL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FLATMTL_DATA", raising=False)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    real = yeast.FILES
    monkeypatch.setattr(yeast, "FILES", PackagedFiles(real.title, real.folder, real.package, sums, real.download))
    monkeypatch.setattr(yeast, "ROWS", ROWS)
    monkeypatch.setattr(yeast, "SIZES", {"train": 20, "validation": 8, "test": 12})
    return tmp_path


def test_the_splits_are_disjoint_and_complete_and_the_test_set_is_the_published_one(tiny: Path) -> None:
    genes = {split: yeast.load_yeast(split, data_dir=tiny).examples[:, 0].astype(int) for split in yeast.SIZES}
    assert genes["test"].tolist() == list(range(28, 40))
    assert sorted(np.concatenate(list(genes.values())).tolist()) == list(range(ROWS))
    few = yeast.load_yeast("validation", count=5, data_dir=tiny)
    assert few.examples[:, 0].astype(int).tolist() == genes["validation"][:5].tolist()


def test_every_label_is_that_of_its_gene(tiny: Path) -> None:
    found = yeast.load_yeast("train", data_dir=tiny)
    assert found.examples.shape == (20, yeast.FEATURES)
    assert (found.examples.dtype, found.labels.dtype) == (np.float32, np.int64)
    for numbers, labels in zip(found.examples, found.labels, strict=True):
        gene = int(numbers[0])
        np.testing.assert_array_equal(numbers, (gene + np.arange(1, 104) / 200).astype(np.float32))
        assert labels.tolist() == [int(gene % c == 0) for c in range(1, 15)]


def test_what_can_not_be_asked_for(tiny: Path) -> None:
    with pytest.raises(ValueError, match="choose one of train, validation, test"):
        yeast.load_yeast("val", data_dir=tiny)  # type: ignore[arg-type]
    for count in (0, 13):
        with pytest.raises(ValueError, match=f"count is {count}, the test split has 12 genes"):
            yeast.load_yeast("test", count=count, data_dir=tiny)


def test_other_tables_are_refused() -> None:
    for files, message in (
        (tiny_files(columns=116), "116 columns .*, expected 14 labels and 103 numbers"),
        (tiny_files(label=2), "neither 0 nor 1"),
    ):
        with pytest.raises(DataError, match=message):
            yeast.parse(files[yeast.INDEX], files[yeast.BASE], "table")


def test_another_number_of_genes_is_refused(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yeast, "ROWS", ROWS + 1)
    with pytest.raises(DataError, match="40 genes, expected 41"):
        yeast.load_yeast("train", data_dir=tiny)


def test_a_file_with_another_sum_is_refused_and_told(tiny: Path) -> None:
    assert yeast.FILES.status(tiny).state == "verified"
    (tiny / "yeast" / yeast.BASE).write_bytes(b"damaged")
    with pytest.raises(DataError, match=r"Rdata\.rdb\. Remove it.*SHA-256 is"):
        yeast.load_yeast("train", data_dir=tiny)
    assert yeast.FILES.status(tiny).state == "corrupt"
    (tiny / "yeast" / yeast.BASE).unlink()
    assert yeast.FILES.status(tiny).state == "missing"
    assert yeast.PACKAGE in yeast.FILES.status(tiny).remedy


def archive(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(yeast.MEMBERS + name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def test_the_package_is_fetched_once_and_goes_to_the_cache(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = tiny_files()
    monkeypatch.setattr(yeast, "download_debian", lambda package, folder: archive(files))
    assert yeast.load_yeast("test").labels.shape == (12, 14)
    monkeypatch.setattr(yeast, "download_debian", None)  # would raise
    assert yeast.FILES.find() == tiny / "cache" / "yeast"
    assert yeast.load_yeast("train").labels.shape == (20, 14)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({yeast.INDEX: b"1"}, "the package r-cran-mlr is not as expected"),
        ({yeast.INDEX: b"1", yeast.BASE: b"2"}, "SHA-256 is"),
    ],
)
def test_another_package_is_refused_and_nothing_is_written(
    files: dict[str, bytes], message: str, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yeast, "download_debian", lambda package, folder: archive(files))
    with pytest.raises(DataError, match=f"Yeast could not be fetched: .*{message}"):
        yeast.load_yeast("train")
    assert not (tiny / "cache").exists()


def test_without_a_client_the_error_says_how_to_get_it(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(DataError, match=r"apt-get is not installed here\. Nothing was written\.\nYeast comes from"):
        yeast.load_yeast("train")


def test_the_sum_is_of_examples_and_labels() -> None:
    examples, labels = np.zeros((3, 2), np.float32), np.zeros((3, 4), np.int64)
    one = packaged.Labelled.of(examples, labels)
    assert one.sha256 == hashlib.sha256(examples.tobytes() + labels.tobytes()).hexdigest()
    assert packaged.Labelled.of(examples[::-1], labels).sha256 == one.sha256
    assert packaged.Labelled.of(examples + 1, labels).sha256 != one.sha256
    assert packaged.Labelled.of(examples, labels + 1).sha256 != one.sha256


@pytest.mark.data
def test_the_real_table() -> None:
    """Published facts: 4.237 classes a gene, 198 different sets of classes; and how often each class occurs."""
    if yeast.FILES.find() is None:
        pytest.skip("the Yeast table is not here")
    splits = [yeast.load_yeast(split) for split in yeast.SIZES]
    labels = np.concatenate([split.labels for split in splits])
    assert labels.sum(axis=0).tolist() == COUNTS
    assert round(labels.sum() / len(labels), 3) == 4.237
    assert len({tuple(row) for row in labels.tolist()}) == 198
    examples = np.concatenate([split.examples for split in splits])
    assert len({row.tobytes() for row in examples}) == len(examples) == 2_417
    assert np.abs(np.linalg.norm(examples.astype(np.float64), axis=1) - 1).max() < 1e-5
    answer = splits[0].labels.mean(axis=0) > 0.5
    shares = 100 * (splits[2].labels == answer).mean(axis=0)
    assert [f"{share:.2f}" for share in shares] == [f"{share:.2f}" for share in MAJORITY["yeast"]]
