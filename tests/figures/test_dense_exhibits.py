"""Tables 3 and 4: means over seeds, ranks, Delta m against our own STL, the paper unchanged, stand-ins named."""

import csv
import math
import statistics

import matplotlib.pyplot as plt
import msgspec
import pytest

from experiments import catalog
from experiments.dense_metrics import HIGHER_IS_BETTER
from experiments.results import Evaluation, Result
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
    changes: dict[int, list[float]] = {0: [], 1: [], 2: []}
    for name, higher in HIGHER_IS_BETTER.items():
        own, stl = ({one.spec.seed: value(one, name, measure) for one in members} for members in (chosen, baseline))
        assert rows[name].mean == pytest.approx(statistics.mean(own.values()))
        assert rows[name].std == pytest.approx(statistics.stdev(own.values()))
        for seed, terms in changes.items():
            change = (own[seed] - stl[seed]) / stl[seed]
            terms.append(-100 * change if higher else 100 * change)
    deltas = [statistics.mean(terms) for terms in changes.values()]
    assert rows[tab_dense.DELTA].mean == pytest.approx(statistics.mean(deltas))
    assert rows[tab_dense.DELTA].std == pytest.approx(statistics.stdev(deltas))


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


CHOSEN, OTHER = "ρ = 0.05", "ρ = 0.002"
PLANTED: dict[tuple[str, str, float], tuple[tuple[float, float, float], ...]] = {
    ("stl", "Mean", 0.0): ((0.4, 2.0, 1.0), (0.6, 2.0, 1.0)),
    ("erm", "Mean", 0.0): ((0.5, 1.0, 1.0), (0.5, 1.0, 1.0)),
    ("erm", "MGDA", 0.0): ((0.7, 2.0, 1.0), (0.7, 2.0, 1.0)),
    ("decomposed", "MGDA", 0.05): ((0.6, 4.0, 1.6), (0.6, 4.0, 0.5)),
    ("decomposed", "MGDA", 0.002): ((0.9, 0.5, 1.2), (0.9, 0.5, 1.0)),
}
"""mIoU, absolute error and validation loss at the best epoch, of seeds 0 and 1. F-MGDA is best on test at the radius
that validation does not choose; the mean over seeds does, seed 0 alone would choose otherwise."""


def plant(one: Result, iou: float, error: float, validation: float, other: float) -> Result:
    """These metrics in all tests, this loss at the best epoch (the second) and the loss ``other`` at the rest."""
    metrics = {"mean_iou": iou, "abs_error": error}
    return msgspec.structs.replace(
        one,
        best_epoch=2,
        test_best=msgspec.structs.replace(one.test_best, metrics=metrics),
        test_recent=tuple(msgspec.structs.replace(test, metrics=metrics) for test in one.test_recent),
        epochs=tuple(
            msgspec.structs.replace(record, validation_loss=(validation if record.epoch == 2 else other,) * 3)
            for record in one.epochs
        ),
    )


def planted() -> list[Result]:
    """The chosen radius of F-MGDA has the larger loss at every other epoch."""
    return [
        plant(one, *PLANTED[label][one.spec.seed], other=3.0 if label[2] == 0.05 else 2.0)
        for label in PLANTED
        for one in of(*label)
        if one.spec.seed < 2
    ]


def column(results: list[Result], quantity: str) -> dict[tuple[str, str], tuple[float | None, float | None]]:
    """(method, setting) -> mean and deviation, the same by both measures."""
    found = [
        {
            (row.method, row.setting): (row.mean, row.std)
            for row in tab_dense.data(results, "laptop")
            if (row.measure, row.quantity) == (measure, quantity)
        }
        for measure in (tab_dense.MAIN, tab_dense.BEST)
    ]
    assert found[0] == found[1]
    return found[0]


def ranks(results: list[Result]) -> dict[tuple[str, str], float | None]:
    found = column(results, tab_dense.RANK)
    assert {std for _, std in found.values()} == {None}
    return {label: mean for label, (mean, _) in found.items()}


def lacking(label: tuple[str, str, float], seed: int) -> list[Result]:
    return [
        one
        for one in planted()
        if (one.spec.mode, one.spec.aggregator, one.spec.rho_shared, one.spec.seed) != (*label, seed)
    ]


def test_mean_ranks_are_those_by_hand_with_ties_at_the_radius_of_validation() -> None:
    """mIoU 50, 50, 70, 60: ranks 3.5, 3.5, 1, 2. Error 2, 1, 2, 4: ranks 2.5, 1, 2.5, 4."""
    expected = {("STL", ""): 3.0, ("LS", ""): 2.25, ("MGDA", ""): 1.75, ("F-MGDA", CHOSEN): 3.0}
    assert ranks(planted()) == expected | {("F-MGDA", OTHER): None}


def test_delta_m_is_paired_by_seed() -> None:
    """Of seed 0 (-50 + 100) / 2, of seed 1 (0 + 100) / 2; of the means it would be 40."""
    deltas = column(planted(), tab_dense.DELTA)
    mean, deviation = deltas["F-MGDA", CHOSEN]
    assert mean == pytest.approx(37.5)
    assert deviation == pytest.approx(25 / math.sqrt(2))
    assert deltas["STL", ""] == (0.0, 0.0)


