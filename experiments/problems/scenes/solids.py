"""Solids and the straight lines that meet them. World frame: x right, y up, z forward, in metres."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Shape: TypeAlias = Literal["box", "ball", "pillar", "wheel"]
Triple: TypeAlias = tuple[float, float, float]
Array: TypeAlias = NDArray[np.float64]

AXES: dict[Shape, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "box": ((0, 1, 2), ()),
    "ball": ((), (0, 1, 2)),
    "pillar": ((1,), (0, 2)),
    "wheel": ((0,), (1, 2)),
}
"""Flat and round axes of each shape: all q with |q_i| <= 1 on flat axes and a sum of squares <= 1 over round ones."""


@dataclass(frozen=True)
class Surface:
    """Albedo in [0, 1]^3; a second one where the surface is checked, ``tiles`` to a half size; ``glow``: own light."""

    colour: Triple
    second: Triple | None = None
    tiles: float = 1.0
    glow: Triple | None = None


@dataclass(frozen=True)
class Solid:
    """A shape with half sizes ``half``, turned about the vertical by the angle whose cosine and sine are ``turn``."""

    shape: Shape
    label: int
    centre: Triple
    half: Triple
    surface: Surface
    turn: tuple[float, float] = (1.0, 0.0)

    def to_local(self, vectors: Array) -> Array:
        """Vectors (3, n) of the world in the frame in which the half sizes are 1."""
        cosine, sine = self.turn
        x, y, z = vectors
        turned = (cosine * x - sine * z, y, sine * x + cosine * z)
        return np.stack([part / half for part, half in zip(turned, self.half, strict=True)])

    def points_to_local(self, points: Array) -> Array:
        """Points (3, n) of the world in the frame in which the solid is the unit shape about 0."""
        return self.to_local(points - column(self.centre))


def column(values: Sequence[float]) -> Array:
    """(3, 1)."""
    return np.array(values, dtype=np.float64)[:, None]


def dot(left: Array, right: Array) -> Array:
    """Inner products of the columns of (3, n), summed from the first axis on."""
    product: Array = left[0] * right[0] + left[1] * right[1] + left[2] * right[2]
    return product


def unit(vectors: Array) -> Array:
    """Columns of (3, n) divided by their Euclidean norms."""
    scaled: Array = vectors / np.sqrt(dot(vectors, vectors))
    return scaled


def entrance(solid: Solid, origins: Array, directions: Array) -> Array:
    """Smallest t > 0 at which origin + t direction enters the solid; inf where it never does.

    The line is inside between the last entrance and the first exit of all slabs and of the round part. Nothing is seen
    from within, and a ray that runs exactly along a face or an axis meets nothing.

    Args:
        origins: (3, 1) or (3, n).
        directions: (3, n), of any length.
    """
    start, along = solid.points_to_local(origins), solid.to_local(directions)
    flat, round_ = AXES[solid.shape]
    enter, leave = np.full(along.shape[1], -np.inf), np.full(along.shape[1], np.inf)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for axis in flat:
            low, high = (-1 - start[axis]) / along[axis], (1 - start[axis]) / along[axis]
            enter, leave = np.maximum(enter, np.minimum(low, high)), np.minimum(leave, np.maximum(low, high))
        if round_:
            square, half_linear, constant = (
                _sum_over(round_, pair) for pair in ((along, along), (start, along), (start, start))
            )
            discriminant = half_linear * half_linear - square * (constant - 1)
            root = np.sqrt(np.where(discriminant > 0, discriminant, np.nan))
            enter = np.maximum(enter, (-half_linear - root) / square)
            leave = np.minimum(leave, (-half_linear + root) / square)
        return np.where((enter <= leave) & (enter > 0), enter, np.inf)


def _sum_over(axes: tuple[int, ...], pair: tuple[Array, Array]) -> Array:
    total = pair[0][axes[0]] * pair[1][axes[0]]
    for axis in axes[1:]:
        total = total + pair[0][axis] * pair[1][axis]
    return np.asarray(total)


def outward_normals(solid: Solid, local: Array) -> Array:
    """Unit normals (3, n), in the world, at local points of the surface: those of the part that is farthest out."""
    flat, round_ = AXES[solid.shape]
    gradients = np.zeros_like(local)
    farthest = np.full(local.shape[1], -np.inf)
    if round_:
        farthest = np.sqrt(_sum_over(round_, (local, local)))
        gradients[list(round_)] = local[list(round_)]
    for axis in flat:
        here = np.abs(local[axis]) > farthest
        farthest = np.where(here, np.abs(local[axis]), farthest)
        gradients[:, here] = 0
        gradients[axis, here] = np.sign(local[axis, here])
    x, y, z = gradients / column(solid.half)
    cosine, sine = solid.turn
    return unit(np.stack([cosine * x + sine * z, y, cosine * z - sine * x]))


def albedo(solid: Solid, local: Array) -> Array:
    """Colours (3, n) at local points of the surface: checked in all three axes where there is a second colour."""
    surface = solid.surface
    colours = np.repeat(column(surface.colour), local.shape[1], axis=1)
    if surface.second is not None:
        # Half a tile off, so that no face lies on the border of two layers of tiles.
        odd = (np.floor(local * surface.tiles + 0.25).astype(np.int64).sum(axis=0) % 2).astype(bool)
        colours[:, odd] = column(surface.second)
    return colours
