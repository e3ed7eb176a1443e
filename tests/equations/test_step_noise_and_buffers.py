"""Pass 2 replays the noise of pass 1, and leaves generators and buffers as pass 1 left them."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from flatmtl_core import MGDA, Mean, sam_mtl_backward
from tests.equations.stepping import take_base_step, take_step
from tests.reference.networks import (
    Problem,
    with_batch_norm,
    with_call_counter,
    with_dropout,
    with_instance_norm,
    with_noise_and_buffers,
)
from tests.reference.observe import clear_grads, same_bits

BUFFERED: dict[str, Callable[[], Problem]] = {
    "batch_norm": with_batch_norm,
    "cumulative_batch_norm": lambda: with_batch_norm(momentum=None),
    "instance_norm": with_instance_norm,
    "call_counter": with_call_counter,
    "noise_and_buffers": with_noise_and_buffers,
}


def recorded_masks(problem: Problem) -> list[Tensor]:
    """Filled, at each trunk forward, with which hidden units dropout kept."""
    masks: list[Tensor] = []
    (dropout,) = [module for module in problem.modules() if isinstance(module, nn.Dropout)]
    dropout.register_forward_hook(lambda module, inputs, output: masks.append(output.detach() != 0))
    return masks


@pytest.mark.parametrize("rho", [1e-6, 0.3])
def test_pass_two_sees_the_masks_of_pass_one(rho: float) -> None:
    problem = with_dropout()
    masks = recorded_masks(problem)
    torch.manual_seed(3)
    take_step(problem, Mean(), rho_shared=rho, rho_heads=rho, same_noise=True)
    assert len(masks) == 1 + problem.n_tasks
    assert not masks[0].all()
    assert all(torch.equal(mask, masks[0]) for mask in masks[1:])


def test_fresh_noise_draws_other_masks() -> None:
    problem = with_dropout()
    masks = recorded_masks(problem)
    torch.manual_seed(3)
    take_step(problem, Mean(), rho_shared=0.1, rho_heads=0.1, same_noise=False)
    assert len(masks) == 1 + problem.n_tasks
    assert all(not torch.equal(mask, masks[0]) for mask in masks[1:])


def test_flat_part_is_small_at_a_small_radius_only_under_the_same_noise() -> None:
    """||h|| / ||g|| is of the size of rho with replayed masks, of order one with fresh ones."""
    problem = with_dropout()
    ratios = {}
    for same_noise in (True, False):
        torch.manual_seed(3)
        report = take_step(problem, Mean(), rho_shared=1e-6, rho_heads=1e-6, same_noise=same_noise).report
        assert report.flat_to_loss is not None
        ratios[same_noise] = report.flat_to_loss
    assert max(ratios[True]) <= 1e-4
    assert min(ratios[False]) >= 1e-1


def test_replay_reaches_the_heads_when_one_task_is_asked_for() -> None:
    """m = 1: the task lists of both passes agree, so a head's own draws are replayed too."""
    problem = with_dropout(1)
    problem.heads[0] = nn.Sequential(nn.Dropout(0.5), problem.heads[0])
    torch.manual_seed(5)
    report = take_step(problem, Mean(), rho_shared=1e-6, rho_heads=1e-6).report
    assert report.flat_to_loss is not None
    assert max(report.flat_to_loss) <= 1e-4


def noisy_heads() -> Problem:
    """Dropout in every head: all heads draw in pass 1, one of them in each forward of pass 2."""
    problem = with_dropout()
    problem.heads = nn.ModuleList(nn.Sequential(nn.Dropout(0.5), head) for head in problem.heads)
    return problem


@pytest.mark.parametrize("build", [with_dropout, noisy_heads, with_noise_and_buffers])
def test_generator_goes_on_as_after_the_base_method(build: Callable[[], Problem]) -> None:
    problem = build()
    torch.manual_seed(11)
    take_base_step(problem, MGDA())
    expected = torch.rand(5)
    problem = build()
    torch.manual_seed(11)
    take_step(problem, MGDA(), rho_shared=0.1, rho_heads=0.1)
    assert torch.equal(torch.rand(5), expected)


def assert_buffers_after_one_pass(problem: Problem, step: Callable[[Problem], object]) -> None:
    """``step`` moves the buffers as a single forward of all tasks does, bit for bit."""
    once = copy.deepcopy(problem)
    before = {name: buffer.clone() for name, buffer in problem.named_buffers()}
    torch.manual_seed(2)
    once.task_losses(tuple(range(problem.n_tasks)))
    torch.manual_seed(2)
    step(problem)
    expected = dict(once.named_buffers())
    assert {name for name, _ in problem.named_buffers()} == expected.keys()
    for name, buffer in problem.named_buffers():
        assert same_bits(buffer, expected[name]), name
    assert any(not torch.equal(buffer, before[name]) for name, buffer in problem.named_buffers())


@pytest.mark.parametrize("same_noise", [True, False])
@pytest.mark.parametrize("name", BUFFERED)
def test_buffers_are_as_pass_one_left_them(name: str, same_noise: bool) -> None:
    problem = BUFFERED[name]()
    for _ in range(2):
        assert_buffers_after_one_pass(
            problem, lambda model: take_step(model, MGDA(), rho_shared=0.5, rho_heads=0.5, same_noise=same_noise)
        )


def test_buffers_of_a_sequence_of_modules_are_protected() -> None:
    """``model`` may be several modules: trunk and heads kept apart."""

    def step(problem: Problem) -> None:
        clear_grads(problem.parameters())
        sam_mtl_backward(
            [problem.trunk, *problem.heads],
            problem.task_losses,
            shared=problem.shared(),
            heads=problem.head_parameters(),
            aggregator=MGDA(),
            rho_shared=0.5,
            rho_heads=0.5,
        )

    assert_buffers_after_one_pass(with_batch_norm(momentum=None), step)


def test_buffers_stay_the_same_objects() -> None:
    """A captured reference to a running statistic is still the module's own after the step."""
    problem = with_batch_norm()
    before = {name: (id(buffer), buffer.data_ptr()) for name, buffer in problem.named_buffers()}
    take_step(problem, MGDA(), rho_shared=0.1, rho_heads=0.1)
    assert {name: (id(buffer), buffer.data_ptr()) for name, buffer in problem.named_buffers()} == before


def test_normalisation_keeps_its_settings() -> None:
    problem = with_batch_norm(momentum=None)
    problem.heads[1].eval()
    flags = {name: module.training for name, module in problem.named_modules()}
    take_step(problem, MGDA(), rho_shared=0.1, rho_heads=0.1)
    assert {name: module.training for name, module in problem.named_modules()} == flags
    for module in problem.modules():
        if isinstance(module, nn.BatchNorm1d):
            assert module.momentum is None
            assert module.track_running_stats


def test_evaluation_mode_moves_no_buffer() -> None:
    problem = with_batch_norm()
    problem.task_losses((0, 1, 2))
    problem.eval()
    before = {name: buffer.clone() for name, buffer in problem.named_buffers()}
    take_step(problem, MGDA(), rho_shared=0.1, rho_heads=0.1)
    assert all(same_bits(buffer, before[name]) for name, buffer in problem.named_buffers())
