"""The exhibit of the cheaper variants: what it averages, what it shows, what it leaves out."""

from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from experiments.cheaper.records import (
    BASE,
    EXACT,
    MEASURED_SHELF,
    measurements,
)
from experiments.results import StoreError
from paper_figures import latex
from paper_figures.exhibit import Stored, from_csv, to_csv
from paper_figures.fig_cheaper import CHEAPER, EXHIBIT, CheaperRow, caption, data, read
from tests.figures.synthetic_cheaper import BASE_ANGLE, STALE_ANGLE, fill, measured

CONTENT = tuple(measured(one) for one in measurements())
ROWS = data(CONTENT)


def row(variant: str, *, method: str = "F-CAGrad", rho: float = 0.05, epoch: int | None = None) -> CheaperRow:
    (found,) = [one for one in ROWS if (one.method, one.rho, one.variant, one.epoch) == (method, rho, variant, epoch)]
    return found


def test_means_and_spread_are_over_seeds() -> None:
    one = row("SAMO")
    assert (one.n, one.angle, one.angle_low, one.angle_high) == (3, pytest.approx(14), 13, 15)
    second = row("SAMO", epoch=2)
    assert (second.angle, second.angle_low, second.angle_high) == (pytest.approx(13), 12, 14)


def test_schedules_count_their_steps_by_their_shares() -> None:
    assert row("every 5th step").angle == pytest.approx(0.8 * BASE_ANGLE)
    assert row("every 5th step, stale between").angle == pytest.approx(0.8 * STALE_ANGLE)
    assert row("every 5th step").units == pytest.approx(0.2 * 3 + 0.8 * 1.5)
    assert row("every 5th step").flat_angle is None
    assert row("every 5th step, stale between").flat_angle == pytest.approx(40)
    assert row("every 5th step").flat_relative_error == pytest.approx(0.8)
    assert (row(BASE).units, row(EXACT).units) == (pytest.approx(1.5), pytest.approx(3))


def test_the_table_has_a_line_a_variant_and_a_column_a_radius() -> None:
    table = EXHIBIT.table(ROWS)
    assert [title for title, _ in table.sections] == ["F-LS", "F-CAGrad"]
    assert [columns.titles for columns in table.columns][2] == ("ρ = 0.05", "ρ = 0.2")
    lines = {line[0]: line for line in table.sections[1][1]}
    assert lines["SAMO"][3:5] == ("3.00", "14.0 (13.0–15.0)")
    assert f"({BASE})" in lines
    assert len(lines) == len(CONTENT[0].variants)
    assert "SAMO" in latex.tabular(table, caption=caption(CONTENT), label="cheaper")


def test_the_figure_has_a_panel_a_method_and_radius() -> None:
    figure = EXHIBIT.draw(ROWS) if EXHIBIT.draw else None
    assert figure is not None
    try:
        assert [axes.get_title() for axes in figure.axes] == [
            f"{method}, ρ = {rho:g}" for method in ("F-LS", "F-CAGrad") for rho in (0.05, 0.2)
        ]
        lines = {line.get_label(): list(line.get_ydata()) for line in figure.axes[3].get_lines()}
        assert lines["SAMO"] == pytest.approx([11 + epoch for epoch in range(1, 6)])
        assert lines[BASE] == pytest.approx([BASE_ANGLE] * 5)
    finally:
        plt.close(figure)


def test_the_caption_says_how_large_the_flat_part_is() -> None:
    assert "F-CAGrad, ρ = 0.05: 0.50" in caption(CONTENT)
    assert "F-LS, ρ = 0.2: 1.50" in caption(CONTENT)
    assert "11 of 12 runs" in caption(CONTENT[1:])


def test_rows_survive_their_csv() -> None:
    assert from_csv(to_csv(ROWS), CheaperRow) == ROWS


def test_one_folder_is_read_in_the_order_of_the_list(tmp_path: Path) -> None:
    fill(tmp_path)
    assert read(tmp_path) == CONTENT
    MEASURED_SHELF.path(tmp_path, measurements()[0]).unlink()
    assert read(tmp_path) == CONTENT[1:]
    assert data(read(tmp_path / "none")) == ()


def test_a_measurement_that_was_changed_is_refused(tmp_path: Path) -> None:
    fill(tmp_path)
    path = MEASURED_SHELF.path(tmp_path, measurements()[0])
    path.write_bytes(path.read_bytes().replace(b'"tasks":2', b'"tasks":-0.5'))
    with pytest.raises(StoreError, match="not a measurement"):
        read(tmp_path)


def test_there_is_one_edition_with_one_drawing_and_its_provenance() -> None:
    (edition,) = EXHIBIT.editions(Stored(runs={}, files={CHEAPER.name: CONTENT}))
    assert edition.rows == ROWS
    assert len(edition.drawings) == 1
    lines = dict(CHEAPER.provenance(CONTENT))
    assert (lines["Runs"], lines["Commit"]) == (("12",), ("0123abcd",))
    assert list(EXHIBIT.editions(Stored(runs={}, files={}))) == []
