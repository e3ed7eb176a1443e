"""The cheaper variants: their limits are the exact step, and they are their formulas."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from experiments.cheaper.schedules import EveryKth, LatePhase, RandomSteps
from experiments.cheaper.second_passes import SAMO, LastLayers, PartOfBatch, SharedPerturbation
from experiments.cheaper.variant import START, Setup, State, Variant
from flatmtl_core import CAGrad, Mean, PCGrad
from flatmtl_core.types import Aggregator
from tests.experiments.cheaper_steps import (
    EXAMPLES,
    RHO_HEADS,
    RHO_SHARED,
    batch,
    exact,
    network,
    relative_error,
    setup_of,
    step,
)

EXACT_BIT_FOR_BIT: dict[str, Variant[Any]] = {
    "k = 1": EveryKth(1),
    "k = 1, stale": EveryKth(1, between="stale"),
    "p = 1": RandomSteps(1.0),
    "start = 0": LatePhase(0, 5),
}
EXACT_TO_ROUNDING: dict[str, Variant[Any]] = {
    "g = 1": PartOfBatch(1.0),
    "all layers": LastLayers("last"),
    "all layers, all gradients": LastLayers("all"),
}


def gradient_at(
    parameters: Sequence[Tensor], shift: Sequence[Tensor], loss: Callable[[], Tensor]
) -> tuple[Tensor, ...]:
    """The gradient at shifted parameters, written the obvious way."""
    starts = [parameter.detach().clone() for parameter in parameters]
    with torch.no_grad():
        for parameter, move in zip(parameters, shift, strict=True):
            parameter.add_(move)
    gradient = torch.autograd.grad(loss(), parameters)
    with torch.no_grad():
        for parameter, start in zip(parameters, starts, strict=True):
            parameter.copy_(start)
    return gradient


def on_the_sphere(vectors: Sequence[Tensor], rho: float) -> list[Tensor]:
    """``rho v/||v||`` of a block."""
    length = torch.cat([vector.flatten() for vector in vectors]).norm()
    return [rho * vector / length for vector in vectors]


def perturbation(gradient: Sequence[Tensor], shared: int) -> list[Tensor]:
    """The exact step's: trunk and head each on their own sphere."""
    return on_the_sphere(gradient[:shared], RHO_SHARED) + on_the_sphere(gradient[shared:], RHO_HEADS)


def by_block(setup: Setup, found: Sequence[Tensor]) -> tuple[list[Tensor], list[list[Tensor]]]:
    """Gradients of all parameters as those of the trunk and of each head."""
    assert isinstance(setup.model, nn.Module)
    of = {id(parameter): one for parameter, one in zip(setup.model.parameters(), found, strict=True)}
    return [of[id(one)] for one in setup.shared], [[of[id(one)] for one in head] for head in setup.heads]


@pytest.mark.parametrize("name", EXACT_BIT_FOR_BIT)
@pytest.mark.parametrize("aggregator", [Mean(), CAGrad(c=0.4)])
def test_schedules_without_gaps_are_the_exact_step_bit_for_bit(name: str, aggregator: Aggregator) -> None:
    model = network()
    setup, losses = setup_of(model, aggregator), batch(model)
    state = START
    for _ in range(3):
        found, state = step(EXACT_BIT_FOR_BIT[name], setup, losses, state)
        assert all(torch.equal(a, b) for a, b in zip(found, exact(setup, losses), strict=True))


@pytest.mark.parametrize("name", EXACT_TO_ROUNDING)
@pytest.mark.parametrize("aggregator", [Mean(), CAGrad(c=0.4), PCGrad()])
def test_second_passes_with_nothing_left_out_are_the_exact_step(name: str, aggregator: Aggregator) -> None:
    model = network()
    setup, losses = setup_of(model, aggregator), batch(model, cut=False)
    wanted = exact(setup, losses)
    found, _ = step(EXACT_TO_ROUNDING[name], setup, losses)
    assert relative_error(found, wanted) < 1e-12
    assert relative_error(exact(setup, losses, flat=False), wanted) > 1e-2


def test_the_shared_perturbation_of_one_task_is_the_exact_step() -> None:
    model = network(tasks=1)
    setup, losses = setup_of(model), batch(model)
    assert relative_error(step(SharedPerturbation(), setup, losses)[0], exact(setup, losses)) < 1e-12


