"""Sentences of the docstrings that no equation needs: graphs are freed, states stay, what the report does at zeros."""

import math
from types import SimpleNamespace

import pytest
import torch

from flatmtl_core import MGDA, Mean, StepReport, Workspace, mtl_backward
from flatmtl_core.transaction import RandomState
from tests.equations.stepping import take_base_step, take_step
from tests.reference.networks import smooth, with_dropout


def test_the_base_method_frees_the_graph() -> None:
    problem = smooth()
    losses = problem.task_losses((0, 1, 2))
    mtl_backward(losses, shared=problem.shared(), heads=problem.head_parameters(), aggregator=Mean())
    with pytest.raises(RuntimeError, match="second time"):
        losses[0].backward()


def test_the_base_method_keeps_its_buffers_in_the_workspace_given() -> None:
    problem, workspace = smooth(), Workspace()
    d = sum(parameter.numel() for parameter in problem.shared())
    blocks = {"shared": problem.shared(), "heads": problem.head_parameters()}
    mtl_backward(problem.task_losses((0, 1, 2)), aggregator=Mean(), workspace=workspace, **blocks)
    rows = workspace.take("rows", (3, d), problem.shared()[0].dtype, torch.device("cpu"))
    assert f"rows: (3, {d})" in repr(workspace)
    rows.fill_(math.nan)
    mtl_backward(problem.task_losses((0, 1, 2)), aggregator=Mean(), workspace=workspace, **blocks)
    assert rows.isfinite().all()


def test_head_norms_of_the_base_method_are_plain() -> None:
    taken = take_base_step(smooth(), MGDA())
    for length, gradient in zip(taken.report.head_norms, taken.heads, strict=True):
        assert length == pytest.approx(gradient.double().norm().item(), rel=1e-6)


def test_fresh_noise_stays_drawn() -> None:
    """The random state after the step is that after 1 + m forwards, not that after the first."""
    problem = with_dropout()
    torch.manual_seed(3)
    for tasks in ((0, 1, 2), (0,), (1,), (2,)):
        problem.task_losses(tasks)
    drawn = torch.get_rng_state()
    torch.manual_seed(3)
    take_step(problem, Mean(), rho_shared=0.1, rho_heads=0.1, same_noise=False)
    assert torch.equal(torch.get_rng_state(), drawn)


def report(gramian: list[list[float]], loss_norms: list[float], flat_norms: list[float]) -> StepReport:
    def vector(values: list[float]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float64)

    return StepReport(
        losses=vector(loss_norms),
        perturbed_losses=None,
        loss_gramian=torch.tensor(gramian, dtype=torch.float64),
        flat_gramian=None,
        loss_norms=vector(loss_norms),
        flat_norms=vector(flat_norms),
        intra_products=None,
        head_norms=(),
        weighted={},
    )


def test_ratios_of_norms_at_zero_gradients() -> None:
    found = report([[1.0] * 4] * 4, [0.0, 0.0, 2.0, 0.25], [0.0, 0.25, 0.5, 0.0])
    assert found.flat_to_loss == (0.0, math.inf, 0.25, 0.0)


@pytest.mark.parametrize("zero", [0, 1, 2])
def test_zero_gradients_have_no_cosine(zero: int) -> None:
    gramian = [[0.0] * 3 for _ in range(3)]
    first, second = (task for task in range(3) if task != zero)
    gramian[first][first], gramian[second][second] = 4.0, 0.25
    gramian[first][second] = gramian[second][first] = -0.5
    assert report(gramian, [1.0] * 3, [1.0] * 3).minimal_cosine == -0.5
    assert report([[0.0, 0.0], [0.0, 1.0]], [0.0, 1.0], [0.0, 0.0]).minimal_cosine is None


@pytest.mark.usefixtures("without_shape_checks")
def test_the_generators_of_accelerators_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """No device is needed: parameters that name theirs, and generators that are lists."""
    states = {torch.device("cuda:0"): [1], torch.device("cuda:1"): [2]}
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: list(states[device]))
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device: states.update({device: state}))
    devices = [torch.device("cpu"), *states, torch.device("cuda:1")]
    blocks = SimpleNamespace(all=lambda: [SimpleNamespace(device=device) for device in devices])
    kept = RandomState(blocks)
    for state in states.values():
        state.append(9)
    kept.restore()
    assert states == {torch.device("cuda:0"): [1], torch.device("cuda:1"): [2]}
