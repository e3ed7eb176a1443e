"""The limits, and whether they are met."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from experiments.benchmarks.records import AggregatorCost, Gate, GateKind, Spread, StepCost

TOLERANCE = 0.10
"""Costs may exceed their limit by this share: that much differs from run to run."""

FLOAT = 4
"""Bytes of a float32."""


@dataclass(frozen=True)
class StepLimit:
    """The dearest that an exact flat step may be: over the floor, or in U."""

    problem: str
    quantity: Literal["floor", "U"]
    limit: float


STEP_LIMITS = (
    StepLimit("lenet-b256", "floor", 1.10),
    StepLimit("resnet18-b64", "floor", 1.20),
    StepLimit("resnet18-b256", "floor", 1.20),
    StepLimit("segnet", "floor", 1.10),
    StepLimit("mtan", "U", 2.9),
    StepLimit("mlp-m40", "U", 50.0),
)


@dataclass(frozen=True)
class AggregatorLimit:
    """The dearest that an aggregator may be, over the bound, on conflicting rows with a kept result."""

    method: str
    tasks: int
    columns: int
    limit: float


AGGREGATOR_LIMITS = (
    AggregatorLimit("MGDA", 2, 11_000_000, 0.5),
    AggregatorLimit("MGDA", 9, 1_000_000, 0.75),
    AggregatorLimit("MGDA", 40, 1_000_000, 1.2),
    AggregatorLimit("PCGrad", 2, 11_000_000, 0.5),
    AggregatorLimit("PCGrad", 40, 1_000_000, 1.2),
    AggregatorLimit("CAGrad", 2, 11_000_000, 0.5),
    AggregatorLimit("CAGrad", 2, 100_000, 1.4),
    AggregatorLimit("IMTLG", 3, 11_000_000, 0.5),
    AggregatorLimit("NashMTL", 2, 1_000_000, 1.4),
    AggregatorLimit("NashMTL", 9, 100_000, 1.7),
    AggregatorLimit("UPGrad", 40, 1_000_000, 1.15),
)
GRAMIAN_LIMIT = 1e-6
"""Relative error of the Gramian of float32 rows."""

RENDERING_LIMIT = 0.2
"""CPU seconds for one rendered image."""


def gate(
    name: str,
    kind: GateKind,
    limit: float,
    measured: Spread,
    *,
    tolerance: float = 0.0,
    peers: Sequence[tuple[str, float]] = (),
) -> Gate:
    """A gate with its verdict; ``peers``: who else, and the same quantity of theirs. The best of them is kept."""
    decisive = measured.low if kind == "peer" else measured.median
    best = min(peers, key=lambda peer: peer[1], default=(None, None))
    return Gate(
        name=name,
        kind=kind,
        limit=limit,
        tolerance=tolerance,
        measured=measured,
        met=decisive <= limit * (1 + tolerance),
        peer=best[0],
        peer_figure=best[1],
    )


def excess(measured: Gate) -> float:
    """Share by which a missed gate is missed, beyond its tolerance; 0 when it is met."""
    if measured.met:
        return 0.0
    decisive = measured.measured.low if measured.kind == "peer" else measured.measured.median
    return decisive / (measured.limit * (1 + measured.tolerance)) - 1


def _single(value: float) -> Spread:
    return Spread(median=value, low=value, high=value)


def _peers(
    costs: Iterable[StepCost], own: StepCost, quantity: Callable[[StepCost], float | None]
) -> list[tuple[str, float]]:
    """The same quantity of the same method on the same problem, by others; the slow twin is no peer."""
    same = [cost for cost in costs if (cost.problem, cost.method) == (own.problem, own.method)]
    found = [(cost.implementation, quantity(cost)) for cost in same if cost.implementation in ("torchjd", "plain")]
    return [(name, value) for name, value in found if value is not None]


def _own_flat(costs: Iterable[StepCost]) -> list[StepCost]:
    """The exact flat step by this project."""
    return [cost for cost in costs if cost.implementation == "flatmtl" and cost.method.startswith("F-")]


def _in_units(cost: StepCost) -> float:
    return cost.units.median


def _over_floor(cost: StepCost) -> float | None:
    return None if cost.over_floor is None else cost.over_floor.median


def step_gates(costs: Sequence[StepCost]) -> list[Gate]:
    """Time of the exact flat step, where there is a limit."""
    gates: list[Gate] = []
    for own in _own_flat(costs):
        for limit in STEP_LIMITS:
            if limit.problem != own.problem:
                continue
            measured = own.units if limit.quantity == "U" else own.over_floor
            assert measured is not None
            peers = _peers(costs, own, _in_units if limit.quantity == "U" else _over_floor)
            name = f"{own.label}: {own.method}, {'in U' if limit.quantity == 'U' else 'over the floor'}"
            gates.append(gate(name, "cost", limit.limit, measured, tolerance=TOLERANCE, peers=peers))
    return gates


def memory_gates(costs: Sequence[StepCost]) -> list[Gate]:
    """Peak bytes of the exact flat step beside the graph: at most 1.5 (m + 3) d floats.

    The graph: the peak of one plain forward and backward that keeps its graph, which the first of m backwards must.
    """
    graphs = {cost.problem: cost.graph_bytes for cost in costs if cost.method == "U"}
    gates: list[Gate] = []
    for own in _own_flat(costs):
        graph = graphs.get(own.problem)
        if graph is None or own.peak_bytes is None:
            continue
        peers = [(peer, peak - graph) for peer, peak in _peers(costs, own, lambda cost: cost.peak_bytes)]
        limit = 1.5 * (own.tasks + 3) * own.shared_parameters * FLOAT
        measured = _single(float(own.peak_bytes - graph))
        name = f"{own.label}: {own.method}, bytes beside the graph"
        gates.append(gate(name, "memory", limit, measured, tolerance=TOLERANCE, peers=peers))
    return gates


def aggregator_gates(costs: Sequence[AggregatorCost]) -> list[Gate]:
    """Time of the aggregators, where there is a limit."""
    gates: list[Gate] = []
    for limit in AGGREGATOR_LIMITS:
        same = [
            cost
            for cost in costs
            if (cost.method, cost.tasks, cost.columns) == (limit.method, limit.tasks, limit.columns)
        ]
        peers = [(cost.implementation, cost.over_bound.median) for cost in same if cost.implementation != "flatmtl"]
        for cost in same:
            if cost.implementation == "flatmtl":
                name = f"{cost.label}, over the bound"
                gates.append(gate(name, "cost", limit.limit, cost.over_bound, tolerance=TOLERANCE, peers=peers))
    return gates


def peer_gate(name: str, peer: str, ratio: Spread) -> Gate:
    """Our time over theirs, round by round."""
    return gate(f"{name}, time over {peer}'s", "peer", 1.0, ratio, peers=[(peer, 1.0)])


def gramian_gate(error: float, peer_error: float) -> Gate:
    """Largest relative error of the Gramian at 44 million columns; the peer is ``torch.mm(J, J.T)``."""
    name = "Gramian, d = 4.4e7, relative error"
    return gate(name, "accuracy", GRAMIAN_LIMIT, _single(error), peers=[("torch.mm", peer_error)])


def rendering_gate(name: str, seconds: Spread) -> Gate:
    """CPU seconds that one image takes to render."""
    return gate(f"Rendering {name}, seconds an image", "seconds", RENDERING_LIMIT, seconds)
