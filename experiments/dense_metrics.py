"""Metrics of dense prediction over a whole split, and how a table of them is summed up in one number. numpy only.

Counts and sums run over all valid pixels of the split, so no number depends on the size of a batch: the mean of batch
means does, where batches have different numbers of valid pixels, and the mean of batch medians is no median at all.

The programs in common use have the same masks, errors and angles, up to the following. MTAN, CAGrad and Nash-MTL: depth
errors, mean and median angle and the shares are means over batches of these numbers of a batch; LibMTL's are of the
whole split. MTAN: mIoU and accuracy are means over images; the others' are of the whole split, where a class that is
nowhere true or predicted makes the mean NaN. All four: a normal is left out where its components sum to zero, and its
angle is the arc cosine of the product with the prediction, too large where the normal is shorter than 1.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

IGNORED = -1
"""The label of a pixel without a class."""

HIGHER_IS_BETTER: dict[str, bool] = {
    "mean_iou": True,
    "pixel_accuracy": True,
    "abs_error": False,
    "rel_error": False,
    "angle_mean": False,
    "angle_median": False,
    "within_11_25": True,
    "within_22_5": True,
    "within_30": True,
}
"""The paper's metrics, in its order."""


class SegmentationMetrics(NamedTuple):
    """Shares in [0, 1]."""

    mean_iou: float
    pixel_accuracy: float


class DepthMetrics(NamedTuple):
    """``abs_error`` in the unit of depth, ``rel_error`` as a share of the true depth."""

    abs_error: float
    rel_error: float


class NormalMetrics(NamedTuple):
    """Angles in degrees; shares in [0, 1] of pixels whose angle is less than 11.25, 22.5 and 30 degrees."""

    angle_mean: float
    angle_median: float
    within_11_25: float
    within_22_5: float
    within_30: float


class SegmentationTally:
    """The confusion matrix of a split."""

    def __init__(self, classes: int) -> None:
        self.confusion = np.zeros((classes, classes), dtype=np.int64)
        """Pixels by true class (row) and predicted class (column)."""

    def add(self, predicted: Int[np.ndarray, "..."], labels: Int[np.ndarray, "..."]) -> None:
        """Count pixels: classes 0 .. classes - 1, and labels -1 that are left out."""
        classes, valid = len(self.confusion), labels != IGNORED
        own, true = predicted[valid].astype(np.int64), labels[valid].astype(np.int64)
        for name, values in (("predicted", own), ("labels", true)):
            if values.size and not 0 <= values.min() <= values.max() < classes:
                raise ValueError(
                    f"{name} has classes from {values.min()} to {values.max()}, but there are {classes}: "
                    f"use 0 to {classes - 1}, and -1 for a label that is left out."
                )
        self.confusion += np.bincount(true * classes + own, minlength=classes**2).reshape(classes, classes)

    def result(self) -> SegmentationMetrics:
        """mIoU = mean over classes c of |predicted c and true c| / |predicted c or true c|; accuracy = trace / sum.

        A class that is nowhere true or predicted has no IoU and does not count.
        """
        _require(self.confusion.sum(), "labels")
        hits = np.diag(self.confusion)
        union = self.confusion.sum(axis=0) + self.confusion.sum(axis=1) - hits
        return SegmentationMetrics(
            mean_iou=float((hits[union > 0] / union[union > 0]).mean()),
            pixel_accuracy=float(hits.sum() / self.confusion.sum()),
        )


class DepthTally:
    """Sums of the errors of depth; a true depth of 0 is left out."""

    def __init__(self) -> None:
        self._pixels = 0
        self._absolute = self._relative = 0.0

    def add(self, predicted: Float[np.ndarray, "..."], depth: Float[np.ndarray, "..."]) -> None:
        valid = depth != 0
        true = depth[valid].astype(np.float64)
        errors = np.abs(predicted[valid].astype(np.float64) - true)
        self._pixels += int(valid.sum())
        self._absolute += float(errors.sum())
        self._relative += float((errors / true).sum())

    def result(self) -> DepthMetrics:
        """Means over pixels of |predicted - depth| and of |predicted - depth| / depth."""
        _require(self._pixels, "depth")
        return DepthMetrics(self._absolute / self._pixels, self._relative / self._pixels)


