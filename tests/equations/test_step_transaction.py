"""The model is never left perturbed: after an error everything is as at entry, after success only ``.grad`` differs."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from torch import Tensor

from flatmtl_core import MGDA, InvalidInput, Mean, NashMTL, NotConverged, PCGrad, Workspace, sam_mtl_backward
from flatmtl_core.types import Aggregator
from tests.equations.stepping import THREE_TASKS, black_box, orders, take_step
from tests.reference.networks import Problem, partial_reach, smooth, tied, with_noise_and_buffers
from tests.reference.observe import FailingCall, State, clear_grads, flat_grads_of, relative_error
from tests.reference.twin import Combine, Norm, StepOptions, TaskLosses, twin_step

N_TASKS = 3


class LossFailure(Exception):
    """What the user's loss raises: no class that the core knows."""


class RaisesInBackward(torch.autograd.Function):
    """The identity whose backward raises."""

    @staticmethod
    def forward(ctx: Any, loss: Tensor) -> Tensor:
        return loss.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        raise LossFailure("in backward")


def fails_in_backward(problem: Problem, at_call: int) -> TaskLosses:
    """Task losses whose last loss of one call can not be differentiated."""
    calls = 0

    def losses(tasks: tuple[int, ...]) -> Sequence[Tensor]:
        nonlocal calls
        values = list(problem.task_losses(tasks))
        if calls == at_call:
            values[-1] = RaisesInBackward.apply(values[-1])  # type: ignore[no-untyped-call]
        calls += 1
        return values

    return losses


class FailingAggregator:
    """Draws from the generator, then raises at one of its calls."""

    def __init__(self, fails_at: int) -> None:
        self.fails_at = fails_at
        self.calls = 0

    def __call__(
        self, task_grads: Tensor, *, generator: torch.Generator | None = None, out: Tensor | None = None
    ) -> Tensor:
        torch.rand(2, generator=generator)
        torch.rand(2)
        self.calls += 1
        if self.calls - 1 == self.fails_at:
            raise LossFailure("in the aggregator")
        return task_grads.mean(dim=0)


def entry(problem: Problem) -> torch.Generator:
    """Some ``.grad`` present, some absent; modules in mixed modes; a generator that has been used."""
    clear_grads(problem.parameters())
    problem.shared()[0].grad = torch.full_like(problem.shared()[0], 0.5)
    problem.head_parameters()[0][0].grad = torch.full_like(problem.head_parameters()[0][0], -1.0)
    problem.heads[2].eval()
    torch.manual_seed(21)
    generator = orders()
    torch.rand(3, generator=generator)
    return generator


def step(
    problem: Problem, losses: TaskLosses, aggregator: Aggregator, generator: torch.Generator, **options: Any
) -> None:
    sam_mtl_backward(
        problem,
        losses,
        shared=problem.shared(),
        heads=problem.head_parameters(),
        aggregator=aggregator,
        rho_shared=0.3,
        rho_heads=0.3,
        generator=generator,
        **options,
    )


@pytest.mark.parametrize("same_noise", [True, False])
@pytest.mark.parametrize("error", [LossFailure("in the loss"), KeyboardInterrupt()], ids=["exception", "interrupt"])
@pytest.mark.parametrize("fails_at", range(1 + N_TASKS))
def test_an_error_in_the_loss_leaves_everything_as_at_entry(
    fails_at: int, error: BaseException, same_noise: bool
) -> None:
    """Call 0 is pass 1, call 1 + i is task i of pass 2; the user's own exception comes through."""
    problem = with_noise_and_buffers(N_TASKS)
    generator = entry(problem)
    losses = FailingCall(problem.task_losses, fails_at, error)
    before = State.of(problem, generator)
    with pytest.raises(type(error)) as caught:
        step(problem, losses, PCGrad(), generator, same_noise=same_noise)
    assert caught.value is error
    assert losses.calls == fails_at + 1
    assert before.changes(State.of(problem, generator)) == []


