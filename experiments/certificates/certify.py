"""One certificate: train the prior on its part, go on for the posterior, bound on the part that the prior never saw."""

import copy
import statistics
import time
from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor

from experiments.bounded_losses import zero_one
from experiments.certificates.losses import Losses, each_task, example_losses, losses_of
from experiments.certificates.parts import AnyPart, DensePart, Prior, cut, part_of, prior_of
from experiments.certificates.posterior import (
    Gaussian,
    Posterior,
    bernstein_upper,
    drawn_errors,
    drawn_risks,
    gibbs_upper,
)
from experiments.certificates.records import (
    CERTIFICATE_SHELF,
    MAIN_BOUND,
    SCHEMA_VERSION,
    Candidate,
    Certificate,
    Certification,
    Split,
    TaskCertificate,
)
from experiments.methods import Method, stream_seed
from experiments.models import MultiTaskModel
from experiments.provenance import now, provenance
from experiments.spec import Spec
from experiments.splits import AnyProblem
from theory.bounds import pac_bayes
from theory.bounds.quantities import UpperBound

TEST_PASSES, TEST_BATCH = 10, 25


def certify(certification: Certification, problem: AnyProblem, *, commit: str, dirty: bool) -> Certificate:
    """Train, search scale and mixture on the bound's part, then bound with fresh draws.

    The bound holds for all posteriors and for every prior of the grid at once, so the search may use the bound's part;
    the draws of the search are not used again.

    Raises:
        InvalidBound: a part would be empty, or an argument admits no bound.
    """
    spec, clock, started = certification.training, time.perf_counter(), now()
    first, second = cut(problem.train, certification.n_prior, ("prior", "bound"))
    loss = losses_of(certification.losses)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(spec.seed, "noise"))
        prior, trained, prior_error = _train(certification, first, problem)
    prior.check_unseen(second)
    generator = torch.Generator().manual_seed(stream_seed(spec.seed, "probe"))
    tasks = len(trained.heads)
    family = certification.family
    split = Split(
        sample=(certification.delta - certification.delta_draws) / family,
        draws=certification.delta_draws / family,
        scales=len(certification.scales),
        tasks=tasks,
    )
    search = [
        _candidate(certification, Posterior(prior, trained, mixture, scale), second, split, generator)
        for scale, mixture in product(certification.scales, certification.mixtures)
    ]
    best = min(search, key=lambda one: one.value)
    posterior = Posterior(prior, trained, best.mixture, best.scale)
    each, average = certified(
        posterior,
        second,
        part_of(problem.test, "test"),
        split,
        passes=certification.passes,
        draw_batch=certification.draw_batch,
        generator=generator,
        bernstein=True,
        loss=loss,
    )
    return Certificate(
        schema_version=SCHEMA_VERSION,
        key=CERTIFICATE_SHELF.key(certification),
        certification=certification,
        provenance=provenance(problem, commit=commit, dirty=dirty, started=started, resumed=0),
        split=split,
        n_bound=len(second),
        scale=best.scale,
        mixture=best.mixture,
        search=tuple(search),
        tasks=each,
        average=average,
        prior_test_error=prior_error,
        seconds=time.perf_counter() - clock,
        blank=second.blank() if isinstance(second, DensePart) else (),
    )


def certified(
    posterior: Gaussian,
    part: AnyPart,
    test: AnyPart,
    split: Split,
    *,
    passes: int,
    draw_batch: int,
    generator: torch.Generator,
    bernstein: bool = False,
    loss: Losses = zero_one,
) -> tuple[tuple[TaskCertificate, ...], TaskCertificate]:
    """Every task's certificate and that of the average task, by fresh draws; the test split says how close they are.

    Args:
        bernstein: the draws are paid for by the empirical Bernstein bound, not by Chernoff's.
        loss: in [0, 1], of all tasks or one each.
    """
    posterior.prior.check_unseen(part)
    found = drawn_errors(posterior, part, passes=passes, draw_batch=draw_batch, generator=generator, loss=loss)
    draws = len(found)
    test_risks, _ = drawn_risks(
        posterior, test, passes=TEST_PASSES, draw_batch=TEST_BATCH, generator=generator, loss=loss
    )
    centre_errors, tasks = errors(posterior.centre(), test, loss), found.shape[1]
    kl_shared, kl_heads = posterior.divergences()

    def one(values: Tensor, kl: float, test_risk: float, centre_error: float, statements: int) -> TaskCertificate:
        risk, share = float(values.mean()), split.draws / statements
        upper = bernstein_upper(values, share) if bernstein else gibbs_upper(risk, draws, share)
        bounds = bounds_of(upper, kl, len(part), split, statements)
        return TaskCertificate(
            kl=kl,
            draws=draws,
            risk=risk,
            risk_upper=upper.value,
            bounds={name: bound.value for name, bound in bounds.items()},
            test_risk=test_risk,
            centre_test_error=centre_error,
        )

    each = tuple(
        one(found[:, task], kl_shared + kl_heads[task], float(test_risks[task]), centre_errors[task], tasks)
        for task in range(tasks)
    )
    total = kl_shared + sum(kl_heads)
    average = one(found.mean(1), total, float(test_risks.mean()), statistics.fmean(centre_errors), 1)
    return each, average


