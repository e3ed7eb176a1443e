"""From a Spec to one training step. Every mode of the tables is one call of the core."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from experiments.cheaper.batch import Cut
from experiments.loss_weightings import DWA, RLW, SI, UW, LossWeighted, LossWeighting
from experiments.models import MultiTaskModel, build_model, single_task_models
from experiments.presets import Folder, authors
from experiments.spec import AggregatorName, Conventions, LossWeightingName, Spec
from experiments.targets import Labels, Targets, targets_of
from experiments.variants import VARIANTS, RunningVariant, backward_passes, build_variant
from flatmtl_core import (
    IMTLG,
    MGDA,
    AlignedMTL,
    CAGrad,
    ConFIG,
    DualProj,
    FairGrad,
    GradDrop,
    Mean,
    NashMTL,
    PCGrad,
    StepReport,
    UPGrad,
    Workspace,
    mtl_backward,
    sam_mtl_backward,
)
from flatmtl_core.types import Aggregator

AGGREGATORS: dict[AggregatorName, Callable[..., Aggregator]] = {
    "Mean": Mean,
    "MGDA": MGDA,
    "PCGrad": PCGrad,
    "CAGrad": CAGrad,
    "IMTLG": IMTLG,
    "NashMTL": NashMTL,
    "FairGrad": FairGrad,
    "GradDrop": GradDrop,
    "UPGrad": UPGrad,
    "DualProj": DualProj,
    "AlignedMTL": AlignedMTL,
    "ConFIG": ConFIG,
}


FOLDERS: dict[Conventions, Folder] = {
    "authors": "multi_mnist",
    "authors_times_tasks": "times_tasks",
    "authors_unit_rows": "unit_rows",
}
"""Which preset a spec's conventions name."""


class NonFiniteLoss(ArithmeticError):
    """A task's loss is NaN or infinite: the message names the task (counted from 1) and the value."""


def stream_seed(
    seed: int, stream: Literal["weights", "batches", "orders", "noise", "probe", "weightings", "augmentation"]
) -> int:
    """Seed of one of a run's independent random streams: the first 63 bits of SHA-256("stream seed").

    It depends on nothing else, so all methods with the same seed see the same weights and the same batches.
    """
    return int.from_bytes(hashlib.sha256(f"{stream} {seed}".encode()).digest()[:8], "big") >> 1


def gradient_evaluations_per_step(spec: Spec, tasks: int) -> float:
    """Backward passes of a loss through its network: m, or 2m with the perturbed points; 2 for SAM on the mean loss.

    On average over the schedule of a variant, and in whole batches.
    """
    if spec.mode in VARIANTS:
        return backward_passes(build_variant(spec), tasks)
    match spec.mode:
        case "erm" | "stl":
            return tasks
        case "sam_sum":
            return 2
        case _:
            return 2 * tasks


def check_radii(spec: Spec) -> None:
    """Refuse a spec whose radii contradict its mode: zero for ``erm`` and ``stl``, positive otherwise."""
    radii = (spec.rho_shared, spec.rho_heads)
    if spec.mode in ("erm", "stl") and radii != (0.0, 0.0):
        raise ValueError(f"mode {spec.mode!r} has no perturbation, but rho_shared, rho_heads = {radii}: set both to 0.")
    if spec.mode not in ("erm", "stl") and not min(radii) > 0.0:
        raise ValueError(f"mode {spec.mode!r} needs positive radii, got rho_shared, rho_heads = {radii}.")


def check_options(spec: Spec) -> None:
    """Refuse options of a mode that has none."""
    if spec.mode_options and spec.mode not in VARIANTS:
        raise ValueError(
            f"mode {spec.mode!r} takes no mode_options, got {dict(spec.mode_options)}: leave them out, or choose one "
            f"of {', '.join(VARIANTS)}."
        )


