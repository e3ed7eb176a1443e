"""A Dask cluster on loopback: a scheduler and workers in processes of their own, on ports that the system chooses."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.trace import ROOT


@dataclass(frozen=True)
class Cluster:
    """A scheduler's address and its worker processes."""

    scheduler: str
    workers: tuple["subprocess.Popen[bytes]", ...]


@contextmanager
def dask_cluster(folder: Path, workers: int) -> Iterator[Cluster]:
    """Start scheduler and workers, which write their logs into ``folder``; end them all."""
    file = folder / "scheduler.json"
    with ExitStack() as stack:
        scheduler = ("scheduler", "--port", "0", "--scheduler-file", str(file))
        stack.enter_context(_process(folder / "scheduler.log", *scheduler))
        worker = ("worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-nanny", "--local-directory")
        processes = tuple(
            stack.enter_context(_process(folder / f"worker{number}.log", *worker, str(folder)))
            for number in range(workers)
        )
        deadline = time.monotonic() + 60
        logs = [folder / f"worker{number}.log" for number in range(workers)]
        while not (file.exists() and all("Registered to" in log.read_text() for log in logs)):
            assert time.monotonic() < deadline, (folder / "scheduler.log").read_text()
            time.sleep(0.05)
        yield Cluster(json.loads(file.read_text())["address"], processes)


@contextmanager
def _process(log: Path, role: str, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    module = f"distributed.cli.dask_{role}"
    command = [sys.executable, "-m", module, *arguments, "--host", "127.0.0.1", "--no-dashboard"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with (
        log.open("wb") as file,
        subprocess.Popen(command, env=environment, cwd=log.parent, stdout=file, stderr=subprocess.STDOUT) as process,
    ):
        try:
            yield process
        finally:
            process.kill()
