"""One run: get the trained weights and measure them."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import torch

from experiments.executors import LoadLabelled
from experiments.measures.calibration import calibration, entropies
from experiments.measures.curvature import hessian_product, hessian_trace, top_eigenvalue
from experiments.measures.landscape import landscape
from experiments.measures.noise import gaussian_premise, weight_noise
from experiments.measures.records import (
    MEASURES_SHELF,
    SCHEMA_VERSION,
    BallSharpness,
    Curvature,
    Landscape,
    Measures,
    Measuring,
    Premise,
)
from experiments.measures.sharpness import sharpness
from experiments.measures.split_loss import frozen_copy, predict, task_loss
from experiments.methods import stream_seed
from experiments.models import MultiTaskModel, build_model
from experiments.provenance import now, provenance
from experiments.spec import Spec, spec_key
from experiments.splits import LoadedProblem, Split
from experiments.train import train

Answer = TypeVar("Answer")


def trained_network(spec: Spec, problem: LoadedProblem, weights: Path, *, commit: str, dirty: bool) -> MultiTaskModel:
    """The network at the last weights of a run, from the file of its key in the folder; trained first where it lacks.

    Raises:
        ValueError: the file holds another run, or the method trains one network a task.
    """
    if spec.mode in ("stl", "sam_stl"):
        raise ValueError(f"mode {spec.mode!r} trains one network a task: the measures want one for all tasks.")
    path = weights / f"{spec_key(spec)}.pt"
    if not path.exists():
        checkpoint = weights / f"{spec_key(spec)}.checkpoint"
        train(spec, problem, commit=commit, dirty=dirty, checkpoint=checkpoint, weights=path)
        checkpoint.unlink(missing_ok=True)
    content = torch.load(path, weights_only=True)
    if msgspec.json.decode(content["spec"], type=Spec) != spec:
        raise ValueError(f"{path}: holds the weights of another run. Remove the file to train anew.")
    network = build_model(spec.model, stream_seed(spec.seed, "weights"), spec.problem, attention=spec.attention)
    network.load_state_dict(content["last"][0])
    return network


class _Measurer:
    """One network and its splits; every measure draws from a generator of its own."""

    def __init__(self, measuring: Measuring, network: MultiTaskModel, problem: LoadedProblem) -> None:
        self.measuring = measuring
        self.network = frozen_copy(network)
        self.problem = problem
        self.cpu_seconds: dict[str, float] = {}

    def timed(self, name: str, measure: Callable[[], Answer]) -> Answer:
        clock = time.process_time()
        found = measure()
        self.cpu_seconds[name] = time.process_time() - clock
        return found

    def generator(self) -> torch.Generator:
        return torch.Generator().manual_seed(stream_seed(self.measuring.training.seed, "probe"))

    def sharpness(self) -> tuple[BallSharpness, ...]:
        examples, labels = _first(self.problem.train, self.measuring.sharpness_examples)
        return tuple(
            sharpness(
                self.network,
                examples,
                labels,
                rho=rho,
                steps=self.measuring.steps,
                restarts=self.measuring.restarts,
                generator=self.generator(),
            )
            for rho in self.measuring.radii
        )

    def curvature(self) -> tuple[Curvature, ...]:
        return tuple(self._task_curvature(task) for task in range(len(self.network.heads)))

    def _task_curvature(self, task: int) -> Curvature:
        count, probes, generator = self.measuring.curvature_examples, self.measuring.probes, self.generator()
        loss = task_loss(self.network, *_first(self.problem.train, count), task)
        product = hessian_product(loss)
        trace = hessian_trace(loss, product, probes=probes, generator=generator)
        top = top_eigenvalue(loss, product, steps=self.measuring.lanczos, generator=generator)
        loss = task_loss(self.network, *_first(self.problem.test, count), task)
        held_out = hessian_trace(loss, hessian_product(loss), probes=probes, generator=generator)
        return Curvature(trace=trace, top=top, held_out=held_out)

    def premises(self, curvature: Sequence[Curvature]) -> tuple[tuple[Premise, ...], ...]:
        return tuple(
            gaussian_premise(
                self.network,
                self.problem.test.examples,
                self.problem.test.labels,
                traces=[one.held_out for one in curvature],
                rho=rho,
                n_samples=len(self.problem.train.labels),
                piece=self.measuring.premise_piece,
                generator=self.generator(),
            )
            for rho in self.measuring.radii
        )

    def landscape(self, points: int, directions: int) -> Landscape:
        return landscape(
            self.network,
            *_first(self.problem.train, self.measuring.landscape_examples),
            coordinates=[2 * place / (points - 1) - 1 for place in range(points)],
            directions=directions,
            generator=self.generator(),
        )


def _first(split: Split, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    return split.examples[:count], split.labels[:count]


def measure(
    measuring: Measuring, network: MultiTaskModel, problem: LoadedProblem, foreign: Split, *, commit: str, dirty: bool
) -> Measures:
    """Everything of one network; the network is left as it was."""
    started, run, test = now(), _Measurer(measuring, network, problem), problem.test
    calibrations = run.timed(
        "calibration",
        lambda: tuple(
            calibration(logits, test.labels[:, task]) for task, logits in enumerate(predict(run.network, test.examples))
        ),
    )
    foreign_entropy = run.timed(
        "foreign entropy", lambda: tuple(entropies(logits) for logits in predict(run.network, foreign.examples))
    )
    curvature = run.timed("curvature", run.curvature)
    return Measures(
        schema_version=SCHEMA_VERSION,
        key=MEASURES_SHELF.key(measuring),
        measuring=measuring,
        calibration=calibrations,
        foreign_entropy=foreign_entropy,
        curvature=curvature,
        sharpness=run.timed("sharpness", run.sharpness),
        noise=run.timed(
            "noise",
            lambda: weight_noise(
                run.network,
                *_first(test, measuring.noise_examples),
                gammas=measuring.gammas,
                directions=measuring.directions,
                generator=run.generator(),
            ),
        ),
        premises=run.timed("premises", lambda: run.premises(curvature)),
        line=run.timed("line", lambda: run.landscape(measuring.line, 1)),
        plane=run.timed("plane", lambda: run.landscape(measuring.plane, 2)),
        cpu_seconds=run.cpu_seconds,
        provenance=provenance(problem, commit=commit, dirty=dirty, started=started),
    )


def measure_trained(
    measuring: Measuring,
    problem: LoadedProblem,
    *,
    commit: str,
    dirty: bool,
    weights: Path,
    load: LoadLabelled,
    data_dir: Path | None = None,
) -> Measures:
    """The measures of one run, which is trained first where its weights are missing.

    Args:
        problem: the splits of the run. load: makes those of the foreign problem.
        weights: folder of trained weights.
    """
    foreign = load(measuring.foreign, 1, 1, measuring.training.n_test, data_dir).test
    network = trained_network(measuring.training, problem, weights, commit=commit, dirty=dirty)
    return measure(measuring, network, problem, foreign, commit=commit, dirty=dirty)
