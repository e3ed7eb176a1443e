"""Gradients that are not finite, huge or zero: named, or served exactly."""

import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from flatmtl_core import (
    MGDA,
    Mean,
    NonFinite,
)
from tests.equations.stepping import THREE_TASKS, arguments, call, call_base, take_step
from tests.reference.networks import Problem, quadratics, smooth, with_noise_and_buffers
from tests.reference.observe import (
    CallRecorder,
    State,
    flat_grads_of,
    same_bits,
)
from tests.reference.twin import flat_values

COLUMNS = 3


def poisoned(
    problem: Problem, *, task: int, parameter: nn.Parameter, value: float, at_call: int
) -> Callable[[tuple[int, ...]], list[Tensor]]:
    """Task losses whose gradient is ``value`` in COLUMNS entries of one parameter, from one call on."""
    calls = 0

    def losses(tasks: tuple[int, ...]) -> list[Tensor]:
        nonlocal calls
        values = problem.task_losses(tasks)
        if calls == at_call:
            place = tasks.index(task)
            values[place] = values[place] + (parameter.flatten()[:COLUMNS] * value).sum()
        calls += 1
        return values

    return losses


@pytest.mark.parametrize("in_head", [False, True])
@pytest.mark.parametrize("second_pass", [False, True])
@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
@pytest.mark.parametrize("combine", ["decomposed", "direct", "second", "each"])
def test_non_finite_gradients_are_named(combine: str, value: float, second_pass: bool, in_head: bool) -> None:
    problem = with_noise_and_buffers(3, seed=1)
    task = 1
    name = "heads.1.1.weight" if in_head else "trunk.0.bias"
    losses = poisoned(
        problem,
        task=task,
        parameter=dict(problem.named_parameters())[name],
        value=value,
        at_call=1 + task if second_pass else 0,
    )
    problem.shared()[0].grad = torch.ones_like(problem.shared()[0])
    before = State.of(problem)
    with pytest.raises(NonFinite) as caught:
        call(arguments(problem, losses=losses, aggregator=MGDA(), combine=combine))
    message = str(caught.value)
    assert re.search(rf"\btask {task}\b", message)
    assert name in message
    assert re.search(rf"(?<![\w.]){COLUMNS}(?![\w.])", message), f"the count {COLUMNS} is missing: {message}"
    assert before.changes(State.of(problem)) == []


@pytest.mark.parametrize("in_head", [False, True])
def test_the_base_step_names_the_task_of_a_non_finite_gradient(in_head: bool) -> None:
    problem = smooth(3, seed=1)
    parameter = problem.head_parameters()[2][0] if in_head else problem.shared()[1]
    losses = poisoned(problem, task=2, parameter=parameter, value=float("nan"), at_call=0)
    before = State.of(problem)
    with pytest.raises(NonFinite, match=r"\btask 2\b"):
        call_base(arguments(problem, losses=losses))
    assert before.changes(State.of(problem)) == []


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("exponent", [-30, 0, 30])
@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("rho", [0.25, 1e10])
def test_squares_that_leave_the_range_are_no_error(
    rho: float, adaptive: bool, exponent: int, dtype: torch.dtype
) -> None:
    """Linear losses with gradients of size 10^exponent: eps = rho w^2 g / || |w| g || (w = 1 unless adaptive).

    At rho = 1e10 and exponent -30 the factor rho / ||g|| itself is beyond float32.
    """
    scale = 10.0**exponent
    quadratic = quadratics(2, seed=3).to(dtype)
    for task in quadratic.tasks:
        task.hessian.zero_()
    quadratic.tasks = tuple(
        type(task)(hessian=task.hessian.to(dtype), linear=(scale * task.linear).to(dtype)) for task in quadratic.tasks
    )
    recorder = CallRecorder(quadratic.task_losses, quadratic.shared())
    taken = take_step(quadratic, Mean(), rho_shared=rho, rho_heads=rho, adaptive=adaptive, task_losses=recorder)
    eps = torch.finfo(dtype).eps
    n_shared = quadratic.n_shared
    gradients = [task.linear[:n_shared].double() for task in quadratic.tasks]
    mean = torch.stack(gradients).mean(dim=0)
    assert (taken.direction.double() - mean).norm() <= 10 * eps * mean.norm()
    start, *points = (flat_values(point).double() for point in recorder.points)
    weight = start.abs() if adaptive else torch.ones_like(start)
    for point, gradient in zip(points, gradients, strict=True):
        expected = rho * weight**2 * gradient / (weight * gradient).norm()
        assert ((point - start) - expected).norm() <= 4 * eps * (start.norm() + expected.norm())


@pytest.mark.parametrize(("norm", "adaptive"), [("separate", False), ("joint", False), ("separate", True)])
def test_a_zero_gradient_moves_nothing(norm: str, adaptive: bool) -> None:
    """Task 1 is stationary in all it reaches: its second forward is at theta itself, its row stays zero."""
    problem = smooth(2, seed=1)

    def losses(tasks: tuple[int, ...]) -> list[Tensor]:
        values = problem.task_losses(tasks)
        return [0.0 * value if task == 1 else value for task, value in zip(tasks, values, strict=True)]

    recorder = CallRecorder(losses, list(problem.parameters()))
    report = call(arguments(problem, losses=recorder, rho_shared=0.5, rho_heads=0.5, norm=norm, adaptive=adaptive))
    assert all(same_bits(*pair) for pair in zip(recorder.points[2], recorder.points[0], strict=True))
    assert not all(torch.equal(*pair) for pair in zip(recorder.points[1], recorder.points[0], strict=True))
    assert report.flat_to_loss[1] == 0.0
    assert torch.isfinite(flat_grads_of(problem.parameters())).all()


@pytest.mark.parametrize("method", THREE_TASKS)
def test_all_gradients_zero_gives_zero(method: str) -> None:
    problem = smooth(3, seed=1)
    taken = take_step(
        problem,
        THREE_TASKS[method],
        rho_shared=0.5,
        rho_heads=0.5,
        task_losses=lambda tasks: [0.0 * loss for loss in problem.task_losses(tasks)],
    )
    assert torch.equal(taken.direction, torch.zeros_like(taken.direction))
    assert all(torch.equal(head, torch.zeros_like(head)) for head in taken.heads)


def test_adaptive_with_zero_weights_moves_nothing_there() -> None:
    """|w| g = 0 although g is not: no perturbation, no division by zero."""
    problem = smooth(2, seed=1)
    with torch.no_grad():
        for parameter in problem.head_parameters()[0]:
            parameter.zero_()
    recorder = CallRecorder(problem.task_losses, problem.head_parameters()[0])
    taken = take_step(problem, Mean(), rho_shared=0.5, rho_heads=0.5, adaptive=True, task_losses=recorder)
    assert all(same_bits(*pair) for pair in zip(recorder.points[1], recorder.points[0], strict=True))
    assert torch.isfinite(taken.direction).all()
