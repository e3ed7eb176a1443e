"""One run: its protocol, resumable after every epoch.

Adam for the trunk and Adam for the heads, at a constant learning rate or at half of it from half of the epochs on;
images of dense problems may be scaled, cropped and flipped: both as the spec says. An epoch goes once through the
training split in a shuffled order (the same for every method with the same seed); the last, smaller batch is kept.
Then the probe, then the validation split. The best epoch is chosen on validation. The test split is read after the
last epoch, at the last and at the best weights, and on dense problems also after each of the last 10 epochs; it chooses
nothing. A run that is stopped and resumed gives the same numbers bit for bit, times excepted.
"""

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import torch
from torch import Tensor

from experiments.counting import EpochTotals
from experiments.loss_weightings import UnusableLoss
from experiments.methods import NonFiniteLoss, StepOutcome, stream_seed
from experiments.metrics import Answers, block_dimensions, parameter_norms, probe
from experiments.provenance import provenance
from experiments.results import RECENT, SCHEMA_VERSION, EpochRecord, Evaluation, Result, merit
from experiments.run_state import RunState, save_atomically
from experiments.spec import Spec, spec_key
from experiments.splits import AnyProblem, AnySplit, Batch
from experiments.targets import Targets
from flatmtl_core.errors import FlatMTLError


class TrainingFailed(RuntimeError):
    """A run that can not go on: the message names the epoch, the step and, where there is one, the task."""


class TrainingStopped(Exception):
    """The run was asked to stop; it resumes from the last full epoch."""


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


class _Run(RunState):
    """What a run does with its state: epochs, then the tests at their end."""

    def epoch(self, should_stop: Callable[[], bool]) -> EpochRecord:
        """Train once through the training split, then probe and validate."""
        number = len(self.records) + 1
        totals = EpochTotals()
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
            self.best_epoch, self.best_states = number, self.states()
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
        last_states = self.states()
        test_last = self._test(spec.epochs)
        self.load_states(self.best_states)
        test_best = self._test(self.best_epoch)
        if weights is not None:
            content = {"spec": msgspec.json.encode(spec).decode(), "best": self.best_states, "last": last_states}
            save_atomically(weights, content)
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
