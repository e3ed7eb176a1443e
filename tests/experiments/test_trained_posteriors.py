"""Posteriors trained on the bound: divergence, objective, improvement, records; and the empirical Bernstein bound."""

import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from flint import arb, ctx

from experiments.certificates.fit import fit
from experiments.certificates.parts import Part, prior_of
from experiments.certificates.posterior import bernstein_upper, gibbs_upper
from experiments.certificates.records import (
    CERTIFICATE_SHELF,
    certifications,
)
from experiments.certificates.trained import TrainedPosterior, Training, quadratic_objective, train_posterior
from experiments.certificates.trained_records import (
    FITTED_SHELF,
    Fitting,
    fittings,
)
from experiments.models import build_model
from experiments.results import StoreError
from experiments.splits import LoadedProblem
from tests.experiments.test_pac_bayes_certificates import people, tiny
from theory.bounds import pac_bayes
from theory.bounds.quantities import InvalidBound

STORED = {"22866e421335f900", "4cc2486ffdc0029c", "689f8b734e099bb8", "8324d8288b17ea84"}
STORED |= {"8c8c52aadab9bef9", "bdf9654970189ee6", "c71d19d99d304d84", "e5fe3d2fa4315236"}


def small(**changes: Any) -> Fitting:
    fields: dict[str, Any] = {"scales": (0.05, 0.2), "epochs": 1, "batch_size": 90, "passes": 2, "draw_batch": 54}
    return Fitting(training=tiny().training, n_prior=270, **(fields | changes))


def test_the_divergence_is_that_of_the_gaussians() -> None:
    """Against torch's own KL of normal laws, entry by entry, in float64."""
    start, end = build_model("mlp", 1, "adult"), build_model("mlp", 2, "adult")
    prior = prior_of(start, ())
    ratios = tuple(0.8 + 0.05 * number for number in range(len(prior.deviations)))
    found = TrainedPosterior(prior, end, 0.1, ratios)
    shared, heads = found.divergences()
    blocks = {"trunk": 0.0, "0": 0.0, "1": 0.0, "2": 0.0, "3": 0.0}
    for (name, mean), centre, deviation, ratio in zip(
        end.named_parameters(), start.parameters(), prior.deviations, ratios, strict=True
    ):
        spread = torch.tensor(0.1 * deviation, dtype=torch.float64)
        law = torch.distributions.Normal(mean.detach().double(), spread * ratio)
        other = torch.distributions.Normal(centre.detach().double(), spread)
        kl = float(torch.distributions.kl_divergence(law, other).sum())
        blocks["trunk" if name.startswith("trunk") else name.split(".")[1]] += kl
    assert shared >= blocks["trunk"]
    assert shared == pytest.approx(blocks["trunk"], rel=1e-8)
    assert heads == pytest.approx([blocks[str(task)] for task in range(4)], rel=1e-8)
    assert found.deviations() == pytest.approx([0.1 * a * b for a, b in zip(prior.deviations, ratios, strict=True)])


def test_the_objective_is_the_quadratic_bound() -> None:
    value = quadratic_objective(torch.tensor(0.6), torch.tensor(7.0), clip=2.0, n_samples=500, delta=0.01)
    assert float(value) == pytest.approx(2 * pac_bayes.quadratic(0.3, 7.0, 500, 0.01).value, rel=1e-6)


def test_training_lowers_its_objective() -> None:
    """A prior that is not trained at all: its risk falls by more than the divergence costs."""
    split = people(3_000, 0)
    part = Part("bound", split.examples, split.labels)
    prior = prior_of(build_model("mlp", 0, "adult"), ())
    training = Training(epochs=6, batch_size=100, learning_rate=30.0, clip=2.0)
    found = train_posterior(prior, part, 1.0, training, delta=0.01, generator=torch.Generator().manual_seed(0))

    @torch.no_grad()
    def objective(posterior: TrainedPosterior) -> float:
        logits = posterior.centre()(split.examples, tuple(range(4)))
        losses = [
            torch.nn.functional.cross_entropy(one, split.labels[:, task], reduction="none").clamp(max=2.0).mean()
            for task, one in enumerate(logits)
        ]
        shared, heads = posterior.divergences()
        kl = torch.tensor(shared + sum(heads))
        return float(quadratic_objective(torch.stack(losses).mean(), kl, clip=2.0, n_samples=3_000, delta=0.01))

    ones = (1.0,) * len(prior.deviations)
    start = objective(TrainedPosterior(prior, prior.centre, 1.0, ones))
    assert objective(found) < start - 0.01
    assert sum(found.divergences()[1]) > 0
    assert found.ratios != ones


