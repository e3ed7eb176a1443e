"""Command line: ``python -m experiments.cheaper`` measures what is missing; finished runs are skipped."""

import sys
from pathlib import Path

import tyro

from experiments.available import find_lacks
from experiments.cheaper.measure import measure
from experiments.cheaper.records import MEASURED_SHELF, STORED, measurements
from experiments.engines.records import keep_records
from experiments.executors import Settings
from experiments.splits import load_problem


def main(store: Path = STORED, workers: int = 2, fresh: bool = False, data_dir: Path | None = None) -> int:
    """Measure the directions of all cheaper variants along the laptop profile's F-LS and F-CAGrad runs.

    Args:
        store: folder of the measurements. Locks and failures go into its .work/, for the
            repository's own store into build/.
        workers: processes, one thread each.
        fresh: measure finished runs again.
        data_dir: folder with the original files. What needs data that can not be used or fetched is left out, which is
            said once, before the rest starts.
    """
    settings = Settings(store=store, data_dir=data_dir, fresh=fresh)
    failed = keep_records(
        MEASURED_SHELF, measurements(), measure, settings, load=load_problem, lacks=find_lacks, workers=workers
    )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
