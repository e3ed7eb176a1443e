"""What is counted while a run goes on: processor time by part, and sums over the steps of an epoch."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from experiments.methods import StepOutcome
from experiments.metrics import ConflictTally
from experiments.results import CPU_PARTS


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


class EpochTotals:
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
