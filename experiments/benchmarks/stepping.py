"""Whole steps: time of everything that is compared on a problem, in the same rounds as U and the floor."""

from collections.abc import Sequence
from functools import partial

import torch

from experiments.benchmarks.fresh import Fresh, Order
from experiments.benchmarks.gates import peer_gate
from experiments.benchmarks.problems import PROBLEMS, Call, StepProblem
from experiments.benchmarks.records import Gate, Implementation, StepCost
from experiments.benchmarks.steps import Floor, Step, own_pass, plain_pass, steps
from experiments.benchmarks.timing import Effort, Seconds, interleaved, ratios, spread

_Few = frozenset[tuple[str, Implementation]]

_FLAT: _Few = frozenset({("F-MGDA", "flatmtl"), ("F-MGDA", "torchjd"), ("F-MGDA", "plain")})

_LARGE: dict[str, _Few] = {
    "resnet18-b256": _FLAT,
    "segnet": _FLAT | {("ERM MGDA", "flatmtl")},
    "mtan": _FLAT - {("F-MGDA", "torchjd")},
}
"""Problems whose steps take seconds: what is measured there."""


def chosen_steps(key: str, tiny: bool, twin: str | None) -> list[Step]:
    """The steps that are measured on a problem; in a smoke test one for each network with many parameters."""
    wanted = _LARGE.get(key)
    if tiny and not key.startswith(("lenet", "mlp")):
        wanted = frozenset({("F-MGDA", "flatmtl")})
    return [step for step in steps(twin=twin) if wanted is None or (step.method, step.implementation) in wanted]


def orders(key: str, tiny: bool, twin: str | None) -> list[Order]:
    """U and every chosen step, each to be measured in a fresh process."""
    return [Order(key, tiny, name, twin) for name in ("U", *(step.name for step in chosen_steps(key, tiny, twin)))]


def floors(problem: StepProblem, seconds: Seconds) -> dict[Floor, list[float]]:
    """The fewest passes that each kind of step can do with, in seconds, round by round.

    ``flat``: (1 + m) F + 2 m B with B = U - F; where the tasks have branches F + sum B_i + sum (F_i + B_i).
    """
    found: dict[Floor, list[float]] = {"base": [], "flat": [], "mean": []}
    for turn, (unit, forward) in enumerate(zip(seconds["U"], seconds["F"], strict=True)):
        if problem.branches:
            wholes = sum(seconds[f"U of task {task}"][turn] for task in problem.tasks)
            backwards = wholes - sum(seconds[f"F of task {task}"][turn] for task in problem.tasks)
        else:
            backwards = len(problem.heads) * (unit - forward)
            wholes = len(problem.heads) * forward + backwards
        found["base"].append(forward + backwards)
        found["flat"].append(forward + backwards + wholes)
        found["mean"].append(2 * unit)
    return found


def functions(problem: StepProblem, listed: Sequence[Step]) -> dict[str, Call]:
    """Everything that is timed on a problem, by name."""
    timed: dict[str, Call] = {"U": plain_pass(problem), "F": lambda: problem.losses(problem.tasks)}
    if problem.branches:
        timed |= {f"U of task {task}": own_pass(problem, task) for task in problem.tasks}
        timed |= {f"F of task {task}": partial(problem.losses, (task,)) for task in problem.tasks}
    return timed | {step.name: step.make(problem) for step in listed}


def step_costs(
    key: str, effort: Effort, fresh: dict[str, Fresh], *, tiny: bool = False, twin: str | None = None
) -> tuple[list[StepCost], list[Gate]]:
    """All costs of one problem, and the comparisons with the peers.

    Args:
        fresh: memory and passes by the step's name, as ``fresh.measure_all`` found them.
    """
    problem = PROBLEMS[key](tiny, torch.float32)
    listed = chosen_steps(key, tiny, twin)
    seconds = interleaved(functions(problem, listed), effort)
    fewest = floors(problem, seconds)

    def cost(method: str, name: str, implementation: Implementation, floor: Floor | None, found: Fresh) -> StepCost:
        return StepCost(
            problem=key,
            label=problem.label,
            tasks=len(problem.heads),
            shared_parameters=problem.columns,
            batch=problem.batch,
            method=method,
            implementation=implementation,
            seconds=spread(seconds[name]),
            units=spread(ratios(seconds[name], seconds["U"])),
            over_floor=None if floor is None else spread(ratios(seconds[name], fewest[floor])),
            forwards=found.forwards,
            backwards=found.backwards,
            peak_bytes=found.peak_bytes,
            resident_bytes=found.resident_bytes,
            graph_bytes=found.graph_bytes,
        )

    costs = [cost("U", "U", "plain", None, fresh["U"])]
    costs += [cost(step.method, step.name, step.implementation, step.floor, fresh[step.name]) for step in listed]
    comparisons = [
        peer_gate(
            f"{problem.label}: {own.method}",
            other.implementation,
            spread(ratios(seconds[own.name], seconds[other.name])),
        )
        for own in listed
        for other in listed
        if own.implementation == "flatmtl"
        and other.implementation in ("torchjd", "plain")
        and own.method == other.method
    ]
    return costs, comparisons
