"""One run: the protocol of the classification problems, resumable after every epoch.

Adam for the trunk and Adam for the heads, constant learning rate, no augmentation. An epoch goes once through the
training split in a shuffled order (the same for every method with the same seed); the last, smaller batch is kept.
Then the probe, then the validation split. The best epoch is chosen on validation. The test split is read after the
last epoch, at the last and at the best weights, and on dense problems also after each of the last 10 epochs; it chooses
nothing. A run that is stopped and resumed gives the same numbers bit for bit, times excepted.
"""

import io
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from platform import python_version
from typing import Any

import msgspec
import numpy
import torch
from torch import Tensor

from experiments.loss_weightings import UnusableLoss
from experiments.methods import Method, NonFiniteLoss, StepOutcome, stream_seed
from experiments.metrics import Answers, ConflictTally, block_dimensions, parameter_norms, probe
from experiments.results import (
    CPU_PARTS,
    RECENT,
    SCHEMA_VERSION,
    EpochRecord,
    Evaluation,
    Provenance,
    Result,
    merit,
    write_atomically,
)
from experiments.spec import Spec, spec_key
from experiments.splits import AnyProblem, AnySplit, Batch
from experiments.targets import Targets
from flatmtl_core.errors import FlatMTLError


class TrainingFailed(RuntimeError):
    """A run that can not go on: the message names the epoch, the step and, where there is one, the task."""


class TrainingStopped(Exception):
    """The run was asked to stop; it resumes from the last full epoch."""


class CheckpointError(Exception):
    """A checkpoint that does not belong to this run: the message names the file, what differs and what to do."""


