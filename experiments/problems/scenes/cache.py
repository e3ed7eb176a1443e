"""Rendered splits in the cache folder, in the layout of pre-processed data: every file with its SHA-256."""

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from experiments.problems.dense import DenseSplitName
from experiments.problems.fetching import cache_folder
from experiments.problems.scenes.render import View, render
from experiments.problems.scenes.rooms import build_room
from experiments.problems.scenes.scene import Scene
from experiments.problems.scenes.streets import build_street
from experiments.results import write_atomically

SceneKind: TypeAlias = Literal["rooms", "streets"]

BUILDERS: dict[SceneKind, Callable[[int], Scene]] = {"rooms": build_room, "streets": build_street}
VERSION = 1
"""Counts up whenever a scene of the same seed looks otherwise."""

MANIFEST = "manifest.json"


def scene_seed(kind: SceneKind, split: DenseSplitName, number: int) -> int:
    """The SHA-256 of ``FlatMTL scenes 1: <kind>, <split>, <number>`` as a big-endian integer: so the first images of
    a split are the same whatever its size, and no image of one split is in the other."""
    name = f"FlatMTL scenes {VERSION}: {kind}, {split}, {number}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest(), "big")


def render_view(kind: SceneKind, split: DenseSplitName, number: int, height: int, width: int) -> View:
    """Image ``number`` of a split, counted from 0."""
    return render(BUILDERS[kind](scene_seed(kind, split, number)), height, width)


def arrays_of(kind: SceneKind, view: View) -> dict[str, NDArray[Any]]:
    """What is stored of a picture, by folder. Streets: no normals, and 1 / depth, as CityScapes stores it."""
    arrays: dict[str, NDArray[Any]] = {"image": view.image, "label": view.label.astype(np.int8), "depth": view.depth}
    if kind == "rooms":
        arrays["normal"] = view.normal
    else:
        met = view.depth > 0
        arrays["depth"] = np.where(met, 1 / np.where(met, view.depth, 1), 0).astype(np.float32)
    return arrays


def as_npy(array: NDArray[Any]) -> bytes:
    """The content of the .npy file of an array, little-endian."""
    buffer = io.BytesIO()
    np.save(buffer, array.astype(array.dtype.newbyteorder("<")), allow_pickle=False)
    return buffer.getvalue()


def scenes_folder(kind: SceneKind, *, train: int, val: int, height: int, width: int) -> Path:
    """Where these images are, or will be once they are rendered."""
    return cache_folder() / "scenes" / f"{kind}-{VERSION}-{height}x{width}-{train}-{val}"


def rendered_folder(kind: SceneKind, *, train: int, val: int, height: int, width: int) -> Path:
    """The folder with ``train`` and ``val`` rendered images, each file checked; what is not as recorded is made again.

    Files appear whole or not at all, and the manifest with their sums last: without it, or with one that is damaged,
    nothing in the folder is trusted. Files that belong to no image, such as an interrupted writer leaves, are removed.

    Args:
        kind: ``rooms`` or ``streets``.
        train: number of training images, at least 1.
        val: number of validation images, at least 1.
        height: rows, at least 1.
        width: columns, at least 1.

    Raises:
        ValueError: an unknown kind, or a number below 1.
    """
    if kind not in BUILDERS:
        raise ValueError(f"kind is {kind!r}: use one of {', '.join(BUILDERS)}.")
    for name, value in (("train", train), ("val", val), ("height", height), ("width", width)):
        if value < 1:
            raise ValueError(f"{name} is {value}: use at least 1.")
    folder = scenes_folder(kind, train=train, val=val, height=height, width=width)
    recorded = _recorded_sums(folder / MANIFEST)
    sizes: dict[DenseSplitName, int] = {"train": train, "val": val}
    sums: dict[str, str] = {}
    for split, size in sizes.items():
        for number in range(size):
            sums |= _intact(kind, folder, recorded, split, number) or _write(
                kind, folder, split, number, (height, width)
            )
    for path in folder.glob("*/*/*"):
        if path.relative_to(folder).as_posix() not in sums:
            path.unlink()
    if sums != recorded:
        content = json.dumps({"version": VERSION, "sha256": sums}, indent=1, sort_keys=True)
        write_atomically(folder / MANIFEST, content.encode())
    return folder


def _recorded_sums(manifest: Path) -> dict[str, str]:
    """Sums by relative path; none where the manifest is absent or damaged."""
    try:
        content = json.loads(manifest.read_bytes())
        sums = content["sha256"] if content["version"] == VERSION else {}
        return {str(name): str(value) for name, value in sums.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _names(kind: SceneKind, split: DenseSplitName, number: int) -> dict[str, str]:
    folders = ("image", "label", "depth", "normal") if kind == "rooms" else ("image", "label", "depth")
    return {what: f"{split}/{what}/{number}.npy" for what in folders}


def _intact(
    kind: SceneKind, folder: Path, recorded: dict[str, str], split: DenseSplitName, number: int
) -> dict[str, str] | None:
    """The sums of an image's files; None unless all are there and as recorded."""
    found = {}
    for name in _names(kind, split, number).values():
        path = folder / name
        if name not in recorded or not path.is_file():
            return None
        found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        if found[name] != recorded[name]:
            return None
    return found


def _write(kind: SceneKind, folder: Path, split: DenseSplitName, number: int, size: tuple[int, int]) -> dict[str, str]:
    """Render an image and write its files; their sums."""
    arrays = arrays_of(kind, render_view(kind, split, number, *size))
    sums = {}
    for what, name in _names(kind, split, number).items():
        content = as_npy(arrays[what])
        write_atomically(folder / name, content)
        sums[name] = hashlib.sha256(content).hexdigest()
    return sums
