"""Measures of one run from end to end: weights trained or taken, a strict record, the same twice."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from experiments.measures.records import (
    MEASURES_SHELF,
    RHO,
    Measures,
    Measuring,
    measurings,
)
from experiments.measures.run import measure, measure_trained, trained_network
from experiments.metrics import evaluate
from experiments.results import StoreError
from experiments.spec import method_label, spec_key
from tests.experiments.tiny_problem import tiny_problem, tiny_spec

TINY = {
    "radii": (0.1,),
    "sharpness_examples": 20,
    "steps": 2,
    "curvature_examples": 10,
    "probes": 2,
    "lanczos": 2,
    "noise_examples": 10,
    "gammas": (1.0,),
    "directions": 2,
    "premise_piece": 10,
    "landscape_examples": 10,
    "line": 3,
    "plane": 3,
}


def tiny_measuring(**changes: Any) -> Measuring:
    return Measuring(training=tiny_spec(epochs=1, n_test=40, **changes), **TINY)


def run(measuring: Measuring, folder: Path) -> Measures:
    return measure_trained(
        measuring, tiny_problem(n_test=40), commit="none", dirty=True, weights=folder / "weights", load=tiny_problem
    )


def test_a_run_is_trained_and_measured(tmp_path: Path) -> None:
    measuring = tiny_measuring()
    found = run(measuring, tmp_path)
    (weights,) = (tmp_path / "weights").iterdir()
    assert weights.name == f"{spec_key(measuring.training)}.pt"
    MEASURES_SHELF.save(tmp_path, found)
    assert MEASURES_SHELF.find([tmp_path], measuring) == found

    problem = tiny_problem(n_test=40)
    network = trained_network(measuring.training, problem, tmp_path / "weights", commit="none", dirty=True)
    losses, accuracies = evaluate([network], problem.test.examples, problem.test.labels)
    assert tuple(one.accuracy for one in found.calibration) == accuracies
    assert [one.loss for one in found.calibration] == pytest.approx(losses, rel=1e-6)
    assert [sum(one.counts) for one in found.foreign_entropy] == [40, 40]
    (ball,) = found.sharpness
    assert ball.common <= ball.own
    assert found.line.losses[1] == found.plane.losses[4]
    assert len(found.premises[0]) == len(found.curvature) == 2
    assert {"sharpness", "curvature", "premises"} < set(found.cpu_seconds)

    before = {name: value.clone() for name, value in network.state_dict().items()}
    again = measure(measuring, network.train(), problem, problem.test, commit="none", dirty=True)
    kept = {"provenance": found.provenance, "cpu_seconds": found.cpu_seconds, "foreign_entropy": found.foreign_entropy}
    assert msgspec.structs.replace(again, **kept) == found
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_weights_of_another_run_and_single_task_networks_are_refused(tmp_path: Path) -> None:
    problem, spec = tiny_problem(n_test=40), tiny_measuring().training
    trained_network(spec, problem, tmp_path, commit="none", dirty=True)
    other = msgspec.structs.replace(spec, seed=1)
    (tmp_path / f"{spec_key(spec)}.pt").rename(tmp_path / f"{spec_key(other)}.pt")
    with pytest.raises(ValueError, match="another run"):
        trained_network(other, problem, tmp_path, commit="none", dirty=True)
    with pytest.raises(ValueError, match="one network a task"):
        trained_network(tiny_spec(mode="stl"), problem, tmp_path, commit="none", dirty=True)


def test_records_that_can_not_be_trusted(tmp_path: Path) -> None:
    measuring = tiny_measuring(mode="erm")
    path = MEASURES_SHELF.save(tmp_path, run(measuring, tmp_path))
    measures = MEASURES_SHELF.read(path)
    with pytest.raises(StoreError, match="is not the key of its measuring"):
        MEASURES_SHELF.save(tmp_path, msgspec.structs.replace(measures, key="0" * 16))
    path.write_bytes(path.read_bytes().replace(b'"schema_version":1', b'"schema_version":2'))
    with pytest.raises(StoreError, match="schema version 2, expected 1"):
        MEASURES_SHELF.read(path)


def test_the_list_has_the_seven_methods_seed_by_seed() -> None:
    listed = measurings("laptop")
    assert len({MEASURES_SHELF.key(one) for one in listed}) == len(listed) == 21
    labels = ["LS", "SAM-sum", "F-LS", "direct CAGrad", "F-CAGrad", "MGDA", "F-MGDA"]
    assert [method_label(one.training) for one in listed[:7]] == labels
    assert [one.training.seed for one in listed] == [0] * 7 + [1] * 7 + [2] * 7
    assert {one.training.rho_shared for one in listed} == {0.0, RHO}
    for one in (*listed, *measurings("smoke")):
        assert one.training.n_test % one.premise_piece == 0
        assert one.line % 2 == one.plane % 2 == 1
