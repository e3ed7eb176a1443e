"""Where a run's processor time goes: the parts are those of the table of costs, and none is counted twice."""

import math
import time
from pathlib import Path

import pytest
import torch

from experiments.counting import CpuClock
from experiments.results import CPU_PARTS
from experiments.train import TrainingStopped, train
from tests.experiments.tiny_problem import tiny_problem, tiny_spec

SPEC = tiny_spec(epochs=3)
PROBLEM = tiny_problem()


def test_the_clock_counts_processor_time_to_its_part(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([1.0, 1.5, 4.0, 6.0, 7.0, 7.25])
    monkeypatch.setattr(time, "process_time", lambda: next(now))
    clock = CpuClock()
    for part in ("step", "probe", "step"):
        with clock(part):
            pass
    assert clock.seconds == dict.fromkeys(CPU_PARTS, 0.0) | {"step": 0.75, "probe": 2.0}


def test_the_parts_of_a_run_add_up_to_no_more_than_the_process_used(tmp_path: Path) -> None:
    before = time.process_time()
    result = train(SPEC, PROBLEM, commit="none", dirty=True, checkpoint=tmp_path / "run.pt")
    used = time.process_time() - before
    parts = result.cpu_seconds
    assert tuple(parts) == CPU_PARTS
    assert all(value > 0.0 for value in parts.values())
    assert math.fsum(parts.values()) <= used
    assert parts["batches"] + parts["step"] + parts["running means"] <= result.cpu_seconds_training


def test_a_resumed_run_counts_on(tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.pt"
    asked = iter([False] * 7 + [True])
    with pytest.raises(TrainingStopped):
        train(SPEC, PROBLEM, commit="none", dirty=True, checkpoint=checkpoint, should_stop=lambda: next(asked))
    counted = torch.load(checkpoint, weights_only=True)["clock"]
    assert counted["step"] > 0.0
    resumed = train(SPEC, PROBLEM, commit="none", dirty=True, checkpoint=checkpoint)
    assert resumed.provenance.resumed == 1
    assert all(resumed.cpu_seconds[part] > counted[part] for part in CPU_PARTS)
