"""Certificates: typed parts, divergences, draws, the split of delta, records; and a world whose risk is known."""

import math
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from flint import arb, ctx
from torch.nn import functional

from experiments.bounded_losses import clipped_cross_entropy
from experiments.certificates.certify import certified, certify
from experiments.certificates.parts import Part, cut, prior_of
from experiments.certificates.posterior import Posterior, drawn_errors, drawn_risks, gibbs_upper
from experiments.certificates.records import (
    CERTIFICATE_SHELF,
    Certification,
    certifications,
)
from experiments.certificates.records import Split as DeltaSplit
from experiments.models import MultiTaskModel, build_model
from experiments.results import StoreError
from experiments.spec import Spec
from experiments.splits import LoadedProblem, Split
from theory.bounds.quantities import InvalidBound

INPUTS = 87


def people(count: int, seed: int) -> Split:
    """Four tasks: the sign of one feature each, the third one's label by a coin that shows 1 in 9 of 10 cases."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(count, INPUTS, generator=generator)
    labels = (features[:, :4] > 0).long()
    labels[:, 2] = (torch.rand(count, generator=generator) < 0.9).long()
    return Split(features, labels, sha256=f"{count} {seed}")


def tiny(**changes: Any) -> Certification:
    training = Spec(
        profile="laptop",
        problem="adult",
        model="mlp",
        aggregator="Mean",
        mode="erm",
        seed=0,
        n_train=540,
        n_validation=10,
        n_test=500,
        epochs=3,
        batch_size=64,
        probe_batches=1,
    )
    fields: dict[str, Any] = {"scales": (0.05, 0.2), "mixtures": (0.0, 0.1), "passes": 3, "posterior_epochs": 1}
    fields["draw_batch"] = 27
    return Certification(training=training, n_prior=270, **(fields | changes))


@pytest.fixture(scope="module")
def problem() -> LoadedProblem:
    return LoadedProblem(people(540, 1), people(10, 2), people(500, 3))


def posterior(mixture: float = 0.5, scale: float = 0.1) -> Posterior:
    start, end = build_model("mlp", 1, "adult"), build_model("mlp", 2, "adult")
    return Posterior(prior_of(start, (Part("prior", torch.zeros(1, 1), torch.zeros(1, 1)),)), end, mixture, scale)


def test_a_prior_that_has_seen_the_bound_s_part_is_refused() -> None:
    first, second = cut(people(20, 0), 12, ("prior", "bound"))
    assert (len(first), len(second)) == (12, 8)
    prior = prior_of(build_model("mlp", 0, "adult"), (first,))
    prior.check_unseen(second)
    with pytest.raises(InvalidBound, match=r"the bound's part is 'prior'; it must be none that the prior has seen"):
        prior.check_unseen(first)
    for count in (0, 20):
        with pytest.raises(InvalidBound, match="n_prior is"):
            cut(people(20, 0), count, ("prior", "bound"))


def test_divergences_are_those_of_the_gaussians() -> None:
    """Against torch's own KL of normal laws, entry by entry, in float64."""
    found = posterior()
    shared, heads = found.divergences()
    centre, blocks = found.centre(), {"trunk": 0.0, "0": 0.0, "1": 0.0, "2": 0.0, "3": 0.0}
    for (name, parameter), start, deviation in zip(
        centre.named_parameters(), found.prior.centre.parameters(), found.prior.deviations, strict=True
    ):
        spread = torch.tensor(found.scale * deviation, dtype=torch.float64)
        laws = [torch.distributions.Normal(one.detach().double(), spread) for one in (parameter, start)]
        kl = float(torch.distributions.kl_divergence(*laws).sum())
        blocks["trunk" if name.startswith("trunk") else name.split(".")[1]] += kl
    assert shared == pytest.approx(blocks["trunk"], rel=1e-9)
    assert heads == pytest.approx([blocks[str(task)] for task in range(4)], rel=1e-9)
    assert posterior(mixture=0.0).divergences() == (0.0, (0.0,) * 4)


