"""What an engine is: it takes specs and gives a handle for each. All engines compute the same `Task`."""

import functools
import importlib.util
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch

from experiments.executors import Finished, One, Settings, describe, source_state
from experiments.spec import Spec

Loaded = TypeVar("Loaded")


class EngineMissing(RuntimeError):
    """An engine that this environment, or this machine, does not have; the message says what to install or start."""


class SweepBroken(RuntimeError):
    """A worker process died; what it had finished is kept."""


@dataclass(frozen=True)
class Update:
    """A worker has ``done`` so many of ``total`` parts of what it computes: the epochs of a run."""

    worker: int
    label: str
    done: int
    total: int


_alone = threading.Lock()
"""A run draws from the process's random generator: a worker with several threads computes one thing at a time."""
source = functools.cache(source_state)
"""The state of the sources, found once a process."""


def untold(done: int, total: int) -> None:
    """Nobody wants to know how far it is."""


def never() -> bool:
    """Nobody will ask to stop."""
    return False


@functools.lru_cache(maxsize=1)
def _loaded(load: Callable[..., Any], *arguments: Any) -> Any:
    return load(*arguments)


def decoded(load: Callable[..., Loaded], *arguments: Any) -> Loaded:
    """What ``load`` makes of the arguments; the data of one problem are decoded once a process."""
    problem: Loaded = _loaded(load, *arguments)
    return problem


@dataclass(frozen=True)
class Task(ABC, Generic[One]):
    """What a worker does with a spec, in whatever process and on whatever machine: one thread, deterministic kernels.

    The commit that a result names is the worker's own. Training runs are one kind of task, records another one.
    """

    settings: Settings

    @abstractmethod
    def key(self, spec: One) -> str:
        """The content key of what is asked for."""

    @abstractmethod
    def training(self, spec: One) -> Spec:
        """The training run that it is, or is about."""

    def describe(self, spec: One) -> str:
        """It on one line."""
        return describe(self.training(spec))

    @abstractmethod
    def path(self, spec: One) -> Path:
        """Where its result is stored."""

    @abstractmethod
    def read(self, path: Path) -> object:
        """Read a stored result strictly.

        Raises:
            StoreError: it can not be trusted.
        """

    @abstractmethod
    def run(self, spec: One, tell: Callable[[int, int], None], should_stop: Callable[[], bool]) -> Finished[One]:
        """Compute and store it, once (`experiments.executors.once`).

        Args:
            tell: called with the parts that are done, and with all.
            should_stop: whether to leave off.
        """

    def __call__(
        self,
        spec: One,
        key: str,
        tell: Callable[[int, int], None] = untold,
        should_stop: Callable[[], bool] = never,
    ) -> Finished[One]:
        """Run one spec; refuses one whose key here is not the ``key`` of who submitted it."""
        if self.key(spec) != key:
            message = f"the worker's sources give this run another key than {key}: use one commit on all machines."
            return Finished(spec, "failed", 0.0, message)
        with _alone:
            torch.set_num_threads(1)
            torch.use_deterministic_algorithms(True)
            return self.run(spec, tell, should_stop)


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

    def submit(self, task: Task[One], specs: Sequence[One]) -> AbstractContextManager[Submitted]:
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
