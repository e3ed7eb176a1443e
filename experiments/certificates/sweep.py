"""Certifies a list of networks in a few processes; each certificate is kept as soon as it is done."""

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import torch
from rich.console import Console

from experiments.certificates.certify import certify
from experiments.certificates.fit import fit
from experiments.certificates.records import (
    CERTIFICATE_SHELF,
    Certification,
)
from experiments.certificates.trained_records import (
    FITTED_SHELF,
    Fitting,
)
from experiments.executors import describe, source_state
from experiments.problems.adult import load_adult
from experiments.problems.overlays import load_overlays
from experiments.spec import Spec
from experiments.splits import LoadedProblem, Split


def load_disjoint(spec: Spec, data_dir: Path | None = None) -> LoadedProblem:
    """The splits of a certified run, of independent samples: overlays that share no base image; people, whose numbers
    are scaled by the validation split, so that no part of the training split depends on another."""

    def overlays(name: str, count: int) -> Split:
        found = load_overlays(spec.problem, name, count=count, disjoint=True, data_dir=data_dir)  # type: ignore[arg-type]
        return Split(torch.from_numpy(found.images), torch.from_numpy(found.labels), found.sha256)

    def people(name: str, count: int) -> Split:
        found = load_adult(name, count=count, data_dir=data_dir, reference="validation")  # type: ignore[arg-type]
        return Split(torch.from_numpy(found.features), torch.from_numpy(found.labels), found.sha256)

    split = people if spec.problem == "adult" else overlays
    return LoadedProblem(
        train=split("train", spec.n_train),
        validation=split("validation", spec.n_validation),
        test=split("test", spec.n_test),
    )


def sweep(
    certifications: Sequence[Certification],
    store: Path,
    *,
    data_dir: Path | None = None,
    workers: int = 2,
    fresh: bool = False,
    only: str = "",
    console: Console,
) -> int:
    """Certify what the store lacks; how many failed."""
    chosen = [one for one in certifications if only.lower() in describe(one.training).lower()]
    missing = [one for one in chosen if fresh or CERTIFICATE_SHELF.find([store], one) is None]
    console.print(f"{len(chosen) - len(missing)} of {len(chosen)} certified already", highlight=False)
    source, failed = source_state(), 0
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_prepare) as pool:
        running = {pool.submit(_run, one, store, data_dir, source): one for one in missing}
        for future in as_completed(running):
            died = future.exception()  # of the process, not of the run
            outcome = f"failed: {died!r}" if died else future.result()
            failed += outcome.startswith("failed")
            line = f"{describe(running[future].training)} {outcome}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    return failed


def fit_all(
    fittings: Sequence[Fitting],
    store: Path,
    *,
    data_dir: Path | None = None,
    fresh: bool = False,
    only: str = "",
    console: Console,
) -> int:
    """Fit what the store lacks, one after the other in this process; how many failed."""
    _prepare()
    chosen = [one for one in fittings if only.lower() in describe(one.training).lower()]
    (commit, dirty), failed = source_state(), 0
    for fitting in (one for one in chosen if fresh or FITTED_SHELF.find([store], one) is None):
        try:
            fitted = fit(fitting, load_disjoint(fitting.training, data_dir), commit=commit, dirty=dirty)
            FITTED_SHELF.save(store, fitted)
            held_out, trained = (one.average.bounds["Seeger-Maurer"] for one in (fitted.held_out, fitted.trained))
            spent = sum(fitted.cpu_seconds.values())
            outcome = f"held out {held_out:.4f}, trained {trained:.4f}, in {spent:.0f} CPU s"
        except Exception as error:  # noqa: BLE001 - whatever a run dies of is reported; the others go on
            failed, outcome = failed + 1, f"failed: {type(error).__name__}: {error}"
        console.print(f"{describe(fitting.training)} {outcome}", markup=False, highlight=False, soft_wrap=True)
    return failed


def _prepare() -> None:
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    torch.use_deterministic_algorithms(True)


def _run(certification: Certification, store: Path, data_dir: Path | None, source: tuple[str, bool]) -> str:
    """Certify one network in this process and keep the certificate; how it ended, in words."""
    try:
        problem = load_disjoint(certification.training, data_dir)
        certificate = certify(certification, problem, commit=source[0], dirty=source[1])
        CERTIFICATE_SHELF.save(store, certificate)
    except Exception as error:  # noqa: BLE001 - whatever a run dies of is reported; the others go on
        return f"failed: {type(error).__name__}: {error}"
    value, test = certificate.average.bounds["Seeger-Maurer"], certificate.average.test_risk
    return f"certified at {value:.4f} (test {test:.4f}) in {certificate.seconds:.0f} s"
