"""Small multi-task problems whose gradients are known well enough to test a step with.

A problem holds its batch, so ``task_losses`` is the callable that a step takes: the same batch each time, at the
parameters of the moment. The batch is held in plain attributes: the buffers are those of the layers alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

BATCH = 6
FEATURES = 5
WIDTH = 4
OUTPUTS = 2


class Problem(nn.Module):
    """A trunk that every task may use, one head a task, and one batch."""

    trunk: nn.Module
    heads: nn.ModuleList

    @property
    def n_tasks(self) -> int:
        return len(self.heads)

    def shared(self) -> list[nn.Parameter]:
        return list(self.trunk.parameters())

    def head_parameters(self) -> list[list[nn.Parameter]]:
        return [list(head.parameters()) for head in self.heads]

    def task_losses(self, tasks: tuple[int, ...]) -> list[Tensor]:
        """0-dim losses of the named tasks, in that order."""
        raise NotImplementedError


class TrunkAndHeads(Problem):
    """L^i = mean (head_i(trunk(x)) - y_i)^2: one trunk forward serves every task named."""

    def __init__(
        self, trunk: nn.Module, heads: Sequence[nn.Module], *, seed: int, features: Tensor | None = None
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.heads = nn.ModuleList(heads)
        source = torch.Generator().manual_seed(seed)
        if features is None:
            features = torch.randn(BATCH, FEATURES, generator=source, dtype=torch.float64)
        targets = torch.randn(len(heads), BATCH, OUTPUTS, generator=source, dtype=torch.float64)
        self.batch = (features, targets)

    def task_losses(self, tasks: tuple[int, ...]) -> list[Tensor]:
        dtype, device = self.shared()[0].dtype, self.shared()[0].device
        features, targets = (tensor.to(device=device, dtype=dtype) for tensor in self.batch)
        hidden = self.trunk(features)
        return [(self.heads[task](hidden) - targets[task]).square().mean() for task in tasks]


def seeded(build: Callable[[], Problem], seed: int) -> Problem:
    """The problem in float64, its parameters drawn from ``seed``; torch's own generator is left alone.

    Weights and biases are Gaussian with deviation 0.7: far from the flat ends of tanh, and no entry is zero.
    """
    with torch.random.fork_rng():
        problem = build().double()
    source = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for parameter in problem.parameters():
            parameter.copy_(0.7 * torch.randn(parameter.shape, generator=source, dtype=torch.float64))
    return problem


def _heads(n_tasks: int) -> list[nn.Module]:
    return [nn.Linear(WIDTH, OUTPUTS) for _ in range(n_tasks)]


def smooth(n_tasks: int = 3, seed: int = 0, width: int = 7) -> Problem:
    """Two tanh layers and linear heads: infinitely differentiable, no buffers, no noise."""
    return seeded(
        lambda: TrunkAndHeads(
            nn.Sequential(nn.Linear(FEATURES, width), nn.Tanh(), nn.Linear(width, WIDTH), nn.Tanh()),
            _heads(n_tasks),
            seed=seed,
        ),
        seed,
    )


def with_dropout(n_tasks: int = 3, seed: int = 0) -> Problem:
    """``smooth`` with half of the hidden units dropped: the gradient depends on the mask of the moment."""
    return seeded(
        lambda: TrunkAndHeads(
            nn.Sequential(nn.Linear(FEATURES, 7), nn.Tanh(), nn.Dropout(0.5), nn.Linear(7, WIDTH), nn.Tanh()),
            _heads(n_tasks),
            seed=seed,
        ),
        seed,
    )


def with_batch_norm(n_tasks: int = 3, seed: int = 0, momentum: float | None = 0.1) -> Problem:
    """Batch normalisation in the trunk and in every head; ``momentum=None`` is the cumulative average."""
    return seeded(
        lambda: TrunkAndHeads(
            nn.Sequential(nn.Linear(FEATURES, WIDTH), nn.BatchNorm1d(WIDTH, momentum=momentum), nn.Tanh()),
            [
                nn.Sequential(nn.BatchNorm1d(WIDTH, momentum=momentum), nn.Linear(WIDTH, OUTPUTS))
                for _ in range(n_tasks)
            ],
            seed=seed,
        ),
        seed,
    )


def with_instance_norm(n_tasks: int = 3, seed: int = 0) -> Problem:
    """Instance normalisation that keeps running statistics."""
    features = torch.randn(BATCH, 2, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return seeded(
        lambda: TrunkAndHeads(
            nn.Sequential(
                nn.Conv1d(2, WIDTH, 3),
                nn.InstanceNorm1d(WIDTH, affine=True, track_running_stats=True),
                nn.Tanh(),
                nn.Flatten(),
                nn.Linear(6 * WIDTH, WIDTH),
            ),
            _heads(n_tasks),
            seed=seed,
            features=features,
        ),
        seed,
    )


class CallCounter(nn.Module):
    """Counts its calls in two buffers: one changed in place, one bound anew to a new tensor each time."""

    in_place: Tensor
    rebound: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("in_place", torch.zeros((), dtype=torch.long))
        self.register_buffer("rebound", torch.zeros(2), persistent=False)

    def forward(self, hidden: Tensor) -> Tensor:
        self.in_place.add_(1)
        self.rebound = self.rebound + 1
        return hidden


def with_call_counter(n_tasks: int = 3, seed: int = 0) -> Problem:
    """``smooth`` with integer, non-persistent and rebound buffers."""
    return seeded(
        lambda: TrunkAndHeads(
            nn.Sequential(nn.Linear(FEATURES, WIDTH), CallCounter(), nn.Tanh()), _heads(n_tasks), seed=seed
        ),
        seed,
    )


def with_noise_and_buffers(n_tasks: int = 3, seed: int = 0) -> Problem:
    """Whatever a step may disturb, in one network: dropout, cumulative statistics, counted calls."""
    return seeded(
        lambda: TrunkAndHeads(
            nn.Sequential(
                nn.Linear(FEATURES, WIDTH),
                nn.BatchNorm1d(WIDTH, momentum=None),
                nn.Dropout(0.5),
                CallCounter(),
                nn.Tanh(),
            ),
            [nn.Sequential(nn.BatchNorm1d(WIDTH), nn.Linear(WIDTH, OUTPUTS)) for _ in range(n_tasks)],
            seed=seed,
        ),
        seed,
    )


class TiedTrunk(nn.Module):
    """tanh(W tanh(W x)) with one square W registered under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(FEATURES, FEATURES)
        self.second = nn.Linear(FEATURES, FEATURES)
        self.second.weight = self.first.weight
        self.last = nn.Linear(FEATURES, WIDTH)

    def forward(self, features: Tensor) -> Tensor:
        hidden: Tensor = self.last(torch.tanh(self.second(torch.tanh(self.first(features)))))
        return hidden


