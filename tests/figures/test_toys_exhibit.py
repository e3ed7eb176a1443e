"""Fig. 1: what is read, drawn and counted of the toys."""

from pathlib import Path

import matplotlib.pyplot as plt
import msgspec
import pytest

from experiments.results import Provenance, StoreError
from experiments.toys.records import SCHEMA_VERSION, Mark, Task, Toy, Toys, Trajectory, read_toys, save_toys
from paper_figures import latex
from paper_figures.exhibit import Stored, from_csv, to_csv
from paper_figures.fig_toys import EXHIBIT, METHODS, TOYS, ToyRow, at, caption, data

SOURCE = Provenance(
    commit="0123abcd",
    dirty=False,
    python="3.11.0",
    torch="2.13.0",
    numpy="2.0.0",
    machine="x86_64",
    threads=1,
    data_sha256={},
    started="2026-01-01T00:00:00Z",
    finished="2026-01-01T00:00:01Z",
    resumed=0,
)
TOY = Toy(
    name="planted",
    rho=0.5,
    learning_rate=0.1,
    tasks=(Task(minimum=(1.0, 0.0), hessian=(2.0, 0.0, 1.0)), Task(minimum=(-1.0, 0.0), hessian=(1.0, 0.5, 1.0))),
    pareto=((1.0, 0.0), (0.0, 0.0), (-1.0, 0.0)),
    trajectories=tuple(
        Trajectory(method=method, start=1, direction=(0.0, float(number)), points=((0.0, 2.0), (0.0, 2.0 - number)))
        for number, method in enumerate(METHODS)
    ),
    marks=(
        Mark(
            name="start",
            point=(0.0, 2.0),
            loss_gradients=((-2.0, 2.0), (2.0, 2.5)),
            flat_gradients=((-0.5, 0.25), (0.5, 0.75)),
        ),
    ),
)
CONTENT = Toys(schema_version=SCHEMA_VERSION, provenance=SOURCE, toys=(TOY, msgspec.structs.replace(TOY, name="other")))
ROWS = data(CONTENT)


def test_losses_and_gradient_norms_are_those_of_the_quadratic() -> None:
    tasks = [row for row in ROWS if row.kind == "task" and row.toy == "planted"]
    assert at(tasks[0], 0.0, 2.0) == (pytest.approx(0.5 * (2 + 4)), pytest.approx(8**0.5))
    assert at(tasks[1], 0.0, 2.0) == (pytest.approx(0.5 * (1 + 2 + 4)), pytest.approx((2**2 + 2.5**2) ** 0.5))
    assert at(tasks[1], -1.0, 0.0) == (0.0, 0.0)


def test_the_table_has_the_start_and_the_end_of_every_method() -> None:
    table = EXHIBIT.table(ROWS)
    assert [title for title, _ in table.sections] == ["Planted, ρ = 0.5", "Other, ρ = 0.5"]
    lines = {line[0]: line[1:] for line in table.sections[0][1]}
    assert list(lines) == ["(the start, 0, 2)", *METHODS]
    assert lines["(the start, 0, 2)"] == ("", "3.000", "3.500", "2.828", "3.202", "2.000")
    assert lines["MGDA"][0] == "(0.000, 0.000)"
    assert lines["F-MGDA"] == ("(0.000, -2.000)", "1.000", "0.500", "2.000", "1.118", "0.000")
    assert "F-MGDA" in latex.tabular(table, caption=caption(CONTENT), label="toys")


def test_the_figure_has_a_plane_and_arrows_for_each_toy() -> None:
    assert EXHIBIT.draw is not None
    figure = EXHIBIT.draw(ROWS)
    try:
        assert [axes.get_title() for axes in figure.axes] == [
            "planted, ρ = 0.5",
            "other, ρ = 0.5",
            "at the start",
            "at the start",
        ]
        ends = [line.get_ydata()[-1] for line in figure.axes[0].get_lines() if len(line.get_ydata()) == 2]
        assert ends == [2.0, 1.0, 0.0, -1.0]
        arrows, rings = figure.axes[2].texts, figure.axes[2].get_lines()
        assert (len(arrows), len(rings)) == (4 + 2, 1)
    finally:
        plt.close(figure)


def test_rows_survive_their_csv() -> None:
    assert from_csv(to_csv(ROWS), ToyRow) == ROWS


def test_one_file_is_read_strictly(tmp_path: Path) -> None:
    path = save_toys(tmp_path / TOYS.name, CONTENT)
    assert read_toys(path) == CONTENT
    path.write_bytes(path.read_bytes().replace(b'"schema_version":1', b'"schema_version":7'))
    with pytest.raises(StoreError, match="schema version 7, expected 1"):
        read_toys(path)
    with pytest.raises(StoreError, match=r"learning_rate is nan"):
        save_toys(
            path, msgspec.structs.replace(CONTENT, toys=(msgspec.structs.replace(TOY, learning_rate=float("nan")),))
        )


def test_there_is_one_edition_with_its_provenance() -> None:
    (edition,) = EXHIBIT.editions(Stored(runs={}, files={TOYS.name: CONTENT}))
    assert edition.rows == ROWS
    assert "learning rate 0.1 for 5 steps" in edition.caption
    assert dict(TOYS.provenance(CONTENT))["Commit"] == ("0123abcd",)
