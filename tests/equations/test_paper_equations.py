"""One test an equation of the paper, on what a caller of the step can see."""

import pytest
import torch
from torch import Tensor

from flatmtl_core import MGDA, Mean, sam_mtl_backward
from tests.equations.stepping import black_box, take_step
from tests.reference.networks import Problem, smooth
from tests.reference.observe import CallRecorder, RowRecorder, clear_grads, flat_grads_of, relative_error
from tests.reference.twin import flat_gradient, flat_values, twin_step, write_values

RHO_SHARED, RHO_HEADS = 0.3, 0.7
ROUNDING = 1e-14


@pytest.fixture
def problem() -> Problem:
    return smooth(3, seed=12)


def gradients(problem: Problem, task: int) -> tuple[Tensor, Tensor]:
    """(grad_sh L^i, grad_ns L^i) at the parameters of the moment."""
    shared, head = problem.shared(), problem.head_parameters()[task]
    whole = flat_gradient(problem.task_losses((task,))[0], [*shared, *head])
    n_shared = sum(parameter.numel() for parameter in shared)
    return whole[:n_shared], whole[n_shared:]


def at_perturbed_point(problem: Problem, task: int) -> tuple[Tensor, Tensor]:
    """(g_sh^{i,SAM}, g_ns^{i,SAM}): the gradients at (theta_sh + eps_sh^i, theta_ns^i + eps_ns^i)."""
    both = [*problem.shared(), *problem.head_parameters()[task]]
    theta = flat_values(both)
    grad_shared, grad_head = gradients(problem, task)
    eps = [RHO_SHARED * grad_shared / grad_shared.norm(), RHO_HEADS * grad_head / grad_head.norm()]
    write_values(both, theta + torch.cat(eps))
    sam = gradients(problem, task)
    write_values(both, theta)
    return sam


def perturbations_seen(problem: Problem, parameters: list[torch.nn.Parameter]) -> list[Tensor]:
    """For each task how far the parameters were from theta when its perturbed loss was asked for."""
    recorder = CallRecorder(problem.task_losses, parameters)
    take_step(problem, Mean(), rho_shared=RHO_SHARED, rho_heads=RHO_HEADS, task_losses=recorder)
    start, *points = (flat_values(point) for point in recorder.points)
    assert recorder.tasks == [(0, 1, 2), (0,), (1,), (2,)]
    return [point - start for point in points]


@pytest.mark.paper("eq. 7")
def test_eq_7_head_perturbation(problem: Problem) -> None:
    """eps_ns^i = rho_ns g_ns^i / ||g_ns^i||_2, by its own norm and its own radius."""
    for task, head in enumerate(problem.head_parameters()):
        grad_head = gradients(problem, task)[1]
        seen = perturbations_seen(problem, head)[task]
        assert relative_error(seen, RHO_HEADS * grad_head / grad_head.norm()) <= ROUNDING


@pytest.mark.paper("eq. 11")
def test_eq_11_shared_perturbation(problem: Problem) -> None:
    """eps_sh^i = rho_sh g_sh^{i,loss} / ||g_sh^{i,loss}||_2, one for each task."""
    seen = perturbations_seen(problem, problem.shared())
    for task in range(3):
        grad_shared = gradients(problem, task)[0]
        assert relative_error(seen[task], RHO_SHARED * grad_shared / grad_shared.norm()) <= ROUNDING


@pytest.mark.paper("eq. 14")
def test_eq_14_head_gradient_and_update(problem: Problem) -> None:
    """theta_ns^i <- theta_ns^i - eta grad_ns L^i(theta_sh + eps_sh^i, theta_ns^i + eps_ns^i)."""
    eta = 0.1
    heads = problem.head_parameters()
    expected = [flat_values(head) - eta * at_perturbed_point(problem, task)[1] for task, head in enumerate(heads)]
    clear_grads(problem.parameters())
    sam_mtl_backward(
        problem,
        problem.task_losses,
        shared=problem.shared(),
        heads=heads,
        aggregator=MGDA(),
        rho_shared=RHO_SHARED,
        rho_heads=RHO_HEADS,
    )
    torch.optim.SGD([parameter for head in heads for parameter in head], lr=eta).step()
    for head, values in zip(heads, expected, strict=True):
        assert relative_error(flat_values(head), values) <= ROUNDING


@pytest.mark.paper("eq. 15")
def test_eq_15_two_shared_gradients(problem: Problem) -> None:
    """g_sh^{i,loss} at theta and g_sh^{i,SAM} at the perturbed point."""
    plain, perturbed = RowRecorder(), RowRecorder()
    take_step(problem, plain, rho_shared=RHO_SHARED, rho_heads=RHO_HEADS)
    take_step(problem, perturbed, rho_shared=RHO_SHARED, rho_heads=RHO_HEADS, combine="direct")
    for task in range(3):
        assert relative_error(plain.matrices[0][task], gradients(problem, task)[0]) <= 10 * ROUNDING
        assert relative_error(perturbed.matrices[0][task], at_perturbed_point(problem, task)[0]) <= 10 * ROUNDING


@pytest.mark.paper("eq. 16")
def test_eq_16_flat_gradient(problem: Problem) -> None:
    """g_sh^{i,flat} = g_sh^{i,SAM} - g_sh^{i,loss}, exactly as floats subtract."""
    decomposed, direct = RowRecorder(), RowRecorder()
    take_step(problem, decomposed, rho_shared=RHO_SHARED, rho_heads=RHO_HEADS)
    take_step(problem, direct, rho_shared=RHO_SHARED, rho_heads=RHO_HEADS, combine="direct")
    loss_rows, flat_rows = decomposed.matrices
    (sam_rows,) = direct.matrices
    assert torch.equal(flat_rows, sam_rows - loss_rows)
    assert flat_rows.norm() > 0.1 * loss_rows.norm()


@pytest.mark.paper("Algorithm 1")
def test_algorithm_1_three_iterations(problem: Problem) -> None:
    """Three iterations with SGD, against the twin's direction and heads and the update written by hand."""
    eta = 0.05
    by_hand = smooth(3, seed=12)
    optimizer = torch.optim.SGD(problem.parameters(), lr=eta)
    for _ in range(3):
        optimizer.zero_grad()
        sam_mtl_backward(
            problem,
            problem.task_losses,
            shared=problem.shared(),
            heads=problem.head_parameters(),
            aggregator=MGDA(),
            rho_shared=RHO_SHARED,
            rho_heads=RHO_HEADS,
        )
        direction = flat_grads_of(problem.shared())
        optimizer.step()
        twin = twin_step(
            by_hand.task_losses,
            shared=by_hand.shared(),
            heads=by_hand.head_parameters(),
            aggregate=black_box(MGDA()),
            rho_shared=RHO_SHARED,
            rho_heads=RHO_HEADS,
        )
        assert relative_error(direction, twin.direction) <= 1e-12
        write_values(by_hand.shared(), flat_values(by_hand.shared()) - eta * twin.direction)
        for head, gradient in zip(by_hand.head_parameters(), twin.head_sam_grads, strict=True):
            write_values(head, flat_values(head) - eta * gradient)
    assert relative_error(flat_values(list(problem.parameters())), flat_values(list(by_hand.parameters()))) <= 1e-13
