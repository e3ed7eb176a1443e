"""The local engine: runs a list of specs in a few processes, each key at most once at a time.

State beside the store, under ``build/``: ``checkpoints/<key>.pt`` (removed once the result is safe),
``locks/<key>.lock`` (held while a run is going on), ``failed/<key>.txt`` (why a run failed; removed when it succeeds).
"""

import fcntl
import functools
import multiprocessing
import os
import queue
import signal
import statistics
import subprocess
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from types import FrameType
from typing import Literal, Protocol

import msgspec
import torch
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from experiments.results import read_result, result_path, save_result, write_atomically
from experiments.spec import ProblemName, Spec, method_label, spec_key
from experiments.train import LoadedProblem, TrainingStopped, train

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
SOURCES = ("flatmtl_core", "experiments", ":(exclude)experiments/store")
"""What decides whether the tree is dirty, as arguments of git: tracked files that a run executes."""

Outcome = Literal["done", "skipped", "running elsewhere", "failed", "stopped"]
State = Literal["done", "running", "failed", "missing"]


class LoadProblem(Protocol):
    """Makes the splits of a problem in the sizes asked for."""

    def __call__(
        self, problem: ProblemName, n_train: int, n_validation: int, n_test: int, data_dir: Path | None
    ) -> LoadedProblem: ...


class SweepBroken(RuntimeError):
    """A worker process died; what it had finished is kept."""


