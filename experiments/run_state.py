"""The state of a run, and the checkpoints that hold it: a run that is stopped resumes to the same numbers."""

import io
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor

from experiments.counting import CpuClock
from experiments.methods import Method, stream_seed
from experiments.provenance import now
from experiments.results import EpochRecord, Evaluation, write_atomically
from experiments.spec import Spec, spec_key
from experiments.splits import AnyProblem


class CheckpointError(Exception):
    """A checkpoint that does not belong to this run: the message names the file, what differs and what to do."""


class RunState:
    """Everything that changes while a run goes on: what a checkpoint holds."""

    def __init__(self, spec: Spec, problem: AnyProblem) -> None:
        torch.manual_seed(stream_seed(spec.seed, "noise"))
        self.spec = spec
        self.problem = problem
        self.method = Method(spec)
        self.optimizers = [
            torch.optim.Adam(parameters, lr=spec.learning_rate)
            for network in self.method.networks
            for parameters in (
                network.shared_parameters(),
                [parameter for head in network.head_parameters() for parameter in head],
            )
        ]
        self.batch_orders = torch.Generator().manual_seed(stream_seed(spec.seed, "batches"))
        self.augmentation = (
            torch.Generator().manual_seed(stream_seed(spec.seed, "augmentation"))
            if spec.augmentation != "none"
            else None
        )
        self.records: list[EpochRecord] = []
        self.test_recent: list[Evaluation] = []
        self.best_epoch = 0
        self.best_states = self.states()
        self.seconds = 0.0
        self.cpu_seconds = 0.0
        self.clock = CpuClock()
        self.started = now()
        self.resumed = 0

    def save(self, path: Path) -> None:
        """Write the state of the run; the file appears whole or not at all."""
        with self.clock("checkpoints"):
            save_atomically(path, self._content())

    def _content(self) -> dict[str, Any]:
        content = {
            "key": spec_key(self.spec),
            "data_sha256": self.problem.sums(),
            "torch": str(torch.__version__),
            "networks": self.states(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "batch_orders": self.batch_orders.get_state(),
            "task_orders": self.method.generator.get_state(),
            "global_generator": torch.get_rng_state(),
            "records": msgspec.json.encode(self.records).decode(),
            "best_epoch": self.best_epoch,
            "best_states": self.best_states,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "clock": self.clock.seconds,
            "started": self.started,
            "resumed": self.resumed,
        }
        if self.method.weighting is not None:
            content["weighting"] = self.method.weighting.state_dict()
        if self.method.variant is not None:
            content["variant"] = self.method.variant.state_dict()
        if self.augmentation is not None:
            content["augmentation"] = self.augmentation.get_state()
        if self.test_recent:
            content["test_recent"] = msgspec.json.encode(self.test_recent).decode()
        return content

    def restore(self, path: Path) -> None:
        """Continue from a checkpoint of this very run."""
        content = torch.load(path, weights_only=True)
        expected = {"key": spec_key(self.spec), "data_sha256": self.problem.sums(), "torch": str(torch.__version__)}
        for name, value in expected.items():
            if content[name] != value:
                raise CheckpointError(
                    f"{path}: holds {name} {content[name]}, this run has {value}. Remove the file to start anew."
                )
        self.load_states(content["networks"])
        for optimizer, state in zip(self.optimizers, content["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        self.batch_orders.set_state(content["batch_orders"])
        self.method.generator.set_state(content["task_orders"])
        if self.method.weighting is not None:
            self.method.weighting.load_state_dict(content["weighting"])
        if self.method.variant is not None:
            self.method.variant.load_state_dict(content["variant"])
        if self.augmentation is not None:
            self.augmentation.set_state(content["augmentation"])
        self.test_recent = msgspec.json.decode(content.get("test_recent", "[]"), type=list[Evaluation])
        torch.set_rng_state(content["global_generator"])
        self.records = msgspec.json.decode(content["records"], type=list[EpochRecord])
        self.best_epoch = content["best_epoch"]
        self.best_states = content["best_states"]
        self.seconds = content["seconds"]
        self.cpu_seconds = content["cpu_seconds"]
        self.clock.seconds |= content.get("clock", {})  # without one, in older checkpoints, it counts from here
        self.started = content["started"]
        self.resumed = content["resumed"] + 1

    def states(self) -> list[dict[str, Tensor]]:
        """Copies of the networks' weights and buffers as they are."""
        return [
            {name: value.detach().clone() for name, value in network.state_dict().items()}
            for network in self.method.networks
        ]

    def load_states(self, states: list[dict[str, Tensor]]) -> None:
        """Put such copies back."""
        for network, state in zip(self.method.networks, states, strict=True):
            network.load_state_dict(state)


def save_atomically(path: Path, content: dict[str, Any]) -> None:
    """Write what torch keeps; the file appears whole or not at all."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_atomically(path, buffer.getvalue())
