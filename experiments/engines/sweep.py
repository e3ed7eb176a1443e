"""A sweep: a list of specs, or a shard of it, on an engine. The same for every engine and for every task."""

import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType

from rich.console import Console

from experiments.available import FindLacks, assume_all, describe_lacks
from experiments.engines.display import Display
from experiments.engines.engine import Engine, Handle, SweepBroken, Task
from experiments.engines.training import TrainingTask
from experiments.executors import Finished, LoadProblem, One, Settings
from experiments.results import StoreError, result_path
from experiments.spec import Spec, spec_key


@dataclass(frozen=True)
class Shard:
    """Part ``index`` of ``count``: the runs whose key, as a number, is ``index - 1`` modulo ``count``."""

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read ``i/n``, 1 <= i <= n."""
        match = re.fullmatch(r"(\d+)/(\d+)", text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise ValueError(f"shard is {text!r}: write i/n with 1 <= i <= n, for example 2/3.")
        return cls(int(match[1]), int(match[2]))

    def __contains__(self, spec: Spec) -> bool:
        return int(spec_key(spec), 16) % self.count == self.index - 1


def run_sweep(
    specs: Sequence[Spec],
    settings: Settings,
    *,
    load: LoadProblem,
    engine: Engine,
    lacks: FindLacks = assume_all,
    console: Console | None = None,
) -> list[Finished[Spec]]:
    """Train specs on an engine, as `finish` does; ``settings.fresh``: from the start.

    Args:
        specs: what to run.
        settings: where results and state go.
        load: makes the splits of (problem, n_train, n_validation, n_test, data_dir); importable by the workers.
        engine: where the runs are computed.
        lacks: what can not be used of their data, see `finish`.
        console: where progress is shown.
    """
    for spec in specs:
        if settings.fresh or result_path(settings.store, spec).exists():  # of a run that was killed once it was stored
            (settings.work / "checkpoints" / f"{spec_key(spec)}.pt").unlink(missing_ok=True)
    return finish(TrainingTask(settings, load), specs, engine=engine, lacks=lacks, console=console)


def finish(
    task: Task[One],
    specs: Sequence[One],
    *,
    engine: Engine,
    lacks: FindLacks = assume_all,
    console: Console | None = None,
) -> list[Finished[One]]:
    """Do a task for every spec on an engine, in their order; what is stored is skipped unless it shall be ``fresh``.

    SIGINT and SIGTERM end the sweep; the same command resumes it. A failed run does not end the sweep. Runs whose data
    can not be used are left out, which is said once, before the others start.

    Args:
        engine: where it is computed.
        lacks: finds what can not be used of the data that missing runs want.
        console: where progress is shown: live on a terminal, one line a run otherwise.

    Returns:
        One entry a run that was skipped, is without data or came to an end; runs that a stop left out are not in it.

    Raises:
        SweepBroken: a process of this machine died.
        EngineMissing: the engine's library, scheduler or queue is not there.
    """
    console = console or Console()
    stored = [not task.settings.fresh and task.path(spec).exists() for spec in specs]
    missing = [spec for spec, found in zip(specs, stored, strict=True) if not found]
    without = _without_data(missing, task, lacks, console)
    started = [spec for spec in missing if task.training(spec) not in without]
    display = Display(console, len(specs) - len(missing) + len(started), task.describe)
    finished = [_skipped(spec, task) for spec, found in zip(specs, stored, strict=True) if found]
    for one in finished:
        display.show_finished(one)
    if started:
        with _stopping(console) as stop, display.progress:
            for one in _ends(started, task, engine, display, stop):
                finished.append(one)
                display.show_finished(one)
    left_out = [Finished(spec, "without data", 0.0) for spec in missing if task.training(spec) in without]
    return [*finished, *left_out]


def _without_data(missing: Sequence[One], task: Task[One], lacks: FindLacks, console: Console) -> set[Spec]:
    """The training runs whose data can not be used; why is said once."""
    wanted, data_dir = [task.training(spec) for spec in missing], task.settings.data_dir
    found = lacks(wanted, data_dir)
    without = {spec for lack in found for spec in lack.specs}
    if found:
        left_out = sum(spec in without for spec in wanted)
        message = describe_lacks(found, left_out, len(wanted), data_dir)
        console.print(message, markup=False, highlight=False, soft_wrap=True)
    return without


def tell_counts(finished: Sequence[Finished[One]], asked: int, console: Console) -> int:
    """Say how the runs of a sweep ended; how many of them failed, were stopped, left out or not started."""
    counts: Counter[str] = Counter(one.outcome for one in finished)
    counts["not started"] = asked - len(finished)
    console.print(", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count), highlight=False)
    return counts["failed"] + counts["stopped"] + counts["without data"] + counts["not started"]


def _skipped(spec: One, task: Task[One]) -> Finished[One]:
    """What is stored: trusted only after it was read."""
    try:
        task.read(task.path(spec))
    except StoreError as error:
        return Finished(spec, "failed", 0.0, f"{type(error).__name__}: {error}")
    return Finished(spec, "skipped", 0.0)


def _ends(
    specs: Sequence[One], task: Task[One], engine: Engine, display: Display[One], stop: threading.Event
) -> Iterator[Finished[One]]:
    """How each run ended, as they end."""
    with engine.submit(task, specs) as submitted:
        pending = list(zip(submitted.handles, specs, strict=True))
        while pending:
            display.show_updates(submitted.updates())
            looked = [(handle, spec, handle.done()) for handle, spec in pending]
            pending = [(handle, spec) for handle, spec, done in looked if not done]
            for handle, spec, done in looked:
                if done and (end := _end(handle, spec, task, stop)) is not None:
                    yield end
            if stop.is_set():
                submitted.ask_to_stop()
                pending = [(handle, spec) for handle, spec in pending if handle.cancel() is False]
            if len(pending) == len(looked):
                time.sleep(engine.interval)


def _end(handle: Handle, spec: One, task: Task[One], stop: threading.Event) -> Finished[One] | None:
    """How a run ended that is over; None when it ended because the sweep stops."""
    try:
        end: Finished[One] = handle.result()
    except BrokenProcessPool as error:
        if stop.is_set():
            return None
        raise SweepBroken(
            "a worker process died without a word (out of memory, or killed): run the command again, what is stored "
            "is kept and every training run resumes from its last full epoch."
        ) from error
    except Exception as error:  # noqa: BLE001 - whatever an engine lost a run to is told; the others go on
        return None if stop.is_set() else Finished(spec, "failed", 0.0, f"{type(error).__name__}: {error}")
    path = task.path(spec)
    if end.outcome in ("done", "skipped") and not path.exists():
        message = f"it was stored, but {path} is not to be seen here: all machines must share the store's file system."
        return replace(end, outcome="failed", message=message)
    return end


@contextmanager
def _stopping(console: Console) -> Iterator[threading.Event]:
    """The first SIGINT or SIGTERM sets the event; a second one has its usual effect."""
    stop = threading.Event()
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
        yield stop
    finally:
        restore()