def check_attention(spec: Spec) -> None:
    """Refuse shared attention where every task has a network of its own."""
    if spec.attention == "shared" and spec.mode in ("stl", "sam_stl"):
        raise ValueError(
            f"mode {spec.mode!r} trains one network a task, which shares its attention with none: leave attention at "
            "'own'."
        )


def build_aggregator(spec: Spec, tasks: int) -> Aggregator:
    """The aggregator of a spec; `LossWeighted` for a weighting of the losses.

    RLW's draws have their own stream; UW's log variances learn at the network's rate unless an option says otherwise.
    """
    options: dict[str, Any] = dict(spec.aggregator_options)
    if spec.aggregator in get_args(LossWeightingName) and spec.mode not in ("erm", "decomposed", "direct"):
        raise ValueError(
            f"{spec.aggregator} is one weight a task, which mode {spec.mode!r} can not use: choose 'erm', 'decomposed' "
            "or 'direct'."
        )
    if spec.conventions != "papers":
        return _authors_aggregator(spec)
    match spec.aggregator:
        case "SI":
            return LossWeighted(SI(**options))
        case "RLW":
            return LossWeighted(RLW(stream_seed(spec.seed, "weightings"), **options))
        case "DWA":
            return LossWeighted(DWA(**options))
        case "UW":
            return LossWeighted(UW(tasks, **({"learning_rate": spec.learning_rate} | options)))
        case name:
            return AGGREGATORS[name](**options)


def _authors_aggregator(spec: Spec) -> Aggregator:
    preset = authors(FOLDERS[spec.conventions])
    found = {str(name): aggregator for name, aggregator in preset.items()}.get(spec.aggregator)
    if found is None or spec.aggregator_options:
        raise ValueError(
            f"conventions {spec.conventions!r} know {', '.join(preset)}, without options of their own; got "
            f"{spec.aggregator} with {dict(spec.aggregator_options)}: use conventions 'papers'."
        )
    return found


class BatchLosses:
    """The tasks' losses on one batch, at whatever weights the model has when it is called.

    The first call is the step's first pass, at the unperturbed weights and for all tasks: its losses and its number of
    right answers are kept. Later calls are the perturbed points.

    Args:
        targets: or the labels (n, m) of a classification, whose losses are mean cross entropies in nats.
        cut: where the trunk is cut in two stages; None: not at all.

    Raises:
        NonFiniteLoss: a loss is NaN or infinite.
    """

    def __init__(
        self,
        model: MultiTaskModel,
        inputs: Float[Tensor, "n ..."],
        targets: Targets | Labels,
        cut: Cut | None = None,
    ) -> None:
        self.model = model
        self.inputs = inputs
        self.targets = targets_of(targets)
        self.cut = cut
        self.parts: list[BatchLosses] = []
        self.calls: list[Float[Tensor, " tasks"]] = []
        self.correct: Int64[Tensor, " m"] | None = None
        """None also after the first pass where a task does not classify examples."""

    def __call__(self, task_indices: tuple[int, ...]) -> list[Float[Tensor, ""]]:
        return self._losses(self.model(self.inputs, task_indices), task_indices)

    @property
    def examples(self) -> int:
        """Examples of the batch."""
        return len(self.inputs)

    def part(self, start: int, stop: int) -> "BatchLosses":
        """The same losses over the examples ``start .. stop - 1``; the parts make up what `first_pass` tells."""
        self.parts.append(BatchLosses(self.model, self.inputs[start:stop], self.targets.part(start, stop)))
        return self.parts[-1]

    def prefix(self) -> Tensor:
        """The activations at the cut."""
        return self.inputs if self.cut is None else self.cut.before(self.inputs)

    def suffix(self, activations: Tensor, tasks: tuple[int, ...]) -> list[Tensor]:
        """Losses from the activations at the cut."""
        features = self.model.trunk(activations) if self.cut is None else self.cut.after(activations)
        return self._losses([self.model.heads[task](features) for task in tasks], tasks)

    @property
    def behind(self) -> Sequence[nn.Module]:
        """The modules behind the cut, heads included."""
        return [self.model] if self.cut is None else [*self.cut.behind, self.model.heads]

    @property
    def second_pass(self) -> bool:
        """Whether losses were taken after the first pass."""
        return any(len(one.calls) > 1 for one in (self, *self.parts))

    def first_pass(self) -> tuple[Float[Tensor, " m"], Int64[Tensor, " m"] | None]:
        """Losses and right answers of the whole batch at the unperturbed weights."""
        if not self.parts:
            return self.calls[0], self.correct
        found = [part.first_pass() for part in self.parts]
        weighted = [loss * (part.examples / self.examples) for (loss, _), part in zip(found, self.parts, strict=True)]
        right = [correct for _, correct in found if correct is not None]
        return torch.stack(weighted).sum(0), torch.stack(right).sum(0) if right else None

    def _losses(self, predictions: Sequence[Tensor], task_indices: tuple[int, ...]) -> list[Float[Tensor, ""]]:
        if not self.calls:
            right = [self.targets.correct(task, one.detach()) for task, one in enumerate(predictions)]
            counted = [one for one in right if one is not None]
            self.correct = torch.stack(counted) if len(counted) == len(right) else None
        losses = [self.targets.loss(task, one) for task, one in zip(task_indices, predictions, strict=True)]
        self.calls.append(torch.stack([loss.detach() for loss in losses]))
        for task, value in zip(task_indices, self.calls[-1].tolist(), strict=True):
            if not abs(value) < float("inf"):
                raise NonFiniteLoss(f"the loss of task {task + 1} is {value}")
        return losses


