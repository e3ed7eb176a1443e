"""One trunk that all tasks share and one head a task."""

import copy
from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn


class MultiTaskModel(nn.Module):
    """prediction_i = head_i(trunk(x)). The trunk's parameters are shared, those of a head belong to its task."""

    def __init__(self, trunk: nn.Module, heads: Sequence[nn.Module]) -> None:
        super().__init__()
        self.trunk = trunk
        self.heads = nn.ModuleList(heads)

    def forward(self, inputs: Float[Tensor, "n ..."], tasks: Sequence[int]) -> tuple[Float[Tensor, "n ..."], ...]:
        """Predictions of the tasks asked for, in that order: one pass through the trunk, then these heads only."""
        features = self.trunk(inputs)
        return tuple(self.heads[task](features) for task in tasks)

    def shared_parameters(self) -> list[nn.Parameter]:
        return list(self.trunk.parameters())

    def head_parameters(self) -> list[list[nn.Parameter]]:
        return [list(head.parameters()) for head in self.heads]


def single_task_models(model: MultiTaskModel) -> list[MultiTaskModel]:
    """One network a task, each with its own copy of the trunk and its head: the weights at which ``model`` stands."""
    return [MultiTaskModel(copy.deepcopy(model.trunk), [copy.deepcopy(head)]) for head in model.heads]
