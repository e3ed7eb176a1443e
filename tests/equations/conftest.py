"""Fixtures of the tests of the step."""

from collections.abc import Iterator

import jaxtyping
import pytest


@pytest.fixture
def no_run_time_type_checks() -> Iterator[None]:
    """The core as a user meets it: what the annotations forbid has to be refused by the core's own words."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", before)