@dataclass(frozen=True)
class StepOutcome:
    """What one step of one network measured: per task, at the unperturbed weights unless said otherwise.

    ``perturbed_losses`` is None without a second pass; ``report`` is None where no task gradients are formed (SAM on
    the mean loss). The variants leave neither.
    """

    losses: Float[Tensor, " m"]
    correct: Int64[Tensor, " m"] | None
    perturbed_losses: Float[Tensor, " m"] | None
    report: StepReport | None


class Method:
    """The networks of a run and the step that fills their ``.grad``.

    ``networks`` holds one multi-task network, or one network a task for ``stl`` and ``sam_stl``. PCGrad's orders come
    from ``generator``, which belongs to the state of a run.
    """

    def __init__(self, spec: Spec) -> None:
        check_radii(spec)
        check_options(spec)
        check_attention(spec)
        self.spec = spec
        self.generator = torch.Generator().manual_seed(stream_seed(spec.seed, "orders"))
        self.workspace = Workspace()
        model = build_model(spec.model, stream_seed(spec.seed, "weights"), spec.problem, attention=spec.attention)
        self.aggregator = build_aggregator(spec, len(model.heads))
        self.single_task = spec.mode in ("stl", "sam_stl")
        self.networks = single_task_models(model) if self.single_task else [model]
        self.variant = (
            RunningVariant(spec, self.aggregator, self.generator, self.workspace) if spec.mode in VARIANTS else None
        )

    @property
    def weighting(self) -> LossWeighting | None:
        """What makes the weights from the losses and belongs to the state of a run; None for gradient aggregators."""
        return self.aggregator.weighting_of_losses if isinstance(self.aggregator, LossWeighted) else None

    def gradient_evaluations(self, steps: int, tasks: int) -> int:
        """Backward passes of so many steps; those that a variant has made."""
        if self.variant is not None:
            return self.variant.gradient_evaluations(tasks)
        return round(steps * gradient_evaluations_per_step(self.spec, tasks))

    def step(self, inputs: Float[Tensor, "n ..."], targets: Targets | Labels) -> tuple[StepOutcome, ...]:
        """Add the gradients of one batch to ``.grad`` of every network; one outcome a network."""
        if self.single_task:
            columns = targets_of(targets).columns()
            return tuple(
                self._network_step(network, inputs, column)
                for network, column in zip(self.networks, columns, strict=True)
            )
        return (self._network_step(self.networks[0], inputs, targets_of(targets)),)

    def _variant_step(
        self, variant: RunningVariant, network: MultiTaskModel, inputs: Tensor, targets: Targets
    ) -> StepOutcome:
        losses = BatchLosses(network, inputs, targets, variant.cut(network))
        variant.step(network, losses)
        return StepOutcome(*losses.first_pass(), perturbed_losses=None, report=None)

    def _network_step(self, network: MultiTaskModel, inputs: Tensor, targets: Targets) -> StepOutcome:
        if self.variant is not None:
            return self._variant_step(self.variant, network, inputs, targets)
        losses = BatchLosses(network, inputs, targets)
        if isinstance(self.aggregator, LossWeighted):
            self.aggregator.begin_step(lambda: losses.calls[0])
        match self.spec.mode:
            case "erm" | "stl":
                report: StepReport | None = mtl_backward(
                    losses(tuple(range(len(network.heads)))),
                    shared=network.shared_parameters(),
                    heads=network.head_parameters(),
                    aggregator=self.aggregator,
                    generator=self.generator,
                    workspace=self.workspace,
                )
            case "sam_sum":
                sam_of_the_mean(
                    network,
                    losses,
                    shared=network.shared_parameters(),
                    heads=network.head_parameters(),
                    rho_shared=self.spec.rho_shared,
                    rho_heads=self.spec.rho_heads,
                    norm=self.spec.norm,
                    adaptive=self.spec.adaptive,
                    workspace=self.workspace,
                )
                report = None
            case "sam_stl":
                report = self._sam_step(network, losses, combine="decomposed")
            case "decomposed" | "direct" | "second" | "each" as combine:
                report = self._sam_step(network, losses, combine=combine)
            case mode:
                raise ValueError(f"mode {mode!r} has no step.")
        perturbed_losses = losses.calls[1] if report is None else report.perturbed_losses
        return StepOutcome(*losses.first_pass(), perturbed_losses, report)

    def _sam_step(
        self,
        network: MultiTaskModel,
        losses: BatchLosses,
        *,
        combine: Literal["decomposed", "direct", "second", "each"],
    ) -> StepReport:
        return sam_mtl_backward(
            network,
            losses,
            shared=network.shared_parameters(),
            heads=network.head_parameters(),
            aggregator=self.aggregator,
            rho_shared=self.spec.rho_shared,
            rho_heads=self.spec.rho_heads,
            combine=combine,
            norm=self.spec.norm,
            adaptive=self.spec.adaptive,
            generator=self.generator,
            workspace=self.workspace,
        )


