"""CelebA's loader on a tiny folder in its layout: what is read, and everything that it refuses."""

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from experiments.available import find_lacks
from experiments.problems import celeba
from experiments.problems.fetching import DataError
from tests.experiments.tiny_problem import tiny_spec

SIZES = {"train": 5, "validation": 2, "test": 3}
COUNT = 10
PARTS = [0, 0, 1, 0, 2, 2, 0, 1, 0, 2]
"""Files of the splits lie mixed, as they may."""


def labels_of(number: int) -> list[int]:
    return [int((number >> (task % 4)) & 1) for task in range(40)]


def write_image(path: Path, size: tuple[int, int] = celeba.IMAGE_SIZE, mode: str = "RGB", number: int = 0) -> None:
    """The upper half has red ``20 * number``, the lower half blue 200: upright and in RGB order."""
    pixels = np.zeros((size[1], size[0], 3), dtype=np.uint8)
    pixels[: size[1] // 2, :, 0] = 20 * number
    pixels[size[1] // 2 :, :, 2] = 200
    Image.fromarray(pixels).convert(mode).save(path, quality=95)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "celeba"
    (folder / celeba.IMAGES).mkdir(parents=True)
    lines = [str(COUNT), " ".join(celeba.ATTRIBUTES) + " "]
    for number in range(COUNT):
        name = f"{number:06d}.jpg"
        write_image(folder / celeba.IMAGES / name, number=number)
        lines.append(f"{name} {' '.join(' 1' if one else '-1' for one in labels_of(number))}")
    (folder / celeba.ATTRIBUTE_LIST).write_text("\n".join(lines) + "\n")
    (folder / celeba.PARTITION).write_text("".join(f"{number:06d}.jpg {part}\n" for number, part in enumerate(PARTS)))
    return folder


@pytest.fixture
def tiny(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that a test may damage, with the sizes of the splits that it has."""
    monkeypatch.setattr(celeba, "SIZES", SIZES)
    monkeypatch.delenv("FLATMTL_DATA", raising=False)
    celeba._lists.cache_clear()
    return Path(shutil.copytree(whole, tmp_path / "celeba"))


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_every_face_has_its_labels_and_stands_upright_in_rgb(tiny: Path) -> None:
    for part, split in enumerate(SIZES):
        found = celeba.load_celeba(split, data_dir=tiny)  # type: ignore[arg-type]
        numbers = [number for number in range(COUNT) if PARTS[number] == part]
        assert found.examples.shape == (len(numbers), 3, 64, 64)
        assert (found.examples.dtype, found.labels.dtype) == (np.uint8, np.int64)
        for image, labels, number in zip(found.examples, found.labels, numbers, strict=True):
            assert labels.tolist() == labels_of(number)
            top, bottom = image[:, 10, 32].astype(int), image[:, 54, 32].astype(int)
            assert np.abs(top - [20 * number, 0, 0]).max() <= 4
            assert np.abs(bottom - [0, 0, 200]).max() <= 4


def test_no_part_of_the_image_is_cropped_away(tmp_path: Path) -> None:
    pixels = np.zeros((218, 178, 3), dtype=np.uint8)
    pixels[:4] = pixels[-4:] = pixels[:, :4] = pixels[:, -4:] = 255
    Image.fromarray(pixels).save(tmp_path / "frame.jpg", quality=95)
    small = celeba.read_image(tmp_path / "frame.jpg").astype(int)
    assert min(small[:, side].mean() for side in (0, -1)) > 150
    assert min(small[:, :, side].mean() for side in (0, -1)) > 150
    assert small[:, 5:-5, 5:-5].mean() < 10


def test_smaller_sets_are_prefixes_and_either_folder_may_be_given(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every = celeba.load_celeba("train", data_dir=tiny)
    few = celeba.load_celeba("train", count=2, data_dir=tiny.parent)
    np.testing.assert_array_equal(few.examples, every.examples[:2])
    monkeypatch.setenv("FLATMTL_DATA", str(tiny.parent))
    assert celeba.load_celeba("train").sha256 == every.sha256
    with pytest.raises(ValueError, match="the train split has 5 faces"):
        celeba.load_celeba("train", count=6)


def test_without_a_folder_the_error_says_what_to_bring(tiny: Path) -> None:
    with pytest.raises(DataError, match=r"CelebA is not fetched.*img_align_celeba/ and the files list_attr_celeba.txt"):
        celeba.load_celeba("train")
    (tiny / celeba.PARTITION).unlink()
    with pytest.raises(DataError, match=r"lacks list_eval_partition\.txt"):
        celeba.load_celeba("train", data_dir=tiny)


def test_what_lacks_is_found_without_a_run(tiny: Path) -> None:
    spec = tiny_spec(problem="celeba", n_train=5, n_validation=SIZES["validation"], n_test=SIZES["test"])
    assert find_lacks([spec], tiny) == []
    (tiny / celeba.IMAGES / f"{max(n for n in range(COUNT) if PARTS[n] == 2):06d}.jpg").unlink()
    (lack,) = find_lacks([spec], tiny)
    assert "of the test split" in lack.reason
    assert find_lacks([msgspec.structs.replace(spec, n_test=1)], tiny) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("10\n", "eleven\n", "the first line is to be the number of images"),
        ("10\n", "11\n", "declares 11 images, but has 10 lines"),
        (" Young ", " Old ", "line 2: not the 40 attributes"),
        ("000003.jpg  1", "000003.jpg  0", "line 6: 5_o_Clock_Shadow is 0, must be 1 or -1"),
        ("000003.jpg  1", "000003.jpg", "line 6: 39 values, there are 40 attributes"),
        ("000004.jpg", "000003.jpg", "10 lines and 9 different files"),
    ],
)
def test_lists_of_attributes_that_are_refused(old: str, new: str, message: str, tiny: Path) -> None:
    change(tiny / celeba.ATTRIBUTE_LIST, old, new)
    with pytest.raises(DataError, match=message):
        celeba.load_celeba("train", data_dir=tiny)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("000003.jpg 0", "000003.jpg 3", "line 4: '000003.jpg 3' is not a file and 0, 1 or 2"),
        ("000003.jpg 0", "000003.jpg", "line 4: '000003.jpg' is not a file"),
        ("000003.jpg 0", "000003.jpg 1", "splits of .*'train': 4, 'validation': 3, 'test': 3"),
        ("000003.jpg 0", "000001.jpg 0", "splits of .*'train': 4, 'validation': 2"),
        ("000003.jpg 0", "000002.jpg 0", "are disjoint"),
        ("000003.jpg 0", "000099.jpg 0", "lacks 1 of those of list_eval_partition.txt .000099.jpg"),
    ],
)
def test_partitions_that_are_refused(old: str, new: str, message: str, tiny: Path) -> None:
    change(tiny / celeba.PARTITION, old, new)
    with pytest.raises(DataError, match=message):
        celeba.load_celeba("train", data_dir=tiny)


def test_an_incomplete_copy_is_refused(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with pytest.raises(DataError, match=r"splits of .*CelebA's are disjoint and have .*162770"):
        celeba.load_celeba("train", count=1, data_dir=tiny)


def test_images_that_are_missing_or_not_as_they_should_be(tiny: Path) -> None:
    path = tiny / celeba.IMAGES / "000001.jpg"
    whole = path.read_bytes()
    for damage, message in (
        (lambda: write_image(path, size=(64, 64)), r"000001\.jpg: \(64, 64\) RGB, expected \(178, 218\)"),
        (lambda: write_image(path, mode="L"), r"\(178, 218\) L, expected"),
        (lambda: path.write_bytes(whole[: len(whole) // 2]), r"000001\.jpg: can not be read as an image"),
        (lambda: path.write_bytes(b"no image"), r"can not be read as an image"),
        (path.unlink, r"lacks 1 of 5 files of the train split: 000001\.jpg\. Unpack"),
    ):
        damage()
        with pytest.raises(DataError, match=message):
            celeba.load_celeba("train", data_dir=tiny)
    assert celeba.load_celeba("test", data_dir=tiny).labels.shape == (3, 40)
