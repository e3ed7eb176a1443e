"""Command line: ``python -m experiments.courses`` follows the runs that the store lacks; finished ones are skipped."""

import sys
from pathlib import Path

import tyro

from experiments.available import find_lacks
from experiments.certificates.disjoint import load_disjoint
from experiments.courses.follow import follow
from experiments.courses.records import COURSE_SHELF, STORED, followings
from experiments.engines.records import keep_records
from experiments.executors import Settings


def main(
    store: Path = STORED, workers: int = 1, fresh: bool = False, data_dir: Path | None = None, only: str = ""
) -> int:
    """Certificate, test error and Gaussian premise along the training of a few networks.

    Args:
        store: folder of the courses. Locks and failures go into its .work/, for the
            repository's own store into build/.
        workers: processes, one thread each.
        fresh: follow finished runs again.
        data_dir: folder with the original files. What needs data that can not be used or fetched is left out, which is
            said once, before the rest starts.
        only: runs whose description contains this text.
    """
    settings = Settings(store=store, data_dir=data_dir, fresh=fresh)
    failed = keep_records(
        COURSE_SHELF, followings(), follow, settings, load=load_disjoint, lacks=find_lacks, workers=workers, only=only
    )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
