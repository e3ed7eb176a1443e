"""The flat gradient is the gradient of the penalty: exact on quadratics, to first order in rho elsewhere."""

import itertools

import pytest
import torch
from torch import Tensor

from tests.equations.stepping import take_step
from tests.reference.networks import Quadratics, quadratics, smooth
from tests.reference.observe import RowRecorder, relative_error
from tests.reference.twin import Norm, StepOptions, flat_values

EPS = torch.finfo(torch.float64).eps


def recorded_flat_rows(problem: Quadratics, options: StepOptions) -> Tensor:
    recorder = RowRecorder()
    take_step(problem, recorder, **options)
    return recorder.matrices[1]


def assert_to_rounding(flat: Tensor, expected: Tensor, problem: Quadratics, task: int, *, rho: float) -> None:
    """A difference of two gradients, each good to a few eps of ||g|| + ||H|| (||x|| + rho)."""
    point = flat_values([*problem.shared(), *problem.heads[task].parameters()])
    reach = problem.tasks[task].hessian.norm() * (point.norm() + rho)
    assert (flat - expected).norm() <= 8 * EPS * (problem.gradient(task)[0].norm() + reach)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("rho_shared", "rho_heads"), [(0.3, 0.7), (0.3, 0.0), (0.0, 0.7), (1e-3, 1e-3), (10.0, 5.0)])
def test_flat_is_curvature_times_unit_gradients(seed: int, rho_shared: float, rho_heads: float) -> None:
    """g^flat = rho_sh H_ss g_sh/||g_sh|| + rho_ns H_sn g_ns/||g_ns||."""
    problem = quadratics(3, seed)
    flat = recorded_flat_rows(problem, {"rho_shared": rho_shared, "rho_heads": rho_heads})
    for task in range(3):
        grad_shared, grad_head = problem.gradient(task)
        curvature, cross, _ = problem.blocks(task)
        expected = rho_shared * curvature @ grad_shared / grad_shared.norm()
        expected = expected + rho_heads * cross @ grad_head / grad_head.norm()
        assert_to_rounding(flat[task], expected, problem, task, rho=rho_shared + rho_heads)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("norm", "adaptive"), list(itertools.product(["separate", "joint"], [False, True])))
def test_flat_on_quadratics_for_every_ball(seed: int, norm: Norm, adaptive: bool) -> None:
    """h = H_ss eps_sh + H_sn eps_ns with eps the worst case on the chosen ball."""
    rho = 0.4
    problem = quadratics(2, seed)
    flat = recorded_flat_rows(problem, {"rho_shared": rho, "rho_heads": rho, "norm": norm, "adaptive": adaptive})
    theta_shared = flat_values(problem.shared())
    for task, head in enumerate(problem.head_parameters()):
        grad_shared, grad_head = problem.gradient(task)
        curvature, cross, _ = problem.blocks(task)
        scale_shared, scale_head = theta_shared.abs(), head[0].detach().abs()
        if not adaptive:
            scale_shared, scale_head = torch.ones_like(scale_shared), torch.ones_like(scale_head)
        norm_shared, norm_head = (scale_shared * grad_shared).norm(), (scale_head * grad_head).norm()
        if norm == "joint":
            norm_shared = norm_head = torch.hypot(norm_shared, norm_head)
        expected = curvature @ (rho * scale_shared**2 * grad_shared / norm_shared)
        expected = expected + cross @ (rho * scale_head**2 * grad_head / norm_head)
        assert_to_rounding(flat[task], expected, problem, task, rho=2 * rho)


@pytest.mark.parametrize("seed", range(3))
def test_heads_receive_the_sam_gradient_with_both_blocks_moved(seed: int) -> None:
    """g_ns at the perturbed point = g_ns + rho_sh H_ns g_sh/||g_sh|| + rho_ns H_nn g_ns/||g_ns||."""
    problem = quadratics(3, seed)
    taken = take_step(problem, RowRecorder(), rho_shared=0.3, rho_heads=0.7)
    for task in range(3):
        grad_shared, grad_head = problem.gradient(task)
        _, cross, curvature = problem.blocks(task)
        expected = grad_head + 0.3 * cross.T @ grad_shared / grad_shared.norm()
        expected = expected + 0.7 * curvature @ grad_head / grad_head.norm()
        assert relative_error(taken.heads[task], expected) <= 50 * EPS * (1 + problem.tasks[task].hessian.norm().item())


def test_flat_is_the_penalty_gradient_to_first_order_on_a_smooth_network() -> None:
    """||h - grad_sh(rho_sh ||g_sh|| + rho_ns ||g_ns||)|| / ||h|| falls tenfold when rho does."""
    problem = smooth(2, seed=3)
    shared, heads = problem.shared(), problem.head_parameters()
    errors = []
    for rho in (1e-2, 1e-3, 1e-4):
        recorder = RowRecorder()
        take_step(problem, recorder, rho_shared=rho, rho_heads=2 * rho)
        (loss,) = problem.task_losses((0,))
        grads = torch.autograd.grad(loss, [*shared, *heads[0]], create_graph=True)
        flat = torch.cat([grad.flatten() for grad in grads])
        n_shared = sum(parameter.numel() for parameter in shared)
        penalty = rho * flat[:n_shared].norm() + 2 * rho * flat[n_shared:].norm()
        expected = torch.cat([grad.flatten() for grad in torch.autograd.grad(penalty, shared)])
        errors.append(relative_error(recorder.matrices[1][0], expected))
    assert 8 <= errors[0] / errors[1] <= 12
    assert 8 <= errors[1] / errors[2] <= 12
    assert errors[2] <= 1e-2
