"""Every decided edge case of the step's arguments: refused before anything is written, or served exactly."""

import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from flatmtl_core import (
    MGDA,
    Constant,
    InvalidInput,
    Mean,
    NonFinite,
    PCGrad,
    StepReport,
    Workspace,
    mtl_backward,
    sam_mtl_backward,
)
from flatmtl_core.types import Aggregator
from tests.equations.stepping import THREE_TASKS, orders, take_base_step, take_step
from tests.reference.networks import Problem, partial_reach, quadratics, smooth, with_noise_and_buffers
from tests.reference.observe import (
    CallRecorder,
    RowRecorder,
    State,
    clear_grads,
    flat_grads_of,
    relative_error,
    same_bits,
)
from tests.reference.twin import TaskLosses, flat_values, twin_step

COLUMNS = 3


def arguments(problem: Problem, **changes: Any) -> dict[str, Any]:
    """A valid call of ``sam_mtl_backward``, with some arguments replaced."""
    valid = {
        "model": problem,
        "losses": problem.task_losses,
        "shared": problem.shared(),
        "heads": problem.head_parameters(),
        "aggregator": Mean(),
        "rho_shared": 0.1,
        "rho_heads": 0.1,
    }
    return valid | changes


def call(options: dict[str, Any]) -> Any:
    options = dict(options)
    return sam_mtl_backward(options.pop("model"), options.pop("losses"), **options)


def call_base(options: dict[str, Any]) -> Any:
    tasks = tuple(range(len(options["heads"])))
    keywords = {key: options[key] for key in ("shared", "heads", "aggregator")}
    return mtl_backward(options["losses"](tasks), **keywords)


def assert_refused(options: dict[str, Any], problem: Problem, step: Callable[[dict[str, Any]], Any] = call) -> None:
    """InvalidInput with all five parts filled, and nothing moved."""
    before = State.of(problem)
    with pytest.raises(InvalidInput) as caught:
        step(options)
    error = caught.value
    for part in (error.what, error.where, error.rule, error.remedy):
        assert part
        assert part in str(error)
    assert before.changes(State.of(problem)) == []


def non_leaf(problem: Problem) -> Tensor:
    return problem.shared()[0] * 2


REFUSED: dict[str, Callable[[Problem], dict[str, Any]]] = {
    "shared twice": lambda p: {"shared": [*p.shared(), p.shared()[0]]},
    "head parameter twice": lambda p: {"heads": [h * 2 for h in p.head_parameters()]},
    "two heads overlap": lambda p: {"heads": [p.head_parameters()[0], p.head_parameters()[0], p.head_parameters()[2]]},
    "shared and head overlap": lambda p: {"shared": [*p.shared(), p.head_parameters()[1][0]]},
    "shared is a string": lambda p: {"shared": "trunk"},
    "shared is one tensor": lambda p: {"shared": p.shared()[0]},
    "shared is a module": lambda p: {"shared": p.trunk},
    "shared holds a name": lambda p: {"shared": ["trunk.0.weight"]},
    "shared holds a non-leaf": lambda p: {"shared": [non_leaf(p)]},
    "heads is a string": lambda p: {"heads": "abc"},
    "heads holds strings": lambda p: {"heads": ["a", "b", "c"]},
    "heads holds parameters": lambda p: {"heads": [head[0] for head in p.head_parameters()]},
    "heads is one tensor": lambda p: {"heads": p.head_parameters()[0][0]},
    "the model is none": lambda p: {"model": None},
    "the model is a list of parameters": lambda p: {"model": p.shared()},
    "losses are values, no callable": lambda p: {"losses": p.task_losses((0, 1, 2))},
    "the aggregator is a class": lambda p: {"aggregator": MGDA},
    "no shared parameter": lambda p: {"shared": []},
    "no task": lambda p: {"heads": []},
    "negative rho_shared": lambda p: {"rho_shared": -1e-9},
    "negative rho_heads": lambda p: {"rho_heads": -0.1},
    "nan rho_shared": lambda p: {"rho_shared": float("nan")},
    "nan rho_heads": lambda p: {"rho_heads": float("nan")},
    "infinite rho_shared": lambda p: {"rho_shared": float("inf")},
    "infinite rho_heads": lambda p: {"rho_heads": float("inf")},
    "joint with two radii": lambda p: {"norm": "joint", "rho_shared": 0.1, "rho_heads": 0.2},
    "unknown norm": lambda p: {"norm": "euclidean"},
    "unknown combine": lambda p: {"combine": "sum"},
    "random method without generator": lambda p: {"aggregator": PCGrad()},
    "constant for two rows, second": lambda p: {"aggregator": Constant(weights=(1.0, 1.0, 1.0)), "combine": "second"},
    "constant for two rows, each": lambda p: {"aggregator": Constant(weights=(1.0, 1.0, 1.0)), "combine": "each"},
    "constant for other m": lambda p: {"aggregator": Constant(weights=(1.0, 1.0))},
    "one loss too few": lambda p: {"losses": lambda tasks: p.task_losses(tasks)[:-1]},
    "one loss too many": lambda p: {"losses": lambda tasks: [*p.task_losses(tasks), p.task_losses((0,))[0]]},
    "losses with one axis": lambda p: {"losses": lambda tasks: [loss.reshape(1) for loss in p.task_losses(tasks)]},
    "losses per sample": lambda p: {"losses": lambda tasks: [loss.expand(4) for loss in p.task_losses(tasks)]},
    "a loss without graph": lambda p: {"losses": lambda tasks: [loss.detach() for loss in p.task_losses(tasks)]},
    "a float for a loss": lambda p: {"losses": lambda tasks: [loss.item() for loss in p.task_losses(tasks)]},
}

