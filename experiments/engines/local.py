"""The engine of one machine: a few processes, which end when the sweep does."""

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event

import torch

from experiments.engines.engine import Submitted, Task, Update
from experiments.executors import Finished, One


@dataclass(frozen=True)
class LocalPool:
    """``workers`` processes of this machine, one thread each. Asked to stop, they end after the step under way."""

    workers: int = 2
    interval: float = 0.1

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueError(f"workers is {self.workers}: at least one process is needed.")

    @contextmanager
    def submit(self, task: Task[One], specs: Sequence[One]) -> Iterator[Submitted]:
        """One future a spec."""
        context = multiprocessing.get_context("spawn")
        updates: Queue[Update] = context.Queue()
        stop = context.Event()
        with ProcessPoolExecutor(self.workers, context, initializer=_start, initargs=(updates, stop)) as pool:
            futures = [pool.submit(_run, task, spec, task.key(spec)) for spec in specs]
            yield Submitted(futures, stop.set, lambda: _received(updates))


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
