"""Rows of the exhibits: aggregation over seeds, the paper's numbers unchanged, order, sources, bad input."""

import csv
import math
import statistics
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import catalog, profiles
from experiments.results import Result
from experiments.spec import CLASSES, DENSE, ProblemName, Spec, method_label
from paper_figures import fig_conflict, runs, tab_beyond_vision, tab_cost, tab_multi_mnist
from paper_figures.exhibit import EXPECTED, Columns, RunExhibit, Table, from_csv, to_csv
from paper_figures.registry import EXHIBITS
from paper_figures.runs import RHO
from tests.figures.synthetic import result

LAPTOP = tuple(result(spec) for spec in catalog.specs("laptop") if spec.problem == "multi_fashion")
RUN_EXHIBITS = [exhibit for exhibit in EXHIBITS if isinstance(exhibit, RunExhibit)]
SMOKE = tuple(result(spec) for spec in catalog.specs("smoke") if spec.problem in catalog.OVERLAYS)
ADULT = tuple(result(spec) for spec in catalog.specs("smoke") if spec.problem == "adult")
FACES = tuple(result(spec) for spec in catalog.specs("smoke") if spec.problem == "drawn_faces")
SCENES = tuple(result(spec) for spec in catalog.specs("smoke") if spec.problem in DENSE)
BEYOND = tuple(result(spec) for spec in catalog.specs("smoke") if tab_beyond_vision.uses(spec))
LOSS_WEIGHTED = {prefix + name for name in profiles.WEIGHTINGS for prefix in ("", "F-")}


def members(results: tuple[Result, ...], **choice: Any) -> list[Result]:
    """The results whose spec has these values: picked without the code under test."""
    return [item for item in results if all(getattr(item.spec, name) == value for name, value in choice.items())]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9))
