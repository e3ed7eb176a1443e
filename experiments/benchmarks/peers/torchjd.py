"""TorchJD from the package index, used as its documentation shows; its import waits until it is needed.

Backwards run one after the other (``parallel_chunk_size=1``): on a CPU that is its faster way.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from experiments.benchmarks.problems import Call, StepProblem
from experiments.spec import AggregatorName


def aggregators() -> dict[AggregatorName, Callable[[], Callable[[Tensor], Tensor]]]:
    """Those of its aggregators that are compared, at their defaults (Nash-MTL needs a solver that is not pinned)."""
    from torchjd import aggregation  # noqa: PLC0415 - only who compares needs it

    return {
        "Mean": aggregation.Mean,
        "MGDA": aggregation.MGDA,
        "PCGrad": aggregation.PCGrad,
        "CAGrad": lambda: aggregation.CAGrad(c=0.4),
        "IMTLG": aggregation.IMTLG,
        "UPGrad": aggregation.UPGrad,
    }


def version() -> str:
    """Of the installed package."""
    from importlib.metadata import version  # noqa: PLC0415

    return version("torchjd")


def _jacobians(problem: StepProblem) -> None:
    """Fill ``.jac`` of the shared parameters with one row a task, and ``.grad`` of the heads."""
    from torchjd.autojac import backward, mtl_backward  # noqa: PLC0415

    if problem.trunk is not None:
        with problem.features() as features:
            losses = problem.losses(problem.tasks)
        mtl_backward(
            losses,
            features=features,
            tasks_params=problem.heads,
            shared_params=problem.shared,
            parallel_chunk_size=1,
        )
        return
    losses = problem.losses(problem.tasks)
    inputs = [*problem.shared, *(parameter for head in problem.heads for parameter in head)]
    backward(losses, inputs=inputs, parallel_chunk_size=1)
    for task, head in enumerate(problem.heads):
        for parameter in head:
            parameter.grad = _take_jacobian(parameter)[task]


def _take_jacobian(parameter: Any) -> Tensor:
    jacobian: Tensor = parameter.jac
    del parameter.jac
    return jacobian


def _set_jacobian(parameter: Any, jacobian: Tensor) -> None:
    parameter.jac = jacobian


def base_step(problem: StepProblem, aggregator: AggregatorName) -> Call:
    """TorchJD's own multi-task step."""
    from torchjd.autojac import jac_to_grad  # noqa: PLC0415

    method: Any = aggregators()[aggregator]()

    def call() -> None:
        problem.model.zero_grad()
        _jacobians(problem)
        jac_to_grad(problem.shared, method)

    return call


def flat_step(problem: StepProblem, aggregator: AggregatorName, radius: float) -> Call:
    """Algorithm 1 by a good user of TorchJD: its Jacobian for pass 1, plain gradients for pass 2, its aggregators."""
    from torchjd.autojac import jac_to_grad  # noqa: PLC0415

    method: Any = aggregators()[aggregator]()

    def call() -> None:
        problem.model.zero_grad()
        _jacobians(problem)
        jac_to_grad(problem.shared, method, retain_jac=True)
        jacobians = [_take_jacobian(parameter) for parameter in problem.shared]
        flat = [torch.empty_like(jacobian) for jacobian in jacobians]
        for task, head in enumerate(problem.heads):
            rows, own = [jacobian[task] for jacobian in jacobians], [parameter.grad for parameter in head]
            start = [parameter.detach().clone() for parameter in (*problem.shared, *head)]
            _move(problem.shared, rows, radius)
            _move(head, [gradient for gradient in own if gradient is not None], radius)
            (loss,) = problem.losses((task,))
            gradients = torch.autograd.grad(loss, [*problem.shared, *head], allow_unused=True, materialize_grads=True)
            with torch.no_grad():
                for parameter, value in zip((*problem.shared, *head), start, strict=True):
                    parameter.copy_(value)
            for target, gradient, row in zip(flat, gradients, rows, strict=False):
                torch.sub(gradient, row, out=target[task])
            for parameter, gradient in zip(head, gradients[len(rows) :], strict=True):
                parameter.grad = gradient
        for parameter, jacobian in zip(problem.shared, flat, strict=True):
            _set_jacobian(parameter, jacobian)
        jac_to_grad(problem.shared, method)

    return call


@torch.no_grad()
def _move(parameters: list[torch.nn.Parameter], gradients: list[Tensor], radius: float) -> None:
    """theta + radius g / ||g||."""
    length = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients]))
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.add_(gradient * (radius / length))
