"""Engines: whoever computes a run, and whatever dies meanwhile, a sweep ends with the numbers of single runs."""

import importlib.util
import io
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
import submitit
from rich.console import Console

from experiments import __main__ as commands
from experiments import catalog, executors
from experiments.engines.dask_cluster import DaskCluster
from experiments.engines.engine import Engine, EngineMissing, Submitted, Task
from experiments.engines.estimate import Left, left
from experiments.engines.local import LocalPool
from experiments.engines.records import RecordTask
from experiments.engines.slurm import Slurm
from experiments.engines.sweep import Shard, run_sweep, tell_counts
from experiments.engines.training import TrainingTask
from experiments.executors import Finished, Settings, locked, run_one
from experiments.results import Result, compare_results, read_result, result_path, save_result
from experiments.spec import Spec, spec_key
from experiments.train import train
from tests.experiments.asked import SHELF, answer, ask
from tests.experiments.cluster import dask_cluster
from tests.experiments.tiny_problem import slow_tiny_problem, tiny_problem, tiny_spec
from tests.figures.synthetic import result as synthetic_result
from tests.trace import ROOT

LONG = tuple(tiny_spec(mode="erm", seed=seed, epochs=3) for seed in range(2))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(store=tmp_path / "store")


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def outcomes(finished: Sequence[Finished[Spec]]) -> dict[Spec, str]:
    return {one.spec: one.outcome for one in finished}


def sweep(
    specs: Sequence[Spec], settings: Settings, engine: Engine, load: executors.LoadProblem
) -> list[Finished[Spec]]:
    return run_sweep(specs, settings, load=load, engine=engine, console=Console(file=io.StringIO()))


def until(condition: Callable[[], object]) -> None:
    """Wait for a minute at most."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def lock_of(spec: Spec, settings: Settings) -> Path:
    return settings.work / "locks" / f"{spec_key(spec)}.lock"


def checkpoint_of(spec: Spec, settings: Settings) -> Path:
    return settings.work / "checkpoints" / f"{spec_key(spec)}.pt"


def assert_stored_like_single_runs(specs: Sequence[Spec], settings: Settings) -> list[int]:
    """Bit for bit; how often each was resumed."""
    resumed = []
    for spec in specs:
        stored = read_result(result_path(settings.store, spec))
        assert compare_results(train(spec, tiny_problem(), commit="", dirty=True), stored).identical
        resumed.append(stored.provenance.resumed)
    return resumed


@pytest.mark.thorough
def test_a_dask_worker_that_is_killed_is_replaced_by_another_one(settings: Settings, tmp_path: Path) -> None:
    with dask_cluster(tmp_path, workers=2) as cluster:
        workers = {worker.pid: worker for worker in cluster.workers}

        def kill() -> int:
            until(lambda: any(checkpoint_of(spec, settings).exists() for spec in LONG))
            started = next(spec for spec in LONG if checkpoint_of(spec, settings).exists())
            killed = holder(lock_of(started, settings))
            workers[killed].kill()
            return killed

        with ThreadPoolExecutor(1) as threads:
            kills = threads.submit(kill)
            finished = sweep(LONG, settings, DaskCluster(cluster.scheduler, patience=60), slow_tiny_problem)
            assert workers.pop(kills.result()).wait(10) == -signal.SIGKILL
        assert [worker.poll() for worker in workers.values()] == [None]
    assert outcomes(finished) == dict.fromkeys(LONG, "done"), finished
    assert sorted(assert_stored_like_single_runs(LONG, settings)) == [0, 1]


@pytest.mark.thorough
def test_slurm_jobs_resume_when_their_time_is_up_and_when_they_are_killed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By submitit's own stand-in for a cluster: the first job is asked to give way, the second one is killed."""
    monkeypatch.setattr(submitit.Job, "_results_timeout_s", 1)
    slurm = Slurm(cluster="local", interval=0.1)

    def end(spec: Spec, number: signal.Signals) -> None:
        until(checkpoint_of(spec, settings).exists)
        os.kill(holder(lock_of(spec, settings)), number)

    with ThreadPoolExecutor(2) as threads:
        ends = threads.map(end, LONG, (signal.SIGUSR2, signal.SIGKILL))
        finished = sweep(LONG, settings, slurm, slow_tiny_problem)
        assert list(ends) == [None, None]
    assert [one.outcome for one in sorted(finished, key=lambda one: one.spec.seed)] == ["done", "failed"], finished
    assert [one.message.split(":")[0] for one in finished if one.outcome == "failed"] == ["UncompletedJobError"]
    assert run_one(LONG[1], settings, load=tiny_problem, source=("0123abcd", False)).outcome == "done"
    assert assert_stored_like_single_runs(LONG, settings) == [1, 1]


def holder(lock: Path) -> int:
    """The process that holds a lock, from the system's table of locks."""
    inode = lock.stat().st_ino
    for line in Path("/proc/locks").read_text().splitlines():
        fields = line.split()
        if fields[1] == "FLOCK" and fields[5].endswith(f":{inode}"):
            return int(fields[4])
    raise AssertionError(f"nobody holds {lock}")


