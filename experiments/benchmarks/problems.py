"""What is timed: networks with their losses on one fixed batch."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from experiments.models import build_model
from experiments.models.segnet import SegNetKind, build_segnet
from experiments.problems.dense_losses import depth_loss, normal_loss, segmentation_loss

Call = Callable[[], object]
Losses = Callable[[tuple[int, ...]], Sequence[Tensor]]


@dataclass(frozen=True)
class StepProblem:
    """A model with its losses on one fixed batch.

    Args:
        key, label: short and for readers.
        losses: as the step wants them: task indices -> their losses, through the trunk and these tasks' heads only.
        trunk: the module whose output all heads read; None where heads also read inside the trunk.
        branches: whether the tasks' own parts are large, so that the floor must count them task by task.
    """

    key: str
    label: str
    batch: int
    model: nn.Module
    losses: Losses
    shared: list[nn.Parameter]
    heads: list[list[nn.Parameter]]
    trunk: nn.Module | None
    branches: bool = False

    @property
    def tasks(self) -> tuple[int, ...]:
        return tuple(range(len(self.heads)))

    @property
    def columns(self) -> int:
        """Number of shared parameters, d."""
        return sum(parameter.numel() for parameter in self.shared)

    @contextmanager
    def features(self) -> Iterator[list[Tensor]]:
        """Collects the outputs of the trunk."""
        assert self.trunk is not None
        found: list[Tensor] = []
        handle = self.trunk.register_forward_hook(lambda module, inputs, output: found.append(output))
        try:
            yield found
        finally:
            handle.remove()

    def write_gradients(self, direction: Tensor, head_gradients: Sequence[Tensor]) -> None:
        """Flat vectors into ``.grad``, as views: one for the shared parameters, one for each head."""
        blocks = [self.shared, *self.heads]
        for parameters, vector in zip(blocks, [direction, *head_gradients], strict=True):
            pieces = vector.split([parameter.numel() for parameter in parameters])
            for parameter, piece in zip(parameters, pieces, strict=True):
                parameter.grad = piece.view_as(parameter)


def _image_problem(name: str, batch: int, dtype: torch.dtype) -> StepProblem:
    """Two digits on one picture, as in the Multi-MNIST family, of noise: costs do not depend on what is seen."""
    model = build_model("lenet" if name == "lenet" else "resnet18", 0).to(dtype)
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(batch, 1, 36, 36, generator=generator, dtype=dtype)
    labels = torch.randint(10, (2, batch), generator=generator)

    def losses(tasks: tuple[int, ...]) -> list[Tensor]:
        logits = model(images, tasks)
        return [functional.cross_entropy(one, labels[task]) for task, one in zip(tasks, logits, strict=True)]

    label = {"lenet": "LeNet, 36x36", "resnet18": "ResNet-18, 36x36"}[name]
    return StepProblem(
        f"{name}-b{batch}",
        f"{label}, batch {batch}, m = 2",
        batch,
        model,
        losses,
        model.shared_parameters(),
        model.head_parameters(),
        model.trunk,
    )


def mlp(tasks: int, *, width: int = 512, batch: int = 128, dtype: torch.dtype = torch.float32) -> StepProblem:
    """A multilayer perceptron with three hidden layers and many linear heads."""
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [layer for _ in range(3) for layer in (nn.Linear(width, width), nn.ReLU())]
        trunk = nn.Sequential(*layers).to(dtype)
        heads = nn.ModuleList(nn.Linear(width, 2) for _ in range(tasks)).to(dtype)
    inputs = torch.randn(batch, width, generator=generator, dtype=dtype)
    labels = torch.randint(2, (tasks, batch), generator=generator)

    def losses(chosen: tuple[int, ...]) -> list[Tensor]:
        features = trunk(inputs)
        return [functional.cross_entropy(heads[task](features), labels[task]) for task in chosen]

    return StepProblem(
        f"mlp-m{tasks}",
        f"MLP, trunk 3x{width}, batch {batch}, m = {tasks}",
        batch,
        nn.ModuleList([trunk, heads]),
        losses,
        list(trunk.parameters()),
        [list(head.parameters()) for head in heads],
        trunk,
    )


def _dense_problem(kind: SegNetKind, size: int, batch: int, dtype: torch.dtype) -> StepProblem:
    """Segmentation (cross entropy), depth (absolute error) and normals (1 - cosine) of pictures of noise.

    MTAN's attentions are their tasks' own: a loss runs through the trunk and its own attention only.
    """
    model = (build_segnet("split", 0) if kind == "split" else build_segnet("mtan", 0)).to(dtype)
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(batch, 3, size, size, generator=generator, dtype=dtype)
    classes = torch.randint(13, (batch, size, size), generator=generator)
    depth = torch.rand(batch, 1, size, size, generator=generator, dtype=dtype)
    normals = functional.normalize(torch.randn(batch, 3, size, size, generator=generator, dtype=dtype), dim=1)

    every: tuple[Callable[[Tensor], Tensor], ...] = (
        lambda logits: segmentation_loss(logits, classes),
        lambda prediction: depth_loss(prediction, depth),
        lambda prediction: normal_loss(prediction, normals),
    )

    def losses(tasks: tuple[int, ...]) -> list[Tensor]:
        return [every[task](prediction) for task, prediction in zip(tasks, model(images, tasks), strict=True)]

    label = {"split": "SegNet split", "mtan": "MTAN"}[kind]
    return StepProblem(
        {"split": "segnet", "mtan": "mtan"}[kind],
        f"{label}, {size}x{size}, batch {batch}, m = 3",
        batch,
        model,
        losses,
        model.shared_parameters(),
        model.head_parameters(),
        model.trunk if kind == "split" else None,
        branches=kind == "mtan",
    )


def _mlp(tasks: int, tiny: bool, dtype: torch.dtype) -> StepProblem:
    return mlp(tasks, width=8, batch=4, dtype=dtype) if tiny else mlp(tasks, dtype=dtype)


MakeProblem = Callable[[bool, torch.dtype], StepProblem]
"""From ``tiny`` (sizes of a smoke test) and the floating dtype."""

PROBLEMS: dict[str, MakeProblem] = {
    "lenet-b256": lambda tiny, dtype: _image_problem("lenet", 4 if tiny else 256, dtype),
    "resnet18-b64": lambda tiny, dtype: _image_problem("resnet18", 2 if tiny else 64, dtype),
    "resnet18-b256": lambda tiny, dtype: _image_problem("resnet18", 3 if tiny else 256, dtype),
    "segnet": lambda tiny, dtype: _dense_problem("split", 32 if tiny else 128, 2, dtype),
    "mtan": lambda tiny, dtype: _dense_problem("mtan", 32 if tiny else 128, 2, dtype),
    **{f"mlp-m{tasks}": partial(_mlp, tasks) for tasks in (2, 3, 11, 40)},
}
"""In the order in which they are measured. The multilayer perceptrons make the table over the number of tasks."""
