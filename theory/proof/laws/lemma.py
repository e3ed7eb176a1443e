"""What a lemma is, and the variables that lemmas speak about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, unique
from itertools import combinations
from typing import Literal

from z3 import ArithRef, BoolRef, If, Real, Sum

from theory.ledger import Finding
from theory.proof.kernels import smt
from theory.proof.kernels.smt import FalseImplication

Formulas = tuple[BoolRef, ...]
Terms = Sequence[ArithRef]


@unique
class Reach(Enum):
    """Why a statement about numbers is one about gradients of every dimension d."""

    GRAMIAN = (
        "The rows enter through their Gramian G alone. The Gramian of rows of any R^d is PSD, so a proof for all PSD G "
        "covers every d; every PSD G (all principal minors >= 0) is the Gramian of rows, so a model is a matrix J. "
        "Hypotheses that say less than PSD prove more."
    )
    PRODUCTS = (
        "A few vectors of any R^d, made from any number of tasks, enter through their inner products; of these only "
        "linearity, squares >= 0 and Cauchy-Schwarz are used, which hold in every R^d."
    )
    SUMMAND = (
        "Sums over tasks are taken one task at a time: the base case is the empty sum, the lemma is the step of the "
        "induction on the number of tasks. Its variables are inner products of vectors of any R^d."
    )


@dataclass(frozen=True)
class Lemma:
    """For all reals: the hypotheses imply the conclusion, or, where the verdict is "refuted", they do not.

    Args:
        name, statement: the statement in words; g_i are the rows of J, d is the direction.
        reach: why it is one about all dimensions.
        twin: a neighbour with the opposite verdict.
        verdict: the one that is expected.
        method, laws: the class and the members of Law that it concerns, by name.
        weights: names of the variables that are the method's weights for the Gramian with the entries G11, G12, ...
    """

    name: str
    statement: str
    reach: Reach
    hypotheses: Formulas
    conclusion: BoolRef
    twin: FalseImplication
    verdict: Literal["proved", "refuted"] = "proved"
    method: str = ""
    laws: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()

    def finding(self) -> Finding:
        """What z3 says of the lemma and of its twin."""
        shown = f"{self.statement} {self.reach.value}"
        return smt.implies(self.name, shown, self.hypotheses, self.conclusion, [self.twin])


def findings(lemmas: Iterable[Lemma]) -> list[Finding]:
    """One for each lemma."""
    return [lemma.finding() for lemma in lemmas]


def reals(names: str) -> list[ArithRef]:
    """The real variables of these names, which blanks separate."""
    return [Real(name) for name in names.split()]


def gramian(n_tasks: int) -> list[list[ArithRef]]:
    """The symmetric matrix of the variables G11, G12, ..."""
    return [[Real(f"G{min(i, j)}{max(i, j)}") for j in range(1, n_tasks + 1)] for i in range(1, n_tasks + 1)]


def determinant(matrix: Sequence[Terms]) -> ArithRef:
    """By the first row."""
    if len(matrix) == 1:
        return matrix[0][0]
    minors = [[[*row[:j], *row[j + 1 :]] for row in matrix[1:]] for j in range(len(matrix))]
    return Sum([(-1) ** j * matrix[0][j] * determinant(minor) for j, minor in enumerate(minors)])


def psd(matrix: Sequence[Terms]) -> Formulas:
    """All principal minors are >= 0."""
    indices = [kept for size in range(1, len(matrix) + 1) for kept in combinations(range(len(matrix)), size)]
    return tuple(determinant([[matrix[i][j] for j in kept] for i in kept]) >= 0 for kept in indices)


def dot(left: Terms, right: Terms) -> ArithRef:
    """sum_i left_i right_i."""
    return Sum([a * b for a, b in zip(left, right, strict=True)])


def products(matrix: Sequence[Terms], weights: Terms) -> list[ArithRef]:
    """<g_i, J^T w> for all i: G w."""
    return [dot(row, weights) for row in matrix]


def length_square(matrix: Sequence[Terms], weights: Terms) -> ArithRef:
    """||J^T w||^2 = w'Gw."""
    return dot(weights, products(matrix, weights))


def in_simplex(weights: Terms) -> Formulas:
    return (*(weight >= 0 for weight in weights), Sum(list(weights)) == 1)


def negative_part(term: ArithRef) -> ArithRef:
    """min(term, 0)."""
    return If(term < 0, term, 0)


def nonnegative(terms: Terms) -> Formulas:
    return tuple(term >= 0 for term in terms)


def positive(terms: Terms) -> Formulas:
    return tuple(term > 0 for term in terms)
