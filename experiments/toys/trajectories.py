"""The toys, and the core's own step on them.

They are those of `theory.proof.step` (intra_conflict_toy, toy_2d), where what the methods do at the start is
proved in exact numbers; of the two in each pair the one is like the other with decomposed and
direct aggregation in each other's role.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor

from experiments.methods import sam_of_the_mean
from experiments.problems.quadratics import Quadratics, from_gradients
from experiments.toys.records import EVERY, Mark, Pair, Task, Toy, Trajectory
from flatmtl_core import MGDA, mtl_backward, sam_mtl_backward

PARETO_POINTS = 101


@dataclass(frozen=True)
class Scene:
    """One problem by its gradients and Hessians at the first start, 0; ``elsewhere``: the second start."""

    gradients: tuple[Pair, Pair]
    hessians: tuple[tuple[Pair, Pair], tuple[Pair, Pair]]
    rho: float
    elsewhere: Pair
    learning_rate: float = 0.02
    steps: int = 400

    def problem(self) -> Quadratics:
        """At the start."""
        return from_gradients(self.gradients, self.hessians)


_APART = ((-2.0, 0.0), (1.0, 0.0))
_FIRST = ((1.0, -1.0), (-1.0, 2.0))

SCENES: dict[str, Scene] = {
    "direct cancels": Scene(_APART, (_FIRST, ((2.0, -1.0), (-1.0, 1.0))), 1.0, (2.5, -1.5)),
    "decomposed cancels": Scene(_APART, (_FIRST, _FIRST), 1.0, (2.5, -1.5)),
    "direct climbs": Scene(((2.0, 1.0), (-2.0, 1.0)), (_FIRST, ((3.0, 0.0), (0.0, 6.0))), sqrt(5), (-3.5, 1.5)),
    "decomposed climbs": Scene(((2.0, 1.0), (-1.0, -2.0)), (((1.0, 0.0), (0.0, 1.0)), _FIRST), sqrt(5), (2.5, -1.5)),
}


def base(problem: Quadratics, rho: float) -> None:
    """MGDA on the loss gradients."""
    mtl_backward(problem.losses((0, 1)), shared=[problem.point], heads=problem.heads, aggregator=MGDA())


def decomposed(problem: Quadratics, rho: float) -> None:
    """MGDA on the loss gradients plus MGDA on the flat gradients."""
    sam_mtl_backward(
        problem,
        problem.losses,
        shared=[problem.point],
        heads=problem.heads,
        aggregator=MGDA(),
        rho_shared=rho,
        rho_heads=0.0,
    )


def direct(problem: Quadratics, rho: float) -> None:
    """MGDA on the SAM gradients."""
    sam_mtl_backward(
        problem,
        problem.losses,
        shared=[problem.point],
        heads=problem.heads,
        aggregator=MGDA(),
        rho_shared=rho,
        rho_heads=0.0,
        combine="direct",
    )


def sam_sum(problem: Quadratics, rho: float) -> None:
    """SAM on the mean loss."""
    sam_of_the_mean(problem, problem.losses, shared=[problem.point], heads=problem.heads, rho_shared=rho, rho_heads=0.0)


METHODS: dict[str, Callable[[Quadratics, float], None]] = {
    "MGDA": base,
    "direct MGDA": direct,
    "F-MGDA": decomposed,
    "SAM-sum": sam_sum,
}


def trajectory(scene: Scene, method: str, start: int = 1) -> Trajectory:
    """Gradient descent from the first or the second start."""
    problem = scene.problem()
    if start == 2:
        _put(problem, scene.elsewhere)
    optimizer = torch.optim.SGD([problem.point], lr=scene.learning_rate)
    points, direction = [pair(problem.point)], None
    for step in range(1, scene.steps + 1):
        optimizer.zero_grad()
        METHODS[method](problem, scene.rho)
        assert problem.point.grad is not None
        direction = pair(problem.point.grad) if direction is None else direction
        optimizer.step()
        if step % EVERY == 0:
            points.append(pair(problem.point))
    assert direction is not None
    return Trajectory(method=method, start=start, direction=direction, points=tuple(points))


def mark(scene: Scene, name: str, point: Pair) -> Mark:
    """Loss and flat gradients by two steps with the aggregator that keeps the rows."""
    problem, rows = scene.problem(), list[Tensor]()

    def keep(task_grads: Tensor, *, generator: torch.Generator | None = None, out: Tensor | None = None) -> Tensor:
        rows.append(task_grads.detach().clone())
        mean = task_grads.mean(0)
        return mean if out is None else out.copy_(mean)

    _put(problem, point)
    sam_mtl_backward(
        problem,
        problem.losses,
        shared=[problem.point],
        heads=problem.heads,
        aggregator=keep,
        rho_shared=scene.rho,
        rho_heads=0.0,
    )
    loss, flat = ((pair(one[0]), pair(one[1])) for one in rows)
    return Mark(name=name, point=point, loss_gradients=loss, flat_gradients=flat)


def toy(name: str) -> Toy:
    """One scene, all methods; marked: the start, and where the decomposed method ends."""
    scene = SCENES[name]
    problem = scene.problem()
    trajectories = tuple(trajectory(scene, method, start) for start in (1, 2) for method in METHODS)
    shares = torch.linspace(0, 1, PARETO_POINTS, dtype=torch.float64)
    ends = {one.method: one.points[-1] for one in trajectories if one.start == 1}
    return Toy(
        name=name,
        rho=scene.rho,
        learning_rate=scene.learning_rate,
        tasks=(_task(problem, 0), _task(problem, 1)),
        pareto=tuple(pair(problem.pareto_point(torch.stack((1 - share, share)))) for share in shares),
        trajectories=trajectories,
        marks=(mark(scene, "start", pair(problem.point)), mark(scene, "end of F-MGDA", ends["F-MGDA"])),
    )


def _put(problem: Quadratics, point: Pair) -> None:
    with torch.no_grad():
        problem.point.copy_(torch.tensor(point, dtype=torch.float64))


def _task(problem: Quadratics, index: int) -> Task:
    chosen = problem.tasks[index]
    (first, cross), (_, last) = chosen.hessian.tolist()
    return Task(minimum=pair(chosen.minimum), hessian=(first, cross, last))


def pair(vector: Tensor) -> Pair:
    """Two entries as floats; a zero has no sign."""
    first, second = (value + 0.0 for value in vector.detach().tolist())
    return first, second
