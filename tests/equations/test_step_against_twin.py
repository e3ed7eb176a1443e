"""The step and its slow twin agree: rows, direction, heads, report.

Limits (float64): gradients 1e-13; direction 1e-12 for rho >= 1e-3, since S - G loses |G|/|S - G| digits.
"""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.equations.stepping import THREE_TASKS, black_box, take_base_step, take_step
from tests.reference.networks import SMOOTH_PROBLEMS, smooth
from tests.reference.observe import RowRecorder, relative_error
from tests.reference.twin import Combine, Norm, StepOptions, TwinStep, flat_values, twin_step

GRADIENTS = 1e-13
DIRECTION = 1e-12

COMBINES: tuple[Combine, ...] = ("decomposed", "direct", "second", "each")
NORMS: tuple[Norm, ...] = ("separate", "joint")
PERTURBATIONS = list(itertools.product(NORMS, [False, True]))


def mean_of_rows(rows: Tensor) -> Tensor:
    return rows.mean(dim=0)


def assert_rows(actual: Tensor, expected: Tensor) -> None:
    assert len(actual) == len(expected)
    for row, twin_row in zip(actual, expected, strict=True):
        assert relative_error(row, twin_row) <= GRADIENTS


def assert_heads(actual: list[Tensor], expected: list[Tensor]) -> None:
    assert len(actual) == len(expected)
    for head, twin_head in zip(actual, expected, strict=True):
        assert relative_error(head, twin_head) <= GRADIENTS


def assert_recorded(recorder: RowRecorder, twin: TwinStep) -> None:
    """Decomposed: the aggregator is called on the loss rows, then on the flat rows."""
    loss_rows, flat_rows = recorder.matrices
    assert_rows(loss_rows, twin.loss_grads)
    assert_rows(loss_rows + flat_rows, twin.sam_grads)


@pytest.mark.parametrize(("norm", "adaptive"), PERTURBATIONS)
@pytest.mark.parametrize("name", SMOOTH_PROBLEMS)
def test_task_gradients_are_the_twins(name: str, norm: Norm, adaptive: bool) -> None:
    problem = SMOOTH_PROBLEMS[name](3, 1)
    options: StepOptions = {"rho_shared": 0.05, "rho_heads": 0.05, "norm": norm, "adaptive": adaptive}
    twin = twin_step(
        problem.task_losses,
        shared=problem.shared(),
        heads=problem.head_parameters(),
        aggregate=mean_of_rows,
        **options,
    )
    decomposed, direct = RowRecorder(), RowRecorder()
    taken = take_step(problem, decomposed, **options)
    assert_recorded(decomposed, twin)
    assert_heads(taken.heads, twin.head_sam_grads)
    options["combine"] = "direct"
    taken = take_step(problem, direct, **options)
    (sam_rows,) = direct.matrices
    assert_rows(sam_rows, twin.sam_grads)
    assert_heads(taken.heads, twin.head_sam_grads)


@pytest.mark.parametrize("rho", [1e-3, 0.2])
@pytest.mark.parametrize(("norm", "adaptive"), PERTURBATIONS)
@pytest.mark.parametrize(
    ("method", "combine"),
    [
        (method, combine)
        for method, combine in itertools.product(THREE_TASKS, COMBINES)
        if not (method == "constant" and combine in ("second", "each"))
    ],
)
def test_direction_is_the_twins(method: str, combine: Combine, norm: Norm, adaptive: bool, rho: float) -> None:
    problem = smooth(3, seed=4)
    aggregator = THREE_TASKS[method]
    options: StepOptions = {
        "rho_shared": rho,
        "rho_heads": rho if norm == "joint" else 2 * rho,
        "combine": combine,
        "norm": norm,
        "adaptive": adaptive,
    }
    twin = twin_step(
        problem.task_losses,
        shared=problem.shared(),
        heads=problem.head_parameters(),
        aggregate=black_box(aggregator),
        **options,
    )
    taken = take_step(problem, aggregator, **options)
    assert relative_error(taken.direction, twin.direction) <= DIRECTION
    assert_heads(taken.heads, twin.head_sam_grads)


@pytest.mark.parametrize("method", THREE_TASKS)
def test_base_method_is_the_twins_first_pass(method: str) -> None:
    problem = smooth(3, seed=4)
    aggregator = THREE_TASKS[method]
    twin = twin_step(
        problem.task_losses,
        shared=problem.shared(),
        heads=problem.head_parameters(),
        aggregate=black_box(aggregator),
        rho_shared=0.1,
        rho_heads=0.1,
    )
    taken = take_base_step(problem, aggregator)
    assert relative_error(taken.direction, black_box(aggregator)(twin.loss_grads)) <= DIRECTION
    assert_heads(taken.heads, twin.head_loss_grads)
    assert relative_error(taken.report.losses, twin.losses) <= GRADIENTS
    assert taken.report.perturbed_losses is None
    assert taken.report.flat_gramian is None


