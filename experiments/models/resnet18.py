"""ResNet-18 for 36x36 grey images, the paper's network for the Multi-MNIST family."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

FEATURES = 100


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


class ResNet18Trunk(nn.Module):
    """conv 1 -> 64, 7x7, stride 2, padding 3, no bias; bn; ReLU; max-pool 3x3, stride 2; four stages of two blocks
    (64, 128, 256, 512); global average; fc 512 -> 100; ReLU: 11,221,540 parameters.

    The max-pool is that of the usual ResNet-18, of which the authors replace the first and the last layer only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.stages = nn.Sequential(
            *(
                nn.Sequential(BasicBlock(channels_in, channels_out, stride), BasicBlock(channels_out, channels_out, 1))
                for channels_in, channels_out, stride in ((64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2))
            )
        )
        self.fc = nn.Linear(512, FEATURES)

    def forward(self, images: Float[Tensor, "n 1 36 36"]) -> Float[Tensor, "n 100"]:
        maps = functional.relu(self.bn1(self.conv1(images)))
        maps = functional.max_pool2d(maps, kernel_size=3, stride=2, padding=1)
        return functional.relu(self.fc(self.stages(maps).mean(dim=(2, 3))))
