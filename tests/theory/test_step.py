"""The theory of the step and of the aggregators: what its kernels find, against what the blueprint expects."""

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles.minnorm_rational import shortest_vector
from theory.blueprint import LAWS, STEP, Entry
from theory.ledger import Finding, Verdict, weakest
from theory.proof.laws import LEMMAS
from theory.proof.step import descent_condition, problems
from theory.proof.step.problems import Vector, dot, problem, root, sizes, vector

ENTRIES = {entry.label: entry for entry in (*LAWS, *STEP)}
HOLDING = [label for label, entry in ENTRIES.items() if entry.expected == "holds"]
REFUTED = [label for label, entry in ENTRIES.items() if entry.expected == "refuted"]


@cache
def findings(label: str) -> list[Finding]:
    pairs = [check.split(":") for check in ENTRIES[label].checks]
    return [finding for module, function in pairs for finding in getattr(import_module(module), function)()]


@pytest.mark.parametrize("label", HOLDING)
def test_statements_that_hold(label: str) -> None:
    found = findings(label)
    assert len({finding.name for finding in found}) == len(found) > 0
    assert weakest(finding.verdict for finding in found).holds, [one for one in found if not one.verdict.holds]


@pytest.mark.parametrize("label", REFUTED)
def test_statements_that_are_refuted(label: str) -> None:
    found = findings(label)
    assert weakest(finding.verdict for finding in found) is Verdict.REFUTED
    assert all(finding.verdict is not Verdict.UNDECIDED for finding in found)


def test_every_lemma_about_aggregators_is_in_the_blueprint_once() -> None:
    shown = [finding.name for entry in LAWS for finding in findings(entry.label)]
    assert sorted(shown) == sorted(lemma.name for lemma in LEMMAS)


@pytest.mark.parametrize("entry", LAWS, ids=lambda entry: entry.label)
def test_a_law_that_only_matrices_of_gradients_have_says_so(entry: Entry) -> None:
    """Lemmas about Gramians rest on what Gramians are, those about products on Cauchy-Schwarz."""
    reaches = {lemma.reach.name for lemma in LEMMAS if lemma.name in {one.name for one in findings(entry.label)}}
    assert ("gramian" in entry.uses) == ("GRAMIAN" in reaches and entry.label != "law-forms")
    assert ("cauchy-schwarz" in entry.uses) == ("PRODUCTS" in reaches)


def evidence(label: str, name: str) -> str:
    (found,) = (finding for finding in findings(label) if finding.name == name)
    return found.evidence


def test_the_smallest_counterexamples() -> None:
    """As they stand in the text, found by the search in its order."""
    first = evidence("descent-condition", "smallest")
    assert "g_1 = (1, 0), H_1 = ((1, -1), (-1, 1)); g_2 = (-1, 0), H_2 = ((1, 0), (0, 0)); rho_sh^2 = 1" in first
    assert "d_loss = (0, 0), d_flat = (-1/5, -2/5)" in first
    strict = evidence("descent-condition", "smallest-strict")
    assert "g_1 = (2, 1), H_1 = ((0, 0), (0, 1)); g_2 = (-1, -2), H_2 = ((2, 0), (0, 0)); rho_sh^2 = 5" in strict
    assert "d_loss = (1/2, -1/2), d_flat = (-2/5, 4/5)" in strict
    assert "max(min_i <g_i, d>, min_i <g_i + h_i, d>) = -7/10, not >= 0" in strict
    definite = evidence("descent-condition", "smallest-definite")
    assert "g_1 = (2, 1), H_1 = ((1, 0), (0, 1)); g_2 = (-1, -2), H_2 = ((1, -1), (-1, 2)); rho_sh^2 = 5" in definite
    assert "min_i <g_i, d> = -11/34, not >= 0" in definite
    assert "max(min_i <g_i, d>, min_i <g_i + h_i, d>) = -7/10" in evidence("descent-condition", "definite-at-both")
    assert "g_1 = (-1), H_1 = ((-2))" in evidence("descent-condition", "one-concave-task")


def test_the_search_leaves_nothing_out() -> None:
    """The order is by size; every problem of the family is convex and its MGDA certified, so none was skipped."""
    family = descent_condition.family()
    assert list(map(sizes, family)) == sorted(map(sizes, family))
    assert all(fact.true for found in family[::7] for fact in found.well_posed())


ENTRY = st.integers(-4, 4)


@given(st.lists(st.tuples(ENTRY, ENTRY, ENTRY), min_size=1, max_size=2))
def test_the_shortest_vector_is_the_oracle_s(rows: Sequence[tuple[int, int, int]]) -> None:
    exact = [vector(*row) for row in rows]
    found = problems.min_norm(exact)
    assert found == shortest_vector(tuple(exact))
    assert problems.certificate("row", exact, found).true


def test_a_wrong_direction_has_no_certificate() -> None:
    rows: list[Vector] = [vector(1, 0), vector(0, 1)]
    assert not problems.certificate("row", rows, vector(1, 0)).true
    assert problems.certificate("row", rows, vector(Fraction(1, 2), Fraction(1, 2))).true


def test_what_is_no_fraction_is_refused() -> None:
    assert root(Fraction(9, 4)) == Fraction(3, 2)
    with pytest.raises(ValueError, match="irrational"):
        root(Fraction(2))
    with pytest.raises(ValueError, match="irrational"):
        _ = problem([(1, 1)], [((1, 0), (0, 1))], (1, 0)).flats


def test_a_problem_that_is_not_convex_is_seen() -> None:
    assert problem([(1, 0)], [((1, 1), (1, 1))]).convex().true
    assert not problem([(1, 0)], [((1, 2), (2, 1))]).convex().true
    assert not problem([(1, 0)], [((0, 1), (1, 0))]).convex().true
    assert problem([(1, 0)], [((2, 1), (1, 1))]).definite().true
    assert not problem([(1, 0)], [((1, 1), (1, 1))]).definite().true


def test_blocks_are_perturbed_by_their_own_radii() -> None:
    """H eps with eps = (3/5, 4/5) in the trunk and -2 in the head."""
    found = problem([(3, 4, -7)], [((1, 0, 5), (0, 2, 0), (5, 0, 9))], (1, 4))
    assert found.flats == [vector(Fraction(3, 5) - 10, Fraction(8, 5))]
    assert dot(found.losses[0], found.losses[0]) == 25
