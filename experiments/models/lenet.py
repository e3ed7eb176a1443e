"""LeNet for 36x36 grey images, the network for small machines."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

FEATURES = 50


class LeNetTrunk(nn.Module):
    """conv 1 -> 10, 9x9; pool 2; conv 10 -> 20, 5x5; pool 2; fc 500 -> 50; a ReLU after each: 30,890 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, kernel_size=9)
        self.conv2 = nn.Conv2d(10, 20, kernel_size=5)
        self.fc = nn.Linear(500, FEATURES)

    def forward(self, images: Float[Tensor, "n 1 36 36"]) -> Float[Tensor, "n 50"]:
        maps = functional.relu(functional.max_pool2d(self.conv1(images), 2))
        maps = functional.relu(functional.max_pool2d(self.conv2(maps), 2))
        return functional.relu(self.fc(maps.flatten(1)))
