"""What is compared computes the same thing, with the passes that the formulas count; memory is measured rightly."""

import dataclasses

import pytest
import torch
from torch import Tensor

from experiments.benchmarks.aggregators import conflicting_rows, implementations
from experiments.benchmarks.fresh import Order, measure_fresh
from experiments.benchmarks.memory import PassCounter, peak_live_bytes, resident_growth
from experiments.benchmarks.problems import PROBLEMS, StepProblem, mlp
from experiments.benchmarks.steps import steps
from experiments.spec import AggregatorName
from tests.reference.observe import relative_error, same_bits

TWIN = "tests.reference.twin"


def gradients(problem: StepProblem) -> Tensor:
    blocks = [problem.shared, *problem.heads]
    found = [parameter.grad for block in blocks for parameter in block]
    assert all(gradient is not None for gradient in found)
    return torch.cat([gradient.flatten() for gradient in found if gradient is not None])


@pytest.mark.parametrize(
    ("key", "aggregator"),
    [("lenet-b256", "MGDA"), ("mlp-m2", "PCGrad"), ("mlp-m3", "IMTLG"), ("mlp-m11", "Mean")],
)
@pytest.mark.parametrize("trunk", [True, False], ids=["with trunk", "without"])
def test_all_implementations_of_a_method_leave_the_same_gradients(
    key: str, aggregator: AggregatorName, trunk: bool
) -> None:
    """In float64, where the method is deterministic: for two tasks PCGrad has one order and Frank-Wolfe is exact."""
    problem = PROBLEMS[key](True, torch.float64)
    if not trunk:
        problem = dataclasses.replace(problem, trunk=None)
    start = [parameter.detach().clone() for parameter in problem.model.parameters()]
    seen: dict[str, Tensor] = {}
    for step in [step for step in steps(aggregator, TWIN) if not step.method.startswith("SAMO")]:  # which draws
        call = step.make(problem)
        for _ in range(2):  # the second step has the buffers of the first
            call()
            expected = seen.setdefault(step.method, gradients(problem))
            assert relative_error(gradients(problem), expected) < 1e-9, step.name
        for parameter, value in zip(problem.model.parameters(), start, strict=True):
            assert relative_error(parameter.detach(), value) < 1e-15, step.name
    assert len(seen) == 5


@pytest.mark.parametrize(
    ("method", "tasks", "tolerance"),
    [("MGDA", 2, 1e-9), ("PCGrad", 2, 1e-9), ("IMTLG", 3, 1e-9), ("NashMTL", 3, 1e-6), ("CAGrad", 3, 1e-3)],
)
def test_the_peers_aggregators_are_the_same_methods(method: str, tasks: int, tolerance: float) -> None:
    """The solvers of CAGrad's and Nash-MTL's peers stop early."""
    rows = conflicting_rows(tasks, 1_000, generator=torch.Generator().manual_seed(2)).double()
    found = {name: call() for name, call in implementations(method, rows).items()}
    assert len(found) == (2 if method == "NashMTL" else 3)
    for name, direction in found.items():
        assert relative_error(direction, found["flatmtl"]) < tolerance, name


@pytest.mark.parametrize("m", [2, 3])
def test_every_step_makes_the_passes_that_its_formula_counts(m: int) -> None:
    expected = {
        "ERM MGDA": (1, m),
        "F-MGDA": (1 + m, 2 * m),
        "direct MGDA": (1 + m, 2 * m),
        "SAM-sum": (2, 2),
        "one perturbation MGDA": (2, 2 * m),
        "SAMO MGDA": (1 + 3 * m, 1 + m),
    }
    for step in steps(twin=TWIN):
        found = measure_fresh(Order(f"mlp-m{m}", True, step.name, TWIN))
        forwards = 2 * m if step.implementation == "twin" else expected[step.method][0]
        assert (found.forwards, found.backwards) == (forwards, expected[step.method][1]), step.name
        assert found.peak_bytes > 0
    plain = measure_fresh(Order(f"mlp-m{m}", True, "U", None))
    assert (plain.forwards, plain.backwards) == (1, 1)
    assert plain.graph_bytes is not None
    assert plain.graph_bytes >= plain.peak_bytes


def test_a_batched_backward_counts_once_for_each_of_its_rows() -> None:
    problem = mlp(3, width=4, batch=2)
    counter = PassCounter(problem.shared[0])
    losses = torch.stack(list(problem.losses(problem.tasks)))

    def row(cotangent: Tensor) -> Tensor:
        return torch.autograd.grad(losses, problem.shared[0], cotangent, retain_graph=True)[0]

    batched = torch.vmap(row)(torch.eye(3))
    assert counter.backwards == 3
    assert same_bits(row(torch.eye(3)[1]), row(torch.eye(3)[1]))
    assert counter.backwards == 5
    counter.close()
    torch.testing.assert_close(row(torch.eye(3)[1]), batched[1])
    assert counter.backwards == 5


def test_the_peak_counts_what_lives_at_once() -> None:
    size = 1 << 20

    def two_at_once() -> Tensor:
        first = torch.empty(size)
        second = first + 1
        del first
        return second * 2

    found = peak_live_bytes(two_at_once)
    assert 2 * 4 * size <= found <= 2 * 4 * size + 1024
    before = torch.empty(size)
    assert peak_live_bytes(lambda: before.add_(1)) <= 1024


def test_the_resident_set_grows_by_what_is_touched() -> None:
    found = resident_growth(lambda: torch.ones(64 << 20, dtype=torch.uint8))
    if found is None:
        pytest.skip("this system does not tell the resident set")
    assert found >= 63 << 20
