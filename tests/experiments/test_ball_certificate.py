"""The certificate of the ball against random displacements, projected ascent and closed forms."""

import math
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from experiments.measures import ball_certificate as certificates
from experiments.measures.ball_certificate import ball_certificate
from experiments.measures.sharpness import worst_case
from experiments.measures.split_loss import Offsets, SplitLoss, gaussian, loss_and_accuracy, mean_loss, task_loss
from experiments.models import MultiTaskModel
from experiments.models.mlp import FEATURES, MLPTrunk

KINDS = ("heads", "no bias", "linear trunk", "perceptron", "deep", "table")
INPUTS, CLASSES, TASKS = 4, 3, 2

seeds = st.integers(0, 2**32 - 1)
radii = st.sampled_from([1e-3, 0.03, 0.3, 1.0, 5.0])


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def trunk_of(kind: str) -> tuple[nn.Module, int]:
    """A trunk and its features."""
    match kind:
        case "linear trunk":
            return nn.Linear(INPUTS, 5), 5
        case "perceptron":
            return nn.Sequential(nn.Linear(INPUTS, 6), nn.ReLU(), nn.Linear(6, 5, bias=False), nn.ReLU()), 5
        case "deep":
            return nn.Sequential(nn.Flatten(), *(nn.Linear(INPUTS, INPUTS) for _ in range(4))), INPUTS
        case "table":
            return MLPTrunk(INPUTS), FEATURES
        case _:
            return nn.Identity(), INPUTS


