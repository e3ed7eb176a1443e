"""Sweeps of records about training runs: certificates, courses, measures, measurements of cheaper steps."""

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Generic, Protocol, TypeVar

from rich.console import Console

from experiments.available import FindLacks, assume_all
from experiments.engines.engine import SweepBroken, Task, decoded, never, source
from experiments.engines.local import LocalPool
from experiments.engines.sweep import finish, tell_counts
from experiments.executors import Finished, Settings, once
from experiments.results import Answer, AnyAnswer, AnyQuestion, Question, Shelf
from experiments.spec import ProblemName, Spec
from experiments.splits import AnyProblem
from experiments.train import TrainingStopped

INTERVAL = 0.2
"""Seconds between two looks whether to stop."""

Asked_contra = TypeVar("Asked_contra", bound=Question, contravariant=True)
Given = TypeVar("Given")
Splits = TypeVar("Splits", bound=AnyProblem)
Splits_co = TypeVar("Splits_co", bound=AnyProblem, covariant=True)
Splits_contra = TypeVar("Splits_contra", bound=AnyProblem, contravariant=True)
Answer_co = TypeVar("Answer_co", bound=Answer, covariant=True)


class Load(Protocol[Splits_co]):
    """Makes the splits of a problem in the sizes asked for."""

    def __call__(
        self, problem: ProblemName, n_train: int, n_validation: int, n_test: int, data_dir: Path | None
    ) -> Splits_co: ...


class Compute(Protocol[Asked_contra, Splits_contra, Answer_co]):
    """Answers one question, on the splits of its training run; ``commit``, ``dirty``: the state of the sources."""

    def __call__(self, question: Asked_contra, problem: Splits_contra, /, *, commit: str, dirty: bool) -> Answer_co: ...


@dataclass(frozen=True)
class RecordTask(Task[AnyQuestion], Generic[AnyQuestion, Splits, AnyAnswer]):
    """Answer one question and keep the answer on its shelf, in the store's folder itself.

    Args:
        shelf: of answers of this kind.
        compute, load: importable by the workers; ``load`` makes the splits of a training run.
    """

    shelf: Shelf[AnyQuestion, AnyAnswer]
    compute: Compute[AnyQuestion, Splits, AnyAnswer]
    load: Load[Splits]

    def key(self, spec: AnyQuestion) -> str:
        return self.shelf.key(spec)

    def training(self, spec: AnyQuestion) -> Spec:
        return spec.training

    def path(self, spec: AnyQuestion) -> Path:
        return self.shelf.path(self.settings.store, spec)

    def read(self, path: Path) -> AnyAnswer:
        return self.shelf.read(path)

    def run(
        self, spec: AnyQuestion, tell: Callable[[int, int], None], should_stop: Callable[[], bool]
    ) -> Finished[AnyQuestion]:
        def compute() -> str:
            tell(0, 1)
            answer = _unless_stopped(lambda: self._answer(spec), should_stop)
            self.shelf.save(self.settings.store, answer)
            tell(1, 1)
            return answer.summary

        return once(
            spec,
            self.settings,
            key=self.key(spec),
            label=self.describe(spec),
            path=self.path(spec),
            read=self.read,
            compute=compute,
        )

    def _answer(self, spec: AnyQuestion) -> AnyAnswer:
        of, (commit, dirty) = spec.training, source()
        problem = decoded(self.load, of.problem, of.n_train, of.n_validation, of.n_test, self.settings.data_dir)
        return self.compute(spec, problem, commit=commit, dirty=dirty)


def _unless_stopped(compute: Callable[[], Given], should_stop: Callable[[], bool]) -> Given:
    """What is computed, in the process's main thread; given up as soon as it should stop: a record has no halves.

    Raises:
        TrainingStopped: it was given up.
    """
    given_up = TrainingStopped("given up; the same command begins it anew")
    if should_stop is never:
        return compute()
    if should_stop():
        raise given_up

    def look(number: int, frame: FrameType | None) -> None:
        if should_stop():
            raise KeyboardInterrupt  # no `except Exception` on the way takes it for a failure
        signal.setitimer(signal.ITIMER_REAL, INTERVAL)  # only now: a look inside a look waits for the lock of the first

    def look_no_more() -> None:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)  # whatever look is under way asks for no other one
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)

    previous = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, INTERVAL)
    try:
        try:
            return compute()
        finally:
            look_no_more()
    except KeyboardInterrupt:
        look_no_more()  # it may have come while the first call was under way
        raise given_up from None


def keep_records(
    shelf: Shelf[AnyQuestion, AnyAnswer],
    questions: Sequence[AnyQuestion],
    compute: Compute[AnyQuestion, Splits, AnyAnswer],
    settings: Settings,
    *,
    load: Load[Splits],
    lacks: FindLacks = assume_all,
    workers: int = 1,
    only: str = "",
    console: Console | None = None,
) -> int:
    """Answer what the store lacks, in a few processes of this machine; each answer is kept as soon as there is one.

    SIGINT and SIGTERM end the sweep; the same command resumes it. A failure does not end it.

    Args:
        shelf: of the answers. questions: the list, in the order of computing.
        compute, load: as of a `RecordTask`. lacks: as of `finish`.
        workers: processes, one thread each.
        only: questions whose training is described by a line that contains this text.

    Returns:
        How many questions failed or were left without an answer.
    """
    console = console or Console()
    task = RecordTask(settings, shelf, compute, load)
    chosen = [one for one in questions if only.lower() in task.describe(one).lower()]
    if not chosen:
        console.print(f"None of {len(questions)} trainings is described by a line with {only!r}.", markup=False)
        return 1
    try:
        finished = finish(task, chosen, engine=LocalPool(workers), lacks=lacks, console=console)
    except (SweepBroken, ValueError) as error:
        console.print(str(error), markup=False, soft_wrap=True)
        return sum(settings.fresh or not task.path(one).exists() for one in chosen)
    return tell_counts(finished, len(chosen), console)
