"""Command line: ``python -m experiments.certificates`` certifies what is missing; finished certificates are skipped."""

import sys
from pathlib import Path

import tyro
from rich.console import Console

from experiments.certificates.records import STORED, certifications
from experiments.certificates.sweep import sweep


def main(
    store: Path = STORED, workers: int = 2, fresh: bool = False, data_dir: Path | None = None, only: str = ""
) -> int:
    """Certify networks trained plain, by SAM-sum, direct and decomposed, on every data set.

    Args:
        store: folder of the certificates.
        workers: processes, one thread each.
        fresh: make finished certificates again.
        data_dir: folder with the original files.
        only: those whose training is described by a line that contains this text.
    """
    failed = sweep(
        certifications(),
        store,
        data_dir=data_dir,
        workers=workers,
        fresh=fresh,
        only=only,
        console=Console(),
    )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
