"""A run that is stopped and resumed is the same run; a checkpoint of another is refused."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from experiments import methods
from experiments.results import compare_results
from experiments.run_state import CheckpointError
from experiments.splits import LoadedProblem, Split
from experiments.train import TrainingStopped, train
from flatmtl_core import Weighted
from tests.experiments.tiny_problem import tiny_problem, tiny_spec
from tests.experiments.tiny_runs import PROBLEM, run


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "decomposed", "aggregator": "PCGrad"},
        {"mode": "sam_stl"},
        {"mode": "sam_sum"},
        pytest.param(
            {"mode": "erm", "model": "resnet18", "n_train": 8, "n_validation": 8, "n_test": 8, "batch_size": 4},
            marks=pytest.mark.thorough,
        ),
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
