"""Aligned-MTL: the rows made orthogonal, with the smallest of their singular values."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float64
from torch import Tensor

from flatmtl_core.aggregate import FromGramian, Solution
from flatmtl_core.cosine import CosineForm
from flatmtl_core.errors import check_choice
from flatmtl_core.laws import named_laws
from flatmtl_core.linalg import EPS, to_floats

_SWEEPS = 30


@dataclass(frozen=True)
class AlignedMTL(FromGramian):
    """``d = J^T a``, ``a = sqrt(l_r) V L^(-1/2) V^T w``, ``G = V L V^T`` with r positive eigenvalues, l_r the smallest.

    ``J`` is replaced by ``sqrt(l_r)`` times its polar factor, so that the condition number is 1. Zero rows count in m.
    The rank r is that of the cosine matrix at rounding scale, whatever the norms are; ``gap`` is 0.

    Args:
        reduction: ``"mean"``: ``w = 1/m`` (the method's paper), ``"sum"``: ``w = 1``.

    Source: Senushkin et al. 2023, equation 14.

    Example:
        >>> AlignedMTL()(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
        tensor([0.5000, 0.5000])
    """

    reduction: Literal["mean", "sum"] = "mean"

    laws = named_laws("PERMUTATION IDENTITY_FOR_ONE_TASK ZERO_ROW_IGNORED DEFINED_WHEN_STATIONARY")
    laws |= named_laws("ZERO_ONLY_IF_STRONGLY_STATIONARY")

    def __post_init__(self) -> None:
        check_choice("reduction", self.reduction, ("mean", "sum"))

    def solve(self, form: CosineForm, generator: torch.Generator | None) -> Solution:
        """``sum_k (l_r / l_k)^(1/2) v_k <v_k, w>``."""
        scaled = orthogonal_columns(graded_factor(form.cosines, form.norms))
        roots = scaled.square().sum(0).sqrt()
        vectors = scaled / roots
        share = 1 / form.tasks if self.reduction == "mean" else 1.0
        return Solution(to_floats(share * (vectors * (roots.min() / roots)) @ vectors.sum(0)))


def graded_factor(cosines: Float64[Tensor, "n n"], norms: Float64[Tensor, " n"]) -> Float64[Tensor, "n r"]:
    """X with ``X X^T = diag(s) K diag(s)``: Cholesky with the largest pivot first, columns of falling length.

    A row whose remaining square is at the rounding of its own square depends on those before it, however short it is.
    """
    rest, columns = cosines * norms * norms.unsqueeze(1), list[Tensor]()
    squares = norms.square()
    for _ in range(len(norms)):
        left = rest.diagonal()
        pivots = to_floats(torch.where(left > 64 * len(norms) * EPS * squares, left, 0.0))
        pivot = max(range(len(pivots)), key=pivots.__getitem__)
        if pivots[pivot] == 0:
            break
        columns.append(rest[pivot] / math.sqrt(pivots[pivot]))
        rest = rest - torch.outer(columns[-1], columns[-1])
    return torch.stack(columns, dim=1)


def orthogonal_columns(matrix: Float64[Tensor, "n r"]) -> Float64[Tensor, "n r"]:
    """``X W`` with an orthogonal W and orthogonal columns: left singular vectors times singular values.

    Source: one-sided Jacobi rotations (Demmel and Veselic 1992), which find small singular values of columns of very
    different lengths to full relative accuracy; a round rotates disjoint pairs at once.
    """
    count = matrix.shape[1] + matrix.shape[1] % 2
    table = torch.nn.functional.pad(matrix, (0, count - matrix.shape[1]))
    order = list(range(count))
    for _ in range(_SWEEPS):
        worst = 0.0
        for _ in range(count - 1):
            first, second = order[: count // 2], order[: count // 2 - 1 : -1]
            worst = max(worst, _rotate(table, first, second))
            order = [order[0], order[-1], *order[1:-1]]
        if worst <= 4 * EPS * len(matrix):
            break
    return table[:, table.any(dim=0)]


def _rotate(table: Tensor, first: list[int], second: list[int]) -> float:
    """Make the pairs of columns orthogonal, in place; the largest cosine that was found."""
    left, right = table[:, first], table[:, second]
    a, b, product = left.square().sum(0), right.square().sum(0), (left * right).sum(0)
    size = (a * b).sqrt()
    cosine = torch.where(size > 0, product / size, 0.0)
    half = (b - a) / (2 * product)
    tangent = half.sign() / (half.abs() + (1 + half.square()).sqrt())
    tangent = torch.where(cosine == 0, 0.0, torch.where(half == 0, 1.0, tangent))
    c = 1 / (1 + tangent.square()).sqrt()
    table[:, first], table[:, second] = c * (left - tangent * right), c * (tangent * left + right)
    return max(to_floats(cosine.abs()), default=0.0)
