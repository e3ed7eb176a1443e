"""A benchmark that never ran: seeded figures of the right shape. For tests of reports only."""

import random

from experiments.benchmarks.records import (
    SCHEMA_VERSION,
    AggregatorCost,
    Axis,
    Benchmark,
    Gate,
    GateKind,
    Implementation,
    Provenance,
    ScalingPoint,
    Spread,
    StepCost,
)

PROBLEMS = (
    ("lenet", "LeNet, 36x36, batch 256", 2, 30_890, 256),
    ("resnet18", "ResNet-18, 36x36, batch 64", 2, 11_221_540, 64),
    ("segnet", "SegNet split, 128x128, batch 2", 3, 24_943_296, 2),
    ("mtan", "MTAN, 128x128, batch 2", 3, 35_163_456, 2),
    ("mlp-m2", "MLP, trunk 3x512, batch 128", 2, 787_968, 128),
    ("mlp-m3", "MLP, trunk 3x512, batch 128", 3, 787_968, 128),
    ("mlp-m11", "MLP, trunk 3x512, batch 128", 11, 787_968, 128),
    ("mlp-m40", "MLP, trunk 3x512, batch 128", 40, 787_968, 128),
)
"""Key, label, m, shared parameters, batch."""

IMPLEMENTATIONS: tuple[Implementation, ...] = ("flatmtl", "torchjd", "plain", "twin")


def spread(draw: random.Random, about: float) -> Spread:
    """A median within 5 % of a figure, quartiles within 4 % of the median."""
    median = about * draw.uniform(0.95, 1.05)
    return Spread(median=median, low=median * draw.uniform(0.96, 0.99), high=median * draw.uniform(1.01, 1.04))


def _steps(draw: random.Random, problem: str, label: str, tasks: int, parameters: int, batch: int) -> list[StepCost]:
    """Every method and implementation on one problem."""
    forward = 0.4
    base, flat = forward + tasks * (1 - forward), (1 + tasks) * forward + 2 * tasks * (1 - forward)

    def cost(
        method: str, implementation: Implementation, floor: float | None, ratio: float, passes: tuple[int, int]
    ) -> StepCost:
        units = (1.0 if floor is None else floor) * ratio
        return StepCost(
            problem=problem,
            label=f"{label}, m = {tasks}",
            tasks=tasks,
            shared_parameters=parameters,
            batch=batch,
            method=method,
            implementation=implementation,
            seconds=spread(draw, 1e-9 * parameters * batch * units),
            units=spread(draw, units),
            over_floor=None if floor is None else spread(draw, ratio),
            forwards=passes[0],
            backwards=passes[1],
            peak_bytes=None if implementation == "twin" else int(4.0 * parameters * (tasks + 3) * ratio),
            resident_bytes=None if method == "F" else int(5.0 * parameters * (tasks + 3) * ratio),
        )

    costs = [cost("U", "plain", None, 1.0, (1, 1)), cost("F", "plain", None, forward, (1, 0))]
    for name, ratio in zip(IMPLEMENTATIONS, (1.04, 1.3, 1.6, 2.8), strict=True):
        costs.append(cost("F-MGDA", name, flat, ratio, (1 + tasks, 2 * tasks)))
        if name != "twin":
            costs.append(cost("ERM MGDA", name, base, ratio, (1, tasks)))
    costs.append(cost("direct MGDA", "flatmtl", flat, 1.02, (1 + tasks, 2 * tasks)))
    costs.append(cost("SAM-sum", "flatmtl", 2.0, 1.05, (2, 2)))
    return costs


