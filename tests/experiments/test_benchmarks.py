"""The bookkeeping of the benchmarks; times themselves are never tested."""

import msgspec
import pytest

from experiments.benchmarks.__main__ import Benchmark, aggregator_ratios, step_ratios, summary
from experiments.benchmarks.problems import many_heads
from experiments.benchmarks.timing import interleaved


def test_every_round_runs_every_function_once() -> None:
    calls: list[str] = []
    timings = interleaved({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=4)
    assert calls == ["a", "b"] * 5
    for timing in timings.values():
        assert 0 <= timing.low <= timing.median <= timing.high


def test_ratios_are_those_of_the_same_rounds_and_are_kept() -> None:
    ratios = [*step_ratios(many_heads(tasks=3, width=8, batch=4), 4), *aggregator_ratios(3, 1000, 4)]
    seconds = {(ratio.problem, ratio.function): ratio.seconds for ratio in ratios}
    steps = ratios[0].problem
    unit, forward = seconds[steps, "U"], seconds[steps, "F"]
    floors = {"base step": forward + 3 * (unit - forward), "F-step": 4 * forward + 6 * (unit - forward)}
    for ratio in ratios:
        bottom = unit if ratio.problem == steps else seconds[ratio.problem, "bound"]
        assert ratio.in_units == pytest.approx(ratio.seconds / bottom, rel=1e-12)
        if ratio.function in floors:
            assert ratio.over_floor == pytest.approx(ratio.seconds / floors[ratio.function], rel=1e-12)
        else:
            assert ratio.over_floor is None
    kept = msgspec.json.decode(msgspec.json.encode(summary(ratios, 4)), type=Benchmark)
    assert kept.ratios == tuple(ratios)
