"""The held-out certificate of a prior, and that of posteriors trained from it on; both on the same examples."""

import time
from collections.abc import Sequence
from itertools import pairwise

import torch

from experiments.certificates.certify import bounds_of, certified, errors, train_prior
from experiments.certificates.parts import Part, cut
from experiments.certificates.posterior import drawn_risks
from experiments.certificates.records import MAIN_BOUND, Split
from experiments.certificates.trained import TrainedPosterior, Training, train_posterior
from experiments.certificates.trained_records import (
    FITTED_SHELF,
    SCHEMA_VERSION,
    Fitted,
    Fitting,
    Outcome,
    Tried,
)
from experiments.methods import stream_seed
from experiments.provenance import now, provenance
from experiments.splits import LoadedProblem


def fit(fitting: Fitting, problem: LoadedProblem, *, commit: str, dirty: bool) -> Fitted:
    """Train the prior, then a posterior a scale on the bound's part; certify the best of each kind with fresh draws.

    The bound holds for all posteriors at once, so training and choice may use the bound's part.

    Raises:
        InvalidBound: a part would be empty, or an argument admits no bound.
    """
    spec, started, clocks = fitting.training, now(), [time.process_time()]
    first, second = cut(problem.train, fitting.n_prior, ("prior", "bound"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(spec.seed, "noise"))
        prior = train_prior(spec, first)
    prior.check_unseen(second)
    clocks.append(time.process_time())
    generator = torch.Generator().manual_seed(stream_seed(spec.seed, "probe"))
    tasks = len(prior.centre.heads)
    scales = len(fitting.scales)
    split = Split(sample=fitting.delta - fitting.delta_draws, draws=fitting.delta_draws, scales=scales, tasks=tasks)
    training = Training(fitting.epochs, fitting.batch_size, fitting.learning_rate, fitting.clip)
    ones = (1.0,) * len(prior.deviations)
    still = [TrainedPosterior(prior, prior.centre, scale, ones) for scale in fitting.scales]
    moved = [
        train_posterior(prior, second, scale, training, delta=split.sample / scales, generator=generator)
        for scale in fitting.scales
    ]
    clocks.append(time.process_time())
    test = Part("test", problem.test.examples, problem.test.labels)
    held_out, trained = (_outcome(fitting, some, second, test, split, generator) for some in (still, moved))
    clocks.append(time.process_time())
    spent = [after - before for before, after in pairwise(clocks)]
    return Fitted(
        schema_version=SCHEMA_VERSION,
        key=FITTED_SHELF.key(fitting),
        fitting=fitting,
        provenance=provenance(problem, commit=commit, dirty=dirty, started=started, resumed=0),
        split=split,
        n_bound=len(second),
        held_out=held_out,
        trained=trained,
        prior_test_error=errors(prior.centre, test),
        cpu_seconds=dict(zip(("prior", "posteriors", "draws"), spent, strict=True)),
    )


def _outcome(
    fitting: Fitting,
    posteriors: Sequence[TrainedPosterior],
    part: Part,
    test: Part,
    split: Split,
    generator: torch.Generator,
) -> Outcome:
    """The posterior with the best bound by few draws, certified by many."""
    tried = []
    for posterior in posteriors:
        risks, _ = drawn_risks(
            posterior, part, passes=fitting.search_passes, draw_batch=fitting.draw_batch, generator=generator
        )
        kl_shared, kl_heads = posterior.divergences()
        risk, kl = float(risks.mean()), kl_shared + sum(kl_heads)
        value = bounds_of(risk, kl, len(part), split, 1)[MAIN_BOUND].value
        tried.append(Tried(scale=posterior.scale, kl=kl, risk=risk, value=value, ratios=posterior.ratios))
    best = min(range(len(tried)), key=lambda index: tried[index].value)
    each, average = certified(
        posteriors[best],
        part,
        test,
        split,
        passes=fitting.passes,
        draw_batch=fitting.draw_batch,
        generator=generator,
        bernstein=True,
    )
    return Outcome(tried=tuple(tried), scale=posteriors[best].scale, tasks=each, average=average)