def network_of(kind: str, seed: int, tasks: int = TASKS, classes: int = CLASSES) -> MultiTaskModel:
    """In float64, so that what is found at displaced weights has no rounding of float32."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        trunk, features = trunk_of(kind)
        heads = [nn.Linear(features, classes, bias=kind != "no bias") for _ in range(tasks)]
        return MultiTaskModel(trunk, heads).double()


def rows(seed: int, count: int = 6, tasks: int = TASKS, classes: int = CLASSES) -> tuple[Tensor, Tensor]:
    generator = seeded(seed)
    examples = torch.randn(count, INPUTS, generator=generator, dtype=torch.float64)
    return examples, torch.randint(0, classes, (count, tasks), generator=generator)


def bounds(network: MultiTaskModel, examples: Tensor, labels: Tensor, rho: float) -> list[tuple[float, float]]:
    """Of the 0-1 loss and of cross entropy."""
    found = ball_certificate(network, examples, labels, rho=rho)
    return [(one.errors.value, one.cross_entropy.value) for one in found]


def on_spheres(directions: Offsets, rho: float) -> Offsets:
    """Every block at length rho, just inside."""
    return tuple(one * (rho * (1 - 1e-15) / float(one.norm())) for one in directions)


def moving(loss: SplitLoss) -> SplitLoss:
    """The loss of the blocks that have parameters."""
    return SplitLoss(tuple(block for block in loss.blocks if block), loss.pieces)


def check_below(network: MultiTaskModel, examples: Tensor, labels: Tensor, found: list[tuple[float, float]]) -> None:
    """The losses where the weights now are, against the bounds."""
    entropies, accuracies = loss_and_accuracy(network, examples, labels)
    for (error, entropy), at_entropy, accuracy in zip(found, entropies, accuracies, strict=True):
        assert 1 - accuracy <= error + 1e-15
        assert at_entropy <= entropy


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20, deadline=None)
@given(seed=seeds, rho=radii)
def test_no_random_displacement_exceeds_it(kind: str, seed: int, rho: float) -> None:
    network, (examples, labels) = network_of(kind, seed), rows(seed)
    loss, found = moving(mean_loss(network, examples, labels)), bounds(network, examples, labels, rho)
    for draw in range(5):
        with loss.displaced(on_spheres(gaussian(loss.blocks, seeded(draw)), rho)):
            check_below(network, examples, labels, found)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=8, deadline=None)
@given(seed=seeds, rho=radii)
def test_no_projected_ascent_exceeds_it(kind: str, seed: int, rho: float) -> None:
    network, (examples, labels) = network_of(kind, seed), rows(seed)
    for task, (error, entropy) in enumerate(bounds(network, examples, labels, rho)):
        loss = moving(task_loss(network, examples, labels, task))
        radii = [rho] * len(loss.blocks)
        peak = worst_case(loss, radii, steps=8, restarts=1, generator=seeded(0))
        assert loss.value() <= peak.value <= entropy
        with loss.displaced(peak.offsets):
            assert 1 - loss_and_accuracy(network, examples, labels)[1][task] <= error + 1e-15


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_at_radius_zero_it_is_the_loss_itself(kind: str, seed: int) -> None:
    network, (examples, labels) = network_of(kind, seed), rows(seed)
    entropies, accuracies = loss_and_accuracy(network, examples, labels)
    found = bounds(network, examples, labels, 0.0)
    assert [error for error, _ in found] == pytest.approx([1 - one for one in accuracies], rel=1e-9, abs=1e-12)
    assert [entropy for _, entropy in found] == pytest.approx(list(entropies), rel=1e-9)
    assert all(bound >= loss for (_, bound), loss in zip(found, entropies, strict=True))


@settings(max_examples=30, deadline=None)
@given(seed=seeds, first=radii, second=radii)
def test_it_grows_with_the_radius(seed: int, first: float, second: float) -> None:
    network, (examples, labels) = network_of("table", seed), rows(seed)
    small, large = (bounds(network, examples, labels, rho) for rho in sorted((first, second)))
    for (error, entropy), (more_errors, more_entropy) in zip(small, large, strict=True):
        assert error <= more_errors
        assert entropy <= more_entropy


def worst_of_two_classes(network: MultiTaskModel, example: Tensor, label: int, rho: float) -> float:
    """The loss at the displacement that closed form gives: both rows along (x, 1), the label's against it."""
    (head,) = network.heads
    parameters = list(head.parameters())
    input_ = torch.cat([example, torch.ones(len(parameters) - 1, dtype=torch.float64)])
    step = rho / math.sqrt(2) * input_ / input_.norm()
    sign = torch.tensor([[-1.0], [1.0]] if label == 0 else [[1.0], [-1.0]], dtype=torch.float64)
    moved = torch.cat([one.detach().reshape(2, -1) for one in parameters], dim=1) + sign * step
    logits = (moved @ input_).tolist()
    return math.log1p(math.exp(logits[1 - label] - logits[label]))


@pytest.mark.parametrize("kind", ["heads", "no bias"])
@settings(max_examples=40, deadline=None)
@given(seed=seeds, rho=radii)
def test_one_example_and_two_classes_attain_it(kind: str, seed: int, rho: float) -> None:
    network, (examples, labels) = network_of(kind, seed, 1, 2), rows(seed, 1, 1, 2)
    worst = worst_of_two_classes(network, examples[0], int(labels), rho)
    ((error, entropy),) = bounds(network, examples, labels, rho)
    assert worst <= entropy
    assert entropy == pytest.approx(worst, rel=1e-9)
    assert error == float(worst >= math.log(2) * (1 - 1e-12))


def test_a_radius_short_of_the_margin_leaves_no_error() -> None:
    """One example, margin 2, sqrt(2) rho ||(x, 1)|| = 2 at rho = 1."""
    network = network_of("heads", 0, 1, 2)
    with torch.no_grad():
        network.heads[0].weight.zero_()
        network.heads[0].bias.copy_(torch.tensor([2.0, 0.0]))
    examples, labels = torch.tensor([[1.0, 0.0, 0.0, 0.0]], dtype=torch.float64), torch.tensor([[0]])
    assert [bounds(network, examples, labels, rho)[0][0] for rho in (1 - 1e-9, 1.0)] == [0.0, 1.0]


