"""Metrics of dense prediction against twins that go pixel by pixel, and Delta m against the paper's own tables."""

import csv
import math
import statistics
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.dense_metrics import (
    HIGHER_IS_BETTER,
    DepthTally,
    NormalTally,
    SegmentationTally,
    angles,
    delta_m,
    mean_ranks,
)
from tests.trace import ROOT

HALF_UNITS = dict.fromkeys(HIGHER_IS_BETTER, 0.5e-2) | {"abs_error": 0.5e-4, "delta_m": 0.5e-2}
"""What a printed number may be off by rounding, in the units of the tables."""

REL_ERROR_HALF_UNIT = {"table3_nyuv2": 0.5e-4, "table4_cityscapes": 0.5e-2}

seeds = st.integers(0, 2**32 - 1)
cuts = st.integers(1, 5)


def reported(table: str) -> dict[str, dict[str, float]]:
    """The rows of one of the paper's tables by method."""
    with (ROOT / "paper_figures" / "expected" / f"{table}.csv").open(encoding="utf-8") as file:
        return {
            row["method"]: {name: float(value) for name, value in row.items() if name != "method"}
            for row in csv.DictReader(file)
        }


def delta_m_range(table: str, method: str) -> tuple[float, float]:
    """Least and greatest Delta m of all unrounded rows that print as the table's."""
    rows = reported(table)
    half_units = HALF_UNITS | {"rel_error": REL_ERROR_HALF_UNIT[table]}
    names = [name for name in rows["STL"] if name != "delta_m"]
    low = high = 0.0
    for name in names:
        ends = [
            delta_m({name: rows[method][name] + a * half_units[name]}, {name: rows["STL"][name] + b * half_units[name]})
            for a, b in product((-1, 1), repeat=2)
        ]
        low, high = low + min(ends) / len(names), high + max(ends) / len(names)
    return low, high


@given(seeds, cuts, st.integers(2, 5))
def test_segmentation_is_that_of_all_pixels_together(seed: int, cut: int, classes: int) -> None:
    generator = np.random.default_rng(seed)
    labels, predicted = generator.integers(-1, classes, (6, 2, 3)), generator.integers(0, classes, (6, 2, 3))
    labels[0, 0, 0] = 0
    tally = SegmentationTally(classes)
    for part in (slice(None, cut), slice(cut, None)):
        tally.add(predicted[part], labels[part])
    pairs = [(p, t) for p, t in zip(predicted.ravel().tolist(), labels.ravel().tolist(), strict=True) if t != -1]
    shares = []
    for label in range(classes):
        union = sum(p == label or t == label for p, t in pairs)
        if union:
            shares.append(sum(p == t == label for p, t in pairs) / union)
    assert tally.result().mean_iou == pytest.approx(statistics.fmean(shares), rel=1e-12)
    assert tally.result().pixel_accuracy == pytest.approx(sum(p == t for p, t in pairs) / len(pairs), rel=1e-12)


@given(seeds, cuts)
def test_depth_is_that_of_all_pixels_together(seed: int, cut: int) -> None:
    generator = np.random.default_rng(seed)
    depth = (generator.uniform(0.5, 9, (6, 1, 2, 3)) * (generator.random((6, 1, 2, 3)) < 0.6)).astype(np.float32)
    depth[0] = 2
    predicted = generator.uniform(0, 9, depth.shape).astype(np.float32)
    tally = DepthTally()
    for part in (slice(None, cut), slice(cut, None)):
        tally.add(predicted[part], depth[part])
    pairs = [(p, t) for p, t in zip(predicted.ravel().tolist(), depth.ravel().tolist(), strict=True) if t]
    assert tally.result().abs_error == pytest.approx(statistics.fmean(abs(p - t) for p, t in pairs), rel=1e-12)
    assert tally.result().rel_error == pytest.approx(statistics.fmean(abs(p - t) / t for p, t in pairs), rel=1e-12)


