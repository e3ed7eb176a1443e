"""PyTorch written the obvious way, as most published code for these methods is: lists, clones, concatenations."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from experiments.benchmarks.problems import Call, StepProblem
from experiments.spec import AggregatorName

Combine = Callable[[Tensor], Tensor]


def mean(rows: Tensor) -> Tensor:
    return rows.mean(0)


def mgda(rows: Tensor, iterations: int = 250, tolerance: float = 1e-5) -> Tensor:
    """Frank-Wolfe with exact line search for the point of the convex hull nearest to 0."""
    gram = torch.stack([torch.stack([torch.dot(one, other) for other in rows]) for one in rows])
    weights = torch.full_like(gram[0], 1 / len(gram))
    for _ in range(iterations):
        products = gram @ weights
        best = int(products.argmin())
        here, there = weights @ products, products[best]
        step = float(((here - there) / (here - 2 * there + gram[best, best]).clamp_min(1e-30)).clamp(0, 1))
        weights = (1 - step) * weights
        weights[best] += step
        if step < tolerance:
            break
    return weights @ rows


def pcgrad(rows: Tensor) -> Tensor:
    """Project every gradient on the normal planes of those that it conflicts with, in a random order; sum."""
    projected = rows.clone()
    for task in range(len(rows)):
        for other in torch.randperm(len(rows)).tolist():
            product = torch.dot(projected[task], rows[other])
            if other != task and product < 0:
                projected[task] -= product / torch.dot(rows[other], rows[other]) * rows[other]
    return projected.sum(0)


def cagrad(rows: Tensor, c: float = 0.4) -> Tensor:
    """The dual by sequential quadratic programming on the Gramian."""
    from scipy.optimize import minimize  # noqa: PLC0415 - only who compares needs it

    tasks = len(rows)
    gram = (rows @ rows.T).double().numpy()
    average = np.full(tasks, 1 / tasks)
    radius = c * float(np.sqrt(average @ gram @ average))

    def objective(weights: np.ndarray) -> float:
        return float(weights @ gram @ average + radius * np.sqrt(weights @ gram @ weights + 1e-16))

    simplex = {"type": "eq", "fun": lambda weights: weights.sum() - 1}
    found = minimize(objective, average, bounds=[(0, 1)] * tasks, constraints=simplex)
    worst: Tensor = torch.as_tensor(found.x).to(rows) @ rows
    return rows.mean(0) + radius / float(worst.norm()) * worst


def imtlg(rows: Tensor) -> Tensor:
    """Equal projections on all gradients' directions, by the closed form of the method's paper."""
    units = rows / rows.norm(dim=1, keepdim=True)
    differences, unit_differences = rows[0] - rows[1:], units[0] - units[1:]
    others = rows[0] @ unit_differences.T @ torch.linalg.inv(differences @ unit_differences.T)
    return torch.cat([1 - others.sum().unsqueeze(0), others]) @ rows


def nash(rows: Tensor) -> Tensor:
    """G a = 1 / a by a general root finder, in a > 0."""
    from scipy.optimize import root  # noqa: PLC0415

    gram = (rows @ rows.T).double().numpy()
    start = 1 / np.sqrt(gram.diagonal())

    def residual(logarithms: np.ndarray) -> np.ndarray:
        weights = np.exp(logarithms)
        return np.asarray(weights * (gram @ weights) - 1)

    weights: Tensor = torch.as_tensor(np.exp(root(residual, np.log(start)).x)).to(rows)
    return weights @ rows


AGGREGATORS: dict[AggregatorName, Combine] = {
    "Mean": mean,
    "MGDA": mgda,
    "PCGrad": pcgrad,
    "CAGrad": cagrad,
    "IMTLG": imtlg,
    "NashMTL": nash,
}


def _flat(gradients: Sequence[Tensor]) -> Tensor:
    return torch.cat([gradient.flatten() for gradient in gradients])


def _gradient(loss: Tensor, shared: list[nn.Parameter], head: list[nn.Parameter], keep: bool) -> tuple[Tensor, Tensor]:
    """One backward: the gradient in the trunk and in the head, as vectors."""
    gradients = torch.autograd.grad(
        loss, [*shared, *head], retain_graph=keep, allow_unused=True, materialize_grads=True
    )
    return _flat(gradients[: len(shared)]), _flat(gradients[len(shared) :])


def base_step(problem: StepProblem, aggregator: AggregatorName) -> Call:
    """One forward, one ``autograd.grad`` a task, one concatenation a task."""
    combine, last = AGGREGATORS[aggregator], problem.tasks[-1]

    def call() -> None:
        problem.model.zero_grad()
        losses = problem.losses(problem.tasks)
        pairs = [
            _gradient(loss, problem.shared, head, keep=task != last)
            for task, (loss, head) in enumerate(zip(losses, problem.heads, strict=True))
        ]
        problem.write_gradients(combine(torch.stack([row for row, _ in pairs])), [own for _, own in pairs])

    return call


def flat_step(problem: StepProblem, aggregator: AggregatorName, radius: float) -> Call:
    """Algorithm 1: for each task clone, perturb, own forward and backward, restore."""
    combine, last = AGGREGATORS[aggregator], problem.tasks[-1]

    def call() -> None:
        problem.model.zero_grad()
        losses = problem.losses(problem.tasks)
        loss_rows, flat_rows, own_gradients = [], [], []
        for task, head in enumerate(problem.heads):
            row, own = _gradient(losses[task], problem.shared, head, keep=task != last)
            loss_rows.append(row)
            own_gradients.append(own)
        del losses
        for task, head in enumerate(problem.heads):
            start = [parameter.detach().clone() for parameter in (*problem.shared, *head)]
            _move(problem.shared, loss_rows[task], radius)
            _move(head, own_gradients[task], radius)
            (loss,) = problem.losses((task,))
            row, own_gradients[task] = _gradient(loss, problem.shared, head, keep=False)
            flat_rows.append(row - loss_rows[task])
            with torch.no_grad():
                for parameter, value in zip((*problem.shared, *head), start, strict=True):
                    parameter.copy_(value)
        direction = combine(torch.stack(loss_rows)) + combine(torch.stack(flat_rows))
        problem.write_gradients(direction, own_gradients)

    return call


@torch.no_grad()
def _move(parameters: Sequence[nn.Parameter], gradient: Tensor, radius: float) -> None:
    """theta + radius g / ||g||."""
    pieces = (radius * gradient / gradient.norm()).split([parameter.numel() for parameter in parameters])
    for parameter, piece in zip(parameters, pieces, strict=True):
        parameter.add_(piece.view_as(parameter))
