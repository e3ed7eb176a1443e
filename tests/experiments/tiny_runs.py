"""Runs of the tiny problem in every mode."""

from typing import Any

from torch import Tensor

from experiments.metrics import to_input
from experiments.results import Result
from experiments.spec import Mode, Spec
from experiments.train import train
from tests.experiments.tiny_problem import tiny_problem, tiny_spec

PROBLEM = tiny_problem()
MODES: tuple[Mode, ...] = ("erm", "decomposed", "direct", "second", "each", "sam_sum", "stl", "sam_stl")


def run(spec: Spec, **arguments: Any) -> Result:
    return train(spec, PROBLEM, commit="none", dirty=True, **arguments)


def spec_of(mode: Mode) -> Spec:
    """MGDA where the aggregator matters."""
    return tiny_spec(
        mode=mode, aggregator="MGDA" if mode in ("erm", "decomposed", "direct", "second", "each") else "Mean"
    )


def batch(count: int = 16) -> tuple[Tensor, Tensor]:
    return to_input(PROBLEM.train.examples[:count]), PROBLEM.train.labels[:count]
