"""Quadratic tasks in closed form, the toys of Fig. 1, and their record."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from experiments.problems.quadratics import Quadratic, Quadratics, from_gradients, random_quadratics
from experiments.results import StoreError
from experiments.toys.__main__ import main
from experiments.toys.records import Toy, read_toys
from experiments.toys.trajectories import METHODS, SCENES, mark, toy, trajectory
from flatmtl_core import MGDA, InvalidInput, Mean, mtl_backward, sam_mtl_backward
from theory.proof.step import intra_conflict_toy, toy_2d
from theory.proof.step.problems import Problem

EXACT = {
    "direct cancels": intra_conflict_toy.FIRST,
    "decomposed cancels": intra_conflict_toy.SECOND,
    "direct climbs": toy_2d.CONFLICT,
    "decomposed climbs": toy_2d.MIRROR,
}
SHORT = 40


def rows_of_a_step(problem: Quadratics, rho: float) -> tuple[Tensor, Tensor]:
    """Loss and flat gradients that the core's step hands to its aggregator."""
    rows: list[Tensor] = []

    def keep(task_grads: Tensor, *, generator: torch.Generator | None = None, out: Tensor | None = None) -> Tensor:
        rows.append(task_grads.clone())
        return Mean()(task_grads, generator=generator, out=out)

    sam_mtl_backward(
        problem,
        problem.losses,
        shared=[problem.point],
        heads=problem.heads,
        aggregator=keep,
        rho_shared=rho,
        rho_heads=0.0,
    )
    return rows[0], rows[1]


@pytest.mark.parametrize(("m", "d"), [(2, 2), (3, 5), (7, 4)])
def test_the_core_finds_the_closed_forms(m: int, d: int) -> None:
    problem = random_quadratics(m, d, seed=m)
    loss, flat = rows_of_a_step(problem, 0.3)
    point = problem.point.detach()
    wanted = torch.stack([task.gradient(point) for task in problem.tasks])
    assert float((loss - wanted).norm()) < 1e-13 * float(wanted.norm())
    wanted = torch.stack([task.flat_gradient(point, 0.3) for task in problem.tasks])
    assert float((flat - wanted).norm()) < 1e-12 * float(wanted.norm())


def test_the_flat_gradient_is_that_of_the_penalty() -> None:
    (task, _), point = random_quadratics(2, 4, seed=0).tasks, torch.arange(4, dtype=torch.float64).requires_grad_()
    penalty = 0.3 * (task.hessian @ (point - task.minimum)).norm()
    (wanted,) = torch.autograd.grad(penalty, point)
    assert float((task.flat_gradient(point.detach(), 0.3) - wanted).norm()) < 1e-12 * float(wanted.norm())
    assert task.flat_gradient(task.minimum, 0.3).tolist() == [0.0] * 4


def test_random_tasks_have_the_condition_asked_for() -> None:
    for task in random_quadratics(3, 4, seed=1, condition=50.0).tasks:
        values = torch.linalg.eigvalsh(task.hessian)
        assert values.tolist()[0] == pytest.approx(1)
        assert values.tolist()[-1] == pytest.approx(50)


@pytest.mark.parametrize("m", [2, 3])
def test_pareto_points_are_stationary_and_others_are_not(m: int) -> None:
    problem = random_quadratics(m, 3, seed=4)
    weights = torch.full((m,), 1 / m, dtype=torch.float64)
    lengths = []
    for point in (problem.pareto_point(weights), problem.pareto_point(weights) + 0.5):
        with torch.no_grad():
            problem.point.copy_(point)
        problem.point.grad = None
        mtl_backward(problem.losses(tuple(range(m))), shared=[problem.point], heads=problem.heads, aggregator=MGDA())
        assert problem.point.grad is not None
        lengths.append(float(problem.point.grad.norm()))
    assert lengths[0] < 1e-10 < 1e-2 < lengths[1]
    alone = torch.zeros(m, dtype=torch.float64)
    alone[1] = 2.0
    assert float((problem.pareto_point(alone) - problem.tasks[1].minimum).norm()) < 1e-12


