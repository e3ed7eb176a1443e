"""Measures a list of runs in a few processes; each is kept as soon as it is done, so that a second call resumes."""

import functools
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from experiments.cheaper.measure import measure
from experiments.cheaper.records import (
    MEASURED_SHELF,
    Measurement,
)
from experiments.executors import LoadLabelled, describe, source_state
from experiments.splits import LoadedProblem


def sweep(
    measurements: Sequence[Measurement],
    store: Path,
    *,
    load: LoadLabelled,
    data_dir: Path | None = None,
    workers: int = 2,
    fresh: bool = False,
    console: Console,
) -> int:
    """Measure what the store lacks; how many runs failed.

    Args:
        load: makes the splits of a training run; importable by the workers.
        workers: number of processes, one thread each.
        fresh: measure finished runs again.
    """
    missing = [one for one in measurements if fresh or MEASURED_SHELF.find([store], one) is None]
    console.print(f"{len(measurements) - len(missing)} of {len(measurements)} measured already", highlight=False)
    source, failed = source_state(), 0
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_prepare) as pool:
        running = {pool.submit(_run, one, store, load, data_dir, source): one for one in missing}
        for future in as_completed(running):
            died = future.exception()  # of the process, not of the run
            outcome = f"failed: {died!r}" if died else future.result()
            failed += outcome.startswith("failed")
            console.print(
                f"{describe(running[future].training)} {outcome}", markup=False, highlight=False, soft_wrap=True
            )
    return failed


def _prepare() -> None:
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    torch.use_deterministic_algorithms(True)


@functools.lru_cache(maxsize=1)
def _splits(load: Callable[..., LoadedProblem], *arguments: Any) -> LoadedProblem:
    return load(*arguments)


def _run(
    measurement: Measurement,
    store: Path,
    load: Callable[..., LoadedProblem],
    data_dir: Path | None,
    source: tuple[str, bool],
) -> str:
    """Measure one run in this process and keep it; how it ended, in words."""
    spec = measurement.training
    try:
        problem = _splits(load, spec.problem, spec.n_train, spec.n_validation, spec.n_test, data_dir)
        measured = measure(measurement, problem, commit=source[0], dirty=source[1])
        MEASURED_SHELF.save(store, measured)
    except Exception as error:  # noqa: BLE001 - whatever a run dies of is reported; the others go on
        return f"failed: {type(error).__name__}: {error}"
    return f"measured in {measured.seconds:.1f} s"
