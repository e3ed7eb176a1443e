"""Confidence against truth: expected calibration error, Brier score, predictive entropy that can not be negative."""

import math

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor
from torch.nn import functional

from experiments.measures.records import Bin, Calibration, Entropies

BINS = 10


def reliability(
    probabilities: Float64[Tensor, "n c"], labels: Int64[Tensor, " n"], bins: int = BINS
) -> tuple[Bin, ...]:
    """Rows of the reliability diagram: equal-width bins ``(low, high]`` of the largest probability."""
    confidence, answers = probabilities.max(1)
    right = (answers == labels).double()
    inner = torch.tensor([edge / bins for edge in range(1, bins)], dtype=torch.float64)
    places = torch.bucketize(confidence, inner)
    rows = []
    for place in range(bins):
        inside = places == place
        count = int(inside.sum())
        rows.append(
            Bin(
                low=place / bins,
                high=(place + 1) / bins,
                count=count,
                confidence=float(confidence[inside].mean()) if count else None,
                accuracy=float(right[inside].mean()) if count else None,
            )
        )
    return tuple(rows)


def expected_calibration_error(rows: tuple[Bin, ...]) -> float:
    """``ECE = sum_b (n_b / n) |accuracy_b - confidence_b|``; empty bins count nothing."""
    total = sum(row.count for row in rows)
    gaps = [
        row.count * abs(row.accuracy - row.confidence)
        for row in rows
        if row.accuracy is not None and row.confidence is not None
    ]
    return math.fsum(gaps) / total


def brier_score(probabilities: Float64[Tensor, "n c"], labels: Int64[Tensor, " n"]) -> float:
    """Mean over examples of ``sum_c (p_c - [c = y])^2``, in [0, 2]."""
    truth = functional.one_hot(labels, probabilities.shape[1]).double()
    return float((probabilities - truth).square().sum(1).mean())


def predictive_entropy(logits: Float[Tensor, "n c"]) -> Float64[Tensor, " n"]:
    """``-sum_c p_c log p_c`` (nats) by log-soft-max in float64: in [0, log c], finite where a probability underflows.

    Each factor ``log p_c`` is <= 0 by construction (the sum in log-sum-exp is at least 1), so no term is negative.
    """
    logarithms = functional.log_softmax(logits.double(), dim=1)
    return (logarithms.exp() * -logarithms).sum(1)


def float32_underflows(logits: Float[Tensor, "n c"]) -> tuple[int, int]:
    """Probabilities that a float32 soft-max rounds to zero, and examples with one: 0 log 0 makes their entropy NaN."""
    flushed = functional.softmax(logits.float(), dim=1) == 0
    return int(flushed.sum()), int(flushed.any(1).sum())


def entropies(logits: Float[Tensor, "n c"], bins: int = 2 * BINS) -> Entropies:
    """Mean and histogram over [0, log c] of the predictive entropy, and what the naive formula would have lost.

    Raises:
        ValueError: a logit is not finite.
    """
    if not bool(logits.isfinite().all()):
        raise ValueError("a logit is not finite: such a network has no predictive entropy.")
    values, limit = predictive_entropy(logits), math.log(logits.shape[1])
    inner = torch.tensor([limit * edge / bins for edge in range(1, bins)], dtype=torch.float64)
    counts = torch.bincount(torch.bucketize(values, inner), minlength=bins)
    underflows, naive_nan = float32_underflows(logits)
    return Entropies(
        mean=float(values.mean()),
        least=float(values.min()),
        greatest=float(values.max()),
        limit=limit,
        counts=tuple(counts.tolist()),
        underflows=underflows,
        naive_nan=naive_nan,
    )


def calibration(logits: Float[Tensor, "n c"], labels: Int64[Tensor, " n"]) -> Calibration:
    """Everything of one task over one split.

    Raises:
        ValueError: a logit is not finite.
    """
    entropy = entropies(logits)
    probabilities = functional.softmax(logits.double(), dim=1)
    rows = reliability(probabilities, labels)
    return Calibration(
        accuracy=float((logits.argmax(1) == labels).double().mean()),
        loss=float(functional.cross_entropy(logits.double(), labels)),
        ece=expected_calibration_error(rows),
        brier=brier_score(probabilities, labels),
        bins=rows,
        entropy=entropy,
    )
