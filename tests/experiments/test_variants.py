"""GSAM, SAMO and the cheaper variants as training methods: their steps, their memory, their price."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import flatmtl_core.task_gradients as differentiation
from experiments import profiles
from experiments.cheaper.batch import Cut, cut_of
from experiments.cheaper.second_passes import SAMO, LastLayers, PartOfBatch, SharedPerturbation
from experiments.cheaper.surrogate_gap import GSAM
from experiments.cheaper.variant import Setup, Variant
from experiments.methods import FOLDERS, Method, build_aggregator, gradient_evaluations_per_step
from experiments.metrics import evaluate, to_input
from experiments.models import MultiTaskModel, build_model
from experiments.presets import authors
from experiments.results import Result, compare_results
from experiments.spec import Spec
from experiments.train import TrainingStopped, train
from experiments.variants import RunningVariant
from flatmtl_core import InvalidInput, Mean, sam_mtl_backward
from tests.experiments.cheaper_steps import RHO_HEADS, RHO_SHARED, batch, grads, network, relative_error, setup_of, step
from tests.experiments.test_loss_weighted_runs import after_steps
from tests.experiments.tiny_problem import tiny_problem, tiny_spec

PROBLEM = tiny_problem()
LISTED = [(mode, aggregator, dict(options)) for mode, aggregator, options in profiles.VARIANTS]
REMEMBERING = ("every_kth CAGrad stale 4.0", "random_steps CAGrad 0.25")
IDS = [" ".join(map(str, (mode, aggregator, *options.values()))) for mode, aggregator, options in LISTED]


def variant_spec(mode: str, aggregator: str = "Mean", options: dict[str, Any] | None = None, **changes: Any) -> Spec:
    return tiny_spec(mode=mode, aggregator=aggregator, mode_options=tuple(sorted((options or {}).items())), **changes)


def run(spec: Spec, **arguments: Any) -> Result:
    return train(spec, PROBLEM, commit="none", dirty=True, **arguments)


def float64_step(spec: Spec, model: MultiTaskModel) -> list[Tensor]:
    """Gradients of one step of a spec's method on this network."""
    method, losses = Method(spec), batch(model)
    method.networks = [model]
    method.step(losses.images, losses.labels)
    return grads(model)


def steps_of_a_method(spec: Spec, count: int) -> list[list[Tensor]]:
    """Gradients of so many steps, all at the initial weights, each on a batch of its own."""
    method, found = Method(spec), []
    for number in range(count):
        chosen = slice(16 * number, 16 * number + 16)
        method.step(to_input(PROBLEM.train.examples[chosen]), PROBLEM.train.labels[chosen])
        found.append(grads(method.networks[0]))
    return found


# GSAM


def gsam_twin(model: MultiTaskModel, spec: Spec, alpha: float) -> list[Tensor]:
    """Written from the formula, all parameters in one long vector, trunk first; the heads' part times m at the end."""
    losses, everything = batch(model), list(model.parameters())
    count = sum(parameter.numel() for parameter in model.shared_parameters())

    def gradient() -> Tensor:
        mean = (losses((0,))[0] + losses((1,))[0]) / 2
        return torch.cat([one.flatten() for one in torch.autograd.grad(mean, everything)])

    def blocks(vector: Tensor) -> list[Tensor]:
        return [vector] if spec.norm == "joint" else [vector[:count], vector[count:]]

    start, plain = torch.nn.utils.parameters_to_vector(everything).detach(), gradient()
    scale = start.abs() if spec.adaptive else torch.ones_like(start)
    radii = (spec.rho_shared, spec.rho_heads)
    eps = [rho * s**2 * g / (s * g).norm() for rho, s, g in zip(radii, blocks(scale), blocks(plain), strict=False)]
    torch.nn.utils.vector_to_parameters(start + torch.cat(eps), everything)
    perturbed = gradient()
    torch.nn.utils.vector_to_parameters(start, everything)
    pairs = zip(blocks(plain), blocks(perturbed), strict=True)
    found = torch.cat([p - alpha * (g - (g @ p) / (p @ p) * p) for g, p in pairs])
    found[count:] *= 2
    pieces = found.split([parameter.numel() for parameter in everything])
    return [piece.view(one.shape) for piece, one in zip(pieces, everything, strict=True)]


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("norm", ["separate", "joint"])
def test_gsam_is_its_formula(norm: str, adaptive: bool) -> None:
    model, radius = network(), RHO_SHARED if norm == "joint" else RHO_HEADS
    radii = {"rho_shared": RHO_SHARED, "rho_heads": radius}
    spec = variant_spec("gsam", options={"alpha": 0.7}, norm=norm, adaptive=adaptive, **radii)
    wanted = gsam_twin(model, spec, 0.7)
    found, sam = float64_step(spec, model), gsam_twin(model, spec, 0.0)
    shared = len(model.shared_parameters())
    for block in (slice(shared), slice(shared, None)):
        assert relative_error(found[block], wanted[block]) < 1e-11
        assert relative_error(sam[block], wanted[block]) > 1e-3


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("norm", ["separate", "joint"])
def test_gsam_without_its_second_part_is_sam_on_the_mean_loss(norm: str, adaptive: bool) -> None:
    choices = {"norm": norm, "adaptive": adaptive}
    model = network()
    wanted = float64_step(tiny_spec(mode="sam_sum", **choices), model)
    assert relative_error(float64_step(variant_spec("gsam", options={"alpha": 0.0}, **choices), model), wanted) < 1e-12


