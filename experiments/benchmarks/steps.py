"""One iteration up to the optimizer's step, by this project; and the list of all that are compared."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch

from experiments.benchmarks.peers import plain, torchjd
from experiments.benchmarks.problems import Call, StepProblem
from experiments.benchmarks.records import Implementation
from experiments.cheaper.second_passes import SAMO, SharedPerturbation
from experiments.cheaper.variant import Setup
from experiments.methods import AGGREGATORS, sam_of_the_mean
from experiments.spec import AggregatorName
from flatmtl_core import Workspace, mtl_backward, sam_mtl_backward

RADIUS = 0.05
"""Of the shared block and of every head."""

Floor = Literal["base", "flat", "mean"]
"""``base``: F + m B; ``flat``: (1 + m) F + 2 m B; ``mean``: 2 (F + B), with B = U - F."""

Variant = SharedPerturbation | SAMO


@dataclass(frozen=True)
class Step:
    """One method by one implementation; ``make`` binds it to a problem and to whatever it keeps between steps.

    ``floor`` is None for the cheaper variants: they are other methods, with formulas of their own.
    """

    method: str
    implementation: Implementation
    floor: Floor | None
    make: Callable[[StepProblem], Call]

    @property
    def name(self) -> str:
        return f"{self.method} by {self.implementation}"


def plain_pass(problem: StepProblem, *, keep_graph: bool = False) -> Call:
    """U: forward and backward of the summed loss."""

    def call() -> None:
        problem.model.zero_grad()
        torch.stack(list(problem.losses(problem.tasks))).sum().backward(retain_graph=keep_graph)

    return call


def own_pass(problem: StepProblem, task: int) -> Call:
    """Forward and backward of one task's loss."""

    def call() -> None:
        problem.model.zero_grad()
        problem.losses((task,))[0].backward()

    return call


def base_step(problem: StepProblem, aggregator: AggregatorName) -> Call:
    workspace, generator, method = Workspace(), torch.Generator().manual_seed(0), AGGREGATORS[aggregator]()

    def call() -> None:
        problem.model.zero_grad()
        mtl_backward(
            problem.losses(problem.tasks),
            shared=problem.shared,
            heads=problem.heads,
            aggregator=method,
            generator=generator,
            workspace=workspace,
        )

    return call


def flat_step(problem: StepProblem, aggregator: AggregatorName, combine: Literal["decomposed", "direct"]) -> Call:
    workspace, generator, method = Workspace(), torch.Generator().manual_seed(0), AGGREGATORS[aggregator]()

    def call() -> None:
        problem.model.zero_grad()
        sam_mtl_backward(
            problem.model,
            problem.losses,
            shared=problem.shared,
            heads=problem.heads,
            aggregator=method,
            rho_shared=RADIUS,
            rho_heads=RADIUS,
            combine=combine,
            generator=generator,
            workspace=workspace,
        )

    return call


def mean_step(problem: StepProblem) -> Call:
    workspace = Workspace()

    def call() -> None:
        problem.model.zero_grad()
        sam_of_the_mean(
            problem.model,
            problem.losses,
            shared=problem.shared,
            heads=problem.heads,
            rho_shared=RADIUS,
            rho_heads=RADIUS,
            workspace=workspace,
        )

    return call


def variant_step(problem: StepProblem, aggregator: AggregatorName, variant: Variant) -> Call:
    """A cheaper relative of the flat step."""
    setup = Setup(
        problem.model,
        problem.shared,
        problem.heads,
        AGGREGATORS[aggregator](),
        RADIUS,
        RADIUS,
        torch.Generator().manual_seed(0),
    )

    def call() -> None:
        problem.model.zero_grad()
        variant.step(setup, problem.losses)

    return call


def twin_step(problem: StepProblem, aggregator: AggregatorName, module: str) -> Call:
    """Algorithm 1 as the tests' reference writes it.

    Args:
        module: where ``twin_step`` is; named by the caller because nothing here imports the tests.
    """
    twin, generator = importlib.import_module(module), torch.Generator().manual_seed(0)
    method = partial(AGGREGATORS[aggregator](), generator=generator)

    def call() -> None:
        problem.model.zero_grad()
        result = twin.twin_step(
            problem.losses,
            shared=problem.shared,
            heads=problem.heads,
            aggregate=method,
            rho_shared=RADIUS,
            rho_heads=RADIUS,
        )
        problem.write_gradients(result.direction, result.head_sam_grads)

    return call


def steps(aggregator: AggregatorName = "MGDA", twin: str | None = None) -> tuple[Step, ...]:
    """Everything that is compared on a problem.

    Args:
        aggregator: the same for all.
        twin: module of the tests' reference; None leaves it out.
    """
    base, flat = f"ERM {aggregator}", f"F-{aggregator}"
    listed = [
        Step(base, "flatmtl", "base", lambda problem: base_step(problem, aggregator)),
        Step(base, "plain", "base", lambda problem: plain.base_step(problem, aggregator)),
        Step(base, "torchjd", "base", lambda problem: torchjd.base_step(problem, aggregator)),
        Step(flat, "flatmtl", "flat", lambda problem: flat_step(problem, aggregator, "decomposed")),
        Step(flat, "plain", "flat", lambda problem: plain.flat_step(problem, aggregator, RADIUS)),
        Step(flat, "torchjd", "flat", lambda problem: torchjd.flat_step(problem, aggregator, RADIUS)),
        Step(f"direct {aggregator}", "flatmtl", "flat", lambda problem: flat_step(problem, aggregator, "direct")),
        Step("SAM-sum", "flatmtl", "mean", mean_step),
        Step(
            f"one perturbation {aggregator}",
            "flatmtl",
            None,
            lambda problem: variant_step(problem, aggregator, SharedPerturbation()),
        ),
        Step(f"SAMO {aggregator}", "flatmtl", None, lambda problem: variant_step(problem, aggregator, SAMO())),
    ]
    if twin is not None:
        listed.append(Step(flat, "twin", "flat", lambda problem: twin_step(problem, aggregator, twin)))
    return tuple(listed)
