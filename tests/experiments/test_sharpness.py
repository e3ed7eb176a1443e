"""The loss of a split, and its worst case on a ball, against closed forms; weights come back bit for bit."""

import pytest
import torch
from torch.nn import functional

from experiments.measures.sharpness import ascend, sam_value, sharpness, worst_case
from experiments.measures.split_loss import mean_loss, task_loss, zeros
from experiments.metrics import evaluate
from tests.experiments.smooth_network import Float64Network, double, function_loss, rows, seeded


def test_split_loss_over_uneven_pieces_is_the_whole_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    network, (examples, labels) = Float64Network().eval(), rows()
    whole = [functional.cross_entropy(one, labels[:, task]) for task, one in enumerate(network(examples, (0, 1)))]
    monkeypatch.setattr("experiments.measures.split_loss.PIECE", 7)
    for loss, expected in [
        (task_loss(network, examples, labels, 1), whole[1]),
        (mean_loss(network, examples, labels), sum(whole) / 2),
    ]:
        value, gradient = loss.value_and_gradient()
        exact = loss.by_block(torch.autograd.grad(expected, loss.parameters, retain_graph=True))
        assert value == pytest.approx(float(expected.detach()), rel=1e-13)
        assert loss.value() == value
        for one, other in zip(gradient, exact, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-14)


def test_displaced_weights_come_back_bit_for_bit() -> None:
    loss = function_loss([double(0.1, 0.2), double(0.3)], lambda w: w[0].sum() + w[1].sum())
    before = [parameter.detach().clone() for parameter in loss.parameters]
    with loss.displaced((double(1e8, 1.0), double(-3.0))):
        assert loss.value() == pytest.approx(1e8 + 1 - 3 + 0.6)
    with pytest.raises(ZeroDivisionError), loss.displaced((double(1e8, 1.0), double(-3.0))):
        assert 1 / 0
    assert all(torch.equal(one, other) for one, other in zip(loss.parameters, before, strict=True))


def test_the_worst_case_of_a_linear_loss_is_exact() -> None:
    """max g'eps + h'delta = rho_sh ||g|| + rho_ns ||h||: SAM's one step finds it."""
    slope, other = double(3.0, -4.0), double(0.0, 5.0, 12.0)
    loss = function_loss([double(1.0, 1.0), torch.zeros(3, dtype=torch.float64)], lambda w: w[0] @ slope + w[1] @ other)
    exact = loss.value() + 0.1 * 5 + 0.2 * 13
    assert sam_value(loss, (0.1, 0.2)) == pytest.approx(exact, rel=1e-14)
    assert worst_case(loss, (0.1, 0.2), steps=3, restarts=1, generator=seeded()).value == pytest.approx(
        exact, rel=1e-14
    )


@pytest.mark.parametrize("spectrum", [(4.0, 2.0, 0.5), (1.0, -3.0, 0.5), (-1.0, -2.0, -3.0)])
def test_the_worst_case_of_a_quadratic_is_the_trust_regions(spectrum: tuple[float, ...]) -> None:
    """max over ||eps|| <= rho of b'eps + eps'A eps / 2, by the secular equation, on the sphere or inside."""
    frame = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64, generator=seeded(5)))[0]
    A, b, rho = frame @ torch.diag(double(*spectrum)) @ frame.T, double(0.3, -0.2, 0.1), 0.5
    low, high = max(*spectrum, 0.0) + 1e-12, max(spectrum) + 10
    for _ in range(200):
        middle = (low + high) / 2
        length = float(torch.linalg.solve(middle * torch.eye(3, dtype=torch.float64) - A, b).norm())
        low, high = (middle, high) if length > rho else (low, middle)
    best = torch.linalg.solve(low * torch.eye(3, dtype=torch.float64) - A, b)
    exact = float(b @ best + best @ A @ best / 2)
    loss = function_loss([torch.zeros(3, dtype=torch.float64)], lambda w: w[0] @ b + w[0] @ A @ w[0] / 2)
    found = worst_case(loss, (rho,), steps=300, restarts=2, generator=seeded())
    assert found.value == pytest.approx(exact, rel=1e-8)
    assert float(found.offsets[0].norm()) <= rho * (1 + 1e-12)


def test_a_minimum_is_left_by_random_starts_and_a_maximum_is_never_undercut() -> None:
    bowl = function_loss([double(0.0, 0.0)], lambda w: w[0][0] ** 2 + 5 * w[0][1] ** 2)
    assert worst_case(bowl, (0.3,), steps=50, restarts=0, generator=seeded()).value == 0
    assert worst_case(bowl, (0.3,), steps=50, restarts=1, generator=seeded()).value == pytest.approx(5 * 0.09)
    hill = function_loss([double(0.0, 0.0)], lambda w: -w[0].square().sum())
    assert worst_case(hill, (0.3,), steps=2, restarts=1, generator=seeded()).value == 0
    assert ascend(hill, (0.3,), zeros(hill.blocks), 3).value == 0


def test_common_sharpness_never_exceeds_the_mean_of_the_own_ones() -> None:
    network, (examples, labels) = Float64Network(), rows()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    found = [
        sharpness(network, examples, labels, rho=rho, steps=8, restarts=1, generator=seeded())
        for rho in (0.0, 0.1, 1.0)
    ]
    for one in found:
        assert one.common <= one.own
        for task in one.tasks:
            assert task.loss <= task.worst
            assert max(task.sam, task.at_common) <= task.worst
    assert found[0].common == pytest.approx(found[0].own, rel=1e-13)
    assert found[1].own - found[1].common > 1e-4
    assert found[2].own > found[1].own
    again = sharpness(network, examples, labels, rho=1.0, steps=8, restarts=1, generator=seeded())
    assert again == found[2]
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_the_order_holds_even_where_ascents_end_early() -> None:
    """With one step from zero and from one random point, some task's own ascents would end below the common point."""
    network, (examples, labels) = Float64Network(), rows()
    for seed in range(8):
        found = sharpness(network, examples, labels, rho=2.0, steps=1, restarts=1, generator=seeded(seed))
        assert all(task.at_common <= task.worst for task in found.tasks)


def test_sharpness_is_that_of_evaluation_mode() -> None:
    network, (examples, labels) = Float64Network(dropout=0.5).train(), rows()
    found = sharpness(network, examples, labels, rho=0.1, steps=1, restarts=0, generator=seeded())
    assert [task.loss for task in found.tasks] == pytest.approx(evaluate([network], examples, labels)[0], rel=1e-12)
    assert network.training