@dataclass(frozen=True)
class Update:
    """One epoch of one worker is over."""

    worker: int
    label: str
    epoch: int
    epochs: int


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What all runs of a sweep share. ``build`` holds checkpoints, locks and failures."""

    store: Path
    build: Path = BUILD
    data_dir: Path | None = None
    weights: Path | None = None
    fresh: bool = False


@dataclass(frozen=True)
class Finished:
    """How one run ended; ``seconds`` of wall time in this sweep."""

    spec: Spec
    outcome: Outcome
    seconds: float
    message: str = ""


def describe(spec: Spec) -> str:
    """One run on one line: key, problem, method with its radius, seed."""
    radius = f" rho={spec.rho_shared:g}" if spec.rho_shared else ""
    return f"{spec_key(spec)} {spec.problem} {method_label(spec)}{radius} seed={spec.seed}"


def source_state() -> tuple[str, bool]:
    """Commit of the checkout and whether what a run executes differs from it.

    Outside a git checkout, or before its first commit, there is nothing to compare with: ("no commit", True).
    """

    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(("git", "-C", str(ROOT), *arguments), capture_output=True, text=True, check=False)

    head = git("rev-parse", "--verify", "HEAD")
    if head.returncode != 0:
        return "no commit", True
    status = git("status", "--porcelain", "--untracked-files=no", "--", *SOURCES)
    return head.stdout.strip(), status.returncode != 0 or bool(status.stdout.strip())


@contextmanager
def locked(path: Path, *, patience: float = 1.0) -> Iterator[bool]:
    """Hold an exclusive lock on a file; yields False when another process holds it.

    The lock goes with the process, however it ends. ``patience`` (seconds) outlasts a look by `is_locked`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        deadline = time.monotonic() + patience
        while not (held := _try_lock(file.fileno())) and time.monotonic() < deadline:
            time.sleep(0.05)
        yield held


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock. The lock is taken for an instant to find out."""
    if not path.exists():
        return False
    with path.open("a") as file:
        return not _try_lock(file.fileno())


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def state(spec: Spec, store: Path, build: Path = BUILD) -> State:
    """Where a run stands: its result is stored; it is going on; it failed; or it has yet to be run."""
    key = spec_key(spec)
    if result_path(store, spec).exists():
        return "done"
    if is_locked(build / "locks" / f"{key}.lock"):
        return "running"
    return "failed" if (build / "failed" / f"{key}.txt").exists() else "missing"


def run_one(
    spec: Spec,
    settings: Settings,
    *,
    load: LoadProblem,
    source: tuple[str, bool],
    on_epoch: Callable[[int, float], None] = lambda epoch, seconds: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Finished:
    """Run one spec under its lock, resume its checkpoint, store its result or the reason of its failure."""
    key = spec_key(spec)
    checkpoint = settings.build / "checkpoints" / f"{key}.pt"
    failure = settings.build / "failed" / f"{key}.txt"
    clock = time.monotonic()

    def finished(outcome: Outcome, message: str = "") -> Finished:
        return Finished(spec, outcome, time.monotonic() - clock, message)

    with locked(settings.build / "locks" / f"{key}.lock") as held:
        if not held:
            return finished("running elsewhere")
        try:
            if result_path(settings.store, spec).exists() and not settings.fresh:
                read_result(result_path(settings.store, spec))
                return finished("skipped")
            result = train(
                spec,
                load(spec.problem, spec.n_train, spec.n_validation, spec.n_test, settings.data_dir),
                commit=source[0],
                dirty=source[1],
                checkpoint=checkpoint,
                weights=None if settings.weights is None else settings.weights / f"{key}.pt",
                on_epoch=lambda record: on_epoch(record.epoch, record.seconds),
                should_stop=should_stop,
            )
            save_result(settings.store, result)
        except TrainingStopped as stop:
            return finished("stopped", str(stop))
        except Exception as error:  # noqa: BLE001 - whatever a run dies of is recorded and reported; the others go on
            report = f"{describe(spec)}\n{msgspec.json.encode(spec).decode()}\n\n{traceback.format_exc()}"
            write_atomically(failure, report.encode())
            return finished("failed", f"{type(error).__name__}: {error} (see {failure})")
        checkpoint.unlink(missing_ok=True)
        failure.unlink(missing_ok=True)
        return finished("done")


class _Worker:
    """A worker process: decodes the data of a problem once, tells of its epochs, ends when the sweep does."""

    def __init__(
        self, settings: Settings, load: LoadProblem, source: tuple[str, bool], updates: "Queue[Update]", stop: Event
    ) -> None:
        torch.set_num_threads(1)
        torch.set_num_interop_threads(1)
        torch.use_deterministic_algorithms(True)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and says so through ``stop``
        threading.Thread(target=_end_with_parent, daemon=True).start()
        self.settings = settings
        self.load = functools.lru_cache(maxsize=1)(load)
        self.source = source
        self.updates = updates
        self.stop = stop

    def run(self, spec: Spec) -> Finished:
        """Run one spec and tell the parent of every epoch."""

        def on_epoch(epoch: int, seconds: float) -> None:
            self.updates.put(Update(os.getpid(), describe(spec), epoch, spec.epochs))

        return run_one(
            spec,
            self.settings,
            load=self.load,
            source=self.source,
            on_epoch=on_epoch,
            should_stop=self.stop.is_set,
        )


_worker: ContextVar[_Worker] = ContextVar("worker")
"""The one of this process; set in worker processes only."""


def _start_worker(
    settings: Settings, load: LoadProblem, source: tuple[str, bool], updates: "Queue[Update]", stop: Event
) -> None:
    _worker.set(_Worker(settings, load, source, updates, stop))


def _run_in_worker(spec: Spec) -> Finished:
    return _worker.get().run(spec)


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever; whatever it wrote is whole."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def run_sweep(
    specs: Sequence[Spec], settings: Settings, *, load: LoadProblem, workers: int = 2, console: Console | None = None
) -> list[Finished]:
    """Run specs in ``workers`` processes, in their order; finished keys are skipped unless ``settings.fresh``.

    SIGINT and SIGTERM end the sweep after the steps that are under way; the same command resumes it. A failed run does
    not end the sweep.

    Args:
        specs: what to run.
        settings: where results and state go.
        load: makes the splits of (problem, n_train, n_validation, n_test, data_dir); importable by the workers.
        workers: number of processes, one thread each.
        console: where progress is shown: live on a terminal, one line a run otherwise.

    Returns:
        One entry a run that was started; runs that a stop left out are not in it.
    """
    if workers < 1:
        raise ValueError(f"workers is {workers}: at least one process is needed.")
    context = multiprocessing.get_context("spawn")
    updates: Queue[Update] = context.Queue()
    stop = context.Event()
    if settings.fresh:
        for spec in specs:
            (settings.build / "checkpoints" / f"{spec_key(spec)}.pt").unlink(missing_ok=True)
    finished: list[Finished] = []
    display = _Display(console or Console(), len(specs), workers)
    pool = ProcessPoolExecutor(
        workers, context, initializer=_start_worker, initargs=(settings, load, source_state(), updates, stop)
    )
    with _stopping(stop, display.console), display.progress, pool:
        pending = {pool.submit(_run_in_worker, spec) for spec in specs}
        try:
            while pending:
                done, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
                display.show_updates(updates)
                for future in done:
                    finished.append(future.result())
                    display.show_finished(finished[-1])
                if stop.is_set():
                    pending = {future for future in pending if not future.cancel()}
        except BrokenProcessPool as error:
            if not stop.is_set():
                raise SweepBroken(
                    "a worker process died without a word (out of memory, or killed): run the command again, "
                    "every run resumes from its last full epoch."
                ) from error
    return finished


@contextmanager
def _stopping(stop: Event, console: Console) -> Iterator[None]:
    """The first SIGINT or SIGTERM sets ``stop``; a second one has its usual effect."""
    signals = (signal.SIGINT, signal.SIGTERM)
    previous = {number: signal.getsignal(number) for number in signals}

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        restore()
        stop.set()
        console.print(f"{signal.Signals(number).name}: stopping; the same command resumes.", highlight=False)

    for number in signals:
        signal.signal(number, ask_to_stop)
    try:
        yield
    finally:
        restore()


class _Display:
    """Progress of a sweep: on a terminal an overall bar and one a worker, with estimates; elsewhere one line a run."""

    def __init__(self, console: Console, runs: int, workers: int) -> None:
        self.console = console
        self.runs = runs
        self.workers = workers
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self.overall = self.progress.add_task("runs", total=runs)
        self.bars: dict[int, tuple[str, TaskID]] = {}
        self.finished = 0
        self.seconds: list[float] = []

    def show_updates(self, updates: "Queue[Update]") -> None:
        """Show the epochs that were finished since the last look."""
        while True:
            try:
                update = updates.get_nowait()
            except queue.Empty:
                return
            label, bar = self.bars.get(update.worker, ("", None))
            if label != update.label:
                if bar is not None:
                    self.progress.remove_task(bar)
                bar = self.progress.add_task(update.label, total=update.epochs)
                self.bars[update.worker] = (update.label, bar)
            assert bar is not None
            self.progress.update(bar, completed=update.epoch)

    def show_finished(self, run: Finished) -> None:
        """One line for a run that is over."""
        self.finished += 1
        self.progress.update(self.overall, completed=self.finished)
        if run.outcome == "done":
            self.seconds.append(run.seconds)
        left = ""
        if self.seconds and self.finished < self.runs:
            minutes = statistics.fmean(self.seconds) * (self.runs - self.finished) / self.workers / 60
            left = f", about {minutes:.0f} min left"
        message = f": {run.message}" if run.message else ""
        self.console.print(
            f"[{self.finished}/{self.runs}] {run.outcome} {describe(run.spec)} ({run.seconds:.1f} s{left}){message}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
