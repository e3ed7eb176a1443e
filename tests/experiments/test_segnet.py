"""SegNet and MTAN: the paper's numbers of parameters, whose they are, the branches that run, the losses by hand."""

import math
from collections.abc import Callable

import msgspec
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from experiments.catalog import specs
from experiments.methods import Method
from experiments.metrics import block_dimensions
from experiments.models import MultiTaskModel, build_model
from experiments.models.segnet import (
    MTAN,
    NARROW,
    TASKS,
    DenseHead,
    SegNetKind,
    SegNetTrunk,
    TaskAttention,
    build_segnet,
    unpool,
)
from experiments.problems.dense_losses import depth_loss, normal_loss, segmentation_loss
from experiments.spec import Attention
from flatmtl_core import MGDA, sam_mtl_backward
from tests.experiments.tiny_problem import tiny_spec

HEADS = [37_773, 36_993, 37_123]
"""conv 3x3, 64 -> 64, and conv 1x1 to 13, 1 and 3 channels, with biases."""

SHARED_BY_THE_AUTHORS, IN_ATTENTIONS = 44_117_184, 8_953_728


def count(parameters: list[nn.Parameter]) -> int:
    return sum(parameter.numel() for parameter in parameters)


def rooms(size: int = 32) -> Tensor:
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0))


