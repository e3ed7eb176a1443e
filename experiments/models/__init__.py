"""The networks of the problems: one trunk that all tasks share and one head a task."""

import torch
from torch import nn

from experiments.models import bag_of_words, lenet, mlp, resnet18, segnet
from experiments.models.multi_task import MultiTaskModel, single_task_models
from experiments.spec import CLASSES, DENSE, Attention, ModelName, ProblemName

__all__ = ["MultiTaskModel", "build_model", "single_task_models"]


def build_model(
    name: ModelName, seed: int, problem: ProblemName = "multi_mnist", *, attention: Attention = "own"
) -> MultiTaskModel:
    """The network of a problem, initialised after ``torch.manual_seed(seed)``; the global generator is left as it was.

    Classification: a trunk and one linear head a task, as torch initialises them. Dense prediction: see
    `experiments.models.segnet`.

    Args:
        attention: which parameters of `experiments.models.segnet.MTAN` are shared; other networks have only ``own``.

    Raises:
        ValueError: a network that is not made for the problem, or attention asked of one that has none.
    """
    if attention != "own" and not name.startswith("mtan"):
        raise ValueError(
            f"model {name!r} has no attention that could count as {attention!r}: use mtan or mtan_narrow, or leave "
            "attention at 'own'."
        )
    if (problem in DENSE) != name.startswith(("segnet", "mtan")):
        kind = "dense prediction" if problem in DENSE else "classification"
        fitting = "segnet, mtan or their narrow forms" if problem in DENSE else "lenet, resnet18 or mlp"
        raise ValueError(f"model {name!r} can not be trained on {problem}, which is {kind}: use {fitting}.")
    match name:
        case "segnet" | "segnet_narrow" | "mtan" | "mtan_narrow":
            channels = segnet.NARROW if name.endswith("_narrow") else segnet.CHANNELS
            (tasks, classes), mtan = DENSE[problem], name.startswith("mtan")
            if mtan:
                return segnet.build_segnet(
                    "mtan", seed, tasks=tasks, classes=classes, channels=channels, attention=attention
                )
            return segnet.build_segnet("split", seed, tasks=tasks, classes=classes, channels=channels)
        case _:
            return _classifier(name, seed, problem)


def _classifier(name: ModelName, seed: int, problem: ProblemName) -> MultiTaskModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        trunk: nn.Module
        match name:
            case "resnet18":
                trunk, features = resnet18.ResNet18Trunk(), resnet18.FEATURES
            case "resnet18_colour":
                trunk, features = resnet18.ColourResNet18Trunk(), resnet18.COLOUR_FEATURES
            case "resnet18_colour_narrow":
                trunk = resnet18.ColourResNet18Trunk(resnet18.NARROW)
                features = resnet18.COLOUR_FEATURES * resnet18.NARROW // 64
            case "bag_of_words":
                trunk, features = bag_of_words.BagOfWordsTrunk(), bag_of_words.FEATURES
            case "mlp":
                trunk, features = mlp.MLPTrunk(mlp.INPUTS[problem]), mlp.FEATURES
            case _:
                trunk, features = lenet.LeNetTrunk(), lenet.FEATURES
        return MultiTaskModel(trunk, [nn.Linear(features, classes) for classes in CLASSES[problem]])
