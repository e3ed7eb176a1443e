r"""Theorems A, A' and C by simulation, in worlds that leave them little room: evidence beside the proofs.

Each block is a line, with disjoint closed intervals of the radius around a row of centres symmetric about 0. A sample
gives a fair bit to each box, a product of an interval of the shared block and one of a head, and to each task; that is
its loss there, and elsewhere it is 1/2. So L_D = 1/2 everywhere, L = 1, and at the centre of a box the supremum of L_S
is the mean of that box's N bits. The adversary sees the sample and names the centre with the largest excess over the
bound: a repetition is violated if any centre is. Of the bits only the sums are drawn, which are binomial.

"The same bits" gives every task the bits of the first, so that a mean over tasks varies as much as one of them. In the
twins of the coverage C is log(m/delta), or log(1/delta), alone: the price of one parameter fixed before the sample. How
much room the theorems leave here is told by dividing C until the rate is too large.

Paper: ours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from theory.ledger import Finding
from theory.proof.kernels.simulation import Design, OppositeWorlds, World, at_most

Array = NDArray[np.float64]
DELTA = Fraction(1, 10)
DESIGN = Design(delta=DELTA, level=Fraction(1, 10**6), repetitions=2000, seed=2211)
SAMPLES = (50, 500, 5000)
CHUNK = 250
"""Repetitions at a time."""


def ratios(count: int) -> Array:
    """||theta|| / rho at the centres, 2.001 apart."""
    index = np.arange(count, dtype=np.float64)
    return np.abs(2.001 * (index - (count - 1) / 2))


def block(ratio: Array, dimension: int = 1) -> Array:
    """k log(5 + 8 r) + 2 log(1 + a(r)) + log(pi^2/6)."""
    index = np.maximum(0, np.ceil(np.log2(np.maximum(ratio, 1))))
    term: Array = dimension * np.log(5 + 8 * ratio) + 2 * np.log(1 + index) + np.log(np.pi**2 / 6)
    return term


EMPTY = block(np.zeros(1), dimension=0)
"""A head without parameters."""


@dataclass(frozen=True)
class Boxes:
    """``shared`` x ``head`` boxes for each of ``tasks``; ``same``: every task has the bits of the first."""

    shared: int
    head: int
    tasks: int
    same: bool = False

    def gaps(self, generator: np.random.Generator, repetitions: int, samples: int) -> Array:
        """1/2 - L_S, of shape (repetitions, tasks, shared, head)."""
        drawn = 1 if self.same else self.tasks
        ones = generator.binomial(samples, 0.5, size=(repetitions, drawn, self.shared, self.head))
        return np.broadcast_to(0.5 - ones / samples, (repetitions, self.tasks, self.shared, self.head))

    def blocks(self) -> tuple[Array, Array]:
        """What the shared block and a head add to the complexity, by centre."""
        return block(ratios(self.shared)), block(ratios(self.head)) if self.head > 1 else EMPTY


Excess = Callable[[Array, int], Array]
"""Of gaps and N: a positive entry is a violation; the first axis is that of the repetitions."""


def world(name: str, boxes: Boxes, samples: int, excess: Excess) -> World:
    """In chunks, to spare memory."""

    def violated(generator: np.random.Generator, repetitions: int) -> NDArray[np.bool_]:
        parts = [min(CHUNK, repetitions - start) for start in range(0, repetitions, CHUNK)]
        chunks = [excess(boxes.gaps(generator, part, samples), samples) for part in parts]
        return np.concatenate([(chunk > 0).reshape(len(chunk), -1).any(axis=1) for chunk in chunks])

    return World(f"{name}, N = {samples}", violated)


def worlds(settings: dict[str, Boxes], excess: Callable[[Boxes], Excess]) -> list[World]:
    """Every setting at every N."""
    return [world(name, boxes, samples, excess(boxes)) for name, boxes in settings.items() for samples in SAMPLES]


def level(tasks: int) -> float:
    """log(m / delta)."""
    return float(np.log(tasks / float(DELTA)))


def coordinate_wise(divisor: float = 1, complexity: bool = True) -> Callable[[Boxes], Excess]:
    """L_D^i - L_S^i - sqrt(C_i / (2N))."""

    def of(boxes: Boxes) -> Excess:
        shared, head = boxes.blocks()
        term = level(boxes.tasks) + complexity * (shared[:, None] + head[None, :])
        return lambda gaps, samples: gaps - np.sqrt(term / (2 * samples * divisor))

    return of


def joint(boxes: Boxes) -> Array:
    """C_w - log(1/delta) for two tasks, by the centres of the shared block and of both heads."""
    shared, head = boxes.blocks()
    return shared[:, None, None] + head[None, :, None] + head[None, None, :]


def weighted(divisor: float = 1, complexity: bool = True) -> Callable[[Boxes], Excess]:
    """sum_i w_i L_D^i - sum_i w_i L_S^i - sqrt(C_w / (2N)), w = (1/2, 1/2)."""

    def of(boxes: Boxes) -> Excess:
        term = level(1) + complexity * joint(boxes)

        def excess(gaps: Array, samples: int) -> Array:
            mean = (gaps[:, 0, :, :, None] + gaps[:, 1, :, None, :]) / 2
            return mean - np.sqrt(term / (2 * samples * divisor))

        return excess

    return of


def vector(divisor: float = 1, complexity: bool = True) -> Callable[[Boxes], Excess]:
    """max_i (L_D^i - L_S^i) - sqrt(C_vec / (2N)) - 1/n, n = 10 ceil(sqrt N); in a box L_S^i does not vary with eps."""

    def of(boxes: Boxes) -> Excess:
        def excess(gaps: Array, samples: int) -> Array:
            pieces = 10 * np.ceil(np.sqrt(samples))
            term = level(2) + complexity * (joint(boxes) + 2 * np.log(pieces))
            worst = np.maximum(gaps[:, 0, :, :, None], gaps[:, 1, :, None, :])
            over: Array = worst - np.sqrt(term / (2 * samples * divisor)) - 1 / pieces
            return over

        return excess

    return of


PRODUCTS = {"12 x 12 boxes": Boxes(12, 12, 2), "12 x 12 boxes, the same bits": Boxes(12, 12, 2, same=True)}
LINES = {"one task, 256 boxes": Boxes(256, 1, 1), "two tasks, 16 x 16 boxes": Boxes(16, 16, 2)}
WHERE = (
    "boxes on lines, fair bits as losses, N = 50, 500, 5000, delta = 1/10, theta the worst centre given the sample: "
)

A_PRIME, C = "Theorem A' for two tasks, w = (1/2, 1/2)", "Theorem C for two tasks, n = 10 ceil(sqrt N)"


def check_a() -> list[Finding]:
    """Theorem A."""
    return [covered("Theorem A", LINES, coordinate_wise), room("Theorem A", LINES, coordinate_wise, (2, 4))]


def check_a_prime() -> list[Finding]:
    """Theorem A', two tasks, equal weights."""
    return [covered(A_PRIME, PRODUCTS, weighted), room(A_PRIME, PRODUCTS, weighted, (4, 8))]


def check_c() -> list[Finding]:
    """Theorem C, two tasks, n = 10 ceil(sqrt N)."""
    return [covered(C, PRODUCTS, vector), room(C, PRODUCTS, vector, (4, 8))]


Bound = Callable[[float, bool], Callable[[Boxes], Excess]]


def covered(theorem: str, settings: dict[str, Boxes], bound: Bound) -> Finding:
    """The theorem, and without what it pays for all of theta."""
    return at_most(
        "coverage",
        f"{WHERE}{theorem} is violated with probability at most delta",
        DESIGN,
        worlds(settings, bound(1, True)),
        [OppositeWorlds("of C only log(m/delta), of C_w only log(1/delta) left", worlds(settings, bound(1, False)))],
    )


def room(theorem: str, settings: dict[str, Boxes], bound: Bound, divisors: tuple[int, int]) -> Finding:
    """A divisor of C that it survives in these worlds, and one that it does not."""
    kept, lost = divisors
    return at_most(
        "room",
        f"{WHERE}{theorem} with C/{kept} in place of C is violated with probability at most delta",
        DESIGN,
        worlds(settings, bound(kept, True)),
        [OppositeWorlds(f"C/{lost}", worlds(settings, bound(lost, True)))],
    )
