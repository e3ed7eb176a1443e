"""Parameters of every kind: who moves, shapes, strides, precisions, random orders, reductions."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from flatmtl_core import (
    MGDA,
    Mean,
    PCGrad,
    sam_mtl_backward,
)
from flatmtl_core.types import Aggregator
from tests.equations.stepping import arguments, call, orders, take_base_step, take_step
from tests.reference.networks import Problem, smooth
from tests.reference.observe import (
    CallRecorder,
    RowRecorder,
    State,
    clear_grads,
    flat_grads_of,
    relative_error,
)
from tests.reference.twin import TaskLosses, twin_step


def test_only_the_own_head_is_moved_and_each_task_starts_from_theta() -> None:
    problem = smooth(3, seed=1)
    everything = [*problem.shared(), *(parameter for head in problem.head_parameters() for parameter in head)]
    recorder = CallRecorder(problem.task_losses, everything)
    take_step(problem, MGDA(), rho_shared=0.5, rho_heads=0.5, task_losses=recorder)
    n_shared = len(problem.shared())
    for task in range(3):
        for place, (now, start) in enumerate(zip(recorder.points[1 + task], recorder.points[0], strict=True)):
            own = place < n_shared or (place - n_shared) // 2 == task
            assert torch.equal(now, start) != own


def test_parameters_outside_are_left_alone() -> None:
    """A parameter in neither list gets no gradient, although the losses reach it."""
    problem = smooth(3, seed=1)
    call(arguments(problem, shared=problem.shared()[:2]))
    assert all(parameter.grad is None for parameter in problem.shared()[2:])


def test_the_base_step_is_what_backward_would_write_for_the_mean() -> None:
    problem = smooth(3, seed=1)
    taken = take_base_step(problem, Mean())
    torch.stack(problem.task_losses((0, 1, 2))).sum().backward()
    expected = flat_grads_of(problem.shared()) / 3
    assert (taken.direction - expected).norm() <= 1e-14 * expected.norm()
    for head, taken_head in zip(problem.head_parameters(), taken.heads, strict=True):
        assert (taken_head - flat_grads_of(head)).norm() <= 1e-14 * taken_head.norm()


def test_random_orders_repeat_with_the_generator() -> None:
    problem = smooth(3, seed=1)
    directions = []
    for _ in range(2):
        clear_grads(problem.parameters())
        call(arguments(problem, aggregator=PCGrad(), generator=orders()))
        directions.append(flat_grads_of(problem.shared()))
    assert torch.equal(*directions)


@pytest.mark.parametrize("aggregator", [Mean(), MGDA()], ids=repr)
def test_reduce_acts_on_every_task_gradient_before_it_is_used(aggregator: Aggregator) -> None:
    """Halving all task gradients leaves the unit perturbations, so everything of degree one is halved."""
    problem = smooth(3, seed=1)
    expected = take_step(problem, aggregator, rho_shared=0.2, rho_heads=0.2)
    reduced: list[int] = []

    def halve(gradient: Tensor) -> None:
        reduced.append(gradient.numel())
        gradient.mul_(0.5)

    call(arguments(problem, aggregator=aggregator, rho_shared=0.2, rho_heads=0.2, reduce=halve))
    assert relative_error(flat_grads_of(problem.shared()), 0.5 * expected.direction) <= 1e-14
    for head, expected_head in zip(problem.head_parameters(), expected.heads, strict=True):
        assert relative_error(flat_grads_of(head), 0.5 * expected_head) <= 1e-14
    assert sum(reduced) == 2 * (3 * expected.direction.numel() + sum(head.numel() for head in expected.heads))


class OddShapes(Problem):
    """Shared: a 0-dim tensor, an empty one, a transposed one; heads: a 0-dim tensor, and nothing."""

    def __init__(self) -> None:
        super().__init__()
        source = torch.Generator().manual_seed(8)
        matrix = torch.randn(4, 3, generator=source, dtype=torch.float64).t()
        self.trunk = nn.ParameterList(
            [torch.tensor(0.8, dtype=torch.float64), torch.zeros(0, dtype=torch.float64), nn.Parameter(matrix)]
        )
        self.heads = nn.ModuleList([nn.ParameterList([torch.tensor(-0.6, dtype=torch.float64)]), nn.ParameterList([])])

    def task_losses(self, tasks: tuple[int, ...]) -> list[Tensor]:
        scale, empty, matrix = self.trunk.parameters()
        (own,) = self.heads[0].parameters()
        hidden = torch.tanh(scale * matrix).sum() + empty.sum()
        losses = [torch.sin(own * hidden), (matrix[0] @ matrix[1] - scale).square()]
        return [losses[task] for task in tasks]


@pytest.mark.parametrize("adaptive", [False, True])
def test_parameters_of_any_shape_and_stride(adaptive: bool) -> None:
    problem = OddShapes()
    matrix = problem.shared()[2]
    assert not matrix.is_contiguous()
    strides, before = matrix.stride(), State.of(problem)
    twin = twin_step(
        problem.task_losses,
        shared=problem.shared(),
        heads=problem.head_parameters(),
        aggregate=lambda rows: rows.mean(dim=0),
        rho_shared=0.2,
        rho_heads=0.2,
        adaptive=adaptive,
    )
    clear_grads(problem.parameters())
    call(arguments(problem, rho_shared=0.2, rho_heads=0.2, adaptive=adaptive))
    assert relative_error(flat_grads_of(problem.shared()), twin.direction) <= 1e-13
    assert relative_error(flat_grads_of(problem.head_parameters()[0]), twin.head_sam_grads[0]) <= 1e-13
    assert all(p.grad is None or p.grad.shape == p.shape for p in problem.parameters())
    clear_grads(problem.parameters())
    assert matrix.stride() == strides
    assert before.changes(State.of(problem)) == []


class Embedded(Problem):
    """Two embeddings that may give sparse gradients: one in the trunk, one in a head."""

    def __init__(self, *, sparse: bool) -> None:
        super().__init__()
        source = torch.Generator().manual_seed(9)
        tables = [torch.randn(7, 3, generator=source, dtype=torch.float64) for _ in range(2)]
        self.trunk = nn.Embedding.from_pretrained(tables[0], freeze=False, sparse=sparse)
        self.heads = nn.ModuleList(
            [nn.Embedding.from_pretrained(tables[1], freeze=False, sparse=sparse), nn.ParameterList([])]
        )

    def task_losses(self, tasks: tuple[int, ...]) -> list[Tensor]:
        words = torch.tensor([1, 4, 1])
        hidden = torch.tanh(self.trunk(words))
        losses = [(hidden * self.heads[0](words)).sum().square(), torch.sin(hidden.sum())]
        return [losses[task] for task in tasks]


def test_sparse_gradients_are_the_dense_ones() -> None:
    dense = take_step(Embedded(sparse=False), MGDA(), rho_shared=0.2, rho_heads=0.2)
    problem = Embedded(sparse=True)
    recorder = RowRecorder()
    take_step(problem, recorder, rho_shared=0.2, rho_heads=0.2)
    assert (recorder.matrices[0] != 0).any()
    taken = take_step(problem, MGDA(), rho_shared=0.2, rho_heads=0.2)
    assert relative_error(taken.direction, dense.direction) <= 1e-13
    assert relative_error(taken.heads[0], dense.heads[0]) <= 1e-13


def test_a_trunk_of_two_precisions_keeps_each_parameters_dtype() -> None:
    """Rows are kept in the wider dtype; ``.grad`` follows each parameter."""
    source = torch.Generator().manual_seed(10)
    wide = nn.Parameter(torch.randn(3, generator=source, dtype=torch.float64))
    narrow = nn.Parameter(torch.randn(3, generator=source, dtype=torch.float32))
    twins = [nn.Parameter(parameter.detach().double()) for parameter in (wide, narrow)]

    def losses(parameters: list[nn.Parameter]) -> Callable[[tuple[int, ...]], list[Tensor]]:
        first, second = parameters
        return lambda tasks: [(torch.sin(first) * second.square() + second).sum() * (1 + task) for task in tasks]

    expected = twin_step(
        losses(twins),
        shared=twins,
        heads=[[], []],
        aggregate=lambda rows: rows.mean(dim=0),
        rho_shared=0.3,
        rho_heads=0.3,
    )
    sam_mtl_backward(
        nn.ParameterList([wide, narrow]),
        losses([wide, narrow]),
        shared=[wide, narrow],
        heads=[[], []],
        aggregator=Mean(),
        rho_shared=0.3,
        rho_heads=0.3,
    )
    assert wide.grad is not None
    assert narrow.grad is not None
    assert (wide.grad.dtype, narrow.grad.dtype) == (torch.float64, torch.float32)
    eps = torch.finfo(torch.float32).eps
    assert relative_error(flat_grads_of([wide, narrow]), expected.direction) <= 10 * eps


@pytest.mark.parametrize("combine", ["decomposed", "direct", "second", "each"])
@pytest.mark.parametrize("exponent", [-100, 100])
def test_a_common_power_of_two_scales_the_whole_step_in_float32(exponent: int, combine: str) -> None:
    """Losses times 2^k: the same perturbations, so gradients scale by 2^k and products by 4^k; none leaves float64."""
    scale = 2.0**exponent
    problem = smooth(3, seed=1).float()
    heads = problem.head_parameters()
    directions, reports = [], []

    def scaled_losses(factor: float) -> TaskLosses:
        return lambda tasks: [factor * loss for loss in problem.task_losses(tasks)]

    for factor in (1.0, scale):
        clear_grads(problem.parameters())
        losses = scaled_losses(factor)
        reports.append(call(arguments(problem, losses=losses, aggregator=MGDA(), combine=combine)))
        directions.append([flat_grads_of(parameters).double() for parameters in (problem.shared(), *heads)])
    # rounding of the flat rows, 10 eps ||g||/||h||, reaches everything that is built on them
    plain, scaled = reports
    limit = 10 * torch.finfo(torch.float32).eps * max(1 / ratio for ratio in plain.flat_to_loss)
    for here, there in zip(*directions, strict=True):
        assert relative_error(there / scale, here) <= limit
    assert scaled.flat_to_loss == pytest.approx(plain.flat_to_loss, rel=limit)
    assert scaled.intra_conflict == plain.intra_conflict
    assert scaled.head_norms == pytest.approx([scale * norm for norm in plain.head_norms], rel=limit)
    for name in ("loss_gramian", "intra_products"):
        assert relative_error(getattr(scaled, name) / scale**2, getattr(plain, name)) <= limit, name
    for name in ("loss_norms", "flat_norms"):
        assert relative_error(getattr(scaled, name) / scale, getattr(plain, name)) <= limit, name
