"""Losses of dense prediction: means over the pixels that carry a target; 0, with zero gradients, where none does."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

IGNORED = -1
"""The label of a pixel without a class."""


def segmentation_loss(logits: Float[Tensor, "n classes h w"], labels: Int[Tensor, "n h w"]) -> Float[Tensor, ""]:
    """Cross entropy: mean of -log softmax(logits)_label over pixels whose label is not -1, in nats."""
    total = functional.cross_entropy(logits, labels, ignore_index=IGNORED, reduction="sum")
    return total / (labels != IGNORED).sum().clamp(min=1)


def depth_loss(prediction: Float[Tensor, "n 1 h w"], depth: Float[Tensor, "n 1 h w"]) -> Float[Tensor, ""]:
    """L1: mean of |prediction - depth| over pixels whose depth is not 0, in the unit of depth."""
    return _mean((prediction - depth).abs(), depth != 0)


def normal_loss(prediction: Float[Tensor, "n 3 h w"], normals: Float[Tensor, "n 3 h w"]) -> Float[Tensor, ""]:
    """1 - cosine: mean of 1 - <prediction, normal> over pixels whose normal is not the zero vector; 0 to 2.

    Args:
        prediction: unit vectors.
        normals: unit vectors, or zero where there is none. One that resampling has left shorter enters as it is, as in
            the usual programs; these leave out a normal whose components sum to zero, which counts here.
    """
    cosine = (prediction * normals).sum(dim=1, keepdim=True)
    return _mean(1 - cosine, (normals != 0).any(dim=1, keepdim=True))


def _mean(values: Float[Tensor, "n 1 h w"], valid: Bool[Tensor, "n 1 h w"]) -> Float[Tensor, ""]:
    return torch.where(valid, values, 0).sum() / valid.sum().clamp(min=1)
