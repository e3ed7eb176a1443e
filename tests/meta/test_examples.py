"""The examples in the core's docstrings print what they say, and every public method shows one."""

import doctest
import importlib
import pkgutil
from types import ModuleType

import pytest

import flatmtl_core

MODULES = [
    importlib.import_module(found.name) for found in pkgutil.walk_packages(flatmtl_core.__path__, "flatmtl_core.")
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_examples_are_true(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


def test_every_method_shows_an_example() -> None:
    public = [getattr(flatmtl_core, name) for name in flatmtl_core.__all__]
    methods = [one for one in public if isinstance(one, type) and hasattr(one, "laws")]
    assert len(methods) >= 8
    assert [one.__name__ for one in methods if ">>>" not in (one.__doc__ or "")] == []
