"""One ray through each pixel's centre: class, depth and normal of what it meets first; Lambert's law, hard shadows."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from experiments.problems.scenes.scene import Camera, Scene
from experiments.problems.scenes.solids import (
    Array,
    Solid,
    albedo,
    column,
    dot,
    entrance,
    outward_normals,
    unit,
)

NEAR = 0.05
"""Metres in front of the camera below which a corner of a solid is not projected."""

LIFT = 2e-3
"""Metres by which a shadow ray starts above its surface."""

Rays: TypeAlias = tuple[Array, NDArray[np.int64]]
"""Distance in units of the direction, and index of the solid met; inf and -1 where there is none."""


@dataclass(frozen=True, eq=False)
class View:
    """One picture. ``image``: float32 (h, w, 3) in [0, 1]; ``label``: int64 (h, w); ``depth``: float32 (h, w, 1), along
    the optical axis in metres, 0 where nothing is met; ``normal``: float32 (h, w, 3), unit or 0, in the camera's frame:
    x right, y up, z towards the camera."""

    image: NDArray[np.float32]
    label: NDArray[np.int64]
    depth: NDArray[np.float32]
    normal: NDArray[np.float32]


def camera_axes(camera: Camera) -> Array:
    """(3, 3): right, up and forward of the camera, one a row, orthonormal; right is level."""
    forward = unit(column(camera.target) - column(camera.eye))[:, 0]
    level = np.array([forward[2], 0.0, -forward[0]])
    right = unit(level[:, None])[:, 0]
    up = np.array(
        [
            forward[1] * right[2] - forward[2] * right[1],
            forward[2] * right[0] - forward[0] * right[2],
            forward[0] * right[1] - forward[1] * right[0],
        ]
    )
    return np.stack([right, up, forward])


def pixel_rays(camera: Camera, height: int, width: int) -> Array:
    """Directions (3, height * width) through the pixels' centres, 1 long along the optical axis, row by row."""
    scale = camera.focal * width
    across = np.tile((np.arange(width) + 0.5 - width / 2) / scale, height)
    upward = np.repeat((height / 2 - np.arange(height) - 0.5) / scale, width)
    right, up, forward = camera_axes(camera)
    directions: Array = right[:, None] * across + up[:, None] * upward + forward[:, None]
    return directions


def window(solid: Solid, camera: Camera, height: int, width: int) -> NDArray[np.int64]:
    """Pixels that the solid's box can cover, as indices row by row: all of them where the box reaches the camera."""
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]).T * column(solid.half)
    cosine, sine = solid.turn
    turned = np.stack([cosine * corners[0] + sine * corners[2], corners[1], cosine * corners[2] - sine * corners[0]])
    seen = turned + column(solid.centre) - column(camera.eye)
    right, up, forward = (dot(np.repeat(axis[:, None], 8, axis=1), seen) for axis in camera_axes(camera))
    if (forward < NEAR).all():
        return np.arange(0)
    every = np.arange(height * width)
    if (forward < NEAR).any():
        return every
    scale = camera.focal * width
    columns, rows = width / 2 + scale * right / forward, height / 2 - scale * up / forward
    (left, stop), (top, bottom) = (
        (int(np.clip(np.floor(ends.min()) - 1, 0, size)), int(np.clip(np.ceil(ends.max()) + 1, 0, size)))
        for ends, size in ((columns, width), (rows, height))
    )
    return every.reshape(height, width)[top:bottom, left:stop].ravel()


def first_met(scene: Scene, directions: Array, height: int, width: int) -> Rays:
    """What each pixel's ray meets first."""
    distance, index = np.full(height * width, np.inf), np.full(height * width, -1)
    eye = column(scene.camera.eye)
    for number, solid in enumerate(scene.solids):
        pixels = window(solid, scene.camera, height, width)
        if not pixels.size:
            continue
        here = entrance(solid, eye, directions[:, pixels])
        nearer = here < distance[pixels]
        distance[pixels[nearer]] = here[nearer]
        index[pixels[nearer]] = number
    return distance, index