def test_slurm_is_asked_for_one_array_with_the_limits_given(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program named like SLURM's keeps what would be submitted."""
    (programs := tmp_path / "programs").mkdir()
    for name, reply in (
        ("sbatch", f'cp "$1" {tmp_path}/script; echo Submitted batch job 7'),
        ("srun", ""),
        ("sacct", ""),
    ):
        (programs / name).write_text(f"#!/bin/sh\n{reply}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    slurm = Slurm(workers=1, hours=1.5, memory_gb=6, partition="long")
    with slurm.submit(TrainingTask(settings, tiny_problem), LONG) as submitted:
        assert [handle.job_id for handle in submitted.handles] == ["7_0", "7_1"]  # type: ignore[attr-defined]
    script = (tmp_path / "script").read_text()
    for line in ("array=0-1%1", "time=90", "mem=6GB", "partition=long", "cpus-per-task=1"):
        assert f"#SBATCH --{line}\n" in script, script


@dataclass(frozen=True)
class Inline:
    """An engine whose handles are futures that are over at once: they hold what ``compute`` returns or raises."""

    compute: Callable[[Task[Spec], Spec], Finished[Spec]]
    interval: float = 0.0

    @contextmanager
    def submit(self, task: Task[Spec], specs: Sequence[Spec]) -> Iterator[Submitted]:
        futures: list[Future[Finished[Spec]]] = []
        for spec in specs:
            futures.append(Future())
            try:
                futures[-1].set_result(self.compute(task, spec))
            except RuntimeError as error:
                futures[-1].set_exception(error)
        yield Submitted(futures)


def test_a_run_that_the_engine_lost_is_a_failure_and_the_others_go_on(settings: Settings) -> None:
    def compute(task: Task[Spec], spec: Spec) -> Finished[Spec]:
        if spec == LONG[0]:
            raise RuntimeError("the node is gone")
        save_result(settings.store, synthetic_result(spec))
        return Finished(spec, "done", 1.0)

    finished = sweep(LONG, settings, Inline(compute), tiny_problem)
    assert [(one.spec, one.outcome, one.message) for one in finished] == [
        (LONG[0], "failed", "RuntimeError: the node is gone"),
        (LONG[1], "done", ""),
    ]


def test_what_runs_elsewhere_is_told_and_is_no_failure(settings: Settings) -> None:
    told = Console(file=(text := io.StringIO()), width=200)
    elsewhere = Inline(lambda task, spec: Finished(spec, "running elsewhere", 0.0))
    finished = run_sweep(LONG[:1], settings, load=tiny_problem, engine=elsewhere, console=told)
    assert tell_counts(finished, 1, told) == 0
    assert text.getvalue().startswith("[1/1] running elsewhere")
    assert text.getvalue().splitlines()[-1] == "1 running elsewhere"


def test_a_stopped_sweep_withdraws_what_waits(settings: Settings) -> None:
    class Busy:
        """An engine that never comes to the runs, in a sweep that is told to stop."""

        interval = 0.0
        futures: tuple[Future[Finished[Spec]], ...] = ()

        @contextmanager
        def submit(self, task: Task[Spec], specs: Sequence[Spec]) -> Iterator[Submitted]:
            self.futures = tuple(Future() for _ in specs)
            os.kill(os.getpid(), signal.SIGTERM)
            yield Submitted(self.futures)

    before, busy = signal.getsignal(signal.SIGTERM), Busy()
    assert sweep(LONG, settings, busy, tiny_problem) == []
    assert [future.cancelled() for future in busy.futures] == [True, True]
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_worker_that_dies_while_the_sweep_withdraws_what_waits_breaks_nothing_else(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when SIGTERM goes to all processes of a sweep. A pool's thread fails on futures that were cancelled."""
    failures: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", failures.append)
    listed = [ask(tmp_path, "held", seed) for seed in range(6)]
    Path(f"{listed[0].log}.hold").touch()
    task = RecordTask(settings, SHELF, answer, tiny_problem)
    with LocalPool(1).submit(task, listed) as submitted:
        until(Path(listed[0].log).exists)
        worker = holder(settings.work / "locks" / f"{SHELF.key(listed[0])}.lock")
        for handle in submitted.handles:
            handle.cancel()
        os.kill(worker, signal.SIGKILL)
        until(lambda: failures or all(handle.done() for handle in submitted.handles))
    assert [repr(failure.exc_value) for failure in failures] == []
    assert not Path(listed[-1].log).exists()


def test_what_waits_in_a_pool_that_is_asked_to_stop_is_not_begun(settings: Settings, tmp_path: Path) -> None:
    listed = [ask(tmp_path, "held", seed) for seed in range(6)]
    Path(f"{listed[0].log}.hold").touch()
    with LocalPool(1).submit(RecordTask(settings, SHELF, answer, tiny_problem), listed) as submitted:
        until(Path(listed[0].log).exists)
    begun, *waiting = submitted.handles
    assert begun.result().outcome == "stopped"
    for handle in waiting:
        with pytest.raises(CancelledError, match="not begun"):
            handle.result()
    assert not any(Path(asked.log).exists() for asked in listed[1:])


def test_a_result_that_is_stored_out_of_sight_is_a_failure(settings: Settings) -> None:
    elsewhere = Inline(lambda task, spec: Finished(spec, "done", 1.0))
    (finished,) = sweep(LONG[:1], settings, elsewhere, tiny_problem)
    assert finished.outcome == "failed"
    assert "share the store's file system" in finished.message


def test_a_worker_with_other_sources_refuses(settings: Settings) -> None:
    finished = TrainingTask(settings, tiny_problem)(LONG[0], spec_key(LONG[1]))
    assert finished.outcome == "failed"
    assert "one commit on all machines" in finished.message
    assert not settings.store.exists()


def test_stored_runs_are_read_and_not_submitted(settings: Settings) -> None:
    def refuse(task: Task[Spec], spec: Spec) -> Finished[Spec]:
        raise AssertionError("nothing is missing")

    save_result(settings.store, synthetic_result(LONG[0]))
    path = result_path(settings.store, LONG[1])
    path.write_text("{}")
    finished = sweep(LONG, settings, Inline(refuse), tiny_problem)
    assert outcomes(finished) == dict(zip(LONG, ("skipped", "failed"), strict=True))
    assert "schema version" in finished[1].message
    assert path.read_text() == "{}"


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_shards_are_disjoint_and_complete(count: int) -> None:
    specs = catalog.specs("laptop")
    shards = [Shard.parse(f"{index}/{count}") for index in range(1, count + 1)]
    assert [sum(spec in shard for shard in shards) for spec in specs] == [1] * len(specs)
    assert all(any(spec in shard for spec in specs) for shard in shards)


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/0", "-1/2", "a/b", "1/2/3"])
def test_no_shard(text: str) -> None:
    with pytest.raises(ValueError, match="write i/n"):
        Shard.parse(text)


def test_what_is_left_is_what_runs_of_the_same_kind_took() -> None:
    def took(hours: float, **changes: object) -> Result:
        result = synthetic_result(tiny_spec(**changes))
        return msgspec.structs.replace(result, cpu_seconds_training=3600 * hours)

    stored = [took(1), took(3, seed=1), took(100, mode="erm"), took(100, epochs=3)]
    remaining = [tiny_spec(seed=2), tiny_spec(rho_shared=0.2), tiny_spec(problem="multi_fashion")]
    assert left(remaining, stored) == Left(core_hours=4.0, unknown=1)
    assert str(left(remaining, stored)) == ("about 4 core-hours of training; runs of whose kind none is stored: 1")
    assert str(left(remaining, [])) == "runs of whose kind none is stored: 3"
    assert left([], stored) == Left(core_hours=0.0, unknown=0)


def command(*arguments: str) -> int:
    code = commands.app.cli(args=list(arguments), prog="experiments")
    assert isinstance(code, int)
    return code


def test_status_tells_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    specs = tuple(tiny_spec(seed=seed) for seed in range(4))
    monkeypatch.setattr(catalog, "specs", lambda name: specs)
    settings = Settings(store=tmp_path / "store")
    result = msgspec.structs.replace(synthetic_result(specs[0]), cpu_seconds_training=7200.0)
    save_result(settings.store, result)
    (settings.work / "failed").mkdir(parents=True)
    (settings.work / "failed" / f"{spec_key(specs[1])}.txt").write_text("why")
    with locked(lock_of(specs[2], settings)):
        assert command("status", "smoke", "--store", str(settings.store)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["failed", "running", "missing"]
    assert lines[3:] == ["1 done, 1 failed, 1 running, 1 missing", "left: about 6 core-hours of training"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--engine", "slurm"], "pip install --group slurm", id="submitit"),
        pytest.param(["--engine", "dask"], "pip install --group dask", id="distributed"),
        pytest.param(["--shard", "3/2"], "write i/n", id="shard"),
        pytest.param(["--workers", "0"], "at least one process", id="workers"),
    ],
)
def test_a_sweep_that_can_not_start_says_why(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert command("sweep", "smoke", "--store", str(tmp_path), *arguments) == 1
    assert message in capsys.readouterr().out


def test_an_engine_without_its_cluster_says_so(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EngineMissing, match="no sbatch"):
        sweep(LONG, settings, Slurm(), tiny_problem)
    with socket.socket() as unanswered:
        unanswered.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{unanswered.getsockname()[1]}"
        with pytest.raises(EngineMissing, match="no Dask scheduler answers"):
            sweep(LONG, settings, DaskCluster(address, patience=0.3), tiny_problem)
    with pytest.raises(EngineMissing, match="no Dask scheduler answers at ''"):
        sweep(LONG, settings, DaskCluster("", patience=0.3), tiny_problem)
