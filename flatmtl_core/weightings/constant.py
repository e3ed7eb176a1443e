"""The linear methods: the same weights whatever the gradients are."""

import math
from dataclasses import dataclass

import torch

from flatmtl_core.aggregate import FromGramian, Solution
from flatmtl_core.cosine import CosineForm
from flatmtl_core.errors import InvalidInput
from flatmtl_core.laws import named_laws


@dataclass(frozen=True)
class Mean(FromGramian):
    """Linear scalarisation (LS in the tables): ``d = (1/m) sum_i g_i``; zero rows count in m.

    Example:
        >>> Mean()(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
        tensor([0.5000, 1.0000])
    """

    laws = named_laws("IN_CONE TASK_SCALING_LINEAR PERMUTATION IDENTITY_FOR_ONE_TASK ZERO_ROW_IGNORED")
    laws |= named_laws("DEFINED_WHEN_STATIONARY ZERO_ONLY_IF_STRONGLY_STATIONARY LINEAR NORM_AT_MOST_MEAN CONTINUOUS")

    def solve(self, form: CosineForm, generator: torch.Generator | None) -> Solution:
        """1/m for every nonzero row; gap 0."""
        return Solution([1 / form.tasks] * len(form.live))


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

    laws = named_laws("TASK_SCALING_LINEAR DEFINED_WHEN_STATIONARY LINEAR CONTINUOUS")

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", tuple(float(weight) for weight in self.weights))
        if not self.weights or not all(math.isfinite(weight) for weight in self.weights):
            rule, remedy = "at least one, all finite", "pass one number a task"
            raise InvalidInput("the weights can not be used", "weights", self.weights, rule, remedy)

    def solve(self, form: CosineForm, generator: torch.Generator | None) -> Solution:
        """The weights themselves; gap 0."""
        if form.tasks != len(self.weights):
            what, found = "there are more or fewer weights than tasks", f"{len(self.weights)} for {form.tasks} rows"
            remedy = 'pass one weight a task (combine="second" and "each" aggregate two rows and can not serve it)'
            raise InvalidInput(what, "weights", found, "one weight a row", remedy)
        return Solution([self.weights[task] for task in form.live])
