"""The networks: the paper's numbers of parameters, seeded weights, and heads that are asked for one by one."""

import pytest
import torch
from torch import nn

from experiments.methods import BatchLosses
from experiments.models import MultiTaskModel, build_model, single_task_models
from experiments.models.mlp import INPUTS
from experiments.spec import CLASSES, ModelName, ProblemName
from flatmtl_core import Mean, sam_mtl_backward


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("name", "shared", "head"),
    [("lenet", 30_890, 510), pytest.param("resnet18", 11_223_560 - 2 * 1_010, 1_010)],
)
def test_numbers_of_parameters(name: ModelName, shared: int, head: int) -> None:
    model = build_model(name, seed=0)
    assert count(model.trunk) == sum(parameter.numel() for parameter in model.shared_parameters()) == shared
    assert [count(one) for one in model.heads] == [head, head]
    assert [sum(parameter.numel() for parameter in one) for one in model.head_parameters()] == [head, head]
    assert count(model) == shared + 2 * head


@pytest.mark.parametrize(("problem", "shared"), [("adult", 19_520), ("yeast", 21_568)])
def test_the_perceptron_has_a_head_for_every_task_of_its_table(problem: ProblemName, shared: int) -> None:
    model = build_model("mlp", 0, problem)
    assert count(model.trunk) == shared
    assert [count(head) for head in model.heads] == [2 * 64 + 2] * len(CLASSES[problem])
    assert model(torch.zeros(3, INPUTS[problem]), (0,))[0].shape == (3, 2)


def test_the_network_for_texts_looks_at_the_words_that_are_there() -> None:
    model = build_model("bag_of_words", 0, "vader")
    assert count(model.trunk) == 130_176
    assert [head.out_features for head in model.heads] == [3, 2, 4]
    words = torch.tensor([[5, 9, 0, 0], [9, 5, 5, 9], [0, 0, 0, 0]])
    same, twice, empty = model.trunk(words)
    torch.testing.assert_close(same, twice)
    assert not torch.equal(same, empty)
    torch.testing.assert_close(same, model.trunk(words[:1, :2])[0])


def test_the_network_for_faces_has_the_papers_heads() -> None:
    with torch.device("meta"):  # shapes alone
        model = build_model("resnet18_colour", 0, "celeba")
    assert count(model.trunk) == 11_168_832
    assert [count(head) for head in model.heads] == [2 * 2_048 + 2] * 40
    assert count(model) == 11_168_832 + 40 * 4_098
    assert model.trunk(torch.zeros(2, 3, 64, 64, device="meta")).shape == (2, 2_048)


def test_the_narrow_network_for_faces_is_the_same_with_fewer_channels() -> None:
    with torch.device("meta"):
        wide = build_model("resnet18_colour", 0, "drawn_faces").state_dict()
        narrow = build_model("resnet18_colour_narrow", 0, "drawn_faces").state_dict()
    assert wide.keys() == narrow.keys()
    for name, value in narrow.items():
        if name.startswith("trunk.") and value.ndim:
            ratios = [large / small for large, small in zip(wide[name].shape, value.shape, strict=True)]
            assert set(ratios) <= {1, 16}, name
            assert ratios[0] == 16


@pytest.mark.parametrize("name", ["lenet", "resnet18"])
def test_logits_of_the_tasks_asked_for_in_their_order(name: ModelName) -> None:
    model = build_model(name, seed=0).eval()
    images = torch.rand(3, 1, 36, 36, generator=torch.Generator().manual_seed(0))
    first, second = model(images, (0, 1))
    assert first.shape == second.shape == (3, 10)
    again = model(images, (1, 0))
    assert torch.equal(again[0], second)
    assert torch.equal(again[1], first)
    assert torch.equal(model(images, (1,))[0], second)


def test_weights_follow_from_the_seed_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one = build_model("lenet", seed=1)
    assert torch.equal(torch.rand(3), expected)
    again, other = build_model("lenet", seed=1), build_model("lenet", seed=2)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), again.parameters(), strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_single_task_networks_start_where_the_multi_task_network_stands() -> None:
    model = build_model("lenet", seed=0)
    images = torch.rand(2, 1, 36, 36, generator=torch.Generator().manual_seed(0))
    networks = single_task_models(model)
    for network, expected in zip(networks, model(images, (0, 1)), strict=True):
        assert torch.equal(network(images, (0,))[0], expected)
    owners = [{parameter.data_ptr() for parameter in one.parameters()} for one in (model, *networks)]
    assert owners[0].isdisjoint(owners[1])
    assert owners[0].isdisjoint(owners[2])
    assert owners[1].isdisjoint(owners[2])


def test_resnet18_goes_through_the_step_and_keeps_one_update_of_its_statistics() -> None:
    model = build_model("resnet18", seed=0)
    plain = build_model("resnet18", seed=0)
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(4, 1, 36, 36, generator=generator)
    labels = torch.randint(0, 10, (4, 2), generator=generator)
    plain(images, (0, 1))
    report = sam_mtl_backward(
        model,
        BatchLosses(model, images, labels),
        shared=model.shared_parameters(),
        heads=model.head_parameters(),
        aggregator=Mean(),
        rho_shared=0.05,
        rho_heads=0.05,
    )
    assert report.perturbed_losses is not None
    assert (report.perturbed_losses > report.losses).all()
    assert all(parameter.grad is not None for parameter in model.parameters())
    for (name, value), expected in zip(model.named_buffers(), plain.buffers(), strict=True):
        assert torch.equal(value, expected), name


def test_a_model_is_its_trunk_and_heads() -> None:
    model = MultiTaskModel(nn.Flatten(), [nn.Linear(1_296, 3)])
    assert model.shared_parameters() == []
    assert model(torch.zeros(2, 1, 36, 36), (0,))[0].shape == (2, 3)
