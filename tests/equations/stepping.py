"""One step on a problem, and the methods that the tests of the step run with."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from flatmtl_core import (
    IMTLG,
    MGDA,
    CAGrad,
    Constant,
    FairGrad,
    Mean,
    NashMTL,
    PCGrad,
    StepReport,
    Workspace,
    mtl_backward,
    sam_mtl_backward,
)
from flatmtl_core.types import Aggregator
from tests.reference.networks import Problem
from tests.reference.observe import clear_grads, flat_grads_of
from tests.reference.twin import BlackBox, Combine, Norm, TaskLosses

ORDER_SEED = 17

THREE_TASKS: dict[str, Aggregator] = {
    "mean": Mean(),
    "constant": Constant(weights=(0.5, 2.0, -0.25)),
    "mgda": MGDA(),
    "pcgrad": PCGrad(reduction="sum"),
    "cagrad": CAGrad(c=0.4),
    "imtlg": IMTLG(),
    "nash": NashMTL(scale="norm"),
    "fairgrad": FairGrad(alpha=2.0, scale="norm"),
}
"""One instance of each method, ready for m = 3."""


@dataclass(frozen=True)
class Taken:
    """What one step added to ``.grad``, as flat vectors, and its report."""

    direction: Tensor
    heads: list[Tensor]
    report: StepReport


def orders() -> torch.Generator:
    return torch.Generator().manual_seed(ORDER_SEED)


def black_box(aggregator: Aggregator) -> BlackBox:
    """The aggregator as a function of the rows, with one generator for all its calls."""
    generator = orders()
    return lambda rows: aggregator(rows, generator=generator).clone()


def take_step(
    problem: Problem,
    aggregator: Aggregator,
    *,
    rho_shared: float,
    rho_heads: float,
    combine: Combine = "decomposed",
    norm: Norm = "separate",
    adaptive: bool = False,
    same_noise: bool = True,
    workspace: Workspace | None = None,
    task_losses: TaskLosses | None = None,
) -> Taken:
    """``sam_mtl_backward`` from empty ``.grad``; they are read and cleared again."""
    clear_grads(problem.parameters())
    report = sam_mtl_backward(
        problem,
        problem.task_losses if task_losses is None else task_losses,
        shared=problem.shared(),
        heads=problem.head_parameters(),
        aggregator=aggregator,
        rho_shared=rho_shared,
        rho_heads=rho_heads,
        combine=combine,
        norm=norm,
        adaptive=adaptive,
        same_noise=same_noise,
        generator=orders(),
        workspace=workspace,
    )
    return _taken(problem, report)


def take_base_step(problem: Problem, aggregator: Aggregator) -> Taken:
    """``mtl_backward`` from empty ``.grad``; they are read and cleared again."""
    clear_grads(problem.parameters())
    report = mtl_backward(
        problem.task_losses(tuple(range(problem.n_tasks))),
        shared=problem.shared(),
        heads=problem.head_parameters(),
        aggregator=aggregator,
        generator=orders(),
    )
    return _taken(problem, report)


def _taken(problem: Problem, report: StepReport) -> Taken:
    taken = Taken(
        direction=flat_grads_of(problem.shared()),
        heads=[flat_grads_of(head) for head in problem.head_parameters()],
        report=report,
    )
    clear_grads(problem.parameters())
    return taken


def arguments(problem: Problem, **changes: Any) -> dict[str, Any]:
    """A valid call of ``sam_mtl_backward``, with some arguments replaced."""
    valid = {
        "model": problem,
        "losses": problem.task_losses,
        "shared": problem.shared(),
        "heads": problem.head_parameters(),
        "aggregator": Mean(),
        "rho_shared": 0.1,
        "rho_heads": 0.1,
    }
    return valid | changes


def call(options: dict[str, Any]) -> Any:
    options = dict(options)
    return sam_mtl_backward(options.pop("model"), options.pop("losses"), **options)


def call_base(options: dict[str, Any]) -> Any:
    tasks = tuple(range(len(options["heads"])))
    keywords = {key: options[key] for key in ("shared", "heads", "aggregator")}
    return mtl_backward(options["losses"](tasks), **keywords)
