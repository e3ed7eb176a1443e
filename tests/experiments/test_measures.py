"""Measures of trained networks against closed forms, explicit Hessians and brute force, in float64."""

import math
from collections.abc import Callable, Iterator, Sequence

import pytest
import torch
from scipy import stats
from torch import Tensor, nn
from torch.nn import functional

from experiments.measures.calibration import (
    brier_score,
    calibration,
    entropies,
    expected_calibration_error,
    predictive_entropy,
    reliability,
)
from experiments.measures.curvature import hessian_product, hessian_trace, rademacher, top_eigenvalue
from experiments.measures.landscape import filter_normalised, landscape
from experiments.measures.noise import (
    deviation,
    gaussian_premise,
    moved,
    second_order_rise,
    unit_direction,
    weight_noise,
)
from experiments.measures.records import Trace
from experiments.measures.sharpness import ascend, sam_value, sharpness, worst_case
from experiments.measures.split_loss import SplitLoss, loss_and_accuracy, mean_loss, predict, task_loss, zeros
from experiments.metrics import evaluate
from experiments.models import MultiTaskModel

FEATURES, CLASSES = 5, 3


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Float64Network(MultiTaskModel):
    """A smooth network of two tasks for rows of five numbers."""

    def __init__(self, dropout: float = 0.0) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            trunk = nn.Sequential(nn.Linear(FEATURES, 4), nn.Tanh(), nn.Dropout(dropout))
            super().__init__(trunk, [nn.Linear(4, CLASSES) for _ in range(2)])
        self.double()

    def forward(self, inputs: Tensor, tasks: Sequence[int]) -> tuple[Tensor, ...]:
        return super().forward(inputs.double(), tasks)


def rows(count: int = 30) -> tuple[Tensor, Tensor]:
    generator = seeded(1)
    return torch.randn(count, FEATURES, generator=generator), torch.randint(0, CLASSES, (count, 2), generator=generator)


def function_loss(values: Sequence[Tensor], function: Callable[[Sequence[Tensor]], Tensor]) -> SplitLoss:
    """A loss in one piece of one parameter a block."""
    parameters = [nn.Parameter(value.clone()) for value in values]

    def pieces() -> Iterator[Tensor]:
        yield function(parameters)

    return SplitLoss(tuple((one,) for one in parameters), pieces)


def double(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


# Calibration


def test_calibration_error_of_a_table_by_hand() -> None:
    """Two examples at .95 (one right), one at .65 (right), one at .6, the edge, which belongs to (.5, .6] (wrong)."""
    confidence = double(0.95, 0.95, 0.65, 0.6)
    found = reliability(torch.stack([confidence, 1 - confidence], 1), torch.tensor([0, 1, 0, 1]))
    assert [row.count for row in found] == [0, 0, 0, 0, 0, 1, 1, 0, 0, 2]
    assert [row.accuracy for row in found[5:]] == [0.0, 1.0, None, None, 0.5]
    assert found[9].confidence == pytest.approx(0.95)
    assert expected_calibration_error(found) == pytest.approx((0.6 + 0.35 + 2 * 0.45) / 4)


def test_calibration_error_against_a_loop() -> None:
    logits = torch.randn(200, 4, generator=seeded()) * 2
    labels = torch.randint(0, 4, (200,), generator=seeded(1))
    probabilities = logits.double().softmax(1)
    bins: list[list[tuple[float, float]]] = [[] for _ in range(10)]
    for row, label in zip(probabilities.tolist(), labels.tolist(), strict=True):
        best = max(row)
        bins[math.ceil(best * 10) - 1].append((best, float(row.index(best) == label)))
    gaps = [abs(sum(right - best for best, right in inside)) for inside in bins]
    brier = [
        sum((p - float(c == label)) ** 2 for c, p in enumerate(row))
        for row, label in zip(probabilities.tolist(), labels.tolist(), strict=True)
    ]
    found = calibration(logits, labels)
    assert found.ece == pytest.approx(sum(gaps) / 200)
    assert found.brier == pytest.approx(sum(brier) / 200)
    assert sum(row.count for row in found.bins) == sum(found.entropy.counts) == 200


def test_brier_score_at_its_ends() -> None:
    certain = torch.eye(3, dtype=torch.float64)
    assert brier_score(certain, torch.tensor([0, 1, 2])) == 0
    assert brier_score(certain, torch.tensor([1, 2, 0])) == 2
    assert brier_score(torch.full((1, 4), 0.25, dtype=torch.float64), torch.tensor([0])) == 0.75


def test_entropy_is_finite_where_the_naive_formula_is_not() -> None:
    logits = torch.tensor([[0.0, 0.0], [0.0, -200.0], [0.0, -2000.0], [50.0, 50.5]])
    entropy = predictive_entropy(logits)
    naive = -(logits.softmax(1) * logits.softmax(1).log()).sum(1)
    found = entropies(logits)
    assert bool(entropy.isfinite().all())
    assert float(entropy.min()) >= 0
    assert float(entropy[0]) == pytest.approx(math.log(2))
    assert float(entropy[1]) == pytest.approx(201 * math.exp(-200))
    assert found.naive_nan == int(naive.isnan().sum()) == 2
    assert (found.underflows, found.least) == (2, 0.0)
    assert sum(found.counts) == 4
    with pytest.raises(ValueError, match="not finite"):
        entropies(torch.tensor([[0.0, math.inf]]))


def test_evaluation_mode_is_used_and_the_networks_mode_comes_back() -> None:
    network = Float64Network(dropout=0.5).train()
    examples, labels = rows()
    first, second = predict(network, examples), predict(network, examples)
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))
    assert network.training
    losses, accuracies = loss_and_accuracy(network, examples, labels)
    expected = evaluate([network], examples, labels)
    assert losses == pytest.approx(expected[0], rel=1e-12)
    assert accuracies == expected[1]


