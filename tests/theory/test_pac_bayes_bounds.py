"""Bounds as numbers: outward rounding against ball arithmetic, order relations, exact coverage, refused arguments."""

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from flint import arb, ctx
from hypothesis import example, given
from hypothesis import strategies as st

from theory.bounds import pac_bayes, rounding
from theory.bounds.binary_kl import binary_kl, kl_inverse
from theory.bounds.quantities import Estimate, InvalidBound, UpperBound, check_count, upper_bound
from theory.bounds.rounding import Interval
from theory.coverage.inverse import ARGUMENTS, exact_kl, run
from theory.coverage.inverse_records import KEPT, read_inversion

Bound = Callable[[pac_bayes.Risk, float, int, float], UpperBound]

BOUNDS: dict[str, Bound] = {
    "Seeger-Maurer": pac_bayes.seeger_maurer,
    "McAllester": pac_bayes.mcallester,
    "refined Pinsker": pac_bayes.refined_pinsker,
    "quadratic": pac_bayes.quadratic,
    "Thiemann": pac_bayes.thiemann,
    "Catoni": lambda risk, kl, n, delta: pac_bayes.catoni(risk, kl, n, delta, 1.0),
    "Catoni grid": lambda risk, kl, n, delta: pac_bayes.catoni_grid(risk, kl, n, delta, pac_bayes.temperatures(n)),
    "Alquier": lambda risk, kl, n, delta: pac_bayes.alquier(risk, kl, n, delta, math.sqrt(n)),
}
RELAXATIONS = ("McAllester", "refined Pinsker", "quadratic", "Thiemann")
NAMES = st.sampled_from(sorted(BOUNDS))
RISKS = st.floats(0, 1)
DIVERGENCES = st.one_of(st.just(0.0), st.floats(1e-6, 1e6))
COUNTS = st.integers(1, 10**7)
DELTAS = st.floats(1e-12, 0.5)


@pytest.fixture(autouse=True)
def digits() -> Any:
    ctx.prec = 200
    yield
    ctx.default()


def encloses(interval: Interval, exact: arb) -> bool:
    return bool(arb(interval.low) <= exact) and bool(exact <= arb(interval.high))


def test_the_inverse_is_never_below_the_exact_one() -> None:
    found = run(1_500)
    assert (found.count, found.below, found.loose) == (1_500, 0, 0)


@pytest.mark.thorough
def test_the_inverse_is_never_below_the_exact_one_for_100000_arguments() -> None:
    found, kept = run(), read_inversion(KEPT)
    assert (found.count, found.below, found.loose) == (ARGUMENTS, 0, 0)
    assert [row.count for row in found.rows] == [row.count for row in kept.rows]


def test_the_inverse_at_the_ends() -> None:
    assert kl_inverse(1.0, 0.3) == 1.0
    assert kl_inverse(0.25, math.inf) == 1.0
    assert kl_inverse(0.0, 0.0) <= 1e-300
    assert kl_inverse(0.5, 0.0) == pytest.approx(0.5, abs=2e-8)
    assert arb(kl_inverse(0.0, 0.5)) >= 1 - (-arb(0.5)).exp()
    assert kl_inverse(0.0, 0.5) == pytest.approx(-math.expm1(-0.5), rel=1e-14)


@pytest.mark.parametrize("tiny", [5e-324, 1e-310, 1e-300, 1e-200])
def test_the_inverse_at_risks_that_are_all_but_zero(tiny: float) -> None:
    assert kl_inverse(0.0, 0.5) <= kl_inverse(tiny, 0.5) <= kl_inverse(0.0, 0.5) * (1 + 1e-12)


def test_an_average_of_zero_risks_is_no_worse_than_zero() -> None:
    average = pac_bayes.average_task(pac_bayes.seeger_maurer, [0.0] * 3, 2.0, [0.0] * 3, 16, 0.05)
    assert average.value == pytest.approx(pac_bayes.seeger_maurer(0.0, 2.0, 16, 0.05).value, rel=1e-12)


