"""A small network, one batch, and one step of every cheaper variant."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from experiments.cheaper.batch import ImageBatch, lenet_cut
from experiments.cheaper.schedules import EveryKth, LatePhase, RandomSteps
from experiments.cheaper.second_passes import SAMO, LastLayers, PartOfBatch, SharedPerturbation
from experiments.cheaper.variant import START, Setup, State, Variant
from experiments.models import MultiTaskModel, build_model
from experiments.models.lenet import LeNetTrunk
from flatmtl_core import CAGrad, sam_mtl_backward
from flatmtl_core.types import Aggregator

EXAMPLES = 12
RHO_SHARED, RHO_HEADS = 0.3, 0.2


def network(tasks: int = 2) -> MultiTaskModel:
    """LeNet in float64; its fully connected layer is the last one of the trunk."""
    model = build_model("lenet", 5).double()
    return MultiTaskModel(model.trunk, list(model.heads)[:tasks])


def batch(model: MultiTaskModel, *, cut: bool = True, seed: int = 1) -> ImageBatch:
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(EXAMPLES, 1, 36, 36, dtype=torch.float64, generator=generator)
    labels = torch.randint(10, (EXAMPLES, 2), generator=generator)
    trunk = model.trunk
    assert isinstance(trunk, LeNetTrunk)
    return ImageBatch(model, images, labels, lenet_cut(trunk) if cut else None)


def setup_of(model: MultiTaskModel, aggregator: Aggregator | None = None, **changes: Any) -> Setup:
    setup = Setup(
        model,
        model.shared_parameters(),
        model.head_parameters(),
        CAGrad(c=0.4) if aggregator is None else aggregator,
        RHO_SHARED,
        RHO_HEADS,
        torch.Generator().manual_seed(3),
    )
    return replace(setup, **changes)


def grads(model: nn.Module) -> list[Tensor]:
    """Copies of all gradients, which are cleared."""
    found = []
    for parameter in model.parameters():
        found.append(torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.clone())
        parameter.grad = None
    return found


def exact(setup: Setup, losses: Any, *, flat: bool = True) -> list[Tensor]:
    """Gradients of the exact step, or of the base step."""
    assert isinstance(setup.model, nn.Module)
    sam_mtl_backward(
        setup.model,
        losses,
        shared=setup.shared,
        heads=setup.heads,
        aggregator=setup.aggregator,
        rho_shared=setup.rho_shared if flat else 0.0,
        rho_heads=setup.rho_heads if flat else 0.0,
        generator=torch.Generator().manual_seed(3),
    )
    return grads(setup.model)


def step(variant: Variant[Any], setup: Setup, losses: Any, state: State = START) -> tuple[list[Tensor], State]:
    assert isinstance(setup.model, nn.Module)
    state = variant.step(setup, losses, state)
    return grads(setup.model), state


def relative_error(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> float:
    difference = math.sqrt(sum(float((a - b).square().sum()) for a, b in zip(found, wanted, strict=True)))
    return difference / math.sqrt(sum(float(b.square().sum()) for b in wanted))


ALL: dict[str, Variant[Any]] = {
    "every third step": EveryKth(3),
    "every third step, stale": EveryKth(3, between="stale"),
    "random steps": RandomSteps(0.5),
    "late phase": LatePhase(2, 5),
    "part of the batch": PartOfBatch(0.25),
    "shared perturbation": SharedPerturbation(),
    "last layers": LastLayers("last"),
    "last layers, all gradients": LastLayers("all"),
    "SAMO": SAMO(),
}
