"""Twenty thousand matrices a method, of the kinds that broke others: an answer without NaN, or our own error."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from flatmtl_core import NotConverged
from tests.assertions import Method
from tests.laws.claims import METHODS

COUNT = 20_000
_ENTRIES = np.array([0, 0.1, -0.1, 0.5, -0.5, 1, -1, 2, -2])


def _rows(generator: np.random.Generator, kind: int) -> NDArray[np.float64]:
    """Few values; rows of very unequal norms; Gaussian rows, of which one may repeat, oppose or be near to another."""
    m, d = int(generator.integers(1, 6)), int(generator.integers(1, 5))
    if kind < 2:
        rows = generator.choice(_ENTRIES, size=(m, d))
        return rows if kind == 0 else rows * 10.0 ** generator.integers(-6, 7, size=(m, 1))
    rows = generator.standard_normal((m, d))
    rows[-1] = generator.choice([-2.0, -1.0, 1.0, 3.0]) * rows[0]
    return rows + generator.choice([0, 1e-12, 1e-7, 1e-3, 1]) * generator.standard_normal((m, d))


def drawn(seed: int) -> Iterator[Tensor]:
    """Every kind in float64 and float32, at the common scales that the dtypes promise and at those beyond."""
    generator = np.random.default_rng(seed)
    scales = {torch.float32: (1.0, 1.0, 1e-15, 1e15, 1e-36, 1e36), torch.float64: (1.0, 1.0, 1e-150, 1e150, 1e-300)}
    for number in range(COUNT):
        dtype = (torch.float64, torch.float32)[number % 2]
        rows = _rows(generator, number // 2 % 3)
        limit = torch.finfo(dtype).max / 1e3
        scaled = np.clip(rows * generator.choice(scales[dtype]), -limit, limit)
        yield torch.from_numpy(scaled).to(dtype)


@pytest.mark.thorough
@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize("name", METHODS)
def test_answers_are_finite_or_refused(name: str) -> None:
    """NotConverged is a defect that is told: fewer than one in a thousand, and never a wrong or missing number."""
    generator = torch.Generator().manual_seed(0)
    refused: Counter[str] = Counter()
    for rows in drawn(seed=17):
        aggregator: Method = METHODS[name](len(rows))
        try:
            found = aggregator(rows, generator=generator)
        except NotConverged:
            refused["NotConverged"] += 1
            continue
        assert found.dtype == rows.dtype
        assert not found.isnan().any(), f"{found.tolist()} on {rows.tolist()}"
    assert refused["NotConverged"] < COUNT / 1000, refused
