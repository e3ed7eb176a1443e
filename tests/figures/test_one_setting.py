"""Table R1.8: radii chosen on validation, differences paired by seed, nothing said from too few runs."""

import statistics

import matplotlib.pyplot as plt
import msgspec
import pytest

from experiments import catalog, profiles
from experiments.results import Result
from experiments.spec import Spec, method_label
from paper_figures import tab_one_setting
from paper_figures.exhibit import OTHER_COLOUR
from paper_figures.runs import RHO
from tests.figures.synthetic import result

LAPTOP = tuple(result(spec) for spec in catalog.specs("laptop") if spec.problem == "multi_fashion")


def validation(one: Result) -> float:
    return statistics.fmean(one.epochs[one.best_epoch - 1].validation_accuracy)


def with_test_accuracy(one: Result, value: float) -> Result:
    return msgspec.structs.replace(one, test_best=msgspec.structs.replace(one.test_best, accuracy=(value, value)))


def test_each_method_stands_at_its_best_radius_on_validation() -> None:
    rows = tab_one_setting.data(LAPTOP, "laptop")
    means = {
        rho: statistics.fmean(
            validation(one) for one in LAPTOP if method_label(one.spec) == "F-MGDA" and one.spec.rho_shared == rho
        )
        for rho in profiles.RADII
    }
    best = max(means, key=means.__getitem__)
    assert {row.left_setting for row in rows if row.left == "F-MGDA"} == {f"{RHO} = {best:g}"}
    assert {row.right_setting for row in rows if row.right == "MGDA"} == {""}


def test_every_question_is_asked_of_every_method_that_ran() -> None:
    pairs = {(row.left, row.right) for row in tab_one_setting.data(LAPTOP, "laptop")}
    three = ("MGDA", "CAGrad", "IMTL")
    assert pairs == {
        *((f"F-{name}", name) for name in ("LS", *three)),
        *((f"F-{name}", f"direct {name}") for name in three),
        *((f"F-{name}", "F-LS") for name in three),
        ("F-LS", "SAM-sum"),
    }


def test_differences_are_of_test_accuracy_in_points() -> None:
    ahead = {"F-LS": (0.62, 0.64, 0.66), "LS": (0.60, 0.60, 0.60)}
    given = [
        with_test_accuracy(one, ahead[method_label(one.spec)][one.spec.seed])
        for one in LAPTOP
        if method_label(one.spec) in ahead
    ]
    (row,) = tab_one_setting.data(given, "laptop")
    assert row.difference == pytest.approx(4.0)
    assert (row.left_mean, row.right_mean) == (pytest.approx(64.0), pytest.approx(60.0))
    assert row.p == row.p_holm


def test_holm_counts_the_comparisons_of_one_problem() -> None:
    rows = tab_one_setting.data(LAPTOP, "laptop")
    smallest = min(rows, key=lambda row: row.p)
    assert smallest.p_holm == pytest.approx(min(1.0, len(rows) * smallest.p))
    assert all(row.p_holm >= row.p for row in rows)


def test_two_seeds_say_nothing() -> None:
    smoke: list[Spec] = [spec for spec in catalog.specs("smoke") if tab_one_setting.uses(spec)]
    assert {spec.seed for spec in smoke} == {0, 1}
    assert tab_one_setting.data([result(spec) for spec in smoke], "smoke") == ()


def test_the_figure_shows_every_difference_and_colours_those_that_count() -> None:
    rows = tab_one_setting.data(LAPTOP, "laptop")
    figure = tab_one_setting.draw(rows)
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert [name for name in names if not name.endswith(":")] == [f"{row.left} – {row.right}" for row in rows]
    colours = [container.lines[0].get_color() for container in axes.containers]
    assert [colour != OTHER_COLOUR for colour in colours] == [row.p_holm <= 0.05 for row in rows]
    plt.close(figure)
