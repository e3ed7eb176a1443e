"""One trunk that all tasks share and one head a task; the networks of the Multi-MNIST family."""

import copy
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from experiments.models import lenet, resnet18
from experiments.spec import ModelName

TASKS = 2
CLASSES = 10


class MultiTaskModel(nn.Module):
    """prediction_i = head_i(trunk(x)). The trunk's parameters are shared, those of a head belong to its task."""

    def __init__(self, trunk: nn.Module, heads: Sequence[nn.Module]) -> None:
        super().__init__()
        self.trunk = trunk
        self.heads = nn.ModuleList(heads)

    def forward(self, images: Float[Tensor, "n c h w"], tasks: Sequence[int]) -> tuple[Float[Tensor, "n ..."], ...]:
        """Predictions of the tasks asked for, in that order: one pass through the trunk, then these heads only."""
        features = self.trunk(images)
        return tuple(self.heads[task](features) for task in tasks)

    def shared_parameters(self) -> list[nn.Parameter]:
        return list(self.trunk.parameters())

    def head_parameters(self) -> list[list[nn.Parameter]]:
        return [list(head.parameters()) for head in self.heads]


def build_model(name: ModelName, seed: int) -> MultiTaskModel:
    """Torch's default initialisation after ``torch.manual_seed(seed)``; the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        match name:
            case "lenet":
                trunk: nn.Module = lenet.LeNetTrunk()
                features = lenet.FEATURES
            case "resnet18":
                trunk = resnet18.ResNet18Trunk()
                features = resnet18.FEATURES
        return MultiTaskModel(trunk, [nn.Linear(features, CLASSES) for _ in range(TASKS)])


def single_task_models(model: MultiTaskModel) -> list[MultiTaskModel]:
    """One network a task, each with its own copy of the trunk and its head: the weights at which ``model`` stands."""
    return [MultiTaskModel(copy.deepcopy(model.trunk), [copy.deepcopy(head)]) for head in model.heads]
