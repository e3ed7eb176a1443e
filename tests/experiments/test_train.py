"""One run: what is recorded, which weights are tested, what ends it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor

from experiments import run_state
from experiments.methods import (
    Method,
    gradient_evaluations_per_step,
)
from experiments.metrics import evaluate, to_input
from experiments.models import build_model
from experiments.spec import Mode, Spec
from experiments.splits import LoadedProblem, Split
from experiments.train import TrainingFailed, train
from tests.experiments.tiny_problem import SIZES, tiny_spec
from tests.experiments.tiny_runs import MODES, PROBLEM, run, spec_of


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


def test_a_run_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(11)
    before = torch.get_rng_state()
    run(tiny_spec(epochs=1))
    assert torch.equal(torch.get_rng_state(), before)


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
