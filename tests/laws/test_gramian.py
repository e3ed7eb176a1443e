"""The Gramian against float64, for every way in which it is summed: dot products, chunks, strips, several blocks."""

import pytest
import torch

from flatmtl_core.linalg import CHUNK, SHORT_PAIR, gramian, inner, norm, solve_positive

LONG = 16 * CHUNK + CHUNK + 17
"""More than one block of strips, a whole chunk behind it, and a tail."""

SHAPES = [(m, d) for m in (1, 2, 3, 4, 5, 8, 9, 11, 15, 16, 40) for d in (1, 7, 1024 + 3, 2 * CHUNK + 5)]
SHAPES += [(m, LONG) for m in (2, 3, 9, 13)] + [(2, SHORT_PAIR), (2, SHORT_PAIR + 1)]


@pytest.mark.parametrize(("dtype", "accuracy"), [(torch.float32, 1e-6), (torch.float64, 1e-13)], ids=str)
@pytest.mark.parametrize(("m", "d"), SHAPES)
def test_every_sum_is_the_inner_product(m: int, d: int, dtype: torch.dtype, accuracy: float) -> None:
    generator = torch.Generator().manual_seed(100 * m + d)
    rows = (torch.randn(m, d, generator=generator, dtype=torch.float64) + 0.1).to(dtype)
    exact = rows.double() @ rows.double().T
    lengths = rows.double().norm(dim=1)
    found = gramian(rows)
    assert found.dtype == torch.float64
    assert float(((found - exact).abs() / torch.outer(lengths, lengths)).max()) <= accuracy


def test_partial_sums_are_kept_in_float64() -> None:
    """A million equal positive products: in float32 the running sum would lose what each chunk adds."""
    rows = torch.rand(3, 1_000_000, generator=torch.Generator().manual_seed(0)) + 0.5
    exact = rows.double() @ rows.double().T
    assert float(((gramian(rows) - exact) / exact).abs().max()) <= 2e-8


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64], ids=str)
def test_inner_products_of_low_precision_are_summed_in_float32(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.rand(5000, generator=generator).to(dtype) for _ in range(2))
    exact = float(left.double() @ right.double())
    assert float(inner(left, right)) == pytest.approx(exact, rel=1e-6)


def test_a_matrix_that_rounding_left_indefinite_is_solved_all_the_same() -> None:
    """Cholesky fails on the second; both are solved to rounding."""
    right = torch.tensor([[1.0], [0.0]], dtype=torch.float64)
    for matrix in ([[2.0, 1.0], [1.0, 2.0]], [[1.0, 2.0], [2.0, 1.0]]):
        table = torch.tensor(matrix, dtype=torch.float64)
        assert float((table @ solve_positive(table, right) - right).abs().max()) <= 1e-14


def test_the_norm_of_zeros_is_zero() -> None:
    zeros = torch.zeros(3)
    assert float(norm([zeros, zeros], zeros)) == 0
    assert float(norm([], zeros)) == 0
