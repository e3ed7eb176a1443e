"""What each mode hands to the optimizers, and what it tells of the step."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from experiments.methods import (
    BatchLosses,
    Method,
    NonFiniteLoss,
    check_radii,
    gradient_evaluations_per_step,
    stream_seed,
)
from experiments.metrics import evaluate
from experiments.models import MultiTaskModel, build_model
from experiments.spec import Mode
from tests.experiments.tiny_problem import tiny_spec
from tests.experiments.tiny_runs import MODES, PROBLEM, batch, spec_of


def task_gradients(
    model: MultiTaskModel, images: Tensor, labels: Tensor, combine: Callable[[list[Tensor]], Tensor]
) -> dict[str, Tensor]:
    """Gradients of one combined loss by plain backward on a copy."""
    model = copy.deepcopy(model)
    losses = [
        functional.cross_entropy(logits, labels[:, task])
        for task, logits in enumerate(model(images, range(len(model.heads))))
    ]
    combine(losses).backward()
    return {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}


def assert_gradients(model: MultiTaskModel, expected: dict[str, Tensor]) -> None:
    """To float32 rounding of sums over a batch; a head scaled by 2 or a task left out is off by more than half."""
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        error = float((parameter.grad - expected[name]).norm() / expected[name].norm())
        assert error < 1e-5, (name, error)


def test_streams_differ_and_repeat() -> None:
    streams = ("weights", "batches", "orders", "noise", "probe", "weightings")
    seeds = {stream_seed(seed, stream) for seed in range(20) for stream in streams}  # type: ignore[arg-type]
    assert len(seeds) == 20 * len(streams)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert stream_seed(3, "weights") == stream_seed(3, "weights")


def test_erm_of_the_mean_gives_the_trunk_the_mean_and_each_head_its_own_gradient() -> None:
    method = Method(tiny_spec(mode="erm"))
    images, labels = batch()
    (outcome,) = method.step(images, labels)
    model = method.networks[0]
    mean = task_gradients(model, images, labels, lambda losses: torch.stack(losses).mean())
    total = task_gradients(model, images, labels, lambda losses: torch.stack(losses).sum())
    assert_gradients(model, {name: (total if name.startswith("heads") else mean)[name] for name in mean})
    assert outcome.perturbed_losses is None
    assert outcome.report is not None


def test_single_task_networks_get_the_gradient_of_their_own_loss() -> None:
    method = Method(tiny_spec(mode="stl"))
    images, labels = batch()
    outcomes = method.step(images, labels)
    assert len(method.networks) == len(outcomes) == 2
    for task, network in enumerate(method.networks):
        expected = task_gradients(network, images, labels[:, task : task + 1], lambda losses: losses[0])
        assert_gradients(network, expected)


def test_sam_sum_is_sam_on_the_mean_loss_with_one_perturbation() -> None:
    spec = tiny_spec(mode="sam_sum", rho_shared=0.05, rho_heads=0.1)
    method = Method(spec)
    images, labels = batch()
    model = method.networks[0]
    first = task_gradients(model, images, labels, lambda losses: torch.stack(losses).mean())
    norms = {
        block: torch.stack([grad.double().norm() for name, grad in first.items() if name.startswith(block)]).norm()
        for block in ("trunk", "heads")
    }
    perturbed = copy.deepcopy(model)
    with torch.no_grad():
        for name, parameter in perturbed.named_parameters():
            block, rho = ("trunk", spec.rho_shared) if name.startswith("trunk") else ("heads", spec.rho_heads)
            parameter.add_((rho * first[name].double() / norms[block]).float())
    mean = task_gradients(perturbed, images, labels, lambda losses: torch.stack(losses).mean())
    total = task_gradients(perturbed, images, labels, lambda losses: torch.stack(losses).sum())

    (outcome,) = method.step(images, labels)
    assert_gradients(model, {name: (total if name.startswith("heads") else mean)[name] for name in mean})
    assert outcome.report is None
    assert outcome.perturbed_losses is not None
    assert (outcome.perturbed_losses.mean() > outcome.losses.mean()).all()


def test_sam_of_one_task_a_network_is_flat_stl() -> None:
    method = Method(tiny_spec(mode="sam_stl"))
    images, labels = batch()
    for outcome in method.step(images, labels):
        assert outcome.report is not None
        assert outcome.report.flat_norms is not None
        assert outcome.perturbed_losses is not None
        assert (outcome.perturbed_losses > outcome.losses).all()


@pytest.mark.parametrize("mode", MODES)
def test_outcomes_are_those_of_the_unperturbed_weights(mode: Mode) -> None:
    method = Method(spec_of(mode))
    images, labels = batch()
    losses, correct = evaluate(method.networks, PROBLEM.train.examples[:16], labels)
    outcomes = method.step(images, labels)
    assert torch.cat([outcome.losses for outcome in outcomes]).tolist() == pytest.approx(losses, rel=1e-6)
    assert torch.cat([outcome.correct for outcome in outcomes]).tolist() == [round(16 * share) for share in correct]
    assert all((outcome.perturbed_losses is None) == (mode in ("erm", "stl")) for outcome in outcomes)


@pytest.mark.parametrize(("mode", "expected"), [("erm", 2), ("stl", 2), ("sam_sum", 2), ("each", 4), ("sam_stl", 4)])
def test_gradient_evaluations(mode: Mode, expected: int) -> None:
    assert gradient_evaluations_per_step(tiny_spec(mode=mode), tasks=2) == expected


@pytest.mark.parametrize("mode", MODES)
def test_radii_that_contradict_the_mode_are_refused(mode: Mode) -> None:
    radii = (
        {"rho_shared": 0.05, "rho_heads": 0.05} if mode in ("erm", "stl") else {"rho_shared": 0.05, "rho_heads": 0.0}
    )
    with pytest.raises(ValueError, match=f"mode '{mode}'.*rho_shared, rho_heads"):
        check_radii(tiny_spec(mode=mode, **radii))
    check_radii(tiny_spec(mode=mode))


def test_a_loss_that_is_not_finite_names_its_task() -> None:
    model = build_model("lenet", seed=0)
    with torch.no_grad():
        model.get_parameter("heads.1.bias")[0] = torch.nan
    with pytest.raises(NonFiniteLoss, match="task 2 is nan"):
        BatchLosses(model, *batch())((0, 1))