def test_draws_without_noise_give_the_error_of_the_centre() -> None:
    found = posterior(scale=1e-12)
    split = people(60, 4)
    part = Part("bound", split.examples, split.labels)
    risks, draws = drawn_risks(found, part, passes=2, draw_batch=20, generator=torch.Generator().manual_seed(0))
    logits = found.centre()(split.examples, range(4))
    expected = [float((one.argmax(1) != split.labels[:, task]).double().mean()) for task, one in enumerate(logits)]
    assert draws == 6
    assert risks.tolist() == pytest.approx(expected, abs=1e-12)


def test_draws_of_another_loss_are_of_the_same_networks() -> None:
    """Clipped cross entropy of draws without noise is that of the centre."""
    found = posterior(scale=1e-12)
    split = people(60, 4)
    part = Part("bound", split.examples, split.labels)
    generator, loss = torch.Generator().manual_seed(0), clipped_cross_entropy(0.9)
    rows = drawn_errors(found, part, passes=1, draw_batch=20, generator=generator, loss=loss)
    logits = [one.detach().double() for one in found.centre()(split.examples, range(4))]
    expected = [
        float(functional.cross_entropy(one, split.labels[:, task], reduction="none").clamp(max=0.9).mean())
        for task, one in enumerate(logits)
    ]
    assert rows.shape == (3, 4)
    assert (0.9 * rows.mean(0)).tolist() == pytest.approx(expected, rel=1e-6)


class OneWeight(MultiTaskModel):
    """Answers 1 where its only weight is positive."""

    def __init__(self) -> None:
        super().__init__(torch.nn.Linear(1, 1, bias=False), [torch.nn.Linear(1, 2)])
        with torch.no_grad():
            self.trunk.weight.fill_(1.0)  # type: ignore[operator, union-attr]
            self.heads[0].weight.copy_(torch.tensor([[0.0], [1.0]]))  # type: ignore[operator, union-attr]
            self.heads[0].bias.zero_()  # type: ignore[operator, union-attr]

    def forward(self, inputs: torch.Tensor, tasks: Any) -> tuple[torch.Tensor, ...]:
        sign = self.trunk(inputs)
        return (torch.cat([torch.zeros_like(sign), sign], dim=1),)


def test_draws_have_the_gibbs_risk_as_their_mean() -> None:
    """The weight is N(1, 1): it is negative, and the answer wrong, with probability Phi(-1)."""
    network = OneWeight()
    part = Part("bound", torch.ones(10, 1), torch.ones(10, 1, dtype=torch.long))
    found = Posterior(prior_of(network, ()), network, 0.0, 1.0)
    risks, draws = drawn_risks(found, part, passes=2000, draw_batch=10, generator=torch.Generator().manual_seed(0))
    exact = 0.5 * math.erfc(1 / math.sqrt(2))
    assert draws == 2000
    assert abs(float(risks[0]) - exact) <= 5 * math.sqrt(exact * (1 - exact) / draws)
    assert gibbs_upper(float(risks[0]), draws, 1e-6).value >= exact


def test_batches_must_cut_the_part_into_equal_pieces() -> None:
    split = people(10, 0)
    part = Part("bound", split.examples, split.labels)
    with pytest.raises(ValueError, match="10 examples in batches of 3"):
        drawn_risks(posterior(), part, passes=1, draw_batch=3, generator=torch.Generator())


def test_the_bound_on_the_draws_is_chernoff_s() -> None:
    found = gibbs_upper(0.0, 100, 0.01)
    with ctx.workprec(200):
        assert arb(found.value) >= 1 - (arb(0.01).log() / 100).exp()
    assert found.value == pytest.approx(1 - 0.01**0.01, rel=1e-12)
    with pytest.raises(InvalidBound, match="delta is 0"):
        gibbs_upper(0.1, 100, 0.0)
    with pytest.raises(InvalidBound, match=r"draws is 1; it must be an integer >= 2\. One draw has no error"):
        gibbs_upper(0.1, 1, 0.01)


