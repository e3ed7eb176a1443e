"""What the cheaper variants lose: their directions beside the exact one, along a training run of the exact method."""

import collections
import copy
import functools
import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from experiments.cheaper.batch import ImageBatch, lenet_cut
from experiments.cheaper.records import (
    BASE,
    CONTROLS,
    DIRECT,
    EXACT,
    MEASURED_SHELF,
    OTHER_BATCH,
    SCHEMA_VERSION,
    Checkpoint,
    Deviation,
    Measured,
    Measurement,
    VariantRecord,
    stale_name,
)
from experiments.cheaper.schedules import EveryKth, LatePhase, Listening, RandomSteps
from experiments.cheaper.second_passes import SAMO, LastLayers, PartOfBatch, SharedPerturbation
from experiments.cheaper.variant import Setup, Variant, base_cost
from experiments.methods import Method, stream_seed
from experiments.metrics import to_input
from experiments.models.lenet import LeNetTrunk
from experiments.provenance import now, provenance
from experiments.splits import LoadedProblem
from flatmtl_core import Workspace, sam_mtl_backward

BASE_FORMULA = "f + m(1-f)"
PERIODS = {2: "every 2nd step", 5: "every 5th step"}

MEASURED_VARIANTS: dict[str, Variant[Any]] = {
    "half of the batch": PartOfBatch(1 / 2),
    "quarter of the batch": PartOfBatch(1 / 4),
    "shared perturbation": SharedPerturbation(),
    "last layers": LastLayers("last"),
    "last layers, all gradients": LastLayers("all"),
    "SAMO": SAMO(),
}
"""Those with a direction of their own; the schedules mix the exact one, none and stale ones."""


