"""The worst loss in the ball around the weights, from above: a certificate for linear classifiers and perceptrons.

`experiments.measures.sharpness` climbs to a lower bound of the same maximum: the truth lies between the two.

Notation: hidden vectors ``h_l = s(W_l h_{l-1} + b_l)``, ``h_0 = x``, with s the identity or ReLU. Weights and biases
move by ``[D_l e_l]``. Trunk and head move by at most rho each, so every layer does: ``||[D_l e_l]||_F <= rho``. With
primes for what is displaced,

    W'h' + b' - (W h + b) = W (h' - h) + [D e] (h', 1)

and s moves two points no further apart. So ``||h'_l - h_l|| <= r_l``, with ``r_0 = 0`` and

    r_l = ||W_l||_2 r_{l-1} + rho sqrt((||h_{l-1}|| + r_{l-1})^2 + 1)

where the 1 is there for a layer with a bias. The head's rows ``(w_j, b_j)`` move by ``d_j``, two of them apart by at
most ``||d_j - d_y|| <= sqrt(2) rho``. So a difference of logits ``z_j - z_y`` rises by at most

    a_j = ||w_j - w_y|| r + sqrt(2) rho sqrt((||h|| + r)^2 + 1).

An example's 0-1 loss is at most ``[max_j (z_j - z_y + a_j) >= 0]``, its cross entropy at most
``log(1 + sum_{j != y} exp(z_j - z_y + a_j))``. The mean of these bounds is a bound of the greatest mean. Without a
trunk's layers r is 0, and with one example and two classes the bound is the maximum itself.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float64, Int64
from torch import Tensor, nn

from experiments.metrics import Examples, to_input
from experiments.models import MultiTaskModel
from experiments.models.mlp import MLPTrunk
from theory.bounds.quantities import UpperBound

SPREAD = math.sqrt(2)
"""``||d_j - d_y|| / rho`` at most: two rows that move against each other."""

OUTWARD = 1e-12
"""Relative slack for the rounding of norms, exponentials and means in float64, far above what they err by."""

TINY = 1e-140
"""Absolute slack for products and squares that float64 flushes to zero."""


class BallCertificate(NamedTuple):
    """Upper bounds of one task's mean losses at all weights of the ball; they are certain.

    ``errors`` is of the 0-1 loss, where a tie counts as an error; ``cross_entropy`` is in nats and has no limit.
    """

    errors: UpperBound
    cross_entropy: UpperBound


class _Reached(NamedTuple):
    """Vectors as computed, and how far from them the exact ones are at any weights of the ball."""

    values: Float64[Tensor, "n k"]
    radii: Float64[Tensor, " n"]


def ball_certificate(
    network: MultiTaskModel, examples: Examples, labels: Int64[Tensor, "n m"], *, rho: float
) -> tuple[BallCertificate, ...]:
    """Bounds of every task's worst losses where trunk and own head each move by at most rho in the Euclidean norm.

    This holds the ball of radius rho around both together. The mean over tasks bounds the worst mean over tasks of one
    common displacement, too.

    Args:
        network: linear heads on a trunk that is made of fully connected layers and ReLU, or has no parameters.
        labels: classes, one column a task.
        rho: finite and >= 0; 0 gives the losses themselves, up to the slack for rounding.

    Raises:
        ValueError: another radius or network, no example, numbers that are not finite, or a bound that overflows.

    Notes:
        The network's weights and inputs enter as they are; its function is that of exact arithmetic. Errors of float64
        are bounded and added: of the products by their standard bound, of all else by ``OUTWARD``.
    """
    _check(network, examples, labels, rho)
    with torch.no_grad():
        reached = _Reached(to_input(examples).double(), torch.zeros(len(examples), dtype=torch.float64))
        for layer in _layers(network.trunk):
            reached = _after(layer, reached, rho)
        return tuple(
            _certificate(_linear(head), reached, labels[:, task], rho) for task, head in enumerate(network.heads)
        )


def _check(network: MultiTaskModel, examples: Examples, labels: Tensor, rho: float) -> None:
    if not 0 <= rho < math.inf:
        raise ValueError(f"rho is {rho}: a radius is finite and >= 0.")
    if not len(examples) or labels.shape != (len(examples), len(network.heads)):
        raise ValueError(
            f"{len(examples)} examples, {len(network.heads)} heads and labels of shape {tuple(labels.shape)}: give at "
            "least one example, and one label for each example and head."
        )
    if type(network).forward is not MultiTaskModel.forward:
        raise ValueError(f"{type(network).__name__} has a forward pass of its own: the bound is for MultiTaskModel's.")
    if not all(bool(one.isfinite().all()) for one in (*network.parameters(), to_input(examples))):
        raise ValueError("a parameter or an input is not finite: no ball around it has a greatest loss.")


def _layers(trunk: nn.Module) -> Iterator[nn.Module]:
    """The trunk's layers in the order of its forward pass."""
    if type(trunk) is MLPTrunk:
        yield from (trunk.fc1, nn.ReLU(), trunk.fc2, nn.ReLU())
    elif type(trunk) is nn.Sequential:
        for one in trunk:
            yield from _layers(one)
    else:
        yield trunk


