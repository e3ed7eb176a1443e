"""What the theorems are evaluated at, and what they add to a worst case: a value with the terms that it consists of."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from theory.bounds.quantities import LARGEST, InvalidBound, check_probability

ROOT = "square root"


def check_integer(what: str, value: int) -> None:
    if not isinstance(value, int) or not 1 <= value <= LARGEST:
        raise InvalidBound(what, value, f"an integer from 1 to {LARGEST:.0e}", "Count parameters, samples or pieces.")


def _check_positive(what: str, value: float, remedy: str) -> None:
    if not 0 < value < math.inf:
        raise InvalidBound(what, value, "positive and finite", remedy)


@dataclass(frozen=True)
class Setting:
    """What the theorems are evaluated at: m tasks, one shared block and one head a task.

    Args:
        k_shared, k_heads: numbers of parameters, one number a head; their number is m.
        norm_shared, norm_heads: Euclidean norms of the parameters.
        rho_shared, rho_heads: radii, chosen before the sample.
        n_samples: N, independent samples of each task.
        delta: probability of failure, in (0, 1).
        limit: L; every loss lies in [0, L].

    Raises:
        InvalidBound: no task; one of ``k_heads`` and ``norm_heads`` without the other; a value out of its range.
    """

    k_shared: int
    k_heads: tuple[int, ...]
    norm_shared: float
    norm_heads: tuple[float, ...]
    rho_shared: float
    rho_heads: float
    n_samples: int
    delta: float
    limit: float = 1.0

    def __post_init__(self) -> None:
        if not self.k_heads or len(self.k_heads) != len(self.norm_heads):
            found = f"{len(self.k_heads)} sizes and {len(self.norm_heads)} norms of heads"
            raise InvalidBound("number of tasks", found, "equal and at least one", "Give one of each for every task.")
        for what, size in (("k_shared", self.k_shared), *(("k_heads", size) for size in self.k_heads)):
            check_integer(what, size)
        for what, norm in (("norm_shared", self.norm_shared), *(("norm_heads", norm) for norm in self.norm_heads)):
            if not 0 <= norm < math.inf:
                raise InvalidBound(what, norm, "finite and >= 0", "Give the Euclidean norm of the block.")
        _check_positive("rho_shared", self.rho_shared, "Without a ball the theorems say nothing.")
        _check_positive("rho_heads", self.rho_heads, "Without a ball the theorems say nothing.")
        check_integer("n_samples", self.n_samples)
        check_probability("delta", self.delta)
        _check_positive("limit", self.limit, "Clip the loss: without a limit no bound holds.")

    @property
    def tasks(self) -> int:
        """Their number m."""
        return len(self.k_heads)


@dataclass(frozen=True)
class Term:
    """One summand, rounded upwards: finite and >= 0."""

    name: str
    value: float

    def __post_init__(self) -> None:
        if not 0 <= self.value < math.inf:
            raise InvalidBound(f"the term {self.name!r}", self.value, "finite", "Norms, radii or L are out of scale.")


@dataclass(frozen=True)
class Complexity:
    """What a theorem adds to the worst case, in units of the loss.

    Args:
        label: of the theorem.
        value: rounded upwards.
        terms: they add up to ``value``.
        radicand: they add up to C (nats), where the term `ROOT` is L sqrt(C / (2N)); empty where there is no root.

    Raises:
        ValueError: the terms do not add up, in exact arithmetic.
    """

    label: str
    value: float
    terms: tuple[Term, ...]
    radicand: tuple[Term, ...]
    limit: float
    n_samples: int

    def __post_init__(self) -> None:
        sums = [(Fraction(self.value), _exact_sum(self.terms))]
        if self.radicand:
            root = next(term.value for term in self.terms if term.name == ROOT)
            inside = Fraction(self.limit) ** 2 * _exact_sum(self.radicand)
            sums.append((2 * self.n_samples * Fraction(root) ** 2, inside))
        if not all(exact <= value <= exact * (1 + Fraction(1, 2**40)) for value, exact in sums):
            raise ValueError(f"Theorem {self.label}: the terms do not add up to {self.value}.")

    @property
    def vacuous(self) -> bool:
        """Whether it alone reaches L: the theorem then says nothing."""
        return self.value >= self.limit


def _exact_sum(terms: Sequence[Term]) -> Fraction:
    return sum((Fraction(term.value) for term in terms), Fraction(0))
