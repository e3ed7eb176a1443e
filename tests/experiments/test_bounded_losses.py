"""Losses in [0, 1] an example, against twins that go pixel by pixel."""

import math
import statistics
from collections.abc import Callable, Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from experiments.bounded_losses import BoundedLoss, angle, clipped_cross_entropy, clipped_depth, zero_one
from experiments.problems.dense_losses import depth_loss, segmentation_loss

IMAGES, CLASSES, SIZE = 4, 5, (2, 3)
LIMIT = 1.5

seeds = st.integers(0, 2**32 - 1)
scales = st.sampled_from([1e-3, 1.0, 100.0, 1e30])
Case = tuple[Tensor, Tensor]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def segmentation_case(seed: int, scale: float) -> Case:
    """The last image has no valid pixel, and some logits are equal."""
    generator = seeded(seed)
    logits = torch.randn(IMAGES, CLASSES, *SIZE, generator=generator).mul(2).round() * scale
    labels = torch.randint(-1, CLASSES, (IMAGES, *SIZE), generator=generator)
    labels[-1] = -1
    return logits, labels


def depth_case(seed: int, scale: float) -> Case:
    generator = seeded(seed)
    prediction = torch.randn(IMAGES, 1, *SIZE, generator=generator) * scale
    depth = torch.rand(prediction.shape, generator=generator) * (
        torch.rand(prediction.shape, generator=generator) > 0.3
    )
    depth[-1] = 0
    return prediction, depth


def normal_case(seed: int, scale: float) -> Case:
    generator = seeded(seed)
    prediction = torch.randn(IMAGES, 3, *SIZE, generator=generator) * scale
    normals = torch.randn(prediction.shape, generator=generator)
    normals *= torch.rand(IMAGES, 1, *SIZE, generator=generator) > 0.3
    normals[-1] = 0
    normals[0, :, 0, 0] = -prediction[0, :, 0, 0] / prediction[0, :, 0, 0].norm()
    return prediction, normals


def pixels(maps: Tensor) -> Iterator[list[list[float]]]:
    """Image by image, the channels of every pixel."""
    for image in maps:
        flat = image.reshape(-1, SIZE[0] * SIZE[1])
        yield flat.T.double().tolist()


def slowly(case: Case, one: Callable[[list[float], list[float]], float | None]) -> list[float]:
    """A mean over pixels for which the twin gives a number; 0 where it gives none."""
    predictions, targets = case
    found = []
    for answers, truths in zip(pixels(predictions), pixels(targets), strict=True):
        losses = [loss for own, true in zip(answers, truths, strict=True) if (loss := one(own, true)) is not None]
        found.append(statistics.fmean(losses) if losses else 0.0)
    return found


def slow_zero_one(logits: list[float], label: list[float]) -> float | None:
    return None if label[0] == -1 else float(logits.index(max(logits)) != label[0])


def slow_cross_entropy(logits: list[float], label: list[float]) -> float | None:
    if label[0] == -1:
        return None
    top = max(logits)
    loss = math.log(math.fsum(math.exp(one - top) for one in logits)) + (top - logits[int(label[0])])
    return min(loss, LIMIT) / LIMIT


def slow_depth(prediction: list[float], depth: list[float]) -> float | None:
    return min(abs(prediction[0] - depth[0]), LIMIT) / LIMIT if depth[0] else None


def slow_angle(prediction: list[float], normal: list[float]) -> float | None:
    """By ``2 atan2(|u - v|, |u + v|)`` of the unit vectors: another formula for the angle."""
    if not any(normal):
        return None
    own, true = ([one / math.hypot(*vector) for one in vector] for vector in (prediction, normal))
    difference = math.hypot(*(a - b for a, b in zip(own, true, strict=True)))
    total = math.hypot(*(a + b for a, b in zip(own, true, strict=True)))
    return 2 * math.atan2(difference, total) / math.pi


LOSSES = {
    "zero_one": (zero_one, segmentation_case, slow_zero_one),
    "cross_entropy": (clipped_cross_entropy(LIMIT), segmentation_case, slow_cross_entropy),
    "depth": (clipped_depth(LIMIT), depth_case, slow_depth),
    "angle": (angle, normal_case, slow_angle),
}


@pytest.mark.parametrize("name", LOSSES)
@settings(max_examples=40, deadline=None)
@given(seed=seeds, scale=scales)
def test_it_is_its_slow_twin_and_in_range(name: str, seed: int, scale: float) -> None:
    loss, make, twin = LOSSES[name]
    case = make(seed, scale)
    found = loss(*case)
    assert found.shape == (IMAGES,)
    assert found.dtype == torch.float64
    assert bool(((found >= 0) & (found <= 1)).all())
    assert found.tolist() == pytest.approx(slowly(case, twin), rel=1e-9, abs=1e-7 if name == "angle" else 1e-12)
    assert found[-1] == 0


@pytest.mark.parametrize("name", LOSSES)
@settings(max_examples=30, deadline=None)
@given(seed=seeds, value=st.sampled_from([math.nan, math.inf, -math.inf]), whole=st.booleans())
def test_what_is_no_number_stays_in_range(name: str, seed: int, value: float, whole: bool) -> None:
    loss, make, _ = LOSSES[name]
    predictions, targets = make(seed, 1.0)
    predictions[:, : None if whole else 1] = value
    found = loss(predictions, targets)
    assert bool(((found >= 0) & (found <= 1)).all())
    if math.isnan(value):
        valid = (targets != 0).any(1) if name in ("depth", "angle") else targets != -1
        assert found.tolist() == valid.flatten(1).any(1).double().tolist()


@settings(max_examples=40, deadline=None)
@given(seed=seeds, classes=st.integers(2, 6))
def test_one_class_an_example(seed: int, classes: int) -> None:
    logits = torch.randn(7, classes, generator=seeded(seed))
    labels = torch.randint(0, classes, (7,), generator=seeded(seed + 1))
    assert torch.equal(zero_one(logits, labels), (logits.argmax(1) != labels).double())
    entropies = -logits.double().log_softmax(1)[torch.arange(7), labels]
    assert clipped_cross_entropy(LIMIT)(logits, labels).tolist() == pytest.approx(
        [min(one, LIMIT) / LIMIT for one in entropies.tolist()], rel=1e-12
    )


def test_under_a_high_limit_images_of_equal_size_average_to_the_training_loss() -> None:
    logits, labels = segmentation_case(3, 1.0)
    labels = labels.clamp(min=0)
    assert float(clipped_cross_entropy(1e3)(logits, labels).mean()) * 1e3 == pytest.approx(
        float(segmentation_loss(logits.double(), labels))
    )
    prediction, depth = depth_case(3, 1.0)
    depth = depth + 0.1
    assert float(clipped_depth(1e3)(prediction, depth).mean()) * 1e3 == pytest.approx(
        float(depth_loss(prediction.double(), depth.double()))
    )


def test_ends_of_the_angle() -> None:
    normal = torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1)
    aside = torch.tensor([0.0, 5.0, 0.0]).view(1, 3, 1, 1)
    found = [float(angle(one, normal)) for one in (3 * normal, aside, -2 * normal, 0 * normal)]
    assert found == [0.0, 0.5, 1.0, 1.0]


@pytest.mark.parametrize("clipped", [clipped_cross_entropy, clipped_depth])
@pytest.mark.parametrize("limit", [0.0, -1.0, math.inf, math.nan])
def test_a_limit_that_bounds_nothing_is_refused(clipped: Callable[[float], BoundedLoss], limit: float) -> None:
    with pytest.raises(ValueError, match="positive, finite"):
        clipped(limit)
