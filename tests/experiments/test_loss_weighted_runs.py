"""Training with loss weights: one vector a step for both parts of the trunk, and runs that resume as they were."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from experiments import profiles
from experiments.loss_weightings import DWA, RLW, SI, UW, LossWeighted
from experiments.methods import Method, StepOutcome, build_aggregator, stream_seed
from experiments.metrics import to_input
from experiments.results import compare_results
from experiments.spec import LossWeightingName, Mode, Spec, method_label
from experiments.train import TrainingFailed, TrainingStopped, train
from flatmtl_core import Constant, Mean, NonFinite
from tests.experiments.test_loss_weightings import HISTORY, losses, weights_of
from tests.experiments.tiny_problem import tiny_problem, tiny_spec

PROBLEM = tiny_problem()
NAMES: tuple[LossWeightingName, ...] = ("SI", "RLW", "DWA", "UW")


def weighted_spec(name: str, mode: Mode = "decomposed", **changes: Any) -> Spec:
    return tiny_spec(aggregator=name, mode=mode, **changes)


def step(method: Method) -> StepOutcome:
    (outcome,) = method.step(to_input(PROBLEM.train.examples[:16]), PROBLEM.train.labels[:16])
    return outcome


def after_steps(count: int) -> Callable[[], bool]:
    """Stops a run that has made so many steps."""
    asked = iter([False] * count + [True])
    return lambda: next(asked)


@pytest.mark.parametrize("mode", ["second", "each", "sam_sum", "stl", "sam_stl"])
@pytest.mark.parametrize("name", NAMES)
def test_modes_without_one_weight_a_task_are_refused(name: str, mode: Mode) -> None:
    with pytest.raises(ValueError, match=f"{name} is one weight a task.*{mode}.*choose 'erm', 'decomposed'"):
        Method(weighted_spec(name, mode))


# One vector a step, for the trunk


def gradients(method: Method) -> dict[str, Tensor]:
    network = method.networks[0]
    found = {name: parameter.grad for name, parameter in network.named_parameters() if parameter.grad is not None}
    assert len(found) == len(list(network.parameters()))
    return found


def make_unequal(method: Method) -> None:
    """Two tasks with unlike losses, now and before: so that the weights of every method differ."""
    assert method.weighting is not None
    with torch.no_grad():
        method.networks[0].get_parameter("heads.0.bias")[0] += 3.0
    for values in ((1.0, 2.0), (3.0, 0.5)):
        method.weighting.weights(losses(*values))
        method.weighting.end_of_epoch()


@pytest.mark.parametrize("name", NAMES)
def test_decomposed_is_direct_and_both_parts_have_the_weights_of_the_unperturbed_losses(name: str) -> None:
    """Linear: equal to float32 rounding. The weights themselves are compared exactly."""
    decomposed, direct, expected = (
        Method(weighted_spec(name, mode, learning_rate=0.5)) for mode in ("decomposed", "direct", "decomposed")
    )
    for method in (decomposed, direct, expected):
        make_unequal(method)
    one, other = step(decomposed), step(direct)
    assert one.report is not None
    assert other.report is not None
    assert expected.weighting is not None
    weights = expected.weighting.weights(one.losses)
    assert abs(weights[0] - weights[1]) > 0.05
    for report, parts in ((one.report, ("loss", "flat")), (other.report, ("sam",))):
        assert set(report.weighted) == set(parts)
        for part in parts:
            assert tuple(report.weighted[part].weights.tolist()) == weights
    sums, differences = 0.0, 0.0
    for key, gradient in gradients(decomposed).items():
        reference = gradients(direct)[key]
        if key.startswith("heads"):
            assert torch.equal(gradient, reference)
        sums += float(reference.double().square().sum())
        differences += float((gradient - reference).double().square().sum())
    assert math.sqrt(differences) < 1e-6 * math.sqrt(sums)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", ["erm", "decomposed", "direct"])
def test_the_step_is_that_of_constant_weights_and_heads_are_not_scaled(name: str, mode: Mode) -> None:
    method, plain = Method(weighted_spec(name, mode)), Method(tiny_spec(mode=mode))
    make_unequal(method)
    plain.networks[0].load_state_dict(method.networks[0].state_dict())
    outcome = step(method)
    assert outcome.report is not None
    (weighted, *_) = outcome.report.weighted.values()
    plain.aggregator = Constant(tuple(weighted.weights.tolist()))
    step(plain)
    own, reference = gradients(method), gradients(plain)
    assert all(torch.equal(own[key], reference[key]) for key in reference)
    plain.networks[0].zero_grad()
    plain.aggregator = Mean()
    step(plain)
    unweighted = gradients(plain)
    assert all(torch.equal(own[key], unweighted[key]) == key.startswith("heads") for key in unweighted)


def test_the_weights_of_a_step_are_made_once() -> None:
    class Counting(SI):
        calls = 0

        def weights(self, losses: Tensor) -> tuple[float, ...]:
            self.calls += 1
            return super().weights(losses)

    weighting = Counting()
    method = Method(weighted_spec("SI"))
    method.aggregator = LossWeighted(weighting)
    for expected in (1, 2, 3):
        step(method)
        assert weighting.calls == expected


@pytest.mark.parametrize("mode", ["erm", "decomposed", "direct"])
def test_a_step_that_fails_in_its_first_pass_learns_nothing(mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finite loss whose gradient is not: the slope of a square root at 0 is infinite."""

    def steep(logits: Tensor, labels: Tensor) -> Tensor:
        return 1.0 + (logits - logits.detach()).abs().sum().sqrt()

    method = Method(weighted_spec("UW", mode))
    monkeypatch.setattr("experiments.targets.functional.cross_entropy", steep)
    with pytest.raises(NonFinite):
        step(method)
    assert isinstance(method.weighting, UW)
    assert method.weighting.log_variances.tolist() == [0.0, 0.0]