def test_a_certificate_from_end_to_end(problem: LoadedProblem, tmp_path: Path) -> None:
    certification = tiny()
    certificate = certify(certification, problem, commit="none", dirty=True)
    assert certificate.n_bound == 270
    assert len(certificate.search) == 4
    split = certificate.split
    assert split.sample + split.draws == pytest.approx(certification.delta)
    best = min(certificate.search, key=lambda one: one.value)
    assert (certificate.scale, certificate.mixture) == (best.scale, best.mixture)
    for one in (*certificate.tasks, certificate.average):
        assert one.draws == 30
        assert one.risk <= one.risk_upper
        assert all(value >= one.risk_upper for value in one.bounds.values())
    assert certificate.average.risk == pytest.approx(sum(one.risk for one in certificate.tasks) / 4)
    assert certificate.average.kl == pytest.approx(best.kl_shared + sum(best.kl_heads))
    CERTIFICATE_SHELF.save(tmp_path, certificate)
    assert CERTIFICATE_SHELF.find([tmp_path], certification) == certificate
    again = certify(certification, problem, commit="none", dirty=True)
    assert msgspec.structs.replace(again, seconds=0, provenance=certificate.provenance) == msgspec.structs.replace(
        certificate, seconds=0
    )


def test_records_that_can_not_be_trusted(problem: LoadedProblem, tmp_path: Path) -> None:
    certificate = certify(tiny(passes=1), problem, commit="none", dirty=True)
    with pytest.raises(StoreError, match="is not the key of its certification"):
        CERTIFICATE_SHELF.save(tmp_path, msgspec.structs.replace(certificate, key="0" * 16))
    path = CERTIFICATE_SHELF.save(tmp_path, certificate)
    path.write_bytes(path.read_bytes().replace(b'"schema_version":1', b'"schema_version":2'))
    with pytest.raises(StoreError, match="schema version 2, expected 1"):
        CERTIFICATE_SHELF.read(path)
    path.write_bytes(b"{")
    with pytest.raises(StoreError, match="not a certificate"):
        CERTIFICATE_SHELF.read(path)
    assert CERTIFICATE_SHELF.path(tmp_path, tiny()) != path


def test_the_list_compares_four_methods_on_independent_samples() -> None:
    listed = certifications()
    assert len({CERTIFICATE_SHELF.key(one) for one in listed}) == len(listed) == 3 * 4 * 4
    assert {one.training.mode for one in listed} == {"erm", "sam_sum", "direct", "decomposed"}
    families = Counter(one.training.problem for one in listed)
    for one in listed:
        bound = one.training.n_train - one.n_prior
        assert bound % one.draw_batch == 0
        assert one.n_prior == bound
        assert one.family == families[one.training.problem]


def test_a_familys_certificates_share_delta(problem: LoadedProblem) -> None:
    alone, one_of_four = (certify(tiny(draw_batch=1, family=n), problem, commit="none", dirty=True) for n in (1, 4))
    for name in ("sample", "draws"):
        assert getattr(one_of_four.split, name) == pytest.approx(getattr(alone.split, name) / 4)
    assert one_of_four.average.risk == alone.average.risk
    assert one_of_four.average.risk_upper > alone.average.risk_upper
    assert all(one_of_four.average.bounds[name] >= value for name, value in alone.average.bounds.items())


@pytest.mark.parametrize(("sample", "draws"), [(0.9, 0.9), (-0.005, 0.05), (0.04, 0.0), (float("nan"), 0.01)])
def test_shares_of_delta_that_are_none_are_refused(sample: float, draws: float) -> None:
    with pytest.raises(ValueError, match=r"share of delta is .* must be above 0.*Choose 0 < delta_draws"):
        DeltaSplit(sample=sample, draws=draws, scales=1, tasks=2)


def test_the_part_that_made_the_prior_certifies_nothing_whatever_it_is_called(problem: LoadedProblem) -> None:
    first, second = cut(problem.train, 270, ("prior", "bound"))
    network = build_model("mlp", 0, "adult")
    found = Posterior(prior_of(network, (first,)), network, 0.0, 0.1)
    split = DeltaSplit(sample=0.04, draws=0.01, scales=1, tasks=4)

    def bound_on(part: Part) -> float:
        generator = torch.Generator().manual_seed(0)
        test = Part("test", problem.test.examples, problem.test.labels)
        _, average = certified(found, part, test, split, passes=1, draw_batch=27, generator=generator)
        return average.risk

    renamed = Part("bound", first.examples, first.labels)
    shifted = Part("bound", problem.train.examples[135:405], problem.train.labels[135:405])
    for part in (first, renamed, shifted):
        with pytest.raises(InvalidBound, match="none that the prior has seen"):
            bound_on(part)
    assert 0.0 < bound_on(second) < 1.0
