"""Calibration of trained networks, by hand and against a loop; the network comes back as it was."""

import math

import pytest
import torch

from experiments.measures.calibration import (
    brier_score,
    calibration,
    entropies,
    expected_calibration_error,
    predictive_entropy,
    reliability,
)
from experiments.measures.split_loss import loss_and_accuracy, predict
from experiments.metrics import evaluate
from tests.experiments.smooth_network import Float64Network, double, rows, seeded


def test_calibration_error_of_a_table_by_hand() -> None:
    """Two examples at .95 (one right), one at .65 (right), one at .6, the edge, which belongs to (.5, .6] (wrong)."""
    confidence = double(0.95, 0.95, 0.65, 0.6)
    found = reliability(torch.stack([confidence, 1 - confidence], 1), torch.tensor([0, 1, 0, 1]))
    assert [row.count for row in found] == [0, 0, 0, 0, 0, 1, 1, 0, 0, 2]
    assert [row.accuracy for row in found[5:]] == [0.0, 1.0, None, None, 0.5]
    assert found[9].confidence == pytest.approx(0.95)
    assert expected_calibration_error(found) == pytest.approx((0.6 + 0.35 + 2 * 0.45) / 4)


def test_calibration_error_against_a_loop() -> None:
    logits = torch.randn(200, 4, generator=seeded()) * 2
    labels = torch.randint(0, 4, (200,), generator=seeded(1))
    probabilities = logits.double().softmax(1)
    bins: list[list[tuple[float, float]]] = [[] for _ in range(10)]
    for row, label in zip(probabilities.tolist(), labels.tolist(), strict=True):
        best = max(row)
        bins[math.ceil(best * 10) - 1].append((best, float(row.index(best) == label)))
    gaps = [abs(sum(right - best for best, right in inside)) for inside in bins]
    brier = [
        sum((p - float(c == label)) ** 2 for c, p in enumerate(row))
        for row, label in zip(probabilities.tolist(), labels.tolist(), strict=True)
    ]
    found = calibration(logits, labels)
    assert found.ece == pytest.approx(sum(gaps) / 200)
    assert found.brier == pytest.approx(sum(brier) / 200)
    assert sum(row.count for row in found.bins) == sum(found.entropy.counts) == 200


def test_brier_score_at_its_ends() -> None:
    certain = torch.eye(3, dtype=torch.float64)
    assert brier_score(certain, torch.tensor([0, 1, 2])) == 0
    assert brier_score(certain, torch.tensor([1, 2, 0])) == 2
    assert brier_score(torch.full((1, 4), 0.25, dtype=torch.float64), torch.tensor([0])) == 0.75


def test_entropy_is_finite_where_the_naive_formula_is_not() -> None:
    logits = torch.tensor([[0.0, 0.0], [0.0, -200.0], [0.0, -2000.0], [50.0, 50.5]])
    entropy = predictive_entropy(logits)
    naive = -(logits.softmax(1) * logits.softmax(1).log()).sum(1)
    found = entropies(logits)
    assert bool(entropy.isfinite().all())
    assert float(entropy.min()) >= 0
    assert float(entropy[0]) == pytest.approx(math.log(2))
    assert float(entropy[1]) == pytest.approx(201 * math.exp(-200))
    assert found.naive_nan == int(naive.isnan().sum()) == 2
    assert (found.underflows, found.least) == (2, 0.0)
    assert sum(found.counts) == 4
    with pytest.raises(ValueError, match="not finite"):
        entropies(torch.tensor([[0.0, math.inf]]))


def test_evaluation_mode_is_used_and_the_networks_mode_comes_back() -> None:
    network = Float64Network(dropout=0.5).train()
    examples, labels = rows()
    first, second = predict(network, examples), predict(network, examples)
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))
    assert network.training
    losses, accuracies = loss_and_accuracy(network, examples, labels)
    expected = evaluate([network], examples, labels)
    assert losses == pytest.approx(expected[0], rel=1e-12)
    assert accuracies == expected[1]
