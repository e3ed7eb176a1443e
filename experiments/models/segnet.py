"""SegNet for dense prediction, with one head a task (``split``) or with attention of each task's own (``mtan``).

SegNet: Badrinarayanan, Kendall, Cipolla, IEEE TPAMI 2017. MTAN: Liu, Johns, Davison, CVPR 2019.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias, overload

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from experiments.models.multi_task import MultiTaskModel
from experiments.spec import Attention, DenseTask

SegNetKind: TypeAlias = Literal["split", "mtan"]

TASKS: tuple[DenseTask, ...] = ("segmentation", "depth", "normals")
CLASSES = 13
"""Classes of the segmentation on NYUv2; CityScapes has 7."""

CHANNELS = (64, 128, 256, 512, 512)
"""Channels of the encoder's stages."""

NARROW = tuple(channels // 8 for channels in CHANNELS)
"""The same for small machines."""

CONVOLUTIONS = (2, 2, 3, 3, 3)
"""Convolutions of a stage, in the encoder and the decoder: those of VGG-16."""

STRIDE = 2 ** len(CHANNELS)
"""Height and width are multiples of it, so that every max-pool can be undone at its own indices."""


class Level(NamedTuple):
    """One stage's maps: what attention looks at, and what it is multiplied with."""

    seen: Float[Tensor, "n c h w"]
    last: Float[Tensor, "n c2 h w"]


class SegNetTrunk(nn.Module):
    """Five stages of 3x3 convolutions (bn, ReLU) and 2x2 max-pools, and their mirror with max-unpools at the pools'
    indices: 24,943,296 parameters.
    """

    def __init__(self, channels: Sequence[int] = CHANNELS) -> None:
        super().__init__()
        self.encoder = nn.ModuleList(map(_stage, (3, *channels[:-1]), channels, CONVOLUTIONS))
        self.decoder = nn.ModuleList(map(_stage, channels, _decoded(channels), CONVOLUTIONS))

    def levels(self, images: Float[Tensor, "n 3 h w"]) -> tuple[list[Level], list[Level]]:
        """Levels of the encoder, finest first, and of the decoder, coarsest first.

        Attention sees a stage of the encoder after its first convolution, one of the decoder as it comes unpooled.

        Raises:
            ValueError: height or width is no multiple of 32.
        """
        if any(size % STRIDE for size in images.shape[-2:]):
            raise ValueError(
                f"images are {images.shape[-2]} x {images.shape[-1]}: SegNet halves height and width {len(CHANNELS)} "
                f"times and undoes it. Crop or resize them to multiples of {STRIDE}."
            )
        encoder, decoder, pools = [], [], []
        maps = images
        for stage in self.encoder:
            level = Level(*stage(maps))
            maps, indices = functional.max_pool2d(level.last, 2, return_indices=True)
            encoder.append(level)
            pools.append(indices)
        for stage, indices in zip(reversed(self.decoder), reversed(pools), strict=True):
            unpooled = unpool(maps, indices)
            _, maps = stage(unpooled)
            decoder.append(Level(unpooled, maps))
        return encoder, decoder

    def forward(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 64 h w"]:
        """The decoder's last maps."""
        _, decoder = self.levels(images)
        return decoder[-1].last


class AttentionFeatures(NamedTuple):
    """What an attention network starts from: the trunk's levels, and the convolutions that all tasks share."""

    encoder: list[Level]
    decoder: list[Level]
    down: nn.ModuleList
    up: nn.ModuleList


class AttentionTrunk(nn.Module):
    """SegNet, and one 3x3 convolution (bn, ReLU) a stage that leads every task's attention on to the next stage:
    35,163,456 parameters.
    """

    def __init__(self, channels: Sequence[int] = CHANNELS) -> None:
        super().__init__()
        self.segnet = SegNetTrunk(channels)
        self.down = nn.ModuleList(map(_convolution, channels, (*channels[1:], channels[-1])))
        self.up = nn.ModuleList(map(_convolution, channels, _decoded(channels)))

    def forward(self, images: Float[Tensor, "n 3 h w"]) -> AttentionFeatures:
        """All levels: the attention of a task looks at each of them."""
        encoder, decoder = self.segnet.levels(images)
        return AttentionFeatures(encoder, decoder, self.down, self.up)


class TaskAttention(nn.Module):
    """One task's attention: a soft mask on the last maps of every stage: 2,984,576 parameters.

    mask = sigmoid(bn(conv1x1(relu(bn(conv1x1([seen; carried])))))), carried = mask * last; down: pool(conv3x3(carried))
    on to the next stage; up: conv3x3(bilinear(carried)) into the next mask. The 3x3 convolutions are the trunk's.
    """

    def __init__(self, channels: Sequence[int] = CHANNELS) -> None:
        super().__init__()
        carried, decoded = (0, *channels[1:]), _decoded(channels)
        self.encoder = nn.ModuleList(map(_mask, map(sum, zip(channels, carried, strict=True)), channels))
        self.decoder = nn.ModuleList(map(_mask, map(sum, zip(channels, decoded, strict=True)), decoded))

    def forward(self, features: AttentionFeatures) -> Float[Tensor, "n 64 h w"]:
        carried = features.encoder[0].seen[:, :0]  # nothing is carried into the first stage
        for mask, level, convolution in zip(self.encoder, features.encoder, features.down, strict=True):
            masked = mask(torch.cat((level.seen, carried), dim=1)) * level.last
            carried = functional.max_pool2d(convolution(masked), 2)
        for mask, level, convolution in zip(
            reversed(self.decoder), features.decoder, reversed(features.up), strict=True
        ):
            enlarged = functional.interpolate(carried, scale_factor=2, mode="bilinear", align_corners=True)
            carried = mask(torch.cat((level.seen, convolution(enlarged)), dim=1)) * level.last
        return carried


class DenseHead(nn.Module):
    """conv 3x3, 64 -> 64; conv 1x1, 64 -> channels; divided by its Euclidean norm at each pixel if ``unit``."""

    def __init__(self, channels: int, unit: bool, width: int = CHANNELS[0]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(width, channels, kernel_size=1)
        self.unit = unit

    def forward(self, maps: Float[Tensor, "n 64 h w"]) -> Float[Tensor, "n channels h w"]:
        prediction = self.conv2(self.conv1(maps))
        return functional.normalize(prediction, dim=1) if self.unit else prediction


class MTAN(MultiTaskModel):
    """SegNet with attention: the attention of a task is its own, as its head is.

    The authors' programs count every attention as shared, though the loss of one task never reaches that of another:
    ``attention="shared"`` is their partition (44,117,184 shared parameters for three tasks, of which 8,953,728 lie in
    attentions), ``attention="own"`` what the network is. The weights are the same.
    """

    def __init__(self, trunk: nn.Module, heads: Sequence[nn.Module], attention: Attention = "own") -> None:
        super().__init__(trunk, heads)
        self.attention = attention

    def shared_parameters(self) -> list[nn.Parameter]:
        shared = super().shared_parameters()
        if self.attention == "shared":
            attentions = [module for module in self.heads.modules() if isinstance(module, TaskAttention)]
            shared += [parameter for module in attentions for parameter in module.parameters()]
        return shared

    def head_parameters(self) -> list[list[nn.Parameter]]:
        if self.attention == "shared":
            return [list(module.parameters()) for module in self.heads.modules() if isinstance(module, DenseHead)]
        return super().head_parameters()


@overload
def build_segnet(
    kind: Literal["split"],
    seed: int,
    *,
    tasks: Sequence[DenseTask] = ...,
    classes: int = ...,
    channels: Sequence[int] = ...,
) -> MultiTaskModel: ...
@overload
def build_segnet(
    kind: Literal["mtan"],
    seed: int,
    *,
    tasks: Sequence[DenseTask] = ...,
    classes: int = ...,
    channels: Sequence[int] = ...,
    attention: Attention = ...,
) -> MTAN: ...
def build_segnet(
    kind: SegNetKind,
    seed: int,
    *,
    tasks: Sequence[DenseTask] = TASKS,
    classes: int = CLASSES,
    channels: Sequence[int] = CHANNELS,
    attention: Attention = "own",
) -> MultiTaskModel:
    """Xavier-normal weights, zero biases after ``torch.manual_seed(seed)``; the global generator is left as it was.

    Predictions: logits (n, classes, h, w), depth (n, 1, h, w), unit normals (n, 3, h, w), for the ``tasks`` given.
    ``channels`` of the stages: the paper's, or ``NARROW``. ``attention``: whose parameters those of `MTAN` are.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        outputs: dict[DenseTask, int] = {"segmentation": classes, "depth": 1, "normals": 3}
        heads = [DenseHead(outputs[task], unit=task == "normals", width=channels[0]) for task in tasks]
        match kind:
            case "split":
                model = MultiTaskModel(SegNetTrunk(channels), heads)
            case "mtan":
                branches = [nn.Sequential(TaskAttention(channels), head) for head in heads]
                model = MTAN(AttentionTrunk(channels), branches, attention)
        for module in model.modules():
            if isinstance(module, nn.Conv2d) and module.bias is not None:
                nn.init.xavier_normal_(module.weight)
                nn.init.zeros_(module.bias)
        return model


def unpool(maps: Float[Tensor, "n c h w"], indices: Int64[Tensor, "n c h w"]) -> Float[Tensor, "n c 2*h 2*w"]:
    """Each value at the index that its 2x2 max-pool found it at, zero elsewhere.

    Windows do not overlap, so no two values have one place: `torch.nn.functional.max_unpool2d` gives the same, but
    refuses to run where torch is told to use deterministic algorithms.
    """
    n, c, h, w = maps.shape
    places = maps.new_zeros(n, c, 4 * h * w).scatter(2, indices.flatten(2), maps.flatten(2))
    return places.view(n, c, 2 * h, 2 * w)


class Stage(nn.Module):
    """3x3 convolutions one after another: the maps after the first, and after the last."""

    def __init__(self, first: nn.Module, others: nn.Module) -> None:
        super().__init__()
        self.first = first
        self.others = others

    def forward(self, maps: Float[Tensor, "n c h w"]) -> tuple[Float[Tensor, "n c2 h w"], Float[Tensor, "n c2 h w"]]:
        entered = self.first(maps)
        return entered, self.others(entered)


def _decoded(channels: Sequence[int]) -> tuple[int, ...]:
    """Channels that the decoder's stages end with: each leads back to the stage before it."""
    return (channels[0], *channels[:-1])


def _stage(channels_in: int, channels_out: int, convolutions: int) -> Stage:
    others = (_convolution(channels_out, channels_out) for _ in range(convolutions - 1))
    return Stage(_convolution(channels_in, channels_out), nn.Sequential(*others))


def _convolution(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1), nn.BatchNorm2d(channels_out), nn.ReLU()
    )


def _mask(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel_size=1),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
        nn.Conv2d(channels_out, channels_out, kernel_size=1),
        nn.BatchNorm2d(channels_out),
        nn.Sigmoid(),
    )
