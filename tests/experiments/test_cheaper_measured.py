"""What the measurement of the cheaper variants keeps: the exact run it watches, deviations, and strict files."""

import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from experiments import catalog
from experiments.cheaper import __main__ as command
from experiments.cheaper.measure import Direction, WatchedRun, angle, deviation, measure, variant_records
from experiments.cheaper.records import (
    BASE,
    EXACT,
    MEASURED_SHELF,
    OTHER_BATCH,
    Measured,
    Measurement,
    measurements,
)
from experiments.results import StoreError
from experiments.train import train
from tests.experiments.tiny_problem import tiny_problem, tiny_spec


def tiny_measurement(**changes: Any) -> Measurement:
    """Two epochs of three batches, a checkpoint at the end of each."""
    fields: dict[str, Any] = {"training": tiny_spec(aggregator="CAGrad"), "epochs": 2, "every": 3, "ages": 2}
    return Measurement(**(fields | changes))


@pytest.fixture(scope="module")
def measured() -> Measured:
    return measure(tiny_measurement(), tiny_problem(), commit="abc", dirty=False)


def with_numbers(measured: Measured, **changes: Any) -> Measured:
    """The same with other fields in its first checkpoint."""
    first = msgspec.structs.replace(measured.checkpoints[0], **changes)
    return msgspec.structs.replace(measured, checkpoints=(first, *measured.checkpoints[1:]))


def test_the_watched_run_is_the_training_run(tmp_path: Path) -> None:
    measurement = tiny_measurement()
    run = WatchedRun(measurement, tiny_problem())
    seen = [list(run.epoch(number, 3 * (number - 1))) for number in (1, 2)]
    assert [len(checkpoints) for checkpoints in seen] == [1, 1]
    train(measurement.training, tiny_problem(), commit="abc", dirty=False, weights=tmp_path / "weights.pt")
    (last,) = torch.load(tmp_path / "weights.pt", weights_only=True)["last"]
    for name, value in run.network.state_dict().items():
        torch.testing.assert_close(value, last[name], rtol=1e-5, atol=1e-7, msg=name)


def test_the_measurement_repeats_itself(measured: Measured) -> None:
    state = torch.get_rng_state()
    again = measure(tiny_measurement(), tiny_problem(), commit="abc", dirty=False)
    assert torch.equal(torch.get_rng_state(), state)

    def numbers(one: Measured) -> list[Any]:
        return [
            [checkpoint.step, checkpoint.loss_length, checkpoint.flat_length]
            + [msgspec.structs.replace(value, seconds=0.0) for value in checkpoint.directions.values()]
            for checkpoint in one.checkpoints
        ]

    assert numbers(again) == numbers(measured)


def test_checkpoints_know_the_exact_direction_and_the_one_without_flat_part(measured: Measured) -> None:
    assert [(one.step, one.epoch) for one in measured.checkpoints] == [(2, 1), (5, 2)]
    for checkpoint in measured.checkpoints:
        exact, base = checkpoint.directions[EXACT], checkpoint.directions[BASE]
        assert exact.relative_error < 1e-5
        assert exact.flat_relative_error < 1e-4
        assert exact.angle < 1e-2
        assert (base.flat_angle, base.flat_relative_error, base.flat_length_ratio) == (None, 1.0, 0.0)
        exact_length = checkpoint.loss_length / base.length_ratio
        assert base.relative_error == pytest.approx(checkpoint.flat_length / exact_length, rel=1e-4)
        assert checkpoint.directions[OTHER_BATCH].relative_error > 1e-2
        assert min(one.seconds for one in checkpoint.directions.values()) > 0


def test_every_schedule_takes_directions_that_are_measured_in_shares_of_one(measured: Measured) -> None:
    five = measure(tiny_measurement(every=5, ages=4), tiny_problem(), commit="abc", dirty=False)
    assert {variant.name for variant in five.variants} == {variant.name for variant in measured.variants}
    for variant in five.variants:
        assert math.fsum(variant.schedule.values()) == pytest.approx(1)
        for checkpoint in five.checkpoints:
            assert variant.schedule.keys() <= checkpoint.directions.keys()


def test_costs_are_ordered_as_their_formulas(measured: Measured) -> None:
    costs = {variant.name: variant.cost for variant in variant_records(2, 0.5, 0.25, 100)}
    assert costs[EXACT] == pytest.approx(3.5)
    assert costs[BASE] == pytest.approx(1.5)
    assert costs["every 5th step"] == pytest.approx(1.9)
    assert costs["last layers"] == pytest.approx(2.0)
    assert costs["last layers, all gradients"] == pytest.approx(2.75)
    assert costs["SAMO"] == pytest.approx(5.0)
    assert measured.tasks == 2
    assert measured.behind_share > 0
    assert measured.forward_share > 0


