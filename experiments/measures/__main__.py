"""Command line: ``python -m experiments.measures`` measures what is missing; finished runs are skipped."""

import functools
import sys
from pathlib import Path
from typing import Literal

import tyro

from experiments.available import find_lacks
from experiments.engines.records import keep_records
from experiments.executors import Settings
from experiments.measures.records import MEASURES_SHELF, STORED, measurings
from experiments.measures.run import measure_trained
from experiments.splits import load_problem


def main(
    profile: Literal["smoke", "laptop"] = "laptop",
    store: Path = STORED,
    weights: Path | None = None,
    workers: int = 1,
    fresh: bool = False,
    data_dir: Path | None = None,
    only: str = "",
) -> int:
    """Calibration, sharpness, curvature, noise and landscape of seven methods on MultiFashion.

    Args:
        profile: whose runs are measured.
        store: folder of the measures. Locks and failures go into its .work/, for the
            repository's own store into build/.
        weights: folder of trained weights, one file a run (as `python -m experiments run` keeps them); missing ones
            are trained. By default build/weights, or .work/weights of a store that is not the repository's own.
        workers: processes, one thread each.
        fresh: measure finished runs again.
        data_dir: folder with the original files. What needs data that can not be used or fetched is left out, which is
            said once, before the rest starts.
        only: runs whose description contains this text.
    """
    settings = Settings(store=store, data_dir=data_dir, fresh=fresh)
    weights = weights or settings.work / "weights"
    measure = functools.partial(measure_trained, weights=weights, load=load_problem, data_dir=data_dir)
    failed = keep_records(
        MEASURES_SHELF,
        measurings(profile),
        measure,
        settings,
        load=load_problem,
        lacks=find_lacks,
        workers=workers,
        only=only,
    )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
