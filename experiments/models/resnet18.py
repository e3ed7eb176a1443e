"""ResNet-18 for 36x36 grey images and for 64x64 colour images: the paper's networks for Multi-MNIST and CelebA."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

FEATURES = 100
COLOUR_FEATURES = 2_048
NARROW = 4
"""Channels of the first stage of the narrow network; 64 are those of the paper."""


class BasicBlock(nn.Module):
    """relu(x' + bn(conv(relu(bn(conv(x)))))), 3x3, no bias; x' = x, or bn(conv 1x1 (x)) where shapes change."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, kernel_size=3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels_out)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels_out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels_out, kernel_size=1, stride=stride, bias=False),
                nn.BatchNorm2d(channels_out),
            )

    def forward(self, maps: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c2 h2 w2"]:
        inner = functional.relu(self.bn1(self.conv1(maps)))
        return functional.relu(self.bn2(self.conv2(inner)) + self.shortcut(maps))


def stages(width: int) -> nn.Sequential:
    """Four stages of two blocks: ``width`` channels, then twice as many and half the rows and columns a stage."""
    sizes = ((width, width, 1), (width, 2 * width, 2), (2 * width, 4 * width, 2), (4 * width, 8 * width, 2))
    return nn.Sequential(
        *(
            nn.Sequential(BasicBlock(channels_in, channels_out, stride), BasicBlock(channels_out, channels_out, 1))
            for channels_in, channels_out, stride in sizes
        )
    )


class ResNet18Trunk(nn.Module):
    """conv 1 -> 64, 7x7, stride 2, padding 3, no bias; bn; ReLU; max-pool 3x3, stride 2; four stages of two blocks
    (64, 128, 256, 512); global average; fc 512 -> 100; ReLU: 11,221,540 parameters.

    The max-pool is that of the usual ResNet-18, of which the authors replace the first and the last layer only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.stages = stages(64)
        self.fc = nn.Linear(512, FEATURES)

    def forward(self, images: Float[Tensor, "n 1 36 36"]) -> Float[Tensor, "n 100"]:
        maps = functional.relu(self.bn1(self.conv1(images)))
        maps = functional.max_pool2d(maps, kernel_size=3, stride=2, padding=1)
        return functional.relu(self.fc(self.stages(maps).mean(dim=(2, 3))))


class ColourResNet18Trunk(nn.Module):
    """conv 3 -> 64, 3x3, padding 1, no bias; bn; ReLU; four stages of two blocks (64, 128, 256, 512); average of each
    quarter of the image: 2,048 features; 11,168,832 parameters.

    Neither max-pool nor fc, as in the network for faces of Sener and Koltun (NeurIPS 2018), whose heads are 2,048 -> 2.

    Args:
        width: channels of the first stage, 64 in the paper; features are 32 times as many.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, kernel_size=3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.stages = stages(width)

    def forward(self, images: Float[Tensor, "n 3 64 64"]) -> Float[Tensor, "n features"]:
        maps = self.stages(functional.relu(self.bn1(self.conv1(images))))
        return functional.avg_pool2d(maps, kernel_size=4).flatten(1)
