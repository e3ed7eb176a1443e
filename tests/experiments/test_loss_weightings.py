"""SI, RLW, DWA and UW: the formulas by hand, what is refused, and a memory that survives interruption."""

import io
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from experiments.loss_weightings import DWA, RLW, SI, UW, LossWeighted, LossWeighting, UnusableLoss
from flatmtl_core import InvalidInput

MAKERS: dict[str, Callable[[], LossWeighting]] = {
    "SI": SI,
    "SI mean": lambda: SI(scale="mean"),
    "RLW": lambda: RLW(seed=3),
    "DWA": DWA,
    "DWA mean": lambda: DWA(temperature=0.5, scale="mean"),
    "UW": lambda: UW(2, learning_rate=0.05),
    "UW classification": lambda: UW(2, learning_rate=0.05, form="classification", scale="mean"),
}


def losses(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def weights_of(weighting: LossWeighting, steps: Sequence[tuple[float, float] | None]) -> list[tuple[float, ...]]:
    """The weights of all steps; None ends an epoch."""
    found = []
    for values in steps:
        if values is None:
            weighting.end_of_epoch()
        else:
            found.append(weighting.weights(losses(*values)))
    return found


# The formulas


def test_si_weights_are_reciprocal_losses() -> None:
    values = (Fraction(1, 2), Fraction(4), Fraction(1, 8))
    assert SI().weights(losses(*map(float, values))) == tuple(float(1 / value) for value in values)
    total = sum(1 / value for value in values)
    expected = [float(1 / value / total) for value in values]
    assert SI(scale="mean").weights(losses(*map(float, values))) == pytest.approx(expected, rel=1e-15)


def test_si_is_the_gradient_of_the_sum_of_logarithms() -> None:
    values = losses(0.3, 2.0, 7.0).requires_grad_()
    values.log().sum().backward()
    assert values.grad is not None
    assert SI().weights(values.detach()) == pytest.approx(values.grad.tolist(), rel=1e-15)


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=5), st.integers(-20, 20))
def test_the_unit_of_a_loss_does_not_matter_to_si(values: list[float], power: int) -> None:
    """Powers of two are exact: weight times loss is the same number."""
    factor = 2.0**power
    one, other = SI().weights(losses(*values)), SI().weights(losses(*(factor * value for value in values)))
    assert [weight * factor for weight in other] == list(one)


def test_rlw_weights_are_the_softmax_of_normal_draws() -> None:
    generator = torch.Generator().manual_seed(11)
    rlw = RLW(seed=11)
    for _ in range(3):
        draws = torch.randn(4, generator=generator, dtype=torch.float64)
        assert rlw.weights(losses(1.0, 2.0, 3.0, 4.0)) == pytest.approx(torch.softmax(draws, 0).tolist(), rel=1e-14)


def test_rlw_draws_have_the_moments_of_their_law() -> None:
    """log(w_1 / w_2) is normal with mean 0 and variance 2: four standard errors of 4,000 draws."""
    rlw, count = RLW(seed=0), 4_000
    draws = [rlw.weights(losses(1.0, 1.0)) for _ in range(count)]
    assert all(abs(sum(draw) - 1) < 1e-15 and min(draw) > 0 for draw in draws)
    logits = torch.tensor([math.log(one / other) for one, other in draws], dtype=torch.float64)
    assert abs(float(logits.mean())) < 4 * math.sqrt(2 / count)
    assert abs(float(logits.var()) - 2) < 4 * 2 * math.sqrt(2 / count)


def test_dwa_weights_are_one_for_two_epochs_and_follow_the_ratio_of_means_then() -> None:
    dwa = DWA()
    epochs = [[(1.0, 8.0), (3.0, 8.0)], [(0.5, 4.0), (0.5, 12.0)], [(9.0, 1.0)], [(2.0, 2.0)]]
    means = [(Fraction(2), Fraction(8)), (Fraction(1, 2), Fraction(8)), (Fraction(9), Fraction(1))]
    for number, steps in enumerate(epochs):
        expected: Sequence[float] = (1.0, 1.0)
        if number >= 2:
            ratios = [newer / older for older, newer in zip(means[number - 2], means[number - 1], strict=True)]
            powers = [math.exp(float(ratio / 2)) for ratio in ratios]
            expected = [2 * power / sum(powers) for power in powers]
        for step in steps:
            weights = dwa.weights(losses(*step))
            assert weights == (pytest.approx(expected, rel=1e-14) if number >= 2 else (1.0, 1.0)), number
        dwa.end_of_epoch()