def test_samo_without_local_part_is_sam_for_one_task() -> None:
    model = network(tasks=1)
    setup, losses = setup_of(model, Mean()), batch(model)
    assert relative_error(step(SAMO(alpha=1.0), setup, losses)[0], exact(setup, losses)) < 1e-12


@pytest.mark.parametrize("variant", [EveryKth(2), LatePhase(3, 5), RandomSteps(0.0)])
def test_a_step_without_flat_part_is_the_base_step(variant: Variant[Any]) -> None:
    model = network()
    setup, losses = setup_of(model), batch(model)
    found, state = step(variant, setup, losses, State(1))
    assert all(torch.equal(a, b) for a, b in zip(found, exact(setup, losses, flat=False), strict=True))
    assert state == State(2)


def test_a_stale_flat_direction_is_that_of_the_last_exact_step() -> None:
    model = network()
    setup, variant = setup_of(model), EveryKth(2, between="stale")
    first, second = batch(model, seed=1), batch(model, seed=2)
    _, state = step(variant, setup, first)
    found, _ = step(variant, setup, second, state)
    flat = [a - b for a, b in zip(exact(setup, first), exact(setup, first, flat=False), strict=True)]
    wanted = exact(setup, second, flat=False)
    shared = {id(parameter) for parameter in setup.shared}
    for parameter, a, b, old in zip(model.parameters(), found, wanted, flat, strict=True):
        assert relative_error([a], [b + old if id(parameter) in shared else b]) < 1e-12


def test_random_steps_take_the_flat_part_as_often_as_their_generator_says() -> None:
    model = network()
    setup, losses = setup_of(model, Mean()), batch(model)
    draws = torch.rand(12, generator=torch.Generator().manual_seed(3)) < 0.5
    wanted = {flat: exact(setup, losses, flat=flat) for flat in (True, False)}
    assert {bool(one) for one in draws} == {True, False}
    for flat in draws.tolist():
        found, _ = step(RandomSteps(0.5), setup, losses)
        assert all(torch.equal(a, b) for a, b in zip(found, wanted[flat], strict=True))


