"""What is measured of networks: a split, conflicts of mini-batches, the probe; each leaves no trace."""

import copy

import pytest
import torch
from torch.nn import functional

from experiments import metrics
from experiments.metrics import ConflictTally, evaluate, probe, to_input
from experiments.models import build_model
from flatmtl_core import StepReport, Weighted
from tests.experiments.tiny_runs import PROBLEM


def test_evaluation_of_a_split_does_not_depend_on_its_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    model = build_model("lenet", seed=0)
    test = PROBLEM.test
    whole_loss, whole_accuracy = evaluate([model], test.examples, test.labels)
    monkeypatch.setattr(metrics, "EVALUATION_BATCH", 7)
    loss, accuracy = evaluate([model], test.examples, test.labels)
    assert accuracy == whole_accuracy
    assert loss == pytest.approx(whole_loss, rel=1e-6)
    logits = model(to_input(test.examples), (0, 1))
    for task in range(2):
        assert accuracy[task] == sum(logits[task].argmax(1) == test.labels[:, task]).item() / len(test.examples)
        expected = functional.cross_entropy(logits[task].double(), test.labels[:, task]).item()
        assert loss[task] == pytest.approx(expected, rel=1e-6)


def test_evaluation_uses_the_running_statistics_and_leaves_them_and_the_mode_alone() -> None:
    model = build_model("resnet18", seed=0)
    model(to_input(PROBLEM.train.examples[:8]), (0, 1))
    before = copy.deepcopy(model.state_dict())
    loss, _ = evaluate([model], PROBLEM.test.examples[:6], PROBLEM.test.labels[:6])
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    halves = [
        evaluate([model], PROBLEM.test.examples[part], PROBLEM.test.labels[part])[0] for part in (slice(3), slice(3, 6))
    ]
    assert [(one + other) / 2 for one, other in zip(*halves, strict=True)] == pytest.approx(loss, rel=1e-5)


def report(*, product: float, intra: tuple[float, float], flat: str) -> StepReport:
    """A report of two tasks with given inner products."""
    weights = torch.tensor([0.5, 0.5], dtype=torch.float64)
    return StepReport(
        losses=torch.tensor([1.0, 2.0]),
        perturbed_losses=torch.tensor([1.5, 2.5]),
        loss_gramian=torch.tensor([[4.0, product], [product, 1.0]], dtype=torch.float64),
        flat_gramian=torch.tensor([[1.0, -product], [-product, 1.0]], dtype=torch.float64),
        loss_norms=torch.tensor([2.0, 1.0], dtype=torch.float64),
        flat_norms=torch.tensor([1.0, 1.0], dtype=torch.float64),
        intra_products=torch.tensor(intra, dtype=torch.float64),
        head_norms=(1.0, 1.0),
        weighted={
            "loss": Weighted(weights, 0.0, "solved"),
            "flat": Weighted(weights, 0.0, flat),  # type: ignore[arg-type]
            "pair": Weighted(weights, 0.0, "stationary"),
        },
    )


def test_conflicts_are_counted_over_mini_batches() -> None:
    tally = ConflictTally()
    tally.add([report(product=-0.5, intra=(-0.1, 0.1), flat="stationary")])
    tally.add([report(product=-0.5, intra=(-0.1, -0.1), flat="solved")])
    tally.add([report(product=0.5, intra=(-0.1, 0.1), flat="stationary")])
    tally.add([report(product=0.5, intra=(0.1, 0.1), flat="solved")])
    tally.add([report(product=-0.5, intra=(0.1, 0.1), flat="solved")])
    conflict = tally.result()
    assert conflict.batches == 5
    assert conflict.inter_loss == pytest.approx(3 / 5)
    assert conflict.inter_flat == pytest.approx(2 / 5)
    assert conflict.intra == pytest.approx((3 / 5, 1 / 5))
    assert conflict.loss_norm == (2.0, 1.0)
    assert conflict.flat_norm == (1.0, 1.0)
    assert conflict.flat_to_loss == (0.5, 1.0)
    assert (conflict.stationary_loss, conflict.stationary_flat) == (0, 2)


def test_the_probe_leaves_no_trace() -> None:
    model = build_model("resnet18", seed=0)
    before = copy.deepcopy(model.state_dict())
    model.get_parameter("heads.0.bias").grad = torch.ones(10)
    torch.manual_seed(7)
    generator = torch.get_rng_state()
    conflict = probe([model], [PROBLEM.train.batch(torch.arange(8))] * 2, rho=0.05)
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    grads = {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert list(grads) == ["heads.0.bias"]
    assert torch.equal(grads["heads.0.bias"], torch.ones(10))
    assert conflict.batches == 2
    assert conflict.intra is not None
    assert conflict.inter_flat is not None
