"""The bookkeeping of the benchmarks: rounds, ratios, floors, gates, the program; times themselves are never tested."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from experiments.benchmarks import gates
from experiments.benchmarks.__main__ import main
from experiments.benchmarks.aggregators import CONFLICT, conflicting_rows, gramian_accuracy, relative_gap
from experiments.benchmarks.problems import PROBLEMS, mlp
from experiments.benchmarks.records import AggregatorCost, Implementation, Spread, StepCost, read_benchmark
from experiments.benchmarks.scaling import places
from experiments.benchmarks.stepping import floors
from experiments.benchmarks.timing import Effort, interleaved, ratios, spread
from flatmtl_core import MGDA


def single(value: float) -> Spread:
    return Spread(median=value, low=value, high=value)


def test_every_round_runs_every_function_once_and_begins_with_another() -> None:
    calls: list[str] = []
    functions = {name: lambda name=name: calls.append(name) for name in "abc"}
    seconds = interleaved(functions, Effort(rounds=4, at_least=0.0))
    warm, rounds = calls[:3], [calls[start : start + 3] for start in range(3, 15, 3)]
    assert warm == ["a", "b", "c"]
    assert rounds == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]]
    assert {name: len(values) for name, values in seconds.items()} == {"a": 4, "b": 4, "c": 4}


def test_a_short_function_is_called_until_the_clock_can_tell() -> None:
    calls: list[int] = []
    seconds = interleaved({"a": lambda: calls.append(0)}, Effort(rounds=1, at_least=1e-3))
    assert len(calls) > 100
    assert 0 <= seconds["a"][0] < 1e-3


def test_no_round_begins_beyond_the_budget_but_the_fewest_are_done() -> None:
    seconds = interleaved({"a": lambda: sum(range(1000))}, Effort(rounds=50, at_least=0.0, budget=0.0, fewest=3))
    assert len(seconds["a"]) == 3


def test_quartiles_are_those_of_the_rounds_and_ratios_are_paired() -> None:
    assert spread([5.0, 1.0, 2.0, 4.0, 3.0]) == Spread(median=3.0, low=2.0, high=4.0)
    assert spread([7.0]) == single(7.0)
    assert ratios([2.0, 40.0], [1.0, 10.0]) == [2.0, 4.0]
    with pytest.raises(ValueError, match="argument 2"):
        ratios([1.0, 2.0], [1.0])


def test_the_floor_counts_the_fewest_passes_in_the_seconds_of_its_round() -> None:
    problem = mlp(3, width=4, batch=2)
    seconds = {"U": [10.0, 20.0], "F": [4.0, 6.0]}
    found = floors(problem, seconds)
    assert found["base"] == [4 + 3 * 6, 6 + 3 * 14]
    assert found["flat"] == [4 * 4 + 6 * 6, 4 * 6 + 6 * 14]
    assert found["mean"] == [20.0, 40.0]
    for task, (whole, forward) in enumerate([(5.0, 2.0), (6.0, 3.0), (7.0, 3.0)]):
        seconds |= {f"U of task {task}": [whole] * 2, f"F of task {task}": [forward] * 2}
    found = floors(dataclasses.replace(problem, branches=True), seconds)
    assert found["base"] == [4 + 3 + 3 + 4, 6 + 3 + 3 + 4]
    assert found["flat"] == [14 + 5 + 6 + 7, 16 + 5 + 6 + 7]


def test_a_gate_is_met_up_to_its_tolerance_and_says_by_how_much_it_is_missed() -> None:
    met = gates.gate(
        "a", "cost", 2.0, Spread(median=2.19, low=1.0, high=9.0), tolerance=0.1, peers=[("x", 3.0), ("y", 2.5)]
    )
    assert met.met
    assert (met.peer, met.peer_figure) == ("y", 2.5)
    assert gates.excess(met) == 0.0
    missed = gates.gate("a", "cost", 2.0, Spread(median=2.42, low=1.0, high=9.0), tolerance=0.1)
    assert not missed.met
    assert missed.peer is None
    assert gates.excess(missed) == pytest.approx(0.1)


def test_a_peer_is_ahead_only_when_the_whole_interval_says_so() -> None:
    assert gates.peer_gate("a", "x", Spread(median=1.3, low=0.99, high=2.0)).met
    behind = gates.peer_gate("a", "x", Spread(median=1.3, low=1.2, high=1.4))
    assert not behind.met
    assert gates.excess(behind) == pytest.approx(0.2)


def test_conflicting_rows_conflict_as_they_say_and_have_no_zero_in_their_hull() -> None:
    for tasks in (2, 3, 9):
        rows = conflicting_rows(tasks, 200_000, generator=torch.Generator().manual_seed(1)).double()
        lengths = rows.norm(dim=1)
        cosines = (rows @ rows.T / lengths / lengths.unsqueeze(1))[~torch.eye(tasks, dtype=torch.bool)]
        torch.testing.assert_close(cosines, torch.full_like(cosines, -CONFLICT / (tasks - 1)), atol=0.02, rtol=0)
        torch.testing.assert_close(lengths, torch.logspace(-1, 1, tasks, base=2.0).double(), atol=0, rtol=0.02)
        nearest = MGDA()(rows)
        assert nearest.norm() > 0.05
        assert relative_gap(rows, nearest) < 1e-9
        assert relative_gap(rows, rows[0]) > 0.5


def test_the_gramian_s_error_is_measured() -> None:
    found = gramian_accuracy(100_000)
    assert 0 < found.measured.median < found.limit
    assert found.met


def test_scaling_has_the_axes_and_ranges_that_it_promises() -> None:
    reached: dict[str, list[int]] = {"tasks": [], "parameters": [], "batch": []}
    for place in places(tiny=False):
        if place.axis != "parameters":
            reached[place.axis].append(place.x(place.make()))
    assert (min(reached["tasks"]), max(reached["tasks"])) == (2, 64)
    widths = [place.make.keywords["width"] for place in places(tiny=False) if place.axis == "parameters"]
    assert [f"{3 * (width**2 + width):.0e}" for width in widths] == ["1e+04", "1e+05", "1e+06", "1e+07", "4e+07"]


def test_the_program_measures_what_is_asked_for_and_keeps_it(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    found = main(only="mlp-m3", rounds=2, out=out, tiny=True, twin="tests.reference.twin")
    assert read_benchmark(out) == found
    assert found.provenance.tiny
    assert found.provenance.threads == 1
    assert (found.aggregators, found.scaling) == ((), ())
    by_name = {(cost.method, cost.implementation): cost for cost in found.steps}
    assert set(by_name) == {
        ("U", "plain"),
        *((method, name) for method in ("ERM MGDA", "F-MGDA") for name in ("flatmtl", "plain", "torchjd")),
        ("F-MGDA", "twin"),
        *((method, "flatmtl") for method in ("direct MGDA", "SAM-sum", "one perturbation MGDA", "SAMO MGDA")),
    }
    unit = by_name["U", "plain"]
    assert unit.units == single(1.0)
    for cost in found.steps:
        assert cost.shared_parameters == 3 * 8 * 9
        assert cost.seconds.low <= cost.seconds.median <= cost.seconds.high
        cheaper = cost.method in ("U", "one perturbation MGDA", "SAMO MGDA")
        assert (cost.over_floor is None) == cheaper
    kinds = [gate.kind for gate in found.gates]
    assert kinds.count("peer") == 4
    assert kinds.count("memory") == 1


def test_the_program_measures_aggregators_and_curves(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    found = main(only="aggregator MGDA", rounds=1, out=out, tiny=True)
    assert [(cost.tasks, cost.implementation) for cost in found.aggregators] == [
        (tasks, name) for tasks in (2, 9, 40) for name in ("flatmtl", "torchjd", "plain")
    ]
    for cost in found.aggregators:
        assert cost.relative_gap is not None
        assert (cost.solver_share is not None) == (cost.implementation == "flatmtl")
        if cost.implementation == "flatmtl":
            assert cost.relative_gap < 1e-5
    found = main(only="scaling tasks", rounds=1, out=out, tiny=True)
    assert [(point.series, point.x) for point in found.scaling] == [
        (name, m) for m in (2, 4) for name in ("ERM MGDA", "F-MGDA", "direct MGDA")
    ]


def test_the_program_measures_rendering_alone_and_its_limit_can_be_missed(tmp_path: Path) -> None:
    found = main(only="rendering", rounds=1, out=tmp_path / "bench.json", tiny=True)
    assert (found.steps, found.aggregators, found.scaling) == ((), (), ())
    (gate,) = found.gates
    assert (gate.kind, gate.limit, gate.peer) == ("seconds", 0.2, None)
    assert gate.name == "Rendering rooms, 12x16, seconds an image"
    assert gates.rendering_gate("rooms", single(0.2)).met
    assert not gates.rendering_gate("rooms", single(0.21)).met


def test_a_name_that_nothing_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="'mlp-m41'"):
        main(only="mlp-m41", out=tmp_path / "bench.json", tiny=True)


@pytest.mark.parametrize("options", [{"tiny": True}, {"only": "step"}])
def test_only_a_whole_benchmark_is_kept(options: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="only a whole benchmark"):
        main(keep=True, out=tmp_path / "bench.json", **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", ["segnet", "mtan"])
def test_a_dense_loss_runs_through_its_own_head_only(key: str) -> None:
    problem = PROBLEMS[key](True, torch.float32)
    (loss,) = problem.losses((1,))
    loss.backward()
    for task, head in enumerate(problem.heads):
        assert all((parameter.grad is not None) == (task == 1) for parameter in head)
    assert all(parameter.grad is not None for parameter in problem.shared)
    assert problem.branches == (key == "mtan")


def step_cost(method: str, implementation: Implementation, **values: Any) -> StepCost:
    """A cost of the problem ``mlp-m40``: 40 tasks, 1,000 shared parameters."""
    usual = {
        "seconds": single(1.0),
        "units": single(1.0),
        "over_floor": None,
        "forwards": 1,
        "backwards": 1,
        "peak_bytes": None,
        "resident_bytes": None,
    }
    return StepCost(
        problem="mlp-m40",
        label="MLP",
        tasks=40,
        shared_parameters=1_000,
        batch=1,
        method=method,
        implementation=implementation,
        **usual | values,
    )


def test_a_step_s_gates_name_the_best_peer_and_leave_the_twin_out() -> None:
    costs = [
        step_cost("U", "plain", peak_bytes=50, graph_bytes=100),
        step_cost("ERM MGDA", "flatmtl", units=single(1.0), peak_bytes=1),
        step_cost("F-MGDA", "flatmtl", units=single(56.0), peak_bytes=100 + 258_000),
        step_cost("F-MGDA", "torchjd", units=single(60.0), peak_bytes=100 + 300_000),
        step_cost("F-MGDA", "plain", units=single(70.0), peak_bytes=100 + 299_000),
        step_cost("F-MGDA", "twin", units=single(2.0), peak_bytes=1),
    ]
    (cost,) = gates.step_gates(costs)
    assert (cost.limit, cost.tolerance, cost.measured, cost.met) == (50.0, 0.10, single(56.0), False)
    assert (cost.peer, cost.peer_figure) == ("torchjd", 60.0)
    (memory,) = gates.memory_gates(costs)
    assert memory.limit == 1.5 * 43 * 1_000 * 4
    assert (memory.measured, memory.met) == (single(258_000.0), True)
    assert (memory.peer, memory.peer_figure) == ("plain", 299_000.0)


def test_an_aggregator_s_gate_is_found_by_its_matrix() -> None:
    def cost(implementation: Implementation, columns: int, ratio: float) -> AggregatorCost:
        return AggregatorCost(
            method="MGDA",
            tasks=9,
            columns=columns,
            case="conflicting",
            implementation=implementation,
            seconds=single(1.0),
            over_bound=single(ratio),
            relative_gap=0.0,
        )

    costs = [cost("flatmtl", 1_000_000, 0.8), cost("torchjd", 1_000_000, 1.4), cost("flatmtl", 1_000, 9.0)]
    (found,) = gates.aggregator_gates(costs)
    assert (found.limit, found.measured, found.met) == (0.75, single(0.8), True)
    assert (found.peer, found.peer_figure) == ("torchjd", 1.4)