@pytest.mark.parametrize(("temperature", "ratio"), [(2.0, math.exp(-0.25)), (0.5, math.exp(-1.0)), (1e9, 1.0)])
def test_dwa_temperature(temperature: float, ratio: float) -> None:
    """Means fall to 1/2 and to 1: the weights' quotient is exp((1/2 - 1) / T)."""
    dwa = DWA(temperature=temperature)
    for values in ((2.0, 2.0), (1.0, 2.0)):
        dwa.weights(losses(*values))
        dwa.end_of_epoch()
    first, second = dwa.weights(losses(1.0, 1.0))
    assert first / second == pytest.approx(ratio, rel=1e-8)
    assert first + second == pytest.approx(2, rel=1e-15)


def test_dwa_with_a_huge_ratio_does_not_overflow() -> None:
    dwa = DWA()
    for values in ((1e-6, 1.0), (1e6, 1.0)):
        dwa.weights(losses(*values))
        dwa.end_of_epoch()
    assert dwa.weights(losses(1.0, 1.0)) == (2.0, 0.0)


@pytest.mark.parametrize(("form", "factor"), [("regression", 0.5), ("classification", 1.0)])
def test_uw_is_the_gradient_of_its_loss_in_both_arguments(form: Any, factor: float) -> None:
    """Against autograd on the formula and an Adam of the test; weights are those from before the update."""
    sequence = [(0.5, 3.0), (0.25, 2.0), (4.0, 2.5), (1.0, 1.0)]
    uw = UW(2, learning_rate=0.1, form=form)
    log_variances = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([log_variances], lr=0.1)
    for step in sequence:
        values = losses(*step).requires_grad_()
        adam.zero_grad()
        deviations = torch.exp(log_variances / 2)
        (factor * values / deviations.square() + deviations.log()).sum().backward()
        assert values.grad is not None
        assert uw.weights(values.detach()) == pytest.approx(values.grad.tolist(), rel=1e-14)
        adam.step()
        assert uw.log_variances.tolist() == pytest.approx(log_variances.tolist(), rel=1e-12)
    assert min(abs(value) for value in uw.log_variances.tolist()) > 0.01


@pytest.mark.parametrize("form", ["regression", "classification"])
def test_uw_settles_where_its_weights_are_half_those_of_si(form: Any) -> None:
    """d/ds = 0 at w_i L_i = 1/2, whichever the form."""
    uw = UW(3, learning_rate=0.02, form=form)
    values = losses(0.25, 1.0, 3.0)
    for _ in range(3_000):
        weights = uw.weights(values)
    assert weights == pytest.approx([weight / 2 for weight in SI().weights(values)], rel=1e-6)


def test_uw_starts_with_halves_and_its_first_step_is_the_learning_rate() -> None:
    """Adam's first step is the rate times the sign of the gradient: up for L > 1, down for L < 1."""
    uw = UW(2, learning_rate=0.125)
    assert uw.weights(losses(3.0, 0.25)) == (0.5, 0.5)
    assert uw.log_variances.tolist() == pytest.approx([0.125, -0.125], rel=1e-6)


@pytest.mark.parametrize("name", ["SI mean", "RLW", "DWA mean", "UW classification"])
def test_weights_of_the_mean_kind_sum_to_one(name: str) -> None:
    weighting = MAKERS[name]()
    for values in ((1.0, 3.0), (0.5, 2.0), (7.0, 0.1), (0.2, 0.2)):
        assert sum(weighting.weights(losses(*values))) == pytest.approx(1, rel=1e-15)
        weighting.end_of_epoch()


# What is refused


