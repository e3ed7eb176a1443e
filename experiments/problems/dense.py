"""Dense problems from a folder: NYUv2 and CityScapes as they are usually pre-processed, or rendered scenes alike.

Layout: {train,val}/{image,label,depth,normal}/{i}.npy with i = 0 .. n - 1; hidden files and those that are no .npy do
not count. Nothing is downloaded, nothing unpickled: a file that is not as stated is an error.

image   (h, w, 3), floats in [0, 1].
label   (h, w), whole numbers of any type (the usual files hold floats), -1 = no class. NYUv2 13 classes, CityScapes 7.
        CityScapes comes with labels of 2, 7 and 19 classes: those in ``label_7/`` are read, or in ``label/``.
depth   (h, w, 1), floats, 0 = unknown. NYUv2: metres, below 10. CityScapes: inverse depth without a unit, 0 to
        0.4922 where the data set's own 16-bit disparities are 0 to 32,257: so by about 1/65535 of these.
normal  (h, w, 3), components in [-1, 1], zero = unknown; unit length, but resampling may have left them shorter. Only
        NYUv2 has them. They are read as stored, and the loss takes them so, as the usual programs do.

NYUv2 has 795 + 654 images of 288 x 384, CityScapes 2,975 + 500 of 128 x 256 (there are 256 x 512 ones, too).

Sources: the folders are those of MTAN (S. Liu et al., CVPR 2019; repository lorenmt/mtan, README, issues 10, 12, 25, 41
and 43 for units, ranges and what -1 and 0 mean). Its loaders, and those of LibMTL, CAGrad and Nash-MTL which read the
same folders, fix names, numbers and axes; that they interpolate labels before they convert them shows that labels are
floats. That grey values lie in [0, 1] is seen from loaders that multiply them by 255, and from a published copy of
NYUv2. That normals are unit is a comment in LibMTL; no source says it of every pixel.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import torch
from jaxtyping import Float32, Int64
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from experiments.problems.fetching import DataError

DenseSplitName: TypeAlias = Literal["train", "val"]
SPLITS: tuple[DenseSplitName, ...] = ("train", "val")

SCALES = (1.0, 1.2, 1.5)
"""Scales that an image is enlarged by, before it is cropped to its own size."""

UNIT_TOLERANCE = 1e-2
"""What the length of a normal may exceed 1 by: components stored in 8 bits come to 0.007."""

LEAST_LONGEST = 0.9
"""What the longest normal of a file has at least: if it is shorter, all of them are scaled."""

EDGE_TOLERANCE = 1e-2
"""What a grey value may lie outside [0, 1] by: interpolation overshoots at edges."""

REMEDY = "Get the pre-processed folder again, or name another one."


@dataclass(frozen=True)
class DenseKind:
    """What a folder holds.

    Args:
        inverse: depth is stored as its inverse.
        largest_depth: of a file in the right unit, generously: ten times what the usual files hold, or more.
        label_folders: names of the folder of labels, the first that is there is read.
    """

    title: str
    classes: int
    normals: bool
    inverse: bool
    largest_depth: float
    label_folders: tuple[str, ...] = ("label",)

    @property
    def folders(self) -> tuple[str, ...]:
        """What there is of every image."""
        return ("image", "label", "depth", *(("normal",) if self.normals else ()))


INDOOR = DenseKind("NYUv2 or rendered rooms", classes=13, normals=True, inverse=False, largest_depth=100.0)
STREET = DenseKind(
    "CityScapes or rendered streets",
    classes=7,
    normals=False,
    inverse=True,
    largest_depth=10.0,
    label_folders=("label_7", "label"),
)


class DenseExample(NamedTuple):
    """One image and its targets; ``normal`` is None where the folder has none."""

    image: Float32[Tensor, "3 h w"]
    label: Int64[Tensor, "h w"]
    depth: Float32[Tensor, "1 h w"]
    normal: Float32[Tensor, "3 h w"] | None


@dataclass(frozen=True)
class DenseSplit:
    """A split whose files are all there, whole, and of one size; values are checked when an example is read."""

    folder: Path
    kind: DenseKind
    size: int
    height: int
    width: int

    def __len__(self) -> int:
        return self.size

    def path(self, what: str, number: int) -> Path:
        """The file of one of the kind's ``folders``."""
        return part_folder(self.folder, self.kind, what) / f"{number}.npy"

    def read(self, number: int) -> DenseExample:
        """Example ``number``, as stored.

        Raises:
            DataError: a file that is gone or damaged by now, or a value outside its range.
            IndexError: no example has this number.
        """
        if not 0 <= number < self.size:
            raise IndexError(f"number is {number}, the split has {self.size} examples: use 0 to {self.size - 1}.")
        arrays = {what: _values(self.path(what, number), what, self) for what in self.kind.folders}
        image, depth = (_planes(arrays[what]) for what in ("image", "depth"))
        label = torch.from_numpy(arrays["label"].astype(np.int64))
        return DenseExample(image, label, depth, _planes(arrays["normal"]) if self.kind.normals else None)