def test_the_empirical_bernstein_bound_is_rounded_up_and_far_below_chernoff_s() -> None:
    values = torch.linspace(0.2, 0.4, 4_000, dtype=torch.float64)
    found = bernstein_upper(values, 0.01)
    with ctx.workprec(200):
        exact = [arb(one) for one in values.tolist()]
        mean = sum(exact, arb(0)) / len(exact)
        variance = sum(((one - mean) ** 2 for one in exact), arb(0)) / (len(exact) - 1)
        confidence = (2 / arb(0.01)).log()
        reach = (2 * variance * confidence / len(exact)).sqrt() + 7 * confidence / (3 * (len(exact) - 1))
        assert arb(found.value) >= mean + reach - arb(1e-15)
        assert found.value == pytest.approx(float((mean + reach).mid()), rel=1e-10)
    assert found.value < gibbs_upper(float(values.mean()), len(values), 0.01).value - 0.005
    with pytest.raises(InvalidBound, match="draws is 1"):
        bernstein_upper(values[:1], 0.01)


def test_the_empirical_bernstein_bound_fails_as_seldom_as_it_promises() -> None:
    """Coins of two kinds, at delta = 0.1; a twin without the last term fails too often where the variance is tiny."""
    generator = torch.Generator().manual_seed(0)
    means = torch.tensor([0.02, 0.1], dtype=torch.float64).repeat(50)
    draws = (torch.rand(2_000, 100, generator=generator, dtype=torch.float64) < means).double()
    failing = sum(bernstein_upper(row, 0.1).value < float(means.mean()) for row in draws)
    root = draws.mean(1) + (2 * draws.var(1) * math.log(2 / 0.1) / 100).sqrt()
    rare = (torch.rand(2_000, 100, generator=generator, dtype=torch.float64) < 0.01).double()
    twin = rare.mean(1) + (2 * rare.var(1) * math.log(2 / 0.1) / 100).sqrt()
    assert failing <= 0.1 * 2_000
    assert int((root < means.mean()).sum()) >= failing
    assert int((twin < 0.01).sum()) > 0.2 * 2_000
    assert sum(bernstein_upper(row, 0.1).value < 0.01 for row in rare) == 0


def test_both_posteriors_from_end_to_end(tmp_path: Path) -> None:
    problem = LoadedProblem(people(540, 1), people(10, 2), people(50, 3))
    fitting = small()
    fitted = fit(fitting, problem, commit="none", dirty=True)
    assert fitted.n_bound == 270
    for outcome in (fitted.held_out, fitted.trained):
        assert outcome.scale == min(outcome.tried, key=lambda one: one.value).scale
        for one in (*outcome.tasks, outcome.average):
            assert one.draws == 10
            assert all(value >= one.risk_upper >= one.risk for value in one.bounds.values())
    assert fitted.held_out.average.kl < 1e-6 < fitted.trained.average.kl
    FITTED_SHELF.save(tmp_path, fitted)
    assert FITTED_SHELF.find([tmp_path], fitting) == fitted
    path = FITTED_SHELF.path(tmp_path, fitting)
    path.write_bytes(path.read_bytes().replace(b'"schema_version":1', b'"schema_version":2'))
    with pytest.raises(StoreError, match="schema version 2, expected 1"):
        FITTED_SHELF.read(path)
    with pytest.raises(StoreError, match="is not the key of its fitting"):
        FITTED_SHELF.save(tmp_path, msgspec.structs.replace(fitted, key="0" * 16))


def test_keys_are_of_a_kind_of_their_own() -> None:
    listed = fittings()
    assert {one.training.problem for one in listed} == {"adult", "multi_fashion"}
    assert len({FITTED_SHELF.key(one) for one in listed}) == len(listed)
    assert {CERTIFICATE_SHELF.key(one) for one in certifications()}.isdisjoint(FITTED_SHELF.key(one) for one in listed)