SAM_ONLY = re.compile("rho|joint|norm|combine|second|each|generator|too (few|many)|model|callable")
REFUSED_BY_THE_BASE = [name for name in REFUSED if not SAM_ONLY.search(name)]


@pytest.mark.usefixtures("no_run_time_type_checks")
@pytest.mark.parametrize("name", REFUSED)
def test_invalid_arguments_are_refused_and_nothing_is_written(name: str) -> None:
    problem = smooth(3, seed=1)
    for parameter in problem.head_parameters()[0]:
        parameter.grad = torch.ones_like(parameter)
    assert_refused(arguments(problem, **REFUSED[name](problem)), problem)


@pytest.mark.usefixtures("no_run_time_type_checks")
@pytest.mark.parametrize("name", REFUSED_BY_THE_BASE)
def test_the_base_step_refuses_the_same(name: str) -> None:
    problem = smooth(3, seed=1)
    options = arguments(problem, **REFUSED[name](problem))
    if len(options["heads"]) != problem.n_tasks and name != "no task":
        options["losses"] = lambda tasks: problem.task_losses((0, 1, 2))
    assert_refused(options, problem, call_base)


@pytest.mark.parametrize("count", [2, 4])
def test_the_base_step_refuses_another_number_of_losses(count: int) -> None:
    problem = smooth(3, seed=1)
    options = arguments(problem, losses=lambda tasks: [problem.task_losses((0,))[0] for _ in range(count)])
    assert_refused(options, problem, call_base)


def test_a_wrong_number_of_losses_in_the_second_pass_restores_the_model() -> None:
    problem = smooth(3, seed=1)

    def losses(tasks: tuple[int, ...]) -> list[Tensor]:
        return problem.task_losses((0, 1, 2) if len(tasks) == 1 else tasks)

    assert_refused(arguments(problem, losses=losses), problem)


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


def test_a_trunk_that_is_frozen_altogether_is_refused() -> None:
    problem = smooth(3, seed=1)
    for parameter in problem.shared():
        parameter.requires_grad_(False)
    assert_refused(arguments(problem), problem)


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


@pytest.mark.parametrize("combine", ["second", "each"])
def test_fixed_weights_never_serve_as_weights_of_loss_and_flat(combine: str) -> None:
    """With two tasks their number fits two rows, but they belong to the tasks: refused before anything is computed."""
    problem = smooth(2)
    assert_refused(arguments(problem, aggregator=Constant(weights=(1.0, 1.0)), combine=combine), problem)
