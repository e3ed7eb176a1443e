"""One trunk that all tasks share and one head a task; the networks of the classification problems."""

import copy
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from experiments.models import bag_of_words, lenet, mlp, resnet18
from experiments.spec import CLASSES, ModelName, ProblemName


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


def build_model(name: ModelName, seed: int, problem: ProblemName = "multi_mnist") -> MultiTaskModel:
    """A trunk and one linear head a task of the problem, as torch initialises them after ``torch.manual_seed(seed)``.

    The global generator is left as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        match name:
            case "lenet":
                trunk: nn.Module = lenet.LeNetTrunk()
                features = lenet.FEATURES
            case "resnet18":
                trunk = resnet18.ResNet18Trunk()
                features = resnet18.FEATURES
            case "resnet18_colour":
                trunk = resnet18.ColourResNet18Trunk()
                features = resnet18.COLOUR_FEATURES
            case "resnet18_colour_narrow":
                trunk = resnet18.ColourResNet18Trunk(resnet18.NARROW)
                features = resnet18.COLOUR_FEATURES * resnet18.NARROW // 64
            case "bag_of_words":
                trunk = bag_of_words.BagOfWordsTrunk()
                features = bag_of_words.FEATURES
            case "mlp":
                trunk = mlp.MLPTrunk(mlp.INPUTS[problem])
                features = mlp.FEATURES
        return MultiTaskModel(trunk, [nn.Linear(features, classes) for classes in CLASSES[problem]])


def single_task_models(model: MultiTaskModel) -> list[MultiTaskModel]:
    """One network a task, each with its own copy of the trunk and its head: the weights at which ``model`` stands."""
    return [MultiTaskModel(copy.deepcopy(model.trunk), [copy.deepcopy(head)]) for head in model.heads]
