"""A problem and specs that train in well under a second: the class of each task is where its bright row stands."""

import time
from pathlib import Path
from typing import Any

import torch

from experiments import splits
from experiments.spec import ProblemName, Spec
from experiments.splits import LoadedProblem, Split

SIZES = {"n_train": 80, "n_validation": 40, "n_test": 41}
REFUSED = 13
"""A number of test images that `tiny_problem` refuses."""


def tiny_split(count: int, seed: int) -> Split:
    """Noise with one bright row a task: row c for class c of task 1, row 20 + c for class c of task 2."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 60, (count, 36, 36), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, 10, (count, 2), generator=generator)
    for image, (first, second) in zip(images, labels.tolist(), strict=True):
        image[first] = 255
        image[20 + second] = 255
    return Split(images, labels, sha256=f"{count} {seed}")


def tiny_problem(
    problem: ProblemName = "multi_mnist",
    n_train: int = SIZES["n_train"],
    n_validation: int = SIZES["n_validation"],
    n_test: int = SIZES["n_test"],
    data_dir: Path | None = None,
) -> LoadedProblem:
    if n_test == REFUSED:
        raise RuntimeError(f"no data of {problem} today")
    return LoadedProblem(tiny_split(n_train, 1), tiny_split(n_validation, 2), tiny_split(n_test, 3))


def slow_tiny_problem(*sizes: Any) -> LoadedProblem:
    """The same, in a process whose evaluations take half a second from now on: time enough to end it."""
    evaluate = splits.evaluate

    def slow_evaluate(*arguments: Any) -> tuple[tuple[float, ...], tuple[float, ...]]:
        time.sleep(0.5)
        return evaluate(*arguments)

    splits.evaluate = slow_evaluate
    return tiny_problem(*sizes)


def tiny_spec(**changes: Any) -> Spec:
    """F-LS with LeNet for two epochs of three batches, the last one smaller; any field can be changed."""
    fields: dict[str, Any] = {
        "profile": "smoke",
        "problem": "multi_mnist",
        "model": "lenet",
        "aggregator": "Mean",
        "mode": "decomposed",
        "seed": 0,
        "rho_shared": 0.05,
        "rho_heads": 0.05,
        "epochs": 2,
        "batch_size": 32,
        "probe_batches": 1,
        **SIZES,
    }
    if changes.get("mode") in ("erm", "stl"):
        fields |= {"rho_shared": 0.0, "rho_heads": 0.0}
    return Spec(**(fields | changes))
