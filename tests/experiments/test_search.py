"""The search for learning rates and radii: the same budget for every method, the choice on validation alone."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

import experiments.__main__ as commands
from experiments import catalog, profiles, searches
from experiments.methods import Method
from experiments.results import Result, StoreError, save_result
from experiments.search import choice, choose, validation
from experiments.searches import Search, read_search, save_search, search_path, searched_label, searched_specs
from experiments.spec import Spec
from tests.figures.synthetic import result

SPECS = searches.search_specs("adult")
METHOD = "F-CAGrad"
OWN = tuple(spec for spec in SPECS if searched_label(spec) == METHOD)
POINT = (searches.learning_rates(5)[1], profiles.RADII[2])
SECOND = (searches.learning_rates(5)[3], profiles.RADII[4])


def point(spec: Spec) -> tuple[float, float]:
    return spec.learning_rate, spec.rho_shared


def with_validation(spec: Spec, value: float) -> Result:
    """A run whose best epoch has this accuracy in all tasks on validation; test numbers say the opposite."""
    made = result(spec)
    last = msgspec.structs.replace(made.epochs[-1], validation_accuracy=(value,) * 4)
    test = msgspec.structs.replace(made.test_best, accuracy=(1 - value,) * 4)
    epochs = (*(msgspec.structs.replace(one, validation_accuracy=(0.0,) * 4) for one in made.epochs[:-1]), last)
    return msgspec.structs.replace(made, epochs=epochs, best_epoch=len(epochs), test_best=test, test_last=test)


def planted(seeds: dict[tuple[float, float], tuple[float, float]]) -> list[Result]:
    """All runs of one method: these points have the values of their two seeds, all others 0.5."""
    return [with_validation(spec, seeds.get(point(spec), (0.5, 0.5))[spec.seed]) for spec in OWN]


def test_every_method_has_the_same_number_of_configurations_seeds_and_epochs() -> None:
    runs = Counter(searched_label(spec) for spec in SPECS)
    assert set(runs.values()) == {searches.CONFIGURATIONS * searches.SEED_COUNT}
    assert len(runs) == len(searches.METHODS)
    configurations = {(searched_label(spec), *point(spec)) for spec in SPECS}
    assert Counter(label for label, *_ in configurations) == dict.fromkeys(runs, searches.CONFIGURATIONS)
    assert len({(spec.epochs, spec.n_train, spec.n_validation, spec.batch_size) for spec in SPECS}) == 1


def test_the_rates_of_methods_with_a_radius_are_among_those_without() -> None:
    many, few = searches.learning_rates(25), searches.learning_rates(5)
    assert set(few) < set(many)
    assert (many[0], many[-1]) == (few[0], few[-1]) == (3e-4, 3e-2)
    assert list(many) == sorted(set(many))


def test_the_best_mean_over_seeds_is_chosen() -> None:
    """(0.9, 0.5) has the best single run, (0.75, 0.75) the best mean."""
    found = choice(METHOD, planted({POINT: (0.75, 0.75), SECOND: (0.9, 0.5)}))
    assert (found.chosen.learning_rate, found.chosen.rho) == POINT
    assert found.chosen.validation == (0.75, 0.75)
    assert (found.ranked[1].learning_rate, found.ranked[1].rho) == SECOND
    assert found.ranked[1].validation == (0.9, 0.5)
    assert found.edge == ()
    assert (len(found.configurations), found.runs) == (25, 50)


def test_the_order_of_the_runs_does_not_matter_and_equals_are_taken_in_the_order_of_the_grid() -> None:
    runs = planted({POINT: (0.75, 0.5), SECOND: (0.5, 0.75)})
    found = choice(METHOD, runs)
    assert (found.chosen.learning_rate, found.chosen.rho) == POINT
    assert choice(METHOD, runs[::-1]) == found


def test_an_end_of_the_grid_is_said() -> None:
    assert choice(METHOD, planted({SECOND: (0.8, 0.8)})).edge == ("radius",)
    corner = (searches.learning_rates(5)[0], profiles.RADII[0])
    assert choice(METHOD, planted({corner: (0.8, 0.8)})).edge == ("learning rate", "radius")


def test_the_test_split_has_no_say() -> None:
    runs = planted({POINT: (0.75, 0.75), SECOND: (0.7, 0.7)})
    best = msgspec.structs.replace(runs[0].test_best, accuracy=(1.0,) * 4)
    other = [
        msgspec.structs.replace(one, test_best=best, test_last=best) if point(one.spec) == SECOND else one
        for one in runs
    ]
    assert choice(METHOD, runs) == choice(METHOD, other)
    assert validation(runs[0]) == validation(msgspec.structs.replace(runs[0], test_best=best, test_last=best))


def test_a_method_with_a_missing_run_has_no_choice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for one in planted({POINT: (0.75, 0.75)})[:-1]:
        save_result(tmp_path, one)
    found = choose("adult", tmp_path)
    assert found.choices == ()
    assert found.missing[METHOD] == 1
    assert set(found.missing) == {searched_label(spec) for spec in SPECS}
    assert (
        commands.app.cli(
            args=["search", "adult", "--runs", str(tmp_path), "--store", str(tmp_path), "--keep"], prog="experiments"
        )
        == 1
    )
    out = capsys.readouterr().out
    assert f"missing: 1 runs of {METHOD}: python -m experiments run search" in out
    assert not search_path(tmp_path, "adult").exists()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> tuple[Spec, ...]:
    """A search of two methods."""
    methods = [one for one in searches.METHODS if one[:2] in (("erm", "Mean"), ("decomposed", "CAGrad"))]
    monkeypatch.setattr(searches, "METHODS", tuple(methods))
    return searches.search_specs("adult")


def test_seeds_that_are_complete_for_every_method_decide(tmp_path: Path, few: tuple[Spec, ...]) -> None:
    """One run of seed 1 is missing: seed 0 alone, where SECOND is best; both seeds would choose POINT."""
    values = {POINT: (0.7, 0.9), SECOND: (0.75, 0.5)}
    for spec in few[:-1]:
        save_result(tmp_path, with_validation(spec, values.get(point(spec), (0.5, 0.5))[spec.seed]))
    found = choose("adult", tmp_path)
    assert (found.seeds, sum(found.missing.values())) == ((0,), 1)
    assert {(one.method, one.runs) for one in found.choices} == {(searched_label(spec), 25) for spec in few}
    (one,) = (one for one in found.choices if one.method == METHOD)
    assert (one.chosen.learning_rate, one.chosen.rho, one.chosen.validation) == (*SECOND, (0.75,))
    save_result(tmp_path, with_validation(few[-1], 0.5))
    found = choose("adult", tmp_path)
    (one,) = (one for one in found.choices if one.method == METHOD)
    assert (found.seeds, one.chosen.learning_rate, one.chosen.rho) == ((0, 1), *POINT)


def test_the_command_prints_and_keeps_the_choices(
    tmp_path: Path, few: tuple[Spec, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    for spec in few:
        save_result(tmp_path, with_validation(spec, 0.75 if point(spec) == POINT else 0.5))
    assert (
        commands.app.cli(
            args=["search", "adult", "--runs", str(tmp_path), "--store", str(tmp_path), "--keep"], prog="experiments"
        )
        == 0
    )
    out = capsys.readouterr().out
    assert "missing" not in out
    assert "25 configurations a method, seeds 0, 1," in out
    kept = msgspec.json.decode(search_path(tmp_path, "adult").read_bytes(), type=Search)
    assert kept == choose("adult", tmp_path)
    assert [one.method for one in kept.choices] == list(dict.fromkeys(searched_label(spec) for spec in few))
    assert {one.steps for one in kept.choices} == {50 * 4 * 47}


def test_every_method_of_the_smoke_list_on_adult_is_searched() -> None:
    """In the default ball and by the papers' formulas; ``second`` and ``each`` for three aggregators."""
    plain = [
        spec
        for spec in catalog.specs("smoke")
        if spec.problem == "adult" and spec.norm == "separate" and spec.conventions == "papers"
    ]
    lacking = {searched_label(spec) for spec in plain} - {searched_label(spec) for spec in SPECS}
    assert all(label.startswith(("second-aggregation", "each-aggregation")) for label in lacking)
    assert len({searched_label(spec) for spec in SPECS}) == len(searches.METHODS)