def _epochs(
    method: Method,
    optimizer: torch.optim.Optimizer,
    orders: torch.Generator,
    count: int,
    part: AnyPart,
) -> None:
    """Train on; the network is left in evaluation mode."""
    (network,) = method.networks
    network.train()
    for _ in range(count):
        for chosen in torch.randperm(len(part), generator=orders).split(method.spec.batch_size):
            optimizer.zero_grad()
            method.step(*part.batch(chosen))
            optimizer.step()
    network.eval()


def _start(spec: Spec) -> tuple[Method, torch.optim.Optimizer, torch.Generator]:
    method = Method(spec)
    (network,) = method.networks
    optimizer = torch.optim.Adam(network.parameters(), lr=spec.learning_rate)
    return method, optimizer, torch.Generator().manual_seed(stream_seed(spec.seed, "batches"))


def train_prior(spec: Spec, first: AnyPart) -> Prior:
    """The prior after the spec's epochs on its part."""
    method, optimizer, orders = _start(spec)
    _epochs(method, optimizer, orders, spec.epochs, first)
    return prior_of(method.networks[0], (first,))


def _train(
    certification: Certification, first: AnyPart, problem: AnyProblem
) -> tuple[Prior, MultiTaskModel, tuple[float, ...]]:
    """The prior after ``epochs`` on its part, the network after ``posterior_epochs`` on all, and the prior's errors."""
    method, optimizer, orders = _start(certification.training)
    (network,) = method.networks
    _epochs(method, optimizer, orders, certification.training.epochs, first)
    prior = prior_of(copy.deepcopy(network), (first,))
    prior_errors = errors(network, part_of(problem.test, "test"), losses_of(certification.losses))
    _epochs(method, optimizer, orders, certification.posterior_epochs, part_of(problem.train, "everything"))
    return prior, network, prior_errors


@torch.no_grad()
def errors(network: MultiTaskModel, part: AnyPart, loss: Losses = zero_one) -> tuple[float, ...]:
    """Mean loss of one network on a part, per task."""
    tasks = tuple(range(len(network.heads)))
    losses, totals = each_task(loss, len(tasks)), [0.0] * len(tasks)
    for chosen in torch.arange(len(part)).split(1_000):
        inputs, targets = part.batch(chosen)
        for task, values in enumerate(example_losses(losses, network(inputs, tasks), targets)):
            totals[task] += float(values.sum())
    return tuple(total / len(part) for total in totals)


def _candidate(
    certification: Certification, posterior: Posterior, part: AnyPart, split: Split, generator: torch.Generator
) -> Candidate:
    """What the average task would get from few draws."""
    passes, batch = certification.search_passes, certification.draw_batch
    loss = losses_of(certification.losses)
    risks, _ = drawn_risks(posterior, part, passes=passes, draw_batch=batch, generator=generator, loss=loss)
    kl_shared, kl_heads = posterior.divergences()
    bounds = bounds_of(float(risks.mean()), kl_shared + sum(kl_heads), len(part), split, 1)
    return Candidate(
        scale=posterior.scale,
        mixture=posterior.mixture,
        kl_shared=kl_shared,
        kl_heads=kl_heads,
        risks=tuple(risks.tolist()),
        value=bounds[MAIN_BOUND].value,
    )


def bounds_of(risk: pac_bayes.Risk, kl: float, n_samples: int, split: Split, statements: int) -> dict[str, UpperBound]:
    """Every bound at the share of delta that one of ``statements`` tasks and one scale have; by name."""
    delta = split.sample / split.scales / statements * (1 - 1e-12)
    found: Sequence[UpperBound] = (
        pac_bayes.seeger_maurer(risk, kl, n_samples, delta),
        pac_bayes.mcallester(risk, kl, n_samples, delta),
        pac_bayes.refined_pinsker(risk, kl, n_samples, delta),
        pac_bayes.quadratic(risk, kl, n_samples, delta),
        pac_bayes.thiemann(risk, kl, n_samples, delta),
        pac_bayes.catoni_grid(risk, kl, n_samples, delta, pac_bayes.temperatures(n_samples)),
        pac_bayes.alquier(risk, kl, n_samples, delta, n_samples**0.5),
    )
    names = ("Seeger-Maurer", "McAllester", "refined Pinsker", "quadratic", "Thiemann", "Catoni", "Alquier")
    return dict(zip(names, found, strict=True))
