"""Certificates of maps and of other losses than 0-1: what is refused, and Gibbs risks against direct computations."""

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import torch

from experiments.bounded_losses import angle, clipped_cross_entropy, clipped_depth, zero_one
from experiments.certificates.certify import certify, errors, train_prior
from experiments.certificates.losses import losses_of
from experiments.certificates.parts import DensePart, cut, part_of, prior_of
from experiments.certificates.posterior import Posterior, drawn_errors, drawn_risks
from experiments.certificates.records import (
    CERTIFICATE_SHELF,
    ROOM_LOSSES,
    STORED,
    Certification,
    bounded_certifications,
    certifications,
)
from experiments.dense_splits import DenseImages, load_dense, splits_of
from experiments.models import MultiTaskModel, build_model
from experiments.problems.scenes import cache
from experiments.problems.scenes.cache import rendered_folder
from experiments.splits import DenseProblem
from experiments.targets import DenseTargets
from theory.bounds.quantities import InvalidBound

LOSSES = (zero_one, clipped_depth(2.0), angle)
SIZE = (32, 32)


@pytest.fixture(scope="module")
def problem(tmp_path_factory: pytest.TempPathFactory) -> DenseProblem:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "cache_folder", lambda: tmp_path_factory.mktemp("cache"))
        folder = rendered_folder("rooms", train=13, val=25, height=SIZE[0], width=SIZE[1])
    return DenseProblem(*splits_of("rooms", folder, 12, 1, 25))


def tiny(**changes: object) -> Certification:
    (first, *_) = (one for one in bounded_certifications() if one.training.problem == "rooms")
    training = msgspec.structs.replace(
        first.training, n_train=12, n_validation=1, n_test=25, epochs=1, batch_size=2, probe_batches=1
    )
    fields = {"training": training, "n_prior": 4, "scales": (0.01, 0.05), "passes": 3, "draw_batch": 4} | changes
    return msgspec.structs.replace(first, **fields)


def maps(count: int, seed: int = 0) -> DensePart:
    """Random images and maps, all pixels valid."""
    generator = torch.Generator().manual_seed(seed)
    normals = torch.nn.functional.normalize(torch.randn(count, 3, *SIZE, generator=generator))
    targets = DenseTargets(
        (
            ("segmentation", torch.randint(13, (count, *SIZE), generator=generator)),
            ("depth", torch.rand(count, 1, *SIZE, generator=generator) + 1),
            ("normals", normals),
        )
    )
    return DensePart("bound", torch.rand(count, 3, *SIZE, generator=generator), targets)


def network(seed: int = 0) -> MultiTaskModel:
    return build_model("segnet_narrow", seed, "rooms")


def test_a_prior_that_has_seen_images_of_the_bound_is_refused(problem: DenseProblem) -> None:
    """Under another name, shifted by some images, copied, read from the files again, or with the same maps only."""
    first, second = cut(problem.train, 6, ("prior", "bound"))
    assert isinstance(first, DensePart)
    prior = prior_of(network(), (first,))
    prior.check_unseen(second)
    whole = part_of(problem.train, "whole")
    copied = replace(first, name="bound", images=first.images.clone(), targets=maps(6).targets)
    same_maps = replace(first, name="bound", images=maps(6).images)
    same_memory = replace(first, name="bound", images=first.images.mul_(1.0), targets=maps(6).targets)
    assert isinstance(problem.train, DenseImages)
    again = part_of(replace(problem.train, kept={}), "bound").some("bound", slice(5, 9))
    for part in (first, first.some("bound", slice(2, 4)), whole.some("bound", slice(5, 12)), again):
        with pytest.raises(InvalidBound, match="none that the prior has seen"):
            prior.check_unseen(part)
    for part in (copied, same_maps, same_memory):
        with pytest.raises(InvalidBound, match="none that the prior has seen"):
            prior.check_unseen(part)
    with pytest.raises(InvalidBound, match="n_prior is 12"):
        cut(problem.train, 12, ("prior", "bound"))


def test_images_are_counted_not_pixels(problem: DenseProblem) -> None:
    certificate = certify(tiny(), problem, commit="none", dirty=True)
    assert certificate.n_bound == 8
    assert certificate.blank == (0, 0, 0)
    assert certificate.average.draws == 3 * 8 // 4
    for one in (*certificate.tasks, certificate.average):
        assert 0 < one.risk <= one.risk_upper
        assert all(value >= one.risk_upper for value in one.bounds.values())
    again = certify(tiny(), problem, commit="none", dirty=True)
    assert again.average == certificate.average


