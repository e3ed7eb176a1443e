"""Overlay sets: the max rule against its per-pixel twin, offsets, labels, splits, prefixes, reproducibility."""

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from experiments.problems import overlays
from experiments.problems.fetching import DataError
from experiments.problems.image_packages import SourceName
from experiments.problems.overlays import (
    OVERLAY_SHA256,
    PROBLEM_SOURCES,
    OverlayPlan,
    Split,
    base_indices,
    load_overlays,
    match_labels,
    plan_overlays,
    render_overlays,
    verify_overlays,
)
from experiments.spec import ProblemName
from tests.experiments.tiny_sources import TinySources, skip_without_original_files, write_files

SPLITS: tuple[Split, ...] = get_args(Split)
SETS = [(problem, split, disjoint) for problem in PROBLEM_SOURCES for split in SPLITS for disjoint in (False, True)]

problems = st.sampled_from(tuple(PROBLEM_SOURCES))
splits = st.sampled_from(SPLITS)
parts = st.tuples(st.integers(30, 60), st.integers(0, 2**32 - 1))


def part_labels(problem: ProblemName, size: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Labels of both sources: ten classes, ``size[0]`` images of each, in an order drawn from ``size[1]``."""
    generator = np.random.default_rng(size[1])
    first, second = (generator.permutation(np.repeat(np.arange(10, dtype=np.uint8), size[0])) for _ in range(2))
    return (first, first) if problem != "multi_fashion_mnist" else (first, second)


def overlay_by_pixel(
    first: NDArray[np.uint8], second: NDArray[np.uint8], corners: NDArray[np.int64]
) -> list[list[int]]:
    """One overlay, pixel by pixel: the larger of the two images' values there, 0 outside an image."""

    def value(image: NDArray[np.uint8], row: int, column: int) -> int:
        return int(image[row, column]) if 0 <= row < 28 and 0 <= column < 28 else 0

    (top, left), (low, right) = corners.tolist()
    return [
        [max(value(first, r - top, c - left), value(second, r - low, c - right)) for c in range(36)] for r in range(36)
    ]


@given(
    st.integers(0, 2**32 - 1),
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(4, 8), st.integers(4, 8)), min_size=1, max_size=4
    ),
)
def test_an_overlay_is_the_pixelwise_maximum(seed: int, places: list[tuple[int, int, int, int]]) -> None:
    generator = np.random.default_rng(seed)
    images = tuple(generator.integers(256, size=(3, 28, 28), dtype=np.uint8) for _ in range(2))
    corners = np.array(places).reshape(-1, 2, 2)
    bases = generator.integers(3, size=(len(places), 2))
    rendered = render_overlays(OverlayPlan(bases, corners, np.zeros_like(bases)), (images[0], images[1]), len(places))
    assert rendered.dtype == np.uint8
    twins = [
        overlay_by_pixel(images[0][i], images[1][j], corner) for (i, j), corner in zip(bases, corners, strict=True)
    ]
    np.testing.assert_array_equal(rendered, np.array(twins))


@given(problems, splits, st.booleans(), parts)
def test_labels_differ_and_are_those_of_the_base_images(
    problem: ProblemName, split: Split, disjoint: bool, size: tuple[int, int]
) -> None:
    labels = part_labels(problem, size)
    plan = plan_overlays(problem, split, labels, disjoint=disjoint)
    np.testing.assert_array_equal(plan.labels, np.stack((labels[0][plan.bases[:, 0]], labels[1][plan.bases[:, 1]]), 1))
    assert plan.labels.dtype == np.int64
    assert (plan.labels[:, 0] != plan.labels[:, 1]).all()


@given(problems, st.booleans(), parts)
def test_offsets_cover_their_ranges_exactly(problem: ProblemName, disjoint: bool, size: tuple[int, int]) -> None:
    plan = plan_overlays(problem, "train", part_labels(problem, size), disjoint=disjoint)
    for side, expected in ((0, set(range(5))), (1, set(range(4, 9)))):
        for axis in (0, 1):
            assert set(plan.corners[:, side, axis].tolist()) == expected