def test_the_flat_part_of_a_part_is_the_difference_on_the_same_examples() -> None:
    """For the mean: ``G + (1/m) sum_i (S_P,i - G_P,i)``, at the points of the whole batch."""
    model = network()
    setup, losses = setup_of(model, Mean()), batch(model)
    trunk, heads = by_block(setup, step(PartOfBatch(0.25), setup, losses)[0])
    part, wanted = losses.part(0, EXAMPLES // 4), [torch.zeros_like(parameter) for parameter in setup.shared]
    for task, head in enumerate(setup.heads):
        everything = [*setup.shared, *head]
        none = [torch.zeros_like(parameter) for parameter in everything]
        gradient = gradient_at(everything, none, lambda task=task: losses((task,))[0])
        own = gradient_at(everything, none, lambda task=task: part((task,))[0])
        point = perturbation(gradient, len(setup.shared))
        sam = gradient_at(everything, point, lambda task=task: part((task,))[0])
        total = [g + s - o for g, s, o in zip(gradient, sam, own, strict=True)]
        wanted = [one + new / 2 for one, new in zip(wanted, total, strict=False)]
        assert relative_error(heads[task], total[len(setup.shared) :]) < 1e-12
    assert relative_error(trunk, wanted) < 1e-12
    assert relative_error(trunk, by_block(setup, exact(setup, losses))[0]) > 1e-3


@pytest.mark.parametrize("reach", ["last", "all"])
def test_last_layers_perturb_the_layers_behind_the_cut_alone(reach: Any) -> None:
    model = network()
    setup, losses = setup_of(model, Mean()), batch(model)
    trunk, heads = by_block(setup, step(LastLayers(reach), setup, losses)[0])
    behind = {id(parameter) for module in losses.behind for parameter in module.parameters()}
    assert 0 < sum(id(parameter) in behind for parameter in setup.shared) < len(setup.shared)
    wanted = [torch.zeros_like(parameter) for parameter in setup.shared]
    for task, head in enumerate(setup.heads):
        everything = [*setup.shared, *head]
        none = [torch.zeros_like(parameter) for parameter in everything]
        gradient = gradient_at(everything, none, lambda task=task: losses((task,))[0])
        kept = [
            one if id(parameter) in behind else torch.zeros_like(one)
            for parameter, one in zip(setup.shared, gradient, strict=False)
        ]
        point = on_the_sphere(kept, RHO_SHARED) + on_the_sphere(gradient[len(setup.shared) :], RHO_HEADS)
        sam = gradient_at(everything, point, lambda task=task: losses((task,))[0])
        wanted = [
            one + (s if reach == "all" or id(parameter) in behind else g) / 2
            for one, parameter, s, g in zip(wanted, setup.shared, sam, gradient, strict=False)
        ]
        assert relative_error(heads[task], sam[len(setup.shared) :]) < 1e-12
    assert relative_error(trunk, wanted) < 1e-12


def test_the_two_stages_are_the_whole_network() -> None:
    model = network()
    losses = batch(model)
    for one, other in zip(losses((0, 1)), losses.suffix(losses.prefix(), (0, 1)), strict=True):
        assert torch.equal(one, other)


def test_samo_is_its_formula() -> None:
    """Written from the paper: estimate, layerwise length of the mean gradient, mixture, sphere, direct aggregation."""
    alpha, mu = 0.3, 0.02
    model = network()
    setup, losses = setup_of(model, Mean()), batch(model)
    trunk, heads = by_block(setup, step(SAMO(alpha, mu), setup, losses)[0])
    generator = torch.Generator().manual_seed(3)
    shared, count = list(setup.shared), len(setup.shared)
    mean = torch.autograd.grad((losses((0,))[0] + losses((1,))[0]) / 2, shared)
    wanted = [torch.zeros_like(parameter) for parameter in shared]
    for task, head in enumerate(setup.heads):
        z = [torch.randn(g.shape, dtype=g.dtype, generator=generator) for g in mean]
        values = []
        for sign in (1, -1):
            moved = network()
            moved.load_state_dict(model.state_dict())
            with torch.no_grad():
                for parameter, one in zip(moved.shared_parameters(), z, strict=True):
                    parameter.add_(one, alpha=sign * mu)
            values.append(replace(losses, model=moved, cut=None)((task,))[0].detach())
        estimate = [(values[0] - values[1]) / (2 * mu) * one for one in z]
        local = [h * g.norm() / h.norm() for h, g in zip(estimate, mean, strict=True)]
        mixed = [alpha * g + (1 - alpha) * h for g, h in zip(mean, local, strict=True)]
        own = torch.autograd.grad(losses((task,))[0], head)
        point = on_the_sphere(mixed, RHO_SHARED) + on_the_sphere(own, RHO_HEADS)
        sam = gradient_at([*shared, *head], point, lambda task=task: losses((task,))[0])
        wanted = [one + new / 2 for one, new in zip(wanted, sam, strict=False)]
        assert relative_error(heads[task], sam[count:]) < 1e-12
    assert relative_error(trunk, wanted) < 1e-12


def test_a_difference_of_zero_estimates_zero() -> None:
    model = network()
    with torch.no_grad():
        for head in model.head_parameters():
            for parameter in head:
                parameter.zero_()
    found, _ = step(SAMO(), setup_of(model), batch(model))
    assert all(bool(torch.isfinite(one).all()) for one in found)


def test_the_shared_perturbation_moves_every_head_along_its_own_gradient() -> None:
    model = network()
    setup, losses = setup_of(model, Mean()), batch(model)
    trunk, heads = by_block(setup, step(SharedPerturbation(), setup, losses)[0])
    shared, wanted = list(setup.shared), [torch.zeros_like(parameter) for parameter in setup.shared]
    mean = torch.autograd.grad((losses((0,))[0] + losses((1,))[0]) / 2, shared)
    for task, head in enumerate(setup.heads):
        own = torch.autograd.grad(losses((task,))[0], head)
        point = on_the_sphere(mean, RHO_SHARED) + on_the_sphere(own, RHO_HEADS)
        sam = gradient_at([*shared, *head], point, lambda task=task: losses((task,))[0])
        wanted = [one + new / 2 for one, new in zip(wanted, sam, strict=False)]
        assert relative_error(heads[task], sam[len(shared) :]) < 1e-12
    assert relative_error(trunk, wanted) < 1e-12
