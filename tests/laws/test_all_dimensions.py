"""Laws decided for every dimension at once (`theory/proof/laws/`), joined to the core.

The weights that a lemma speaks about are the core's; a false lemma's model becomes rows with fractions as entries, on
which the core breaks the same law. That z3 gives the verdicts is checked in `theory/test_laws.py`.
"""

from collections.abc import Mapping
from fractions import Fraction
from itertools import combinations_with_replacement, product

import pytest
import z3
from sympy.solvers.diophantine.diophantine import sum_of_four_squares
from torch import Tensor

import flatmtl_core
from flatmtl_core import CAGrad, Law, PCGrad
from tests.assertions import Method, pcgrad_candidates, seeded
from tests.laws.claims import CLAIMS
from tests.laws.predicates import PREDICATES
from tests.oracles.minnorm_rational import Matrix, dot, rank
from tests.strategies import Trial, tensor
from theory.proof.kernels import smt
from theory.proof.laws import LEMMAS
from theory.proof.laws.lemma import Lemma

AGGREGATORS: dict[str, Method] = {
    "cagrad of two with c = 1": CAGrad(c=1.0),
    "cagrad of two with c = 1/2": CAGrad(c=0.5),
}
"""The methods of lemmas about particular arguments; all others take no argument."""
ACCURACY = Fraction(1, 10**10)
REFUTED = [lemma for lemma in LEMMAS if lemma.verdict == "refuted"]


def aggregator(lemma: Lemma) -> Method:
    built: Method = AGGREGATORS.get(lemma.name) or getattr(flatmtl_core, lemma.method)()
    return built


def core_weights(lemma: Lemma, gramian: Matrix) -> list[float]:
    return aggregator(lemma).weighting(floats(gramian), generator=seeded()).weights.tolist()


def entries(values: Mapping[str, Fraction]) -> Matrix:
    """The Gramian of a model that speaks about its entries, or about norms and cosines."""
    size = 3 if {"G33", "s3"} & set(values) else 2
    norms = [values.get(f"s{i + 1}", Fraction(1)) for i in range(size)]
    table = [[Fraction(0)] * size for _ in range(size)]
    for i, j in combinations_with_replacement(range(size), 2):
        pair = f"{i + 1}{j + 1}"
        cosine = Fraction(1) if i == j else values.get(f"K{pair}", Fraction(0))
        table[i][j] = table[j][i] = values.get(f"G{pair}", norms[i] * norms[j] * cosine)
    return tuple(tuple(row) for row in table)


def rows_with_gramian(gramian: Matrix) -> Matrix:
    """m rows of 4 m fractions with this Gramian, any PSD matrix of fractions.

    G = L D L' with D >= 0, and by Lagrange p/q = p q / q^2 is a sum of the squares of four fractions: row i is L_ik
    times the four roots of D_k, for all k.
    """
    rest = [list(row) for row in gramian]
    rows: list[list[Fraction]] = [[] for _ in rest]
    for k in range(len(rest)):
        pivot, column = rest[k][k], [row[k] for row in rest]
        assert pivot > 0 or not any([pivot, *column]), "not PSD"
        roots = [Fraction(int(n), pivot.denominator) for n in sum_of_four_squares(pivot.numerator * pivot.denominator)]
        factors = [entry / pivot if pivot else entry for entry in column]
        for i, factor in enumerate(factors):
            rows[i] += [factor * root for root in roots]
            rest[i] = [entry - factor * other for entry, other in zip(rest[i], column, strict=True)]
    return tuple(tuple(row) for row in rows)


def gramian_of(rows: Matrix) -> Matrix:
    return tuple(tuple(dot(left, right) for right in rows) for left in rows)


def floats(matrix: Matrix) -> Tensor:
    return tensor([[float(entry) for entry in row] for row in matrix])


def model(lemma: Lemma) -> dict[str, Fraction]:
    """The values that refute the lemma."""
    answer = smt.decide(lemma.hypotheses, lemma.conclusion)
    assert answer.verdict == "refuted"
    return dict(answer.values)


def described(norms: str, cosines: str) -> dict[str, Fraction]:
    """s1, .., K12, .. and G11, .. of rows with these norms and cosines (those of 12, 13, 23)."""
    lengths, angles = norms.split(), cosines.split()
    values = {f"s{i + 1}": Fraction(length) for i, length in enumerate(lengths)}
    values |= {f"K{pair}": Fraction(angle) for pair, angle in zip(("12", "13", "23"), angles, strict=False)}
    for (i, row), j in product(enumerate(entries(values)), range(len(lengths))):
        values[f"G{i + 1}{j + 1}"] = row[j]
    return values