@given(seeds)
def test_one_batch_has_the_numbers_of_the_usual_programs_and_a_split_is_no_mean_of_batches(seed: int) -> None:
    """Those: a masked mean over a batch, angles by the arc cosine of the product; then the mean over batches."""
    generator = np.random.default_rng(seed)
    depth = generator.uniform(0.5, 9, (2, 1, 3, 4)) * (generator.random((2, 1, 3, 4)) < 0.6)
    depth[:, :, 0, :2], depth[1, :, 1] = 2, 0
    normals = generator.normal(size=(2, 3, 3, 4))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    normals[:, :, 0], normals[1, :, 1] = 0, 0
    predicted, directions = generator.uniform(0, 9, depth.shape), generator.normal(size=normals.shape)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    known, there = depth.sum(axis=1, keepdims=True) != 0, normals.sum(axis=1) != 0
    errors = np.abs(predicted - depth)[known]
    degrees = np.degrees(np.arccos(np.clip((directions * normals).sum(axis=1), -1, 1)))[there]
    usual = [*(errors.mean(), (errors / depth[known]).mean()), *(degrees.mean(), np.median(degrees))]
    usual += [(degrees < limit).mean() for limit in (11.25, 22.5, 30)]

    def ours(*images: int) -> list[float]:
        depths, angle = DepthTally(), NormalTally()
        for image in images:
            depths.add(predicted[image : image + 1], depth[image : image + 1])
            angle.add(directions[image : image + 1], normals[image : image + 1])
        return [*depths.result(), *angle.result()]

    assert ours(0, 1) == pytest.approx(usual, rel=1e-4)
    counts = known.sum(axis=(1, 2, 3))
    both, first, second = ours(0, 1)[0], ours(0)[0], ours(1)[0]
    assert both == pytest.approx((counts[0] * first + counts[1] * second) / counts.sum(), rel=1e-12)
    if counts[0] != counts[1] and abs(first - second) > 1e-3:
        assert both != pytest.approx((first + second) / 2, rel=1e-9)


