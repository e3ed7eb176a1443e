"""The worst loss in the ball from both sides: ends in order, float64, records of one run from end to end."""

from pathlib import Path

import msgspec
import pytest
import torch

from experiments.certificates.records import METHODS, RHO
from experiments.measures.bracket import bracket_trained, brackets
from experiments.measures.bracket_records import BRACKET_SHELF, STORED, Bracket, Bracketing, Brackets, bracketings
from experiments.measures.split_loss import loss_and_accuracy
from experiments.spec import spec_key
from tests.experiments.test_ball_certificate import network_of, rows, seeded
from tests.experiments.tiny_problem import tiny_problem, tiny_spec

RADII = (1e-3, 0.03, 0.3)


@pytest.mark.parametrize("kind", ["perceptron", "linear trunk", "table"])
@pytest.mark.parametrize("seed", range(3))
def test_ends_are_in_order_and_grow_apart(kind: str, seed: int) -> None:
    network, (examples, labels) = network_of(kind, seed), rows(seed, count=20)
    found = [brackets(network, examples, labels, rho=rho, steps=4, restarts=1, generator=seeded(0)) for rho in RADII]
    entropies, accuracies = loss_and_accuracy(network, examples, labels)
    for task, (entropy, accuracy) in enumerate(zip(entropies, accuracies, strict=True)):
        column = [one.tasks[task] for one in found]
        assert [one.entropy for one in column] == pytest.approx([entropy] * len(RADII), rel=1e-12)
        assert [one.error for one in column] == pytest.approx([1 - accuracy] * len(RADII), abs=1e-12)
        assert all(one.entropy < one.entropy_lower < one.entropy_upper for one in column)
        widths = [one.entropy_upper - one.entropy_lower for one in column]
        assert widths == sorted(widths)
        assert widths[0] < 0.05 * widths[-1]


def test_weights_of_float32_are_looked_at_in_float64_and_left_as_they_were() -> None:
    network, (examples, labels) = network_of("perceptron", 1).float(), rows(1)
    before = [one.clone() for one in network.parameters()]
    found = brackets(network, examples.float(), labels, rho=1e-9, steps=2, restarts=0, generator=seeded(0))
    assert all(one.entropy < one.entropy_lower < one.entropy_upper for one in found.tasks)
    assert all(torch.equal(one, other) for one, other in zip(before, network.parameters(), strict=True))


@pytest.mark.parametrize(
    "ends",
    [{"entropy_lower": 2.0}, {"entropy": 1.2}, {"error_upper": 0.05}, {"error": 0.3}],
    ids=str,
)
def test_what_is_no_bracket_is_refused(ends: dict[str, float]) -> None:
    sound = Bracket(entropy=0.5, entropy_lower=1.0, entropy_upper=1.5, error=0.1, error_lower=0.2, error_upper=0.4)
    with pytest.raises(ValueError, match="no bracket"):
        Bracket(**msgspec.structs.asdict(sound) | ends)


def test_the_list_is_four_methods_on_three_seeds_at_the_radii_of_the_experiments() -> None:
    listed = bracketings()
    assert len({spec_key(one.training) for one in listed}) == len(listed) == 3 * len(METHODS)
    assert {one.training.rho_shared for one in listed} == {0.0, RHO}
    assert all({0.01, 0.02, 0.05, 0.1, RHO} <= set(one.radii) for one in listed)


def test_a_network_without_a_certificate_is_refused_by_name(tmp_path: Path) -> None:
    """The tiny run trains a LeNet."""
    asked = Bracketing(training=tiny_spec(epochs=1, n_test=40), radii=(0.1,), examples=20, steps=1)
    with pytest.raises(ValueError, match="the bound knows"):
        bracket_trained(asked, tiny_problem(n_test=40), commit="none", dirty=True, weights=tmp_path)


def test_stored_brackets_are_of_the_list() -> None:
    listed = {BRACKET_SHELF.key(one) for one in bracketings()}
    for path in STORED.glob("*.json"):
        found: Brackets = BRACKET_SHELF.read(path)
        assert found.key in listed
        assert tuple(at.rho for at in found.radii) == found.bracketing.radii
        uppers = [at.tasks[0].entropy_upper for at in found.radii]
        assert uppers == sorted(uppers)