def test_mean_and_deviation_are_the_sample_statistics(values: list[float]) -> None:
    mean, deviation = runs.mean_and_deviation(values)
    assert mean == pytest.approx(statistics.mean(values), rel=1e-12, abs=1e-6)
    if len(values) == 1:
        assert deviation is None
    else:
        assert deviation == pytest.approx(statistics.stdev(values), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize(
    ("measure", "accuracy"),
    [
        (tab_multi_mnist.MAIN, lambda item: item.test_best.accuracy),
        (tab_multi_mnist.LAST, lambda item: item.test_last.accuracy),
        (tab_multi_mnist.VALIDATION, lambda item: item.epochs[item.best_epoch - 1].validation_accuracy),
    ],
)
def test_table_1_aggregates_over_seeds(measure: str, accuracy: Callable[[Result], tuple[float, ...]]) -> None:
    chosen = members(LAPTOP, aggregator="MGDA", mode="decomposed", rho_shared=0.2)
    assert len(chosen) == 3
    expected = {
        "task 1": [100 * accuracy(item)[0] for item in chosen],
        "task 2": [100 * accuracy(item)[1] for item in chosen],
        "average": [100 * statistics.mean(accuracy(item)) for item in chosen],
    }
    rows = [
        row
        for row in tab_multi_mnist.data(LAPTOP, "laptop")
        if (row.method, row.setting, row.measure) == ("F-MGDA", f"{RHO} = 0.2", measure)
    ]
    assert {row.quantity for row in rows} == set(expected)
    for row in rows:
        assert row.n == 3
        assert row.mean == pytest.approx(statistics.mean(expected[row.quantity]), rel=1e-12)
        assert row.std == pytest.approx(statistics.stdev(expected[row.quantity]), rel=1e-9)


def test_one_seed_has_no_deviation() -> None:
    rows = tab_multi_mnist.data(members(LAPTOP, seed=0), "laptop")
    own = [row for row in rows if row.n]
    assert own
    assert all(row.n == 1 and row.std is None for row in own)
    cells = {
        cell for _, lines in tab_multi_mnist.table(own).sections for line in lines for cell in line[3:6] + line[9:]
    }
    assert not any("±" in cell for cell in cells)


def test_every_number_of_the_papers_table_is_shown_unchanged() -> None:
    rows = tab_multi_mnist.data(SMOKE, "smoke")
    shown = {(row.method, row.problem, row.quantity): row for row in rows if row.paper_source == "Table 1"}
    with (EXPECTED / "table1_multi_mnist.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    compared = 0
    for line in lines:
        for column in (name.removesuffix("_mean") for name in line if name.endswith("_mean")):
            problem, quantity = column.rsplit("_", 1)
            row = shown[line["method"], problem, quantity.replace("task", "task ")]
            assert row.paper_mean == float(line[f"{column}_mean"])
            assert row.paper_std == float(line[f"{column}_std"])
            compared += 1
    assert compared == len(shown) == 9 * len(lines) > 0


def test_methods_that_only_the_follow_up_has_are_marked() -> None:
    rows = tab_multi_mnist.data(SMOKE, "smoke")
    follow_up = [row for row in rows if row.paper_source == "authors' follow-up"]
    assert {row.method for row in follow_up} == {"LS", "F-LS"}
    assert all(row.paper_std is None for row in follow_up)
    for _, lines in tab_multi_mnist.table(rows).sections:
        for line in lines:
            assert all(cell.endswith("‡") for cell in line[6:9]) == (line[0] in {"LS", "F-LS"})


def test_no_number_is_invented_for_what_the_paper_does_not_report() -> None:
    wanted = {"F-STL", "SAM-sum"} | LOSS_WEIGHTED
    silent = [row for row in tab_multi_mnist.data(SMOKE, "smoke") if row.method in wanted]
    assert {row.method for row in silent} == wanted
    assert all(row.paper_mean is None and row.paper_source is None for row in silent)


def test_methods_that_did_not_run_show_the_paper_alone() -> None:
    rows = [row for row in tab_multi_mnist.data(LAPTOP, "laptop") if row.n == 0]
    assert {row.method for row in rows} == {
        name
        for name in runs.METHOD_ORDER
        if name
        not in {"LS", "F-LS", "MGDA", "F-MGDA", "CAGrad", "F-CAGrad", "IMTL", "F-IMTL", "F-STL", "SAM-sum"}
        | LOSS_WEIGHTED
    }
    assert all(row.mean is None and row.std is None and row.problem == "multi_fashion" for row in rows)


def test_methods_stand_in_the_papers_order() -> None:
    lines = tab_multi_mnist.table(tab_multi_mnist.data(SMOKE, "smoke")).sections[0][1]
    assert [line[0] for line in lines] == list(runs.METHOD_ORDER)
    with (EXPECTED / "table1_multi_mnist.csv").open(newline="") as file:
        reported = [line["method"] for line in csv.DictReader(file)]
    assert [line[0] for line in lines if line[0] in reported] == reported


def test_conflict_rows_take_the_steps_where_they_form_these_gradients_and_the_probe_elsewhere() -> None:
    rows = fig_conflict.data(LAPTOP, "laptop")
    own = [row for row in rows if row.source != "paper"]
    for row in own:
        assert row.source == ("probe" if row.training == "ERM" and row.quantity != "inter-loss" else "during")
    erm = members(LAPTOP, aggregator="CAGrad", mode="erm")
    (row,) = (row for row in own if (row.method, row.quantity, row.epoch) == ("CAGrad", "intra task 2", 7))
    shares = [100 * item.epochs[6].probe.intra[1] for item in erm if item.epochs[6].probe.intra]
    assert len(shares) == row.n == 3
    assert row.mean == pytest.approx(statistics.mean(shares), rel=1e-12)
    assert (row.lowest, row.highest) == (min(shares), max(shares))


def test_intra_conflict_is_the_mean_over_tasks() -> None:
    rows = fig_conflict.data(SMOKE, "smoke")
    groups: dict[tuple[str, str, str, int], dict[str, float]] = {}
    for row in rows:
        groups.setdefault((row.problem, row.method, row.setting, row.epoch), {})[row.quantity] = row.mean
    own = [group for group in groups.values() if "intra" in group]
    assert own
    for group in own:
        assert group["intra"] == pytest.approx((group["intra task 1"] + group["intra task 2"]) / 2, rel=1e-12)


def test_the_papers_curves_are_the_digitised_points() -> None:
    rows = [row for row in fig_conflict.data(LAPTOP, "laptop") if row.source == "paper"]
    with (EXPECTED / "figure3_conflict_percent.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    for training, column in (("ERM", "erm"), ("decomposed", "decomposed")):
        shown = {row.epoch: row.mean for row in rows if row.training == training}
        assert shown == {int(line["epoch"]): float(line[column]) for line in lines}


def test_runs_without_gradients_of_tasks_are_not_part_of_the_conflict_figure() -> None:
    assert {method_label(item.spec) for item in SMOKE if not fig_conflict.uses(item.spec)} == {
        "STL",
        "F-STL",
        "SAM-sum",
    }


def test_cost_rows_are_means_over_seeds() -> None:
    chosen = members(SMOKE, problem="multi_mnist", aggregator="PCGrad", mode="decomposed")
    (row,) = (row for row in tab_cost.data(SMOKE, "smoke") if (row.problem, row.method) == ("multi_mnist", "F-PCGrad"))
    assert row.n == len(chosen) == 2
    assert row.seconds == pytest.approx(statistics.mean(item.seconds_training for item in chosen), rel=1e-12)
    assert row.seconds_std == pytest.approx(statistics.stdev(item.seconds_training for item in chosen), rel=1e-9)
    assert row.gradient_evaluations == chosen[0].gradient_evaluations


@pytest.mark.parametrize("problem", tab_beyond_vision.TASKS)
def test_beyond_vision_shows_every_task_of_every_method(problem: ProblemName) -> None:
    names = tab_beyond_vision.quantities(problem)[1:]
    assert len(names) == len(CLASSES[problem]) == len(tab_beyond_vision.MAJORITY[problem])
    chosen = members(BEYOND, problem=problem, aggregator="CAGrad", mode="erm")
    own = [row for row in tab_beyond_vision.data(BEYOND, "smoke") if row.problem == problem]
    rows = {row.quantity: row for row in own if row.method == "CAGrad"}
    for task, quantity in enumerate(names):
        shares = [100 * item.test_best.accuracy[task] for item in chosen]
        assert rows[quantity].mean == pytest.approx(statistics.mean(shares), rel=1e-12)
        assert rows[quantity].loss == pytest.approx(statistics.mean(item.test_best.loss[task] for item in chosen))
    tasks = [rows[quantity].mean for quantity in names]
    assert rows["average"].mean == pytest.approx(statistics.mean(tasks), rel=1e-12)
    ((title, lines),) = tab_beyond_vision.table(own).sections
    (line,) = (line for line in lines if line[0] == "CAGrad")
    assert title == runs.PROBLEM_TITLES[problem]
    assert [float(cell.split(" ± ")[0]) for cell in line[4 : 4 + len(names)]] == [round(mean, 2) for mean in tasks]


def test_beyond_vision_has_a_table_for_each_problem_and_the_captions_tell_of_each() -> None:
    tables = tab_beyond_vision.EXHIBIT.tables(tab_beyond_vision.data(BEYOND, "smoke"))
    titles = [runs.PROBLEM_TITLES[name] for name in tab_beyond_vision.TASKS]
    assert [table.title for table in tables] == ["", *titles[1:]]
    text = tab_beyond_vision.caption([item.spec for item in BEYOND])
    assert all(about in text for about in tab_beyond_vision.ABOUT.values())


def test_a_caption_tells_the_setting_of_each_kind_of_data() -> None:
    text = runs.protocol([item.spec for item in (*SMOKE, *ADULT)])
    assert text.startswith(
        "Profile smoke: MultiFashion, MultiMNIST, MultiFashion+MNIST: LeNet, 3,000 training overlays"
    )
    assert "; Adult: a perceptron with two hidden layers, 3,000 training people" in text


@pytest.mark.parametrize("exhibit", RUN_EXHIBITS, ids=lambda exhibit: exhibit.name)
@pytest.mark.parametrize("results", [SMOKE, LAPTOP, ADULT], ids=["smoke", "laptop", "adult"])
def test_rows_depend_on_nothing_but_the_set_of_results(exhibit: Any, results: tuple[Result, ...]) -> None:
    profile = results[0].spec.profile
    used = [item for item in results if exhibit.uses(item.spec)]
    assert exhibit.data(used, profile) == exhibit.data(used[::-1], profile)


@pytest.mark.parametrize("exhibit", RUN_EXHIBITS, ids=lambda exhibit: exhibit.name)
def test_csv_round_trip(exhibit: Any) -> None:
    used = [item for item in LAPTOP if exhibit.uses(item.spec)]
    others = (exhibit.data(some, "smoke") for some in (ADULT, FACES, SCENES))
    rows = exhibit.data(used, "laptop") or next(filter(None, others))
    assert from_csv(to_csv(rows), type(rows[0])) == rows


@pytest.mark.parametrize("exhibit", RUN_EXHIBITS, ids=lambda exhibit: exhibit.name)
def test_no_results_no_rows(exhibit: Any) -> None:
    assert exhibit.data((), "paper") == ()


@pytest.mark.parametrize(
    "text", ["epoch,decomposed\n1,2\n", "epoch,decomposed,erm\n1,2,x\n", "epoch,decomposed,erm,a\n1,2,3,4\n"]
)
def test_csv_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        from_csv(text, fig_conflict.DigitisedPoint)


def test_a_run_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"seeds .* repeat"):
        tab_multi_mnist.data([LAPTOP[0], LAPTOP[0]], "laptop")


def test_runs_of_another_length_are_another_row_and_say_so() -> None:
    spec = catalog.specs("laptop")[0]
    longer = msgspec.structs.replace(spec, epochs=2 * spec.epochs)
    rows = tab_multi_mnist.data([result(spec), result(longer)], "laptop")
    assert {row.setting for row in rows if row.n} == {f"epochs = {spec.epochs}", f"epochs = {longer.epochs}"}
    assert "epochs" not in runs.protocol([spec, longer])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ""),
        ({"rho_shared": 0.05, "rho_heads": 0.05}, f"{RHO} = 0.05"),
        ({"rho_shared": 0.05, "rho_heads": 0.0}, f"{RHO} shared = 0.05, {RHO} heads = 0"),
        ({"rho_shared": 2.0, "rho_heads": 2.0, "norm": "joint", "adaptive": True}, f"{RHO} = 2, joint norm, adaptive"),
        ({"conventions": "authors_unit_rows"}, "authors' code, MGDA of unit rows"),
        ({"attention": "shared"}, "attention counted as shared"),
        ({"aggregator_options": (("alpha", 2.0), ("scale", "norm"))}, "alpha = 2, scale = norm"),
    ],
)
def test_setting_names_what_distinguishes_runs(changes: dict[str, Any], expected: str) -> None:
    assert runs.setting(msgspec.structs.replace(catalog.specs("smoke")[0], **changes)) == expected