def test_images_without_a_valid_pixel_count_with_loss_zero() -> None:
    part = maps(4)
    label, depth, normals = (one.clone() for _, one in part.targets.maps)
    label[0], depth[:2], normals[:3] = -1, 0, 0
    blank = replace(part, targets=DenseTargets((("segmentation", label), ("depth", depth), ("normals", normals))))
    assert part.blank() == (0, 0, 0)
    assert blank.blank() == (1, 2, 3)
    own = network().eval()
    alone = [errors(own, part.some("one", slice(index, index + 1)), LOSSES) for index in range(4)]
    expected = [sum(row[task] for row in alone[task + 1 :]) / 4 for task in range(3)]
    assert errors(own, blank, LOSSES) == pytest.approx(expected, rel=1e-6)


@torch.no_grad()
def test_an_images_risk_does_not_depend_on_the_batch_that_it_came_in() -> None:
    """Not by running statistics, and not by the number of valid pixels of the other images."""
    part = maps(6)
    part.targets.maps[0][1][:3, :20] = -1
    centre = network()
    found = Posterior(prior_of(centre, ()), centre, 0.0, 1e-12)
    assert centre.training
    rows = {
        size: drawn_errors(
            found, part, passes=1, draw_batch=size, generator=torch.Generator().manual_seed(0), loss=LOSSES
        )
        for size in (1, 2, 6)
    }
    for size in (2, 6):
        torch.testing.assert_close(rows[size], rows[1].unflatten(0, (-1, size)).mean(1), rtol=1e-4, atol=0)


class Lines(MultiTaskModel):
    """Depth is the weight times the first colour, and nothing else is said: a Gibbs risk with a closed form."""

    def __init__(self) -> None:
        super().__init__(torch.nn.Conv2d(3, 1, 1, bias=False), [torch.nn.Identity()])
        with torch.no_grad():
            self.trunk.weight.copy_(torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1))  # type: ignore[operator, union-attr]


def test_the_gibbs_risk_of_maps_is_that_of_a_direct_computation() -> None:
    """Images are 1 in the first colour, depth is 1 where known: |w - 1| is half normal, clipped at 0.5 by erf."""
    image = torch.zeros(2, 3, 4, 4)
    image[:, 0] = 1.0
    depth = torch.ones(2, 1, 4, 4)
    depth[0, :, :3] = 0.0
    part, own = DensePart("bound", image, DenseTargets((("depth", depth),))), Lines()
    prior = replace(prior_of(own, ()), deviations=(1.0,))
    found = Posterior(prior, own, 0.0, 0.3)
    risks, draws = drawn_risks(
        found,
        part,
        passes=4_000,
        draw_batch=2,
        generator=torch.Generator().manual_seed(0),
        loss=(clipped_depth(0.5),),
    )
    cut_at = 0.5 / 0.3
    below = math.sqrt(2 / math.pi) * (1 - math.exp(-(cut_at**2) / 2))
    exact = 0.3 * below / 0.5 + math.erfc(cut_at / math.sqrt(2))
    assert draws == 4_000
    assert abs(float(risks[0]) - exact) <= 5 * 0.3 / math.sqrt(draws)


def test_draws_of_a_network_are_those_made_by_hand() -> None:
    """One draw: the weights from the same generator, every image alone, its mean over valid pixels by hand."""
    part, start = maps(3), network()
    found = Posterior(prior_of(start, ()), network(1), 0.3, 0.02)
    (row,) = drawn_errors(found, part, passes=1, draw_batch=3, generator=torch.Generator().manual_seed(5), loss=LOSSES)
    own, generator = found.centre().eval(), torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter, deviation in zip(own.parameters(), found.deviations(), strict=True):
            parameter.add_(torch.empty_like(parameter).normal_(0.0, deviation, generator=generator))
        sums = torch.zeros(3, dtype=torch.float64)
        for index in range(3):
            logits, depth, normals = own(part.images[index : index + 1], (0, 1, 2))
            label, true_depth, true_normals = (one[index] for _, one in part.targets.maps)
            cosine = (normals[0].double() * true_normals.double()).sum(0) / normals[0].double().norm(dim=0)
            sums += torch.stack(
                [
                    (logits[0].argmax(0) != label).double().mean(),
                    (depth[0] - true_depth).double().abs().clamp(max=2).mean() / 2,
                    torch.acos(cosine.clamp(-1, 1)).mean() / math.pi,
                ]
            )
    assert row.tolist() == pytest.approx((sums / 3).tolist(), rel=1e-3)