@given(seeds, cuts)
def test_normals_are_those_of_all_pixels_together(seed: int, cut: int) -> None:
    generator = np.random.default_rng(seed)
    normals = generator.normal(size=(6, 3, 2, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    predicted = (normals + 0.4 * generator.normal(size=normals.shape)).astype(np.float32)
    normals *= generator.random((6, 1, 2, 3)) < 0.7
    normals[0, :, 0, 0] = (1, -1, 0)  # components that sum to zero do not make it invalid
    tally = NormalTally()
    for part in (slice(None, cut), slice(cut, None)):
        tally.add(predicted[part], normals[part])
    degrees = []
    for n, h, w in product(range(6), range(2), range(3)):
        p, t = predicted[n, :, h, w].tolist(), normals[n, :, h, w].tolist()
        if any(t):
            cosine = sum(a * b for a, b in zip(p, t, strict=True)) / math.hypot(*p) / math.hypot(*t)
            degrees.append(math.degrees(math.acos(cosine)))
    result = tally.result()
    assert result.angle_mean == pytest.approx(statistics.fmean(degrees), rel=1e-5)
    assert result.angle_median == pytest.approx(statistics.median(degrees), rel=1e-5)
    for share, limit in zip(result[2:], (11.25, 22.5, 30), strict=True):
        assert share == pytest.approx(sum(d < limit for d in degrees) / len(degrees), rel=1e-12)


def test_angles_are_exact_where_the_arc_cosine_is_not() -> None:
    tiny = 1e-9
    left = np.array([[1.0, 0, 0], [1, 0, 0], [2, 0, 0]])
    right = np.array([[1.0, tiny, 0], [-1, tiny, 0], [0, 3, 0]])
    expected = [math.degrees(tiny), 180 - math.degrees(tiny), 90]
    np.testing.assert_allclose(angles(left, right), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("tally", "arrays", "what"),
    [
        (SegmentationTally(2), (np.zeros((1, 1, 1), int), np.full((1, 1, 1), -1)), "labels"),
        (DepthTally(), (np.ones((1, 1, 1, 1)), np.zeros((1, 1, 1, 1))), "depth"),
        (NormalTally(), (np.ones((1, 3, 1, 1)), np.zeros((1, 3, 1, 1))), "normals"),
    ],
    ids=["segmentation", "depth", "normals"],
)
def test_a_split_without_a_valid_pixel_has_no_metrics(
    tally: SegmentationTally | DepthTally | NormalTally, arrays: tuple[np.ndarray, np.ndarray], what: str
) -> None:
    tally.add(*arrays)
    with pytest.raises(ValueError, match=f"whose {what} are not all left out"):
        tally.result()


def test_classes_out_of_range_are_refused() -> None:
    zero = np.zeros((1, 1, 1), int)
    with pytest.raises(ValueError, match="labels has classes from 2 to 2, but there are 2"):
        SegmentationTally(2).add(zero, zero + 2)
    with pytest.raises(ValueError, match="predicted has classes from -1 to -1"):
        SegmentationTally(2).add(zero - 1, zero)


METHODS = [(table, method) for table in REL_ERROR_HALF_UNIT for method in reported(table)]


@pytest.mark.parametrize(("table", "method"), [pair for pair in METHODS if pair != ("table3_nyuv2", "IMTL")])
def test_the_papers_delta_m_follows_from_its_rows(table: str, method: str) -> None:
    low, high = delta_m_range(table, method)
    printed = reported(table)[method]["delta_m"]
    assert low - HALF_UNITS["delta_m"] <= printed <= high + HALF_UNITS["delta_m"]


def test_one_printed_delta_m_does_not_follow_from_its_row() -> None:
    low, high = delta_m_range("table3_nyuv2", "IMTL")
    assert low < -0.60 < high
    assert reported("table3_nyuv2")["IMTL"]["delta_m"] < low - 10 * HALF_UNITS["delta_m"]


def test_a_higher_error_and_a_lower_share_both_raise_delta_m() -> None:
    assert delta_m({"mean_iou": 0.3, "abs_error": 1.5}, {"mean_iou": 0.4, "abs_error": 1}) == pytest.approx(37.5)
    assert delta_m({"mean_iou": 0.5, "abs_error": 0.5}, {"mean_iou": 0.4, "abs_error": 1}) == pytest.approx(-37.5)


def test_mean_ranks_by_hand() -> None:
    table = {
        "a": {"mean_iou": 0.5, "abs_error": 1.0},
        "b": {"mean_iou": 0.4, "abs_error": 1.0},
        "c": {"mean_iou": 0.3, "abs_error": 2.0},
    }
    assert mean_ranks(table) == {"a": (1 + 1.5) / 2, "b": (2 + 1.5) / 2, "c": 3}


@given(st.lists(st.lists(st.integers(1, 4), min_size=2, max_size=2), min_size=1, max_size=6))
def test_mean_ranks_of_a_table_average_to_the_middle(values: list[list[int]]) -> None:
    table = {str(i): {"mean_iou": float(a), "angle_mean": float(b)} for i, (a, b) in enumerate(values)}
    assert statistics.fmean(mean_ranks(table).values()) == pytest.approx((len(values) + 1) / 2)


@pytest.mark.parametrize("row", [{}, {"mean_iou": 1.0, "abs_error": 1.0}, {"accuracy": 1.0}])
def test_other_metrics_are_refused(row: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="use the same on both sides"):
        delta_m(row, {"mean_iou": 1.0} if row != {"accuracy": 1.0} else row)
    with pytest.raises(ValueError, match="use the same on both sides"):
        mean_ranks({"a": row, "b": {"mean_iou": 1.0}})