@pytest.mark.parametrize("degrees", [0.0, 1e-6, 30.0, 90.0, 179.999999, 180.0])
def test_angles_are_accurate_at_both_ends(degrees: float) -> None:
    one = torch.tensor([2.0, 0.0], dtype=torch.float64)
    turn = math.radians(degrees)
    other = 3 * torch.tensor([math.cos(turn), math.sin(turn)], dtype=torch.float64)
    assert angle(one, other) == pytest.approx(degrees, rel=1e-9, abs=1e-9)


def test_a_deviation_is_what_it_says() -> None:
    exact = Direction(torch.tensor([2.0, 0.0]).double(), torch.tensor([1.0, 0.0]).double(), 1.0)
    found = deviation(Direction(torch.tensor([1.0, 1.0]).double(), torch.tensor([0.0, 1.0]).double(), 2.0), exact)
    assert found.angle == pytest.approx(45)
    assert found.relative_error == pytest.approx(math.sqrt(2) / 2)
    assert found.length_ratio == pytest.approx(math.sqrt(2) / 2)
    assert (found.flat_angle, found.flat_length_ratio) == (pytest.approx(90), pytest.approx(1))
    assert found.flat_relative_error == pytest.approx(math.sqrt(2))
    with pytest.raises(ValueError, match="nothing to compare"):
        deviation(found=exact, exact=Direction(exact.whole, torch.zeros(2).double(), 1.0))


def test_checkpoints_that_are_too_near_are_refused() -> None:
    with pytest.raises(ValueError, match="every 2 steps"):
        measure(tiny_measurement(every=2, ages=2), tiny_problem(), commit="abc", dirty=False)


def test_a_measurement_survives_its_file(measured: Measured, tmp_path: Path) -> None:
    assert MEASURED_SHELF.find([tmp_path], measured.measurement) is None
    path = MEASURED_SHELF.save(tmp_path, measured)
    assert path == MEASURED_SHELF.path(tmp_path, measured.measurement)
    assert MEASURED_SHELF.read(path) == measured
    assert MEASURED_SHELF.find([tmp_path / "none", tmp_path], measured.measurement) == measured


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_is_not_written(measured: Measured, value: float, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="loss_length"):
        MEASURED_SHELF.save(tmp_path, with_numbers(measured, loss_length=value))
    with pytest.raises(StoreError, match="is not the key"):
        MEASURED_SHELF.save(tmp_path, msgspec.structs.replace(measured, key="0" * 16))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"schema_version":1', b'"schema_version":0', "schema version 0"),
        (b'"tasks":2', b'"tasks":"2"', "not a measurement"),
        (b'"tasks":2', b'"tasks":2,"more":1', "not a measurement"),
        (b'"commit"', b'"committed"', "not a measurement"),
        (b"{", b"[", "not a measurement"),
    ],
)
def test_a_file_that_was_changed_is_refused(
    measured: Measured, old: bytes, new: bytes, message: str, tmp_path: Path
) -> None:
    path = MEASURED_SHELF.save(tmp_path, measured)
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))
    with pytest.raises(StoreError, match=message):
        MEASURED_SHELF.read(path)


def test_a_file_under_another_name_is_refused(measured: Measured, tmp_path: Path) -> None:
    path = MEASURED_SHELF.save(tmp_path, measured)
    with pytest.raises(StoreError, match="holds key"):
        MEASURED_SHELF.read(path.rename(tmp_path / "0123456789abcdef.json"))


def test_keys_follow_what_is_measured() -> None:
    keys = [
        MEASURED_SHELF.key(one)
        for one in (
            tiny_measurement(),
            tiny_measurement(epochs=3),
            tiny_measurement(every=4),
            tiny_measurement(training=tiny_spec(aggregator="CAGrad", seed=1)),
        )
    ]
    assert len(set(keys)) == len(keys)


def test_the_list_watches_runs_of_the_laptop_profile() -> None:
    chosen = measurements()
    assert len(chosen) == 12
    assert {one.training for one in chosen} <= set(catalog.specs("laptop"))
    assert {(one.training.aggregator, one.training.rho_shared) for one in chosen} == {
        (aggregator, rho) for aggregator in ("Mean", "CAGrad") for rho in (0.05, 0.2)
    }


def test_the_command_has_nothing_to_do_when_all_is_measured(
    measured: Measured, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for one in measurements():
        MEASURED_SHELF.save(tmp_path, msgspec.structs.replace(measured, key=MEASURED_SHELF.key(one), measurement=one))
    assert command.main(store=tmp_path) == 0
    assert "12 skipped" in capsys.readouterr().out
