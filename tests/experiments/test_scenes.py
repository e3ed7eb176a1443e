"""Rendered scenes: each pixel against points along its ray, hand-made scenes, pinned bits, and the cache's promises."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from experiments.problems.dense import INDOOR, STREET, DenseSplitName, open_split
from experiments.problems.scenes import cache, rooms, streets
from experiments.problems.scenes.cache import SceneKind, render_view, rendered_folder
from experiments.problems.scenes.render import camera_axes, first_met, pixel_rays, render
from experiments.problems.scenes.scene import Camera, Draws, Scene
from experiments.problems.scenes.solids import Shape, Solid, Surface, column, entrance, outward_normals

HEIGHT, WIDTH = 12, 16
WHITE = Surface((0.8, 0.8, 0.8))
SCENES = {"rooms": rooms.build_room, "streets": streets.build_street}

shapes = st.sampled_from(["box", "ball", "pillar", "wheel"])
seeds = st.integers(0, 2**32 - 1)
kinds = st.sampled_from(sorted(SCENES))


def inside(solid: Solid, points: NDArray[np.float64], slack: float) -> NDArray[np.bool_]:
    """Which points (3, n) lie in the solid blown up by ``slack``: straight from the definition of the shapes."""
    cosine, sine = solid.turn
    back = np.array([[cosine, 0, -sine], [0, 1, 0], [sine, 0, cosine]])
    x, y, z = (back @ (points - np.array(solid.centre)[:, None])) / np.array(solid.half)[:, None]
    most = 1 + slack
    match solid.shape:
        case "box":
            return np.asarray((abs(x) <= most) & (abs(y) <= most) & (abs(z) <= most))
        case "ball":
            return np.asarray(np.sqrt(x**2 + y**2 + z**2) <= most)
        case "pillar":
            return np.asarray((abs(y) <= most) & (np.hypot(x, z) <= most))
        case "wheel":
            return np.asarray((abs(x) <= most) & (np.hypot(y, z) <= most))


@given(kinds, seeds)
def test_nothing_stands_before_what_a_pixel_sees(kind: str, seed: int) -> None:
    scene = SCENES[kind](seed)
    directions = pixel_rays(scene.camera, HEIGHT, WIDTH)
    distance, index = first_met(scene, directions, HEIGHT, WIDTH)
    eye = column(scene.camera.eye)
    generator = np.random.default_rng(seed)
    far = np.where(index >= 0, distance, 200.0)
    for share in (0.0, *generator.random(40), 0.999):
        points = eye + share * far * directions
        assert not any(inside(solid, points, -1e-9).any() for solid in scene.solids)
    for number, solid in enumerate(scene.solids):
        seen = index == number
        met = eye + distance[seen] * directions[:, seen]
        assert inside(solid, met, 1e-9).all()
        assert not inside(solid, met, -1e-9).any()


@given(shapes, seeds)
def test_the_normal_is_the_one_along_which_the_solid_recedes(shape: Shape, seed: int) -> None:
    draws = Draws(seed)
    half = (draws.between(0.3, 2), draws.between(0.3, 2), draws.between(0.3, 2))
    solid = Solid(shape, 0, (1, 2, 3), half, WHITE, draws.turn(1))
    generator = np.random.default_rng(seed)
    origins = generator.normal(size=(3, 50))
    origins = column(solid.centre) + 9 * origins / np.linalg.norm(origins, axis=0)
    aims = column(solid.centre) + generator.uniform(-0.3, 0.3, (3, 50)) - origins
    at = entrance(solid, origins, aims)
    assert np.isfinite(at).any()
    points, aims = (origins + at * aims)[:, np.isfinite(at)], aims[:, np.isfinite(at)]
    normals = outward_normals(solid, solid.points_to_local(points))
    np.testing.assert_allclose(np.linalg.norm(normals, axis=0), 1, rtol=1e-12)
    assert ((normals * aims).sum(axis=0) < 0).all()
    # All of a convex solid lies behind the plane through the point: so do other points of its surface.
    for other in points.T:
        assert (((other[:, None] - points) * normals).sum(axis=0) <= 1e-9).all()


def one_ball(focal: float = 1.0) -> Scene:
    ball = Solid("ball", 3, (0.5, 1, 5), (1, 1, 1), WHITE)
    return Scene((ball,), Camera((0.5, 1, 0), (0.5, 1, 1), focal), background=-1, sky=(0.5, 0.6, 0.7))


def test_a_ball_ahead_is_as_the_formula_has_it() -> None:
    view = render(one_ball(), 31, 41)
    assert view.label[15, 20] == 3
    assert view.depth[15, 20, 0] == 4
    np.testing.assert_array_equal(view.normal[15, 20], (0, 0, 1))
    x, y = np.meshgrid((np.arange(41) - 20) / 41, (15 - np.arange(31)) / 41)
    square = 1 + x**2 + y**2
    seen = 25 - 24 * square > 0
    np.testing.assert_array_equal(view.label, np.where(seen, 3, -1))
    depth = (5 - np.sqrt(np.where(seen, 25 - 24 * square, 0))) / square
    np.testing.assert_allclose(view.depth[..., 0], np.where(seen, depth, 0), rtol=1e-6)
    normal = np.stack([x * depth, y * depth, 5 - depth], axis=-1)
    np.testing.assert_allclose(view.normal[seen], normal[seen], atol=1e-6)
    assert not view.normal[~seen].any()


@given(kinds, seeds)
def test_a_view_keeps_the_layouts_promises(kind: str, seed: int) -> None:
    view = render(SCENES[kind](seed), HEIGHT, WIDTH)
    assert (view.image.dtype, view.depth.dtype, view.normal.dtype) == (np.float32,) * 3
    assert view.label.dtype == np.int64
    assert view.image.shape == view.normal.shape == (HEIGHT, WIDTH, 3)
    assert view.depth.shape == (HEIGHT, WIDTH, 1)
    assert view.image.min() >= 0
    assert view.image.max() <= 1
    met = view.depth[..., 0] > 0
    np.testing.assert_allclose(np.linalg.norm(view.normal, axis=-1), met, atol=1e-6)
    if kind == "rooms":
        assert met.all()  # a room is closed
        assert set(np.unique(view.label)) <= set(range(13))
    else:
        np.testing.assert_array_equal(view.label == streets.CLASSES.index("sky"), ~met)


def test_the_camera_frame_is_orthonormal_and_level() -> None:
    axes = camera_axes(Camera((1, 2, -3), (2, 1, 4), 0.8))
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-15)
    assert axes[0, 1] == 0
    assert np.linalg.det(axes) == pytest.approx(1)  # right, up, forward lie as the world's axes do: no mirror image
    np.testing.assert_array_equal(camera_axes(Camera((0, 0, 0), (0, 0, 2), 1)), np.eye(3))


def test_the_floor_looks_up_and_the_ceiling_down() -> None:
    """In the camera's frame as seen through its pitch: both normals are the world's vertical."""
    scene = rooms.build_room(2)
    view = render(scene, 48, 64)
    up = camera_axes(scene.camera)[:, 1] * (1, 1, -1)
    for name, sign in (("floor", 1), ("ceiling", -1)):
        normals = view.normal[view.label == rooms.CLASSES.index(name)]
        assert len(normals)
        np.testing.assert_allclose(normals, np.broadcast_to(sign * up, normals.shape), atol=1e-6)


def test_all_classes_occur() -> None:
    for kind, classes in (("rooms", 13), ("streets", 7)):
        seen: set[int] = set()
        for seed in range(40):
            if len(seen) < classes:
                seen |= set(np.unique(render(SCENES[kind](seed), HEIGHT, WIDTH).label).tolist())
        assert seen == set(range(classes))


PINNED: dict[SceneKind, str] = {
    "rooms": "92533871f047ce4e79758058bcf708e0815a19dca7202250b170335d8602972b",
    "streets": "2f2ad44b6e558ce96b69af1ac8f6f4e1a27454ed95cefe4059159e6abff6c277",
}
"""SHA-256 of the files of four small pictures; another one needs another `cache.VERSION`."""


@pytest.mark.parametrize("kind", PINNED)
def test_the_bits_are_the_recorded_ones(kind: SceneKind) -> None:
    digest = hashlib.sha256()
    for number in range(4):
        for array in cache.arrays_of(kind, render_view(kind, "train", number, 24, 32)).values():
            digest.update(cache.as_npy(array))
    assert digest.hexdigest() == PINNED[kind]


def test_no_image_of_one_split_is_in_the_other() -> None:
    found = {cache.scene_seed(k, s, n) for k in ("rooms", "streets") for s in ("train", "val") for n in range(2000)}
    assert len(found) == 8000


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLATMTL_CACHE", str(tmp_path))
    return tmp_path


def make(kind: SceneKind = "rooms") -> Path:
    return rendered_folder(kind, train=2, val=1, height=6, width=8)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("own_cache")
def test_a_rendered_folder_reads_as_the_pictures() -> None:
    for kind, layout in (("rooms", INDOOR), ("streets", STREET)):
        split = open_split(make(kind), layout, "train")
        assert len(split) == 2
        example, view = split.read(1), render_view(kind, "train", 1, 6, 8)
        np.testing.assert_array_equal(example.image.permute(1, 2, 0), view.image)
        np.testing.assert_array_equal(example.label, view.label)
        depth = view.depth[..., 0]
        if kind == "rooms":
            np.testing.assert_array_equal(example.depth[0], depth)
            assert example.normal is not None
            np.testing.assert_array_equal(example.normal.permute(1, 2, 0), view.normal)
        else:
            np.testing.assert_allclose(example.depth[0], [[1 / d if d else 0 for d in row] for row in depth], rtol=1e-6)
            assert example.normal is None


def test_the_manifest_holds_the_sum_of_every_file(own_cache: Path) -> None:
    folder = make()
    assert own_cache in folder.parents
    stored = contents(folder)
    sums = json.loads(stored.pop(cache.MANIFEST))["sha256"]
    assert sums == {name: hashlib.sha256(content).hexdigest() for name, content in stored.items()}
    assert len(sums) == 12


def damage(folder: Path, how: str) -> None:
    path = folder / "train" / "depth" / "1.npy"
    content = path.read_bytes()
    match how:
        case "cut off":
            path.write_bytes(content[:-1])
        case "a bit turned":
            path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        case "missing":
            path.unlink()
        case "never finished":
            (folder / cache.MANIFEST).unlink()
            (folder / "val" / "label" / "0.npy").unlink()
        case "no manifest, damaged":
            (folder / cache.MANIFEST).unlink()
            path.write_bytes(content[:-1])
        case "manifest cut off":
            (folder / cache.MANIFEST).write_bytes((folder / cache.MANIFEST).read_bytes()[:-9])
        case "manifest of another version":
            (folder / cache.MANIFEST).write_text('{"version": 0, "sha256": {}}')
        case "left-over":
            (folder / "train" / "depth" / ".1.npy.x1").write_bytes(b"half")


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize(
    "how",
    [
        "cut off",
        "a bit turned",
        "missing",
        "never finished",
        "no manifest, damaged",
        "manifest cut off",
        "manifest of another version",
        "left-over",
    ],
)
def test_a_damaged_cache_is_made_again(how: str) -> None:
    whole = contents(make())
    damage(make(), how)
    assert contents(make()) == whole


@pytest.mark.usefixtures("own_cache")
def test_only_what_is_damaged_is_rendered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, int]] = []

    def counted(kind: SceneKind, split: DenseSplitName, number: int, height: int, width: int) -> cache.View:
        made.append((split, number))
        return render_view(kind, split, number, height, width)

    monkeypatch.setattr(cache, "render_view", counted)
    make()
    assert made == [("train", 0), ("train", 1), ("val", 0)]
    make()
    assert len(made) == 3
    damage(make(), "cut off")
    make()
    assert made[3:] == [("train", 1)]


@pytest.mark.usefixtures("own_cache")
def test_an_unknown_kind_or_an_empty_split_is_refused() -> None:
    with pytest.raises(ValueError, match="kind is 'fields': use one of rooms, streets"):
        rendered_folder("fields", train=1, val=1, height=6, width=8)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="val is 0: use at least 1"):
        rendered_folder("rooms", train=1, val=0, height=6, width=8)
