"""The kernel that repeats: its tails are exact, it can say no, and what it can not decide it leaves open."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from flint import arb, ctx, fmpq
from scipy.stats import beta, binom

from theory.ledger import Verdict
from theory.proof.kernels.simulation import BITS, Design, OppositeWorlds, World, at_most, decide, interval, upper_tail

DESIGN = Design(delta=Fraction(1, 10), level=Fraction(1, 10**6), repetitions=2000, seed=3)


def coin(p: float) -> World:
    return World(f"p = {p}", lambda generator, repetitions: generator.random(repetitions) < p)


@pytest.mark.parametrize(
    ("count", "n", "p"), [(0, 5, "1/3"), (2, 5, "1/3"), (5, 5, "1/3"), (7, 40, "9/10"), (3, 3, "1/2")]
)
def test_a_tail_encloses_its_exact_value(count: int, n: int, p: str):
    q = Fraction(p)
    exact = sum((comb(n, k) * q**k * (1 - q) ** (n - k) for k in range(count, n + 1)), Fraction(0))
    with ctx.workprec(2 * BITS):
        tail, value = upper_tail(count, n, q), arb(fmpq(exact.numerator, exact.denominator))
        assert tail.overlaps(value)
        assert tail.rad() < arb(2) ** -200


@pytest.mark.parametrize(("violations", "n"), [(0, 2000), (1, 2000), (200, 2000), (1999, 2000), (2000, 2000)])
def test_limits_are_clopper_pearson_rounded_outward(violations: int, n: int):
    level = Fraction(1, 1000)
    lower, upper = interval(violations, n, level)
    expected_lower = beta.ppf(1e-3, violations, n - violations + 1) if violations else 0.0
    expected_upper = beta.isf(1e-3, violations + 1, n - violations) if violations < n else 1.0
    assert -1e-12 <= expected_lower - float(lower) <= 1.001e-6
    assert -1e-12 <= float(upper) - expected_upper <= 1.001e-6


def test_tails_far_out_agree_with_scipy():
    for count in (150, 200, 201, 300):
        assert float(upper_tail(count, 2000, Fraction(1, 10))) == pytest.approx(binom.sf(count - 1, 2000, 0.1))


def test_a_rate_below_delta_is_not_rejected_and_one_above_is():
    finding = at_most("coins", "", DESIGN, [coin(0.1), coin(0.05)], [OppositeWorlds("more", [coin(0.05), coin(0.16)])])
    assert finding.verdict is Verdict.NOT_REJECTED
    assert finding.level == 1e-6
    [twin] = finding.twins
    assert twin.verdict is Verdict.REFUTED
    assert "seed 3" in twin.evidence
    assert twin.evidence.count("of 2000 violated") == 2


def test_a_refuted_statement_has_no_level():
    finding = at_most("coins", "", DESIGN, [coin(0.2)], [OppositeWorlds("less", [coin(0.1)])])
    assert finding.verdict is Verdict.REFUTED
    assert finding.level is None


def test_a_twin_that_is_not_rejected_leaves_the_statement_undecided():
    finding = at_most("coins", "", DESIGN, [coin(0.05)], [OppositeWorlds("too little", [coin(0.1)])])
    assert finding.verdict is Verdict.UNDECIDED


def test_the_level_bounds_false_rejections_exactly():
    """The counts that are rejected have, at delta itself, a mass below the level, and one more would have too much."""
    n, delta, level = 60, Fraction(1, 10), Fraction(1, 20)
    first = next(v for v in range(n + 1) if binom.sf(v - 1, n, 0.1) < 0.05)
    design = Design(delta=delta, level=level, repetitions=n, seed=0)
    verdicts = [decide(design, [World("", lambda _, n, v=v: np.arange(n) < v)])[0] for v in (first - 1, first)]
    assert verdicts == [Verdict.NOT_REJECTED, Verdict.REFUTED]


def test_a_tie_is_left_open():
    """P(Bin(4, 1/3) >= 3) = 1/9: the enclosure contains the level."""
    three = World("three", lambda _, n: np.arange(n) < 3)

    def at(level: Fraction) -> Verdict:
        return decide(Design(delta=Fraction(1, 3), level=level, repetitions=4, seed=0), [three])[0]

    assert at(Fraction(1, 9)) is Verdict.UNDECIDED
    assert at(Fraction(1, 10)) is Verdict.NOT_REJECTED
    assert at(Fraction(1, 8)) is Verdict.REFUTED


def test_the_same_seed_draws_the_same():
    assert decide(DESIGN, [coin(0.1)]) == decide(DESIGN, [coin(0.1)])
    numbers: list[float] = []
    worlds = [World("", lambda g, n: (numbers.append(g.random()), np.zeros(n, bool))[1])] * 2
    decide(DESIGN, worlds)
    assert len(set(numbers)) == 2


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="strictly between"):
        Design(delta=Fraction(1), level=Fraction(1, 2), repetitions=1, seed=0)
    with pytest.raises(ValueError, match="can not reject"):
        decide(Design(delta=Fraction(1, 10), level=Fraction(1, 10**6), repetitions=6, seed=0), [coin(1.0)])
    with pytest.raises(ValueError, match="no world"):
        decide(DESIGN, [])
    with pytest.raises(TypeError, match="one bool a repetition"):
        decide(DESIGN, [World("short", lambda _, n: np.zeros(n - 1, bool))])
    with pytest.raises(TypeError, match="one bool a repetition"):
        decide(DESIGN, [World("numbers", lambda _, n: np.zeros(n))])
