"""The tensor code runs where the parameters are: meta tensors refuse any hidden host transfer, CUDA agrees with CPU."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from flatmtl_core import MGDA, cosine, linalg
from flatmtl_core.linalg import gramian, norm, to_host
from flatmtl_core.parameters import Blocks, collect_blocks
from flatmtl_core.perturb import dual_weight, move
from flatmtl_core.task_gradients import task_gradients
from tests.equations.stepping import THREE_TASKS, take_step
from tests.reference.networks import Problem, smooth, with_batch_norm, with_noise_and_buffers
from tests.reference.observe import State, relative_error
from tests.reference.twin import Combine, StepOptions


def on_meta(problem: Problem) -> tuple[Problem, Blocks]:
    problem = problem.to("meta")
    return problem, collect_blocks(problem.shared(), problem.head_parameters(), [problem])


@pytest.mark.parametrize("adaptive", [False, True])
def test_perturbation_reads_no_value(adaptive: bool) -> None:
    """A meta tensor has no values: any branch on one, any transfer, raises."""
    start, gradient = (torch.empty(4, 3, device="meta", dtype=torch.float64) for _ in range(2))
    parameter = torch.nn.Parameter(torch.empty_like(start))
    dual = dual_weight(parameter.detach(), gradient, adaptive=adaptive)
    assert (dual.shape, dual.device.type) == (start.shape, "meta")
    assert norm([dual], dual).device.type == "meta"
    move(parameter, start, gradient, 0.5, adaptive=adaptive)
    assert parameter.device.type == "meta"
    with pytest.raises(RuntimeError):
        bool(norm([dual], dual) > 0)


@pytest.mark.parametrize("build", [smooth, with_batch_norm])
def test_task_gradients_read_no_value(build: Callable[[int], Problem]) -> None:
    problem, blocks = on_meta(build(3))
    rows = torch.empty(3, sum(blocks.sizes), dtype=blocks.dtype, device="meta")
    heads = task_gradients(problem.task_losses((0, 1, 2)), blocks, rows)
    assert [[grad.shape for grad in head.found()] for head in heads] == [
        [parameter.shape for parameter in head] for head in problem.head_parameters()
    ]
    assert gramian(rows).device.type == "meta"


@pytest.mark.parametrize("combine", ["decomposed", "direct", "second", "each"])
@pytest.mark.parametrize("name", sorted(set(THREE_TASKS) - {"constant"}))
def test_a_step_goes_to_the_host_as_often_as_it_says(
    name: str, combine: Combine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`to_host` is the only door: twice a step, once more for the last pair, once for the pair of each task."""
    calls: list[int] = []

    def counted(*tensors: Tensor) -> tuple[Tensor, ...]:
        calls.append(len(tensors))
        return to_host(*tensors)

    monkeypatch.setattr(linalg, "to_host", counted)
    monkeypatch.setattr(cosine, "to_host", counted)
    take_step(smooth(3), THREE_TASKS[name], rho_shared=0.05, rho_heads=0.05, combine=combine)
    assert len(calls) == {"decomposed": 2, "direct": 2, "second": 3, "each": 3 + 2}[combine]
    calls.clear()
    take_step(smooth(3), THREE_TASKS[name], rho_shared=0.0, rho_heads=0.0)
    assert len(calls) == 1


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("combine", ["decomposed", "direct", "second", "each"])
@pytest.mark.parametrize("method", ["mean", "mgda", "pcgrad", "imtlg"])
def test_cuda_agrees_with_cpu(method: str, combine: Combine) -> None:
    options: StepOptions = {"rho_shared": 0.1, "rho_heads": 0.1, "combine": combine}
    expected = take_step(smooth(3), THREE_TASKS[method], **options)
    taken = take_step(smooth(3).to("cuda"), THREE_TASKS[method], **options)
    assert taken.direction.device.type == "cuda"
    assert relative_error(taken.direction.cpu(), expected.direction) <= 1e-10
    for head, expected_head in zip(taken.heads, expected.heads, strict=True):
        assert relative_error(head.cpu(), expected_head) <= 1e-12


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_noise_is_replayed_and_everything_restored() -> None:
    problem = with_noise_and_buffers(3).to("cuda")
    torch.manual_seed(4)
    problem.task_losses((0, 1, 2))
    after_one_pass = torch.cuda.get_rng_state()
    before = State.of(problem)
    torch.manual_seed(4)
    report = take_step(problem, MGDA(), rho_shared=1e-6, rho_heads=1e-6).report
    assert torch.equal(torch.cuda.get_rng_state(), after_one_pass)
    assert report.flat_to_loss is not None
    assert max(report.flat_to_loss) <= 1e-3
    assert before.changes(State.of(problem), ignore=lambda name: name.startswith(("buffer", "rng"))) == []
