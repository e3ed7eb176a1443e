"""The references themselves: the twin against closed forms, and instruments that can say no."""

import itertools

import pytest
import torch
from torch import Tensor, nn

from tests.reference.networks import SMOOTH_PROBLEMS, quadratics, smooth
from tests.reference.observe import State, relative_error, same_bits
from tests.reference.twin import Norm, flat_values, perturbations, twin_step

RADII = (0.3, 0.7)


def mean_of_rows(rows: Tensor) -> Tensor:
    return rows.mean(dim=0)


@pytest.mark.parametrize("n_tasks", [1, 2, 4])
def test_twin_on_quadratics_is_the_closed_form(n_tasks: int) -> None:
    """g = H x + c, and flat = rho_sh H_ss g_sh/||g_sh|| + rho_ns H_sn g_ns/||g_ns||."""
    problem = quadratics(n_tasks, seed=3)
    twin = twin_step(
        problem.task_losses,
        shared=problem.shared(),
        heads=problem.head_parameters(),
        aggregate=mean_of_rows,
        rho_shared=RADII[0],
        rho_heads=RADII[1],
    )
    for task in range(n_tasks):
        grad_shared, grad_head = problem.gradient(task)
        curvature, cross, head_curvature = problem.blocks(task)
        eps_shared = RADII[0] * grad_shared / grad_shared.norm()
        eps_head = RADII[1] * grad_head / grad_head.norm()
        assert relative_error(twin.loss_grads[task], grad_shared) <= 1e-14
        assert relative_error(twin.head_loss_grads[task], grad_head) <= 1e-14
        assert relative_error(twin.flat_grads[task], curvature @ eps_shared + cross @ eps_head) <= 1e-13
        head_flat = cross.T @ eps_shared + head_curvature @ eps_head
        assert relative_error(twin.head_sam_grads[task], grad_head + head_flat) <= 1e-14
        rise = grad_shared @ eps_shared + grad_head @ eps_head
        rise = rise + 0.5 * (eps_shared @ curvature @ eps_shared + eps_head @ head_curvature @ eps_head)
        rise = rise + eps_shared @ cross @ eps_head
        assert abs(twin.perturbed_losses[task] - twin.losses[task] - rise) <= 1e-13 * rise.abs()


@pytest.mark.parametrize(("norm", "adaptive"), list(itertools.product(["separate", "joint"], [False, True])))
def test_twin_perturbation_is_the_worst_case_of_the_linearised_loss(norm: Norm, adaptive: bool) -> None:
    """eps lies on the (scaled) sphere and <g, eps> is the dual norm that no other point of the ball exceeds."""
    source = torch.Generator().manual_seed(5)
    grad_shared, grad_head, theta_shared, theta_head = (
        torch.randn(size, generator=source, dtype=torch.float64) for size in (6, 3, 6, 3)
    )
    rho = 0.4
    eps = perturbations(
        grad_shared, grad_head, theta_shared, theta_head, rho_shared=rho, rho_heads=rho, norm=norm, adaptive=adaptive
    )
    scales = [theta.abs() if adaptive else torch.ones_like(theta) for theta in (theta_shared, theta_head)]
    unit = [part / scale for part, scale in zip(eps, scales, strict=True)]
    gain = torch.dot(grad_shared, eps[0]) + torch.dot(grad_head, eps[1])
    if norm == "joint":
        assert torch.cat(unit).norm().item() == pytest.approx(rho, rel=1e-14)
    else:
        assert [part.norm().item() for part in unit] == pytest.approx([rho, rho], rel=1e-14)
    for _ in range(200):
        others = [torch.randn(size, generator=source, dtype=torch.float64) for size in (6, 3)]
        lengths = [torch.cat(others).norm()] * 2 if norm == "joint" else [other.norm() for other in others]
        rivals = [rho * scale * other / size for scale, other, size in zip(scales, others, lengths, strict=True)]
        assert torch.dot(grad_shared, rivals[0]) + torch.dot(grad_head, rivals[1]) <= gain


@pytest.mark.parametrize("name", SMOOTH_PROBLEMS)
def test_twin_gradients_are_finite_differences_of_the_losses(name: str) -> None:
    problem = SMOOTH_PROBLEMS[name](2, 7)
    shared, heads = problem.shared(), problem.head_parameters()
    twin = twin_step(
        problem.task_losses, shared=shared, heads=heads, aggregate=mean_of_rows, rho_shared=0.1, rho_heads=0.1
    )
    source = torch.Generator().manual_seed(11)
    step = 1e-5
    for task, head in enumerate(heads):
        both = [*shared, *head]
        theta = flat_values(both)
        ray = torch.randn(theta.shape, generator=source, dtype=torch.float64)
        values = []
        for sign in (1.0, -1.0):
            with torch.no_grad():
                nn.utils.vector_to_parameters(theta + sign * step * ray, both)
            values.append(problem.task_losses((task,))[0].item())
        nn.utils.vector_to_parameters(theta, both)
        slope = torch.cat([twin.loss_grads[task], twin.head_loss_grads[task]]) @ ray
        assert (values[0] - values[1]) / (2 * step) == pytest.approx(slope.item(), rel=1e-6, abs=1e-7)


def test_twin_leaves_the_parameters_bit_for_bit() -> None:
    problem = smooth(3, seed=2)
    before = State.of(problem)
    twin_step(
        problem.task_losses,
        shared=problem.shared(),
        heads=problem.head_parameters(),
        aggregate=mean_of_rows,
        rho_shared=0.1,
        rho_heads=0.1,
    )
    assert before.changes(State.of(problem)) == []


def test_state_sees_each_kind_of_change() -> None:
    problem = SMOOTH_PROBLEMS["batch_norm"](2, 0)
    generator = torch.Generator().manual_seed(0)
    before = State.of(problem, generator)
    weight = problem.shared()[0]
    with torch.no_grad():
        weight[0, 0] = -weight[0, 0]
    problem.task_losses((0,))
    weight.grad = torch.zeros_like(weight)
    torch.rand(1, generator=generator)
    problem.heads[1].eval()
    changes = before.changes(State.of(problem, generator))
    for part in ("parameter trunk.0.weight", "buffer trunk.1.running_mean", "grad trunk.0.weight", "generator"):
        assert part in changes
    assert any(name.startswith("training heads.1") for name in changes)


def test_same_bits_tells_zeros_apart_and_holds_for_nan() -> None:
    assert not same_bits(torch.tensor(0.0), torch.tensor(-0.0))
    assert same_bits(torch.tensor(float("nan")), torch.tensor(float("nan")))
    assert not same_bits(torch.zeros(2), torch.zeros(2, dtype=torch.float64))
