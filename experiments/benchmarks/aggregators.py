"""The aggregators on matrices of conflicting gradients, over the bound ``mm(J, J.T) + mv(J.T, w)``."""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from experiments.benchmarks.gates import AGGREGATOR_LIMITS, AggregatorLimit, gramian_gate, peer_gate
from experiments.benchmarks.peers import plain, torchjd
from experiments.benchmarks.problems import Call
from experiments.benchmarks.records import AggregatorCost, Gate, Implementation
from experiments.benchmarks.timing import Effort, interleaved, ratios, spread
from experiments.methods import AGGREGATORS
from flatmtl_core.aggregate import FromGramian
from flatmtl_core.cosine import take_apart
from flatmtl_core.linalg import gramian, measure

CONFLICT = 0.8
"""Share of the largest cosine that m gradients can have with each other all at once, -1 / (m - 1)."""

CASES = tuple(limit for limit in AGGREGATOR_LIMITS if limit.method in AGGREGATORS)
"""What is measured: the methods that exist here, where they have a limit."""


def conflicting_rows(tasks: int, columns: int, *, generator: torch.Generator) -> Tensor:
    """Rows with pairwise cosine -0.8 / (m - 1) and lengths from 1/2 to 2, up to 1 / sqrt(d); 0 is not in their hull.

    ``r_i = n_i - t mean(n)`` of normal n_i: ``<r_i, r_j> = d q / m`` and ``||r_i||^2 = d (1 + q / m)`` with
    ``q = t^2 - 2 t``, so that a cosine c needs ``q / m = c / (1 - c)``. Lengths differ because otherwise equal
    weights, where iterative solvers start, would be the answer of most methods.
    """
    rows = torch.randn(tasks, columns, generator=generator)
    cosine = -CONFLICT / (tasks - 1)
    t = 1 - math.sqrt(1 + tasks * cosine / (1 - cosine))
    rows -= t * rows.mean(dim=0)
    lengths = torch.logspace(-1, 1, tasks, base=2.0) * math.sqrt((1 - cosine) / columns)
    return rows.mul_(lengths.unsqueeze(1))


def implementations(method: str, rows: Tensor) -> dict[Implementation, Callable[[], Tensor]]:
    """The method by everybody who has it; ours writes into a kept vector."""
    found: dict[Implementation, Callable[[], Tensor]] = {}
    for name, make in AGGREGATORS.items():
        if name == method:
            kept, generator = torch.empty_like(rows[0]), torch.Generator().manual_seed(0)
            found["flatmtl"] = partial(make(), rows, generator=generator, out=kept)
    for name, make_peer in torchjd.aggregators().items():
        if name == method:
            found["torchjd"] = partial(make_peer(), rows)
    for name, combine in plain.AGGREGATORS.items():
        if name == method:
            found["plain"] = partial(combine, rows)
    return found


def solver_of(call: object, rows: Tensor) -> Call | None:
    """Of a call of one of our Gramian methods: from the Gramian on the host to the weights; None for other calls."""
    aggregator = call.func if isinstance(call, partial) else None
    if not isinstance(aggregator, FromGramian):
        return None
    measured, generator = measure(rows), torch.Generator().manual_seed(0)

    def solve() -> None:
        aggregator.weighted(take_apart(measured.entries, measured.noise), generator, torch.device("cpu"))

    return solve


def relative_gap(rows: Tensor, direction: Tensor) -> float:
    """``(d.d - min_i g_i.d) / d.d``: 0 where d is the point of the convex hull nearest to 0."""
    exact = direction.double()
    square = float(exact @ exact)
    return max(0.0, (square - min(float(row.double() @ exact) for row in rows)) / square)


def aggregator_costs(
    case: AggregatorLimit, effort: Effort, *, tiny: bool = False
) -> tuple[list[AggregatorCost], list[Gate]]:
    """One method on one matrix by everybody who has it, and the comparisons with the peers."""
    generator = torch.Generator().manual_seed(0)
    columns = 1_000 if tiny else case.columns
    rows = conflicting_rows(case.tasks, columns, generator=generator)
    weights = torch.full((case.tasks,), 1 / case.tasks)
    calls = implementations(case.method, rows)
    timed: dict[str, Call] = {"bound": lambda: (torch.mm(rows, rows.T), torch.mv(rows.T, weights))}
    solver = solver_of(calls.get("flatmtl"), rows)
    seconds = interleaved(timed | calls | ({"solver": solver} if solver else {}), effort)
    costs = [
        AggregatorCost(
            method=case.method,
            tasks=case.tasks,
            columns=columns,
            case="conflicting",
            implementation=name,
            seconds=spread(seconds[name]),
            over_bound=spread(ratios(seconds[name], seconds["bound"])),
            relative_gap=relative_gap(rows, call()) if case.method == "MGDA" else None,
            solver_share=spread(ratios(seconds["solver"], seconds[name])) if solver and name == "flatmtl" else None,
        )
        for name, call in calls.items()
    ]
    comparisons = [
        peer_gate(costs[0].label, peer, spread(ratios(seconds["flatmtl"], seconds[peer])))
        for peer in calls
        if peer != "flatmtl" and "flatmtl" in calls
    ]
    return costs, comparisons


def gramian_accuracy(columns: int = 44_000_000) -> Gate:
    """The Gramian of two long float32 rows against float64, beside ``torch.mm``.

    The error is the largest entry of |G - G64| over ||g_i|| ||g_j||.
    """
    rows = conflicting_rows(2, columns, generator=torch.Generator().manual_seed(0))
    exact = torch.zeros(2, 2, dtype=torch.float64)
    for block in rows.split(1 << 20, dim=1):
        wide = block.double()
        exact += wide @ wide.T
    lengths = exact.diagonal().sqrt()

    def error(found: Tensor) -> float:
        return float(((found.double() - exact).abs() / lengths / lengths.unsqueeze(1)).max())

    return gramian_gate(error(gramian(rows)), error(torch.mm(rows, rows.T)))
