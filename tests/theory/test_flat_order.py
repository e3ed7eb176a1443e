"""The core's flat gradient against the gradient of the penalty: order in the radius, remainder, adaptive balls."""

import itertools
import math

import pytest
import torch
from torch import Tensor, nn

from tests.equations.stepping import take_step
from tests.reference.networks import Problem, quadratics, smooth
from tests.reference.observe import RowRecorder, relative_error
from tests.reference.twin import StepOptions, flat_gradient, flat_values, write_values

RATIO = 2.0
"""Of the head's radius to the trunk's: two radii that differ."""
ROUNDING = 1e-12


def flat_rows(problem: Problem, options: StepOptions) -> Tensor:
    """g^{i,flat}, as the step hands them to its aggregator."""
    recorder = RowRecorder()
    take_step(problem, recorder, **options)
    return recorder.matrices[1]


def penalty_gradient(problem: Problem, task: int, rho: float) -> Tensor:
    """grad_sh (rho ||g_sh|| + RATIO rho ||g_ns||), by differentiating twice."""
    shared, head = problem.shared(), problem.head_parameters()[task]
    grads = torch.autograd.grad(problem.task_losses((task,))[0], [*shared, *head], create_graph=True)
    flat = torch.cat([grad.flatten() for grad in grads])
    n_shared = sum(parameter.numel() for parameter in shared)
    penalty = rho * flat[:n_shared].norm() + RATIO * rho * flat[n_shared:].norm()
    return torch.cat([grad.flatten() for grad in torch.autograd.grad(penalty, shared)])


@pytest.mark.parametrize("seed", range(6))
def test_the_relative_error_is_of_order_one_in_the_radius(seed: int) -> None:
    """log2 of the ratio of the errors at rho and rho / 2; cancellation alone gives about eps / rho = 1e-12."""
    problem = smooth(2, seed)
    errors = []
    for rho in (2e-3, 1e-3, 5e-4):
        rows = flat_rows(problem, {"rho_shared": rho, "rho_heads": RATIO * rho})
        errors.append([relative_error(rows[task], penalty_gradient(problem, task, rho)) for task in range(2)])
    for coarse, fine in itertools.pairwise(errors):
        assert [math.log2(a / b) for a, b in zip(coarse, fine, strict=True)] == pytest.approx([1.0, 1.0], abs=0.02)


def hessian(problem: Problem, parameters: list[nn.Parameter], task: int) -> Tensor:
    """Row by row; the loss is built anew at the parameters of the moment."""
    grads = torch.autograd.grad(problem.task_losses((task,))[0], parameters, create_graph=True)
    flat = torch.cat([grad.flatten() for grad in grads])
    rows = [torch.autograd.grad(entry, parameters, retain_graph=True, materialize_grads=True) for entry in flat]
    return torch.stack([torch.cat([piece.flatten() for piece in row]) for row in rows])


@pytest.mark.parametrize("seed", range(2))
def test_the_remainder_is_within_its_bound(seed: int) -> None:
    """||R|| <= (M/2) ||eps||^2, M the quotient of ||H(theta + t eps) - H(theta)|| and t ||eps|| at its largest."""
    rho = 0.05
    problem = smooth(1, seed, width=3)
    both = [*problem.shared(), *problem.head_parameters()[0]]
    n_shared = sum(parameter.numel() for parameter in problem.shared())
    theta = flat_values(both)
    gradient = flat_gradient(problem.task_losses((0,))[0], both)
    blocks = gradient[:n_shared], gradient[n_shared:]
    eps = torch.cat([radius * g / g.norm() for radius, g in zip((rho, RATIO * rho), blocks, strict=True)])
    start = hessian(problem, both, 0)
    (flat,) = flat_rows(problem, {"rho_shared": rho, "rho_heads": RATIO * rho})
    quotients = []
    for t in (0.05, 0.25, 0.5, 0.75, 1.0):
        write_values(both, theta + t * eps)
        change = torch.linalg.matrix_norm(hessian(problem, both, 0) - start, ord=2)
        quotients.append((change / (t * eps.norm())).item())
    remainder = (flat - (start @ eps)[:n_shared]).norm().item()
    bound = max(quotients) / 2 * rho**2 * (1 + RATIO**2)
    assert 1e-2 * bound <= remainder <= bound


class Cubic(Problem):
    """L = (M/6) Re(c (x + i y)^3) + x + 2 y, c = conj(r)^2 / |r|^2, r = rho_sh + i rho_ns; at 0 its Hessian is 0."""

    def __init__(self, lipschitz: float, rho_shared: float, rho_heads: float) -> None:
        super().__init__()
        self.trunk = nn.ParameterList([torch.zeros(1, dtype=torch.float64)])
        self.heads = nn.ModuleList([nn.ParameterList([torch.zeros(1, dtype=torch.float64)])])
        self.lipschitz = lipschitz
        self.factor = complex(rho_shared, -rho_heads) ** 2 / (rho_shared**2 + rho_heads**2)

    def task_losses(self, tasks: tuple[int, ...]) -> list[Tensor]:
        x, y = self.shared()[0][0], self.head_parameters()[0][0][0]
        real, imaginary = x**3 - 3 * x * y**2, 3 * x**2 * y - y**3
        cubic = self.factor.real * real - self.factor.imag * imaginary
        return [self.lipschitz / 6 * cubic + x + 2 * y for _ in tasks]


