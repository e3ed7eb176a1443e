"""Losses between 0 and 1, one number an example: what a PAC-Bayes bound for such losses may be applied to.

An example is an image whose loss is the mean over its valid pixels, or a single class. Pixels of an image are not
independent, images are: a bound counts images. The valid pixels are those of `experiments.dense_metrics`. An image
without a valid pixel has loss 0. So the mean over images is not the mean over pixels where images have different
numbers of valid ones.

A prediction that is not a number counts as the worst one. Sums run in float64.
"""

import math
from collections.abc import Callable
from typing import TypeAlias

import torch
from jaxtyping import Bool, Float, Float64, Int
from torch import Tensor
from torch.nn import functional

from experiments.problems.dense_losses import IGNORED

BoundedLoss: TypeAlias = Callable[[Tensor, Tensor], Float64[Tensor, " n"]]
"""Predictions and targets to one number in [0, 1] an example."""


def zero_one(logits: Float[Tensor, "n classes ..."], labels: Int[Tensor, "n ..."]) -> Float64[Tensor, " n"]:
    """Share of valid pixels, or 0 or 1 for one class an example, whose largest logit is not the label's.

    The first of equal logits counts as the largest. An example without a label that is not -1 gives 0.
    """
    wrong = (logits.argmax(1) != labels) | logits.isnan().any(1)
    return _image_means(wrong.double(), labels != IGNORED)


def clipped_cross_entropy(limit: float) -> BoundedLoss:
    """``min(-log softmax(logits)_label, limit) / limit``, mean over valid pixels; 0 for an example without any.

    Args:
        limit: nats, positive and finite.

    Raises:
        ValueError: another limit.
    """
    _check_limit(limit)

    def loss(logits: Float[Tensor, "n classes ..."], labels: Int[Tensor, "n ..."]) -> Float64[Tensor, " n"]:
        entropies = functional.cross_entropy(logits.double(), labels, ignore_index=IGNORED, reduction="none")
        return _image_means(entropies / limit, labels != IGNORED)

    return loss


def clipped_depth(limit: float) -> BoundedLoss:
    """``min(|prediction - depth|, limit) / limit``, mean over pixels whose depth is not 0; 0 for an image without any.

    Args:
        limit: in the unit of depth, positive and finite.

    Raises:
        ValueError: another limit.
    """
    _check_limit(limit)

    def loss(prediction: Float[Tensor, "n 1 h w"], depth: Float[Tensor, "n 1 h w"]) -> Float64[Tensor, " n"]:
        return _image_means((prediction.double() - depth.double()).abs() / limit, depth != 0)

    return loss


def angle(prediction: Float[Tensor, "n 3 h w"], normals: Float[Tensor, "n 3 h w"]) -> Float64[Tensor, " n"]:
    """Angle / pi between vectors of any length, mean over pixels whose normal is not zero; 0 for an image without any.

    A prediction of zero has no direction: its loss is 1.
    """
    own, true = prediction.double(), normals.double()
    cross = torch.linalg.cross(own, true, dim=1).norm(dim=1)
    angles = torch.atan2(cross, (own * true).sum(1)) / math.pi
    return _image_means(torch.where((own == 0).all(1), 1.0, angles), (normals != 0).any(1))


def _check_limit(limit: float) -> None:
    if not 0 < limit < math.inf:
        raise ValueError(f"limit is {limit}: a loss is clipped at a positive, finite number.")


def _image_means(values: Float64[Tensor, "n ..."], valid: Bool[Tensor, "n ..."]) -> Float64[Tensor, " n"]:
    """Means over each example's valid pixels of the values, clipped to [0, 1] and 1 where they are not numbers."""
    clipped = torch.where(valid, values.nan_to_num(nan=1.0).clamp(0.0, 1.0), 0.0).reshape(len(values), -1)
    counts = valid.reshape(len(valid), -1).sum(1)
    return (clipped.sum(1) / counts.clamp(min=1)).clamp(max=1.0)
