"""Laws of the step: linear methods, rho = 0, one task, what SAM on the sum is not."""

import pytest
import torch
from torch import Tensor

from flatmtl_core import IMTLG, MGDA, CAGrad, Constant, Mean, PCGrad, sam_mtl_backward
from flatmtl_core.types import Aggregator
from tests.equations.stepping import THREE_TASKS, orders, take_base_step, take_step
from tests.reference.networks import Problem, smooth
from tests.reference.observe import CallRecorder, clear_grads, flat_grads_of, relative_error
from tests.reference.twin import Combine, flat_gradient, flat_values, write_values

EPS = torch.finfo(torch.float64).eps
SAM_COMBINES: tuple[Combine, ...] = ("decomposed", "direct")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("aggregator", [Mean(), Constant(weights=(0.5, 2.0, -0.25))], ids=["mean", "constant"])
def test_linear_aggregators_do_not_tell_decomposed_from_direct(aggregator: Aggregator, seed: int) -> None:
    """A(G) + A(S - G) = A(S); the rounding scale is that of the rows that cancel, times the weights."""
    problem = smooth(3, seed)
    taken = [take_step(problem, aggregator, rho_shared=0.1, rho_heads=0.2, combine=combine) for combine in SAM_COMBINES]
    scale = 3 * 2.0 * max(taken[0].report.loss_norms.max().item(), taken[1].direction.norm().item())
    assert (taken[0].direction - taken[1].direction).norm() <= 16 * EPS * scale
    assert all(torch.equal(*pair) for pair in zip(taken[0].heads, taken[1].heads, strict=True))


def test_nonlinear_aggregators_tell_decomposed_from_direct() -> None:
    problem = smooth(3, seed=0)
    for method in ("mgda", "cagrad", "imtlg", "nash", "fairgrad"):
        taken = [
            take_step(problem, THREE_TASKS[method], rho_shared=0.1, rho_heads=0.2, combine=combine)
            for combine in SAM_COMBINES
        ]
        assert relative_error(taken[0].direction, taken[1].direction) > 1e-4, method


def sam_on_the_mean(problem: Problem, rho: float) -> Tensor:
    """SAM-sum: one perturbation of the trunk, from the gradient of the mean loss."""
    everything = tuple(range(problem.n_tasks))
    clear_grads(problem.parameters())
    sam_mtl_backward(
        problem,
        lambda tasks: [torch.stack(list(problem.task_losses(everything))).mean()],
        shared=problem.shared(),
        heads=[[]],
        aggregator=Mean(),
        rho_shared=rho,
        rho_heads=0.0,
    )
    direction = flat_grads_of(problem.shared())
    clear_grads(problem.parameters())
    return direction


@pytest.mark.parametrize("combine", SAM_COMBINES)
def test_flat_scalarisation_is_not_sam_on_the_sum(combine: Combine) -> None:
    """F-LS averages SAM gradients at m points; SAM-sum takes the gradient at one."""
    problem = smooth(3, seed=5)
    flat_scalarisation = take_step(problem, Mean(), rho_shared=0.3, rho_heads=0.0, combine=combine).direction
    assert relative_error(flat_scalarisation, sam_on_the_mean(problem, 0.3)) > 1e-2
    alone = smooth(1, seed=5)
    one_task = take_step(alone, Mean(), rho_shared=0.3, rho_heads=0.0, combine=combine).direction
    assert relative_error(one_task, sam_on_the_mean(alone, 0.3)) <= 1e-13


@pytest.mark.parametrize("combine", SAM_COMBINES)
def test_flat_scalarisation_is_sam_on_the_sum_for_parallel_gradients(combine: Combine) -> None:
    """L^i = c_i L with c_i > 0: all tasks ask for the same perturbation."""
    problem = smooth(1, seed=5)
    factors = (0.5, 1.0, 7.0)

    def losses(tasks: tuple[int, ...]) -> list[Tensor]:
        (loss,) = problem.task_losses((0,))
        return [factors[task] * loss for task in tasks]

    def mean_loss(tasks: tuple[int, ...]) -> list[Tensor]:
        return [torch.stack(losses((0, 1, 2))).mean()]

    directions = []
    no_heads: list[list[Tensor]] = [[], [], []]
    for callable_losses, heads in ((losses, no_heads), (mean_loss, no_heads[:1])):
        clear_grads(problem.parameters())
        sam_mtl_backward(
            problem,
            callable_losses,
            shared=problem.shared(),
            heads=heads,
            aggregator=Mean(),
            rho_shared=0.3,
            rho_heads=0.0,
            combine=combine,
        )
        directions.append(flat_grads_of(problem.shared()))
    assert relative_error(directions[0], directions[1]) <= 1e-13


@pytest.mark.parametrize("combine", SAM_COMBINES)
@pytest.mark.parametrize("method", THREE_TASKS)
def test_radius_zero_is_the_base_method_exactly(method: str, combine: Combine) -> None:
    """rho = 0: no second pass, one call of the losses, the same bits as ``mtl_backward``."""
    problem = smooth(3, seed=8)
    recorder = CallRecorder(problem.task_losses, problem.shared())
    aggregator = THREE_TASKS[method]
    taken = take_step(problem, aggregator, rho_shared=0.0, rho_heads=0.0, combine=combine, task_losses=recorder)
    base = take_base_step(problem, aggregator)
    assert recorder.tasks == [(0, 1, 2)]
    assert torch.equal(taken.direction, base.direction)
    assert all(torch.equal(*pair) for pair in zip(taken.heads, base.heads, strict=True))
    assert torch.equal(taken.report.losses, base.report.losses)
    assert taken.report.perturbed_losses is None