def tied(n_tasks: int = 3, seed: int = 0) -> Problem:
    """Tied weights in the trunk: one parameter, two places in the graph."""
    return seeded(lambda: TrunkAndHeads(TiedTrunk(), _heads(n_tasks), seed=seed), seed)


class PartialTrunk(nn.Module):
    """``common`` serves every task, ``extra`` all but the last one, ``unreached`` none."""

    def __init__(self) -> None:
        super().__init__()
        self.common = nn.Linear(FEATURES, WIDTH)
        self.extra = nn.Linear(FEATURES, WIDTH)
        self.unreached = nn.Parameter(torch.zeros(3))


class PartialReach(TrunkAndHeads):
    """The last task does not reach ``trunk.extra``; no task reaches ``trunk.unreached``."""

    def task_losses(self, tasks: tuple[int, ...]) -> list[Tensor]:
        assert isinstance(self.trunk, PartialTrunk)
        features, targets = self.batch
        common = torch.tanh(self.trunk.common(features))
        extra = torch.sin(self.trunk.extra(features))
        losses = []
        for task in tasks:
            hidden = common if task == self.n_tasks - 1 else common * extra
            losses.append((self.heads[task](hidden) - targets[task]).square().mean())
        return losses


def partial_reach(n_tasks: int = 3, seed: int = 0) -> Problem:
    """Rows with structural zeros, and a shared parameter without any gradient."""
    return seeded(lambda: PartialReach(PartialTrunk(), _heads(n_tasks), seed=seed), seed)


SMOOTH_PROBLEMS: dict[str, Callable[[int, int], Problem]] = {
    "smooth": smooth,
    "tied": tied,
    "partial_reach": partial_reach,
    "batch_norm": with_batch_norm,
    "instance_norm": with_instance_norm,
}
"""Deterministic given the parameters, so that a twin that forwards once a task sees the same gradients."""


@dataclass(frozen=True)
class QuadraticTask:
    """L(x) = 1/2 x' H x + c' x on x = (theta_sh, theta_ns), H symmetric."""

    hessian: Tensor
    linear: Tensor


class Quadratics(Problem):
    """One quadratic a task on (theta_sh, theta_ns^i): gradients and flat gradients in closed form.

    theta_sh is kept in a matrix and a vector, so that the flattening of parameters takes part.
    """

    def __init__(self, tasks: Sequence[QuadraticTask], theta_shared: Tensor, theta_heads: Sequence[Tensor]) -> None:
        super().__init__()
        half = 2 * (theta_shared.numel() // 4)
        self.trunk = nn.ParameterList([theta_shared[:half].reshape(2, -1), theta_shared[half:].clone()])
        self.heads = nn.ModuleList(nn.ParameterList([theta]) for theta in theta_heads)
        self.tasks = tuple(tasks)

    def task_losses(self, tasks: tuple[int, ...]) -> list[Tensor]:
        losses = []
        for task in tasks:
            point = torch.cat([parameter.flatten() for parameter in [*self.shared(), *self.heads[task].parameters()]])
            quadratic = self.tasks[task]
            losses.append(0.5 * point @ quadratic.hessian @ point + quadratic.linear @ point)
        return losses

    def gradient(self, task: int) -> tuple[Tensor, Tensor]:
        """(g_sh, g_ns) = H x + c, split at the number of shared parameters."""
        both = [*self.shared(), *self.heads[task].parameters()]
        point = torch.cat([parameter.detach().flatten() for parameter in both])
        quadratic = self.tasks[task]
        whole = quadratic.hessian @ point + quadratic.linear
        return whole[: self.n_shared], whole[self.n_shared :]

    def blocks(self, task: int) -> tuple[Tensor, Tensor, Tensor]:
        """(H_ss, H_sn, H_nn)."""
        hessian, n_shared = self.tasks[task].hessian, self.n_shared
        return hessian[:n_shared, :n_shared], hessian[:n_shared, n_shared:], hessian[n_shared:, n_shared:]

    @property
    def n_shared(self) -> int:
        return sum(parameter.numel() for parameter in self.shared())


def quadratics(n_tasks: int = 3, seed: int = 0, n_shared: int = 6, n_head: int = 3) -> Quadratics:
    """Indefinite Hessians with a cross block between trunk and head; everything Gaussian from ``seed``."""
    source = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=source, dtype=torch.float64)

    size = n_shared + n_head
    tasks = []
    for _ in range(n_tasks):
        square = draw(size, size)
        tasks.append(QuadraticTask(hessian=0.5 * (square + square.T), linear=draw(size)))
    return Quadratics(tasks, draw(n_shared), [draw(n_head) for _ in range(n_tasks)])