@given(RISKS, st.floats(1e-15, 1 - 1e-15))
def test_the_divergence_of_two_coins_is_enclosed(q: float, p: float) -> None:
    exact, found = exact_kl(q, p), binary_kl(q, p)
    assert arb(found.high) >= exact
    assert not arb(found.low) > exact


def test_a_coin_that_the_other_forbids() -> None:
    assert binary_kl(0.5, 0.0).low == binary_kl(0.5, 1.0).low == math.inf
    assert binary_kl(0.0, 0.0).high <= 1e-15
    assert binary_kl(1.0, 1.0).high <= 1e-15


_FLOATS = st.floats(-1e6, 1e6)


@given(_FLOATS, _FLOATS)
@example(86.0, 4.7e-307)  # the quotient overflows
@example(-86.0, 4.7e-307)
def test_the_four_operations_enclose(a: float, b: float) -> None:
    left, right = Interval.of(a), Interval.of(b)
    x, y = Fraction(a), Fraction(b)
    results = [(left + right, x + y), (left - right, x - y), (left * right, x * y)]
    if b:
        results.append((left / right, x / y))
    for interval, exact in results:
        assert interval.low == -math.inf or Fraction(interval.low) <= exact
        assert interval.high == math.inf or exact <= Fraction(interval.high)


@given(st.floats(1e-300, 1e300))
def test_functions_enclose(x: float) -> None:
    assert encloses(rounding.log(x), arb(x).log())
    assert encloses(rounding.log1p(x), arb(x).log1p())
    assert encloses(rounding.sqrt(x), arb(x).sqrt())
    if x < 700:
        assert encloses(rounding.one_minus_exp(x), -(-arb(x)).expm1())


def test_what_is_no_interval() -> None:
    with pytest.raises(ValueError, match=r"from 2\.0 to 1\.0"):
        Interval(2.0, 1.0)
    with pytest.raises(ValueError, match="nan"):
        Interval.of(math.nan)
    with pytest.raises(ValueError, match="holds zero"):
        Interval.of(1.0) / Interval(-1.0, 1.0)


def exact_value(name: str, risk: float, kl: float, n: int, delta: float) -> arb:
    """The formula as it stands, at 200 bits."""
    q, log_delta = arb(risk), arb(delta).log()
    b = (arb(kl) + (2 * arb(n).sqrt() / arb(delta)).log()) / n
    match name:
        case "McAllester":
            return q + (b / 2).sqrt()
        case "refined Pinsker":
            return q + (2 * q * b).sqrt() + 2 * b
        case "quadratic":
            return ((q + b / 2).sqrt() + (b / 2).sqrt()) ** 2
        case "Thiemann":  # at its best t, where it is smallest
            t = 2 / ((2 * q / b + 1).sqrt() + 1)
            return q / (1 - t / 2) + b / (t * (1 - t / 2))
        case "Catoni":
            return (1 - (-q - (arb(kl) - log_delta) / n).exp()) / (1 - (-arb(1)).exp())
        case _:
            beta = arb(math.sqrt(n))
            return q + (arb(kl) - log_delta) / beta + beta / (8 * n)


@given(st.sampled_from([*RELAXATIONS, "Catoni", "Alquier"]), RISKS, DIVERGENCES, COUNTS, DELTAS)
def test_values_are_rounded_up_and_no_further(name: str, risk: float, kl: float, n: int, delta: float) -> None:
    exact, found = exact_value(name, risk, kl, n, delta), BOUNDS[name](risk, kl, n, delta)
    assert not arb(found.value) < exact
    assert found.value == pytest.approx(float(exact.mid()), rel=1e-11)


@given(NAMES, RISKS, DIVERGENCES, COUNTS, DELTAS)
def test_no_bound_is_below_the_risk_that_it_starts_from(
    name: str, risk: float, kl: float, n: int, delta: float
) -> None:
    bound = BOUNDS[name](risk, kl, n, delta)
    assert bound.failure == delta
    assert bound.value >= risk or bound.vacuous


