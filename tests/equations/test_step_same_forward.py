"""Every forward of the second pass is that of the first: at its buffers too, whatever earlier forwards did to them."""

import torch
from torch import Tensor, nn

from flatmtl_core import MGDA, StepReport, sam_mtl_backward


class Warming(nn.Module):
    """A trunk whose output depends on a buffer, which every forward multiplies by ``growth``."""

    def __init__(self, growth: float) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(5)
        self.weight = nn.Parameter(torch.randn(3, 2, dtype=torch.float64, generator=generator))
        self.growth = growth
        self.scale: Tensor
        self.register_buffer("scale", torch.ones((), dtype=torch.float64))

    def forward(self, inputs: Tensor) -> Tensor:
        features = torch.tanh(inputs @ self.weight) * self.scale.clone()
        self.scale.mul_(self.growth)
        return features


def step(trunk: Warming) -> StepReport:
    generator = torch.Generator().manual_seed(6)
    inputs, targets = torch.randn(2, 4, 3, dtype=torch.float64, generator=generator)

    def losses(tasks: tuple[int, ...]) -> list[Tensor]:
        features = trunk(inputs).sum(dim=1)
        return [(features - targets[:, task]).square().mean() for task in tasks]

    return sam_mtl_backward(
        trunk, losses, shared=trunk.parameters(), heads=[[], [], []], aggregator=MGDA(), rho_shared=0.1, rho_heads=0.1
    )


def test_the_second_pass_sees_the_buffers_of_the_first() -> None:
    warming, constant = Warming(growth=2.0), Warming(growth=1.0)
    found, wanted = step(warming), step(constant)
    assert found.perturbed_losses is not None
    assert wanted.perturbed_losses is not None
    assert torch.equal(found.losses, wanted.losses)
    assert torch.equal(found.perturbed_losses, wanted.perturbed_losses)
    assert warming.weight.grad is not None
    assert constant.weight.grad is not None
    assert torch.equal(warming.weight.grad, constant.weight.grad)
    assert warming.scale == 2.0