DESCRIBED = (
    described("1 2", "-16/25"),
    described("1 4", "9/16"),
    described("4 1", "9/16"),
    described("3 1/2", "-15/16"),
    described("1 1", "0"),
    described("1 2 3", "-2/5 -1/15 2/3"),
    described("2 1 1/2", "-1/2 -1/2 1/9"),
    described("1 1 3", "-5/18 -5/18 -5/18"),
)
"""Independent rows with rational norms and Nash weights: in and out of conflict, with and without a clipped weight."""


def _constant(value: Fraction) -> z3.RatNumRef:
    return z3.Q(value.numerator, value.denominator)


@pytest.mark.parametrize("lemma", REFUTED, ids=lambda lemma: lemma.name)
def test_a_model_is_a_matrix_with_the_method_s_own_weights(lemma: Lemma) -> None:
    """Rows in fractions have exactly the model's Gramian, and the core finds the model's weights on it."""
    values = model(lemma)
    gramian = entries(values)
    rows = rows_with_gramian(gramian)
    assert gramian_of(rows) == gramian
    if lemma.weights:
        expected = [float(values[name]) for name in lemma.weights]
        assert core_weights(lemma, gramian) == pytest.approx(expected, rel=float(ACCURACY))


@pytest.mark.parametrize(
    "lemma", [lemma for lemma in REFUTED if "COMMON_DESCENT" in lemma.laws], ids=lambda lemma: lemma.name
)
def test_the_core_breaks_the_law_on_a_model_s_rows(lemma: Lemma) -> None:
    rows = floats(rows_with_gramian(entries(model(lemma))))
    for seed in range(20):
        with pytest.raises(AssertionError, match="<g_i, d>"):
            PREDICATES[Law.COMMON_DESCENT](aggregator(lemma), Trial(rows=rows, seed=seed))


def test_pcgrad_conflicts_in_every_order() -> None:
    (lemma,) = (lemma for lemma in REFUTED if lemma.method == "PCGrad")
    rows = floats(rows_with_gramian(entries(model(lemma))))
    candidates = pcgrad_candidates(PCGrad(), rows)
    assert len(candidates) > 1
    assert all(float((rows @ candidate).min()) < -0.12 for candidate in candidates)


@pytest.mark.parametrize("values", DESCRIBED, ids=lambda values: str(len(entries(values))))
def test_the_rows_described_are_independent(values: Mapping[str, Fraction]) -> None:
    assert rank(rows_with_gramian(entries(values))) == len(entries(values))


@pytest.mark.parametrize(
    ("lemma", "values"),
    [
        pytest.param(lemma, values, id=f"{lemma.name}-{number}")
        for lemma in LEMMAS
        for number, values in enumerate(DESCRIBED)
        if len(lemma.weights) == len(entries(values)) and lemma.verdict == "proved"
    ],
)
def test_the_lemma_s_weights_are_the_core_s(lemma: Lemma, values: Mapping[str, Fraction]) -> None:
    """With the Gramian given, the hypotheses hold for some weights next to the core's: the lemma speaks about them."""
    spoken_of = set(smt.variables(lemma.hypotheses)) & set(values)
    assert spoken_of
    near = [z3.Real(name) == _constant(values[name]) for name in spoken_of]
    for name, weight in zip(lemma.weights, core_weights(lemma, entries(values)), strict=True):
        near.append(z3.Real(name) > _constant(Fraction(weight) - ACCURACY))
        near.append(z3.Real(name) < _constant(Fraction(weight) + ACCURACY))
    assert smt.consistent((*lemma.hypotheses, *near))


def test_every_lemma_speaks_about_something_that_exists() -> None:
    assert len({lemma.name for lemma in LEMMAS}) == len(LEMMAS)
    assert {lemma.method for lemma in LEMMAS if lemma.method} <= set(flatmtl_core.__all__)
    assert {lemma.name for lemma in LEMMAS} >= set(AGGREGATORS)
    for lemma in LEMMAS:
        assert not lemma.laws or lemma.method
        assert {law.name for law in Law}.issuperset(lemma.laws)
        assert set(lemma.weights) <= set(smt.variables(lemma.hypotheses))


@pytest.mark.parametrize("lemma", [lemma for lemma in LEMMAS if lemma.laws], ids=lambda x: x.name)
def test_verdicts_agree_with_what_the_classes_promise(lemma: Lemma) -> None:
    """A law of a proved lemma is promised, under a condition at least; a law of a refuted one is not promised."""
    cls = type(aggregator(lemma))
    for law in map(Law.__getitem__, lemma.laws):
        claim = CLAIMS.get((cls, law))
        if lemma.verdict == "proved":
            assert law in cls.laws or (claim is not None and claim.conditional)
        else:
            assert law not in cls.laws
            assert claim is not None


@pytest.mark.parametrize("gramian", [((1, 2), (2, 3)), ((0, 1), (1, 1)), ((-1,),)])
def test_no_rows_are_made_for_what_is_no_gramian(gramian: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(AssertionError, match="not PSD"):
        rows_with_gramian(tuple(tuple(map(Fraction, row)) for row in gramian))
