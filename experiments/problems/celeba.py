"""CelebA: 202,599 aligned photographs of faces with 40 yes-or-no attributes each, from the user's copy.

Folder: ``img_align_celeba/*.jpg`` (178 wide, 218 high); ``list_attr_celeba.txt`` (number of images; names of the
attributes; then a line an image: its file and 40 times 1 or -1); ``list_eval_partition.txt`` (a line an image: its file
and 0, 1 or 2 for train, validation, test). It is ``celeba/`` in, or itself, the folder given as ``data_dir`` or
``FLATMTL_DATA``. Nothing is fetched: the photographs are not to be handed on.

Crop: none. The whole aligned image is resized to 64 x 64 (bilinear, averaging over what a pixel covers), which squeezes
it upright; so does the code of Sener and Koltun (NeurIPS 2018), from which the setting of 40 heads on 2,048 features
comes. Their mean is not subtracted, their order of channels is not taken: networks see RGB in [0, 1].
"""

import os
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from experiments.problems.fetching import DataError, given_folder
from experiments.problems.packaged import Labelled, Split, checked_count

ATTRIBUTES = (
    *("5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs", "Big_Lips", "Big_Nose"),
    *("Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair", "Bushy_Eyebrows", "Chubby", "Double_Chin", "Eyeglasses"),
    *("Goatee", "Gray_Hair", "Heavy_Makeup", "High_Cheekbones", "Male", "Mouth_Slightly_Open", "Mustache"),
    *("Narrow_Eyes", "No_Beard", "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline", "Rosy_Cheeks"),
    *("Sideburns", "Smiling", "Straight_Hair", "Wavy_Hair", "Wearing_Earrings", "Wearing_Hat", "Wearing_Lipstick"),
    *("Wearing_Necklace", "Wearing_Necktie", "Young"),
)
"""The 40 tasks, as the list of attributes names them and in its order."""

SIZES: dict[Split, int] = {"train": 162_770, "validation": 19_867, "test": 19_962}
PARTS: dict[str, Split] = {"0": "train", "1": "validation", "2": "test"}
IMAGE_SIZE = (178, 218)
SIDE = 64

IMAGES, ATTRIBUTE_LIST, PARTITION = "img_align_celeba", "list_attr_celeba.txt", "list_eval_partition.txt"
REMEDY = "Get the file again, or name another copy."


def find_folder(data_dir: Path | None = None) -> Path:
    """The user's copy.

    Raises:
        DataError: no folder is given, or it is none, or lacks one of the three parts.
    """
    given = given_folder(data_dir)
    if given is None:
        raise DataError(
            "CelebA is not fetched. Name a folder by --data-dir or FLATMTL_DATA that holds, itself or in its subfolder "
            f"celeba/, the folder {IMAGES}/ and the files {ATTRIBUTE_LIST} and {PARTITION}."
        )
    folder = given / "celeba" if (given / "celeba").is_dir() else given
    missing = [name for name in (IMAGES, ATTRIBUTE_LIST, PARTITION) if not (folder / name).exists()]
    if missing:
        raise DataError(f"{folder} lacks {', '.join(missing)}. Complete it, or name another folder by --data-dir.")
    return folder


def read_attributes(path: Path) -> dict[str, tuple[int, ...]]:
    """File name -> 40 labels of 0 and 1.

    Raises:
        DataError: another number of images than declared, other attributes, a line of another length, or a value that
            is neither 1 nor -1; the message names the line.
    """
    lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    if len(lines) < 2 or not lines[0].strip().isdigit():
        raise DataError(f"{path}: the first line is to be the number of images, the second the attributes. {REMEDY}")
    if tuple(lines[1].split()) != ATTRIBUTES:
        raise DataError(f"{path}, line 2: not the 40 attributes from {ATTRIBUTES[0]} to {ATTRIBUTES[-1]}. {REMEDY}")
    labels = {}
    for number, line in enumerate(lines[2:], start=3):
        name, *values = line.split() or [""]
        if len(values) != len(ATTRIBUTES):
            raise DataError(f"{path}, line {number}: {len(values)} values, there are 40 attributes. {REMEDY}")
        strange = [
            f"{attribute} is {value}"
            for attribute, value in zip(ATTRIBUTES, values, strict=True)
            if value not in ("1", "-1")
        ]
        if strange:
            raise DataError(f"{path}, line {number}: {strange[0]}, must be 1 or -1. {REMEDY}")
        labels[name] = tuple(int(value == "1") for value in values)
    if not int(lines[0]) == len(lines) - 2 == len(labels):
        raise DataError(
            f"{path}: declares {int(lines[0]):,} images, but has {len(lines) - 2:,} lines and {len(labels):,} "
            f"different files. {REMEDY}"
        )
    return labels


