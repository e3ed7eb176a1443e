"""The benchmark's exhibits: the stored figures and nothing else, gates beside what they limit."""

import io
import math
from typing import Any

import matplotlib.pyplot as plt
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.benchmarks.gates import peer_gate
from experiments.benchmarks.records import Benchmark, Spread, StepCost
from paper_figures import fig_aggregators, fig_floor, fig_scaling, tab_gates, tab_step_cost
from paper_figures.benchmark import BENCHMARK, interval, limit_of, measured_on, round_ticks, significant
from paper_figures.exhibit import FileExhibit, Stored, from_csv, to_csv
from paper_figures.registry import EXHIBITS
from tests.figures.synthetic_benchmark import PROBLEMS, benchmark

MEASURED = benchmark()
OWN_EXHIBITS = [exhibit for exhibit in EXHIBITS if isinstance(exhibit, FileExhibit) and exhibit.file is BENCHMARK]
EMPTY = msgspec.structs.replace(MEASURED, steps=(), aggregators=(), scaling=(), gates=())


def measured(**choice: Any) -> StepCost:
    """The one step with these values: picked without the code under test."""
    (found,) = (cost for cost in MEASURED.steps if all(getattr(cost, name) == value for name, value in choice.items()))
    return found


def lines(exhibit: FileExhibit[Any, Benchmark], source: Benchmark = MEASURED) -> dict[str, list[tuple[str, ...]]]:
    return {title: list(section) for title, section in exhibit.table(exhibit.data(source)).sections}


@pytest.mark.parametrize("exhibit", OWN_EXHIBITS, ids=lambda exhibit: exhibit.name)
def test_csv_round_trip(exhibit: FileExhibit[Any, Benchmark]) -> None:
    rows = exhibit.data(MEASURED)
    assert from_csv(to_csv(rows), type(rows[0])) == rows


@pytest.mark.parametrize("exhibit", OWN_EXHIBITS, ids=lambda exhibit: exhibit.name)
def test_an_exhibit_is_shown_exactly_where_there_is_something_to_show(exhibit: FileExhibit[Any, Benchmark]) -> None:
    assert list(exhibit.editions(Stored(runs={}, files={}))) == []
    assert list(exhibit.editions(Stored(runs={}, files={BENCHMARK.name: EMPTY}))) == []
    (edition,) = exhibit.editions(Stored(runs={}, files={BENCHMARK.name: MEASURED}))
    assert edition.rows == exhibit.data(MEASURED)
    for drawing in edition.drawings:
        image, figure = io.BytesIO(), drawing.draw()
        figure.savefig(image, format="png")
        plt.close(figure)
        assert image.getvalue().startswith(b"\x89PNG")


@pytest.mark.parametrize("exhibit", OWN_EXHIBITS, ids=lambda exhibit: exhibit.name)
def test_captions_say_what_was_measured_on_what(exhibit: FileExhibit[Any, Benchmark]) -> None:
    caption = exhibit.caption(MEASURED)
    for fact in ("x86_64, 2 cores", "1 thread", "process CPU", "2.13.0", "2026-01-01", "15 interleaved rounds"):
        assert fact in caption
    assert "mean nothing" not in caption
    tiny = msgspec.structs.replace(MEASURED.provenance, tiny=True, threads=2)
    assert "mean nothing" in exhibit.caption(msgspec.structs.replace(MEASURED, provenance=tiny))
    assert "2 threads" in measured_on(msgspec.structs.replace(MEASURED, provenance=tiny))


def test_table_r1_1_has_the_plain_pass_and_our_methods_for_every_number_of_tasks() -> None:
    sections = lines(tab_step_cost.EXHIBIT)
    assert len(sections) == len(PROBLEMS)
    assert {tasks for _, _, tasks, _, _ in PROBLEMS} == {2, 3, 11, 40}
    for title, section in sections.items():
        assert [line[0] for line in section] == ["U", "ERM MGDA", "direct MGDA", "SAM-sum", "F-MGDA"], title
    flat = measured(problem="mlp-m40", method="F-MGDA", implementation="flatmtl")
    assert flat.over_floor is not None
    assert flat.peak_bytes is not None
    assert flat.resident_bytes is not None
    line = sections["MLP, trunk 3x512, batch 128, m = 40: 787,968 shared parameters"][-1]
    assert line[1:3] == ("41", "80")
    assert float(line[3].replace(",", "")) == pytest.approx(1e3 * flat.seconds.median, rel=5e-3)
    assert line[4].startswith(f"{flat.units.median:.2f} (")
    assert line[5] == f"{flat.over_floor.median:.2f} ({flat.over_floor.low:.2f}–{flat.over_floor.high:.2f})"
    assert float(line[6]) == pytest.approx(flat.peak_bytes / 1e6, rel=5e-3)
    assert float(line[7]) == pytest.approx(flat.resident_bytes / 1e6, rel=5e-3)


def test_steps_without_a_floor_or_a_memory_figure_leave_their_cells_empty() -> None:
    plain = measured(problem="lenet", method="U")
    bare = msgspec.structs.replace(plain, peak_bytes=None, resident_bytes=None)
    ((line,),) = lines(tab_step_cost.EXHIBIT, msgspec.structs.replace(EMPTY, steps=(bare,))).values()
    assert line[5:] == ("", "", "")


