"""Command line: ``python -m experiments.measures`` measures what is missing; finished runs are skipped."""

import functools
import sys
from pathlib import Path
from typing import Literal

import tyro

from experiments.available import find_lacks
from experiments.engines.records import keep_records
from experiments.executors import Settings
from experiments.measures import bracket_records, records
from experiments.measures.bracket import bracket_trained
from experiments.measures.run import measure_trained
from experiments.splits import load_problem


def main(
    kind: Literal["measures", "brackets"] = "measures",
    profile: Literal["smoke", "laptop"] = "laptop",
    store: Path | None = None,
    weights: Path | None = None,
    workers: int = 1,
    fresh: bool = False,
    data_dir: Path | None = None,
    only: str = "",
) -> int:
    """Measures of seven methods on MultiFashion, or the worst loss in the ball from both sides on Adult.

    Args:
        kind: calibration, sharpness, curvature, noise and landscape; or the brackets of perceptrons.
        profile: whose runs are measured; brackets are of the laptop list.
        store: folder of the records; by default the kind's own. Locks and failures go into its .work/, for the
            repository's own store into build/.
        weights: folder of trained weights, one file a run (as `python -m experiments run` keeps them); missing ones
            are trained. By default beside the locks.
        workers: processes, one thread each.
        fresh: measure finished runs again.
        data_dir: folder with the original files. What needs data that can not be used or fetched is left out, which is
            said once, before the rest starts.
        only: runs whose description contains this text.
    """
    settings = Settings(
        store=store or (records if kind == "measures" else bracket_records).STORED, data_dir=data_dir, fresh=fresh
    )
    weights = weights or settings.work / "weights"
    keep = functools.partial(
        keep_records, settings=settings, load=load_problem, lacks=find_lacks, workers=workers, only=only
    )
    if kind == "measures":
        measure = functools.partial(measure_trained, weights=weights, load=load_problem, data_dir=data_dir)
        failed = keep(records.MEASURES_SHELF, records.measurings(profile), measure)
    else:
        bracket = functools.partial(bracket_trained, weights=weights)
        failed = keep(bracket_records.BRACKET_SHELF, bracket_records.bracketings(), bracket)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