def test_a_method_that_lacks_a_seed_is_not_ranked_and_the_rest_is() -> None:
    """mIoU 50, 50, 60: ranks 2.5, 2.5, 1. Error 2, 1, 4: ranks 2, 1, 3."""
    short = lacking(("erm", "MGDA", 0.0), 1)
    expected = {("STL", ""): 2.25, ("LS", ""): 1.75, ("MGDA", ""): None, ("F-MGDA", CHOSEN): 2.0}
    assert ranks(short) == expected | {("F-MGDA", OTHER): None}
    mean, deviation = column(short, tab_dense.DELTA)["MGDA", ""]
    assert mean == pytest.approx(-37.5)
    assert deviation is None


def test_delta_m_is_empty_where_stl_lacks_one_of_the_seeds() -> None:
    short = lacking(("stl", "Mean", 0.0), 1)
    deltas = column(short, tab_dense.DELTA)
    assert {label: mean for label, (mean, _) in deltas.items() if mean is not None} == {("STL", ""): 0.0}
    assert {label for label, rank in ranks(short).items() if rank is None} == {("STL", ""), ("F-MGDA", OTHER)}


def test_only_radii_with_all_seeds_are_chosen_from() -> None:
    found = ranks(lacking(("decomposed", "MGDA", 0.05), 1))
    assert found["F-MGDA", CHOSEN] is None
    assert found["F-MGDA", OTHER] == 1.0


def test_a_method_that_lacks_a_metric_has_empty_cells() -> None:
    def without(test: Evaluation) -> Evaluation:
        return msgspec.structs.replace(test, metrics={"mean_iou": test.metrics["mean_iou"]})

    results = [
        msgspec.structs.replace(one, test_best=without(one.test_best), test_recent=tuple(map(without, one.test_recent)))
        if (one.spec.mode, one.spec.aggregator, one.spec.seed) == ("erm", "Mean", 1)
        else one
        for one in planted()
    ]
    assert ranks(results)["LS", ""] is None
    assert ranks(results)["STL", ""] == 2.25  # mIoU 3, error 1.5
    assert column(results, tab_dense.DELTA)["LS", ""] == (None, None)
    table = tab_dense.NYUV2.table(tab_dense.data(results, "laptop"))
    titles = [title for group in table.columns for title in group.titles]
    ((_, lines),) = table.sections
    (line,) = (dict(zip(titles, cells, strict=True)) for cells in lines if cells[0] == "LS")
    assert (line["mIoU (%)"], line["Abs. error"], line["MR"]) == ("50.00 ± 0.00", "", "")


def test_the_table_shows_ranks_and_deviations_of_delta_m() -> None:
    table = tab_dense.NYUV2.table(tab_dense.data(planted(), "laptop"))
    assert table.columns[1].titles == ("mIoU (%)", "Abs. error", "Δm (%)", "MR")
    ((_, lines),) = table.sections
    shown = {cells[:2]: cells[5:8] for cells in lines}
    assert shown["F-MGDA", CHOSEN] == ("37.50 ± 17.68", "3.00", "37.50 ± 17.68")
    assert shown["F-MGDA", OTHER][1] == ""


def test_one_method_alone_has_no_rank() -> None:
    alone = [one for one in planted() if one.spec.mode == "stl"]
    assert ranks(alone) == {("STL", ""): None}


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


def test_runs_with_shared_attention_are_lines_of_their_own_and_change_no_rank() -> None:
    """Though their losses on validation are the best of all."""

    def better(one: Result) -> Result:
        epochs = tuple(msgspec.structs.replace(epoch, validation_loss=(0.0, 0.0, 0.0)) for epoch in one.epochs)
        return msgspec.structs.replace(one, spec=msgspec.structs.replace(one.spec, attention="shared"), epochs=epochs)

    added = [better(one) for one in of("decomposed", "MGDA", 0.05)]
    rows = tab_dense.data([*LAPTOP, *added], "laptop")
    shared = [row for row in rows if "attention counted as shared" in row.setting]
    assert {(row.method, row.mean) for row in shared if row.quantity == tab_dense.RANK} == {("F-MGDA", None)}
    assert all(row.mean is not None for row in shared if row.quantity != tab_dense.RANK)
    assert tuple(row for row in rows if row not in shared) == ROWS


def test_captions_say_what_the_images_are() -> None:
    text = tab_dense.NYUV2.caption([one.spec for one in LAPTOP])
    assert "rooms are rendered by a program of our own" in text
    assert "handful" not in text
    assert "not ranked" not in text
    assert "lacks a seed or a metric that another has has no MR either: its mean would be over other runs" in text
    assert "handful" in tab_dense.CITYSCAPES.caption([one.spec for one in SMOKE if one.spec.problem == "streets"])
    real = [spec for spec in catalog.specs("paper") if spec.problem == "nyuv2"]
    assert "rendered" not in tab_dense.NYUV2.caption(real)
    assert "they are not ranked" in tab_dense.NYUV2.caption(real)


def test_the_figure_has_a_line_a_method_and_setting() -> None:
    figure = tab_dense.NYUV2.draw(ROWS)
    lines = {(row.method, row.setting) for row in ROWS}
    ours, paper = figure.axes
    assert len(ours.get_yticks()) == len(lines) == 12 + 2 * 6
    assert len(paper.lines) == 1 + len(lines)  # and the line at 0
    plt.close(figure)
