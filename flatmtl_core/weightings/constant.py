"""The linear methods: the same weights whatever the gradients are."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch

from flatmtl_core.aggregate import FromGramian
from flatmtl_core.cosine import cosine_form
from flatmtl_core.errors import InvalidInput
from flatmtl_core.laws import Law
from flatmtl_core.linalg import to_floats
from flatmtl_core.types import Gramian, Weighted


@dataclass(frozen=True)
class Mean(FromGramian):
    """Linear scalarisation (LS in the tables): ``d = (1/m) sum_i g_i``; zero rows count in m."""

    laws: ClassVar[frozenset[Law]] = frozenset(
        {
            Law.IN_CONE,
            Law.HOMOGENEOUS,
            Law.TASK_SCALING_LINEAR,
            Law.PERMUTATION,
            Law.ROTATION,
            Law.IDENTITY_FOR_ONE_TASK,
            Law.ZERO_TO_ZERO,
            Law.ZERO_ROW_IGNORED,
            Law.DEFINED_WHEN_STATIONARY,
            Law.ZERO_ONLY_IF_STRONGLY_STATIONARY,
            Law.LINEAR,
            Law.NORM_AT_MOST_MEAN,
            Law.CONTINUOUS,
        }
    )

    def weighting(self, gramian: Gramian, *, generator: torch.Generator | None = None) -> Weighted:
        """1/m for every nonzero row; gap 0."""
        form = cosine_form(gramian)
        weights = form.spread(torch.full((len(form.live),), 1 / form.tasks, dtype=torch.float64))
        return Weighted(weights.to(gramian.device), 0.0, "solved" if form.live else "zero")


@dataclass(frozen=True)
class Constant(FromGramian):
    """Fixed weights: ``d = sum_i w_i g_i``.

    Args:
        weights: one finite number a task, any sign.
    """

    weights: tuple[float, ...]

    laws: ClassVar[frozenset[Law]] = frozenset(
        {
            Law.HOMOGENEOUS,
            Law.TASK_SCALING_LINEAR,
            Law.ROTATION,
            Law.ZERO_TO_ZERO,
            Law.DEFINED_WHEN_STATIONARY,
            Law.LINEAR,
            Law.CONTINUOUS,
        }
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", tuple(float(weight) for weight in self.weights))
        if not self.weights or not all(math.isfinite(weight) for weight in self.weights):
            raise InvalidInput(
                "the weights can not be used",
                where="weights",
                value=self.weights,
                rule="at least one, all finite",
                remedy="pass one number a task",
            )

    def weighting(self, gramian: Gramian, *, generator: torch.Generator | None = None) -> Weighted:
        """The weights themselves; gap 0."""
        if gramian.shape[0] != len(self.weights):
            raise InvalidInput(
                "there are more or fewer weights than tasks",
                where="weights",
                value=f"{len(self.weights)} weights for {gramian.shape[0]} rows",
                rule="one weight a row",
                remedy='pass one weight a task (combine="second" and "each" aggregate two rows and can not serve it)',
            )
        zero = not any(to_floats(cosine_form(gramian).norms))
        weights = torch.tensor(self.weights, dtype=torch.float64, device=gramian.device)
        return Weighted(weights, 0.0, "zero" if zero else "solved")