def part_folder(split: Path, kind: DenseKind, what: str) -> Path:
    """Where the files of an image's part are; labels may have one of several folders."""
    names = kind.label_folders if what == "label" else (what,)
    return next((split / name for name in names if (split / name).is_dir()), split / names[-1])


def open_split(folder: Path, kind: DenseKind, split: DenseSplitName) -> DenseSplit:
    """Look at every file's name, header and length; values wait for `DenseSplit.read`.

    Raises:
        DataError: the folder or the split is missing, files are missing or too many, cut off, or of a wrong type or
            shape.
        ValueError: no such split.
    """
    if split not in SPLITS:
        raise ValueError(f"no split is named {split!r}: choose one of {', '.join(SPLITS)}.")
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder. Name the folder that holds train/ and val/.")
    own = folder / split
    parts = {what: part_folder(own, kind, what) for what in kind.folders}
    for part in (own, *parts.values()):
        if not part.is_dir():
            wanted = ", ".join(f"{split}/{what}/" for what in kind.folders)
            others = " or ".join(f"{split}/{name}/" for name in kind.label_folders[:-1])
            instead = f" (in place of {split}/label/ also {others})" if others else ""
            raise DataError(f"{part} is missing: {kind.title} needs {wanted}{instead}. {REMEDY}")
    size = len(_arrays(parts["image"]))
    if size == 0:
        raise DataError(f"{parts['image']} holds no .npy file, expected 0.npy and those after it. {REMEDY}")
    for part in parts.values():
        _check_names(part, size)
    height, width = _shape(parts["image"] / "0.npy", "image")[:2]
    opened = DenseSplit(own, kind, size, height, width)
    for what in kind.folders:
        for number in range(size):
            _check_shape(opened.path(what, number), what, opened)
    return opened


def _arrays(folder: Path) -> set[str]:
    """Names of .npy files that are not hidden: what file managers and archives leave beside them does not count."""
    return {path.name for path in folder.iterdir() if path.suffix == ".npy" and not path.name.startswith(".")}


def _check_names(folder: Path, size: int) -> None:
    found = _arrays(folder)
    wanted = {f"{number}.npy" for number in range(size)}
    for these, complaint in ((wanted - found, "lacks"), (found - wanted, "has, beyond the layout,")):
        if these:
            some = ", ".join(sorted(these)[:3])
            raise DataError(
                f"{folder} {complaint} {some} ({len(these)} in all): image/ has {size} .npy files, so every folder of "
                f"the split holds 0.npy to {size - 1}.npy and no other. {REMEDY}"
            )


def _map(path: Path) -> "np.memmap[tuple[int, ...], np.dtype[Any]]":
    """The array of a file, mapped, never unpickled."""
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: not a whole .npy file ({error}). {REMEDY}") from error


def _shape(path: Path, what: str) -> tuple[int, ...]:
    """The shape that a file declares, its type and its length checked."""
    array = _map(path)
    kinds = "iuf" if what == "label" else "f"
    if array.dtype.kind not in kinds or array.dtype.itemsize > 8:
        rule = "whole numbers" if what == "label" else "float32 or float64"
        raise DataError(f"{path}: type is {array.dtype}, a {what} holds {rule}. {REMEDY}")
    length = array.offset + array.nbytes
    if path.stat().st_size != length:
        raise DataError(f"{path}: {path.stat().st_size} bytes, its header declares {length}. {REMEDY}")
    if array.ndim != (2 if what == "label" else 3) or not array.size:
        raise DataError(f"{path}: shape is {array.shape}, expected {_rule(what)}. {REMEDY}")
    return array.shape


def _rule(what: str) -> str:
    return {"image": "(h, w, 3)", "label": "(h, w)", "depth": "(h, w, 1)", "normal": "(h, w, 3)"}[what]


def _check_shape(path: Path, what: str, split: DenseSplit) -> None:
    size = (split.height, split.width)
    expected = size if what == "label" else (*size, 1 if what == "depth" else 3)
    shape = _shape(path, what)
    if shape != expected:
        raise DataError(f"{path}: shape is {shape}, expected {expected}: {_rule(what)} as image/0.npy. {REMEDY}")


