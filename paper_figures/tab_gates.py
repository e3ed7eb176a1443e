"""Table C.1: the limits set for cost, memory and accuracy, and what was measured."""

from collections.abc import Sequence

import msgspec

from experiments.benchmarks.records import Benchmark, GateKind
from paper_figures.benchmark import BENCHMARK, measured_on, significant
from paper_figures.exhibit import Columns, FileExhibit, Table, distinct

KINDS: dict[GateKind, str] = {
    "cost": "Cost",
    "memory": "Memory (MB)",
    "accuracy": "Accuracy",
    "seconds": "Processor time (s)",
    "peer": "Against the best other implementation (time over its time)",
}


class GateRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One limit and what was measured: median and quartiles, in the unit of the limit."""

    name: str
    kind: GateKind
    limit: float
    tolerance: float
    measured: float
    measured_low: float
    measured_high: float
    met: bool
    peer: str | None
    peer_figure: float | None


def data(benchmark: Benchmark) -> tuple[GateRow, ...]:
    """Every gate, by kind."""
    return tuple(
        GateRow(
            name=gate.name,
            kind=gate.kind,
            limit=gate.limit,
            tolerance=gate.tolerance,
            measured=gate.measured.median,
            measured_low=gate.measured.low,
            measured_high=gate.measured.high,
            met=gate.met,
            peer=gate.peer,
            peer_figure=gate.peer_figure,
        )
        for kind in KINDS
        for gate in benchmark.gates
        if gate.kind == kind
    )


def _cell(row: GateRow, value: float | None) -> str:
    if value is None:
        return ""
    return significant(value / 1e6 if row.kind == "memory" else value)


def _quartiles(row: GateRow) -> str:
    """Nothing where one figure was measured once."""
    if row.measured_low == row.measured_high:
        return ""
    return f"{_cell(row, row.measured_low)}–{_cell(row, row.measured_high)}"


def table(rows: Sequence[GateRow]) -> Table:
    """One section a kind of gate, one line a gate."""
    return Table(
        columns=(
            Columns("", ("Gate",)),
            Columns("", ("limit", "tolerance")),
            Columns("Measured", ("median", "quartiles")),
            Columns("Best other", ("figure", "who")),
            Columns("", ("met",)),
        ),
        sections=tuple(
            (
                KINDS[kind],
                tuple(
                    (
                        row.name,
                        _cell(row, row.limit),
                        f"{100 * row.tolerance:g} %" if row.tolerance else "",
                        _cell(row, row.measured),
                        _quartiles(row),
                        _cell(row, row.peer_figure),
                        row.peer or "",
                        "yes" if row.met else "MISSED",
                    )
                    for row in rows
                    if row.kind == kind
                ),
            )
            for kind in distinct(row.kind for row in rows)
        ),
    )


def caption(benchmark: Benchmark) -> str:
    """How many are met, what met means, and what was measured on what."""
    met, gates = sum(gate.met for gate in benchmark.gates), len(benchmark.gates)
    return (
        f"{met} of {gates} gates are met. A limit is met when the median is at most the limit with its tolerance; "
        "against another implementation, unless the whole interval of the ratio lies above 1. "
        f"{measured_on(benchmark)}{bounded_by(benchmark)}"
    )


def bounded_by(benchmark: Benchmark) -> str:
    """What a missed gate of an aggregator is bounded by: the share of the small solver, and the ratio without it."""
    sentences = ""
    for cost in benchmark.aggregators:
        missed = [gate for gate in benchmark.gates if gate.name.startswith(f"{cost.label}, ") and not gate.met]
        if cost.solver_share is None:
            continue
        for gate in missed:
            share, without = cost.solver_share.median, gate.measured.median * (1 - cost.solver_share.median)
            sentences += (
                f" {gate.name}: {100 * share:.0f} % of our time finds the weights from the Gramian, in Python on the "
                f"host; all else together stands at {without:.2f} (limit {gate.limit:g})."
            )
    return sentences


EXHIBIT = FileExhibit(
    name="table_c_1_gates",
    location="Table C.1",
    title="Gates",
    table=table,
    file=BENCHMARK,
    data=data,
    caption=caption,
)