def sam_of_the_mean(
    model: nn.Module,
    losses: Callable[[tuple[int, ...]], Sequence[Tensor]],
    *,
    shared: Sequence[nn.Parameter],
    heads: Sequence[Sequence[nn.Parameter]],
    rho_shared: float,
    rho_heads: float,
    norm: Literal["separate", "joint"] = "separate",
    adaptive: bool = False,
    workspace: Workspace | None = None,
) -> None:
    """SAM on mean_i L^i as one task: one perturbation of the trunk, one of all heads together.

    The heads' gradients are multiplied by m, so that a head receives the gradient of its own loss as in every
    other mode; the trunk receives that of the mean.
    """
    tasks = tuple(range(len(heads)))
    head_parameters = [parameter for head in heads for parameter in head]

    def mean_loss(_: tuple[int, ...]) -> Sequence[Tensor]:
        return [torch.stack(list(losses(tasks))).mean()]

    sam_mtl_backward(
        model,
        mean_loss,
        shared=shared,
        heads=[head_parameters],
        aggregator=Mean(),
        rho_shared=rho_shared,
        rho_heads=rho_heads,
        combine="direct",
        norm=norm,
        adaptive=adaptive,
        workspace=workspace,
    )
    _scale_gradients(head_parameters, float(len(tasks)))


def _scale_gradients(parameters: Sequence[nn.Parameter], factor: float) -> None:
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad.mul_(factor)