def _after(layer: nn.Module, before: _Reached, rho: float) -> _Reached:
    kind = type(layer)
    if kind is nn.Linear:
        return _displaced(_linear(layer), before, rho)
    if kind is nn.ReLU:
        return _Reached(before.values.relu(), before.radii)
    if kind is nn.Identity:
        return before
    if isinstance(layer, nn.Flatten) and (layer.start_dim, layer.end_dim) == (1, -1):
        return _Reached(before.values.flatten(1), before.radii)
    raise ValueError(f"{kind.__name__} in the trunk: the bound knows Linear, ReLU, Identity and Flatten only.")


def _linear(layer: nn.Module) -> nn.Linear:
    if type(layer) is not nn.Linear:
        raise ValueError(f"a head is {type(layer).__name__}: the bound knows linear heads only.")
    return layer


def _displaced(layer: nn.Linear, before: _Reached, rho: float) -> _Reached:
    """``r = ||W||_2 r + rho ||(h', 1)||``, and what the product is rounded by."""
    values, rounded = _product(layer, before.values)
    lengths = _lengths(layer, before)
    radii = _spectral(layer.weight.double()) * before.radii + rho * lengths + rounded.norm(dim=1)
    return _Reached(values, radii * (1 + OUTWARD))


def _product(layer: nn.Linear, inputs: Float64[Tensor, "n k"]) -> tuple[Tensor, Tensor]:
    """``W h + b``, and a bound of its error entry by entry: ``(k + 2) 2^-52 (|W| |h| + |b|)``, twice what is needed."""
    weight = layer.weight.double()
    bias = torch.zeros(len(weight), dtype=torch.float64) if layer.bias is None else layer.bias.double()
    share = (inputs.shape[1] + 2) * torch.finfo(torch.float64).eps
    return inputs @ weight.T + bias, share * (inputs.abs() @ weight.abs().T + bias.abs()) + TINY


def _lengths(layer: nn.Linear, before: _Reached) -> Float64[Tensor, " n"]:
    """At most so long is the displaced layer's input, with its 1 for a bias."""
    longest = before.values.norm(dim=1) * (1 + OUTWARD) + TINY + before.radii
    one = torch.tensor(float(layer.bias is not None), dtype=torch.float64)
    lengths: Tensor = longest.hypot(one) * (1 + OUTWARD)
    return lengths


def _spectral(weight: Float64[Tensor, "k2 k"]) -> float:
    """The largest singular value from above; its relative error is taken to be below 1e-10, and Frobenius' norm is a
    bound anyway.
    """
    spectral = float(torch.linalg.matrix_norm(weight, 2)) * (1 + 1e-10)
    return min(spectral, float(weight.norm()) * (1 + OUTWARD)) + TINY


def _certificate(head: nn.Linear, features: _Reached, labels: Int64[Tensor, " n"], rho: float) -> BallCertificate:
    if head.out_features < 2 or not 0 <= int(labels.min()) <= int(labels.max()) < head.out_features:
        raise ValueError(
            f"a head of {head.out_features} classes and labels from {int(labels.min())} to {int(labels.max())}: labels "
            "are 0 to the number of classes less 1, and there are at least two."
        )
    rises = _highest_differences(head, features, labels, rho)
    errors = float((rises >= 0).any(dim=1).double().mean()) * (1 + OUTWARD)
    total = rises.logsumexp(dim=1)
    total = total + OUTWARD * (1 + total.abs())
    entropy = float(total.logaddexp(torch.zeros_like(total)).mean()) * (1 + OUTWARD) + TINY
    if not math.isfinite(entropy):
        raise ValueError(f"the bound overflows at rho = {rho}: take a smaller radius.")
    return BallCertificate(
        UpperBound(min(errors, 1.0), 0.0, 1.0, "margins in the ball"),
        UpperBound(entropy, 0.0, math.inf, "margins in the ball"),
    )


def _highest_differences(
    head: nn.Linear, features: _Reached, labels: Int64[Tensor, " n"], rho: float
) -> Float64[Tensor, "n classes"]:
    """``z_j - z_y + a_j`` for every class j, rounding included; minus infinity for y itself."""
    logits, rounded = _product(head, features.values)
    own = labels.unsqueeze(1)
    weight = head.weight.double()
    between = torch.cdist(weight, weight, compute_mode="donot_use_mm_for_euclid_dist")[labels]
    reach = (between + TINY) * features.radii.unsqueeze(1) + SPREAD * rho * _lengths(head, features).unsqueeze(1)
    slack = rounded + rounded.gather(1, own) + OUTWARD * reach
    return (logits - logits.gather(1, own) + reach + slack).scatter(1, own, -math.inf)