def test_settings_and_labels_tell_all_runs_of_the_catalog_apart() -> None:
    for name in catalog.NAMES:
        specs: tuple[Spec, ...] = catalog.specs(name)
        names = {
            (spec.problem, method_label(spec), runs.setting(spec, runs.differing_fields(specs)), spec.seed)
            for spec in specs
        }
        assert len(names) == len(specs)


def test_a_table_with_a_line_of_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells, the table has 3 columns"):
        Table(columns=(Columns("", ("a", "b", "c")),), sections=(("section", (("1", "2"),)),))


def test_shares_of_conflict_are_percentages() -> None:
    assert all(0 <= row.lowest <= row.mean <= row.highest <= 100 for row in fig_conflict.data(SMOKE, "smoke"))


def test_epochs_that_a_seed_did_not_record_are_refused() -> None:
    first, second = members(LAPTOP, aggregator="MGDA", mode="erm")[:2]
    record = first.epochs[0]
    without = msgspec.structs.replace(record, probe=msgspec.structs.replace(record.probe, inter_flat=None))
    broken = msgspec.structs.replace(first, epochs=(without, *first.epochs[1:]))
    with pytest.raises(ValueError, match="epoch 1: inter-flat is not recorded for each seed"):
        fig_conflict.data([broken, second], "laptop")


def test_exhibits_have_names_of_their_own() -> None:
    assert len({exhibit.name for exhibit in EXHIBITS}) == len(EXHIBITS)
    assert all(exhibit.name and exhibit.location and exhibit.title for exhibit in EXHIBITS)
    assert not any(math.isnan(row.mean) for row in fig_conflict.data(LAPTOP, "laptop"))
