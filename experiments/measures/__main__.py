"""Command line: ``python -m experiments.measures`` measures what is missing; finished runs are skipped."""

import sys
from pathlib import Path
from typing import Literal

import torch
import tyro
from rich.console import Console

from experiments.executors import BUILD
from experiments.measures.records import STORED, measurings
from experiments.measures.run import measure_all
from experiments.splits import load_problem


def main(
    profile: Literal["smoke", "laptop"] = "laptop",
    store: Path = STORED,
    weights: Path = BUILD / "weights",
    fresh: bool = False,
    data_dir: Path | None = None,
    only: str = "",
) -> int:
    """Calibration, sharpness, curvature, noise and landscape of seven methods on MultiFashion.

    Args:
        profile: whose runs are measured.
        store: folder of the measures.
        weights: folder of trained weights, one file a run (as `python -m experiments run` keeps them); missing ones
            are trained.
        fresh: measure finished runs again.
        data_dir: folder with the original files.
        only: runs whose description contains this text.
    """
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    failed = measure_all(
        measurings(profile),
        store,
        weights,
        load=load_problem,
        data_dir=data_dir,
        fresh=fresh,
        only=only,
        console=Console(),
    )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