# The memory of a run


@pytest.mark.parametrize("mode", ["erm", "decomposed"])
@pytest.mark.parametrize("name", NAMES)
def test_a_resumed_run_is_the_same_run_bit_for_bit(name: str, mode: Mode, tmp_path: Path) -> None:
    """Stopped in the middle of every epoch but the first; four epochs, so that DWA's weights move in two of them."""
    spec = weighted_spec(name, mode, epochs=4)
    whole = train(spec, PROBLEM, commit="none", dirty=True)
    checkpoint = tmp_path / "run.pt"
    for epoch in (2, 3, 4):
        with pytest.raises(TrainingStopped, match=f"epoch {epoch}"):
            train(spec, PROBLEM, commit="none", dirty=True, checkpoint=checkpoint, should_stop=after_steps(4))
    resumed = train(spec, PROBLEM, commit="none", dirty=True, checkpoint=checkpoint)
    assert resumed.provenance.resumed == 3
    assert compare_results(whole, resumed).identical


@pytest.mark.parametrize("name", ["RLW", "DWA", "UW"])
def test_a_checkpoint_that_forgets_the_memory_shows(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = weighted_spec(name, epochs=4)
    whole = train(spec, PROBLEM, commit="none", dirty=True)
    checkpoint = tmp_path / "run.pt"
    with pytest.raises(TrainingStopped, match="epoch 4"):
        train(spec, PROBLEM, commit="none", dirty=True, checkpoint=checkpoint, should_stop=after_steps(10))
    monkeypatch.setattr(f"experiments.loss_weightings.{name}.load_state_dict", lambda self, state: None)
    assert not compare_results(whole, train(spec, PROBLEM, commit="none", dirty=True, checkpoint=checkpoint)).identical


def test_the_checkpoint_of_a_run_without_loss_weights_is_as_before(tmp_path: Path) -> None:
    for spec, kept in ((tiny_spec(epochs=1), False), (weighted_spec("RLW", epochs=1), True)):
        checkpoint = tmp_path / f"{spec.aggregator}.pt"
        train(spec, PROBLEM, commit="none", dirty=True, checkpoint=checkpoint)
        assert ("weighting" in torch.load(checkpoint, weights_only=True)) is kept


# Runs


def test_seeds_decide_the_draws_of_rlw_and_modes_share_them() -> None:
    """The weights of three steps; only the seed of the spec matters."""

    def draws(spec: Spec) -> list[tuple[float, ...]]:
        weighting = Method(spec).weighting
        assert isinstance(weighting, RLW)
        return [weighting.weights(losses(1.0, 1.0)) for _ in range(3)]

    one = draws(weighted_spec("RLW"))
    assert one == draws(weighted_spec("RLW", "erm")) == draws(weighted_spec("RLW", "direct"))
    assert one != draws(weighted_spec("RLW", seed=1))
    assert one == [RLW(stream_seed(0, "weightings")).weights(losses(1.0, 1.0)), *one[1:]]
    assert len(set(one)) == 3


def test_uw_learns_at_the_rate_of_the_network_unless_told_otherwise() -> None:
    for changes, rate in (
        ({"learning_rate": 0.25}, 0.25),
        ({"learning_rate": 0.25, "aggregator_options": (("learning_rate", 0.5),)}, 0.5),
    ):
        weighting = Method(weighted_spec("UW", **changes)).weighting
        assert isinstance(weighting, UW)
        weighting.weights(losses(2.0, 2.0))
        assert weighting.log_variances.tolist() == pytest.approx([rate, rate], rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_catalog_options_build_the_method_and_say_its_defaults(name: LossWeightingName) -> None:
    options = profiles.WEIGHTINGS[name]
    assert options == tuple(sorted(options))
    built = build_aggregator(weighted_spec(name, aggregator_options=options), tasks=2)
    default = build_aggregator(weighted_spec(name), tasks=2)
    assert isinstance(built, LossWeighted)
    assert isinstance(default, LossWeighted)
    assert weights_of(built.weighting_of_losses, HISTORY) == weights_of(default.weighting_of_losses, HISTORY)


@pytest.mark.parametrize("name", NAMES)
def test_labels(name: str) -> None:
    assert [method_label(weighted_spec(name, mode)) for mode in ("erm", "decomposed", "direct")] == [
        name,
        f"F-{name}",
        f"direct {name}",
    ]


def test_the_weights_follow_the_epochs_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """DWA inside of training: three steps an epoch, ones for six steps, then the ratio of the recorded losses."""
    seen: list[tuple[tuple[float, ...], list[float]]] = []
    original = DWA.weights

    def record(self: DWA, values: Tensor) -> tuple[float, ...]:
        weights = original(self, values)
        seen.append((weights, values.tolist()))
        return weights

    monkeypatch.setattr(DWA, "weights", record)
    train(weighted_spec("DWA", epochs=4, learning_rate=5e-3), PROBLEM, commit="none", dirty=True)
    assert len(seen) == 12
    assert [weights for weights, _ in seen[:6]] == [(1.0, 1.0)] * 6
    means = [
        [math.fsum(values[task] for _, values in seen[first : first + 3]) / 3 for task in range(2)]
        for first in (0, 3, 6)
    ]
    for epoch in (2, 3):
        powers = [math.exp(means[epoch - 1][task] / means[epoch - 2][task] / 2) for task in range(2)]
        for weights, _ in seen[3 * epoch : 3 * epoch + 3]:
            assert weights == pytest.approx([2 * power / sum(powers) for power in powers], rel=1e-13)
            assert weights != (1.0, 1.0)


@pytest.mark.parametrize(("name", "message"), [("SI", "epoch 1, step 1: SI: the loss"), ("DWA", "epoch 1: DWA: ")])
def test_a_loss_that_gives_no_weight_ends_the_run_with_its_place(
    name: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(logits: Tensor, labels: Tensor) -> Tensor:
        return 0.0 * logits.sum()

    monkeypatch.setattr("experiments.targets.functional.cross_entropy", nothing)
    with pytest.raises(TrainingFailed, match=rf"{message}.* of task 1 is -?0\.0; it must be positive"):
        train(weighted_spec(name, "erm"), PROBLEM, commit="none", dirty=True)