def test_a_later_layer_enlarges_what_an_earlier_one_moves() -> None:
    """Scalars: 100 times 100 x, and 1,000 between the logits; the first layer alone moves, along (x, 1)."""
    first, second, head = nn.Linear(1, 1), nn.Linear(1, 1), nn.Linear(1, 2)
    network, rho = MultiTaskModel(nn.Sequential(first, second), [head]).double(), 1e-3
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        first.weight.fill_(100.0)
        second.weight.fill_(100.0)
        head.weight[1] = 1000.0
    examples, labels = torch.ones(1, 1, dtype=torch.float64), torch.tensor([[0]])
    found = bounds(network, examples, labels, rho)
    with torch.no_grad():
        first.weight.add_(rho / math.sqrt(2))
        first.bias.add_(rho / math.sqrt(2))
    check_below(network, examples, labels, found)


@pytest.mark.parametrize("kind", ["heads", "perceptron"])
def test_a_lost_factor_is_noticed(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without sqrt(2), or with shorter inputs, the attained maximum lies above what is called a bound."""
    network, (examples, labels) = network_of("heads", 5, 1, 2), rows(5, 1, 1, 2)
    worst = worst_of_two_classes(network, examples[0], int(labels), 1.0)
    assert bounds(network, examples, labels, 1.0)[0][1] >= worst
    if kind == "heads":
        monkeypatch.setattr(certificates, "SPREAD", 1.0)
    else:
        monkeypatch.setattr(certificates, "_lengths", lambda _, before: before.values.norm(dim=1))
    assert bounds(network, examples, labels, 1.0)[0][1] < worst


def test_what_it_can_not_bound_is_refused() -> None:
    network, (examples, labels) = network_of("heads", 0), rows(0)
    for rho in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="a radius is finite and >= 0"):
            ball_certificate(network, examples, labels, rho=rho)
    with pytest.raises(ValueError, match="overflows at rho"):
        ball_certificate(network_of("perceptron", 0), examples, labels, rho=1e300)
    with pytest.raises(ValueError, match="at least one example"):
        ball_certificate(network, examples[:0], labels[:0], rho=1.0)
    with pytest.raises(ValueError, match="labels from 1 to 3"):
        ball_certificate(network, examples, torch.arange(4).repeat(3).view(6, 2), rho=1.0)
    with pytest.raises(ValueError, match="not finite"):
        ball_certificate(network, examples * math.inf, labels, rho=1.0)


@pytest.mark.parametrize(
    ("trunk", "head", "message"),
    [
        (nn.Tanh(), nn.Linear(INPUTS, CLASSES), "Tanh in the trunk"),
        (nn.Sequential(nn.Identity(), nn.Dropout()), nn.Linear(INPUTS, CLASSES), "Dropout in the trunk"),
        (nn.Flatten(0), nn.Linear(INPUTS, CLASSES), "Flatten in the trunk"),
        (nn.Identity(), nn.Sequential(nn.Linear(INPUTS, CLASSES)), "a head is Sequential"),
        (nn.Identity(), nn.Linear(INPUTS, 1), "at least two"),
    ],
)
def test_another_network_is_refused(trunk: nn.Module, head: nn.Module, message: str) -> None:
    examples, labels = rows(0, tasks=1)
    with pytest.raises(ValueError, match=message):
        ball_certificate(MultiTaskModel(trunk, [head]), examples, labels, rho=1.0)


def test_a_forward_pass_of_its_own_is_refused() -> None:
    class Doubled(MultiTaskModel):
        def forward(self, inputs: Tensor, tasks: Sequence[int]) -> tuple[Tensor, ...]:
            return super().forward(2 * inputs, tasks)

    examples, labels = rows(0, tasks=1)
    with pytest.raises(ValueError, match="Doubled has a forward pass of its own"):
        ball_certificate(Doubled(nn.Identity(), [nn.Linear(INPUTS, CLASSES)]), examples, labels, rho=1.0)