def test_losses_are_asked_for_together_and_then_one_by_one() -> None:
    problem = smooth(3, seed=8)
    recorder = CallRecorder(problem.task_losses, problem.shared())
    take_step(problem, MGDA(), rho_shared=0.1, rho_heads=0.1, task_losses=recorder)
    assert recorder.tasks == [(0, 1, 2), (0,), (1,), (2,)]


def test_one_radius_zero_still_has_a_second_pass() -> None:
    problem = smooth(2, seed=8)
    for rho_shared, rho_heads in ((0.1, 0.0), (0.0, 0.1)):
        recorder = CallRecorder(problem.task_losses, [*problem.shared(), *problem.head_parameters()[0]])
        take_step(problem, MGDA(), rho_shared=rho_shared, rho_heads=rho_heads, task_losses=recorder)
        start, first = recorder.points[0], recorder.points[1]
        moved = [not torch.equal(*pair) for pair in zip(start, first, strict=True)]
        n_shared = len(problem.shared())
        assert all(moved[:n_shared]) == any(moved[:n_shared]) == (rho_shared > 0)
        assert all(moved[n_shared:]) == any(moved[n_shared:]) == (rho_heads > 0)


@pytest.mark.parametrize("combine", SAM_COMBINES)
@pytest.mark.parametrize(
    "aggregator", [Mean(), MGDA(), PCGrad(reduction="sum"), IMTLG(), CAGrad(c=0.4, rescale=2)], ids=repr
)
def test_one_task_is_sam(aggregator: Aggregator, combine: Combine) -> None:
    """m = 1 and A the identity there: the gradient at theta + eps, one radius a block."""
    rho_shared, rho_heads = 0.2, 0.5
    problem = smooth(1, seed=9)
    shared, head = problem.shared(), problem.head_parameters()[0]
    both = [*shared, *head]
    n_shared = sum(parameter.numel() for parameter in shared)
    theta = flat_values(both)
    gradient = flat_gradient(problem.task_losses((0,))[0], both)
    blocks = (gradient[:n_shared], gradient[n_shared:])
    ascent = torch.cat([rho * g / g.norm() for rho, g in zip((rho_shared, rho_heads), blocks, strict=True)])
    write_values(both, theta + ascent)
    sam = flat_gradient(problem.task_losses((0,))[0], both)
    write_values(both, theta)
    taken = take_step(problem, aggregator, rho_shared=rho_shared, rho_heads=rho_heads, combine=combine)
    # the decomposed form adds and subtracts ||g||; combinations by 1/||g|| weights round a few times more
    assert relative_error(taken.direction, sam[:n_shared]) <= 1e-13
    assert relative_error(taken.heads[0], sam[n_shared:]) <= 1e-13


@pytest.mark.parametrize("combine", SAM_COMBINES)
def test_heads_do_not_depend_on_the_aggregator(combine: Combine) -> None:
    """Each head gets its own task's SAM gradient, whatever weight the task has in the trunk."""
    problem = smooth(3, seed=2)
    reference = take_step(problem, Mean(), rho_shared=0.1, rho_heads=0.1, combine=combine).heads
    for aggregator in (Constant(weights=(0.0, 100.0, -3.0)), MGDA()):
        heads = take_step(problem, aggregator, rho_shared=0.1, rho_heads=0.1, combine=combine).heads
        assert all(torch.equal(*pair) for pair in zip(heads, reference, strict=True))


@pytest.mark.parametrize("method", ["mean", "mgda", "pcgrad", "imtlg", "cagrad", "nash", "fairgrad"])
def test_flat_part_vanishes_with_the_radius(method: str) -> None:
    """Degree one: ||A(flat)|| / ||A(loss)|| = O(rho); Nash-MTL and FairGrad by their ``scale="norm"``."""
    problem = smooth(3, seed=4)
    aggregator = THREE_TASKS[method]
    base = take_base_step(problem, aggregator).direction
    ratios = []
    for rho in (1e-2, 1e-3):
        direction = take_step(problem, aggregator, rho_shared=rho, rho_heads=rho).direction
        ratios.append(((direction - base).norm() / base.norm()).item())
    assert ratios[1] == pytest.approx(ratios[0] / 10, rel=0.5)


def test_orders_are_drawn_for_the_losses_first_and_the_flat_rows_next() -> None:
    """The generator after a decomposed step has made exactly two draws; after a base step, one."""
    problem = smooth(3, seed=4)
    aggregator = PCGrad()
    rows = torch.randn(3, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for draws, radius in ((2, 0.1), (1, 0.0)):
        generator, expected = orders(), orders()
        sam_mtl_backward(
            problem,
            problem.task_losses,
            shared=problem.shared(),
            heads=problem.head_parameters(),
            aggregator=aggregator,
            rho_shared=radius,
            rho_heads=radius,
            generator=generator,
        )
        for _ in range(draws):
            aggregator(rows, generator=expected)
        assert torch.equal(generator.get_state(), expected.get_state())
