"""Tables 3 and 4: means over seeds, Delta m against our own STL, the paper unchanged, stand-ins named as such."""

import csv
import statistics

import matplotlib.pyplot as plt
import msgspec
import pytest

from experiments import catalog
from experiments.dense_metrics import HIGHER_IS_BETTER
from experiments.results import Result
from experiments.spec import DENSE
from paper_figures import tab_dense
from paper_figures.exhibit import EXPECTED, from_csv, to_csv
from tests.figures.synthetic import result

LAPTOP = tuple(result(spec) for spec in catalog.specs("laptop") if spec.problem == "rooms")
SMOKE = tuple(result(spec) for spec in catalog.specs("smoke") if spec.problem in DENSE)
ROWS = tab_dense.data(LAPTOP, "laptop")


def of(mode: str, aggregator: str, rho: float) -> list[Result]:
    wanted = (mode, aggregator, rho)
    return [one for one in LAPTOP if (one.spec.mode, one.spec.aggregator, one.spec.rho_shared) == wanted]


def value(one: Result, name: str, measure: str) -> float:
    tests = one.test_recent if measure == tab_dense.MAIN else (one.test_best,)
    return (100 if HIGHER_IS_BETTER[name] else 1) * statistics.fmean(test.metrics[name] for test in tests)


@pytest.mark.parametrize("measure", [tab_dense.MAIN, tab_dense.BEST])
def test_metrics_are_means_over_seeds_and_delta_m_is_against_our_stl(measure: tab_dense.Measure) -> None:
    chosen, baseline = of("decomposed", "MGDA", 0.05), of("stl", "Mean", 0.0)
    assert len(chosen) == len(baseline) == 3
    label = ("F-MGDA", "ρ = 0.05", measure)
    rows = {row.quantity: row for row in ROWS if (row.method, row.setting, row.measure) == label}
    terms = []
    for name, higher in HIGHER_IS_BETTER.items():
        own, stl = ([value(one, name, measure) for one in members] for members in (chosen, baseline))
        assert rows[name].mean == pytest.approx(statistics.mean(own))
        assert rows[name].std == pytest.approx(statistics.stdev(own))
        change = (statistics.mean(own) - statistics.mean(stl)) / statistics.mean(stl)
        terms.append(-change if higher else change)
    assert rows[tab_dense.DELTA].mean == pytest.approx(100 * statistics.mean(terms))


def test_stl_is_its_own_baseline_and_without_it_there_is_none() -> None:
    own = [row.mean for row in ROWS if (row.method, row.quantity) == ("STL", tab_dense.DELTA)]
    assert own == [0.0, 0.0]
    without = tab_dense.data([one for one in LAPTOP if one.spec.mode != "stl"], "laptop")
    assert {row.mean for row in without if row.quantity == tab_dense.DELTA} == {None}
    zero = [
        msgspec.structs.replace(
            one,
            test_recent=tuple(
                msgspec.structs.replace(test, metrics=test.metrics | {"within_11_25": 0.0}) for test in one.test_recent
            ),
        )
        if one.spec.mode == "stl"
        else one
        for one in LAPTOP
    ]
    rows = [row for row in tab_dense.data(zero, "laptop") if row.quantity == tab_dense.DELTA]
    assert all((row.mean is None) == (row.measure == tab_dense.MAIN) for row in rows)


@pytest.mark.parametrize("real", ["nyuv2", "cityscapes"])
def test_every_number_of_the_paper_is_shown_unchanged(real: str) -> None:
    (problem,) = (one for one in tab_dense.SOURCES if one == real)
    names = {"Nash-MTL": "NashMTL", "ERM (MGDA)": "MGDA", "direct": "direct MGDA", "decomposed": "F-MGDA"}
    shown = tab_dense.reported(problem)
    compared = set()
    for source in tab_dense.SOURCES[problem]:
        with (EXPECTED / f"{source}.csv").open(encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file):
                method = line["method"]
                assert shown[names.get(method, method)] == {
                    name: float(text) for name, text in line.items() if name != "method"
                }
                compared.add(names.get(method, method))
    assert compared == shown.keys()
    listed = {line[0] for _, lines in tab_dense.papers_table(problem).sections for line in lines}
    assert listed == compared


def test_the_paper_and_our_rows_name_the_same_methods() -> None:
    for exhibit, stand_in in ((tab_dense.NYUV2, "rooms"), (tab_dense.CITYSCAPES, "streets")):
        used = [one for one in SMOKE if exhibit.uses(one.spec)]
        assert {one.spec.problem for one in used} == {stand_in}
        rows = exhibit.data(used, "smoke")
        own, papers = exhibit.tables(rows)
        ((title, lines),) = own.sections
        assert f"rendered {stand_in} (not " in title
        assert {line[0] for line in lines} == {line[0] for _, more in papers.sections for line in more}
        assert all(line[-1] for line in lines)
        assert from_csv(to_csv(rows), tab_dense.DenseRow) == rows


def test_captions_say_what_the_images_are() -> None:
    text = tab_dense.NYUV2.caption([one.spec for one in LAPTOP])
    assert "rooms are rendered by a program of our own" in text
    assert "handful" not in text
    assert "handful" in tab_dense.CITYSCAPES.caption([one.spec for one in SMOKE if one.spec.problem == "streets"])
    real = [spec for spec in catalog.specs("paper") if spec.problem == "nyuv2"]
    assert "rendered" not in tab_dense.NYUV2.caption(real)


def test_the_figure_has_a_line_a_method_and_setting() -> None:
    figure = tab_dense.NYUV2.draw(ROWS)
    lines = {(row.method, row.setting) for row in ROWS}
    ours, paper = figure.axes
    assert len(ours.get_yticks()) == len(lines) == 12 + 2 * 6
    assert len(paper.lines) == 1 + len(lines)  # and the line at 0
    plt.close(figure)