def test_the_choices_are_tried_on_new_seeds_and_more_test_examples(few: tuple[Spec, ...], tmp_path: Path) -> None:
    for spec in few:
        save_result(tmp_path, with_validation(spec, 0.75 if point(spec) == POINT else 0.5))
    tried = searched_specs(choose("adult", tmp_path))
    assert [spec.seed for spec in tried] == [seed for seed in searches.NEW_SEEDS for _ in range(2)]
    assert not {spec.seed for spec in tried} & {spec.seed for spec in few}
    assert {searched_label(spec): point(spec) for spec in tried}[METHOD] == POINT
    assert min(spec.n_test for spec in tried) > max(spec.n_test for spec in few)
    same = ("n_train", "n_validation", "epochs", "batch_size", "model")
    protocols = {tuple(getattr(spec, name) for name in same) for spec in (*tried, *few)}
    assert len(protocols) == 1
    for spec in tried:
        Method(spec)


def test_a_search_is_read_as_it_was_kept(few: tuple[Spec, ...], tmp_path: Path) -> None:
    for spec in few:
        save_result(tmp_path, with_validation(spec, 0.5))
    found = choose("adult", tmp_path)
    path = save_search(tmp_path / "kept", found)
    assert read_search(path) == found
    assert sum(found.computed.values()) == len(few)
    path.write_text(path.read_text().replace('"schema_version": 2', '"schema_version": 1'))
    with pytest.raises(StoreError, match="schema version 1, expected 2"):
        read_search(path)
    path.write_text("[]")
    with pytest.raises(StoreError, match="schema version None"):
        read_search(path)


def test_without_runs_the_kept_search_is_shown(
    few: tuple[Spec, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for spec in few:
        save_result(tmp_path, with_validation(spec, 0.75 if point(spec) == POINT else 0.5))
    save_search(tmp_path, choose("adult", tmp_path))
    args = ["search", "adult", "--runs", str(tmp_path / "none"), "--store", str(tmp_path)]
    assert commands.app.cli(args=args, prog="experiments") == 0
    assert "as kept:" in capsys.readouterr().out
