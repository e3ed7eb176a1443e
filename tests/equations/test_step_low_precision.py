"""Mixed precision: the forward under autocast; gradients, sums and weights stay in float32 and above."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from flatmtl_core import Mean
from tests.equations.stepping import THREE_TASKS, take_step
from tests.reference.networks import smooth
from tests.reference.observe import State, relative_error
from tests.reference.twin import Combine

EIGHT_BITS = 2.0**-8
"""Relative rounding of bfloat16."""


@pytest.mark.parametrize("combine", ["decomposed", "direct", "second", "each"])
@pytest.mark.parametrize("name", ["mean", "mgda", "cagrad", "nash"])
def test_a_step_under_autocast(name: str, combine: Combine) -> None:
    """The parameters, their gradients and the flat rows are float32; the losses' forward rounds to bfloat16."""
    problem = smooth(3).float()
    before = State.of(problem)

    def losses(tasks: tuple[int, ...]) -> Sequence[Tensor]:
        with torch.autocast("cpu", torch.bfloat16):
            found = problem.task_losses(tasks)
        return [loss.float() for loss in found]

    taken = take_step(problem, THREE_TASKS[name], rho_shared=0.05, rho_heads=0.05, combine=combine, task_losses=losses)
    assert taken.direction.dtype == torch.float32
    assert taken.direction.isfinite().all()
    assert taken.direction.any()
    assert before.changes(State.of(problem)) == []
    exact = take_step(problem, THREE_TASKS[name], rho_shared=0.05, rho_heads=0.05, combine="direct").report
    for low, high in zip(taken.report.loss_norms.tolist(), exact.loss_norms.tolist(), strict=True):
        assert low == pytest.approx(high, rel=16 * EIGHT_BITS)


def test_autocast_is_replayed_in_the_second_pass() -> None:
    """A linear aggregator on ``direct``: the mean of the gradients that autocast gives at the perturbed parameters."""
    problem = smooth(3).float()

    def losses(tasks: tuple[int, ...]) -> Sequence[Tensor]:
        with torch.autocast("cpu", torch.bfloat16):
            return [loss.float() for loss in problem.task_losses(tasks)]

    radii = {"rho_shared": 0.5, "rho_heads": 0.5}
    direct = take_step(problem, Mean(), combine="direct", task_losses=losses, **radii)
    decomposed = take_step(problem, Mean(), combine="decomposed", task_losses=losses, **radii)
    assert relative_error(decomposed.direction, direct.direction) <= 1e-5
    plain = take_step(problem, Mean(), combine="direct", **radii)
    assert 1e-5 < relative_error(direct.direction, plain.direction) <= 64 * EIGHT_BITS
