"""One run: what each mode hands to the optimizers, what is recorded, and that a resumed run is the same run."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from experiments import methods, metrics, run_state
from experiments.methods import (
    BatchLosses,
    Method,
    NonFiniteLoss,
    check_radii,
    gradient_evaluations_per_step,
    stream_seed,
)
from experiments.metrics import ConflictTally, evaluate, probe, to_input
from experiments.models import MultiTaskModel, build_model
from experiments.results import Result, compare_results
from experiments.run_state import CheckpointError
from experiments.spec import Mode, Spec
from experiments.splits import LoadedProblem, Split
from experiments.train import TrainingFailed, TrainingStopped, train
from flatmtl_core import StepReport, Weighted
from tests.experiments.tiny_problem import SIZES, tiny_problem, tiny_spec

PROBLEM = tiny_problem()
MODES: tuple[Mode, ...] = ("erm", "decomposed", "direct", "second", "each", "sam_sum", "stl", "sam_stl")


def run(spec: Spec, **arguments: Any) -> Result:
    return train(spec, PROBLEM, commit="none", dirty=True, **arguments)


def spec_of(mode: Mode) -> Spec:
    """MGDA where the aggregator matters."""
    return tiny_spec(
        mode=mode, aggregator="MGDA" if mode in ("erm", "decomposed", "direct", "second", "each") else "Mean"
    )


def batch(count: int = 16) -> tuple[Tensor, Tensor]:
    return to_input(PROBLEM.train.examples[:count]), PROBLEM.train.labels[:count]


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


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_gives_a_whole_result(mode: Mode) -> None:
    spec = spec_of(mode)
    result = run(spec)
    single = mode in ("stl", "sam_stl")
    assert [record.epoch for record in result.epochs] == [1, 2]
    assert result.steps == 2 * 3
    assert result.gradient_evaluations == result.steps * gradient_evaluations_per_step(spec, 2)
    assert list(result.dimensions) == (["network 1", "network 2"] if single else ["shared", "head 1", "head 2"])
    assert sum(result.dimensions.values()) == (2 * 31_400 if single else 31_910)
    for record in result.epochs:
        assert (record.perturbed_loss is None) == (mode in ("erm", "stl"))
        assert (record.during is None) == (mode == "sam_sum")
        assert record.probe.batches == spec.probe_batches
        assert (record.probe.inter_loss is None) == single
        assert record.probe.flat_norm is not None
        assert all(name.startswith("network ") == single for name in record.parameter_norms)
        if record.during is not None:
            assert record.during.batches == 3
            assert len(record.during.loss_norm) == 2
            assert (record.during.flat_norm is None) == (mode in ("erm", "stl"))
    if single:
        assert result.epochs[0].parameter_norms["network 1.trunk.fc.weight"] > 0


def test_training_learns() -> None:
    result = run(tiny_spec(mode="erm", epochs=12, learning_rate=5e-3))
    first, last = result.epochs[0], result.epochs[-1]
    assert max(last.train_loss) < 0.5 * min(first.train_loss)
    assert min(last.train_accuracy) > 2 * max(first.train_accuracy)


@pytest.mark.parametrize("mode", ["decomposed", "sam_sum", "sam_stl"])
def test_training_numbers_are_those_of_the_unperturbed_weights(mode: Mode) -> None:
    """With one batch an epoch, the first training loss is that of the initial weights on the whole split."""
    spec = tiny_spec(mode=mode, epochs=1, batch_size=SIZES["n_train"])
    record = run(spec).epochs[0]
    loss, accuracy = evaluate(Method(spec).networks, PROBLEM.train.examples, PROBLEM.train.labels)
    assert record.train_loss == pytest.approx(loss, rel=1e-6)
    assert record.train_accuracy == pytest.approx(accuracy, abs=1e-12)
    assert record.perturbed_loss is not None
    assert sum(record.perturbed_loss) > sum(record.train_loss)


def test_methods_with_the_same_seed_see_the_same_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, Tensor]] = []

    class Recorder(Method):
        def step(self, images: Tensor, labels: Tensor) -> Any:
            seen.append((f"{self.spec.mode} {self.spec.seed}", images))
            return super().step(images, labels)

    monkeypatch.setattr(run_state, "Method", Recorder)
    for spec in (tiny_spec(mode="erm"), tiny_spec(), tiny_spec(mode="stl"), tiny_spec(mode="direct", seed=1)):
        run(spec)
    erm, flat, stl, other = (
        [images for name, images in seen if name == wanted] for wanted in ("erm 0", "decomposed 0", "stl 0", "direct 1")
    )
    assert [len(images) for images in erm] == [32, 32, 16] * 2
    for one, two, three in zip(erm, flat, stl, strict=True):
        assert torch.equal(one, two)
        assert torch.equal(one, three)
    assert not torch.equal(erm[0], other[0])
    assert not torch.equal(torch.cat(erm[:3]), torch.cat(erm[3:]))
    whole = to_input(PROBLEM.train.examples).flatten(1)
    assert torch.equal(torch.cat(erm[:3]).flatten(1).sum(1).sort().values, whole.sum(1).sort().values)


def test_the_weights_of_the_best_epoch_on_validation_are_tested(tmp_path: Path) -> None:
    """Every class of the validation split is shifted by one, so that learning ends worse than it began."""
    shifted = Split(PROBLEM.validation.examples, (PROBLEM.validation.labels + 1) % 10, "shifted")
    problem = LoadedProblem(PROBLEM.train, shifted, PROBLEM.test)
    spec = tiny_spec(mode="erm", epochs=6, learning_rate=0.01)
    result = train(spec, problem, commit="none", dirty=True, weights=tmp_path / "weights.pt")
    means = [sum(record.validation_accuracy) / 2 for record in result.epochs]
    assert result.best_epoch == means.index(max(means)) + 1 < spec.epochs
    assert (result.test_best.epoch, result.test_last.epoch) == (result.best_epoch, spec.epochs)
    assert result.test_best.loss != result.test_last.loss
    kept = torch.load(tmp_path / "weights.pt", weights_only=True)
    assert msgspec.json.decode(kept["spec"], type=Spec) == spec
    model = build_model("lenet", seed=9)
    for name, evaluation in (("best", result.test_best), ("last", result.test_last)):
        model.load_state_dict(kept[name][0])
        assert evaluate([model], PROBLEM.test.examples, PROBLEM.test.labels) == (evaluation.loss, evaluation.accuracy)
    model.load_state_dict(kept["best"][0])
    _, accuracy = evaluate([model], shifted.examples, shifted.labels)
    assert accuracy == result.epochs[result.best_epoch - 1].validation_accuracy


def test_ties_go_to_the_first_epoch() -> None:
    """Without learning every epoch is as good as the first."""
    result = run(tiny_spec(mode="erm", epochs=3, learning_rate=0.0))
    assert len({record.validation_accuracy for record in result.epochs}) == 1
    assert result.best_epoch == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "decomposed", "aggregator": "PCGrad"},
        {"mode": "sam_stl"},
        {"mode": "sam_sum"},
        {"mode": "erm", "model": "resnet18", "n_train": 8, "n_validation": 8, "n_test": 8, "batch_size": 4},
    ],
    ids=lambda changes: " ".join(str(value) for value in changes.values()),
)
def test_a_resumed_run_is_the_same_run_bit_for_bit(changes: dict[str, Any], tmp_path: Path) -> None:
    spec = tiny_spec(epochs=3, **changes)
    problem = tiny_problem(spec.problem, spec.n_train, spec.n_validation, spec.n_test)
    whole = train(spec, problem, commit="none", dirty=True)
    checkpoint = tmp_path / "run.pt"
    steps = whole.steps // spec.epochs
    asked = 0

    def in_the_middle_of_the_next_epoch() -> bool:
        nonlocal asked
        asked += 1
        return asked == steps + 2

    for epoch in (2, 3):
        asked = 0
        with pytest.raises(TrainingStopped, match=f"epoch {epoch}"):
            train(
                spec,
                problem,
                commit="none",
                dirty=True,
                checkpoint=checkpoint,
                should_stop=in_the_middle_of_the_next_epoch,
            )
        torch.manual_seed(epoch)  # the state of the process that resumes must not matter
    resumed = train(spec, problem, commit="none", dirty=True, checkpoint=checkpoint)
    assert resumed.provenance.resumed == 2
    assert resumed.provenance.started <= resumed.provenance.finished
    assert compare_results(whole, resumed).identical


class DrawnWeights:
    """An aggregator whose weights are draws, from its generator and from the global one, so that every draw matters."""

    degree = 1.0

    def weighting(self, gramian: Tensor, *, generator: torch.Generator | None = None) -> Weighted:
        weights = torch.rand(len(gramian), generator=generator, dtype=torch.float64)
        return Weighted(weights + torch.rand(len(gramian)), 0.0, "solved")

    def __call__(
        self, task_grads: Tensor, *, generator: torch.Generator | None = None, out: Tensor | None = None
    ) -> Tensor:
        weights = self.weighting(torch.zeros(len(task_grads), len(task_grads)), generator=generator).weights
        return torch.mv(task_grads.T, weights.to(task_grads.dtype), out=out)


def test_a_resumed_run_goes_on_drawing_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For two tasks PCGrad's result does not depend on its orders: another random method shows the generator."""
    monkeypatch.setitem(methods.AGGREGATORS, "PCGrad", DrawnWeights)
    spec = tiny_spec(aggregator="PCGrad")
    whole = run(spec)
    asked = iter([False] * 4 + [True])
    checkpoint = tmp_path / "run.pt"
    with pytest.raises(TrainingStopped, match="epoch 2"):
        run(spec, checkpoint=checkpoint, should_stop=lambda: next(asked))
    assert compare_results(whole, run(spec, checkpoint=checkpoint)).identical