# The loss of a split


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


# Sharpness


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


# Curvature


def explicit_hessian(loss: SplitLoss) -> Tensor:
    """Row by row, from single entries of the gradient."""
    gradients = torch.autograd.grad(sum(loss.pieces(), double(0.0).sum()), loss.parameters, create_graph=True)
    flat = torch.cat([one.flatten() for one in gradients])
    lines = [torch.autograd.grad(entry, loss.parameters, retain_graph=True, materialize_grads=True) for entry in flat]
    return torch.stack([torch.cat([one.flatten() for one in line]) for line in lines])


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


# Noise


def test_unit_directions_are_unit_and_zero_noise_changes_nothing() -> None:
    network, (examples, labels) = Float64Network(), rows()
    direction = unit_direction(network, seeded())
    assert math.fsum(float(one.square().sum()) for one in direction) == pytest.approx(1.0, rel=1e-14)
    still, small, large = weight_noise(
        network, examples, labels, gammas=(0.0, 0.1, 10.0), directions=6, generator=seeded()
    )
    losses, accuracies = loss_and_accuracy(network, examples, labels)
    assert (still.loss, still.accuracy) == (pytest.approx(losses), pytest.approx(accuracies))
    assert max(still.loss_deviation) <= 1e-12
    assert all(0 < one < other for one, other in zip(small.loss_deviation, large.loss_deviation, strict=True))
    by_hand = []
    generator = seeded()
    for _ in range(6):
        with moved(network, unit_direction(network, generator), 10.0):
            by_hand.append(evaluate([network], examples, labels)[1][1])
    assert large.accuracy[1] == pytest.approx(sum(by_hand) / 6)


def test_noise_of_the_theory_leaves_the_ball_with_chance_one_in_root_n() -> None:
    """||eps||^2 / sigma^2 is chi-square with k degrees of freedom."""
    for size in (10, 500, 30_890):
        for n_samples in (100, 24_000):
            sigma = deviation(0.05, size, n_samples)
            assert stats.chi2.sf((0.05 / sigma) ** 2, size) <= 1 / math.sqrt(n_samples)


def test_the_gaussian_rise_has_the_second_order_size() -> None:
    """Small noise on the smooth network: the measured rise is the explicit Hessian's, within its error."""
    network, (examples, labels) = Float64Network().eval(), rows(600)
    traces = []
    for task in range(2):
        loss = task_loss(network, examples, labels, task)
        diagonal = explicit_hessian(loss).diagonal()
        shared = len(zeros(loss.blocks)[0])
        parts = (float(diagonal[:shared].sum()), float(diagonal[shared:].sum()))
        traces.append(Trace(probes=2, mean=sum(parts), standard_error=0.0, blocks=parts, block_errors=(0.0, 0.0)))
    found = gaussian_premise(
        network, examples, labels, traces=traces, rho=0.3, n_samples=600, piece=2, generator=seeded()
    )
    for task, one in enumerate(found):
        assert one.rise.n == 300
        assert one.loss == pytest.approx(loss_and_accuracy(network, examples, labels)[0][task])
        assert one.second_order == second_order_rise(one.sigmas, traces[task])[0] > 0
        assert abs(one.rise.difference - one.second_order) <= 4 * one.standard_error + 0.02 * one.second_order
        assert one.standard_error < 0.2 * one.second_order
        reach = float(stats.t.ppf(0.975, 299)) * one.standard_error
        assert (one.rise.low, one.rise.high) == (
            pytest.approx(one.rise.difference - reach),
            pytest.approx(one.rise.difference + reach),
        )
    for piece in (7, 300):
        with pytest.raises(ValueError, match="whole pieces"):
            gaussian_premise(
                network, examples, labels, traces=traces, rho=0.3, n_samples=600, piece=piece, generator=seeded()
            )


def test_the_second_order_rise_by_hand() -> None:
    trace = Trace(probes=3, mean=5.0, standard_error=1.0, blocks=(3.0, 2.0), block_errors=(0.5, 0.25))
    assert second_order_rise((2.0, 4.0), trace) == (2 * 3 + 8 * 2, 2 * 0.5 + 8 * 0.25)


# Landscape


def test_directions_are_as_large_as_their_filters() -> None:
    network = Float64Network()
    for parameter, along in zip(network.parameters(), filter_normalised(network, seeded()), strict=True):
        if parameter.dim() == 1:
            assert not bool(along.any())
        else:
            torch.testing.assert_close(along.norm(dim=1), parameter.detach().norm(dim=1), rtol=1e-12, atol=0)
            assert not torch.equal(along, parameter)


def test_the_middle_of_a_landscape_is_the_loss_and_its_points_are_where_they_should_be() -> None:
    network, (examples, labels) = Float64Network(), rows()
    line = landscape(network, examples, labels, coordinates=(-1.0, 0.0, 0.5), directions=1, generator=seeded())
    plane = landscape(network, examples, labels, coordinates=(-1.0, 0.0, 0.5), directions=2, generator=seeded())
    middle = loss_and_accuracy(network, examples, labels)[0]
    assert line.losses[1] == plane.losses[4] == middle
    assert [plane.losses[place] for place in (1, 4, 7)] == list(line.losses)
    generator = seeded()
    directions = [filter_normalised(network, generator) for _ in range(2)]
    joint = [-one + 0.5 * other for one, other in zip(*directions, strict=True)]
    with moved(network, joint, 1.0):
        assert plane.losses[2] == pytest.approx(loss_and_accuracy(network, examples, labels)[0], rel=1e-12)
    with pytest.raises(ValueError, match="3 directions"):
        landscape(network, examples, labels, coordinates=(0.0,), directions=3, generator=seeded())
