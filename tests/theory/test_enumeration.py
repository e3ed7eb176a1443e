"""The kernel that counts: its arithmetic is exact, it can say no, and what it can not decide it leaves open."""

from collections.abc import Iterator
from fractions import Fraction

import pytest

from theory.ledger import Verdict
from theory.proof.kernels.enumeration import (
    Case,
    Comparison,
    OppositeFamily,
    Space,
    decide,
    for_all,
    independent,
    uniform,
)

COIN = uniform((0, 1))


def first(outcome: tuple[int, int]) -> int:
    return outcome[0]


def second(outcome: tuple[int, int]) -> int:
    return outcome[1]


def heads(count: int, at_most: Fraction, certain: Fraction = Fraction(0)) -> Case:
    """All of ``count`` coins show 1 with probability at most ``at_most``."""
    space = independent([COIN] * count)
    return Case(
        f"{count} coins",
        space,
        Comparison("P(all)", space.probability(all), "<=", at_most),
        (Comparison("P(first)", space.probability(lambda outcome: outcome[0] == 1), ">=", certain),),
    )


def test_probabilities_and_means_are_exact():
    space = Space({0: Fraction(1, 3), 1: Fraction(1, 6), 2: Fraction(1, 2)})
    assert space.expectation(lambda outcome: outcome) == Fraction(7, 6)
    assert space.probability(lambda outcome: outcome > 0) == Fraction(2, 3)
    assert space.law(lambda outcome: outcome % 2).probabilities == {0: Fraction(5, 6), 1: Fraction(1, 6)}
    assert str(space) == "{0: 1/3, 1: 1/6, 2: 1/2}"


def test_a_product_is_independent_and_copies_are_not():
    assert independent([COIN, COIN]).dependence([first, second]) == 0
    assert uniform([(0, 0), (1, 1)]).dependence([first, second]) == Fraction(1, 4)


def test_three_pairwise_independent_variables_are_told_from_independent_ones():
    space = uniform([(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)])
    entries = [lambda outcome, i=i: outcome[i] for i in range(3)]
    assert space.dependence(entries[:2]) == space.dependence(entries[1:]) == 0
    assert space.dependence(entries) > 0


@pytest.mark.parametrize("masses", [{0: Fraction(1, 3)}, {0: Fraction(3, 2), 1: Fraction(-1, 2)}, {}])
def test_masses_that_are_no_distribution_are_refused(masses: dict[int, Fraction]):
    with pytest.raises(ValueError, match=r"probability -1/2|sum to"):
        Space(masses)


@pytest.mark.parametrize("number", [0.5, True])
def test_what_is_rounded_is_refused(number: float):
    with pytest.raises(TypeError, match="no fraction"):
        Space({0: number, 1: Fraction(1, 2)})
    with pytest.raises(TypeError, match="no fraction"):
        COIN.expectation(lambda _: number)
    with pytest.raises(TypeError, match="no fraction"):
        Comparison("", number, "<=", Fraction(1))


def test_a_family_is_enumerated_and_its_twin_refuted_with_the_space():
    true = [heads(count, Fraction(1, 2**count)) for count in (1, 2, 3)]
    false = [heads(count, Fraction(1, 4)) for count in (1, 2, 3)]
    finding = for_all("coins", "P(all) <= 2^-n", true, [OppositeFamily("1/4 for every n", false)])
    assert finding.verdict is Verdict.ENUMERATED
    assert finding.evidence.startswith("3 cases, 14 outcomes")
    [twin] = finding.twins
    assert twin.verdict is Verdict.REFUTED
    assert "P(all) = 1/2, not <= 1/4; space {(0): 1/2, (1): 1/2}" in twin.evidence
    refuted = for_all("coins", "P(all) <= 1/4", false, [OppositeFamily("2^-n", true)])
    assert refuted.verdict is Verdict.REFUTED


def test_a_twin_that_is_not_told_apart_leaves_the_statement_undecided():
    cases = [heads(1, Fraction(1, 2))]
    assert for_all("coins", "", cases, [OppositeFamily("none", cases)]).verdict is Verdict.UNDECIDED


def test_cases_outside_the_hypotheses_do_not_count_and_do_not_suffice():
    false_but_outside = heads(1, Fraction(1, 4), certain=Fraction(1))
    assert decide([heads(1, Fraction(1, 2)), false_but_outside])[0] is Verdict.ENUMERATED
    with pytest.raises(ValueError, match="no case meets"):
        decide([false_but_outside])


def test_too_many_outcomes_leave_it_open_and_are_never_reached():
    def endless() -> Iterator[Case]:
        while True:
            yield heads(2, Fraction(1, 4))

    verdict, evidence = decide(endless(), limit=10)
    assert verdict is Verdict.UNDECIDED
    assert "12 outcomes" in evidence


@pytest.mark.parametrize(
    ("relation", "truths"),
    [
        ("<", (True, False, False)),
        ("<=", (True, True, False)),
        ("=", (False, True, False)),
        (">=", (False, True, True)),
        (">", (False, False, True)),
    ],
)
def test_relations(relation: str, truths: tuple[bool, ...]):
    sides = (Fraction(1), Fraction(2), Fraction(3))
    assert tuple(Comparison("", side, relation, Fraction(2)).true for side in sides) == truths
