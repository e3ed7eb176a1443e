"""Noise of the weights and landscapes around them: sizes, chances and second order, in float64."""

import math

import pytest
import torch
from scipy import stats

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
from experiments.measures.split_loss import loss_and_accuracy, task_loss, zeros
from experiments.metrics import evaluate
from tests.experiments.smooth_network import Float64Network, explicit_hessian, rows, seeded


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