def read_partition(path: Path) -> dict[Split, list[str]]:
    """The files of every split in their order.

    Raises:
        DataError: a line that is not a file and 0, 1 or 2, a file named twice, or splits of other sizes than CelebA's.
    """
    files: dict[Split, list[str]] = {split: [] for split in SIZES}
    for number, line in enumerate(path.read_text(encoding="ascii", errors="replace").splitlines(), start=1):
        name, *part = line.split() or [""]
        if len(part) != 1 or part[0] not in PARTS:
            raise DataError(f"{path}, line {number}: {line!r} is not a file and 0, 1 or 2. {REMEDY}")
        files[PARTS[part[0]]].append(name)
    sizes = {split: len(set(names)) for split, names in files.items()}
    if sizes != SIZES or len({name for names in files.values() for name in names}) != sum(SIZES.values()):
        raise DataError(f"{path}: splits of {sizes} different files, CelebA's are disjoint and have {SIZES}. {REMEDY}")
    return files


@cache
def _lists(folder: Path) -> tuple[dict[str, tuple[int, ...]], dict[Split, list[str]]]:
    attributes, partition = read_attributes(folder / ATTRIBUTE_LIST), read_partition(folder / PARTITION)
    unknown = [name for names in partition.values() for name in names if name not in attributes]
    if unknown or len(attributes) != sum(SIZES.values()):
        raise DataError(
            f"{folder}: {ATTRIBUTE_LIST} has {len(attributes):,} files and lacks {len(unknown):,} of those of "
            f"{PARTITION} ({', '.join(unknown[:3])}). Both must be from the same copy."
        )
    return attributes, partition


def read_image(path: Path) -> NDArray[np.uint8]:
    """One photograph as (3, 64, 64), RGB.

    Raises:
        DataError: no whole image, or one that is not 178 x 218 in colour.
    """
    try:
        with Image.open(path) as image:
            if image.size != IMAGE_SIZE or image.mode != "RGB":
                raise DataError(f"{path}: {image.size} {image.mode}, expected {IMAGE_SIZE} RGB. {REMEDY}")
            small = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    except OSError as error:
        raise DataError(f"{path}: can not be read as an image ({error}). {REMEDY}") from error
    return np.asarray(small).transpose(2, 0, 1)


def find_files(split: Split, *, count: int | None = None, data_dir: Path | None = None) -> dict[Path, tuple[int, ...]]:
    """The first ``count`` photographs (default: all) of a split in their order, each with its 40 labels; not opened.

    Raises:
        DataError: the folder is not there or not as stated above; the message names the file.
        ValueError: a split or a count that does not exist.
    """
    size = checked_count(split, count, SIZES, "faces")
    folder = find_folder(data_dir)
    attributes, partition = _lists(folder)
    names = partition[split][:size]
    present = {entry.name for entry in os.scandir(folder / IMAGES)}
    missing = [name for name in names if name not in present]
    if missing:
        raise DataError(
            f"{folder / IMAGES} lacks {len(missing):,} of {size:,} files of the {split} split: "
            f"{', '.join(missing[:3])}{' ...' if len(missing) > 3 else ''}. Unpack the archive of images again."
        )
    return {folder / IMAGES / name: attributes[name] for name in names}


def load_celeba(split: Split, *, count: int | None = None, data_dir: Path | None = None) -> Labelled:
    """The first ``count`` faces (default: all) of a split of 162,770 / 19,867 / 19,962: uint8 (n, 3, 64, 64).

    Raises:
        DataError: as `find_files`, or a photograph is damaged or of another size.
        ValueError: a split or a count that does not exist.
    """
    files = find_files(split, count=count, data_dir=data_dir)
    examples = np.empty((len(files), 3, SIDE, SIDE), dtype=np.uint8)
    for number, path in enumerate(files):
        examples[number] = read_image(path)
    return Labelled.of(examples, np.array(list(files.values()), dtype=np.int64))
