"""What the benchmarks print."""

from collections.abc import Iterable

from rich.table import Table

from experiments.benchmarks.gates import excess
from experiments.benchmarks.records import AggregatorCost, Gate, GateKind, ScalingPoint, Spread, StepCost

MEGA = 1e6


def _interval(measured: Spread, digits: int = 2) -> str:
    return f"{measured.median:.{digits}f} ({measured.low:.{digits}f} .. {measured.high:.{digits}f})"


def _megabytes(count: int | None) -> str:
    return "" if count is None else f"{count / MEGA:.0f}"


def step_table(costs: Iterable[StepCost]) -> Table:
    """Steps, problem by problem: medians with quartiles."""
    table = Table("problem", "method", "by", "ms", "in U", "over the floor", "fwd", "bwd", "MB", "MB resident")
    table.title = "Steps: process CPU time, one thread, median (quartiles)"
    problem = ""
    for cost in costs:
        if cost.problem != problem:
            table.add_section()
        table.add_row(
            cost.label if cost.problem != problem else "",
            cost.method,
            "" if cost.method == "U" else cost.implementation,
            f"{1e3 * cost.seconds.median:.1f}",
            _interval(cost.units),
            "" if cost.over_floor is None else _interval(cost.over_floor),
            str(cost.forwards),
            str(cost.backwards),
            _megabytes(cost.peak_bytes),
            _megabytes(cost.resident_bytes),
        )
        problem = cost.problem
    return table


def aggregator_table(costs: Iterable[AggregatorCost]) -> Table:
    """Aggregators over the bound."""
    table = Table("method", "m", "d", "by", "ms", "over mm + mv", "relative gap")
    table.title = "Aggregators on conflicting rows"
    for cost in costs:
        table.add_row(
            cost.method,
            str(cost.tasks),
            f"{cost.columns:.1e}",
            cost.implementation,
            f"{1e3 * cost.seconds.median:.2f}",
            _interval(cost.over_bound),
            "" if cost.relative_gap is None else f"{cost.relative_gap:.0e}",
        )
    return table


def scaling_table(points: Iterable[ScalingPoint]) -> Table:
    """Curves as numbers."""
    table = Table("axis", "series", "x", "ms", "in U", "MB", title="Scaling on the multilayer perceptron")
    for point in points:
        table.add_row(
            point.axis,
            point.series,
            f"{point.x:,}",
            f"{1e3 * point.seconds.median:.1f}",
            _interval(point.units),
            f"{point.peak_bytes / MEGA:.1f}",
        )
    return table


def _figure(kind: GateKind, value: float) -> str:
    match kind:
        case "memory":
            return f"{value / MEGA:.1f} MB"
        case "accuracy":
            return f"{value:.1e}"
        case "seconds":
            return f"{value:.3f} s"
        case _:
            return f"{value:.2f}"


def gate_table(gates: Iterable[Gate]) -> Table:
    """Every gate with its limit, what was measured, the best peer, and the verdict."""
    table = Table("gate", "limit", "measured (quartiles)", "best peer", "verdict", title="Gates")
    for one in gates:
        figures = [_figure(one.kind, value) for value in (one.measured.median, one.measured.low, one.measured.high)]
        measured = figures[0] if one.kind in ("memory", "accuracy") else f"{figures[0]} ({figures[1]} .. {figures[2]})"
        peer = "" if one.peer is None or one.peer_figure is None else f"{one.peer} {_figure(one.kind, one.peer_figure)}"
        limit = _figure(one.kind, one.limit) + (f" + {100 * one.tolerance:.0f} %" if one.tolerance else "")
        table.add_row(one.name, limit, measured, peer, "met" if one.met else f"MISS by {100 * excess(one):.0f} %")
    return table
