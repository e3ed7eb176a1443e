"""One step in a process of its own: its memory, and the passes that it makes."""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from experiments.benchmarks.memory import PassCounter, peak_live_bytes, resident_growth
from experiments.benchmarks.problems import PROBLEMS, Call, StepProblem
from experiments.benchmarks.steps import plain_pass, steps


@dataclass(frozen=True)
class Order:
    """What to measure: a problem, and one of its steps by name (or U, the plain forward and backward)."""

    problem: str
    tiny: bool
    step: str
    twin: str | None


@dataclass(frozen=True)
class Fresh:
    """Of one first step: peak of live torch bytes beyond model and data, growth of the resident set, passes.

    ``graph_bytes``: of U, the peak when the graph is kept until the end; None of all others.
    """

    peak_bytes: int
    graph_bytes: int | None
    resident_bytes: int | None
    forwards: int
    backwards: int


def measure_fresh(order: Order) -> Fresh:
    """One first step, with fresh buffers; the recorder's own memory, a few MB for large steps, counts as resident.

    A step on a tiny problem goes before, so that code which is loaded at its first use is not counted.
    """
    torch.set_num_threads(1)
    _bind(PROBLEMS["mlp-m2"](True, torch.float32), order)()
    problem = PROBLEMS[order.problem](order.tiny, torch.float32)
    counter = PassCounter(problem.shared[0])

    def losses(tasks: tuple[int, ...]) -> Sequence[Tensor]:
        counter.forwards += 1
        return problem.losses(tasks)

    step = _bind(replace(problem, losses=losses), order)
    resident: list[int | None] = []
    peak = peak_live_bytes(lambda: resident.append(resident_growth(step)))
    counter.close()
    graph = None
    if order.step == "U":
        problem.model.zero_grad()
        graph = peak_live_bytes(plain_pass(problem, keep_graph=True))
    return Fresh(peak, graph, resident[0], counter.forwards, counter.backwards)


def _bind(problem: StepProblem, order: Order) -> Call:
    if order.step == "U":
        return plain_pass(problem)
    (step,) = [step for step in steps(twin=order.twin) if step.name == order.step]
    return step.make(problem)


def measure_all(orders: Sequence[Order], workers: int = 2) -> Iterator[Fresh]:
    """Each order in a fresh process; memory, unlike time, may be measured side by side."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "torchjd.aggregation", "torchjd.autojac"])
    with ProcessPoolExecutor(workers, mp_context=context, max_tasks_per_child=1) as pool:
        yield from pool.map(measure_fresh, orders)