def test_mtan_has_the_papers_number_of_parameters_and_two_partitions_of_them() -> None:
    model, theirs = build_segnet("mtan", seed=0), build_segnet("mtan", seed=0, attention="shared")
    assert count(theirs.shared_parameters()) == SHARED_BY_THE_AUTHORS
    assert [count(head) for head in theirs.head_parameters()] == HEADS
    assert count(model.shared_parameters()) == SHARED_BY_THE_AUTHORS - IN_ATTENTIONS
    assert [count(head) for head in model.head_parameters()] == [IN_ATTENTIONS // 3 + head for head in HEADS]
    for one in (model, theirs):
        everything = {id(parameter) for parameter in one.parameters()}
        blocks = [one.shared_parameters(), *one.head_parameters()]
        assert {id(parameter) for block in blocks for parameter in block} == everything
        assert sum(len(block) for block in blocks) == len(everything)


def test_a_spec_chooses_between_the_two_partitions_and_nothing_else() -> None:
    """By the runs of the paper's list on NYUv2, as the results tell their dimensions."""
    flat = [spec for spec in specs("paper") if (spec.problem, spec.mode) == ("nyuv2", "decomposed") and spec.seed == 0]
    spec = next(spec for spec in flat if spec.attention == "shared")
    theirs, own = Method(spec).networks, Method(msgspec.structs.replace(spec, attention="own")).networks
    assert list(block_dimensions(theirs).values()) == [SHARED_BY_THE_AUTHORS, *HEADS]
    assert list(block_dimensions(own).values()) == [
        SHARED_BY_THE_AUTHORS - IN_ATTENTIONS,
        *(IN_ATTENTIONS // 3 + head for head in HEADS),
    ]
    one, other = theirs[0].state_dict(), own[0].state_dict()
    assert one.keys() == other.keys()
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_shared_attention_is_refused_where_there_is_none_or_nobody_to_share_it() -> None:
    for name in ("segnet", "segnet_narrow"):
        with pytest.raises(ValueError, match=f"model '{name}' has no attention.*mtan or mtan_narrow"):
            build_model(name, 0, "rooms", attention="shared")
    with pytest.raises(ValueError, match="model 'lenet' has no attention"):
        Method(tiny_spec(attention="shared"))
    for mode in ("stl", "sam_stl"):
        with pytest.raises(ValueError, match=f"mode '{mode}'.*leave attention at 'own'"):
            Method(tiny_spec(mode=mode, problem="rooms", model="mtan_narrow", attention="shared"))


def test_split_is_the_trunk_of_mtan_and_three_heads() -> None:
    model, attention = build_segnet("split", seed=0), build_segnet("mtan", seed=0)
    assert isinstance(model.trunk, SegNetTrunk)
    assert count(model.shared_parameters()) == 24_943_296
    assert [count(head) for head in model.head_parameters()] == HEADS
    leading_on = count(attention.shared_parameters()) - count(model.shared_parameters())
    assert leading_on == sum(  # 3x3 convolutions with bias, scale and shift: one a stage, for all tasks together
        9 * channels_in * channels_out + 3 * channels_out
        for channels_in, channels_out in (
            *((64, 128), (128, 256), (256, 512), (512, 512), (512, 512)),
            *((64, 64), (128, 64), (256, 128), (512, 256), (512, 512)),
        )
    )


@pytest.mark.parametrize("kind", ["split", "mtan"])
def test_city_scenes_have_seven_classes_and_no_normals(kind: SegNetKind) -> None:
    model = build_segnet(kind, seed=0, tasks=("segmentation", "depth"), classes=7).eval()
    labels, depth = model(torch.zeros(1, 3, 32, 64), (0, 1))
    assert labels.shape == (1, 7, 32, 64)
    assert depth.shape == (1, 1, 32, 64)


@pytest.mark.parametrize("kind", ["split", "mtan"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_predictions_of_the_tasks_asked_for_in_their_order(kind: SegNetKind, dtype: torch.dtype) -> None:
    model = build_segnet(kind, seed=0).to(dtype).eval()
    images = rooms().to(dtype)
    with torch.no_grad():
        labels, depth, normals = model(images, range(len(TASKS)))
        again = model(images, (2, 0))
    assert (labels.shape, depth.shape, normals.shape) == ((2, 13, 32, 32), (2, 1, 32, 32), (2, 3, 32, 32))
    assert labels.dtype == depth.dtype == normals.dtype == dtype
    torch.testing.assert_close(normals.norm(dim=1), torch.ones(2, 32, 32, dtype=dtype))
    assert torch.equal(again[0], normals)
    assert torch.equal(again[1], labels)


@pytest.mark.parametrize("kind", ["split", "mtan"])
def test_only_the_branch_asked_for_runs(kind: SegNetKind) -> None:
    model = build_segnet(kind, seed=0)
    branches = model.heads
    runs: list[nn.Module] = []
    for branch in branches:
        branch.register_forward_hook(lambda module, inputs, output: runs.append(module))
    before = [buffer.clone() for branch in (branches[0], branches[2]) for buffer in branch.buffers()]
    (depth,) = model(rooms(), (1,))
    assert runs == [branches[1]]
    depth_loss(depth, torch.ones(2, 1, 32, 32)).backward()
    own = model.shared_parameters() + model.head_parameters()[1]
    assert all(parameter.grad is not None for parameter in own)
    others = model.head_parameters()[0] + model.head_parameters()[2]
    assert all(parameter.grad is None for parameter in others)
    after = [buffer for branch in (branches[0], branches[2]) for buffer in branch.buffers()]
    assert all(torch.equal(one, two) for one, two in zip(before, after, strict=True))


def test_maxima_return_to_where_they_were_pooled_from() -> None:
    encoder, decoder = SegNetTrunk().eval().levels(rooms())
    for fine, coarse in zip(encoder, reversed(decoder), strict=True):
        n, channels, height, width = fine.last.shape
        windows = fine.last.reshape(n, channels, height // 2, 2, width // 2, 2).transpose(3, 4).flatten(-2)
        unpooled = coarse.seen.reshape(n, channels, height // 2, 2, width // 2, 2).transpose(3, 4).flatten(-2)
        landed = unpooled != 0
        assert landed.any()
        assert (landed.sum(dim=-1) <= 1).all()
        highest = (windows == windows.amax(dim=-1, keepdim=True)) | ~landed
        assert highest.all()


def test_unpooling_is_that_of_torch_and_runs_where_torch_is_told_to_be_deterministic() -> None:
    maps, indices = functional.max_pool2d(rooms(8), 2, return_indices=True)
    maps.requires_grad_()
    weights = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    expected = functional.max_unpool2d(maps, indices, (2, 2))
    (slope,) = torch.autograd.grad((expected * weights).sum(), maps)
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        unpooled = unpool(maps, indices)
        (own_slope,) = torch.autograd.grad((unpooled * weights).sum(), maps)
    finally:
        torch.use_deterministic_algorithms(before)
    assert torch.equal(unpooled, expected)
    assert torch.equal(own_slope, slope)


def test_attention_multiplies_the_last_maps_by_a_mask_between_0_and_1() -> None:
    model = build_segnet("mtan", seed=0).eval()
    features = model.trunk(rooms())
    attention = next(module for module in model.modules() if isinstance(module, TaskAttention))
    maps, last = attention(features), features.decoder[-1].last
    assert maps.shape == last.shape == (2, 64, 32, 32)
    assert (maps >= 0).all()
    assert (maps <= last).all()
    assert (maps < last).any()


@pytest.mark.parametrize("size", [16, 48])
def test_sizes_that_pooling_can_not_undo_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match=rf"images are {size} x 32.*multiples of 32"):
        build_segnet("split", seed=0)(torch.zeros(2, 3, size, 32), (0,))


@pytest.mark.parametrize("kind", ["split", "mtan"])
def test_weights_are_xavier_normal_and_follow_from_the_seed_alone(kind: SegNetKind) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one = build_segnet(kind, seed=1)
    assert torch.equal(torch.rand(3), expected)
    again = build_segnet(kind, seed=1)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), again.parameters(), strict=True))
    convolutions = [module for module in one.modules() if isinstance(module, nn.Conv2d)]
    assert all(module.bias is not None and not module.bias.any() for module in convolutions)
    for module in convolutions:
        fan = module.weight[0, 0].numel() * (module.in_channels + module.out_channels)
        deviation = math.sqrt(2 / fan)
        entries = module.weight.numel()
        # The mean and the variance of n normal draws stray by deviation/sqrt(n) and variance sqrt(2/n): five of each.
        assert abs(module.weight.mean().item()) <= 5 * deviation / math.sqrt(entries)
        assert abs(module.weight.square().mean().item() / deviation**2 - 1) <= 5 * math.sqrt(2 / entries)


def test_mtan_goes_through_the_step_with_either_partition() -> None:
    """In the authors' partition a task's gradient is zero in the other tasks' attentions: the step takes it so."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(-1, 13, (2, 32, 32), generator=generator)
    depth = torch.rand(2, 1, 32, 32, generator=generator)
    normals = nn.functional.normalize(torch.randn(2, 3, 32, 32, generator=generator), dim=1)
    losses: list[Callable[[Tensor], Tensor]] = [
        lambda prediction: segmentation_loss(prediction, labels),
        lambda prediction: depth_loss(prediction, depth),
        lambda prediction: normal_loss(prediction, normals),
    ]
    images = rooms()
    partitions: tuple[Attention, ...] = ("own", "shared")
    for model in [build_segnet("mtan", seed=0, channels=NARROW, attention=one) for one in partitions]:
        report = sam_mtl_backward(
            model,
            lambda tasks, model=model: [
                losses[task](one) for task, one in zip(tasks, model(images, tasks), strict=True)
            ],
            shared=model.shared_parameters(),
            heads=model.head_parameters(),
            aggregator=MGDA(),
            rho_shared=0.05,
            rho_heads=0.05,
        )
        assert report.perturbed_losses is not None
        assert torch.isfinite(report.perturbed_losses).all()
        assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_model_of_dense_heads_is_a_multi_task_model() -> None:
    for kind in ("split", "mtan"):
        model = build_segnet(kind, seed=0)
        assert isinstance(model, MultiTaskModel)
        assert isinstance(model, MTAN) == (kind == "mtan")
        assert [module.unit for module in model.modules() if isinstance(module, DenseHead)] == [False, False, True]


def test_segmentation_loss_by_hand() -> None:
    logits = torch.tensor([[0.0, 2.0, -1.0], [math.log(3.0), 0.0, 5.0]], dtype=torch.float64).reshape(1, 2, 1, 3)
    labels = torch.tensor([[[0, 1, -1]]])
    expected = (math.log(1 + 3) + math.log(1 + math.exp(2))) / 2  # the third pixel has no class
    assert segmentation_loss(logits, labels).item() == pytest.approx(expected, rel=1e-14)


def test_depth_loss_by_hand() -> None:
    prediction = torch.tensor([1.0, 2.5, 7.0, -1.0], dtype=torch.float64).reshape(2, 1, 1, 2)
    depth = torch.tensor([3.0, 2.0, 0.0, 1.0], dtype=torch.float64).reshape(2, 1, 1, 2)
    assert depth_loss(prediction, depth).item() == pytest.approx((2.0 + 0.5 + 2.0) / 3, rel=1e-14)


def test_normal_loss_by_hand() -> None:
    half = math.sqrt(0.5)
    prediction = torch.tensor([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0], [half, half, 0]], dtype=torch.float64)
    normals = torch.tensor([[1.0, 0, 0], [0, 0, 0], [0, 0, -1.0], [half, -half, 0]], dtype=torch.float64)

    def as_maps(rows: Tensor) -> Tensor:
        return rows.T.reshape(1, 3, 2, 2)

    # 0 where they agree, nothing without a normal, 2 where opposite, 1 at a right angle although its entries sum to 0.
    assert normal_loss(as_maps(prediction), as_maps(normals)).item() == pytest.approx((0 + 2 + 1) / 3, rel=1e-14)


def test_losses_are_those_of_the_usual_programs() -> None:
    """A masked sum over the number of valid pixels; normals enter as stored, also those that are shorter than 1."""
    generator = torch.Generator().manual_seed(1)
    depth = torch.rand(2, 1, 4, 5, generator=generator) * (torch.rand(2, 1, 4, 5, generator=generator) < 0.7)
    guess = torch.rand(2, 1, 4, 5, generator=generator)
    known = (depth.sum(dim=1) != 0).float().unsqueeze(1)
    torch.testing.assert_close(depth_loss(guess, depth), ((guess - depth).abs() * known).sum() / known.count_nonzero())
    normals = functional.normalize(torch.randn(2, 3, 4, 5, generator=generator), dim=1)
    normals *= torch.rand(2, 1, 4, 5, generator=generator).clamp(min=0.6)
    normals[:, :, :2] = 0
    guess = functional.normalize(torch.randn(2, 3, 4, 5, generator=generator), dim=1)
    known = (normals.sum(dim=1) != 0).float().unsqueeze(1)
    expected = 1 - (guess * normals * known).sum() / known.count_nonzero()
    torch.testing.assert_close(normal_loss(guess, normals), expected)
    labels = torch.randint(-1, 4, (2, 4, 5), generator=generator)
    logits = torch.randn(2, 4, 4, 5, generator=generator)
    expected = functional.nll_loss(functional.log_softmax(logits, dim=1), labels, ignore_index=-1)
    torch.testing.assert_close(segmentation_loss(logits, labels), expected)


@pytest.mark.parametrize(
    ("loss", "channels", "target"),
    [
        (segmentation_loss, 13, torch.full((2, 4, 4), -1)),
        (depth_loss, 1, torch.zeros(2, 1, 4, 4)),
        (normal_loss, 3, torch.zeros(2, 3, 4, 4)),
    ],
)
def test_a_batch_without_a_valid_pixel_has_loss_0_and_gradient_0(
    loss: Callable[[Tensor, Tensor], Tensor], channels: int, target: Tensor
) -> None:
    prediction = torch.randn(2, channels, 4, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    value = loss(prediction, target)
    value.backward()
    assert value.item() == 0
    assert prediction.grad is not None
    assert not prediction.grad.any()