def test_gsam_leaves_the_perturbed_loss_and_closes_the_gap_to_first_order() -> None:
    """``<g^p, d - g^p> = 0`` in each block, and ``<g, d - g^p> < 0``: the second part climbs on the plain loss."""
    model = network()
    plain = float64_step(tiny_spec(mode="erm"), model)
    sam = float64_step(variant_spec("gsam", options={"alpha": 0.0}), model)
    found = float64_step(variant_spec("gsam", options={"alpha": 0.7}), model)
    shared = len(model.shared_parameters())
    for block in (slice(shared), slice(shared, None)):
        g, p, d = (torch.cat([one.flatten() for one in vector[block]]) for vector in (plain, sam, found))
        assert abs(float(p @ (d - p))) < 1e-12 * float(p.norm() * d.norm())
        assert float(g @ (d - p)) < -1e-6 * float(g @ g)


def test_gsam_where_the_perturbed_gradient_is_zero_climbs() -> None:
    """``L(x) = -(x - 1)^2 / 2`` at 0.5 with radius 0.5: the perturbed point is the maximum, and g = 0.5."""
    point = torch.nn.Parameter(torch.tensor([0.5], dtype=torch.float64))
    trunk = torch.nn.Module()
    trunk.register_parameter("point", point)
    setup = Setup(trunk, [point], [[]], Mean(), 0.5, 0.0)
    GSAM(0.25).step(setup, lambda tasks: [-((point - 1) ** 2).sum() / 2])
    assert point.grad is not None
    assert point.grad.tolist() == [-0.25 * 0.5]


def test_gsam_is_for_one_loss() -> None:
    model = network()
    with pytest.raises(InvalidInput, match="GSAM is for one loss"):
        GSAM(0.1).step(setup_of(model), batch(model))


# Balls of the second passes


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("norm", ["separate", "joint"])
@pytest.mark.parametrize("variant", [PartOfBatch(1.0), LastLayers("all")])
def test_second_passes_know_the_balls_of_the_exact_step(variant: Variant[Any], norm: Any, adaptive: bool) -> None:
    model = network()
    radius = RHO_SHARED if norm == "joint" else RHO_HEADS
    setup, losses = setup_of(model, norm=norm, adaptive=adaptive, rho_heads=radius), batch(model, cut=False)
    sam_mtl_backward(
        model,
        losses,
        shared=setup.shared,
        heads=setup.heads,
        aggregator=setup.aggregator,
        rho_shared=RHO_SHARED,
        rho_heads=radius,
        norm=norm,
        adaptive=adaptive,
    )
    wanted = grads(model)
    assert relative_error(step(variant, setup, losses)[0], wanted) < 1e-12


def test_several_heads_have_no_joint_ball() -> None:
    model = network()
    with pytest.raises(InvalidInput, match=r"one ball for several heads.*2 heads"):
        step(SharedPerturbation(), setup_of(model, norm="joint", rho_heads=RHO_SHARED), batch(model))


# SAMO at its limits


def test_samo_without_local_part_perturbs_all_tasks_alike() -> None:
    """With the mean as aggregator: the mean of the SAM gradients at one point of the trunk."""
    model = network()
    setup, losses = setup_of(model, Mean()), batch(model)
    wanted = step(SharedPerturbation(), setup, losses)[0]
    assert relative_error(step(SAMO(alpha=1.0), setup, losses)[0], wanted) < 1e-12