@given(problems, splits, parts)
def test_every_base_image_is_first_of_two_and_second_of_two(
    problem: ProblemName, split: Split, size: tuple[int, int]
) -> None:
    labels = part_labels(problem, size)
    bases = plan_overlays(problem, split, labels).bases
    for side, name in enumerate(PROBLEM_SOURCES[problem]):
        expected = dict.fromkeys(base_indices(name, split, len(labels[side])).tolist(), 2)
        assert Counter(bases[:, side].tolist()) == expected
    assert len(np.unique(bases, axis=0)) == len(bases)  # the two partners of an image are distinct


@given(problems, splits, parts)
def test_disjoint_uses_no_base_image_twice(problem: ProblemName, split: Split, size: tuple[int, int]) -> None:
    labels = part_labels(problem, size)
    bases = plan_overlays(problem, split, labels, disjoint=True).bases
    names = PROBLEM_SOURCES[problem]
    first, second = (set(base_indices(name, split, len(labels[0])).tolist()) for name in names)
    used = bases.ravel().tolist() if names[0] == names[1] else bases[:, 0].tolist()
    assert len(used) == len(set(used))
    assert len(set(bases[:, 1].tolist())) == len(bases)
    assert set(bases[:, 0].tolist()) <= first
    assert set(bases[:, 1].tolist()) <= second


@given(problems, splits, parts, st.data())
def test_a_disjoint_pair_depends_on_no_label_but_its_own(
    problem: ProblemName, split: Split, size: tuple[int, int], data: st.DataObject
) -> None:
    """Another label of an image leaves every other pair as it is; its own pair stays, goes or comes."""
    labels = part_labels(problem, size)
    before = plan_overlays(problem, split, labels, disjoint=True).bases
    names = PROBLEM_SOURCES[problem]
    side = data.draw(st.integers(0, 1))
    image = data.draw(st.sampled_from(base_indices(names[side], split, len(labels[side])).tolist()))
    other = [one.copy() for one in labels]
    other[side][image] = (other[side][image] + data.draw(st.integers(1, 9))) % 10
    if names[0] == names[1]:
        other[1 - side][image] = other[side][image]
    after = plan_overlays(problem, split, (other[0], other[1]), disjoint=True).bases

    def without(bases: Any) -> list[list[int]]:
        sides = (0, 1) if names[0] == names[1] else (side,)
        return [pair for pair in bases.tolist() if image not in [pair[one] for one in sides]]

    assert without(before) == without(after)
    assert abs(len(before) - len(after)) <= 1


def test_disjoint_leaves_out_the_pairs_of_one_class_and_no_others() -> None:
    labels = np.arange(4000, dtype=np.uint8) % 10
    plan = plan_overlays("multi_fashion_mnist", "test", (labels, labels), disjoint=True)
    assert 3500 <= len(plan.bases) <= 3700  # 9 of 10 pairs, 5 deviations of 19 either way


@given(st.sampled_from(["mnist", "fashion-mnist"]), st.integers(0, 2000))
def test_train_and_validation_share_no_base_image(name: SourceName, size: int) -> None:
    train, validation = base_indices(name, "train", size), base_indices(name, "validation", size)
    assert len(validation) == size // 10
    assert sorted([*train.tolist(), *validation.tolist()]) == list(range(size))
    assert base_indices(name, "test", size).tolist() == list(range(size))


labels_to_match = st.integers(1, 12).flatmap(
    lambda n: st.tuples(*(st.lists(st.integers(0, 3), min_size=n, max_size=n) for _ in range(2)))
)


@given(labels_to_match, st.integers(0, 2**32 - 1))
def test_a_matching_is_found_exactly_when_there_is_one(labels: tuple[list[int], list[int]], seed: int) -> None:
    first, second = (np.array(own) for own in labels)
    generator = np.random.default_rng(seed)
    # Hall: a matching exists unless the firsts of some class outnumber the seconds of all others.
    if max((first == c).sum() + (second == c).sum() for c in range(4)) > len(first):
        with pytest.raises(DataError, match="no matching without equal labels"):
            match_labels(first, second, generator)
    else:
        partner = match_labels(first, second, generator)
        assert sorted(partner.tolist()) == list(range(len(first)))
        assert (first != second[partner]).all()


