"""Certificates whose posterior was trained on the bound, beside the held-out one of the same prior. No torch here."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec

from experiments.certificates.records import MAIN_BOUND, OVERLAYS, PEOPLE, Split, TaskCertificate
from experiments.profiles import BASE, Profile
from experiments.results import STORE, Provenance, Shelf
from experiments.spec import ProblemName, Spec

SCHEMA_VERSION = 1
REVISION = 2
"""Raise it when a change alters what is certified: stored certificates then count as missing."""

STORED = STORE / "trained_posteriors"
COMMAND = "python -m experiments.certificates --kind trained"


class Fitting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which prior is trained, and how the posterior is trained from it on.

    Args:
        training: method, model, sizes; its ``epochs`` make the prior's centre from the first ``n_prior`` examples.
        n_prior: the posterior and the bound have the other ``n_train - n_prior``.
        scales: of the prior's deviations, as for a `Certification`; a prior each, so delta is shared among them.
        epochs, batch_size, learning_rate: of the posterior, by plain gradient steps in units of the deviations.
        clip: of the cross entropy in the objective, nats.
        search_passes, passes, draw_batch: as for a `Certification`; the draws are paid for by empirical Bernstein.
        delta: each certificate fails with at most this probability; ``delta_draws`` of it pays for the draws.
    """

    training: Spec
    n_prior: int
    scales: tuple[float, ...] = (0.02, 0.05, 0.1)
    epochs: int = 15
    batch_size: int = 256
    learning_rate: float = 100.0
    clip: float = 2.0
    search_passes: int = 1
    passes: int = 10
    draw_batch: int = 25
    delta: float = 0.05
    delta_draws: float = 0.01


class Tried(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scale: divergence, estimated risk of the average task, and the bound that it would get.

    ``ratios``: posterior over prior deviation, one a parameter tensor; all 1 for the prior itself.
    """

    scale: float
    kl: float
    risk: float
    value: float
    ratios: tuple[float, ...]


class Outcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of posterior: what was tried, and the certificates of the best scale."""

    tried: tuple[Tried, ...]
    scale: float
    tasks: tuple[TaskCertificate, ...]
    average: TaskCertificate


class Fitted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``held_out``: the prior itself as posterior, KL = 0; ``trained``: trained on the bound. Each holds at delta."""

    schema_version: int
    key: str
    fitting: Fitting
    provenance: Provenance
    split: Split
    n_bound: int
    held_out: Outcome
    trained: Outcome
    prior_test_error: tuple[float, ...]
    cpu_seconds: dict[str, float]

    @property
    def summary(self) -> str:
        held_out, trained = (one.average.bounds[MAIN_BOUND] for one in (self.held_out, self.trained))
        return f"held out {held_out:.4f}, trained {trained:.4f}"


def fittings() -> tuple[Fitting, ...]:
    """Plain training on Adult and, shorter, on MultiFashion, seed 0."""
    return tuple(_fittings())


def _fittings() -> Iterator[Fitting]:
    listed: tuple[tuple[ProblemName, Profile, dict[str, Any]], ...] = (
        ("adult", PEOPLE, {}),
        ("multi_fashion", replace(OVERLAYS, epochs=10), {"scales": (0.02, 0.1), "epochs": 6, "passes": 6}),
    )
    for problem, profile, changes in listed:
        training = profile.spec(problem, 0, "erm", aggregator="Mean", options=BASE["Mean"], rho=0.0)
        yield Fitting(training=training, n_prior=profile.n_train // 2, **changes)


FITTED_SHELF: Shelf[Fitting, Fitted] = Shelf(
    "fitting", Fitted, SCHEMA_VERSION, REVISION, "trained posterior", "certify again"
)
