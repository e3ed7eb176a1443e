"""The engine of a Dask cluster, of whatever kind, by its scheduler's address."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from experiments.engines.engine import EngineMissing, Submitted, Task, require
from experiments.executors import One


@dataclass(frozen=True)
class DaskCluster:
    """The workers of ``scheduler`` (``tcp://host:port``), started where this checkout can be imported.

    The scheduler gives the run of a worker that died to another one, which resumes it; a run that ends three more
    workers fails.
    """

    scheduler: str
    patience: float = 10.0
    interval: float = 0.1

    @contextmanager
    def submit(self, task: Task[One], specs: Sequence[One]) -> Iterator[Submitted]:
        """One future a spec, earlier specs first. The cluster forgets what is not running when the context ends."""
        require("distributed", "dask")
        from distributed import Client  # noqa: PLC0415 - only who uses Dask needs it

        try:
            client = Client(self.scheduler, timeout=self.patience, set_as_default=False)
        except (OSError, ValueError) as error:
            raise EngineMissing(
                f"no Dask scheduler answers at {self.scheduler!r} ({error}): start one, or correct --scheduler."
            ) from error
        with client:
            keys = [task.key(spec) for spec in specs]
            yield Submitted(
                [
                    client.submit(task, spec, key, pure=False, priority=-number)
                    for number, (spec, key) in enumerate(zip(specs, keys, strict=True))
                ]
            )