@given(st.sampled_from(RELAXATIONS), RISKS, DIVERGENCES, COUNTS, DELTAS)
def test_the_inverse_is_the_smallest(name: str, risk: float, kl: float, n: int, delta: float) -> None:
    relaxed = BOUNDS[name](risk, kl, n, delta)
    assert pac_bayes.seeger_maurer(risk, kl, n, delta).value <= relaxed.value * (1 + 1e-7)


@given(NAMES, RISKS, RISKS, DIVERGENCES, DIVERGENCES, COUNTS, COUNTS, DELTAS, DELTAS)
def test_monotone(
    name: str, q: float, r: float, kl: float, other: float, n: int, k: int, delta: float, epsilon: float
) -> None:
    """In the risk, in KL, in 1/delta; in 1/n where the formula's temperature does not depend on n."""
    bound = BOUNDS[name]

    def rises(low: UpperBound, high: UpperBound) -> bool:
        return low.value <= high.value * (1 + 1e-7)

    least, most = sorted((q, r))
    assert rises(bound(least, kl, n, delta), bound(most, kl, n, delta))
    assert rises(bound(q, min(kl, other), n, delta), bound(q, max(kl, other), n, delta))
    assert rises(bound(q, kl, n, max(delta, epsilon)), bound(q, kl, n, min(delta, epsilon)))
    if name not in ("Catoni grid", "Alquier") and min(n, k) >= 8:  # log(2 sqrt n / delta) / n decreases from n = 1 on
        assert rises(bound(q, kl, max(n, k), delta), bound(q, kl, min(n, k), delta))


@given(st.sampled_from(["Seeger-Maurer", "McAllester", "refined Pinsker", "quadratic", "Thiemann"]), RISKS)
def test_infinitely_many_samples_give_the_risk(name: str, risk: float) -> None:
    assert BOUNDS[name](risk, 0.0, 10**15, 0.5).value == pytest.approx(risk, abs=1e-6)


@given(RISKS, DIVERGENCES, COUNTS, DELTAS, st.floats(0.01, 1.99))
def test_thiemann_at_its_best_trade_off(risk: float, kl: float, n: int, delta: float, tradeoff: float) -> None:
    best = pac_bayes.thiemann(risk, kl, n, delta).value
    assert best <= pac_bayes.thiemann(risk, kl, n, delta, tradeoff).value * (1 + 1e-9)


def test_a_grid_pays_for_its_size() -> None:
    alone = pac_bayes.catoni(0.1, 10.0, 1000, 0.05 / 3, 0.5)
    chosen = pac_bayes.catoni_grid(0.1, 10.0, 1000, 0.05, (0.5, 2.0, 8.0))
    assert chosen.value == pytest.approx(alone.value, rel=1e-12)
    assert chosen.failure == 0.05
    assert "grid of 3" in chosen.method


def test_tasks_share_delta_and_the_average_counts_the_trunk_once() -> None:
    risks, heads = (0.1, 0.2), (3.0, 5.0)
    each = pac_bayes.per_task(pac_bayes.mcallester, risks, [20.0 + head for head in heads], 500, 0.05)
    for bound, risk, head in zip(each, risks, heads, strict=True):
        assert bound.value == pytest.approx(pac_bayes.mcallester(risk, 20.0 + head, 500, 0.025).value, rel=1e-12)
        assert bound.failure <= 0.025
    mean = pac_bayes.average_task(pac_bayes.mcallester, risks, 20.0, heads, 500, 0.05)
    assert mean.value == pytest.approx(pac_bayes.mcallester(0.15, 28.0, 500, 0.05).value, rel=1e-12)


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_coverage_by_enumeration(name: str) -> None:
    """Two hypotheses, a uniform prior, the posterior on the better one: P(bound < true risk) <= delta, exactly.

    All 4^6 samples of two independent coins, with their exact probabilities.
    """
    n, delta, truth = 6, 0.2, (Fraction(1, 2), Fraction(2, 3))
    failing = Fraction(0)
    for first, second in itertools.product(range(n + 1), repeat=2):
        probability = Fraction(1)
        for mean, wrong in zip(truth, (first, second), strict=True):
            probability *= math.comb(n, wrong) * mean**wrong * (1 - mean) ** (n - wrong)
        chosen = 0 if first <= second else 1
        value = BOUNDS[name]((first, second)[chosen] / n, math.log(2), n, delta).value
        failing += probability * (Fraction(value) < truth[chosen])
    assert failing <= Fraction(delta)


