"""Annotations of the core are checked at run time in this suite: shown function by function, not believed."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import beartype
import jaxtyping
import pytest
import torch

import flatmtl_core
from flatmtl_core import MGDA, Weighted
from flatmtl_core.cosine import cosine_form
from flatmtl_core.linalg import gramian, solve_positive

Function = Callable[..., object]

MODULES = [flatmtl_core.__name__] + [
    module.name for module in pkgutil.walk_packages(flatmtl_core.__path__, f"{flatmtl_core.__name__}.")
]


def annotated_functions(module: ModuleType) -> Iterator[tuple[str, Function]]:
    """Functions and methods that a module defines and that take an argument of a stated type."""
    owners = [module] + [
        item for item in vars(module).values() if inspect.isclass(item) and item.__module__ == module.__name__
    ]
    for owner in owners:
        for name, function in vars(owner).items():
            if inspect.isfunction(function) and function.__module__ == module.__name__ and _stated(function):
                yield f"{owner.__name__}.{name}", function


def _stated(function: Function) -> list[inspect.Parameter]:
    """Parameters whose annotation refuses something."""
    anything = (inspect.Parameter.empty, object, Any)
    return [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.annotation not in anything and parameter.name not in ("self", "cls")
    ]


def call_with_wrong_types(function: Function) -> None:
    """Call with a bare object in every place: a checked function refuses before its body runs."""
    arguments: list[object] = []
    keywords: dict[str, object] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            keywords[parameter.name] = object()
        elif parameter.kind is not inspect.Parameter.VAR_KEYWORD:
            arguments.append(object())
    function(*arguments, **keywords)


CHECKED = [
    pytest.param(function, id=name)
    for module in MODULES
    for name, function in annotated_functions(importlib.import_module(module))
]


@pytest.mark.parametrize("function", CHECKED)
def test_every_function_of_the_core_is_checked(function: Function) -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        call_with_wrong_types(function)


def test_no_module_with_functions_is_left_out() -> None:
    covered = {parameter.values[0].__module__ for parameter in CHECKED}
    assert covered == {
        name for name in MODULES if any(True for _ in annotated_functions(importlib.import_module(name)))
    }
    assert {"flatmtl_core.step", "flatmtl_core.linalg", "flatmtl_core.weightings.mgda"} <= covered


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda: gramian(torch.zeros(3)), id="a vector for a matrix"),
        pytest.param(lambda: gramian(torch.zeros(2, 3, dtype=torch.int64)), id="integers for floats"),
        pytest.param(lambda: cosine_form(torch.zeros(2, 3, dtype=torch.float64)), id="a Gramian that is not square"),
        pytest.param(lambda: cosine_form(torch.zeros(2, 2)), id="a float32 Gramian"),
        pytest.param(
            lambda: solve_positive(torch.eye(2, dtype=torch.float64), torch.zeros(3, 1, dtype=torch.float64)),
            id="one axis with two lengths",
        ),
        pytest.param(lambda: MGDA().weighting(torch.zeros(2, 3, dtype=torch.float64)), id="a method"),
        pytest.param(lambda: MGDA()(torch.zeros(2, 3), out=torch.zeros(3, 1)), id="an optional argument"),
        pytest.param(lambda: Weighted(torch.zeros(2, 2, dtype=torch.float64), 0.0, "solved"), id="a dataclass"),
    ],
)
def test_a_wrong_shape_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        wrong()


def test_a_function_that_is_not_checked_would_be_noticed() -> None:
    def unchecked(rows: flatmtl_core.types.TaskGrads, *, tasks: int) -> object:
        return rows.shape[0] + tasks

    with pytest.raises(AttributeError):
        call_with_wrong_types(unchecked)
    with pytest.raises(jaxtyping.TypeCheckError):
        call_with_wrong_types(jaxtyping.jaxtyped(typechecker=beartype.beartype)(unchecked))