def test_samo_without_global_part_moves_along_the_noise() -> None:
    """The point of task i is ``+- rho`` along noise of the mean gradient's layerwise length; other draws, others."""
    model = network()
    one, other = (
        step(SAMO(alpha=0.0), setup_of(model, generator=torch.Generator().manual_seed(seed)), batch(model))[0]
        for seed in (3, 4)
    )
    again = step(SAMO(alpha=0.0), setup_of(model, generator=torch.Generator().manual_seed(3)), batch(model))[0]
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    assert relative_error(one, other) > 1e-3


# Specs


EXACT = {
    "every_kth": {"k": 1.0},
    "every_kth, stale": {"k": 1.0, "between": "stale"},
    "random_steps": {"p": 1.0},
    "late_phase": {"after": 0.0},
}
BASE = {"random_steps": {"p": 0.0}, "late_phase": {"after": 1.0}}


@pytest.mark.parametrize("ball", [{}, {"norm": "joint", "adaptive": True}], ids=["plain", "joint adaptive"])
@pytest.mark.parametrize("name", EXACT)
def test_variants_that_leave_nothing_out_are_the_exact_method_bit_for_bit(name: str, ball: dict[str, Any]) -> None:
    spec = variant_spec(name.partition(",")[0], "CAGrad", EXACT[name], **ball)
    wanted = steps_of_a_method(tiny_spec(aggregator="CAGrad", **ball), 3)
    for found, exact in zip(steps_of_a_method(spec, 3), wanted, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(found, exact, strict=True))


@pytest.mark.parametrize("mode", BASE)
def test_variants_without_flat_part_are_the_base_method_bit_for_bit(mode: str) -> None:
    wanted = steps_of_a_method(tiny_spec(mode="erm", aggregator="CAGrad"), 2)
    for found, base in zip(steps_of_a_method(variant_spec(mode, "CAGrad", BASE[mode]), 2), wanted, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(found, base, strict=True))


@pytest.mark.parametrize(("mode", "aggregator", "options"), LISTED, ids=IDS)
def test_outcomes_are_those_of_the_unperturbed_weights(mode: str, aggregator: str, options: dict[str, Any]) -> None:
    method = Method(variant_spec(mode, aggregator, options))
    inputs, labels = to_input(PROBLEM.train.examples[:15]), PROBLEM.train.labels[:15]
    losses, correct = evaluate(method.networks, PROBLEM.train.examples[:15], labels)
    (outcome,) = method.step(inputs, labels)
    assert outcome.losses.tolist() == pytest.approx(losses, rel=1e-6)
    assert outcome.correct.tolist() == [round(15 * share) for share in correct]