@pytest.mark.parametrize("combine", ["decomposed", "direct", "second", "each"])
@pytest.mark.parametrize("at_call", range(1 + N_TASKS))
def test_an_error_in_backward_leaves_everything_as_at_entry(at_call: int, combine: str) -> None:
    problem = with_noise_and_buffers(N_TASKS)
    generator = entry(problem)
    before = State.of(problem, generator)
    with pytest.raises(LossFailure, match="in backward"):
        step(problem, fails_in_backward(problem, at_call), PCGrad(), generator, combine=combine)
    assert before.changes(State.of(problem, generator)) == []


@pytest.mark.parametrize("fails_at", [0, 1])
def test_an_error_in_the_aggregator_leaves_everything_as_at_entry(fails_at: int) -> None:
    problem = with_noise_and_buffers(N_TASKS)
    generator = entry(problem)
    before = State.of(problem, generator)
    with pytest.raises(LossFailure, match="in the aggregator"):
        step(problem, problem.task_losses, FailingAggregator(fails_at), generator)
    assert before.changes(State.of(problem, generator)) == []


def test_a_stationary_point_that_raises_leaves_everything_as_at_entry() -> None:
    """Opposite tasks under ``stationary="raise"``: the refusal comes from the weighting, after pass 1."""
    problem = with_noise_and_buffers(N_TASKS)

    def opposite(tasks: tuple[int, ...]) -> list[Tensor]:
        (loss,) = problem.task_losses((0,))
        return [loss if task != 1 else -loss for task in tasks]

    generator = entry(problem)
    before = State.of(problem, generator)
    with pytest.raises(NotConverged):
        step(problem, opposite, NashMTL(stationary="raise"), generator)
    assert before.changes(State.of(problem, generator)) == []


@pytest.mark.parametrize("combine", ["decomposed", "direct", "second", "each"])
def test_success_changes_nothing_but_grads_buffers_and_generators(combine: str) -> None:
    problem = with_noise_and_buffers(N_TASKS)
    generator = entry(problem)
    before = State.of(problem, generator)
    step(problem, problem.task_losses, PCGrad(), generator, combine=combine)
    changed = before.changes(State.of(problem, generator))
    assert {name.split()[0] for name in changed} <= {"grad", "buffer", "rng", "generator"}
    assert {f"grad {name}" for name, _ in problem.named_parameters()} <= set(changed)


def test_a_perturbation_that_rounds_away_digits_is_undone_exactly() -> None:
    """A radius of 1e6 in float32: theta + eps - eps would lose every digit of theta."""
    problem = smooth(N_TASKS).float()
    before = State.of(problem)
    take_step(problem, MGDA(), rho_shared=1e6, rho_heads=1e6)
    assert before.changes(State.of(problem)) == []


def test_tied_weights_stay_tied() -> None:
    problem = tied(2)
    take_step(problem, MGDA(), rho_shared=0.3, rho_heads=0.3)
    trunk = dict(problem.trunk.named_parameters(remove_duplicate=False))
    assert trunk["first.weight"] is trunk["second.weight"]


def test_the_next_step_after_an_error_is_right() -> None:
    """A kept workspace that saw an error serves the next step as a fresh one does."""
    problem = smooth(N_TASKS)
    workspace = Workspace()
    expected = take_step(problem, MGDA(), rho_shared=0.3, rho_heads=0.3)
    for fails_at in range(1 + N_TASKS):
        with pytest.raises(LossFailure):
            take_step(
                problem,
                MGDA(),
                rho_shared=0.3,
                rho_heads=0.3,
                workspace=workspace,
                task_losses=FailingCall(problem.task_losses, fails_at, LossFailure()),
            )
        taken = take_step(problem, MGDA(), rho_shared=0.3, rho_heads=0.3, workspace=workspace)
        assert relative_error(taken.direction, expected.direction) <= 1e-13


