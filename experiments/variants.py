"""GSAM, SAMO and the cheaper variants as training methods: from a Spec to a step with its own memory.

Backward passes are counted in those of one task's loss over a whole batch.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor

from experiments.cheaper.batch import Cut, cut_of
from experiments.cheaper.schedules import EveryKth, LatePhase, RandomSteps
from experiments.cheaper.second_passes import SAMO, LastLayers, PartOfBatch, SharedPerturbation
from experiments.cheaper.surrogate_gap import GSAM
from experiments.cheaper.variant import START, DivisibleLosses, Setup, StagedLosses, State, Variant, check_share
from experiments.models import MultiTaskModel
from experiments.spec import Spec
from flatmtl_core import Mean, Workspace
from flatmtl_core.types import Aggregator

VARIANTS: dict[str, Callable[..., Variant[Any]]] = {
    "gsam": GSAM,
    "samo": SAMO,
    "every_kth": EveryKth,
    "random_steps": RandomSteps,
    "late_phase": LatePhase,
    "part_of_batch": PartOfBatch,
    "shared_perturbation": SharedPerturbation,
    "last_layers": LastLayers,
}
"""The modes of `experiments.spec.VariantMode`."""


class VariantLosses(DivisibleLosses, StagedLosses, Protocol):
    """The losses of a batch, whole or in parts, at once or in two stages."""

    @property
    def second_pass(self) -> bool:
        """Whether losses were taken at perturbed parameters."""
        ...


def steps_of(spec: Spec) -> int:
    """Steps of a whole run."""
    return spec.epochs * math.ceil(spec.n_train / spec.batch_size)


def build_variant(spec: Spec) -> Variant[Any]:
    """The variant of a spec; ``late_phase`` begins after the share ``after`` of all steps.

    Raises:
        ValueError: options that the variant does not take, or an aggregator, a ball that it has no use for.
    """
    options: dict[str, Any] = dict(spec.mode_options)
    if spec.mode == "gsam" and (spec.aggregator != "Mean" or spec.aggregator_options):
        raise ValueError(f"mode 'gsam' is for the mean loss, got aggregator {spec.aggregator}: set it to 'Mean'.")
    if spec.mode == "shared_perturbation" and spec.norm == "joint":
        raise ValueError("mode 'shared_perturbation' moves all heads at once, which norm 'joint' can not: 'separate'.")
    if isinstance(options.get("k"), float) and options["k"].is_integer():
        options["k"] = int(options["k"])
    make = partial(_late_phase, steps_of(spec)) if spec.mode == "late_phase" else VARIANTS[spec.mode]
    try:
        return make(**options)
    except TypeError as error:
        raise ValueError(f"mode {spec.mode!r} with mode_options {dict(spec.mode_options)}: {error}.") from error


def _late_phase(steps: int, *, after: float) -> LatePhase:
    check_share("after", after, positive=False)
    return LatePhase(round(after * steps), steps)


def backward_passes(variant: Variant[Any], tasks: int) -> float:
    """Backward passes of a step, on average over the variant's schedule."""
    m = tasks
    match variant:
        case GSAM():
            return 2
        case SAMO():
            return 1 + m
        case EveryKth():
            return m + m / variant.k
        case RandomSteps():
            return m + m * variant.p
        case LatePhase():
            return m + m * (variant.steps - variant.start) / variant.steps
        case PartOfBatch():
            return m + m * variant.share
        case _:
            return 2 * m


class RunningVariant:
    """A variant under way, with what it remembers: ``state_dict`` belongs to a checkpoint."""

    def __init__(self, spec: Spec, aggregator: Aggregator, generator: torch.Generator, workspace: Workspace) -> None:
        self.spec, self.aggregator, self.generator, self.workspace = spec, aggregator, generator, workspace
        self.variant = build_variant(spec)
        self.state = START
        self.flat_steps = 0

    def cut(self, network: MultiTaskModel) -> Cut | None:
        """Where the trunk is cut; None where the variant does not ask."""
        return cut_of(network.trunk) if isinstance(self.variant, LastLayers) else None

    def step(self, network: MultiTaskModel, losses: VariantLosses) -> None:
        """Add one iteration's gradients to ``.grad``."""
        if isinstance(self.variant, GSAM):
            self._step_of_the_mean(network, losses)
        else:
            setup = self._setup(network, network.head_parameters(), self.aggregator)
            self.state = self.variant.step(setup, losses, self.state)
        self.flat_steps += losses.second_pass

    def _setup(self, network: MultiTaskModel, heads: Sequence[Sequence[Tensor]], aggregator: Aggregator) -> Setup:
        return Setup(
            network,
            network.shared_parameters(),
            heads,
            aggregator,
            self.spec.rho_shared,
            self.spec.rho_heads,
            generator=self.generator,
            workspace=self.workspace,
            norm=self.spec.norm,
            adaptive=self.spec.adaptive,
        )

    def _step_of_the_mean(self, network: MultiTaskModel, losses: VariantLosses) -> None:
        """GSAM on ``mean_i L^i``, all heads one block; their gradients times m, as in SAM on the mean loss."""
        tasks = tuple(range(len(network.heads)))
        heads = [parameter for head in network.head_parameters() for parameter in head]

        def mean_loss(_: tuple[int, ...]) -> list[Tensor]:
            return [torch.stack(list(losses(tasks))).mean()]

        self.state = self.variant.step(self._setup(network, [heads], Mean()), mean_loss, self.state)
        for parameter in heads:
            if parameter.grad is not None:
                parameter.grad.mul_(len(tasks))

    def gradient_evaluations(self, tasks: int) -> int:
        """Backward passes of the steps so far; what a schedule left out is not counted."""
        if isinstance(self.variant, EveryKth | RandomSteps | LatePhase):
            return tasks * (self.state.steps + self.flat_steps)
        return math.ceil(self.state.steps * backward_passes(self.variant, tasks))

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on, the generator excepted."""
        return {"steps": self.state.steps, "flat": self.state.flat, "flat_steps": self.flat_steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was called, bit for bit."""
        self.state = State(state["steps"], state["flat"])
        self.flat_steps = state["flat_steps"]