def arrays_sha256(plan: OverlayPlan) -> str:
    return hashlib.sha256(
        b"".join(a.astype("<i8").tobytes() for a in (plan.bases, plan.corners, plan.labels))
    ).hexdigest()


def test_sets_do_not_share_their_random_numbers() -> None:
    labels = np.arange(2000, dtype=np.uint8) % 10
    sums = {arrays_sha256(plan_overlays(p, s, (labels, labels), disjoint=d)) for p, s, d in SETS}
    assert len(sums) == len(SETS)


def test_numpy_draws_the_numbers_that_the_recorded_sets_were_made_with() -> None:
    labels = np.arange(1000, dtype=np.uint8) % 10
    assert arrays_sha256(plan_overlays("multi_mnist", "train", (labels, labels))) == (
        "f1833a501ca44fcbf007b9e0d0abed323b12633a11f84ed293969b2948e1bd7c"
    )


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinySources:
    sources = TinySources(tmp_path, monkeypatch)
    for name, files in sources.files.items():
        write_files(sources.cache / name, files)
    return sources


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(("problem", "split", "disjoint"), SETS)
def test_smaller_sets_are_prefixes_and_all_is_reproducible(problem: ProblemName, split: Split, disjoint: bool) -> None:
    full = load_overlays(problem, split, disjoint=disjoint)
    sources = PROBLEM_SOURCES[problem]
    n = {"train": 360, "validation": 40, "test": 60}[split]
    most = (n if sources[0] != sources[1] else n // 2) if disjoint else 2 * n
    n = len(full.images)
    assert (0.6 * most < n < most) if disjoint else n == most
    assert full.images.shape == (n, 36, 36)
    assert full.images.dtype == np.uint8
    assert full.labels.shape == (n, 2)
    assert full.labels.dtype == np.int64
    expected = hashlib.sha256(full.images.tobytes() + full.labels.astype("<i8").tobytes()).hexdigest()
    assert full.sha256 == expected == load_overlays(problem, split, disjoint=disjoint).sha256
    for count in (1, 7, n - 1, n):
        prefix = load_overlays(problem, split, count=count, disjoint=disjoint)
        np.testing.assert_array_equal(prefix.images, full.images[:count])
        np.testing.assert_array_equal(prefix.labels, full.labels[:count])
        assert (prefix.sha256 == full.sha256) == (count == n)


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("count", [-1, 0, 721])
def test_a_count_outside_the_set_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match=rf"^count is {count}, but multi_mnist has 720 train overlays. Use 1 to 720"):
        load_overlays("multi_mnist", "train", count=count)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^problem is 'mnist'. Use one of multi_mnist, "):
        load_overlays("mnist", "train")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^split is 'val'. Use one of train, validation, test"):
        load_overlays("multi_mnist", "val")  # type: ignore[arg-type]


@pytest.mark.usefixtures("tiny")
def test_verification_reports_every_set_whose_sum_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    true_sum = load_overlays("multi_mnist", "test").sha256
    recorded = {("multi_mnist", "test", False): true_sum, ("multi_mnist", "test", True): true_sum}
    monkeypatch.setattr(overlays, "OVERLAY_SHA256", recorded)
    checks = list(verify_overlays())
    disjoint = len(load_overlays("multi_mnist", "test", disjoint=True).images)
    assert [(check.holds, check.size) for check in checks] == [(True, 120), (False, disjoint)]


def test_every_set_has_a_recorded_sum() -> None:
    assert list(OVERLAY_SHA256) == SETS
    assert len(set(OVERLAY_SHA256.values())) == len(SETS)


@pytest.mark.data
@pytest.mark.parametrize(("problem", "split", "disjoint"), [s for s in SETS if s[1] != "train"])
def test_original_sets_have_their_recorded_sums(problem: ProblemName, split: Split, disjoint: bool) -> None:
    skip_without_original_files()
    assert load_overlays(problem, split, disjoint=disjoint).sha256 == OVERLAY_SHA256[problem, split, disjoint]
