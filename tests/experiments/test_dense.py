"""The loader of dense problems: every fault of a folder is named; the augmentation against what it promises."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from experiments.problems.dense import INDOOR, SCALES, STREET, DenseExample, DenseKind, augment, open_split
from experiments.problems.sources import DataError

HEIGHT, WIDTH = 4, 6


def write_folder(folder: Path, kind: DenseKind = INDOOR) -> Path:
    """Three training examples and one for validation, with random but lawful values."""
    generator = np.random.default_rng(0)
    for split, size in (("train", 3), ("val", 1)):
        for number in range(size):
            normal = generator.normal(size=(HEIGHT, WIDTH, 3))
            normal /= np.linalg.norm(normal, axis=2, keepdims=True)
            normal[0, 0] = 0
            arrays = {
                "image": generator.random((HEIGHT, WIDTH, 3)).astype(np.float32),
                "label": generator.integers(-1, kind.classes, (HEIGHT, WIDTH)),
                "depth": generator.uniform(0, 9, (HEIGHT, WIDTH, 1)).astype(np.float32),
                "normal": normal.astype(np.float32),
            }
            for what in kind.folders:
                (folder / split / what).mkdir(parents=True, exist_ok=True)
                np.save(folder / split / what / f"{number}.npy", arrays[what])
    return folder


@pytest.mark.parametrize("kind", [INDOOR, STREET], ids=["indoor", "street"])
def test_an_example_is_what_the_files_hold(tmp_path: Path, kind: DenseKind) -> None:
    folder = write_folder(tmp_path, kind)
    split = open_split(folder, kind, "train")
    assert (len(split), split.height, split.width, len(open_split(folder, kind, "val"))) == (3, HEIGHT, WIDTH, 1)
    example = split.read(2)
    for what, tensor in zip(("image", "depth", "normal"), (example.image, example.depth, example.normal), strict=True):
        if what in kind.folders:
            assert tensor is not None
            assert tensor.dtype == torch.float32
            np.testing.assert_array_equal(tensor.permute(1, 2, 0), np.load(folder / "train" / what / "2.npy"))
        else:
            assert tensor is None
    assert example.label.dtype == torch.int64
    np.testing.assert_array_equal(example.label, np.load(folder / "train" / "label" / "2.npy"))


def test_labels_may_be_whole_numbers_of_any_type(tmp_path: Path) -> None:
    path = write_folder(tmp_path) / "train" / "label" / "0.npy"
    labels = np.load(path)
    for dtype in (np.int8, np.float32, np.float64):
        np.save(path, labels.astype(dtype))
        np.testing.assert_array_equal(open_split(tmp_path, INDOOR, "train").read(0).label, labels)


def change(what: str, edit: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    """Rewrite example 1 of a training folder."""

    def fault(folder: Path) -> None:
        path = folder / "train" / what / "1.npy"
        np.save(path, edit(np.load(path)))

    return fault


def put(value: float) -> Callable[[np.ndarray], np.ndarray]:
    def edit(array: np.ndarray) -> np.ndarray:
        array[1, 2] = value
        return array

    return edit


FAULTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "no folder": (shutil.rmtree, "is not a folder. Name the folder that holds train/ and val/"),
    "no split": (lambda f: shutil.rmtree(f / "train"), "train is missing: NYUv2 or rendered rooms needs train/image/"),
    "no targets": (lambda f: shutil.rmtree(f / "train/normal"), "normal is missing"),
    "no image": (lambda f: [p.unlink() for p in (f / "train/image").iterdir()] and None, "holds no .npy file"),
    "a file less": (lambda f: (f / "train/depth/1.npy").unlink(), "depth lacks 1.npy .1 in all.: image/ has 3"),
    "a file more": (lambda f: (f / "train/depth/x.npy").touch(), "depth has, beyond the layout, x.npy"),
    "a gap": (lambda f: (f / "train/image/1.npy").unlink(), "image lacks 1.npy"),
    "empty file": (lambda f: (f / "train/label/1.npy").write_bytes(b"") and None, "label/1.npy: not a whole .npy file"),
    "no array": (lambda f: (f / "train/label/1.npy").write_bytes(b"text") and None, "1.npy: not a whole .npy file"),
    "pickle": (change("depth", lambda a: np.array([None])), "1.npy: not a whole .npy file"),
    "type of image": (change("image", lambda a: (a * 255).astype(np.uint8)), "type is uint8, a image holds float32"),
    "type of label": (change("label", lambda a: a > 0), "type is bool, a label holds whole numbers"),
    "rank": (change("depth", lambda a: a[..., 0]), r"shape is \(4, 6\), expected \(h, w, 1\)"),
    "channels": (change("normal", lambda a: a[..., :2]), r"shape is \(4, 6, 2\), expected \(4, 6, 3\)"),
    "size": (change("image", lambda a: a[:-1]), r"image/1.npy: shape is \(3, 6, 3\), expected \(4, 6, 3\)"),
    "bright": (change("image", put(1.5)), r"image/1.npy: holds 1.5, a grey value lies in \[0, 1\] \(3 values"),
    "dark": (change("image", put(-0.25)), "holds -0.25, a grey value"),
    "class": (change("label", put(13)), "label/1.npy: holds 13, a label is one of 0 to 12, or -1 for none"),
    "below -1": (change("label", put(-2)), "holds -2, a label"),
    "no whole label": (change("label", lambda a: a + 0.5 * (a == a.max())), "[.]5, a label is one of"),
    "negative depth": (change("depth", put(-1)), "depth/1.npy: holds -1, a depth is positive"),
    "nan": (change("depth", put(np.nan)), "depth/1.npy: holds nan, every value of a depth is finite"),
    "long normal": (change("normal", put(1)), "normal/1.npy: holds 1.73205, as the length of a normal"),
}


@pytest.mark.parametrize(("fault", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named_with_file_value_rule_and_remedy(
    tmp_path: Path, fault: Callable[[Path], None], message: str
) -> None:
    folder = write_folder(tmp_path / "data")
    fault(folder)
    with pytest.raises(DataError, match=message) as raised:
        open_split(folder, INDOOR, "train").read(1)
    assert str(folder) in str(raised.value)
    assert "Get the" in str(raised.value) or "Name the" in str(raised.value)


@pytest.mark.parametrize("what", INDOOR.folders)
def test_a_file_of_any_other_length_is_noticed_when_the_split_is_opened(tmp_path: Path, what: str) -> None:
    path = write_folder(tmp_path) / "train" / what / "1.npy"
    content = path.read_bytes()
    for wrong in [*(content[:length] for length in range(0, len(content), 7)), content[:-1], content + b"\0"]:
        path.write_bytes(wrong)
        with pytest.raises(DataError, match=f"{what}/1.npy"):
            open_split(tmp_path, INDOOR, "train")


def test_no_such_split_or_example(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no split is named 'test': choose one of train, val"):
        open_split(write_folder(tmp_path), INDOOR, "test")  # type: ignore[arg-type]
    for number in (-1, 3):
        with pytest.raises(IndexError, match=f"number is {number}, the split has 3 examples: use 0 to 2"):
            open_split(tmp_path, INDOOR, "train").read(number)


def marked(height: int = 24, width: int = 36) -> DenseExample:
    """Each pixel has a label and a depth of its own; the image is the label, scaled; normals lean to the right."""
    label = torch.arange(height * width).reshape(height, width)
    normal = torch.tensor([0.6, 0.0, 0.8])[:, None, None].expand(3, height, width).clone()
    normal[:, 0, :] = 0
    return DenseExample((label / label.max()).expand(3, -1, -1), label, label[None] + 1.0, normal)


@given(st.integers(0, 2**32 - 1), st.sampled_from([INDOOR, STREET]), st.booleans())
def test_an_augmented_example_is_a_window_of_the_old_one(seed: int, kind: DenseKind, divide_inverse: bool) -> None:
    old = marked()
    new = augment(old, kind, torch.Generator().manual_seed(seed), divide_inverse=divide_inverse)
    height, width = old.label.shape
    assert new.image.shape == old.image.shape
    flipped = bool(new.label[0, 0] > new.label[0, -1])
    label = new.label.flip(-1) if flipped else new.label
    rows, columns = label[:, 0] // width, label[0] % width
    assert torch.equal(label, rows[:, None] * width + columns)  # rows and columns move together
    assert (rows.diff() >= 0).all()
    assert (columns.diff() >= 0).all()
    spans = {(int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1): scale for scale in SCALES}
    scale = next(s for s in SCALES if (int(height / s), int(width / s)) in spans)
    depth = (new.label + 1.0) * (scale if kind.inverse and not divide_inverse else 1 / scale)
    torch.testing.assert_close(new.depth[0], depth)
    torch.testing.assert_close(new.image[0] * old.label.max(), new.label.float(), rtol=0, atol=(width + 1.1) / 2)
    assert new.normal is not None
    assert old.normal is not None
    valid = new.label // width != 0
    assert torch.equal(new.normal[0][valid].unique(), torch.tensor([-0.6 if flipped else 0.6]))
    assert torch.equal((new.normal != 0).any(dim=0), valid)


def test_all_scales_and_both_sides_are_drawn_and_a_seed_repeats_them() -> None:
    def windows(seed: int) -> list[tuple[int, bool]]:
        generator = torch.Generator().manual_seed(seed)
        labels = [augment(marked(), INDOOR, generator).label for _ in range(300)]
        return [(int(label[:, 0].unique().numel()), bool(label[0, 0] > label[0, -1])) for label in labels]

    drawn = windows(1)
    assert drawn == windows(1)
    assert drawn != windows(2)
    assert {rows for rows, _ in drawn} == {24, 20, 16}
    for kind in set(drawn):
        assert 25 <= drawn.count(kind) <= 75  # 50 expected of 300, standard deviation 6.5


def test_the_whole_example_unflipped_is_the_example() -> None:
    old = marked()
    images = []
    generator = torch.Generator().manual_seed(0)
    for _ in range(60):
        new = augment(old, INDOOR, generator)
        if torch.equal(new.label, old.label):
            images.append(new)
    assert images
    for new in images:
        torch.testing.assert_close(new.image, old.image)
        assert new.normal is not None
        assert torch.equal(new.depth, old.depth)
