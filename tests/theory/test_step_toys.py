"""The theory's exact problems, taken by the core's own step; the largest radius, read off a step's report."""

from fractions import Fraction

import pytest
import torch
from torch import Tensor, nn

from flatmtl_core import MGDA, StepReport
from tests.equations.stepping import take_step
from tests.reference.networks import Problem, quadratics
from tests.strategies import tensor
from theory.proof.step import descent_condition, intra_conflict_toy, opposite_parts_elsewhere, toy_2d
from theory.proof.step import problems as exact
from theory.proof.step.problems import problem

ROUNDING = 1e-13
EXACT = {
    "direct cancels": intra_conflict_toy.FIRST,
    "decomposed cancels": intra_conflict_toy.SECOND,
    "figure 1": toy_2d.CONFLICT,
    "figure 1, mirrored": toy_2d.MIRROR,
    "three parameters": opposite_parts_elsewhere.THREE,
    "perturbed heads": opposite_parts_elsewhere.HEADS,
    "not convex": opposite_parts_elsewhere.NOT_CONVEX,
    "both cancel": opposite_parts_elsewhere.PLANE,
    "smallest": problem([(1, 0), (-1, 0)], [((1, -1), (-1, 1)), ((1, 0), (0, 0))]),
    "smallest, strict": problem([(2, 1), (-1, -2)], [((0, 0), (0, 1)), ((2, 0), (0, 0))], (5, 0)),
    "strict, positive definite": descent_condition.BOUNDED,
    "one concave task": problem([(-1,)], [((-2,),)], shared=1),
}


class ExactProblem(Problem):
    """The quadratic tasks of an exact problem, at 0."""

    def __init__(self, found: exact.Problem) -> None:
        super().__init__()
        first = found.tasks[0]
        self.trunk = nn.ParameterList([torch.zeros(first.shared, dtype=torch.float64)])
        n_head = len(first.gradient) - first.shared
        self.heads = nn.ModuleList(nn.ParameterList([torch.zeros(n_head, dtype=torch.float64)]) for _ in found.tasks)
        self.coefficients = [(matrix(task.hessian), matrix([task.gradient])[0]) for task in found.tasks]

    def task_losses(self, tasks: tuple[int, ...]) -> list[Tensor]:
        losses = []
        for task in tasks:
            point = torch.cat([self.shared()[0], self.head_parameters()[task][0]])
            hessian, gradient = self.coefficients[task]
            losses.append(0.5 * point @ hessian @ point + gradient @ point)
        return losses


def matrix(rows: list[exact.Vector] | exact.Matrix) -> Tensor:
    return tensor([[float(entry) for entry in row] for row in rows])


@pytest.mark.parametrize("name", EXACT)
def test_the_core_takes_the_exact_directions(name: str) -> None:
    found = EXACT[name]
    rho_shared, rho_heads = (float(squared) ** 0.5 for squared in found.squared_radii)
    for combine, expected in (("decomposed", found.decomposed), ("direct", found.direct)):
        taken = take_step(ExactProblem(found), MGDA(), rho_shared=rho_shared, rho_heads=rho_heads, combine=combine)
        assert (taken.direction - matrix([expected])[0]).norm() <= ROUNDING


def largest_factor(report: StepReport) -> float:
    """||d_loss||^2 / (||d_flat|| max_i ||g_i||): by it both radii may be multiplied on quadratics."""
    squares = {}
    for name, gramian in (("loss", report.loss_gramian), ("flat", report.flat_gramian)):
        weights = report.weighted[name].weights
        assert gramian is not None
        squares[name] = (weights @ gramian @ weights).item()
    return squares["loss"] / (squares["flat"] ** 0.5 * report.loss_norms.max().item())


@pytest.mark.parametrize("seed", range(8))
def test_below_the_largest_radius_every_task_descends(seed: int) -> None:
    """Whatever the Hessians' signs; the factor itself is inversely proportional to the radii."""
    found = quadratics(3, seed)
    factor = largest_factor(take_step(found, MGDA(), rho_shared=0.3, rho_heads=0.7).report)
    assert factor > 1e-3
    radii = {"rho_shared": 0.999 * factor * 0.3, "rho_heads": 0.999 * factor * 0.7}
    taken = take_step(found, MGDA(), **radii)
    assert largest_factor(taken.report) == pytest.approx(1 / 0.999, rel=1e-9)
    rows = torch.stack([found.gradient(task)[0] for task in range(3)])
    assert (rows @ taken.direction > 0).all()


def test_the_largest_radius_is_no_smaller_than_needed() -> None:
    """One task with H = -1: the step turns round exactly there."""
    found = ExactProblem(problem([(3,)], [((-1,),)], shared=1))
    factor = largest_factor(take_step(found, MGDA(), rho_shared=0.5, rho_heads=0.0).report)
    assert factor == pytest.approx(6.0)
    directions = [
        take_step(found, MGDA(), rho_shared=scale * factor * 0.5, rho_heads=0.0).direction.item()
        for scale in (0.999, 1.001)
    ]
    assert directions[0] > 0 > directions[1]


def test_the_toys_are_what_they_are_said_to_be() -> None:
    first, second = intra_conflict_toy.FIRST, intra_conflict_toy.SECOND
    assert (first.decomposed, first.direct) == ((Fraction(2, 13), Fraction(3, 13)), (0, 0))
    assert (second.decomposed, second.direct) == ((0, 0), (Fraction(-2, 29), Fraction(-5, 29)))
    assert toy_2d.CONFLICT.direct == (Fraction(174, 157), Fraction(319, 157))
