"""Exhibits of measures: every number is the mean over seeds of what is stored, and ranges are its extremes."""

import statistics
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import msgspec
import pytest

from experiments.measures.records import (
    MEASURES_SHELF,
    STORED,
    Measures,
    measurings,
)
from paper_figures import fig_calibration, fig_landscape, tab_sharpness
from paper_figures.exhibit import FileExhibit
from paper_figures.measured import MEASURES, Value, by_method, pick, read, shown

ONE = next(one for one in (MEASURES_SHELF.find([STORED], each) for each in measurings("smoke")) if one is not None)
"""A network that was measured: it stands for all methods here, with numbers that the tests change."""


def measured(index: int, seed: int, factor: float) -> Measures:
    """As if the method of this place in the list had losses, rises and accuracies of ``factor`` times the stored."""
    training = msgspec.structs.replace(measurings("smoke")[index].training, seed=seed)
    balls = tuple(
        msgspec.structs.replace(
            ball,
            tasks=tuple(
                msgspec.structs.replace(task, loss=factor * task.loss, sam=factor * task.sam, worst=factor * task.worst)
                for task in ball.tasks
            ),
        )
        for ball in ONE.sharpness
    )
    calibration = tuple(msgspec.structs.replace(task, ece=factor * task.ece) for task in ONE.calibration)
    return msgspec.structs.replace(
        ONE,
        measuring=msgspec.structs.replace(ONE.measuring, training=training),
        sharpness=balls,
        calibration=calibration,
    )


CONTENT = tuple(measured(index, seed, 1.0 + index + seed / 4) for index in (0, 2, 4) for seed in (0, 1))
SHARPNESS = tab_sharpness.data(CONTENT)
CALIBRATION = fig_calibration.data(CONTENT)


def test_methods_come_in_the_order_of_the_list_with_all_their_seeds() -> None:
    assert [method for method, _ in by_method(CONTENT)] == ["LS", "F-LS", "F-CAGrad"]
    assert all(len(members) == 2 for members in by_method(CONTENT).values())
    assert {row.n for row in SHARPNESS} == {2}


@pytest.mark.parametrize("rho", ONE.measuring.radii)
def test_rises_are_differences_from_the_loss(rho: float) -> None:
    (ball,) = (ball for ball in ONE.sharpness if ball.rho == rho)
    rises = [task.worst - task.loss for task in ball.tasks]
    for index, method in ((0, "LS"), (2, "F-LS"), (4, "F-CAGrad")):
        factors = [1.0 + index, 1.25 + index]
        for task, expected in ((0, statistics.fmean(rises)), (1, rises[0]), (2, rises[1])):
            row = pick(SHARPNESS, method, "worst found", task=task, at=rho)
            assert row.mean == pytest.approx(statistics.fmean(factors) * expected)
            assert (row.low, row.high) == pytest.approx((factors[0] * expected, factors[1] * expected))


def test_scores_are_those_of_their_task() -> None:
    for task in (1, 2):
        row = pick(CALIBRATION, "F-LS", "ECE", task=task)
        assert row.mean == pytest.approx(3.125 * ONE.calibration[task - 1].ece)
    assert pick(CALIBRATION, "LS", "accuracy").mean == pytest.approx(
        statistics.fmean(task.accuracy for task in ONE.calibration)
    )


def test_histograms_are_densities() -> None:
    for domain in (fig_calibration.IN, fig_calibration.OUT):
        columns = [
            row
            for row in CALIBRATION
            if (row.method, row.task, row.quantity) == ("LS", 1, f"entropy density, {domain}")
        ]
        width = ONE.calibration[0].entropy.limit / len(columns)
        assert sum(row.mean for row in columns) * width == pytest.approx(1)
        assert all(0 < (row.at or 0) < ONE.calibration[0].entropy.limit for row in columns)


def test_shares_of_bins_add_up_and_gaps_weigh_to_the_calibration_error() -> None:
    def of(quantity: str) -> list[float]:
        return [row.mean for row in CALIBRATION if (row.method, row.task, row.quantity) == ("LS", 1, quantity)]

    assert sum(of("share")) == pytest.approx(1)
    error = sum(share * abs(gap) for share, gap in zip(of("share"), of("gap"), strict=True))
    assert error == pytest.approx(ONE.calibration[0].ece)


def test_the_middle_of_plane_and_line_is_the_loss_at_the_weights() -> None:
    rows = [row for row in fig_landscape.data(CONTENT) if row.method == "LS"]
    line = [row for row in rows if row.second is None]
    plane = [row for row in rows if row.second is not None]
    assert len(line) == ONE.measuring.line
    assert len(plane) == ONE.measuring.plane**2
    middles = [row.loss for row in rows if row.first == 0 and row.second in (None, 0)]
    assert len(middles) == 2
    assert middles[0] == pytest.approx(middles[1], rel=1e-6)
    assert middles[0] == pytest.approx(min(row.loss for row in line), rel=0.2)
    assert {(row.first, row.second) for row in plane} == {
        (a, b) for a in ONE.plane.coordinates for b in ONE.plane.coordinates
    }


@pytest.mark.parametrize("exhibit", [tab_sharpness.EXHIBIT, fig_calibration.EXHIBIT, fig_landscape.EXHIBIT])
def test_exhibits_are_drawn_and_say_what_was_measured(exhibit: FileExhibit[Any, Any]) -> None:
    rows = exhibit.data(CONTENT)
    assert exhibit.draw is not None
    plt.close(exhibit.draw(rows))
    lines = [line for _, section in exhibit.table(rows).sections for line in section]
    assert {line[0] for line in lines} == {"LS", "F-LS", "F-CAGrad"}
    assert "6 networks" in exhibit.caption(CONTENT)
    assert "3,000 training examples" in exhibit.caption(CONTENT)


def test_the_larger_list_is_shown_as_soon_as_it_has_a_network(tmp_path: Path) -> None:
    assert read(tmp_path) == ()
    MEASURES_SHELF.save(tmp_path, ONE)
    assert [one.key for one in read(tmp_path)] == [ONE.key]
    assert MEASURES.provenance(read(tmp_path))[0] == ("Networks", ("1",))


def test_a_range_is_shown_for_several_seeds_only() -> None:
    value = Value(method="LS", rho=0, task=0, quantity="loss", at=None, n=1, mean=0.25, low=0.125, high=0.5)
    assert shown(value, 2) == "0.25"
    assert shown(msgspec.structs.replace(value, n=3), 1, 100) == "25.0 (12.5–50.0)"