def test_an_estimate_becomes_a_bound_in_one_way_only() -> None:
    bound = upper_bound(Estimate(mean=0.25, draws=200, limit=2.0), 0.01)
    exact = arb(0.25) + 2 * ((1 / arb(0.01)).log() / 400).sqrt()
    assert not arb(bound.value) < exact
    assert bound.value == pytest.approx(float(exact.mid()), rel=1e-13)
    assert (bound.failure, bound.limit, bound.vacuous) == (0.01, 2.0, False)
    assert upper_bound(Estimate(mean=0.25, draws=2), 0.01).vacuous


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pac_bayes.mcallester(1.5, 1.0, 10, 0.1), r"risk is 1.5; it must be in \[0, 1\]"),
        (lambda: pac_bayes.mcallester(math.nan, 1.0, 10, 0.1), "risk is nan"),
        (lambda: pac_bayes.seeger_maurer(0.1, -1.0, 10, 0.1), "kl is -1.0; it must be finite and >= 0"),
        (lambda: pac_bayes.quadratic(0.1, math.inf, 10, 0.1), "kl is inf"),
        (lambda: pac_bayes.thiemann(0.1, 1.0, 0, 0.1), "n_samples is 0; it must be an integer >= 1"),
        (lambda: pac_bayes.thiemann(0.1, 1.0, 10, 0.1, 2.0), "tradeoff is 2.0"),
        (lambda: pac_bayes.refined_pinsker(0.1, 1.0, 10, 1.0), r"delta is 1.0; it must be in \(0, 1\)"),
        (lambda: pac_bayes.catoni(0.1, 1.0, 10, 0.1, 0.0), "temperature is 0.0"),
        (lambda: pac_bayes.catoni_grid(0.1, 1.0, 10, 0.1, ()), r"grid is \[\]"),
        (lambda: pac_bayes.alquier(0.1, 1.0, 10, 0.1, 1.0, limit=math.inf), "limit is inf"),
        (lambda: pac_bayes.alquier(3.0, 1.0, 10, 0.1, 1.0, limit=2.0), "risk is 1.5"),
        (lambda: pac_bayes.per_task(pac_bayes.mcallester, (), (), 10, 0.1), "0 risks and 0 divergences"),
        (lambda: pac_bayes.average_task(pac_bayes.mcallester, (0.1,), 1.0, (), 10, 0.1), "1 risks and 0 divergences"),
        (lambda: kl_inverse(0.1, -1.0), "budget is -1.0"),
        (lambda: kl_inverse(0.1, math.nan), "budget is nan"),
        (lambda: Estimate(mean=0.5, draws=0), "draws is 0"),
        (lambda: Estimate(mean=0.5, draws=1), "draws is 1; it must be an integer >= 2. One draw has no error: make 2"),
        (lambda: Estimate(mean=0.5, draws=10**15 + 1), r"draws is 1000000000000001; it must be at most 1e\+15"),
        (lambda: Estimate(mean=0.5, draws=5, standard_error=-0.1), "standard_error is -0.1"),
        (lambda: pac_bayes.seeger_maurer(0.1, 1.0, 2**53 + 1, 0.1), r"n_samples is \d+; it must be at most 1e\+15"),
        (lambda: pac_bayes.seeger_maurer(0.1, 1.0, 10**400, 0.1), r"it must be at most 1e\+15"),
        (lambda: pac_bayes.temperatures(10**400), r"it must be at most 1e\+15"),
        (lambda: check_count("draws", math.nan), "draws is nan; it must be an integer >= 1"),  # type: ignore[arg-type]
        (lambda: check_count("draws", math.inf), "draws is inf; it must be an integer >= 1"),  # type: ignore[arg-type]
        (lambda: check_count("draws", -math.inf), "draws is -inf"),  # type: ignore[arg-type]
        (lambda: check_count("draws", 2.5), "draws is 2.5"),  # type: ignore[arg-type]
        (lambda: check_count("draws", 1, least=2), "draws is 1; it must be an integer >= 2"),
        (lambda: Estimate(mean=2.0, draws=5), r"mean is 2.0; it must be in \[0, 1.0\]"),
        (lambda: Estimate(mean=0.5, draws=5, limit=math.inf), "limit is inf"),
        (lambda: UpperBound(-0.1, 0.1, 1.0, "x"), "value is -0.1"),
        (lambda: UpperBound(0.1, 1.0, 1.0, "x"), "failure is 1.0"),
        (lambda: UpperBound(0.1, 0.1, math.nan, "x"), "limit is nan; it must be positive"),
        (lambda: upper_bound(Estimate(mean=0.5, draws=5), 0.0), "delta is 0.0"),
    ],
)
def test_arguments_without_a_bound_are_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidBound, match=message):
        call()