def train(
    spec: Spec,
    problem: AnyProblem,
    *,
    commit: str,
    dirty: bool,
    checkpoint: Path | None = None,
    weights: Path | None = None,
    on_epoch: Callable[[EpochRecord], None] = lambda record: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Result:
    """Train one spec to its end.

    Args:
        spec: the run; its sizes must be those of ``problem``.
        problem: the three splits.
        commit, dirty: state of the source tree, kept with the result.
        checkpoint: file that holds the run's state after every epoch; an existing one is resumed. The caller removes
            it once the result is safe.
        weights: file for the final weights (``best`` and ``last``: a list of state dictionaries, one a network).
        on_epoch: called with every finished epoch.
        should_stop: asked before every step.

    Raises:
        TrainingFailed: a loss or a gradient is not finite.
        TrainingStopped: ``should_stop`` said so.
        CheckpointError: ``checkpoint`` belongs to another run.
    """
    _check_sizes(spec, problem)
    with torch.random.fork_rng(devices=[]):
        run = _Run(spec, problem)
        if checkpoint is not None and checkpoint.exists():
            run.restore(checkpoint)
        while len(run.records) < spec.epochs:
            on_epoch(run.epoch(should_stop))
            if checkpoint is not None:
                run.save(checkpoint)
        return run.finish(commit=commit, dirty=dirty, weights=weights)


def _check_sizes(spec: Spec, problem: AnyProblem) -> None:
    sizes = {"train": spec.n_train, "validation": spec.n_validation, "test": spec.n_test}
    for (name, wanted), split in zip(sizes.items(), (problem.train, problem.validation, problem.test), strict=True):
        if not len(split) == wanted > 0:
            raise ValueError(
                f"split {name!r} has {len(split)} examples, the spec asks for {wanted}: load the problem with the "
                "sizes of the spec."
            )
    if spec.epochs < 1 or spec.batch_size < 1 or not 1 <= spec.probe_batches * spec.batch_size <= spec.n_train:
        raise ValueError(
            f"epochs {spec.epochs}, batch_size {spec.batch_size}, probe_batches {spec.probe_batches}, n_train "
            f"{spec.n_train}: all must be positive and the probe's full batches must fit into the training split."
        )


class _Run:
    """Everything that changes while a run goes on: what a checkpoint holds."""

    def __init__(self, spec: Spec, problem: AnyProblem) -> None:
        torch.manual_seed(stream_seed(spec.seed, "noise"))
        self.spec = spec
        self.problem = problem
        self.method = Method(spec)
        self.optimizers = [
            torch.optim.Adam(parameters, lr=spec.learning_rate)
            for network in self.method.networks
            for parameters in (
                network.shared_parameters(),
                [parameter for head in network.head_parameters() for parameter in head],
            )
        ]
        self.batch_orders = torch.Generator().manual_seed(stream_seed(spec.seed, "batches"))
        self.augmentation = (
            torch.Generator().manual_seed(stream_seed(spec.seed, "augmentation"))
            if spec.augmentation != "none"
            else None
        )
        self.records: list[EpochRecord] = []
        self.test_recent: list[Evaluation] = []
        self.best_epoch = 0
        self.best_states = self._states()
        self.seconds = 0.0
        self.cpu_seconds = 0.0
        self.clock = CpuClock()
        self.started = now()
        self.resumed = 0

    def epoch(self, should_stop: Callable[[], bool]) -> EpochRecord:
        """Train once through the training split, then probe and validate."""
        number = len(self.records) + 1
        totals = _EpochTotals()
        self._set_learning_rate(number)
        clock, cpu_clock = time.perf_counter(), time.process_time()
        for step, (inputs, targets) in enumerate(self._shuffled_batches(), start=1):
            if should_stop():
                raise TrainingStopped(f"stopped in epoch {number}: run it again to resume from epoch {number - 1}.")
            with self.clock("step"):
                outcomes = self._step(inputs, targets, f"epoch {number}, step {step}")
            with self.clock("running means"):
                totals.add(outcomes, len(inputs))
        if self.method.weighting is not None:
            try:
                self.method.weighting.end_of_epoch()
            except UnusableLoss as error:
                raise TrainingFailed(f"epoch {number}: {error}") from error
        seconds = time.perf_counter() - clock
        self.seconds += seconds
        self.cpu_seconds += time.process_time() - cpu_clock

        networks = self.method.networks
        try:
            with self.clock("probe"):
                geometry = probe(networks, self._probe_batches(), self.spec.probe_rho)
        except (NonFiniteLoss, FlatMTLError) as error:
            raise TrainingFailed(f"epoch {number}, probe: {error}") from error
        with self.clock("validation"):
            answers = self._evaluate(self.problem.validation, f"epoch {number}, validation")
        record = EpochRecord(
            epoch=number,
            train_loss=totals.mean("loss"),
            perturbed_loss=totals.mean("perturbed_loss") if totals.perturbed else None,
            train_accuracy=totals.mean("accuracy") if "accuracy" in totals.sums else (),
            validation_loss=answers.losses,
            validation_accuracy=answers.accuracies,
            during=totals.tally.result() if totals.reported else None,
            probe=geometry,
            parameter_norms=parameter_norms(networks),
            seconds=seconds,
            validation_metrics=answers.metrics,
        )
        self.records.append(record)
        if answers.metrics and number > self.spec.epochs - RECENT:
            self.test_recent.append(self._test(number))
        best = max(self.records, key=merit)  # max: the first of ties
        if best.epoch == number:
            self.best_epoch, self.best_states = number, self._states()
        return record

    def _step(self, inputs: Tensor, targets: Targets, where: str) -> tuple[StepOutcome, ...]:
        """The method's gradients, then the optimizers: what a training loop does with a batch."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        try:
            outcomes = self.method.step(inputs, targets)
        except (NonFiniteLoss, UnusableLoss, FlatMTLError) as error:
            raise TrainingFailed(f"{where}: {error}") from error
        for optimizer in self.optimizers:
            optimizer.step()
        return outcomes

    def finish(self, *, commit: str, dirty: bool, weights: Path | None) -> Result:
        """Read the test split at the last and at the best weights; on dense problems the last epochs read it, too."""
        spec = self.spec
        last_states = self._states()
        test_last = self._test(spec.epochs)
        self._load_states(self.best_states)
        test_best = self._test(self.best_epoch)
        if weights is not None:
            content = {"spec": msgspec.json.encode(spec).decode(), "best": self.best_states, "last": last_states}
            _save_atomically(weights, content)
        steps = spec.epochs * math.ceil(spec.n_train / spec.batch_size)
        return Result(
            schema_version=SCHEMA_VERSION,
            key=spec_key(spec),
            spec=spec,
            provenance=provenance(self.problem, commit=commit, dirty=dirty, started=self.started, resumed=self.resumed),
            dimensions=block_dimensions(self.method.networks),
            epochs=tuple(self.records),
            best_epoch=self.best_epoch,
            test_best=test_best,
            test_last=test_last,
            steps=steps,
            gradient_evaluations=self.method.gradient_evaluations(steps, self.problem.train.tasks),
            seconds_training=self.seconds,
            cpu_seconds_training=self.cpu_seconds,
            cpu_seconds=dict(self.clock.seconds),
            test_recent=tuple(self.test_recent),
        )

    def save(self, path: Path) -> None:
        """Write the state of the run; the file appears whole or not at all."""
        with self.clock("checkpoints"):
            _save_atomically(path, self._content())

    def _content(self) -> dict[str, Any]:
        content = {
            "key": spec_key(self.spec),
            "data_sha256": self.problem.sums(),
            "torch": str(torch.__version__),
            "networks": self._states(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "batch_orders": self.batch_orders.get_state(),
            "task_orders": self.method.generator.get_state(),
            "global_generator": torch.get_rng_state(),
            "records": msgspec.json.encode(self.records).decode(),
            "best_epoch": self.best_epoch,
            "best_states": self.best_states,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "clock": self.clock.seconds,
            "started": self.started,
            "resumed": self.resumed,
        }
        if self.method.weighting is not None:
            content["weighting"] = self.method.weighting.state_dict()
        if self.method.variant is not None:
            content["variant"] = self.method.variant.state_dict()
        if self.augmentation is not None:
            content["augmentation"] = self.augmentation.get_state()
        if self.test_recent:
            content["test_recent"] = msgspec.json.encode(self.test_recent).decode()
        return content

    def restore(self, path: Path) -> None:
        """Continue from a checkpoint of this very run."""
        content = torch.load(path, weights_only=True)
        expected = {"key": spec_key(self.spec), "data_sha256": self.problem.sums(), "torch": str(torch.__version__)}
        for name, value in expected.items():
            if content[name] != value:
                raise CheckpointError(
                    f"{path}: holds {name} {content[name]}, this run has {value}. Remove the file to start anew."
                )
        self._load_states(content["networks"])
        for optimizer, state in zip(self.optimizers, content["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        self.batch_orders.set_state(content["batch_orders"])
        self.method.generator.set_state(content["task_orders"])
        if self.method.weighting is not None:
            self.method.weighting.load_state_dict(content["weighting"])
        if self.method.variant is not None:
            self.method.variant.load_state_dict(content["variant"])
        if self.augmentation is not None:
            self.augmentation.set_state(content["augmentation"])
        self.test_recent = msgspec.json.decode(content.get("test_recent", "[]"), type=list[Evaluation])
        torch.set_rng_state(content["global_generator"])
        self.records = msgspec.json.decode(content["records"], type=list[EpochRecord])
        self.best_epoch = content["best_epoch"]
        self.best_states = content["best_states"]
        self.seconds = content["seconds"]
        self.cpu_seconds = content["cpu_seconds"]
        self.clock.seconds |= content.get("clock", {})  # without one, in older checkpoints, it counts from here
        self.started = content["started"]
        self.resumed = content["resumed"] + 1

    def _shuffled_batches(self) -> Iterator[Batch]:
        order = torch.randperm(self.spec.n_train, generator=self.batch_orders)
        for indices in order.split(self.spec.batch_size):
            with self.clock("batches"):
                batch = self.problem.train.batch(indices, self.augmentation)
            yield batch

    def _probe_batches(self) -> list[Batch]:
        generator = torch.Generator().manual_seed(stream_seed(self.spec.seed, "probe"))
        order = torch.randperm(self.spec.n_train, generator=generator)
        return [
            self.problem.train.batch(indices)
            for indices in order.split(self.spec.batch_size)[: self.spec.probe_batches]
        ]

    def _set_learning_rate(self, epoch: int) -> None:
        """That of this epoch, counted from 1: a function of the epoch alone, so that it needs no state."""
        halved = self.spec.schedule == "halved" and epoch > self.spec.epochs // 2
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.spec.learning_rate / 2 if halved else self.spec.learning_rate

    def _evaluate(self, split: AnySplit, where: str) -> Answers:
        answers = split.evaluate(self.method.networks)
        for task, loss in enumerate(answers.losses, start=1):
            if not math.isfinite(loss):
                raise TrainingFailed(f"{where}: the loss of task {task} is {loss}")
        return answers

    def _test(self, epoch: int) -> Evaluation:
        with self.clock("test"):
            answers = self._evaluate(self.problem.test, f"test after epoch {epoch}")
        return Evaluation(epoch=epoch, accuracy=answers.accuracies, loss=answers.losses, metrics=answers.metrics)

    def _states(self) -> list[dict[str, Tensor]]:
        return [
            {name: value.detach().clone() for name, value in network.state_dict().items()}
            for network in self.method.networks
        ]

    def _load_states(self, states: list[dict[str, Tensor]]) -> None:
        for network, state in zip(self.method.networks, states, strict=True):
            network.load_state_dict(state)


class CpuClock:
    """Processor seconds of this process, by the part of a run that used them: `experiments.results.CPU_PARTS`."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = dict.fromkeys(CPU_PARTS, 0.0)

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        """Count what runs inside to ``part``; what ends in an exception is not counted."""
        before = time.process_time()
        yield
        self.seconds[part] += time.process_time() - before


class _EpochTotals:
    """Sums over the steps of one epoch, weighted by the size of the batch."""

    def __init__(self) -> None:
        self.examples = 0
        self.sums: dict[str, Tensor] = {}
        self.tally = ConflictTally()
        self.perturbed = False
        self.reported = False

    def add(self, outcomes: tuple[StepOutcome, ...], examples: int) -> None:
        self.examples += examples
        self._add("loss", torch.cat([outcome.losses for outcome in outcomes]).double() * examples)
        correct = [outcome.correct for outcome in outcomes if outcome.correct is not None]
        if correct:
            self._add("accuracy", torch.cat(correct).double())
        perturbed_losses = [outcome.perturbed_losses for outcome in outcomes if outcome.perturbed_losses is not None]
        if perturbed_losses:
            self.perturbed = True
            self._add("perturbed_loss", torch.cat(perturbed_losses).double() * examples)
        reports = [outcome.report for outcome in outcomes if outcome.report is not None]
        if reports:
            self.reported = True
            self.tally.add(reports)

    def mean(self, name: str) -> tuple[float, ...]:
        return tuple((self.sums[name] / self.examples).tolist())

    def _add(self, name: str, values: Tensor) -> None:
        self.sums[name] = self.sums[name] + values if name in self.sums else values


def machine() -> str:
    """The processor's name and the instruction set that torch uses on it: both decide the last bits."""
    capability = torch.backends.cpu.get_cpu_capability()
    information = Path("/proc/cpuinfo")
    names = []
    if information.exists():
        lines = information.read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else 'unknown processor'}, {capability}"


def provenance(problem: AnyProblem, *, commit: str, dirty: bool, started: str, resumed: int = 0) -> Provenance:
    """Where numbers come from that are finished now: this process, this source tree, these data."""
    return Provenance(
        commit=commit,
        dirty=dirty,
        python=python_version(),
        torch=str(torch.__version__),
        numpy=numpy.__version__,
        machine=machine(),
        threads=torch.get_num_threads(),
        data_sha256=problem.sums(),
        started=started,
        finished=now(),
        resumed=resumed,
    )


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _save_atomically(path: Path, content: dict[str, Any]) -> None:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_atomically(path, buffer.getvalue())
