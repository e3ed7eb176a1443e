"""What random changes of the weights do: accuracy along unit directions, and the Gaussian premise of the theory."""

import math
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Int64
from torch import Tensor

from experiments.measures.records import NoiseLevel, Premise, Trace
from experiments.measures.split_loss import frozen_copy, loss_and_accuracy
from experiments.metrics import Examples
from experiments.models import MultiTaskModel
from experiments.statistics import MINIMUM, Paired, check_draws, paired


@contextmanager
def moved(network: MultiTaskModel, direction: Sequence[Tensor], length: float) -> Iterator[None]:
    """All parameters moved by ``length * direction``; they come back bit for bit, whatever happens."""
    starts = [parameter.detach().clone() for parameter in network.parameters()]
    try:
        with torch.no_grad():
            for parameter, along in zip(network.parameters(), direction, strict=True):
                parameter.add_((length * along).to(parameter.dtype))
        yield
    finally:
        with torch.no_grad():
            for parameter, start in zip(network.parameters(), starts, strict=True):
                parameter.copy_(start)


def unit_direction(network: MultiTaskModel, generator: torch.Generator) -> list[Tensor]:
    """Uniform on the unit sphere of all parameters together, float64."""
    drawn = [torch.randn(one.shape, dtype=torch.float64, generator=generator) for one in network.parameters()]
    norm = math.sqrt(math.fsum(float(part.square().sum()) for part in drawn))
    return [part / norm for part in drawn]


def weight_noise(
    network: MultiTaskModel,
    examples: Examples,
    labels: Int64[Tensor, "n m"],
    *,
    gammas: Sequence[float],
    directions: int,
    generator: torch.Generator,
) -> tuple[NoiseLevel, ...]:
    """Accuracy and loss per task at ``w + gamma u``: mean and sample standard deviation over random unit directions.

    The same directions at every gamma.

    Args:
        directions: at least 2.

    Raises:
        ValueError: fewer directions: they have no deviation.
    """
    check_draws("directions", directions)
    network = frozen_copy(network)
    drawn = [unit_direction(network, generator) for _ in range(directions)]
    levels = []
    for gamma in gammas:
        losses, accuracies = [], []
        for direction in drawn:
            with moved(network, direction, gamma):
                loss, accuracy = loss_and_accuracy(network, examples, labels)
            losses.append(loss)
            accuracies.append(accuracy)
        levels.append(
            NoiseLevel(
                gamma=gamma,
                accuracy=tuple(statistics.fmean(column) for column in zip(*accuracies, strict=True)),
                accuracy_deviation=tuple(statistics.stdev(column) for column in zip(*accuracies, strict=True)),
                loss=tuple(statistics.fmean(column) for column in zip(*losses, strict=True)),
                loss_deviation=tuple(statistics.stdev(column) for column in zip(*losses, strict=True)),
            )
        )
    return tuple(levels)


def deviation(rho: float, size: int, n_samples: int) -> float:
    """``sigma = rho / (sqrt k + sqrt(log N))``: N(0, sigma^2 I_k) leaves the ball with chance <= 1/sqrt N.

    Paper: Theorem 1, the noise of its proof, for one block
    """
    return rho / (math.sqrt(size) + math.sqrt(math.log(n_samples)))


def gaussian_premise(
    network: MultiTaskModel,
    examples: Examples,
    labels: Int64[Tensor, "n m"],
    *,
    traces: Sequence[Trace],
    rho: float,
    n_samples: int,
    piece: int,
    generator: torch.Generator,
) -> tuple[Premise, ...]:
    """``E L^i(w + sigma eps) - L^i(w)`` per task, sigma by block: is it >= 0, as the theory presumes?

    Every ``piece`` examples get a draw of their own, the same for all tasks, used with both signs: the pair's mean has
    the same expectation and no first-order term. Differences are paired (same examples with and without noise), so the
    error and Student's interval cover the draws and the choice of the examples, if these are independent.

    Args:
        traces: of every task on held-out data: what the rise is to second order.
        n_samples: N of sigma: the size of the training sample.
        piece: divides the number of examples into at least 3.

    Raises:
        ValueError: it does not.
    """
    network = frozen_copy(network)
    sigmas, deviations = _deviations(network, rho, n_samples)
    noisy, still = _pairs(network, examples, labels, deviations, piece, generator)
    return tuple(
        _premise(rho, (sigmas[0], sigmas[1 + task]), trace, noisy[task], still[task])
        for task, trace in enumerate(traces)
    )


