"""What the step writes: which parameters get a gradient, added to what was there, never a kept buffer."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from flatmtl_core import (
    MGDA,
    Mean,
    StepReport,
    Workspace,
    sam_mtl_backward,
)
from tests.equations.stepping import arguments, call, call_base, take_step
from tests.reference.networks import partial_reach, smooth
from tests.reference.observe import (
    clear_grads,
    flat_grads_of,
    same_bits,
)


def test_parameters_may_come_from_iterators() -> None:
    problem = smooth(3, seed=1)
    expected = take_step(problem, MGDA(), rho_shared=0.1, rho_heads=0.1)
    call(
        arguments(
            problem,
            aggregator=MGDA(),
            shared=problem.trunk.parameters(),
            heads=(head.parameters() for head in problem.heads),
        )
    )
    assert torch.equal(flat_grads_of(problem.shared()), expected.direction)
    for head, expected_head in zip(problem.head_parameters(), expected.heads, strict=True):
        assert torch.equal(flat_grads_of(head), expected_head)


@pytest.mark.parametrize("step", [call, call_base])
def test_tasks_without_head_parameters(step: Callable[[dict[str, Any]], Any]) -> None:
    """heads=[[], []]: the trunk moves, the networks' own heads receive nothing."""
    problem = smooth(2, seed=1)
    report = step(arguments(problem, heads=[[], []], aggregator=MGDA()))
    assert len(report.losses) == 2
    assert flat_grads_of(problem.shared()).norm() > 0
    assert all(parameter.grad is None for head in problem.head_parameters() for parameter in head)


def test_heads_of_unequal_sizes() -> None:
    problem = smooth(3, seed=1)
    full = take_step(problem, Mean(), rho_shared=0.1, rho_heads=0.0)
    heads = [problem.head_parameters()[0], [], problem.head_parameters()[2][:1]]
    call(arguments(problem, heads=heads, rho_heads=0.0))
    assert torch.equal(flat_grads_of(problem.shared()), full.direction)
    assert all(parameter.grad is None for parameter in [*problem.head_parameters()[1], problem.head_parameters()[2][1]])
    assert problem.head_parameters()[0][0].grad is not None


@pytest.mark.parametrize("step", [call, call_base])
def test_grads_are_added_to(step: Callable[[dict[str, Any]], Any]) -> None:
    problem = smooth(3, seed=1)
    step(arguments(problem, aggregator=MGDA()))
    added = {name: parameter.grad for name, parameter in problem.named_parameters() if parameter.grad is not None}
    clear_grads(problem.parameters())
    source = torch.Generator().manual_seed(4)
    kept, places = {}, {}
    for name, parameter in problem.named_parameters():
        parameter.grad = torch.randn(parameter.shape, generator=source, dtype=torch.float64)
        kept[name], places[name] = parameter.grad.clone(), parameter.grad.data_ptr()
    step(arguments(problem, aggregator=MGDA()))
    for name, parameter in problem.named_parameters():
        assert parameter.grad is not None
        assert torch.equal(parameter.grad, kept[name] + added[name])
        assert parameter.grad.data_ptr() == places[name], "as backward does: into the tensor that is there"


@pytest.mark.parametrize("step", [call, call_base])
def test_a_parameter_that_no_task_reaches_keeps_what_it_had(step: Callable[[dict[str, Any]], Any]) -> None:
    problem = partial_reach(3)
    unreached = problem.trunk.unreached
    assert isinstance(unreached, nn.Parameter)
    step(arguments(problem))
    assert unreached.grad is None
    assert all(parameter.grad is not None for parameter in problem.parameters() if parameter is not unreached)
    earlier = torch.tensor([-0.0, float("nan"), 3.0], dtype=torch.float64)
    unreached.grad = earlier.clone()
    step(arguments(problem))
    assert same_bits(unreached.grad, earlier)


def test_a_parameter_that_only_the_second_pass_reaches_counts() -> None:
    """A gate opens under the perturbation: zero in the loss row, present in the SAM row."""
    gate = nn.Parameter(torch.tensor([0.0], dtype=torch.float64))
    gated = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))

    def losses(tasks: tuple[int, ...]) -> list[Tensor]:
        loss = gate.sum()
        return [loss + gated.square().sum() if gate.item() > 0 else loss for _ in tasks]

    sam_mtl_backward(
        nn.ParameterList([gate, gated]),
        losses,
        shared=[gate, gated],
        heads=[[]],
        aggregator=Mean(),
        rho_shared=0.5,
        rho_heads=0.0,
    )
    assert gate.grad is not None
    assert gated.grad is not None
    assert gate.grad.tolist() == [1.0]
    assert gated.grad.tolist() == [4.0]


def report_tensors(report: StepReport) -> list[Tensor]:
    values = [getattr(report, field.name) for field in fields(report)]
    values += [weighted.weights for weighted in report.weighted.values()]
    return [value for value in values if isinstance(value, Tensor)]


@pytest.mark.parametrize("radius", [0.1, 0.0])
def test_grads_never_alias_a_kept_buffer(radius: float) -> None:
    problem = smooth(3, seed=1)
    workspace = Workspace()
    options = arguments(problem, aggregator=MGDA(), rho_shared=radius, rho_heads=radius, workspace=workspace)
    report = call(options)
    reported = [tensor.clone() for tensor in report_tensors(report)]
    first = {name: parameter.grad for name, parameter in problem.named_parameters()}
    values = {name: grad.clone() for name, grad in first.items() if grad is not None}
    assert len(values) == len(first)
    clear_grads(problem.parameters())
    with torch.no_grad():
        for parameter in problem.parameters():
            parameter.mul_(1.5)
    call(options)
    for name, grad in first.items():
        assert grad is not None
        assert torch.equal(grad, values[name]), "a later step wrote into an earlier .grad"
    assert all(torch.equal(*pair) for pair in zip(report_tensors(report), reported, strict=True))
    clear_grads(problem.parameters())
    with torch.no_grad():
        for parameter in problem.parameters():
            parameter.div_(1.5)
    for grad in first.values():
        assert grad is not None
        grad.fill_(float("nan"))
    call(options)
    again = torch.cat([p.grad.flatten() for p in problem.parameters() if p.grad is not None])
    expected = torch.cat([value.flatten() for value in values.values()])
    assert torch.isfinite(again).all(), "a user's write into .grad reached a kept buffer"
    assert (again - expected).norm() <= 1e-12 * expected.norm()


def test_frozen_parameters_are_skipped() -> None:
    """requires_grad=False on purpose: as if it had not been passed."""
    problem = smooth(3, seed=1)
    frozen = [problem.shared()[0], problem.head_parameters()[1][1]]
    for parameter in frozen:
        parameter.requires_grad_(False)
    call(arguments(problem, aggregator=MGDA()))
    with_frozen = {name: parameter.grad for name, parameter in problem.named_parameters()}
    assert all(parameter.grad is None for parameter in frozen)
    clear_grads(problem.parameters())
    heads = problem.head_parameters()
    heads[1] = heads[1][:1]
    call(arguments(problem, aggregator=MGDA(), shared=problem.shared()[1:], heads=heads))
    for name, parameter in problem.named_parameters():
        if parameter.grad is not None:
            left = with_frozen[name]
            assert left is not None
            assert torch.equal(left, parameter.grad)
