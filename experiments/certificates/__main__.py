"""Command line: ``python -m experiments.certificates`` certifies what is missing; finished certificates are skipped."""

import sys
from pathlib import Path
from typing import Literal

import tyro
from rich.console import Console

from experiments.certificates import trained_records
from experiments.certificates.records import STORED, certifications
from experiments.certificates.sweep import fit_all, sweep
from experiments.certificates.trained_records import fittings


def main(
    kind: Literal["line", "trained"] = "line",
    store: Path | None = None,
    workers: int = 2,
    fresh: bool = False,
    data_dir: Path | None = None,
    only: str = "",
) -> int:
    """Certify networks trained plain, by SAM-sum, direct and decomposed, on every data set.

    Args:
        kind: of posteriors: on the line to the network that goes on training, or trained on the bound (one process).
        store: folder of the certificates; by default the kind's own.
        workers: processes, one thread each.
        fresh: make finished certificates again.
        data_dir: folder with the original files.
        only: those whose training is described by a line that contains this text.
    """
    if kind == "trained":
        found = store or trained_records.STORED
        failed = fit_all(fittings(), found, data_dir=data_dir, fresh=fresh, only=only, console=Console())
        return int(failed > 0)
    failed = sweep(
        certifications(),
        store or STORED,
        data_dir=data_dir,
        workers=workers,
        fresh=fresh,
        only=only,
        console=Console(),
    )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