def is_lit(scene: Scene, points: Array, to_light: Array) -> NDArray[np.bool_]:
    """Whether nothing but glowing solids stands between the points (3, n) and the light at point + to_light."""
    lit = np.ones(points.shape[1], dtype=bool)
    for solid in scene.solids:
        if solid.surface.glow is None:
            asked = np.flatnonzero(lit)
            lit[asked] = entrance(solid, points[:, asked], to_light[:, asked]) >= 1
    return lit


def received(scene: Scene, points: Array, normals: Array) -> Array:
    """Light (3, n) that arrives at points: ambient; sun or lamp, each with its shadow; glowing panes, without."""
    ambient = column(scene.sky) * 0.65 if scene.sky is not None else column((0.35, 0.35, 0.35))
    total: Array = ambient * (1 + 0.3 * normals[1])
    lights: list[tuple[Array, Array, bool]] = []
    if scene.sun is not None:
        towards = -unit(column(scene.sun.direction)) * 500
        lights.append((np.repeat(towards, points.shape[1], axis=1), column(scene.sun.colour), True))
    for solid in scene.solids:
        if solid.surface.glow is not None:
            towards = column(solid.centre) - points
            fall = np.maximum(dot(towards, towards), 0.25)
            lights.append((towards, column(solid.surface.glow) / fall, solid.shape == "ball"))
    for towards, colour, shadow in lights:
        cosine = np.maximum(dot(normals, unit(towards)), 0)
        if shadow:
            facing = np.flatnonzero(cosine > 0)
            lit = is_lit(scene, points[:, facing] + LIFT * normals[:, facing], towards[:, facing])
            cosine[facing[~lit]] = 0
        total = total + colour * cosine
    return total


def exposed(light: Array) -> Array:
    """Light so scaled that a fifth of the pixels is brighter than 0.6, cut at 1; its root, for gamma 2."""
    brightness = np.sort((light[0] + light[1] + light[2]) / 3)
    reference = brightness[(4 * len(brightness)) // 5]
    return np.sqrt(np.minimum(light * (0.6 / max(float(reference), 1e-4)), 1))


def render(scene: Scene, height: int, width: int) -> View:
    """The picture of a scene; geometry in float64, rounded once at the end.

    Args:
        height: rows, at least 1.
        width: columns, at least 1.
    """
    directions = pixel_rays(scene.camera, height, width)
    distance, index = first_met(scene, directions, height, width)
    met = index >= 0
    depth = np.where(met, distance, 0)
    points = column(scene.camera.eye) + depth * directions
    normals, colours, glow = (np.zeros_like(points) for _ in range(3))
    labels = np.full(height * width, scene.background)
    for number in np.unique(index[met]):
        solid, pixels = scene.solids[number], np.flatnonzero(index == number)
        local = solid.points_to_local(points[:, pixels])
        normals[:, pixels] = outward_normals(solid, local)
        colours[:, pixels] = albedo(solid, local)
        labels[pixels] = solid.label
        if solid.surface.glow is not None:
            glow[:, pixels] = column(solid.surface.glow)
    light = glow + np.where(glow > 0, 0, _lit(scene, points, normals, colours, met))
    if scene.sky is not None:
        light[:, ~met] = column(scene.sky)
    right, up, forward = camera_axes(scene.camera)
    seen = np.stack([dot(np.repeat(axis[:, None], len(met), axis=1), normals) for axis in (right, up, -forward)])
    return View(
        image=_as_picture(exposed(light), height, width),
        label=labels.reshape(height, width),
        depth=_as_picture(depth[None], height, width),
        normal=_as_picture(seen, height, width),
    )


def _lit(scene: Scene, points: Array, normals: Array, colours: Array, met: NDArray[np.bool_]) -> Array:
    light = np.zeros_like(points)
    light[:, met] = colours[:, met] * received(scene, points[:, met], normals[:, met])
    return light


def _as_picture(values: Array, height: int, width: int) -> NDArray[np.float32]:
    return np.ascontiguousarray(values.T.reshape(height, width, len(values)), dtype=np.float32)