@pytest.mark.parametrize("value", [0.0, -0.5])
def test_si_refuses_a_loss_that_is_not_positive(value: float) -> None:
    with pytest.raises(UnusableLoss, match=rf"SI: the loss of task 2 is {value}; it must be positive"):
        SI().weights(losses(1.0, value))


@pytest.mark.parametrize("value", [0.0, -0.5])
def test_dwa_refuses_a_mean_that_is_not_positive(value: float) -> None:
    dwa = DWA()
    dwa.weights(losses(1.0, value))
    before = dwa.state_dict()
    with pytest.raises(UnusableLoss, match=rf"DWA: the epoch's mean loss of task 2 is {value}; it must be positive"):
        dwa.end_of_epoch()
    assert dwa.state_dict() == before


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("name", ["SI", "DWA", "UW"])
def test_a_loss_that_is_not_finite_is_refused_and_remembered_nowhere(name: str, value: float) -> None:
    weighting, other = MAKERS[name](), MAKERS[name]()
    with pytest.raises(UnusableLoss, match=rf"{name}: the loss of task 1 is {value}"):
        weighting.weights(losses(value, 1.0))
    assert weights_of(weighting, [(1.0, 2.0), (2.0, 1.0)]) == weights_of(other, [(1.0, 2.0), (2.0, 1.0)])


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (lambda: SI(scale="sum"), "scale"),  # type: ignore[arg-type]
        (lambda: DWA(scale="sum"), "scale"),  # type: ignore[arg-type]
        (lambda: DWA(temperature=0.0), "temperature"),
        (lambda: DWA(temperature=-1.0), "temperature"),
        (lambda: UW(2, 0.1, form="other"), "form"),  # type: ignore[arg-type]
        (lambda: UW(2, 0.1, scale="sum"), "scale"),  # type: ignore[arg-type]
    ],
)
def test_an_option_that_makes_no_sense_is_refused(make: Callable[[], LossWeighting], where: str) -> None:
    with pytest.raises(InvalidInput, match=rf"\[{where}\]"):
        make()


def test_weights_need_the_losses_of_a_step() -> None:
    with pytest.raises(RuntimeError, match="call begin_step before every step"):
        LossWeighted(SI())(torch.eye(2))


# The memory


def through_a_file(state: dict[str, Any]) -> dict[str, Any]:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    loaded: dict[str, Any] = torch.load(file, weights_only=True)
    return loaded


HISTORY: list[tuple[float, float] | None] = [
    *((2.0, 1.0), (1.9, 0.3), (0.7, 0.9), None),
    *((1.1, 0.8), (0.2, 0.7), None),
    *((0.6, 0.1), (0.3, 0.4), (0.9, 0.2), None),
    *((0.5, 0.3), (0.1, 0.6), None, (0.7, 0.7)),
]


@pytest.mark.parametrize("moment", range(len(HISTORY) + 1))
@pytest.mark.parametrize("name", MAKERS)
def test_a_memory_goes_on_bit_for_bit_from_any_moment(name: str, moment: int) -> None:
    """The one that was interrupted also goes on: a state taken from it is no window into it."""
    whole = weights_of(MAKERS[name](), HISTORY)
    first, second = MAKERS[name](), MAKERS[name]()
    weights_of(second, [(5.0, 6.0), None, (7.0, 1.0), None, (1.0, 3.0)])
    before = weights_of(first, HISTORY[:moment])
    state = first.state_dict()
    assert before + weights_of(first, HISTORY[moment:]) == whole
    second.load_state_dict(through_a_file(state))
    assert before + weights_of(second, HISTORY[moment:]) == whole
    third = MAKERS[name]()
    third.load_state_dict(state)
    assert before + weights_of(third, HISTORY[moment:]) == whole


@pytest.mark.parametrize("name", ["RLW", "DWA", "UW"])
def test_without_its_memory_it_would_not_go_on(name: str) -> None:
    whole = weights_of(MAKERS[name](), HISTORY)
    fresh = weights_of(MAKERS[name](), HISTORY[-1:])
    assert whole[-1:] != fresh
