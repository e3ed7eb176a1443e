"""The engine of one machine: a few processes, which end when the sweep does."""

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from typing import Generic

import torch

from experiments.engines.engine import Submitted, Task, Update
from experiments.executors import Finished, One


@dataclass(frozen=True)
class LocalPool:
    """``workers`` processes of this machine, one thread each. Asked to stop, they end after the step under way, and
    refuse what waits."""

    workers: int = 2
    interval: float = 0.1

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueError(f"workers is {self.workers}: at least one process is needed.")

    @contextmanager
    def submit(self, task: Task[One], specs: Sequence[One]) -> Iterator[Submitted]:
        """One handle a spec. What has not begun when the context ends is withdrawn."""
        context = multiprocessing.get_context("spawn")
        updates: Queue[Update] = context.Queue()
        stop = context.Event()
        with ProcessPoolExecutor(self.workers, context, initializer=_start, initargs=(updates, stop)) as pool:
            handles = [_PoolHandle(pool.submit(_run, task, spec, task.key(spec))) for spec in specs]
            try:
                yield Submitted(handles, stop.set, lambda: _received(updates))
            finally:
                stop.set()


@dataclass(frozen=True)
class _PoolHandle(Generic[One]):
    """A future of the pool, which is never cancelled.

    When a worker dies, the pool's thread gives every future that it keeps an error. Many releases of Python fail there
    on the first cancelled one, with an InvalidStateError on the terminal, and neither end the other workers nor answer
    for the other futures. One signal to the whole process group is enough: it ends workers while the sweep withdraws
    what waits.
    """

    future: "Future[Finished[One]]"

    def done(self) -> bool:
        return self.future.done()

    def result(self) -> Finished[One]:
        return self.future.result()

    def cancel(self) -> bool:
        """False: workers that are asked to stop refuse it."""
        return False


@dataclass(frozen=True)
class _Line:
    """What joins a worker to the process that started it."""

    updates: "Queue[Update]"
    stop: Event


_line: ContextVar[_Line] = ContextVar("line")
"""The one of this process; set in worker processes only."""


def _start(updates: "Queue[Update]", stop: Event) -> None:
    torch.set_num_interop_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and says so through ``stop``
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _line.set(_Line(updates, stop))


def _run(task: Task[One], spec: One, key: str) -> Finished[One]:
    line = _line.get()
    if line.stop.is_set():
        raise CancelledError("not begun: the sweep stops")

    def tell(done: int, total: int) -> None:
        line.updates.put(Update(os.getpid(), task.describe(spec), done, total))

    return task(spec, key, tell, line.stop.is_set)


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever; whatever it wrote is whole."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _received(updates: "Queue[Update]") -> Iterator[Update]:
    while True:
        try:
            yield updates.get_nowait()
        except queue.Empty:
            return
