"""Set-up of all tests: run-time shape checks on the core, Hypothesis profiles, one thread."""

import os
from collections.abc import Iterator

import hypothesis
import jaxtyping
import pytest
import torch

# Before the first import of flatmtl_core: a package that is already imported would silently stay unchecked.
jaxtyping.install_import_hook("flatmtl_core", "beartype.beartype")

torch.set_num_threads(1)

hypothesis.settings.register_profile("dev", max_examples=15, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=40, deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile("thorough", max_examples=800, deadline=None)
hypothesis.settings.register_profile(  # those of ci; a failure is not made smaller
    "mutation",
    hypothesis.settings.get_profile("ci"),
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate, hypothesis.Phase.target),
    report_multiple_bugs=False,
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


@pytest.fixture
def without_shape_checks() -> Iterator[None]:
    """The core as users run it: malformed arguments meet its own errors, not those of the run-time type checks."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
