"""IMTL-G: equal projections on all task gradients."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float64
from torch import Tensor

from flatmtl_core.aggregate import FromGramian
from flatmtl_core.cosine import cosine_form
from flatmtl_core.laws import Law, named_laws
from flatmtl_core.linalg import EPS, solve_positive, symmetric_eigen, to_floats
from flatmtl_core.types import Gramian, Weighted


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

    laws: ClassVar[frozenset[Law]] = named_laws(
        "HOMOGENEOUS PERMUTATION ROTATION IDENTITY_FOR_ONE_TASK ZERO_TO_ZERO ZERO_ROW_IGNORED"
    )

    def weighting(self, gramian: Gramian, *, generator: torch.Generator | None = None) -> Weighted:
        """The affine weights; ``gap`` is the largest ``|<d, u_i> - mean_j <d, u_j>|``."""
        form = cosine_form(gramian)
        if not form.live:
            return form.nothing("zero", gramian.device)
        solution, condition = solve_ones(form.cosines)
        values = solution / form.norms
        total, reach = to_floats(torch.stack([values.sum(), values.abs().sum()]))
        if abs(total) <= 8 * len(form.live) * EPS * condition * reach:
            return form.nothing("stationary", gramian.device)
        projections = form.cosines @ (solution / total)
        gap = to_floats((projections - projections.mean()).abs().amax())[0]
        return Weighted(form.spread(values / total).to(gramian.device), gap * form.scale, "solved")


def solve_ones(cosines: Float64[Tensor, "n n"]) -> tuple[Float64[Tensor, " n"], float]:
    """``y = K^+ 1`` and the condition number of K on its range."""
    size = cosines.shape[0]
    if size == 1:
        return torch.ones(1, dtype=torch.float64), 1.0
    values, vectors = symmetric_eigen(cosines)
    spectrum = to_floats(values)
    cut = 4 * size * EPS * spectrum[-1]
    rank = sum(value > cut for value in spectrum)
    condition = spectrum[-1] / spectrum[size - rank]
    if rank == size:
        return solve_positive(cosines, torch.ones(size, 1, dtype=torch.float64)).squeeze(1), condition
    kept = vectors[:, size - rank :]
    return kept @ (kept.sum(0) / values[size - rank :]), condition
