"""The loader of dense problems: every fault of a folder is named; the augmentation against what it promises."""

import shutil
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from experiments.problems.dense import INDOOR, SCALES, STREET, DenseExample, DenseKind, augment, open_split
from experiments.problems.fetching import DataError

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


def write_as_published(folder: Path, kind: DenseKind) -> Path:
    """Two images a split in the types, and with the odd values, of the usual files; what else lies beside them."""
    generator = np.random.default_rng(1)
    for split, number in product(("train", "val"), (0, 1)):
        grey = generator.integers(0, 256, (HEIGHT, WIDTH, 3))
        label = generator.integers(-1, kind.classes, (HEIGHT, WIDTH)).astype(np.float64)
        label[0, :2] = -1.0, kind.classes - 1
        disparity = generator.integers(0, 32_258, (HEIGHT, WIDTH, 1)) / 65_535
        depth = (disparity if kind.inverse else 20.3 * disparity).astype(np.float32)
        depth[1] = 0
        normal = generator.normal(size=(HEIGHT, WIDTH, 3))
        normal /= np.linalg.norm(normal, axis=2, keepdims=True)
        normal = np.round(127.5 * normal) / 127.5  # 8 bits a component
        normal[0, :3] = (normal[0, :3] + normal[1, :3]) / 2  # resampled
        normal[2, 0], normal[2, 1] = (0, 0, 0), (0.6, -0.8, 0.2 * 1e-9)
        image = (grey / 255).astype(np.float32 if number else np.float64)
        arrays = {"image": image, "depth": depth, kind.label_folders[0]: label}
        if kind.normals:
            arrays["normal"] = normal.astype(np.float32)
        else:
            arrays |= {"label_2": label * 0, "label_19": label + 12}
        for what, array in arrays.items():
            (folder / split / what).mkdir(parents=True, exist_ok=True)
            np.save(folder / split / what / f"{number}.npy", array)
            for beside in (f"._{number}.npy", ".DS_Store", "Thumbs.db", "desktop.ini"):
                (folder / split / what / beside).write_bytes(b"\0")
    return folder


@pytest.mark.parametrize("kind", [INDOOR, STREET], ids=["nyuv2", "cityscapes"])
def test_the_usual_folders_are_read_as_they_are(tmp_path: Path, kind: DenseKind) -> None:
    split = open_split(write_as_published(tmp_path, kind), kind, "val")
    assert len(split) == 2
    for number in range(2):
        example = split.read(number)

        def stored(what: str, number: int = number) -> np.ndarray:
            return np.asarray(np.load(tmp_path / "val" / what / f"{number}.npy"))

        np.testing.assert_array_equal(example.label, stored(kind.label_folders[0]))
        assert {-1, kind.classes - 1} <= set(example.label.unique().tolist()) <= set(range(-1, kind.classes))
        np.testing.assert_array_equal(example.image.permute(1, 2, 0), stored("image").astype(np.float32))
        np.testing.assert_array_equal(example.depth.permute(1, 2, 0), stored("depth"))
        assert not example.depth[0, 1].any()
        if example.normal is not None:
            np.testing.assert_array_equal(example.normal.permute(1, 2, 0), stored("normal"))
            lengths = example.normal.norm(dim=0)
            assert ((lengths > 0) & (lengths < 0.95)).any(), "resampled"
            assert lengths.max() > 1, "rounded"


def test_labels_of_seven_classes_are_read_from_either_folder(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, STREET)
    plain = open_split(folder, STREET, "train")
    assert plain.path("label", 0) == folder / "train" / "label" / "0.npy"
    own = np.load(plain.path("label", 0))
    shutil.copytree(folder / "train" / "label", folder / "train" / "label_7")
    np.save(folder / "train" / "label_7" / "0.npy", np.where(own == 0, 1, own))
    both = open_split(folder, STREET, "train")
    assert both.path("label", 0) == folder / "train" / "label_7" / "0.npy"
    assert not (both.read(0).label == 0).any()
    assert both.path("depth", 2) == folder / "train" / "depth" / "2.npy"
    for name in ("label", "label_7"):
        shutil.rmtree(folder / "train" / name)
    with pytest.raises(DataError, match=r"train/label is missing: .*in place of train/label/ also train/label_7/"):
        open_split(folder, STREET, "train")


def test_grey_values_may_overshoot_a_little(tmp_path: Path) -> None:
    path = write_folder(tmp_path) / "train" / "image" / "0.npy"
    image = np.load(path)
    image[0, 0], image[0, 1] = -0.005, 1.005
    np.save(path, image)
    np.testing.assert_array_equal(open_split(tmp_path, INDOOR, "train").read(0).image.permute(1, 2, 0), image)


@pytest.mark.parametrize(
    ("kind", "what", "scale", "message"),
    [
        (INDOOR, "depth", 1000.0, r"depth/0.npy: holds \d{3,4}[.]?\d*, a depth in metres is positive and at most 100"),
        (STREET, "depth", 65_535.0, r"depth/0.npy: holds \S+, a depth as inverse depth is positive and at most 10,"),
        (INDOOR, "normal", 0.5, r"normal/0.npy: holds 0.50\d*, as the longest normal, which is 1, at least 0.9"),
        (INDOOR, "image", 255.0, r"image/0.npy: holds \d\S*, a grey value lies in \[0, 1\] up to 0.01"),
    ],
)
def test_another_unit_is_noticed(tmp_path: Path, kind: DenseKind, what: str, scale: float, message: str) -> None:
    split = open_split(write_as_published(tmp_path, kind), kind, "train")
    np.save(split.path(what, 0), scale * np.load(split.path(what, 0)))
    with pytest.raises(DataError, match=message):
        open_split(tmp_path, kind, "train").read(0)


def test_normals_as_colours_are_noticed(tmp_path: Path) -> None:
    """(n + 1) / 2, as in a picture of normals."""
    split = open_split(write_as_published(tmp_path, INDOOR), INDOOR, "train")
    np.save(split.path("normal", 1), (np.load(split.path("normal", 1)) + 1) / 2)
    with pytest.raises(DataError, match=r"at most 1 up to 0\.01"):
        open_split(tmp_path, INDOOR, "train").read(1)


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
    "bright": (change("image", put(1.5)), r"image/1.npy: holds 1.5, a grey value lies in \[0, 1\] up to 0.01 \(3 v"),
    "dark": (change("image", put(-0.25)), "holds -0.25, a grey value"),
    "class": (change("label", put(13)), "label/1.npy: holds 13, a label is one of 0 to 12, or -1 for none"),
    "below -1": (change("label", put(-2)), "holds -2, a label"),
    "no whole label": (change("label", lambda a: a + 0.5 * (a == a.max())), "[.]5, a label is one of"),
    "negative depth": (change("depth", put(-1)), "depth/1.npy: holds -1, a depth in metres is positive"),
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
