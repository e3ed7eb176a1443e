"""Command line: ``python -m experiments.toys`` computes the toys and keeps them."""

import sys
from pathlib import Path
from platform import python_version

import numpy
import torch
import tyro
from rich.console import Console

from experiments.executors import source_state
from experiments.provenance import machine, now
from experiments.results import Provenance
from experiments.toys.records import SCHEMA_VERSION, STORED, Toys, save_toys
from experiments.toys.trajectories import SCENES, toy


def main(path: Path = STORED) -> int:
    """Compute all trajectories; a few seconds.

    Args:
        path: the file.
    """
    torch.set_num_threads(1)
    started, (commit, dirty) = now(), source_state()
    toys = tuple(toy(name) for name in SCENES)
    source = Provenance(
        commit=commit,
        dirty=dirty,
        python=python_version(),
        torch=str(torch.__version__),
        numpy=numpy.__version__,
        machine=machine(),
        threads=1,
        data_sha256={},
        started=started,
        finished=now(),
        resumed=0,
    )
    save_toys(path, Toys(schema_version=SCHEMA_VERSION, provenance=source, toys=toys))
    Console().print(f"{len(toys)} toys: {path}", markup=False, highlight=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
