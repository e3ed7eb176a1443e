"""The linear methods: the same weights whatever the gradients are."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch

from flatmtl_core.aggregate import FromGramian
from flatmtl_core.cosine import cosine_form
from flatmtl_core.errors import InvalidInput
from flatmtl_core.laws import Law, named_laws
from flatmtl_core.types import Gramian, Weighted


@dataclass(frozen=True)
class Mean(FromGramian):
    """Linear scalarisation (LS in the tables): ``d = (1/m) sum_i g_i``; zero rows count in m.

    Example:
        >>> Mean()(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
        tensor([0.5000, 1.0000])
    """

    laws: ClassVar[frozenset[Law]] = named_laws(
        "IN_CONE HOMOGENEOUS TASK_SCALING_LINEAR PERMUTATION ROTATION IDENTITY_FOR_ONE_TASK ZERO_TO_ZERO "
        "ZERO_ROW_IGNORED DEFINED_WHEN_STATIONARY ZERO_ONLY_IF_STRONGLY_STATIONARY LINEAR NORM_AT_MOST_MEAN "
        "CONTINUOUS"
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

    Example:
        >>> Constant(weights=(1.0, -1.0))(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
        tensor([ 1., -2.])
    """

    weights: tuple[float, ...]

    laws: ClassVar[frozenset[Law]] = named_laws(
        "HOMOGENEOUS TASK_SCALING_LINEAR ROTATION ZERO_TO_ZERO DEFINED_WHEN_STATIONARY LINEAR CONTINUOUS"
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", tuple(float(weight) for weight in self.weights))
        if not self.weights or not all(math.isfinite(weight) for weight in self.weights):
            rule = "at least one, all finite"
            remedy = "pass one number a task"
            raise InvalidInput("the weights can not be used", "weights", self.weights, rule, remedy)

    def weighting(self, gramian: Gramian, *, generator: torch.Generator | None = None) -> Weighted:
        """The weights themselves; gap 0."""
        if gramian.shape[0] != len(self.weights):
            rule = "one weight a row"
            remedy = 'pass one weight a task (combine="second" and "each" aggregate two rows and can not serve it)'
            raise InvalidInput(
                "there are more or fewer weights than tasks",
                "weights",
                f"{len(self.weights)} weights for {gramian.shape[0]} rows",
                rule,
                remedy,
            )
        weights = torch.tensor(self.weights, dtype=torch.float64, device=gramian.device)
        return Weighted(weights, 0.0, "solved" if cosine_form(gramian).live else "zero")
