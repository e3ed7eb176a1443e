"""Fig. R1.2: what a method reaches within a budget of backward passes and of time."""

import matplotlib.pyplot as plt
import msgspec
import pytest

from experiments import catalog
from experiments.results import Result
from experiments.spec import CLASSES, Spec, method_label
from paper_figures.fig_budget import EXHIBIT, BudgetRow, caption, data, draw, table, uses
from tests.figures.synthetic import result

EPOCHS = 4
SPECS = tuple(
    spec
    for spec in catalog.specs("smoke")
    if spec.problem == "adult" and spec.mode in ("erm", "decomposed") and spec.aggregator in ("Mean", "MGDA")
    if spec.norm == "separate" and spec.conventions == "papers"
)
CURVES = {"LS": (60.0, 70.0, 80.0, 75.0), "F-LS": (65.0, 85.0, 90.0, 95.0)}


def planted(spec: Spec, shift: float = 0.0) -> Result:
    """Plain: 48 passes and one second an epoch; flat: twice as many, in three times the time."""
    label, made = method_label(spec), result(spec)
    curve, cost = CURVES.get(label, (50.0,) * EPOCHS), 1 if spec.mode == "erm" else 2
    epochs = tuple(
        msgspec.structs.replace(
            record, validation_accuracy=((value + shift) / 100,) * 4, seconds=1.0 if cost == 1 else 3.0
        )
        for record, value in zip(made.epochs, curve, strict=True)
    )
    best = curve.index(max(curve)) + 1
    return msgspec.structs.replace(made, epochs=epochs, best_epoch=best, gradient_evaluations=192 * cost)


CONTENT = tuple(planted(spec, shift=1.0 - 2.0 * spec.seed) for spec in SPECS)
ROWS = data(CONTENT, "smoke")


def rows_of(method: str) -> list[BudgetRow]:
    return [row for row in ROWS if row.method == method]


def test_costs_add_up_and_accuracies_are_means_over_seeds() -> None:
    plain, flat = rows_of("LS"), rows_of("F-LS")
    assert [row.evaluations for row in plain] == [48, 96, 144, 192]
    assert [row.seconds for row in flat] == [3, 6, 9, 12]
    assert [row.accuracy for row in flat] == pytest.approx([65, 85, 90, 95])
    assert (flat[0].lowest, flat[0].highest, flat[0].n) == (pytest.approx(64), pytest.approx(66), 2)


def test_the_table_shows_the_best_epoch_that_the_cheapest_budget_pays_for() -> None:
    ((title, lines),) = table(ROWS).sections
    assert title == "Adult: 192 backward passes, 4.0 s"
    cells = {line[0]: line[1:] for line in lines}
    assert cells["LS"][2:] == ("192", "4.0", "80.00 (epoch 3)", "80.00 (epoch 3)", "80.00 (epoch 3)")
    assert cells["F-LS"][2:] == ("384", "12.0", "95.00 (epoch 4)", "85.00 (epoch 2)", "65.00 (epoch 1)")


def test_a_method_that_has_no_epoch_within_the_budget_has_no_value() -> None:
    slow = [msgspec.structs.replace(row, seconds=100 * row.seconds) if row.method == "F-LS" else row for row in ROWS]
    ((_, lines),) = table(slow).sections
    assert {line[0]: line[-1] for line in lines}["F-LS"] == ""


def test_the_best_setting_is_taken() -> None:
    specs = [spec for spec in SPECS if method_label(spec) == "F-LS"]
    other = [planted(msgspec.structs.replace(spec, rho_shared=0.2, rho_heads=0.2), shift=2.0) for spec in specs]
    rows = [row for row in data((*CONTENT, *other), "smoke") if row.method == "F-LS"]
    assert {row.setting for row in rows} == {"ρ = 0.2"}
    assert len(rows) == EPOCHS


def test_schedules_are_left_out() -> None:
    left_out = {spec.mode for spec in catalog.specs("smoke") if spec.problem in CLASSES and not uses(spec)}
    assert left_out == {"every_kth", "random_steps", "late_phase"}


def test_the_figure_has_a_line_a_method_in_each_panel() -> None:
    figure = draw(ROWS)
    try:
        for axes, cost in zip(figure.axes, ("evaluations", "seconds"), strict=True):
            lines = {line.get_label(): line for line in axes.get_lines()}
            assert set(lines) == {"LS", "MGDA", "F-LS (ρ = 0.05)", "F-MGDA (ρ = 0.05)"}
            assert list(lines["LS"].get_xdata()) == [getattr(row, cost) for row in rows_of("LS")]
    finally:
        plt.close(figure)


def test_the_caption_says_what_is_counted() -> None:
    text = caption(SPECS)
    assert text.startswith("Profile smoke")
    assert "Validation accuracy, not test accuracy" in text
    assert EXHIBIT.location == "Fig. R1.2"