def test_what_is_no_problem_is_refused() -> None:
    eye, zero = torch.eye(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    with pytest.raises(InvalidInput, match="no Hessian"):
        Quadratic(zero, torch.tensor([[1.0, 2.0], [0.0, 1.0]], dtype=torch.float64))
    with pytest.raises(InvalidInput, match=r"no minimum.*eigenvalue -1"):
        Quadratic(zero, -eye)
    with pytest.raises(InvalidInput, match="dimensions do not match"):
        Quadratics([Quadratic(zero, eye)], torch.zeros(3, dtype=torch.float64))
    for weights in ([0.0, 0.0], [1.0, -0.5], [1.0]):
        with pytest.raises(InvalidInput, match="no weights"):
            random_quadratics(2, 2, 0).pareto_point(torch.tensor(weights, dtype=torch.float64))


# The toys


def vector(found: Problem, name: str) -> list[float]:
    return [float(entry) for entry in getattr(found, name)]


@pytest.mark.parametrize("name", SCENES)
def test_scenes_are_the_theorys_problems_and_start_as_proved(name: str) -> None:
    scene, exact = SCENES[name], EXACT[name]
    assert [list(one) for one in scene.gradients] == [[float(entry) for entry in row] for row in exact.losses]
    assert scene.rho**2 == pytest.approx(float(exact.squared_radii[0]), rel=1e-15)
    short = replace(scene, steps=1)
    for method, wanted in (("F-MGDA", "decomposed"), ("direct MGDA", "direct"), ("MGDA", "loss")):
        direction = trajectory(short, method).direction
        assert list(direction) == pytest.approx(vector(exact, wanted), abs=1e-13)
    flats = mark(scene, "start", (0.0, 0.0)).flat_gradients
    for found, row in zip(flats, exact.flats, strict=True):
        assert list(found) == pytest.approx([float(entry) for entry in row], abs=1e-13)


def test_where_direct_cancels_it_never_moves_and_decomposed_lowers_both_gradient_norms() -> None:
    scene = replace(SCENES["direct cancels"], steps=SHORT)
    assert set(trajectory(scene, "direct MGDA").points) == {(0.0, 0.0)}
    end = torch.tensor(trajectory(scene, "F-MGDA").points[1], dtype=torch.float64)
    tasks = scene.problem().tasks
    zero = torch.zeros(2, dtype=torch.float64)
    assert all(float(task.gradient(end).norm()) < float(task.gradient(zero).norm()) for task in tasks)
    mirror = SCENES["decomposed cancels"]
    scene = replace(mirror, steps=SHORT)
    assert set(trajectory(scene, "F-MGDA").points) == {(0.0, 0.0)}
    assert math.hypot(*trajectory(scene, "direct MGDA").points[-1]) > 1e-2


@pytest.mark.parametrize(("name", "climbs"), [("direct climbs", "direct MGDA"), ("decomposed climbs", "F-MGDA")])
def test_the_first_step_that_climbs(name: str, climbs: str) -> None:
    """The one raises the second loss, the other lowers both losses and both gradient norms."""
    scene = SCENES[name]
    tasks, zero = scene.problem().tasks, torch.zeros(2, dtype=torch.float64)
    for method in ("direct MGDA", "F-MGDA"):
        step = -1e-4 * torch.tensor(trajectory(replace(scene, steps=1), method).direction)
        change = [float(task.loss(step.double()) - task.loss(zero)) for task in tasks]
        norms = [float(task.gradient(step.double()).norm() - task.gradient(zero).norm()) for task in tasks]
        assert (change[1] > 0) == (method == climbs)
        if method != climbs:
            assert max(change + norms) < 0


def test_plain_mgda_goes_to_the_pareto_set() -> None:
    problem = from_gradients([(2.0, 1.0), (-1.0, 2.0)], [((1.0, 0.0), (0.0, 1.0)), ((2.0, 1.0), (1.0, 3.0))])
    optimizer = torch.optim.SGD([problem.point], lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        METHODS["MGDA"](problem, 0.0)
        optimizer.step()
    shares = torch.linspace(0, 1, 2001, dtype=torch.float64)
    pareto = torch.stack([problem.pareto_point(torch.stack((1 - share, share))) for share in shares])
    assert float((pareto - problem.point.detach()).norm(dim=1).min()) < 1e-3


def test_the_record_is_kept_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = SCENES["direct cancels"]
    monkeypatch.setattr("experiments.toys.__main__.SCENES", {"direct cancels": scene})
    monkeypatch.setitem(SCENES, "direct cancels", replace(scene, steps=5))
    path = tmp_path / "toys.json"
    assert main(path) == 0
    (kept,) = read_toys(path).toys
    assert isinstance(kept, Toy)
    assert kept == toy("direct cancels")
    assert {len(one.points) for one in kept.trajectories} == {2}
    assert [(one.start, one.method) for one in kept.trajectories] == [
        (start, name) for start in (1, 2) for name in METHODS
    ]
    assert {one.points[0] for one in kept.trajectories if one.start == 2} == {scene.elsewhere}
    path.write_text("{}")
    with pytest.raises(StoreError, match="no toys"):
        read_toys(path)
