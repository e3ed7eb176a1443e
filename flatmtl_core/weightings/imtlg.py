"""IMTL-G: equal projections on all task gradients."""

import math
from dataclasses import dataclass

import torch

from flatmtl_core.aggregate import FromGramian, Solution
from flatmtl_core.cosine import CosineForm
from flatmtl_core.laws import named_laws
from flatmtl_core.linalg import EPS, solve_positive, symmetric_eigen, to_floats


@dataclass(frozen=True)
class IMTLG(FromGramian):
    """``d = sum_i a_i g_i``, ``sum_i a_i = 1`` (any sign), with ``<d, g_i / ||g_i||>`` the same for all i.

    On the cosine matrix K of the unit rows: ``K y = 1``, ``v_i = y_i / ||g_i||``, ``a = v / sum v``; the common
    projection is ``1 / sum v``. Dependent unit rows take the pseudo-inverse of K, and then equality is not promised.
    When ``sum v`` vanishes there is no finite answer: status ``stationary``, direction zero.

    Source: Liu et al. 2021, equation 3.

    Example:
        >>> IMTLG()(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
        tensor([0.6667, 0.6667])
    """

    laws = named_laws("PERMUTATION IDENTITY_FOR_ONE_TASK ZERO_ROW_IGNORED")

    def solve(self, form: CosineForm, generator: torch.Generator | None) -> Solution:
        """The affine weights; ``gap`` is the largest ``|<d, u_i> - mean_j <d, u_j>|``."""
        solution, condition = solve_ones(form)
        values = form.over_lengths(solution)
        total = sum(values)
        if abs(total) <= 8 * len(values) * EPS * condition * sum(map(abs, values)):
            return Solution(status="stationary")
        projections = form.apply([y / total for y in solution])
        mean = sum(projections) / len(projections)
        gap = max([abs(projection - mean) for projection in projections])
        return Solution([value / total for value in values], gap * form.scale)


def solve_ones(form: CosineForm) -> tuple[list[float], float]:
    """``y = K^+ 1`` (for two rows up to a factor) and the condition number of K on its range."""
    size = len(form.lengths)
    if size <= 2:
        total = sum(form.entries[0])
        return [1.0] * size, size / total if total > 0 else math.inf
    values, vectors = symmetric_eigen(form.cosines)
    spectrum = to_floats(values)
    cut = 4 * size * EPS * spectrum[-1]
    rank = sum(value > cut for value in spectrum)
    condition = spectrum[-1] / spectrum[size - rank]
    if rank == size:
        return to_floats(solve_positive(form.cosines, torch.ones(size, 1, dtype=torch.float64))), condition
    kept = vectors[:, size - rank :]
    sums = kept.sum(0)
    if math.hypot(*to_floats(sums)) <= 8 * size * EPS * condition:  # 1 is orthogonal to the range, up to rounding
        return [0.0] * size, condition
    return to_floats(kept @ (sums / values[size - rank :])), condition