def _aggregators(draw: random.Random) -> list[AggregatorCost]:
    return [
        AggregatorCost(
            method=method,
            tasks=tasks,
            columns=columns,
            case="conflicting",
            implementation=implementation,
            seconds=spread(draw, 1e-9 * tasks * columns * ratio),
            over_bound=spread(draw, ratio),
            relative_gap=10.0 ** draw.randint(-12, -3) if method == "MGDA" else None,
        )
        for tasks, columns in ((2, 100_000), (2, 11_000_000), (3, 11_000_000), (9, 100_000), (9, 1_000_000))
        for method, slowness in (("MGDA", 1.0), ("PCGrad", 1.1), ("CAGrad", 1.5), ("NashMTL", 2.0))
        for implementation, ratio in (("flatmtl", 0.6), ("torchjd", slowness**8), ("plain", 4 * slowness))
        if not (implementation == "torchjd" and method == "PCGrad" and tasks == 9)
    ]


def _scaling(draw: random.Random) -> list[ScalingPoint]:
    axes: tuple[tuple[Axis, tuple[int, ...]], ...] = (
        ("tasks", (2, 4, 8, 16, 32, 64)),
        ("parameters", (10_000, 100_000, 1_000_000, 10_000_000, 40_000_000)),
        ("batch", (16, 64, 256, 1024)),
    )
    return [
        ScalingPoint(
            axis=axis,
            series=series,
            x=x,
            seconds=spread(draw, 1e-3 * x**0.5),
            units=spread(draw, slope * (x if axis == "tasks" else 2.0)),
            peak_bytes=int(1e6 * slope * (x + 3)),
        )
        for axis, points in axes
        for series, slope in (("F-MGDA", 1.6), ("ERM MGDA", 0.6), ("F-MGDA, plain PyTorch", 2.9))
        for x in points
    ]


def _gate(name: str, kind: GateKind, limit: float, measured: Spread, peer: str | None = None) -> Gate:
    tolerance = 0.1 if kind == "cost" else 0.0
    return Gate(
        name=name,
        kind=kind,
        limit=limit,
        tolerance=tolerance,
        measured=measured,
        met=measured.median <= limit * (1 + tolerance),
        peer=peer,
        peer_figure=None if peer is None else 1.5 * measured.median,
    )


def benchmark() -> Benchmark:
    """Always the same."""
    draw = random.Random(0)
    steps = [cost for problem in PROBLEMS for cost in _steps(draw, *problem)]
    aggregators = _aggregators(draw)
    own = [cost for cost in steps if cost.implementation == "flatmtl" and cost.method == "F-MGDA"]
    gates = [
        _gate(f"{cost.label}: F-MGDA, over the floor", "cost", 1.1, cost.over_floor, "torchjd")
        for cost in own[:3]
        if cost.over_floor is not None
    ]
    gates += [
        _gate("MTAN: F-MGDA, in U", "cost", 1.08 * own[3].units.median, own[3].units),
        _gate("MLP, m = 40: F-MGDA, in U", "cost", 0.7 * own[7].units.median, own[7].units, "plain"),
        _gate("MGDA, m = 2, d = 1.0e+05, over the bound", "cost", 0.7, aggregators[0].over_bound, "torchjd"),
        _gate("LeNet, bytes beside U", "memory", 3.2e6, Spread(median=2.5e6, low=2.5e6, high=2.5e6), "plain"),
        _gate("Gramian, relative error", "accuracy", 1e-6, Spread(median=4.2e-8, low=4.2e-8, high=4.2e-8)),
        _gate("MGDA, time over torchjd's", "peer", 1.0, Spread(median=0.8, low=0.7, high=0.9), "torchjd"),
    ]
    return Benchmark(
        schema_version=SCHEMA_VERSION,
        provenance=Provenance(
            commit="0123abcd",
            dirty=False,
            machine="x86_64, 2 cores",
            python="3.11.0",
            torch="2.13.0",
            torchjd="0.18.0",
            threads=1,
            clock="process CPU",
            rounds=15,
            tiny=False,
            started="2026-01-01T00:00:00Z",
            finished="2026-01-01T01:00:00Z",
        ),
        steps=tuple(steps),
        aggregators=tuple(aggregators),
        scaling=tuple(_scaling(draw)),
        gates=tuple(gates),
    )