def test_running_statistics_of_the_posterior_are_the_priors(problem: DenseProblem) -> None:
    """Those of the trained network have seen the bound's part, and no divergence pays for them."""
    first, second = cut(problem.train, 6, ("prior", "bound"))
    spec = tiny().training
    prior, trained = train_prior(spec, first), train_prior(spec, second).centre
    centre = Posterior(prior, trained, 0.5, 0.1).centre()
    for own, start, end in zip(centre.buffers(), prior.centre.buffers(), trained.buffers(), strict=True):
        assert torch.equal(own, start)
        assert not own.is_floating_point() or not torch.equal(own, end)


@pytest.mark.parametrize("value", [1.5, -0.1, math.nan])
def test_a_loss_outside_its_range_is_refused_though_its_mean_is_inside(value: float) -> None:
    def loss(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        found = torch.full((len(prediction),), 0.4, dtype=torch.float64)
        found[0] = value
        return found

    start = network()
    found = Posterior(prior_of(start, ()), start, 0.0, 0.1)
    with pytest.raises(InvalidBound, match=r"the loss of task 2 is .*; it must be in \[0, 1\]"):
        drawn_errors(found, maps(4), passes=1, draw_batch=2, generator=torch.Generator(), loss=(zero_one, loss, angle))


def test_a_mean_over_the_batch_is_no_loss() -> None:
    start, part = network().eval(), maps(2)
    with pytest.raises(InvalidBound, match="one number for each of 2 examples"):
        errors(start, part, lambda prediction, target: torch.tensor(0.5, dtype=torch.float64))
    with pytest.raises(ValueError, match="2 losses for 3 tasks"):
        errors(start, part, (zero_one, angle))


def test_named_losses_are_those_that_they_name() -> None:
    assert losses_of(()) is zero_one
    segmentation, depth, normals = losses_of(ROOM_LOSSES)  # type: ignore[misc]
    assert (segmentation, normals) == (zero_one, angle)
    assert depth(torch.full((1, 1, 2, 2), 2.0), torch.ones(1, 1, 2, 2)).item() == 0.5
    (entropy,) = losses_of((("clipped_cross_entropy", 3.0),))  # type: ignore[misc]
    logits, labels = torch.randn(5, 4), torch.arange(5) % 4
    assert torch.equal(entropy(logits, labels), clipped_cross_entropy(3.0)(logits, labels))
    for name in ("zero_one", "angle"):
        with pytest.raises(ValueError, match="has the limit 2"):
            losses_of(((name, 2.0),))


def test_the_list_of_other_losses_shares_delta_by_data_set() -> None:
    listed = bounded_certifications()
    families = Counter(one.training.problem for one in listed)
    assert set(families) == {"adult", "rooms"}
    for one in listed:
        assert one.losses
        assert one.family == families[one.training.problem]
        assert (one.training.n_train - one.n_prior) % one.draw_batch == 0
    own = {one.training for one in listed if one.training.problem == "adult"}
    assert own == {one.training for one in certifications() if one.training.problem == "adult"}


def test_the_losses_are_part_of_the_key_and_0_1_is_what_it_was() -> None:
    """Certificates that were stored before there were losses keep their keys."""
    stored = sorted(STORED.glob("*.json"))
    assert stored
    for path in stored:
        found = CERTIFICATE_SHELF.read(path)
        assert found.certification.losses == ()
        assert CERTIFICATE_SHELF.key(found.certification) == path.stem
    keys = {CERTIFICATE_SHELF.key(one) for one in (*certifications(), *bounded_certifications())}
    assert len(keys) == 2 * 12 + 4 * 12


def test_a_known_folder_gives_the_splits_that_are_loaded(problem: DenseProblem) -> None:
    assert isinstance(problem.train, DenseImages)
    folder: Path = problem.train.source.folder.parent
    train, _, test = splits_of("nyuv2", folder, 12, 1, 25)
    found = load_dense("nyuv2", 12, 1, 25, folder)
    assert (
        (found[0].sha256, found[2].sha256)
        == (train.sha256, test.sha256)
        == (
            problem.train.sha256,
            problem.test.sha256,
        )
    )
