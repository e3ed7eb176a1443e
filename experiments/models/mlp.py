"""A multilayer perceptron for rows of a table."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

INPUTS = 87
HIDDEN = 128
FEATURES = 64


class MLPTrunk(nn.Module):
    """fc 87 -> 128; fc 128 -> 64; a ReLU after each: 19,520 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(INPUTS, HIDDEN)
        self.fc2 = nn.Linear(HIDDEN, FEATURES)

    def forward(self, rows: Float[Tensor, "n 87"]) -> Float[Tensor, "n 64"]:
        return functional.relu(self.fc2(functional.relu(self.fc1(rows))))
