"""What every cheaper variant is: a step with an explicit state, and its cost by formula.

A variant is ANOTHER METHOD than the exact step (`flatmtl_core.sam_mtl_backward`, combine="decomposed", cost
``f + m(1-f) + m``); tables must name it. Costs are in U, one forward and backward of the summed loss, with ``f = F/U``
the forward's share: a forward costs f, the backward of one task 1 - f.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flatmtl_core import Workspace, sam_mtl_backward
from flatmtl_core.errors import InvalidInput
from flatmtl_core.types import Aggregator


class LossFunction(Protocol):
    """The losses of one batch at the model's present parameters, as `flatmtl_core.sam_mtl_backward` takes them."""

    def __call__(self, tasks: tuple[int, ...], /) -> Sequence[Tensor]:
        """0-dim losses of these tasks, in that order."""
        ...


class DivisibleLosses(LossFunction, Protocol):
    """Losses that are means over the examples of a batch and can be taken on a part of it."""

    @property
    def examples(self) -> int:
        """Examples of the batch."""
        ...

    def part(self, start: int, stop: int) -> LossFunction:
        """Mean losses over the examples ``start .. stop - 1``."""
        ...


class StagedLosses(LossFunction, Protocol):
    """Losses in two stages: a prefix of the trunk, and all that follows the cut."""

    def prefix(self) -> Tensor:
        """The activations at the cut."""
        ...

    def suffix(self, activations: Tensor, tasks: tuple[int, ...]) -> Sequence[Tensor]:
        """0-dim losses of these tasks from the activations at the cut."""
        ...

    @property
    def behind(self) -> Sequence[nn.Module]:
        """The modules behind the cut, heads included."""
        ...


@dataclass(frozen=True)
class Setup:
    """What stays the same from step to step; the names are those of `flatmtl_core.sam_mtl_backward`.

    Args:
        generator: draws of the variant and of the aggregator; its state belongs to a checkpoint.
        norm, adaptive: the balls; several heads at once have no ``joint`` ball (`SharedPerturbation` refuses it).
    """

    model: nn.Module | Sequence[nn.Module]
    shared: Sequence[Tensor]
    heads: Sequence[Sequence[Tensor]]
    aggregator: Aggregator
    rho_shared: float
    rho_heads: float
    generator: torch.Generator | None = None
    workspace: Workspace = field(default_factory=Workspace)
    norm: Literal["separate", "joint"] = "separate"
    adaptive: bool = False

    @property
    def tasks(self) -> tuple[int, ...]:
        """All tasks."""
        return tuple(range(len(self.heads)))

    def backward(self, losses: LossFunction, *, flat: bool, aggregator: Aggregator | None = None) -> None:
        """The exact step, or (``flat=False``: radii 0) the base step."""
        sam_mtl_backward(
            self.model,
            losses,
            shared=self.shared,
            heads=self.heads,
            aggregator=self.aggregator if aggregator is None else aggregator,
            rho_shared=self.rho_shared if flat else 0.0,
            rho_heads=self.rho_heads if flat else 0.0,
            norm=self.norm,
            adaptive=self.adaptive,
            generator=self.generator,
            workspace=self.workspace,
        )

    def need_generator(self) -> torch.Generator:
        """The generator; a variant that draws does not draw from torch's global one."""
        if self.generator is None:
            remedy = "pass torch.Generator().manual_seed(seed), and keep its state with the checkpoint"
            raise InvalidInput("this variant draws", "generator", None, "a CPU generator", remedy)
        return self.generator


@dataclass(frozen=True)
class State:
    """All that a variant remembers from step to step: keep it with a checkpoint and a run resumes bit for bit.

    Args:
        steps: iterations so far.
        flat: the trunk's last flat direction ``A(g^flat)``, (d,); None where there is none or it is not remembered.
    """

    steps: int = 0
    flat: Float[Tensor, " d"] | None = None


START = State()

AnyLosses_contra = TypeVar("AnyLosses_contra", bound=LossFunction, contravariant=True)


class Variant(Protocol[AnyLosses_contra]):
    """One cheaper variant; ``AnyLosses_contra`` is what it asks of the losses."""

    def cost(self, m: int, f: float) -> float:
        """Cost of a step in U, on average over the variant's schedule.

        Args:
            m: tasks.
            f: share of the forward in U, in (0, 1).
        """
        ...

    def step(self, setup: Setup, losses: AnyLosses_contra, state: State = START) -> State:
        """Add one iteration's gradients to ``.grad``.

        Args:
            losses: of this batch.
            state: what the step before returned.

        Returns:
            The state after this step.

        Raises:
            Whatever the core or ``losses`` raises: parameters, buffers, random states and ``.grad`` are as they were.
        """
        ...


def base_cost(m: int, f: float) -> float:
    """One forward and m backwards: ``f + m(1-f)``."""
    return f + m * (1 - f)


def check_share(where: str, value: float, *, positive: bool) -> None:
    """Refuse a share outside [0, 1], or 0 where it must be positive."""
    if not (0 < value <= 1 or (value == 0 and not positive)):
        rule = f"0 {'<' if positive else '<='} {where} <= 1"
        raise InvalidInput("no such share", where, value, rule, "1 stands for the exact step")