@pytest.mark.parametrize(("mode", "aggregator", "options"), LISTED, ids=IDS)
def test_evaluations_are_the_backward_passes_that_were_made(
    mode: str, aggregator: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted where the core differentiates. A part of a batch counts as its share: 6 calls of 1/4, 3/4 and 1/4."""
    calls, original = [0], differentiation._differentiate

    def counting(*arguments: Any, **keywords: Any) -> Any:
        calls[0] += 1
        return original(*arguments, **keywords)

    monkeypatch.setattr(differentiation, "_differentiate", counting)
    spec = variant_spec(mode, aggregator, options, epochs=4)
    method = Method(spec)
    for _ in range(12):
        method.step(to_input(PROBLEM.train.examples[:16]), PROBLEM.train.labels[:16])
    counted = calls[0] * 5 / 12 if mode == "part_of_batch" else calls[0]
    assert method.gradient_evaluations(12, 2) == counted
    if mode != "random_steps":
        assert 12 * gradient_evaluations_per_step(spec, 2) == counted


@pytest.mark.parametrize(
    ("mode", "aggregator", "options"),
    [
        pytest.param(*one, id=name, marks=() if name in REMEMBERING else pytest.mark.thorough)
        for one, name in zip(LISTED, IDS, strict=True)
    ],
)
def test_a_resumed_run_is_the_same_run_bit_for_bit(
    mode: str, aggregator: str, options: dict[str, Any], tmp_path: Path
) -> None:
    spec = variant_spec(mode, aggregator, options, epochs=3)
    whole, checkpoint = run(spec), tmp_path / "run.pt"
    for epoch in (2, 3):
        with pytest.raises(TrainingStopped, match=f"epoch {epoch}"):
            run(spec, checkpoint=checkpoint, should_stop=after_steps(4))
    resumed = run(spec, checkpoint=checkpoint)
    assert resumed.provenance.resumed == 2
    assert compare_results(whole, resumed).identical
    assert resumed.gradient_evaluations == whole.gradient_evaluations


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("every_kth", {"k": 4.0}),
        ("every_kth", {"k": 4.0, "between": "stale"}),
        ("late_phase", {"after": 0.5}),
    ],
)
def test_a_checkpoint_that_forgets_the_memory_shows(
    mode: str, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = variant_spec(mode, options=options, epochs=3)
    whole, checkpoint = run(spec), tmp_path / "run.pt"
    with pytest.raises(TrainingStopped):
        run(spec, checkpoint=checkpoint, should_stop=after_steps(7))
    monkeypatch.setattr(RunningVariant, "load_state_dict", lambda self, state: None)
    assert not compare_results(whole, run(spec, checkpoint=checkpoint)).identical


def test_the_steps_of_a_schedule_are_counted_over_the_whole_run() -> None:
    """Six steps: the flat part in steps 0 and 4; the second half is three steps. Restored counts are part of it."""
    for mode, options, flat in (("every_kth", {"k": 4.0}, 2), ("late_phase", {"after": 0.5}, 3)):
        result = run(variant_spec(mode, options=options))
        assert result.steps == 6
        assert result.gradient_evaluations == 2 * (6 + flat)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mode": "gsam", "options": {"beta": 0.1}}, "mode 'gsam' with mode_options {'beta': 0.1}.*beta"),
        ({"mode": "gsam"}, "mode 'gsam' with mode_options {}.*alpha"),
        ({"mode": "gsam", "aggregator": "MGDA", "options": {"alpha": 0.1}}, "mean loss, got aggregator MGDA"),
        ({"mode": "gsam", "options": {"alpha": -1.0}}, "alpha"),
        ({"mode": "every_kth", "options": {"k": 0.0}}, "no such period"),
        ({"mode": "every_kth", "options": {"k": 1.5}}, "no such period"),
        ({"mode": "late_phase", "options": {"after": 1.5}}, "no such share"),
        ({"mode": "late_phase", "options": {}}, "mode 'late_phase' with mode_options {}.*after"),
        ({"mode": "shared_perturbation", "norm": "joint"}, "'shared_perturbation' moves all heads at once"),
        ({"mode": "decomposed", "options": {"alpha": 0.1}}, "'decomposed' takes no mode_options"),
        ({"mode": "samo", "aggregator": "DWA"}, "DWA is one weight a task"),
        ({"mode": "decomposed", "aggregator": "UPGrad", "conventions": "authors"}, "'authors' know Mean, MGDA.*UPGrad"),
    ],
)
def test_specs_without_meaning_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Method(variant_spec(**changes))


def test_a_trunk_without_a_cut_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"the trunk has no cut.*ResNet18Trunk"):
        cut_of(build_model("resnet18", 0).trunk)


def test_the_perceptron_in_two_stages_is_the_whole_network() -> None:
    model = build_model("mlp", 0, "adult")
    rows, cut = torch.randn(5, 87, generator=torch.Generator().manual_seed(0)), cut_of(model.trunk)
    assert isinstance(cut, Cut)
    assert torch.equal(cut.after(cut.before(rows)), model.trunk(rows))
    assert sum(one.numel() for module in cut.behind for one in module.parameters()) == 8_256


# The authors' conventions


def test_conventions_are_those_of_the_presets() -> None:
    for conventions, folder in FOLDERS.items():
        for name, aggregator in authors(folder).items():
            assert build_aggregator(tiny_spec(aggregator=name, conventions=conventions), tasks=2) == aggregator


def test_conventions_change_what_they_are_said_to_change() -> None:
    def trunk(**changes: Any) -> list[Tensor]:
        return float64_step(tiny_spec(**changes), model)[:shared]

    model = network()
    shared = len(model.shared_parameters())
    plain, own = trunk(aggregator="CAGrad"), trunk(aggregator="CAGrad", conventions="authors")
    assert relative_error([1.16 * one for one in own], plain) < 1e-12
    plain, own = trunk(aggregator="MGDA"), trunk(aggregator="MGDA", conventions="authors_times_tasks")
    assert relative_error(own, [2 * one for one in plain]) < 1e-12
    own = trunk(aggregator="MGDA", conventions="authors_unit_rows")
    assert relative_error(own, plain) > 1e-2
