"""Stored benchmarks are read back as they were written, or refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from experiments.benchmarks.records import (
    SCHEMA_VERSION,
    AggregatorCost,
    Benchmark,
    Gate,
    Provenance,
    ScalingPoint,
    Spread,
    StepCost,
    read_benchmark,
    write_benchmark,
)
from experiments.results import StoreError

ONE = Spread(median=1.0, low=0.5, high=2.0)


def example(median: float = 1.0) -> Benchmark:
    return Benchmark(
        schema_version=SCHEMA_VERSION,
        provenance=Provenance(
            commit="abc",
            dirty=False,
            machine="processor",
            python="3.11.0",
            torch="2.13.0",
            torchjd="0.18.0",
            threads=1,
            clock="process CPU",
            rounds=3,
            tiny=True,
            started="2026-01-01T00:00:00+00:00",
            finished="2026-01-01T00:01:00+00:00",
        ),
        steps=(
            StepCost(
                problem="mlp-m2",
                label="MLP",
                tasks=2,
                shared_parameters=10,
                batch=4,
                method="F-MGDA",
                implementation="flatmtl",
                seconds=msgspec.structs.replace(ONE, median=median),
                units=ONE,
                over_floor=None,
                forwards=3,
                backwards=4,
                peak_bytes=None,
                resident_bytes=5,
            ),
        ),
        aggregators=(
            AggregatorCost(
                method="MGDA",
                tasks=2,
                columns=10,
                case="conflicting",
                implementation="torchjd",
                seconds=ONE,
                over_bound=ONE,
                relative_gap=1e-3,
            ),
        ),
        scaling=(ScalingPoint(axis="tasks", series="F-MGDA", x=2, seconds=ONE, units=ONE, peak_bytes=3),),
        gates=(
            Gate(
                name="a", kind="cost", limit=1.0, tolerance=0.1, measured=ONE, met=True, peer="plain", peer_figure=2.0
            ),
        ),
    )


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "store" / "bench.json"
    write_benchmark(path, example())
    assert read_benchmark(path) == example()
    assert [entry.name for entry in path.parent.iterdir()] == ["bench.json"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_refused_and_nothing_is_written(tmp_path: Path, value: float) -> None:
    path = tmp_path / "bench.json"
    with pytest.raises(StoreError, match=r"benchmark\.steps\[0\]\.seconds\.median"):
        write_benchmark(path, example(value))
    assert not path.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda raw: raw | {"schema_version": 0}, "schema version 0, expected"),
        (lambda raw: raw | {"surprise": 1}, "surprise"),
        (lambda raw: raw | {"steps": [raw["steps"][0] | {"forwards": "3"}]}, "forwards"),
        (lambda raw: {name: value for name, value in raw.items() if name != "gates"}, "gates"),
        (lambda raw: [], "schema version None"),
    ],
)
def test_a_file_that_can_not_be_trusted_is_refused(tmp_path: Path, change: Callable[[Any], Any], message: str) -> None:
    path = tmp_path / "bench.json"
    path.write_bytes(msgspec.json.encode(change(msgspec.to_builtins(example()))))
    with pytest.raises(StoreError, match=message):
        read_benchmark(path)


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_bytes(b"{")
    with pytest.raises(StoreError, match="not a Benchmark"):
        read_benchmark(path)
