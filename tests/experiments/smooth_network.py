"""A smooth network and losses in float64 for the tests of the measures."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from experiments.measures.split_loss import SplitLoss
from experiments.models import MultiTaskModel

FEATURES, CLASSES = 5, 3


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Float64Network(MultiTaskModel):
    """A smooth network of two tasks for rows of five numbers."""

    def __init__(self, dropout: float = 0.0) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            trunk = nn.Sequential(nn.Linear(FEATURES, 4), nn.Tanh(), nn.Dropout(dropout))
            super().__init__(trunk, [nn.Linear(4, CLASSES) for _ in range(2)])
        self.double()

    def forward(self, inputs: Tensor, tasks: Sequence[int]) -> tuple[Tensor, ...]:
        return super().forward(inputs.double(), tasks)


def rows(count: int = 30) -> tuple[Tensor, Tensor]:
    generator = seeded(1)
    return torch.randn(count, FEATURES, generator=generator), torch.randint(0, CLASSES, (count, 2), generator=generator)


def function_loss(values: Sequence[Tensor], function: Callable[[Sequence[Tensor]], Tensor]) -> SplitLoss:
    """A loss in one piece of one parameter a block."""
    parameters = [nn.Parameter(value.clone()) for value in values]

    def pieces() -> Iterator[Tensor]:
        yield function(parameters)

    return SplitLoss(tuple((one,) for one in parameters), pieces)


def double(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def explicit_hessian(loss: SplitLoss) -> Tensor:
    """Row by row, from single entries of the gradient."""
    gradients = torch.autograd.grad(sum(loss.pieces(), double(0.0).sum()), loss.parameters, create_graph=True)
    flat = torch.cat([one.flatten() for one in gradients])
    lines = [torch.autograd.grad(entry, loss.parameters, retain_graph=True, materialize_grads=True) for entry in flat]
    return torch.stack([torch.cat([one.flatten() for one in line]) for line in lines])
