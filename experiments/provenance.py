"""Where numbers come from: source tree, versions, machine, data and time."""

from datetime import UTC, datetime
from pathlib import Path
from platform import python_version

import numpy
import torch

from experiments.results import Provenance
from experiments.splits import AnyProblem


def machine() -> str:
    """The processor's name and the instruction set that torch uses on it: both decide the last bits."""
    capability = torch.backends.cpu.get_cpu_capability()
    information = Path("/proc/cpuinfo")
    names = []
    if information.exists():
        lines = information.read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else 'unknown processor'}, {capability}"


def provenance(problem: AnyProblem, *, commit: str, dirty: bool, started: str, resumed: int = 0) -> Provenance:
    """Where numbers come from that are finished now: this process, this source tree, these data."""
    return Provenance(
        commit=commit,
        dirty=dirty,
        python=python_version(),
        torch=str(torch.__version__),
        numpy=numpy.__version__,
        machine=machine(),
        threads=torch.get_num_threads(),
        data_sha256=problem.sums(),
        started=started,
        finished=now(),
        resumed=resumed,
    )


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