MODELS: tuple[Callable[[], Problem], ...] = (
    lambda: smooth(3, seed=1),
    lambda: smooth(2, seed=2, width=3),
    lambda: smooth(3, seed=3, width=11),
    lambda: tied(3, seed=4),
    lambda: partial_reach(2, seed=5),
    lambda: smooth(3, seed=6).float(),
)


class OneWorkspace(RuleBasedStateMachine):
    """One workspace lent to models of several sizes and dtypes, with errors and updates in between.

    After every rule each model holds exactly the parameters that its last update gave it, and every step agrees
    with the twin (float64) or with a step of its own workspace (float32).
    """

    @initialize()
    def build(self) -> None:
        self.models = [build() for build in MODELS]
        self.parameters = [self.values(index) for index in range(len(self.models))]
        self.workspace = Workspace()

    def values(self, index: int) -> list[Tensor]:
        return [parameter.detach().clone() for parameter in self.models[index].parameters()]

    @rule(
        index=st.integers(0, len(MODELS) - 1),
        combine=st.sampled_from(["decomposed", "direct", "second", "each"]),
        method=st.sampled_from(["mean", "mgda", "pcgrad"]),
        norm=st.sampled_from(["separate", "joint"]),
        adaptive=st.booleans(),
    )
    def good_step(self, index: int, combine: Combine, method: str, norm: Norm, adaptive: bool) -> None:
        problem, aggregator = self.models[index], THREE_TASKS[method]
        options: StepOptions = {
            "rho_shared": 0.2,
            "rho_heads": 0.2,
            "combine": combine,
            "norm": norm,
            "adaptive": adaptive,
        }
        taken = take_step(problem, aggregator, workspace=self.workspace, **options)
        if taken.direction.dtype == torch.float64:
            expected = twin_step(
                problem.task_losses,
                shared=problem.shared(),
                heads=problem.head_parameters(),
                aggregate=black_box(aggregator),
                **options,
            ).direction
        else:
            expected = take_step(problem, aggregator, **options).direction
        assert relative_error(taken.direction, expected) <= 1e4 * torch.finfo(taken.direction.dtype).eps

    @rule(index=st.integers(0, len(MODELS) - 1), fails_at=st.integers(0, 2))
    def failing_step(self, index: int, fails_at: int) -> None:
        problem = self.models[index]
        losses = FailingCall(problem.task_losses, fails_at, LossFailure())
        with pytest.raises(LossFailure):
            take_step(problem, Mean(), rho_shared=0.2, rho_heads=0.2, workspace=self.workspace, task_losses=losses)

    @rule(index=st.integers(0, len(MODELS) - 1))
    def refused_step(self, index: int) -> None:
        with pytest.raises(InvalidInput):
            take_step(self.models[index], Mean(), rho_shared=-1.0, rho_heads=0.2, workspace=self.workspace)

    @rule(index=st.integers(0, len(MODELS) - 1))
    def update(self, index: int) -> None:
        """One step of plain descent along what the step wrote."""
        problem = self.models[index]
        clear_grads(problem.parameters())
        sam_mtl_backward(
            problem,
            problem.task_losses,
            shared=problem.shared(),
            heads=problem.head_parameters(),
            aggregator=MGDA(),
            rho_shared=0.1,
            rho_heads=0.1,
            workspace=self.workspace,
        )
        assert torch.isfinite(flat_grads_of(problem.parameters())).all()
        torch.optim.SGD(problem.parameters(), lr=0.05).step()
        clear_grads(problem.parameters())
        self.parameters[index] = self.values(index)

    @invariant()
    def parameters_are_those_of_the_last_update(self) -> None:
        for index in range(len(self.models)):
            assert all(torch.equal(*pair) for pair in zip(self.values(index), self.parameters[index], strict=True))


TestOneWorkspace = OneWorkspace.TestCase
TestOneWorkspace.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)