def test_a_run_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(11)
    before = torch.get_rng_state()
    run(tiny_spec(epochs=1))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_checkpoint_of_other_data_or_another_run_is_refused(tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.pt"
    run(tiny_spec(), checkpoint=checkpoint)
    other_data = LoadedProblem(
        PROBLEM.train, PROBLEM.validation, Split(PROBLEM.test.examples, PROBLEM.test.labels, "another sum")
    )
    with pytest.raises(CheckpointError, match=r"data_sha256.*Remove the file"):
        train(tiny_spec(), other_data, commit="none", dirty=True, checkpoint=checkpoint)
    with pytest.raises(CheckpointError, match="holds key"):
        run(tiny_spec(seed=1), checkpoint=checkpoint)


@pytest.mark.parametrize("mode", ["erm", "decomposed"])
def test_a_run_that_diverges_names_epoch_step_and_task(mode: Mode) -> None:
    with pytest.raises(TrainingFailed, match=r"epoch 1, step 2: .*task 1 is (nan|inf)"):
        run(tiny_spec(mode=mode, learning_rate=1e30))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_train": 81}, "split 'train' has 80 examples, the spec asks for 81"),
        ({"n_test": 40}, "split 'test' has 41 examples"),
        ({"epochs": 0}, "epochs 0"),
        ({"probe_batches": 3}, "the probe's full batches must fit"),
        ({"probe_batches": 0}, "probe_batches 0"),
    ],
)
def test_a_spec_that_does_not_fit_the_data_is_refused(changes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(tiny_spec(**changes))