def premise_rises(
    network: MultiTaskModel,
    examples: Examples,
    labels: Int64[Tensor, "n m"],
    *,
    rho: float,
    n_samples: int,
    piece: int,
    generator: torch.Generator,
) -> tuple[tuple[float, Paired], ...]:
    """``L^i(w)`` and ``E L^i(w + sigma eps) - L^i(w)`` per task, as in `gaussian_premise`, without the second order.

    Raises:
        ValueError: ``piece`` does not divide the number of examples into at least 3.
    """
    network = frozen_copy(network)
    _, deviations = _deviations(network, rho, n_samples)
    noisy, still = _pairs(network, examples, labels, deviations, piece, generator)
    found = []
    for with_noise, without in zip(noisy, still, strict=True):
        compared = paired(with_noise, without)
        assert compared is not None
        found.append((statistics.fmean(without.values()), compared))
    return tuple(found)


def _pairs(
    network: MultiTaskModel,
    examples: Examples,
    labels: Int64[Tensor, "n m"],
    deviations: Sequence[float],
    piece: int,
    generator: torch.Generator,
) -> tuple[list[dict[int, float]], list[dict[int, float]]]:
    """Of every task the losses of the pieces with noise and without."""
    if len(labels) % piece or len(labels) // piece < MINIMUM:
        raise ValueError(
            f"piece is {piece}, with {len(labels)} examples: it must cut them into at least {MINIMUM} whole pieces, "
            "since an interval needs draws to differ. Take a divisor of their number that is at most a third of it."
        )
    pairs = [
        _pair(network, examples[chosen], labels[chosen], deviations, generator)
        for chosen in torch.arange(len(labels)).split(piece)
    ]
    noisy, still = zip(*pairs, strict=True)
    return [dict(enumerate(column)) for column in zip(*noisy, strict=True)], [
        dict(enumerate(column)) for column in zip(*still, strict=True)
    ]


def _pair(
    network: MultiTaskModel,
    examples: Examples,
    labels: Int64[Tensor, "n m"],
    deviations: Sequence[float],
    generator: torch.Generator,
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Losses of one piece: the mean of those at plus and minus one draw, and those at the weights."""
    draw = [
        sigma * torch.randn(parameter.shape, dtype=torch.float64, generator=generator)
        for sigma, parameter in zip(deviations, network.parameters(), strict=True)
    ]
    signed = []
    for sign in (1.0, -1.0):
        with moved(network, draw, sign):
            signed.append(loss_and_accuracy(network, examples, labels)[0])
    both = tuple(statistics.fmean(column) for column in zip(*signed, strict=True))
    return both, loss_and_accuracy(network, examples, labels)[0]


def _deviations(network: MultiTaskModel, rho: float, n_samples: int) -> tuple[list[float], list[float]]:
    """sigma of the trunk and of every head, and the same for each of the network's parameters in their order."""
    blocks = [network.shared_parameters(), *network.head_parameters()]
    sigmas = [deviation(rho, sum(one.numel() for one in block), n_samples) for block in blocks]
    by_parameter = {id(one): sigma for block, sigma in zip(blocks, sigmas, strict=True) for one in block}
    return sigmas, [by_parameter[id(parameter)] for parameter in network.parameters()]


def _premise(
    rho: float, sigmas: tuple[float, ...], trace: Trace, noisy: dict[int, float], still: dict[int, float]
) -> Premise:
    compared = paired(noisy, still)
    assert compared is not None
    second_order, second_order_error = second_order_rise(sigmas, trace)
    differences = [noisy[number] - still[number] for number in still]
    return Premise(
        rho=rho,
        sigmas=sigmas,
        loss=statistics.fmean(still.values()),
        standard_error=statistics.stdev(differences) / math.sqrt(len(differences)),
        rise=compared,
        second_order=second_order,
        second_order_error=second_order_error,
    )


def second_order_rise(sigmas: Sequence[float], trace: Trace) -> tuple[float, float]:
    """``sum_b (sigma_b^2 / 2) tr H_bb``, the rise to second order, and a standard error that it surely does not exceed.

    Blocks share their probes, so their errors are added, not their squares.
    """
    halves = [sigma * sigma / 2 for sigma in sigmas]
    value = math.fsum(half * block for half, block in zip(halves, trace.blocks, strict=True))
    error = math.fsum(half * block for half, block in zip(halves, trace.block_errors, strict=True))
    return value, error
