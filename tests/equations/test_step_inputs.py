"""The step's arguments: what is refused, before anything is written."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from flatmtl_core import (
    MGDA,
    Constant,
    InvalidInput,
    PCGrad,
)
from tests.equations.stepping import arguments, call, call_base
from tests.reference.networks import Problem, smooth
from tests.reference.observe import (
    State,
)


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


@pytest.mark.parametrize("combine", ["second", "each"])
def test_fixed_weights_never_serve_as_weights_of_loss_and_flat(combine: str) -> None:
    """With two tasks their number fits two rows, but they belong to the tasks: refused before anything is computed."""
    problem = smooth(2)
    assert_refused(arguments(problem, aggregator=Constant(weights=(1.0, 1.0)), combine=combine), problem)


def test_a_trunk_that_is_frozen_altogether_is_refused() -> None:
    problem = smooth(3, seed=1)
    for parameter in problem.shared():
        parameter.requires_grad_(False)
    assert_refused(arguments(problem), problem)
