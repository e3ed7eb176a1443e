"""The task of training runs."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from experiments.engines.engine import Task, decoded, source
from experiments.executors import Finished, LoadProblem, run_one
from experiments.results import Result, read_result, result_path
from experiments.spec import Spec, spec_key


@dataclass(frozen=True)
class TrainingTask(Task[Spec]):
    """Train one spec, or resume it; ``load`` makes the splits and is importable by the workers."""

    load: LoadProblem

    def key(self, spec: Spec) -> str:
        return spec_key(spec)

    def training(self, spec: Spec) -> Spec:
        return spec

    def path(self, spec: Spec) -> Path:
        return result_path(self.settings.store, spec)

    def read(self, path: Path) -> Result:
        return read_result(path)

    def run(self, spec: Spec, tell: Callable[[int, int], None], should_stop: Callable[[], bool]) -> Finished[Spec]:
        return run_one(
            spec,
            self.settings,
            load=functools.partial(decoded, self.load),
            source=source(),
            on_epoch=lambda epoch, seconds: tell(epoch, spec.epochs),
            should_stop=should_stop,
        )
