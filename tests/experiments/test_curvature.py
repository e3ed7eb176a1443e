"""Products, trace and top eigenvalue against explicit Hessians, in float64."""

import math

import pytest
import torch
from torch import Tensor

from experiments.measures.curvature import hessian_product, hessian_trace, rademacher, top_eigenvalue
from experiments.measures.noise import (
    weight_noise,
)
from experiments.measures.split_loss import SplitLoss, task_loss, zeros
from tests.experiments.smooth_network import Float64Network, double, explicit_hessian, function_loss, rows, seeded


@pytest.fixture(scope="module")
def curved() -> tuple[SplitLoss, Tensor]:
    network, (examples, labels) = Float64Network().eval(), rows()
    loss = task_loss(network, examples, labels, 0)
    return loss, explicit_hessian(loss)


def test_products_are_those_of_the_explicit_hessian(curved: tuple[SplitLoss, Tensor]) -> None:
    loss, hessian = curved
    vector = rademacher(loss, seeded())
    assert set(torch.cat(vector).tolist()) == {-1.0, 1.0}
    torch.testing.assert_close(
        torch.cat(hessian_product(loss)(vector)), hessian @ torch.cat(vector), rtol=1e-10, atol=1e-13
    )


def test_the_trace_is_within_its_error_and_that_error_is_hutchinsons(curved: tuple[SplitLoss, Tensor]) -> None:
    """Variance of v'Hv for random signs: 2 (||H||_F^2 - sum_i H_ii^2)."""
    loss, hessian = curved
    found = hessian_trace(loss, hessian_product(loss), probes=400, generator=seeded())
    diagonal = hessian.diagonal()
    exact = math.sqrt(2 * float(hessian.square().sum() - diagonal.square().sum()) / 400)
    shared = len(zeros(loss.blocks)[0])
    assert abs(found.mean - float(diagonal.sum())) <= 4 * exact
    assert found.standard_error == pytest.approx(exact, rel=0.25)
    assert found.mean == pytest.approx(sum(found.blocks))
    for value, error, part in zip(
        found.blocks, found.block_errors, diagonal.split([shared, len(diagonal) - shared]), strict=True
    ):
        assert abs(value - float(part.sum())) <= 4 * error


def test_the_trace_of_a_diagonal_hessian_needs_no_luck() -> None:
    loss = function_loss([double(1.0, 2.0), double(3.0)], lambda w: w[0][0] ** 2 - 2 * w[0][1] ** 2 + 4 * w[1][0] ** 2)
    found = hessian_trace(loss, hessian_product(loss), probes=2, generator=seeded())
    assert (found.mean, found.standard_error, found.blocks) == (6.0, 0.0, (-2.0, 8.0))


@pytest.mark.parametrize("count", [1, 0, -1])
def test_fewer_than_two_draws_are_refused(count: int) -> None:
    """A standard error needs two: the message names the argument, its value, the rule and the remedy."""
    loss = function_loss([double(1.0, 2.0)], lambda w: w[0].square().sum())
    rule = f"is {count}; it must be at least 2: a standard error needs two draws. Take 2 or more."
    with pytest.raises(ValueError, match=f"probes {rule}"):
        hessian_trace(loss, hessian_product(loss), probes=count, generator=seeded())
    with pytest.raises(ValueError, match=f"directions {rule}"):
        weight_noise(Float64Network(), *rows(), gammas=(0.1,), directions=count, generator=seeded())


def test_the_top_eigenvalue_is_that_of_the_explicit_hessian(curved: tuple[SplitLoss, Tensor]) -> None:
    loss, hessian = curved
    top = float(torch.linalg.eigvalsh(hessian)[-1])
    exact = top_eigenvalue(loss, hessian_product(loss), steps=len(hessian), generator=seeded(), tolerance=1e-12)
    assert exact.value == pytest.approx(top, rel=1e-10)
    assert exact.residual <= 1e-9 * top
    few = top_eigenvalue(loss, hessian_product(loss), steps=3, generator=seeded())
    spectrum = torch.linalg.eigvalsh(hessian)
    assert few.products == 4
    assert few.value <= top
    assert float((spectrum - few.value).abs().min()) <= few.residual * (1 + 1e-9)


def test_the_largest_is_not_the_largest_in_size() -> None:
    loss = function_loss([double(1.0, 1.0, 1.0)], lambda w: -9 * w[0][0] ** 2 + w[0][1] ** 2 + 0 * w[0][2])
    found = top_eigenvalue(loss, hessian_product(loss), steps=10, generator=seeded(), tolerance=0.0)
    assert found.value == pytest.approx(2.0)
    flat = function_loss([double(1.0, 1.0)], lambda w: w[0].sum())
    assert top_eigenvalue(flat, hessian_product(flat), steps=5, generator=seeded()).value == 0.0