def _values(path: Path, what: str, split: DenseSplit) -> NDArray[Any]:
    """The array of a file, every value checked."""
    _check_shape(path, what, split)
    array = np.array(_map(path))
    if not np.isfinite(array).all():
        value = array[~np.isfinite(array)][0]
        raise DataError(f"{path}: holds {value}, every value of a {what} is finite. {REMEDY}")
    wrong, rule = _out_of_range(array, what, split.kind)
    if wrong.size:
        raise DataError(f"{path}: holds {wrong[0]:.6g}, {rule} ({wrong.size} values in all). {REMEDY}")
    return array


def _out_of_range(array: NDArray[Any], what: str, kind: DenseKind) -> tuple[NDArray[Any], str]:
    """Values that break a rule, and the rule."""
    match what:
        case "image":
            wrong = (array < -EDGE_TOLERANCE) | (array > 1 + EDGE_TOLERANCE)
            return array[wrong], f"a grey value lies in [0, 1] up to {EDGE_TOLERANCE}"
        case "label":
            wrong = (array < -1) | (array >= kind.classes) | (array != np.floor(array))
            return array[wrong], f"a label is one of 0 to {kind.classes - 1}, or -1 for none"
        case "depth":
            unit = "as inverse depth" if kind.inverse else "in metres"
            rule = f"a depth {unit} is positive and at most {kind.largest_depth:g}, or 0 where it is unknown"
            return array[(array < 0) | (array > kind.largest_depth)], rule
        case _:
            return _out_of_length(array)


def _out_of_length(normals: NDArray[Any]) -> tuple[NDArray[Any], str]:
    """Lengths that break a rule, and the rule."""
    lengths = np.sqrt((normals.astype(np.float64) ** 2).sum(axis=2))
    longest = lengths.max()
    if 0 < longest < LEAST_LONGEST:
        return lengths[lengths == longest], f"as the longest normal, which is 1, at least {LEAST_LONGEST}"
    return lengths[
        lengths > 1 + UNIT_TOLERANCE
    ], f"as the length of a normal, which is at most 1 up to {UNIT_TOLERANCE}"


def _planes(array: NDArray[Any]) -> Float32[Tensor, "c h w"]:
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(array, 2, 0), dtype=np.float32))


def augment(
    example: DenseExample, kind: DenseKind, generator: torch.Generator, *, divide_inverse: bool = False
) -> DenseExample:
    """The paper's augmentation: scale by 1, 1.2 or 1.5, crop to the old size anywhere, flip with probability 1/2.

    Scale s: depth / s, hence inverse depth x s. Flip: the normals' x changes its sign. The image is interpolated
    linearly; targets take the nearest pixel, so that labels stay labels, and a normal unit or zero.

    Args:
        generator: four numbers are drawn from it for each example.
        divide_inverse: inverse depth / s too, as the programs in common use have it: what is nearer then counts as
            farther away.
    """
    scale_draw, top_draw, left_draw, flip_draw = torch.rand(4, generator=generator, dtype=torch.float64).tolist()
    scale = SCALES[int(scale_draw * len(SCALES))]
    height, width = example.label.shape
    rows, columns = int(height / scale), int(width / scale)
    top, left = int(top_draw * (height - rows + 1)), int(left_draw * (width - columns + 1))
    scaled = _crop(example, (top, left, rows, columns))
    depth = scaled.depth * scale if kind.inverse and not divide_inverse else scaled.depth / scale
    scaled = scaled._replace(depth=depth)
    return _flip(scaled) if flip_draw < 0.5 else scaled


def _crop(example: DenseExample, window: tuple[int, int, int, int]) -> DenseExample:
    """A window of the example, enlarged to the size of the whole."""
    top, left, rows, columns = window
    height, width = example.label.shape
    down = (2 * torch.arange(height) + 1) * rows // (2 * height) + top  # of the pixel that a centre falls into
    across = (2 * torch.arange(width) + 1) * columns // (2 * width) + left
    cut = example.image[None, :, top : top + rows, left : left + columns]
    normal = example.normal
    return DenseExample(
        image=functional.interpolate(cut, size=(height, width), mode="bilinear", align_corners=False)[0],
        label=example.label[down][:, across],
        depth=example.depth[:, down][:, :, across],
        normal=None if normal is None else normal[:, down][:, :, across],
    )


def _flip(example: DenseExample) -> DenseExample:
    normal = None if example.normal is None else example.normal.flip(-1) * torch.tensor([-1.0, 1, 1])[:, None, None]
    return DenseExample(example.image.flip(-1), example.label.flip(-1), example.depth.flip(-1), normal)
