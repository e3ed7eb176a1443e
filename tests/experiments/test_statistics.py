"""Paired intervals and Holm's correction: textbook numbers, plain code, simulated worlds without a difference."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.statistics import holm, paired

PROBABILITIES = st.lists(st.sampled_from([0.0, 0.001, 0.01, 0.02, 0.04, 0.05, 0.3, 1.0]), max_size=6)


def test_three_pairs() -> None:
    """Differences 1, 2, 3: mean 2, standard error 1/sqrt 3; t at 97.5 % with 2 degrees of freedom is 4.302653."""
    found = paired({0: 2.0, 1: 4.0, 2: 6.0, 9: 0.0}, {0: 1.0, 1: 2.0, 2: 3.0, 8: 7.0})
    assert found is not None
    assert (found.n, found.difference) == (3, 2.0)
    assert found.high - found.difference == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert found.difference - found.low == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    t = 2 * math.sqrt(3)  # with 2 degrees of freedom the tail is known: P(|T| > t) = 1 - t / sqrt(2 + t^2)
    assert found.p == pytest.approx(1 - t / math.sqrt(2 + t * t), rel=1e-12)


def test_what_can_not_be_compared() -> None:
    assert paired({0: 1.0, 1: 2.0}, {0: 1.0, 1: 1.0}) is None
    assert paired({0: 1.0, 1: 2.0, 2: 1.0}, {3: 1.0, 4: 2.0, 5: 1.0}) is None
    with pytest.raises(ValueError, match="seed 1: nan against"):
        paired({0: 1.0, 1: math.nan, 2: 1.0}, {0: 1.0, 1: 2.0, 2: 1.0})


def test_differences_without_spread() -> None:
    same, ahead = (dict.fromkeys(range(3), value) for value in (1.0, 2.0))
    none, equal = paired(same, same), paired(ahead, same)
    assert none is not None
    assert equal is not None
    assert (none.difference, none.low, none.high, none.p) == (0, 0, 0, 1)
    assert (equal.difference, equal.low, equal.high, equal.p) == (1, 1, 1, 0)


def test_the_interval_covers_zero_as_often_as_it_says() -> None:
    """4,000 worlds of three equal methods: 95 % of the intervals hold 0, and p is below 0.05 in the others."""
    generator = np.random.Generator(np.random.PCG64(0))
    draws = generator.standard_normal((4000, 2, 3))
    found = [paired(dict(enumerate(left)), dict(enumerate(right))) for left, right in draws.tolist()]
    missed = [one for one in found if one is not None and not one.low <= 0 <= one.high]
    assert len(missed) == sum(one is not None and one.p < 0.05 for one in found)
    assert abs(len(missed) - 200) <= 5 * math.sqrt(4000 * 0.05 * 0.95)


@given(PROBABILITIES)
def test_holm_rejects_what_the_step_down_procedure_rejects(values: list[float]) -> None:
    """By the procedure's own words: go up the sorted values while p <= alpha / (number of those left)."""
    for alpha in (0.01, 0.05, 0.2):
        rejected = 0
        for value in sorted(values):
            if value * (len(values) - rejected) > alpha:
                break
            rejected += 1
        assert sum(value <= alpha for value in holm(values)) == rejected
    assert all(adjusted >= value for adjusted, value in zip(holm(values), values, strict=True))


def test_holm_keeps_the_order_given() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx((0.06, 0.03, 0.06))
    assert statistics.fmean(holm([0.5, 0.9])) == 1.0
