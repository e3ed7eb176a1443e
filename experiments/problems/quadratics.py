"""Quadratic tasks in float64: gradients, flat gradients and Pareto set are known in closed form."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor, nn

from flatmtl_core.errors import InvalidInput

Point = Float64[Tensor, " d"]


@dataclass(frozen=True)
class Quadratic:
    """One task: ``L(x) = (1/2) (x - c)' H (x - c)``.

    Args:
        minimum: c.
        hessian: H, symmetric and positive definite.

    Raises:
        InvalidInput: shapes that do not match, or another H.
    """

    minimum: Point
    hessian: Float64[Tensor, "d d"]

    def __post_init__(self) -> None:
        size = len(self.minimum)
        if self.hessian.shape != (size, size) or not torch.equal(self.hessian, self.hessian.T):
            found, rule = tuple(self.hessian.shape), f"symmetric, ({size}, {size}), as the minimum has {size} entries"
            raise InvalidInput("this is no Hessian", "hessian", found, rule, "symmetrise it: (H + H') / 2")
        least = float(torch.linalg.eigvalsh(self.hessian)[0])
        if not least > 0:
            remedy = "take H + a multiple of the identity"
            raise InvalidInput("the task has no minimum", "hessian", f"eigenvalue {least}", "positive", remedy)

    def loss(self, point: Point) -> Float64[Tensor, ""]:
        """L(x)."""
        apart = point - self.minimum
        return 0.5 * apart @ self.hessian @ apart

    def gradient(self, point: Point) -> Point:
        """``g = H (x - c)``."""
        return self.hessian @ (point - self.minimum)

    def flat_gradient(self, point: Point, rho: float) -> Point:
        """``H eps = rho H g/||g||``, exactly the change of the gradient along eps; 0 at g = 0.

        It is also the gradient of the penalty ``rho ||g||``.
        """
        gradient = self.gradient(point)
        length = gradient.norm()
        return rho * self.hessian @ gradient / length if length > 0 else torch.zeros_like(gradient)


class Quadratics(nn.Module):
    """Several quadratic tasks of one point, which is the trunk; the heads have no parameters.

    Args:
        tasks: in the same number of dimensions.
        start: where the point stands.
    """

    def __init__(self, tasks: Sequence[Quadratic], start: Point) -> None:
        super().__init__()
        if {len(task.minimum) for task in tasks} != {len(start)}:
            found, rule = [len(task.minimum) for task in tasks], f"{len(start)} each, as the start has"
            raise InvalidInput("the dimensions do not match", "tasks", found, rule, "give all the same dimension")
        self.tasks = tuple(tasks)
        self.point = nn.Parameter(start.clone())

    def losses(self, tasks: tuple[int, ...]) -> list[Tensor]:
        """Of these tasks, at the point where it stands now."""
        return [self.tasks[task].loss(self.point) for task in tasks]

    @property
    def heads(self) -> list[list[nn.Parameter]]:
        """One a task, empty."""
        return [[] for _ in self.tasks]

    def pareto_point(self, weights: Float64[Tensor, " m"]) -> Point:
        """The minimum of ``sum_i w_i L^i``: for w > 0 a Pareto point, and every Pareto point has such w >= 0.

        ``x = (sum_i w_i H_i)^-1 sum_i w_i H_i c_i``.

        Args:
            weights: >= 0, not all zero.
        """
        if bool((weights < 0).any()) or not float(weights.sum()) > 0 or len(weights) != len(self.tasks):
            rule = f"{len(self.tasks)} weights >= 0, not all zero"
            raise InvalidInput("these are no weights", "weights", weights.tolist(), rule, "take a point of the simplex")
        pairs = list(zip(weights, self.tasks, strict=True))
        hessian = torch.stack([weight * task.hessian for weight, task in pairs]).sum(0)
        pull = torch.stack([weight * task.hessian @ task.minimum for weight, task in pairs]).sum(0)
        found: Tensor = torch.linalg.solve(hessian, pull)
        return found


def random_quadratics(m: int, d: int, seed: int, *, condition: float = 10.0) -> Quadratics:
    """m tasks in d dimensions: minima from N(0, I), eigenvalues from 1 to ``condition`` in axes drawn uniformly."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=torch.float64, generator=generator)

    tasks = []
    for _ in range(m):
        axes, triangle = torch.linalg.qr(normal(d, d))
        axes = axes * triangle.diagonal().sign()
        hessian = axes @ torch.diag(torch.logspace(0, 1, d, base=condition, dtype=torch.float64)) @ axes.T
        tasks.append(Quadratic(normal(d), (hessian + hessian.T) / 2))
    return Quadratics(tasks, normal(d))


def from_gradients(gradients: Sequence[Sequence[float]], hessians: Sequence[Sequence[Sequence[float]]]) -> Quadratics:
    """Tasks with these gradients at 0, where the point stands: ``c = -H^-1 g``."""
    tasks = []
    for gradient, rows in zip(gradients, hessians, strict=True):
        hessian = torch.tensor(rows, dtype=torch.float64)
        tasks.append(Quadratic(-torch.linalg.solve(hessian, torch.tensor(gradient, dtype=torch.float64)), hessian))
    return Quadratics(tasks, torch.zeros(len(gradients[0]), dtype=torch.float64))