@pytest.mark.parametrize("combine", COMBINES)
@pytest.mark.parametrize("method", [method for method in THREE_TASKS if method != "constant"])
def test_radius_zero_is_the_twin_with_zero_flat_rows(method: str, combine: Combine) -> None:
    problem = smooth(3, seed=4)
    twin = twin_step(
        problem.task_losses,
        shared=problem.shared(),
        heads=problem.head_parameters(),
        aggregate=black_box(THREE_TASKS[method]),
        rho_shared=0.0,
        rho_heads=0.0,
        combine=combine,
    )
    assert torch.equal(twin.flat_grads, torch.zeros_like(twin.flat_grads))
    taken = take_step(problem, THREE_TASKS[method], rho_shared=0.0, rho_heads=0.0, combine=combine)
    assert relative_error(taken.direction, twin.direction) <= DIRECTION


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(sorted(set(SMOOTH_PROBLEMS) - {"batch_norm"})),
    n_tasks=st.integers(1, 5),
    seed=st.integers(0, 2**16),
    rho_shared=st.sampled_from([0.0, 1e-3, 0.05, 1.0]),
    rho_heads=st.sampled_from([0.0, 1e-3, 0.05, 1.0]),
    norm=st.sampled_from(NORMS),
    adaptive=st.booleans(),
)
def test_task_gradients_are_the_twins_whatever_the_settings(
    name: str, n_tasks: int, seed: int, rho_shared: float, rho_heads: float, norm: Norm, adaptive: bool
) -> None:
    """Random settings, without batch normalisation: a drawn channel of small variance is ill-conditioned.

    At seed 1373, adaptive, rho = 1, moving each parameter by one unit in the last place moves the twin's own SAM row
    by 7e-13, more than the limit. The fixed cases above hold batch normalisation to 1e-13 at rho = 0.05.
    """
    if rho_shared == rho_heads == 0.0:
        rho_heads = 0.05
    if norm == "joint":
        rho_shared = rho_heads = max(rho_shared, rho_heads)
    problem = SMOOTH_PROBLEMS[name](n_tasks, seed)
    options: StepOptions = {"rho_shared": rho_shared, "rho_heads": rho_heads, "norm": norm, "adaptive": adaptive}
    twin = twin_step(
        problem.task_losses,
        shared=problem.shared(),
        heads=problem.head_parameters(),
        aggregate=mean_of_rows,
        **options,
    )
    recorder = RowRecorder()
    taken = take_step(problem, recorder, **options)
    assert_recorded(recorder, twin)
    assert_heads(taken.heads, twin.head_sam_grads)


@pytest.mark.parametrize("adaptive", [False, True])
def test_head_norms_are_those_of_the_balls(adaptive: bool) -> None:
    """||g_ns^i||, or || |w| g_ns^i || when adaptive, at the unperturbed parameters."""
    problem = smooth(3, seed=6)
    twin = twin_step(
        problem.task_losses,
        shared=problem.shared(),
        heads=problem.head_parameters(),
        aggregate=mean_of_rows,
        rho_shared=0.1,
        rho_heads=0.2,
        adaptive=adaptive,
    )
    taken = take_step(problem, THREE_TASKS["mean"], rho_shared=0.1, rho_heads=0.2, adaptive=adaptive)
    expected = [
        (flat_values(head).abs() * gradient if adaptive else gradient).norm().item()
        for head, gradient in zip(problem.head_parameters(), twin.head_loss_grads, strict=True)
    ]
    assert taken.report.head_norms == pytest.approx(expected, rel=GRADIENTS)