def test_gates_stand_beside_the_measurement_that_they_judge() -> None:
    rows = {(row.problem, row.implementation): row for row in fig_floor.data(MEASURED) if row.method == "F-MGDA"}
    assert rows["lenet", "flatmtl"].gate == 1.1
    assert rows["lenet", "torchjd"].gate is None
    assert rows["mlp-m3", "flatmtl"].gate is None
    in_units = measured(problem="mlp-m40", method="F-MGDA", implementation="flatmtl")
    assert in_units.over_floor is not None
    floor = in_units.units.median / in_units.over_floor.median
    assert rows["mlp-m40", "flatmtl"].gate == pytest.approx(0.7 * in_units.units.median / floor, rel=1e-12)
    assert [row.gate for row in fig_aggregators.data(MEASURED) if row.gate is not None] == [0.7]


def test_only_gates_of_cost_are_limits_of_cost() -> None:
    (accuracy,) = (gate for gate in MEASURED.gates if gate.kind == "accuracy")
    assert limit_of(MEASURED, accuracy.measured) is None
    assert limit_of(MEASURED, Spread(median=1.0, low=1.0, high=1.0)) is None


def test_the_floor_table_holds_every_implementation_side_by_side() -> None:
    table = fig_floor.EXHIBIT.table(fig_floor.data(MEASURED))
    assert table.columns[1].titles == ("FlatMTL", "TorchJD", "plain PyTorch", "reference twin")
    sections = dict(table.sections)
    assert list(sections) == ["ERM MGDA", "direct MGDA", "SAM-sum", "F-MGDA"]
    assert [line[0] for line in sections["F-MGDA"]] == [f"{label}, m = {m}" for _, label, m, _, _ in PROBLEMS]
    for line in sections["F-MGDA"]:
        assert all(line[1:5])
    for line in sections["SAM-sum"]:
        assert line[2:] == ("", "", "", "")


def test_aggregators_stand_by_matrix_with_their_gaps() -> None:
    table = fig_aggregators.EXHIBIT.table(fig_aggregators.data(MEASURED))
    assert [title for title, _ in table.sections] == [
        "m = 2, d = 100,000, conflicting",
        "m = 2, d = 11,000,000, conflicting",
        "m = 3, d = 11,000,000, conflicting",
        "m = 9, d = 100,000, conflicting",
        "m = 9, d = 1,000,000, conflicting",
    ]
    assert table.columns[1].titles == ("FlatMTL", "TorchJD", "plain PyTorch")  # no twin was measured
    for _, section in table.sections:
        assert [line[0] for line in section] == ["MGDA", "PCGrad", "CAGrad", "NashMTL"]
        assert [all(line[-3:]) for line in section] == [True, False, False, False]
    without = tuple(msgspec.structs.replace(cost, relative_gap=None) for cost in MEASURED.aggregators)
    rows = fig_aggregators.data(msgspec.structs.replace(MEASURED, aggregators=without))
    assert "Relative duality gap" not in [group.heading for group in fig_aggregators.table(rows).columns]


def test_curves_are_sorted_along_their_axis() -> None:
    rows = fig_scaling.data(msgspec.structs.replace(MEASURED, scaling=MEASURED.scaling[::-1]))
    curves: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        curves.setdefault((row.axis, row.series), []).append(row.x)
    assert len(curves) == 9
    assert all(xs == sorted(xs) for xs in curves.values())
    assert [axis for axis, _ in curves][::3] == ["tasks", "parameters", "batch"]


def test_every_gate_is_listed_with_its_verdict() -> None:
    sections = lines(tab_gates.EXHIBIT)
    assert sum(map(len, sections.values())) == len(MEASURED.gates)
    verdicts = {line[0]: line[-1] for section in sections.values() for line in section}
    assert verdicts == {gate.name: "yes" if gate.met else "MISSED" for gate in MEASURED.gates}
    assert "8 of 9 gates are met" in tab_gates.EXHIBIT.caption(MEASURED)
    ((memory,),) = (section for title, section in sections.items() if title.startswith("Memory"))
    assert memory[1:5] == ("3.20", "", "2.50", "")  # megabytes; measured once, so no quartiles


def test_a_missed_gate_of_an_aggregator_says_what_bounds_it() -> None:
    cost = msgspec.structs.replace(MEASURED.aggregators[0], solver_share=Spread(median=0.25, low=0.2, high=0.3))
    missed = peer_gate(cost.label, "plain", Spread(median=1.2, low=1.1, high=1.3))
    met = peer_gate(cost.label, "torchjd", Spread(median=0.5, low=0.4, high=0.6))
    found = msgspec.structs.replace(MEASURED, aggregators=(cost,), gates=(missed, met))
    said = tab_gates.EXHIBIT.caption(found)
    assert "25 % of our time finds the weights" in said
    assert "all else together stands at 0.90 (limit 1)" in said
    assert "torchjd" not in said
    assert "finds the weights" not in tab_gates.EXHIBIT.caption(MEASURED)


@pytest.mark.parametrize(
    ("value", "text"),
    [(4.2e-8, "4.20e-08"), (0.7, "0.700"), (1.0, "1.00"), (12.34, "12.3"), (123.4, "123"), (1234.5, "1,234")],
)
def test_three_digits(value: float, text: str) -> None:
    assert significant(value) == text


def test_an_interval_names_the_median_first() -> None:
    assert interval(1.0, 0.5, 1234.5) == "1.00 (0.50–1,234.50)"


@given(st.floats(1e-6, 1e6), st.floats(1.05, 1e6))
def test_ticks_are_round_few_and_inside(low: float, ratio: float) -> None:
    ticks = round_ticks(low, low * ratio)
    assert all(low <= tick <= low * ratio for tick in ticks)
    assert ticks == sorted(ticks)
    assert len(ticks) <= max(8, math.log10(ratio) + 2)
