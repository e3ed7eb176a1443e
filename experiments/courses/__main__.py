"""Command line: ``python -m experiments.courses`` follows the runs that the store lacks; finished ones are skipped."""

import sys
from pathlib import Path

import torch
import tyro
from rich.console import Console

from experiments.certificates.sweep import load_disjoint
from experiments.courses.follow import follow
from experiments.courses.records import (
    COURSE_SHELF,
    STORED,
    followings,
)
from experiments.executors import describe, source_state


def main(store: Path = STORED, fresh: bool = False, data_dir: Path | None = None, only: str = "") -> int:
    """Certificate, test error and Gaussian premise along the training of a few networks.

    Args:
        store: folder of the courses.
        fresh: follow finished runs again.
        data_dir: folder with the original files.
        only: runs whose description contains this text.
    """
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    console, failed = Console(), 0
    commit, dirty = source_state()
    for following in followings():
        spec = following.training
        if only.lower() not in describe(spec).lower() or (not fresh and COURSE_SHELF.find([store], following)):
            continue
        try:
            course = follow(following, load_disjoint(spec, data_dir), commit=commit, dirty=dirty)
            COURSE_SHELF.save(store, course)
            outcome = f"followed in {course.cpu_seconds:.0f} CPU s"
        except Exception as error:  # noqa: BLE001 - whatever a run dies of is reported; the others go on
            failed, outcome = failed + 1, f"failed: {type(error).__name__}: {error}"
        console.print(f"{describe(spec)} {outcome}", markup=False, highlight=False, soft_wrap=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