@pytest.mark.parametrize("combine", COMBINES)
def test_report_is_the_twins(combine: Combine) -> None:
    problem = smooth(3, seed=6)
    aggregator = THREE_TASKS["mgda"]
    options: StepOptions = {"rho_shared": 0.1, "rho_heads": 0.2, "combine": combine}
    twin = twin_step(
        problem.task_losses,
        shared=problem.shared(),
        heads=problem.head_parameters(),
        aggregate=black_box(aggregator),
        **options,
    )
    report = take_step(problem, aggregator, **options).report
    assert relative_error(report.losses, twin.losses) <= GRADIENTS
    assert report.perturbed_losses is not None
    assert relative_error(report.perturbed_losses, twin.perturbed_losses) <= GRADIENTS
    assert not report.losses.requires_grad
    assert not report.perturbed_losses.requires_grad
    assert relative_error(report.loss_gramian, twin.loss_grads @ twin.loss_grads.T) <= GRADIENTS
    assert relative_error(report.loss_norms, twin.loss_grads.norm(dim=1)) <= GRADIENTS
    keys = {
        "decomposed": {"loss", "flat"},
        "direct": {"sam"},
        "second": {"loss", "flat", "pair"},
        "each": {"task 0", "task 1", "task 2", "tasks"},
    }
    assert set(report.weighted) == keys[combine]
    if combine in ("direct", "each"):
        assert report.flat_gramian is None
    else:
        assert report.flat_gramian is not None
        assert relative_error(report.flat_gramian, twin.flat_grads @ twin.flat_grads.T) <= DIRECTION
        assert report.inter_flat_conflict == conflict_share(twin.flat_grads)
    assert report.inter_loss_conflict == conflict_share(twin.loss_grads)
    intra = (twin.loss_grads * twin.flat_grads).sum(dim=1)
    assert report.intra_products is not None
    assert relative_error(report.intra_products, intra) <= DIRECTION
    assert report.intra_conflict == tuple((intra < 0).tolist())
    assert report.flat_norms is not None
    assert relative_error(report.flat_norms, twin.flat_grads.norm(dim=1)) <= DIRECTION
    ratios = twin.flat_grads.norm(dim=1) / twin.loss_grads.norm(dim=1)
    assert report.flat_to_loss == pytest.approx(ratios.tolist(), rel=DIRECTION)
    units = twin.loss_grads / twin.loss_grads.norm(dim=1, keepdim=True)
    cosines = [units[i] @ units[j] for i, j in itertools.combinations(range(3), 2)]
    assert report.minimal_cosine == pytest.approx(min(cosine.item() for cosine in cosines), rel=1e-12)


def conflict_share(rows: Tensor) -> float:
    """Share of the task pairs whose inner product is negative."""
    pairs = list(itertools.combinations(rows, 2))
    return sum(bool(left @ right < 0) for left, right in pairs) / len(pairs)


@pytest.mark.parametrize("n_tasks", [2, 3])
@pytest.mark.parametrize("seed", [0, 1])
def test_float32_rows_keep_the_digits_that_cancellation_leaves(n_tasks: int, seed: int) -> None:
    """Relative error of a flat row <= 10 eps ||g||/||h||: S and G are each good to a few eps of ||g||."""
    problem = smooth(n_tasks, seed).float()
    single = RowRecorder()
    take_step(problem, single, rho_shared=0.05, rho_heads=0.05)
    problem = problem.double()
    twin = twin_step(
        problem.task_losses,
        shared=problem.shared(),
        heads=problem.head_parameters(),
        aggregate=mean_of_rows,
        rho_shared=0.05,
        rho_heads=0.05,
    )
    eps = torch.finfo(torch.float32).eps
    loss_rows, flat_rows = single.matrices
    assert loss_rows.dtype == flat_rows.dtype == torch.float32
    for task in range(n_tasks):
        cancellation = (twin.loss_grads[task].norm() / twin.flat_grads[task].norm()).item()
        assert relative_error(loss_rows[task], twin.loss_grads[task]) <= 10 * eps
        assert relative_error(flat_rows[task], twin.flat_grads[task]) <= 10 * eps * cancellation


@pytest.mark.parametrize("method", THREE_TASKS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_lower_precision_runs_and_restores(dtype: torch.dtype, method: str) -> None:
    """SAM gradients of the heads within 10 eps, relative; parameters bit for bit; ``.grad`` in their dtype."""
    problem = smooth(3, seed=4).to(dtype)
    before = [parameter.detach().clone() for parameter in problem.parameters()]
    taken = take_step(problem, THREE_TASKS[method], rho_shared=0.5, rho_heads=0.5)
    assert taken.direction.dtype == dtype
    assert torch.isfinite(taken.direction).all()
    assert taken.direction.abs().max() > 0
    assert all(torch.equal(now, then) for now, then in zip(problem.parameters(), before, strict=True))
    problem = problem.double()
    twin = twin_step(
        problem.task_losses,
        shared=problem.shared(),
        heads=problem.head_parameters(),
        aggregate=mean_of_rows,
        rho_shared=0.5,
        rho_heads=0.5,
    )
    for head, twin_head in zip(taken.heads, twin.head_sam_grads, strict=True):
        assert relative_error(head, twin_head) <= 10 * torch.finfo(dtype).eps