def variant_records(m: int, f: float, behind: float, steps: int) -> Iterator[VariantRecord]:
    """All rows of the table: formula, cost, and the directions that a schedule takes.

    Args:
        behind: share of U behind the cut.
        steps: of the whole training run.
    """

    def record(name: str, formula: str, cost: float, schedule: dict[str, float] | None = None) -> VariantRecord:
        return VariantRecord(name=name, formula=formula, cost=cost, schedule=schedule or {name: 1.0})

    exact = EveryKth(1).cost(m, f)
    yield record(EXACT, f"{BASE_FORMULA} + m", exact)
    for k, name in PERIODS.items():
        every = {EXACT: 1 / k, BASE: 1 - 1 / k}
        yield record(name, f"{BASE_FORMULA} + m/k, k = {k}", EveryKth(k).cost(m, f), every)
    for k, name in PERIODS.items():
        stale = {EXACT: 1 / k} | {stale_name(age): 1 / k for age in range(1, k)}
        formula = f"{BASE_FORMULA} + m/k, k = {k}"
        yield record(f"{name}, stale between", formula, EveryKth(k, "stale").cost(m, f), stale)
    half = {EXACT: 1 / 2, BASE: 1 / 2}
    yield record("random steps", f"{BASE_FORMULA} + p m, p = 1/2", RandomSteps(1 / 2).cost(m, f), half)
    late = LatePhase(steps // 2, steps)
    yield record("late phase", f"{BASE_FORMULA} + m/2 (second half)", late.cost(m, f), half)
    formulas = {
        "half of the batch": f"{BASE_FORMULA} + g m, g = 1/2",
        "quarter of the batch": f"{BASE_FORMULA} + g m, g = 1/4",
        "shared perturbation": f"2({BASE_FORMULA})",
        "last layers": f"{BASE_FORMULA} + m b",
        "last layers, all gradients": f"{BASE_FORMULA} + m(b f + 1 - f)",
        "SAMO": "1 + m(1 + 2f)",
    }
    for name, variant in MEASURED_VARIANTS.items():
        priced = replace(variant, behind=behind) if isinstance(variant, LastLayers) else variant
        yield record(name, formulas[name], priced.cost(m, f))
    for name in CONTROLS:
        if name in (DIRECT, OTHER_BATCH):
            yield record(name, f"{BASE_FORMULA} + m", exact)
        else:
            yield record(name, BASE_FORMULA, base_cost(m, f))


@dataclass(frozen=True)
class Direction:
    """A direction of the trunk and its flat part, (d,) float64, and the CPU seconds of a step that takes it."""

    whole: Tensor
    flat: Tensor
    seconds: float


def angle(one: Tensor, other: Tensor) -> float | None:
    """Between two vectors, degrees; accurate also near 0; None where one is zero."""
    lengths = one.norm(), other.norm()
    if not min(lengths) > 0:
        return None
    a, b = one / lengths[0], other / lengths[1]
    return math.degrees(2 * math.atan2(float((a - b).norm()), float((a + b).norm())))


def deviation(found: Direction, exact: Direction) -> Deviation:
    """One direction against the exact one.

    Raises:
        ValueError: a whole direction, or the exact flat part, is zero: nothing can be compared.
    """
    whole = angle(found.whole, exact.whole)
    if whole is None or not exact.flat.norm() > 0:
        raise ValueError("a direction or the exact flat part is zero: there is nothing to compare with.")
    return Deviation(
        angle=whole,
        relative_error=float((found.whole - exact.whole).norm() / exact.whole.norm()),
        length_ratio=float(found.whole.norm() / exact.whole.norm()),
        flat_angle=angle(found.flat, exact.flat),
        flat_relative_error=float((found.flat - exact.flat).norm() / exact.flat.norm()),
        flat_length_ratio=float(found.flat.norm() / exact.flat.norm()),
        seconds=found.seconds,
    )


class _Trials:
    """A copy of the network on which all steps are tried at one checkpoint."""

    def __init__(self, method: Method, seed: int) -> None:
        self.model = copy.deepcopy(method.networks[0])
        trunk = self.model.trunk
        assert isinstance(trunk, LeNetTrunk)
        self.cut = lenet_cut(trunk)
        self.shared = self.model.shared_parameters()
        self.setup = Setup(
            self.model,
            self.shared,
            self.model.head_parameters(),
            method.aggregator,
            method.spec.rho_shared,
            method.spec.rho_heads,
            torch.Generator().manual_seed(stream_seed(seed, "probe")),
            Workspace(),
        )

    def batch(self, images: Tensor, labels: Tensor) -> ImageBatch:
        return ImageBatch(self.model, to_input(images), labels, self.cut)

    def timed(self, function: Callable[[], object]) -> float:
        """Process CPU seconds of a call, with no gradients present before it."""
        self.model.zero_grad()
        start = time.process_time()
        function()
        return time.process_time() - start

    def whole(self) -> Tensor:
        """The trunk's ``.grad``."""
        return _flatten([parameter.grad for parameter in self.shared])

    def step(self, variant: Variant[Any], losses: ImageBatch, loss: Tensor) -> Direction:
        """One step of a variant; its flat part is what it adds to ``loss = A(g^loss)``."""
        seconds = self.timed(lambda: variant.step(self.setup, losses))
        whole = self.whole()
        return Direction(whole, whole - loss, seconds)

    def direct(self, losses: ImageBatch, loss: Tensor) -> Direction:
        """The exact step with ``combine="direct"``."""
        setup = self.setup
        step = functools.partial(
            sam_mtl_backward,
            setup.model,
            losses,
            shared=setup.shared,
            heads=setup.heads,
            aggregator=setup.aggregator,
            rho_shared=setup.rho_shared,
            rho_heads=setup.rho_heads,
            combine="direct",
            workspace=setup.workspace,
        )
        seconds = self.timed(step)
        whole = self.whole()
        return Direction(whole, whole - loss, seconds)

    def both_parts(self, losses: ImageBatch) -> Direction:
        """The exact step on another batch, with its own flat part."""
        listening = Listening(self.setup.aggregator)
        setup = replace(self.setup, aggregator=listening)
        seconds = self.timed(lambda: EveryKth(1).step(setup, losses))
        return Direction(self.whole(), listening.directions[1].double(), seconds)

    def unit(self, losses: ImageBatch) -> tuple[float, float, float]:
        """CPU seconds of U, of F, and of a forward and backward behind the cut."""
        tasks = self.setup.tasks

        def plain() -> None:
            torch.stack(losses(tasks)).sum().backward()

        forward = self.timed(lambda: losses(tasks))
        activations = losses.prefix().detach()

        def behind() -> None:
            torch.stack(losses.suffix(activations, tasks)).sum().backward()

        return self.timed(plain), forward, self.timed(behind)


def _flatten(gradients: list[Tensor | None]) -> Tensor:
    return torch.cat([one.detach().flatten() for one in gradients if one is not None]).double()


class WatchedRun:
    """The training run: what `experiments.train` does in its epochs, with the exact step's two parts kept."""

    def __init__(self, measurement: Measurement, problem: LoadedProblem) -> None:
        spec = measurement.training
        torch.manual_seed(stream_seed(spec.seed, "noise"))
        self.measurement, self.problem, self.method = measurement, problem, Method(spec)
        (self.network,) = self.method.networks
        self.trials = _Trials(self.method, spec.seed)
        self.listening = Listening(self.method.aggregator)
        self.method.aggregator = self.listening
        heads = [parameter for head in self.network.head_parameters() for parameter in head]
        self.optimizers = [
            torch.optim.Adam(parameters, lr=spec.learning_rate)
            for parameters in (self.network.shared_parameters(), heads)
        ]
        self.orders = torch.Generator().manual_seed(stream_seed(spec.seed, "batches"))
        self.past: collections.deque[Tensor] = collections.deque(maxlen=measurement.ages)

    def epoch(self, number: int, start: int) -> Iterator[Checkpoint]:
        """Train once through the split; ``start``: steps so far."""
        images, labels = self.problem.train.examples, self.problem.train.labels
        order = torch.randperm(self.measurement.training.n_train, generator=self.orders)
        parts = order.split(self.measurement.training.batch_size)
        for index, part in enumerate(parts):
            for optimizer in self.optimizers:
                optimizer.zero_grad()
            self.listening.directions.clear()
            self.method.step(to_input(images[part]), labels[part])
            loss, flat = (direction.double() for direction in self.listening.directions)
            if (start + index + 1) % self.measurement.every == 0:
                # Another batch of this epoch, so of other examples, and a full one.
                other = parts[index - 1 if index else 1]
                yield self._checkpoint(
                    number, start + index, loss, flat, (images[part], labels[part]), (images[other], labels[other])
                )
            self.past.appendleft(flat)
            for optimizer in self.optimizers:
                optimizer.step()

    def _checkpoint(
        self,
        epoch: int,
        step: int,
        loss: Tensor,
        flat: Tensor,
        batch: tuple[Tensor, Tensor],
        other: tuple[Tensor, Tensor],
    ) -> Checkpoint:
        trials = self.trials
        trials.model.load_state_dict(self.network.state_dict())
        losses = trials.batch(*batch)
        unit, forward, behind = trials.unit(losses)
        found = {
            EXACT: trials.step(EveryKth(1), losses, loss),
            BASE: trials.step(RandomSteps(0.0), losses, loss),
            DIRECT: trials.direct(losses, loss),
            OTHER_BATCH: trials.both_parts(trials.batch(*other)),
        }
        found[BASE] = replace(found[BASE], flat=torch.zeros_like(flat))
        found |= {name: trials.step(variant, losses, loss) for name, variant in MEASURED_VARIANTS.items()}
        for age, old in enumerate(self.past, start=1):
            found[stale_name(age)] = Direction(loss + old, old, found[BASE].seconds)
        exact = Direction(loss + flat, flat, found[EXACT].seconds)
        return Checkpoint(
            step=step,
            epoch=epoch,
            loss_length=float(loss.norm()),
            flat_length=float(flat.norm()),
            unit=unit,
            forward=forward,
            behind=behind,
            directions={name: deviation(direction, exact) for name, direction in found.items()},
        )


def measure(measurement: Measurement, problem: LoadedProblem, *, commit: str, dirty: bool) -> Measured:
    """Train the first epochs of one run by its exact method and compare all variants at its checkpoints.

    Args:
        problem: the splits in the sizes of the training run.
        commit, dirty: state of the source tree, kept with the result.
    """
    spec, clock, started = measurement.training, time.perf_counter(), now()
    if measurement.every <= measurement.ages:
        raise ValueError(f"every {measurement.every} steps leaves no {measurement.ages} steps before a checkpoint.")
    steps = math.ceil(spec.n_train / spec.batch_size)
    with torch.random.fork_rng(devices=[]):
        run = WatchedRun(measurement, problem)
        checkpoints = [
            checkpoint for epoch in range(measurement.epochs) for checkpoint in run.epoch(epoch + 1, epoch * steps)
        ]
    forward = statistics.median(one.forward / one.unit for one in checkpoints)
    behind = statistics.median(one.behind / one.unit for one in checkpoints)
    tasks = len(run.network.heads)
    return Measured(
        schema_version=SCHEMA_VERSION,
        key=MEASURED_SHELF.key(measurement),
        measurement=measurement,
        provenance=provenance(problem, commit=commit, dirty=dirty, started=started),
        tasks=tasks,
        forward_share=forward,
        behind_share=behind,
        variants=tuple(variant_records(tasks, forward, behind, spec.epochs * steps)),
        checkpoints=tuple(checkpoints),
        seconds=time.perf_counter() - clock,
    )