@pytest.mark.parametrize("count", [1, 5, 10**400])
def test_a_count_may_be_of_any_size(count: int) -> None:
    assert check_count("draws", count) == count


@pytest.mark.parametrize("name", BOUNDS)
@given(risk=st.floats(0, 0.9), failure=st.floats(1e-6, 0.2))
def test_what_the_risk_may_fail_by_is_added(name: str, risk: float, failure: float) -> None:
    bound = BOUNDS[name]
    exact = bound(risk, 2.0, 500, 0.05)
    drawn = bound(UpperBound(risk, failure, 1.0, "Hoeffding"), 2.0, 500, 0.05)
    assert drawn.value == exact.value
    assert exact.failure == 0.05
    assert drawn.failure >= Fraction(0.05) + Fraction(failure)
    assert drawn.failure == pytest.approx(0.05 + failure, rel=1e-12)
    assert exact.labels == drawn.labels == 500


@pytest.mark.parametrize("name", BOUNDS)
def test_an_estimate_is_no_risk(name: str) -> None:
    estimate = Estimate(0.1, 1000)
    with pytest.raises(InvalidBound, match=r"risk is an Estimate.*upper_bound\(it, delta\)"):
        BOUNDS[name](estimate, 2.0, 500, 0.05)  # type: ignore[arg-type]
    paid = BOUNDS[name](upper_bound(estimate, 0.01), 2.0, 500, 0.04)
    assert paid.value > BOUNDS[name](0.1, 2.0, 500, 0.04).value
    assert paid.failure == pytest.approx(0.05)


def test_a_risk_of_another_loss_is_refused() -> None:
    with pytest.raises(InvalidBound, match="limit of the risk is 4"):
        pac_bayes.seeger_maurer(UpperBound(0.5, 0.01, 4.0, "Hoeffding"), 2.0, 500, 0.05)


def test_the_average_task_adds_what_each_risk_may_fail_by() -> None:
    risks = [UpperBound(value, 0.01, 1.0, "Hoeffding") for value in (0.1, 0.3)]
    found = pac_bayes.average_task(pac_bayes.seeger_maurer, risks, 1.0, [0.5, 0.5], 500, 0.03)
    assert found.failure == pytest.approx(0.05)
    assert found.value == pytest.approx(
        pac_bayes.average_task(pac_bayes.seeger_maurer, [0.1, 0.3], 1.0, [0.5, 0.5], 500, 0.03).value
    )
    each = pac_bayes.per_task(pac_bayes.seeger_maurer, risks, [1.5, 1.5], 500, 0.03)
    assert [one.failure for one in each] == pytest.approx([0.025, 0.025])