class NormalTally:
    """The angles of a split: the median needs all of them, 4 bytes a pixel. A true normal of zero is left out."""

    def __init__(self) -> None:
        self._angles: list[NDArray[np.float32]] = []

    def add(self, predicted: Float[np.ndarray, "n 3 h w"], normals: Float[np.ndarray, "n 3 h w"]) -> None:
        valid = (normals != 0).any(axis=1)
        own, true = (np.moveaxis(values, 1, -1)[valid].astype(np.float64) for values in (predicted, normals))
        self._angles.append(angles(own, true).astype(np.float32))

    def result(self) -> NormalMetrics:
        """Mean, median (the mean of the two middle ones where their number is even) and shares below three limits."""
        _require(sum(map(len, self._angles)), "normals")
        degrees = np.concatenate(self._angles)
        within = [float((degrees < limit).mean()) for limit in (11.25, 22.5, 30)]
        return NormalMetrics(float(degrees.mean(dtype=np.float64)), float(np.median(degrees)), *within)


def angles(left: Float[np.ndarray, "n 3"], right: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
    """Degrees between vectors of any length: atan2(|a x b|, <a, b>), exact also near 0 and 180, where acos is not."""
    cross = np.linalg.norm(np.cross(left, right), axis=1)
    degrees: NDArray[np.float64] = np.degrees(np.arctan2(cross, (left * right).sum(axis=1)))
    return degrees


def _require(pixels: int, what: str) -> None:
    if not pixels:
        raise ValueError(f"no valid pixel has been counted: add predictions whose {what} are not all left out.")


def delta_m(metrics: Mapping[str, float], baseline: Mapping[str, float]) -> float:
    """100 mean_k (-1)^{s_k} (M_k - B_k) / B_k, in percent, with s_k = 1 where higher is better; lower is better.

    The exponent as printed in the paper's text has the opposite sign; its tables use this one.

    Args:
        metrics: by the names of `HIGHER_IS_BETTER`, in the units of the baseline.
        baseline: the same names; none is 0.

    Raises:
        ValueError: other names in one than in the other, unknown ones, or none.
    """
    _check_names(metrics, baseline)
    terms = [
        (-1 if HIGHER_IS_BETTER[name] else 1) * (value - baseline[name]) / baseline[name]
        for name, value in metrics.items()
    ]
    return 100 * sum(terms) / len(terms)


def mean_ranks(table: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """MR: mean over metrics of a method's rank among all of the table; 1 is best, equal values share their mean rank.

    Raises:
        ValueError: rows with different or unknown metrics, or no row.
    """
    if not table:
        raise ValueError("the table has no row: give at least one method.")
    first = next(iter(table.values()))
    for row in table.values():
        _check_names(row, first)
    totals = dict.fromkeys(table, 0.0)
    for name in first:
        sign = -1 if HIGHER_IS_BETTER[name] else 1
        scores = {method: sign * row[name] for method, row in table.items()}
        for method, score in scores.items():
            better = sum(other < score for other in scores.values())
            equal = sum(other == score for other in scores.values())
            totals[method] += better + (equal + 1) / 2
    return {method: total / len(first) for method, total in totals.items()}


def _check_names(metrics: Mapping[str, float], reference: Mapping[str, float]) -> None:
    if set(metrics) != set(reference) or not metrics or not set(metrics) <= set(HIGHER_IS_BETTER):
        raise ValueError(
            f"metrics are {', '.join(metrics) or 'none'}, those to compare with {', '.join(reference) or 'none'}: "
            f"use the same on both sides, out of {', '.join(HIGHER_IS_BETTER)}."
        )
