"""Command line: ``python -m experiments.cheaper`` measures what is missing; finished runs are skipped."""

import sys
from pathlib import Path

import tyro
from rich.console import Console

from experiments.cheaper.records import STORED, measurements
from experiments.cheaper.sweep import sweep
from experiments.splits import load_problem


def main(store: Path = STORED, workers: int = 2, fresh: bool = False, data_dir: Path | None = None) -> int:
    """Measure the directions of all cheaper variants along the laptop profile's F-LS and F-CAGrad runs.

    Args:
        store: folder of the measurements.
        workers: processes, one thread each.
        fresh: measure finished runs again.
        data_dir: folder with the original image files.
    """
    chosen = measurements()
    failed = sweep(chosen, store, load=load_problem, data_dir=data_dir, workers=workers, fresh=fresh, console=Console())
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
