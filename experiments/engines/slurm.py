"""The engine of a SLURM cluster: one job array, one job a run, by submitit."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal

from experiments.engines.engine import EngineMissing, Submitted, Task, require
from experiments.executors import Finished, One

if TYPE_CHECKING:
    from submitit.helpers import DelayedSubmission


@dataclass(frozen=True, kw_only=True)
class Slurm:
    """Jobs of one core. A job whose time is up, or that is preempted, is queued again and resumes its run.

    Args:
        workers: jobs that run at the same time, at most.
        hours: time limit of a job.
        memory_gb: memory of a job.
        partition: where the jobs are queued; empty: the cluster's own choice.
        cluster: ``local``: processes of this machine in the place of jobs, all at once.
    """

    workers: int = 2
    hours: float = 4.0
    memory_gb: float = 4.0
    partition: str = ""
    cluster: Literal["slurm", "local"] = "slurm"
    interval: float = 1.0

    @contextmanager
    def submit(self, task: Task[One], specs: Sequence[One]) -> Iterator[Submitted]:
        """One job a spec; pickles and logs: ``slurm/`` in the work folder. Jobs outlive the sweep that is killed."""
        require("submitit", "slurm")
        if self.cluster == "slurm" and shutil.which("sbatch") is None:
            raise EngineMissing("this machine has no sbatch: start the sweep where SLURM jobs can be submitted.")
        from submitit import AutoExecutor  # noqa: PLC0415 - only who uses SLURM needs it

        executor = AutoExecutor(folder=task.settings.work / "slurm", cluster=self.cluster)
        options: dict[str, Any] = {"slurm_array_parallelism": self.workers}
        if self.partition:
            options["slurm_partition"] = self.partition
        executor.update_parameters(
            name="flatmtl", timeout_min=round(60 * self.hours), mem_gb=self.memory_gb, cpus_per_task=1, **options
        )
        yield Submitted(executor.map_array(_Job(task), specs, [task.key(spec) for spec in specs]))


@dataclass(frozen=True)
class _Job(Generic[One]):
    """A task that knows what to submit when it has to give way: itself."""

    task: Task[One]

    def __call__(self, spec: One, key: str) -> Finished[One]:
        return self.task(spec, key)

    def checkpoint(self, spec: One, key: str) -> "DelayedSubmission":
        """The run left its state behind after its last full epoch."""
        from submitit.helpers import DelayedSubmission  # noqa: PLC0415

        return DelayedSubmission(self, spec, key)
