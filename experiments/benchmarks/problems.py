"""What is timed: the step on three networks, the aggregators on random matrices."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from experiments.methods import AGGREGATORS
from experiments.models import build_model
from flatmtl_core import MGDA, Workspace, mtl_backward, sam_mtl_backward
from flatmtl_core.types import Aggregator

Losses = Callable[[tuple[int, ...]], Sequence[Tensor]]

MATRICES: tuple[tuple[int, int], ...] = ((2, 100_000), (2, 11_000_000), (9, 1_000_000), (40, 1_000_000))


@dataclass(frozen=True)
class StepProblem:
    """A model with its losses on one fixed batch."""

    name: str
    model: nn.Module
    losses: Losses
    shared: list[nn.Parameter]
    heads: list[list[nn.Parameter]]

    def functions(self) -> dict[str, Callable[[], object]]:
        """``U``: forward and backward of the summed loss; ``F``: the forward with its graph; then the steps."""
        tasks, workspace = tuple(range(len(self.heads))), Workspace()

        def plain() -> None:
            self.model.zero_grad()
            torch.stack(list(self.losses(tasks))).sum().backward()

        def base() -> None:
            self.model.zero_grad()
            mtl_backward(
                self.losses(tasks), shared=self.shared, heads=self.heads, aggregator=MGDA(), workspace=workspace
            )

        def flat() -> None:
            self.model.zero_grad()
            sam_mtl_backward(
                self.model,
                self.losses,
                shared=self.shared,
                heads=self.heads,
                aggregator=MGDA(),
                rho_shared=0.05,
                rho_heads=0.05,
                workspace=workspace,
            )

        return {"U": plain, "F": lambda: self.losses(tasks), "base step": base, "F-step": flat}


def lenet(batch: int = 256) -> StepProblem:
    return _image_problem("lenet", batch)


def resnet18(batch: int = 64) -> StepProblem:
    return _image_problem("resnet18", batch)


def _image_problem(name: str, batch: int) -> StepProblem:
    generator = torch.Generator().manual_seed(0)
    model = build_model("lenet" if name == "lenet" else "resnet18", 0)
    images = torch.rand(batch, 1, 36, 36, generator=generator)
    labels = torch.randint(10, (2, batch), generator=generator)

    def losses(tasks: tuple[int, ...]) -> list[Tensor]:
        logits = model(images, tasks)
        return [functional.cross_entropy(one, labels[task]) for task, one in zip(tasks, logits, strict=True)]

    return StepProblem(
        f"{name}, batch {batch}, m = 2", model, losses, list(model.shared_parameters()), list(model.head_parameters())
    )


def many_heads(tasks: int = 40, width: int = 512, batch: int = 128) -> StepProblem:
    """A multilayer perceptron with three hidden layers and many linear heads."""
    torch.manual_seed(0)
    layers = [
        nn.Linear(width, width),
        nn.ReLU(),
        nn.Linear(width, width),
        nn.ReLU(),
        nn.Linear(width, width),
        nn.ReLU(),
    ]
    trunk, heads = nn.Sequential(*layers), nn.ModuleList(nn.Linear(width, 2) for _ in range(tasks))
    inputs, labels = torch.randn(batch, width), torch.randint(2, (tasks, batch))

    def losses(chosen: tuple[int, ...]) -> list[Tensor]:
        features = trunk(inputs)
        return [functional.cross_entropy(heads[task](features), labels[task]) for task in chosen]

    model = nn.ModuleList([trunk, heads])
    blocks = [list(head.parameters()) for head in heads]
    return StepProblem(f"MLP, {tasks} heads, batch {batch}", model, losses, list(trunk.parameters()), blocks)


def aggregator_functions(tasks: int, columns: int) -> dict[str, Callable[[], object]]:
    """``bound``: one product J J^T and one J^T w, the cost that a plain implementation can not go below."""
    rows = torch.randn(tasks, columns, generator=torch.Generator().manual_seed(0))
    weights, out = torch.full((tasks,), 1 / tasks), torch.empty(columns)
    generator = torch.Generator().manual_seed(0)

    def call(aggregator: Aggregator) -> Callable[[], object]:
        return lambda: aggregator(rows, generator=generator, out=out)

    functions: dict[str, Callable[[], object]] = {
        "bound": lambda: (torch.mm(rows, rows.T), torch.mv(rows.T, weights)),
    }
    return functions | {name: call(make()) for name, make in AGGREGATORS.items()}
