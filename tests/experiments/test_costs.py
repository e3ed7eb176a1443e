"""What a list costs: shortened runs of every kind, scaled part by part, beside the whole runs that are stored."""

import math
from pathlib import Path

import msgspec
import pytest

import experiments.__main__ as commands
from experiments import catalog, costs
from experiments.costs import amounts, core_hours, kinds, of_one_run, outside, predict, read_costs, shortened
from experiments.engines.estimate import kind
from experiments.results import CPU_PARTS, Result, StoreError, result_path, save_result
from experiments.spec import DENSE, Spec
from experiments.train import train
from tests.experiments.tiny_problem import tiny_problem, tiny_spec
from tests.figures.synthetic import result

LAPTOP = catalog.specs("laptop")


def timed(spec: Spec, second_per: dict[str, float]) -> Result:
    """A run each of whose parts took so many seconds for one step, batch, example or epoch."""
    parts = {part: second_per[part] * amount for part, amount in amounts(spec).items()}
    return msgspec.structs.replace(result(spec), cpu_seconds=parts)


RATES = {part: 2.0**-index for index, part in enumerate(CPU_PARTS)}


@pytest.mark.parametrize("name", catalog.NAMES)
def test_every_kind_of_every_list_has_a_shortened_run_that_fits(name: catalog.ProfileName) -> None:
    found = kinds(catalog.specs(name))
    assert sum(count for _, count in found.values()) == len(catalog.specs(name))
    for spec, _ in found.values():
        short = shortened(spec)
        assert short.probe_batches * short.batch_size <= short.n_train <= spec.n_train
        assert short.epochs * short.n_train <= 36 * spec.batch_size
        assert min(short.n_validation, short.n_test) >= 1
        fields = ("n_train", "n_validation", "n_test", "epochs")
        assert msgspec.structs.replace(short, **{field: getattr(spec, field) for field in fields}) == spec


@pytest.mark.parametrize("spec", [next(spec for spec in LAPTOP if spec.problem == name) for name in ("adult", "rooms")])
def test_each_part_grows_with_what_it_is_made_of(spec: Spec) -> None:
    short = timed(shortened(spec), RATES)
    assert predict(short, spec) == pytest.approx({part: RATES[part] * n for part, n in amounts(spec).items()})


def test_the_amounts_are_those_of_a_run() -> None:
    """Counted in a run, not only computed: steps, epochs, and the test split read as often as is said."""
    spec = tiny_spec(epochs=3)
    calls: dict[str, int] = {"validation": 0, "test": 0}

    class Counted:
        def __init__(self, name: str, split: object) -> None:
            self.name, self.split = name, split

        def __len__(self) -> int:
            return len(self.split)  # type: ignore[arg-type]

        def __getattr__(self, name: str) -> object:
            if name == "evaluate":
                calls[self.name] += len(self)
            return getattr(self.split, name)

    problem = tiny_problem()
    counted = type(problem)(
        problem.train,
        Counted("validation", problem.validation),  # type: ignore[arg-type]
        Counted("test", problem.test),  # type: ignore[arg-type]
    )
    made = train(spec, counted, commit="none", dirty=True)
    said = amounts(spec)
    assert said["step"] == made.steps
    assert {"validation": said["validation"], "test": said["test"]} == calls
    assert said["checkpoints"] == len(made.epochs)
    rooms = next(spec for spec in LAPTOP if spec.problem in DENSE)
    assert amounts(rooms)["test"] == (2 + len(result(rooms).test_recent)) * rooms.n_test


def test_a_run_of_another_kind_or_without_parts_predicts_nothing() -> None:
    plain, flat = (next(spec for spec in LAPTOP if spec.mode == mode) for mode in ("erm", "decomposed"))
    with pytest.raises(ValueError, match="not the shortened form"):
        predict(timed(shortened(plain), RATES), flat)
    with pytest.raises(ValueError, match="run it again"):
        predict(result(shortened(plain)), plain)


def test_stored_runs_stand_beside_the_prediction_and_replace_it_where_they_name_parts() -> None:
    listed = [spec for spec in LAPTOP if spec.problem == "adult" and spec.mode in ("erm", "sam_sum")]
    short = {one: timed(one, RATES) for one in (shortened(spec) for spec, _ in kinds(listed).values())}
    first = listed[0]
    same = [spec for spec in listed if kind(spec) == kind(first)]
    measured = timed(same[0], {part: 3 * rate for part, rate in RATES.items()})
    older = msgspec.structs.replace(result(same[1]), cpu_seconds_training=measured.cpu_seconds_training + 2)
    found = costs.costs("laptop", listed, short, [measured, older])
    cost = next(one for one in found.kinds if kind(one.spec) == kind(first))
    assert (cost.runs, cost.stored, cost.timed) == (len(same), 2, 1)
    assert cost.training == pytest.approx(measured.cpu_seconds_training + 1)
    assert of_one_run(cost) == pytest.approx(3 * math.fsum(cost.predicted.values()))
    others = [one for one in found.kinds if one is not cost]
    assert others
    assert all(of_one_run(one) == pytest.approx(math.fsum(one.predicted.values())) for one in others)
    whole, stored = core_hours([cost])
    assert whole * 3600 == pytest.approx(len(same) * of_one_run(cost))
    assert stored == pytest.approx(whole * 2 / len(same))


def test_outside_the_step_are_batches_means_and_checkpoints() -> None:
    parts = dict.fromkeys(CPU_PARTS, 100.0) | {"step": 10.0, "batches": 0.5, "running means": 0.25, "checkpoints": 0.05}
    assert outside(parts) == pytest.approx(0.08)


def test_the_command_times_every_kind_once_and_keeps_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two seeds of one kind, one run of another: two shortened runs, which a second call does not repeat."""
    listed = (tiny_spec(), tiny_spec(seed=1), tiny_spec(mode="erm", rho_shared=0.0, rho_heads=0.0))
    monkeypatch.setattr(catalog, "specs", lambda name: listed)
    monkeypatch.setattr(commands, "load", tiny_problem)
    store, short = tmp_path / "store", tmp_path / "short"
    assert commands.costs("smoke", store=store, shortened=short, keep=True) == 0
    printed = capsys.readouterr().out
    assert "core-hours" in printed
    assert "Training LeNet" in printed
    found = read_costs(store / costs.STORED.name)
    assert [(one.runs, one.stored) for one in found.kinds] == [(2, 0), (1, 0)]
    paths = [result_path(short, shortened(one.spec)) for one in found.kinds]
    times = [path.stat().st_mtime_ns for path in paths]
    save_result(store, msgspec.structs.replace(result(listed[0]), cpu_seconds=dict.fromkeys(CPU_PARTS, 1.0)))
    assert commands.costs("smoke", store=store, shortened=short, keep=True) == 0
    assert [path.stat().st_mtime_ns for path in paths] == times
    assert next(of_one_run(one) for one in read_costs(store / costs.STORED.name).kinds) == len(CPU_PARTS)


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "costs.json"
    path.write_text('{"schema_version": 1, "name": "laptop"}', encoding="utf-8")
    with pytest.raises(StoreError, match=r"not a table of costs.*--keep"):
        read_costs(path)
