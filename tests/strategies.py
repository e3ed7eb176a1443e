"""What the tests draw: small matrices with few, exact values, in which conflicts, ties and dependences are frequent.

High-dimensional Gaussian rows hardly ever conflict and so test nothing. All entries here are integers times powers of
two, small enough for float64 to hold every entry of the Gramian without rounding, so that the rational oracles decide
about the very matrix that the code sees.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

ENTRIES = (0, 1, -1, 5, -5, 10, -10, 20, -20)
"""Ten times {0, +-.1, +-.5, +-1, +-2}."""

_SCALES = (2.0**-20, 0.25, 3.0, 2.0**20)
_TASK_SCALES = (0.25, 0.5, 1.0, 2.0, 3.0, 8.0)
_HADAMARD = torch.tensor([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]], dtype=torch.float64) / 2

_ENTRY = st.sampled_from(ENTRIES)
sizes = st.integers(1, 4)


def tensor(rows: object) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


@st.composite
def few_valued(draw: st.DrawFn, n_tasks: int, n_params: int) -> Tensor:
    """(m, d) entries of ``ENTRIES``: zero rows, duplicates, opposites and dependent rows all occur."""
    count = n_tasks * n_params
    return tensor(draw(st.lists(_ENTRY, min_size=count, max_size=count))).reshape(n_tasks, n_params)


@st.composite
def scaled(draw: st.DrawFn, n_tasks: int, n_params: int, reach: int = 8) -> Tensor:
    """Few-valued rows, each times 2^k with |k| <= reach: one task drowns another."""
    exponents = draw(st.lists(st.integers(-reach, reach), min_size=n_tasks, max_size=n_tasks))
    return draw(few_valued(n_tasks, n_params)) * torch.exp2(tensor(exponents)).unsqueeze(1)


@st.composite
def stationary(draw: st.DrawFn, n_tasks: int, n_params: int) -> Tensor:
    """0 is in the convex hull of the rows.

    Proof: with k <= m the last row of the first k is -(w_1 g_1 + .. + w_{k-1} g_{k-1}) with integers w_i >= 1, formed
    without rounding, so w_1 g_1 + .. + w_{k-1} g_{k-1} + 1 g_k = 0; dividing by the sum of these positive numbers gives
    the convex combination. The other rows get weight 0, and a permutation of the rows changes nothing. For k = 1 the
    empty sum makes a zero row.
    """
    rows = draw(few_valued(n_tasks, n_params))
    last = draw(st.integers(0, n_tasks - 1))
    weights = tensor(draw(st.lists(st.integers(1, 3), min_size=last, max_size=last)))
    rows[last] = -(weights @ rows[:last])
    return rows[draw(st.permutations(range(n_tasks)))]


@st.composite
def separated(draw: st.DrawFn, n_tasks: int, n_params: int) -> Tensor:
    """0 is not in the convex hull, and no unit row is nearer than 1e-2 to the hyperplane that shows it.

    Proof: one coordinate c of every row has the same sign s and an absolute value >= 1; then every convex combination
    of the unit rows has inner product >= 1 / ||(1, 20, 20, 20)|| > 0.028 with s e_c, hence at least that length.
    """
    rows = draw(few_valued(n_tasks, n_params))
    column = draw(st.integers(0, n_params - 1))
    rows[:, column] = draw(st.sampled_from((1.0, -1.0))) * rows[:, column].abs().clamp(min=1.0)
    return rows


KINDS = {"few_valued": few_valued, "scaled": scaled, "stationary": stationary, "separated": separated}


@dataclass(frozen=True)
class Trial:
    """A matrix and all that a law may do to it.

    Args:
        rows: J, (m, d).
        other: a second matrix of that shape.
        scale: a factor for all rows.
        task_scales: two positive factors for each row.
        order: a permutation of the tasks.
        mixture: four tasks; the mean of their rows is a convex combination, exact in binary.
        rotation: (d, 4) with orthonormal rows.
        seed: of the generator.
    """

    rows: Tensor
    other: Tensor | None = None
    scale: float = 2.0
    task_scales: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())
    order: tuple[int, ...] = ()
    mixture: tuple[int, int, int, int] = (0, 0, 0, 0)
    rotation: Tensor | None = None
    seed: int = 0


def rotations(count: int) -> st.SearchStrategy[Tensor]:
    """(count, 4): rows of a signed, permuted Hadamard matrix divided by 2, orthonormal and exact in binary."""
    signs = st.lists(st.sampled_from((1.0, -1.0)), min_size=4, max_size=4).map(tensor)
    return st.tuples(signs, st.permutations(range(4))).map(lambda drawn: (_HADAMARD * drawn[0])[drawn[1]][:count])


def _task_scales(m: int, d: int) -> st.SearchStrategy[tuple[tuple[float, ...], ...]]:
    scales = st.lists(st.sampled_from(_TASK_SCALES), min_size=m, max_size=m).map(tuple)
    return st.tuples(scales, scales)


_CHANGES: dict[str, Callable[[int, int], st.SearchStrategy[Any]]] = {
    "other": few_valued,
    "scale": lambda m, d: st.sampled_from(_SCALES),
    "task_scales": _task_scales,
    "order": lambda m, d: st.permutations(range(m)).map(tuple),
    "mixture": lambda m, d: st.tuples(*4 * [st.integers(0, m - 1)]),
    "rotation": lambda m, d: rotations(d),
}


@st.composite
def trials(
    draw: st.DrawFn,
    changes: tuple[str, ...] = (),
    n_tasks: tuple[int, ...] = (1, 2, 3, 4),
    kinds: tuple[str, ...] = tuple(KINDS),
) -> Trial:
    """A matrix of one of the kinds, with the named changes drawn."""
    m, d = draw(st.sampled_from(n_tasks)), draw(sizes)
    rows = draw(KINDS[draw(st.sampled_from(kinds))](m, d))
    seed = draw(st.integers(0, 2**16))
    return Trial(rows, seed=seed, **{name: draw(_CHANGES[name](m, d)) for name in changes})
