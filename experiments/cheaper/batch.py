"""The losses of one batch of images, divisible and in two stages, as the variants ask for them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from experiments.models import MultiTaskModel
from experiments.models.lenet import LeNetTrunk
from experiments.models.mlp import MLPTrunk
from flatmtl_core.errors import InvalidInput


@dataclass(frozen=True)
class Cut:
    """A trunk in two stages: ``trunk(x) = after(before(x))``; ``behind`` holds the modules of ``after``."""

    before: Callable[[Tensor], Tensor]
    after: Callable[[Tensor], Tensor]
    behind: Sequence[nn.Module]


def lenet_cut(trunk: LeNetTrunk) -> Cut:
    """Behind the two convolutions: the fully connected layer, 25,050 of 30,890 parameters, is perturbed."""

    def before(images: Tensor) -> Tensor:
        maps = functional.relu(functional.max_pool2d(trunk.conv1(images), 2))
        return functional.relu(functional.max_pool2d(trunk.conv2(maps), 2)).flatten(1)

    def after(activations: Tensor) -> Tensor:
        return functional.relu(trunk.fc(activations))

    return Cut(before, after, [trunk.fc])


def mlp_cut(trunk: MLPTrunk) -> Cut:
    """Behind the first layer: the second, 8,256 of 19,520 parameters, is perturbed."""

    def before(rows: Tensor) -> Tensor:
        return functional.relu(trunk.fc1(rows))

    def after(activations: Tensor) -> Tensor:
        return functional.relu(trunk.fc2(activations))

    return Cut(before, after, [trunk.fc2])


def cut_of(trunk: nn.Module) -> Cut:
    """The cut of a trunk in front of its last layer.

    Raises:
        InvalidInput: a trunk that has no cut here.
    """
    match trunk:
        case LeNetTrunk():
            return lenet_cut(trunk)
        case MLPTrunk():
            return mlp_cut(trunk)
    remedy = "choose one of these models, or write its cut beside theirs"
    raise InvalidInput("the trunk has no cut", "trunk", type(trunk).__name__, "LeNetTrunk or MLPTrunk", remedy)


@dataclass(frozen=True)
class ImageBatch:
    """Mean cross entropies (nats) of one batch.

    Args:
        cut: where the trunk is cut; None: in front of all layers.
    """

    model: MultiTaskModel
    images: Float[Tensor, "n 1 36 36"]
    labels: Int64[Tensor, "n m"]
    cut: Cut | None = None

    def __call__(self, tasks: tuple[int, ...]) -> list[Tensor]:
        """Losses of these tasks: one pass through the trunk, then these heads only."""
        return self._losses(self.model(self.images, tasks), tasks)

    @property
    def examples(self) -> int:
        """Examples of the batch."""
        return len(self.images)

    def part(self, start: int, stop: int) -> "ImageBatch":
        """The same losses over the examples ``start .. stop - 1``."""
        return ImageBatch(self.model, self.images[start:stop], self.labels[start:stop], self.cut)

    def prefix(self) -> Tensor:
        """The activations at the cut."""
        return self.images if self.cut is None else self.cut.before(self.images)

    def suffix(self, activations: Tensor, tasks: tuple[int, ...]) -> list[Tensor]:
        """Losses from the activations at the cut."""
        features = self.model.trunk(activations) if self.cut is None else self.cut.after(activations)
        return self._losses(tuple(self.model.heads[task](features) for task in tasks), tasks)

    @property
    def behind(self) -> Sequence[nn.Module]:
        """The modules behind the cut, heads included."""
        return [self.model] if self.cut is None else [*self.cut.behind, self.model.heads]

    def _losses(self, all_logits: Sequence[Tensor], tasks: tuple[int, ...]) -> list[Tensor]:
        pairs = zip(tasks, all_logits, strict=True)
        return [functional.cross_entropy(logits, self.labels[:, task]) for task, logits in pairs]
