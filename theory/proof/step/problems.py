"""Small convex problems in exact numbers: quadratic tasks, their loss, flat and SAM gradients, MGDA of one or two rows.

A task is L(x) = (1/2) x' H x + g' x at x = 0, its first ``shared`` coordinates the trunk's, the others its head's.
There g is the gradient and H eps the change of the gradient, eps = (rho_sh g_sh/||g_sh||, rho_ns g_ns/||g_ns||) in
each block (zero where the gradient is). Everything is a fraction: a radius enters by its square, and its quotient
with the norm must be rational.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from math import isqrt

from theory.proof.kernels.enumeration import Comparison, uniform

Vector = tuple[Fraction, ...]
Matrix = tuple[Vector, ...]

ONE_OUTCOME = uniform(("one outcome",))
"""The space of statements in which nothing is random."""
ZERO = Fraction(0)


def vector(*entries: Fraction | int) -> Vector:
    """The entries as fractions."""
    return tuple(map(Fraction, entries))


def dot(left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
    """sum_i x_i y_i."""
    return sum((a * b for a, b in zip(left, right, strict=True)), ZERO)


def add(left: Vector, right: Vector) -> Vector:
    """Entry by entry."""
    return tuple(a + b for a, b in zip(left, right, strict=True))


def root(square: Fraction) -> Fraction:
    """The square root.

    Raises:
        ValueError: it is no fraction.
    """
    found = Fraction(isqrt(square.numerator), isqrt(square.denominator))
    if found * found != square:
        raise ValueError(f"the square root of {square} is irrational")
    return found


def min_norm(rows: Sequence[Vector]) -> Vector:
    """The shortest vector of the convex hull of one or two rows: MGDA.

    w_1 = <g_2, g_2 - g_1> / ||g_1 - g_2||^2 within [0, 1]; ``certificate`` says that it is right.

    Raises:
        ValueError: another number of rows.
    """
    if len(rows) == 1 or rows[0] == rows[-1]:
        return rows[0]
    first, second = rows
    apart = tuple(b - a for a, b in zip(first, second, strict=True))
    weight = min(max(dot(second, apart) / dot(apart, apart), ZERO), Fraction(1))
    return tuple(weight * a + (1 - weight) * b for a, b in zip(first, second, strict=True))


def certificate(name: str, rows: Sequence[Vector], d: Vector) -> Comparison:
    """min_i <g_i, d> >= ||d||^2: d is the shortest vector of the hull (law-mgda-shortest)."""
    return Comparison(f"min_i <{name}_i, d_{name}>", min(dot(row, d) for row in rows), ">=", dot(d, d))


@dataclass(frozen=True)
class Task:
    """One quadratic loss at 0."""

    gradient: Vector
    hessian: Matrix
    shared: int

    @property
    def loss(self) -> Vector:
        """g_sh."""
        return self.gradient[: self.shared]

    def flat(self, squared_radii: tuple[Fraction, Fraction]) -> Vector:
        """[H eps]_sh."""
        blocks = self.gradient[: self.shared], self.gradient[self.shared :]
        eps: list[Fraction] = []
        for block, squared in zip(blocks, squared_radii, strict=True):
            factor = root(squared / dot(block, block)) if any(block) else ZERO
            eps += [factor * entry for entry in block]
        return tuple(dot(row, eps) for row in self.hessian[: self.shared])

    def minors(self) -> Iterator[Fraction]:
        """All principal minors of H: the task is convex exactly when none is negative."""
        size = len(self.hessian)
        for count in range(1, size + 1):
            for kept in combinations(range(size), count):
                yield determinant([[self.hessian[i][j] for j in kept] for i in kept])


def determinant(matrix: Sequence[Sequence[Fraction]]) -> Fraction:
    """By the first row."""
    if len(matrix) == 1:
        return matrix[0][0]
    minors = ([[*row[:j], *row[j + 1 :]] for row in matrix[1:]] for j in range(len(matrix)))
    return sum(((-1) ** j * matrix[0][j] * determinant(minor) for j, minor in enumerate(minors)), ZERO)


@dataclass(frozen=True)
class Problem:
    """Tasks and the squares of both radii; MGDA of their loss, flat and SAM gradients."""

    tasks: tuple[Task, ...]
    squared_radii: tuple[Fraction, Fraction]

    @cached_property
    def losses(self) -> list[Vector]:
        return [task.loss for task in self.tasks]

    @cached_property
    def flats(self) -> list[Vector]:
        return [task.flat(self.squared_radii) for task in self.tasks]

    @cached_property
    def sams(self) -> list[Vector]:
        return [add(loss, flat) for loss, flat in zip(self.losses, self.flats, strict=True)]

    @cached_property
    def loss(self) -> Vector:
        """A(g_loss)."""
        return min_norm(self.losses)

    @cached_property
    def flat(self) -> Vector:
        """A(g_flat)."""
        return min_norm(self.flats)

    @cached_property
    def decomposed(self) -> Vector:
        """A(g_loss) + A(g_flat)."""
        return add(self.loss, self.flat)

    @cached_property
    def direct(self) -> Vector:
        """A(g_SAM)."""
        return min_norm(self.sams)

    def convex(self) -> Comparison:
        """No principal minor of a Hessian is negative. A task may still be unbounded below, along a kernel."""
        least = min(minor for task in self.tasks for minor in task.minors())
        return Comparison("least principal minor of the Hessians", least, ">=", ZERO)

    def definite(self) -> Comparison:
        """All principal minors of the Hessians are positive: every task is bounded below, a loss up to a constant."""
        least = min(minor for task in self.tasks for minor in task.minors())
        return Comparison("least principal minor of the Hessians", least, ">", ZERO)

    def certificates(self) -> tuple[Comparison, ...]:
        """The three directions are MGDA's."""
        return (
            certificate("loss", self.losses, self.loss),
            certificate("flat", self.flats, self.flat),
            certificate("SAM", self.sams, self.direct),
        )

    def well_posed(self) -> tuple[Comparison, ...]:
        """Every task is convex, and the three directions are MGDA's."""
        return (self.convex(), *self.certificates())

    def __str__(self) -> str:
        parts = [
            f"g_{i} = {shown(task.gradient)}, H_{i} = {shown(task.hessian)}" for i, task in enumerate(self.tasks, 1)
        ]
        radii = f"rho_sh^2 = {self.squared_radii[0]}, rho_ns^2 = {self.squared_radii[1]}"
        rows = f"flat gradients {', '.join(map(shown, self.flats))}"
        found = f"d_loss = {shown(self.loss)}, d_flat = {shown(self.flat)}, direct = {shown(self.direct)}"
        return f"{'; '.join(parts)}; {radii}; {rows}; {found}"


def shown(entries: Sequence[object]) -> str:
    """(1, 1/2), ((1, 0), (0, 1))."""
    return f"({', '.join(shown(entry) if isinstance(entry, tuple) else str(entry) for entry in entries)})"


def problem(
    gradients: Sequence[Sequence[int]],
    hessians: Sequence[Sequence[Sequence[int]]],
    squared_radii: tuple[int, int] = (1, 0),
    shared: int = 2,
) -> Problem:
    """From integers; the coordinates after the first ``shared`` are the heads'."""
    tasks = [
        Task(vector(*gradient), tuple(vector(*row) for row in hessian), shared)
        for gradient, hessian in zip(gradients, hessians, strict=True)
    ]
    return Problem(tuple(tasks), (Fraction(squared_radii[0]), Fraction(squared_radii[1])))


def sizes(found: Problem) -> tuple[Fraction, Fraction]:
    """The largest absolute value of an entry of gradients and Hessians; the sum of all, those of H up to symmetry."""
    entries = [
        abs(entry)
        for task in found.tasks
        for row in (task.gradient, *(line[i:] for i, line in enumerate(task.hessian)))
        for entry in row
    ]
    return max(entries), sum(entries, ZERO)