@pytest.mark.parametrize(("rho_shared", "rho_heads"), [(0.1, 0.1), (0.3, 0.7), (2.0, 0.5)])
def test_a_cubic_attains_the_bound(rho_shared: float, rho_heads: float) -> None:
    """g^flat = R = (M/2)(rho_sh^2 + rho_ns^2): the radii's squares add, and 1/2 is no waste."""
    rows = flat_rows(Cubic(3.0, rho_shared, rho_heads), {"rho_shared": rho_shared, "rho_heads": rho_heads})
    assert rows.item() == pytest.approx(1.5 * (rho_shared**2 + rho_heads**2), rel=ROUNDING)


class Vanishing(Problem):
    """L = x + x^3 + y: at 0 the Hessian vanishes, and with it the penalty's gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.ParameterList([torch.zeros(1, dtype=torch.float64)])
        self.heads = nn.ModuleList([nn.ParameterList([torch.zeros(1, dtype=torch.float64)])])

    def task_losses(self, tasks: tuple[int, ...]) -> list[Tensor]:
        x, y = self.shared()[0][0], self.head_parameters()[0][0][0]
        return [x + x**3 + y for _ in tasks]


@pytest.mark.parametrize("rho", [1e-1, 1e-3])
def test_the_flat_gradient_may_be_all_remainder(rho: float) -> None:
    problem = Vanishing()
    assert penalty_gradient(problem, 0, rho).item() == 0
    rows = flat_rows(problem, {"rho_shared": rho, "rho_heads": RATIO * rho})
    assert rows.item() == pytest.approx(3 * rho**2, abs=4 * ROUNDING)


@pytest.mark.parametrize("seed", range(3))
def test_the_worst_case_is_the_penalised_loss_to_first_order(seed: int) -> None:
    """At the step's perturbed point and at points drawn from both spheres, on quadratics with B = ||H||."""
    rho_shared, rho_heads = 0.3, 0.7
    problem = quadratics(2, seed)
    report = take_step(problem, RowRecorder(), rho_shared=rho_shared, rho_heads=rho_heads).report
    assert report.perturbed_losses is not None
    source = torch.Generator().manual_seed(seed)
    for task, head in enumerate(problem.head_parameters()):
        both = [*problem.shared(), *head]
        grad_shared, grad_head = problem.gradient(task)
        linear = report.losses[task] + rho_shared * grad_shared.norm() + rho_heads * grad_head.norm()
        slack = torch.linalg.matrix_norm(problem.tasks[task].hessian, ord=2) / 2 * (rho_shared**2 + rho_heads**2)
        assert linear - slack <= report.perturbed_losses[task] <= linear + slack
        theta = flat_values(both)
        for _ in range(20):
            draws = [
                torch.randn(size, generator=source, dtype=torch.float64) for size in map(len, (grad_shared, grad_head))
            ]
            eps = [rho * draw / draw.norm() for rho, draw in zip((rho_shared, rho_heads), draws, strict=True)]
            write_values(both, theta + torch.cat(eps))
            assert problem.task_losses((task,))[0] <= linear + slack
        write_values(both, theta)


@pytest.mark.parametrize("seed", range(3))
def test_the_adaptive_flat_gradient_lacks_the_derivative_of_the_weights(seed: int) -> None:
    """On quadratics g^flat is the gradient of rho || |w| g || with |w| frozen; rho w g^2 / || |w| g || is missing."""
    rho = 0.4
    problem = quadratics(1, seed)
    (flat,) = flat_rows(problem, {"rho_shared": rho, "rho_heads": 0.0, "adaptive": True})
    curvature, cross, _ = problem.blocks(0)
    linear = problem.tasks[0].linear[: problem.n_shared] + cross @ flat_values(problem.head_parameters()[0])
    w = flat_values(problem.shared()).requires_grad_()
    gradient = curvature @ w + linear
    adaptive = torch.autograd.grad(rho * (w.abs() * gradient).norm(), w, retain_graph=True)[0]
    frozen = torch.autograd.grad(rho * (w.detach().abs() * gradient).norm(), w)[0]
    missing = rho * w * gradient**2 / (w * gradient).norm()
    assert relative_error(flat, frozen) <= ROUNDING
    assert relative_error(flat + missing.detach(), adaptive) <= ROUNDING
    assert relative_error(flat, adaptive) > 0.1
