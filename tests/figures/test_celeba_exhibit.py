"""Table 2: our errors from results alone, the paper's unchanged, and a stand-in that never passes for CelebA."""

import csv
import statistics

import pytest

from experiments import catalog
from paper_figures import tab_celeba
from paper_figures.exhibit import EXPECTED, from_csv, to_csv
from tests.figures.synthetic import result

PAPER = tuple(result(spec) for spec in catalog.specs("paper") if spec.problem == "celeba" and spec.seed < 2)
SMOKE = tuple(result(spec) for spec in catalog.specs("smoke") if spec.problem == "drawn_faces")


def test_errors_are_means_over_tasks_and_seeds() -> None:
    rows = tab_celeba.data(PAPER, "paper")
    (row,) = (row for row in rows if (row.method, row.setting) == ("F-MGDA", "ρ = 0.1"))
    chosen = [one for one in PAPER if (one.spec.mode, one.spec.aggregator, one.spec.rho_shared)[1:] == ("MGDA", 0.1)]
    means = [100 - 100 * statistics.mean(one.test_best.accuracy) for one in chosen]
    assert row.n == len(chosen) == 2
    assert row.mean == pytest.approx(statistics.mean(means))
    assert row.std == pytest.approx(statistics.stdev(means))
    assert row.last == pytest.approx(statistics.mean(100 - 100 * statistics.mean(o.test_last.accuracy) for o in chosen))
    assert row.worst_task == pytest.approx(statistics.mean(100 - 100 * min(o.test_best.accuracy) for o in chosen))


def test_every_number_of_the_paper_is_shown_unchanged() -> None:
    shown = {row.method: row.paper for row in tab_celeba.data(PAPER, "paper")}
    compared = 0
    with (EXPECTED / "table2_celeba_error.csv").open(newline="") as file:
        for line in csv.DictReader(file):
            for prefix, column in (("", "vanilla"), ("F-", "flat")):
                if line[column]:
                    assert shown[prefix + line["method"]] == float(line[column])
                    compared += 1
    assert compared == len(shown) == 11


def test_what_was_not_run_stands_there_as_such() -> None:
    rows = tab_celeba.data([one for one in PAPER if one.spec.aggregator != "MGDA"], "paper")
    lacking = {row.method: row for row in rows if row.n == 0}
    assert lacking.keys() == {"MGDA", "F-MGDA"}
    assert all((row.setting, row.mean, row.paper) == ("not run here", None, row.paper) for row in lacking.values())
    assert from_csv(to_csv(rows), tab_celeba.ErrorRow) == rows


def test_the_stand_in_is_named_as_what_it_is() -> None:
    rows = tab_celeba.data(SMOKE, "smoke")
    assert {row.problem for row in rows} == {"drawn_faces"}
    assert len(rows) == 11
    ((title, _),) = tab_celeba.table(rows).sections
    assert title == "drawn faces (not CelebA)"
    text = tab_celeba.caption([one.spec for one in SMOKE])
    assert "sketches of our own" in text
    assert "sketches" not in tab_celeba.caption([one.spec for one in PAPER])
