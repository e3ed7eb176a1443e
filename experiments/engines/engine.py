"""What an engine is: it takes runs and gives a handle for each. All engines compute the same `Task`."""

import functools
import importlib.util
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from experiments.executors import Finished, Settings, run_one, source_state
from experiments.spec import Spec, spec_key
from experiments.splits import AnyProblem


class EngineMissing(RuntimeError):
    """An engine that this environment, or this machine, does not have; the message says what to install or start."""


class SweepBroken(RuntimeError):
    """A worker process died; what it had finished is kept."""


@dataclass(frozen=True)
class Update:
    """One epoch of one worker is over."""

    worker: int
    label: str
    epoch: int
    epochs: int


_alone = threading.Lock()
"""A run draws from the process's random generator: a worker with several threads runs one spec at a time."""
_source = functools.cache(source_state)


@functools.lru_cache(maxsize=1)
def _loaded(load: Callable[..., AnyProblem], *arguments: Any) -> AnyProblem:
    return load(*arguments)


@dataclass(frozen=True)
class Task:
    """What a worker does with a spec, in whatever process and on whatever machine: one thread, deterministic kernels.

    The commit that a result names is the worker's own; the data of a problem are decoded once a process.
    """

    settings: Settings
    load: Callable[..., AnyProblem]

    def __call__(
        self,
        spec: Spec,
        key: str,
        on_epoch: Callable[[int, float], None] = lambda epoch, seconds: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Finished:
        """Run one spec; refuses one whose key here is not the ``key`` of who submitted it."""
        if spec_key(spec) != key:
            message = f"the worker's sources give this run another key than {key}: use one commit on all machines."
            return Finished(spec, "failed", 0.0, message)
        with _alone:
            torch.set_num_threads(1)
            torch.use_deterministic_algorithms(True)
            return run_one(
                spec,
                self.settings,
                load=functools.partial(_loaded, self.load),
                source=_source(),
                on_epoch=on_epoch,
                should_stop=should_stop,
            )


class Handle(Protocol):
    """One submitted run: a future of the standard library or of Dask, or a job of submitit."""

    def done(self) -> bool:
        """Whether it is over, however it ended."""
        ...

    def result(self) -> Any:
        """The `Finished` of a run that is over; raises when its process died."""
        ...

    def cancel(self) -> Any:
        """Withdraw the run. False: it is going on, and will end by itself."""
        ...


@dataclass(frozen=True)
class Submitted:
    """The handles, in the order of the specs; ``ask_to_stop`` reaches the runs that are going on, ``updates`` come
    from them (an engine whose workers are elsewhere has neither)."""

    handles: Sequence[Handle]
    ask_to_stop: Callable[[], None] = lambda: None
    updates: Callable[[], Iterable[Update]] = tuple


class Engine(Protocol):
    """Where runs are computed. ``interval``: seconds between two looks at the handles."""

    @property
    def interval(self) -> float: ...

    def submit(self, task: Task, specs: Sequence[Spec]) -> AbstractContextManager[Submitted]:
        """Submit every spec, in this order; the handles live as long as the context."""
        ...


def require(library: str, engine: str) -> None:
    """Refuse an engine whose library is not installed.

    Raises:
        EngineMissing: names the dependency group, which is named like the engine.
    """
    if importlib.util.find_spec(library) is None:
        constraints = Path(".ci", "constraints.txt").as_posix()
        raise EngineMissing(
            f"the engine {engine!r} needs {library}, which is not installed: "
            f"python -m pip install --group {engine} -c {constraints}"
        )
