"""What a certificate says, and all that it rests on: one strict JSON file each. No torch here."""

from collections.abc import Iterator
from itertools import product

import msgspec

from experiments.profiles import BASE, FLAT, Options, Profile
from experiments.results import STORE, Provenance, Shelf
from experiments.spec import AggregatorName, Mode, ProblemName, Spec

SCHEMA_VERSION = 1
REVISION = 2
"""Raise it when a change alters what is certified: stored certificates then count as missing."""

STORED = STORE / "certificates"
COMMAND = "python -m experiments.certificates"
MAIN_BOUND = "Seeger-Maurer"
"""By which posteriors are chosen."""


class Certification(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which network is certified, and how.

    Args:
        training: method, model, sizes; its ``epochs`` make the prior's centre from the first ``n_prior`` examples.
        n_prior: the prior sees these only; the bound is computed on the other ``n_train - n_prior``.
        posterior_epochs: training goes on for so many epochs on all ``n_train`` examples.
        scales: standard deviations of prior and posterior, in units of the root mean square of each parameter tensor of
            the prior's centre; a prior each, so delta is shared among them.
        mixtures: the posterior's centre is ``w_0 + t (w - w_0)``; the bound holds for all t at once.
        search_passes, passes: through the bound's examples, one draw of the weights a batch: for the choice of scale
            and t, and afresh for the chosen one.
        draw_batch: examples that share one draw; divides their number.
        family: so many certificates, of one data set, hold together: each gets an equal share of delta, so that the
            lowest of them may be chosen afterwards.
        delta: one certificate of the family fails with at most this probability; ``delta_draws`` of it pays for the
            draws, by the empirical Bernstein bound.
    """

    training: Spec
    n_prior: int
    posterior_epochs: int
    scales: tuple[float, ...] = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
    mixtures: tuple[float, ...] = (0.0, 0.01, 0.03, 0.1, 0.3)
    search_passes: int = 1
    passes: int = 10
    draw_batch: int = 25
    family: int = 1
    delta: float = 0.05
    delta_draws: float = 0.01


class Split(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where one certificate's share of delta goes: to the sample (shared by ``scales`` priors and by the tasks) and to
    the draws."""

    sample: float
    draws: float
    scales: int
    tasks: int

    def __post_init__(self) -> None:
        for name, value in (("the sample's share of delta", self.sample), ("the draws' share of delta", self.draws)):
            if not 0.0 < value < 1.0 or self.sample + self.draws >= 1.0:
                raise ValueError(
                    f"{name} is {value:g}: it must be above 0, and below 1 with the other one. "
                    "Choose 0 < delta_draws < delta < 1."
                )


class Candidate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One pair of the search: its divergences, its estimated risks, and the average task's bound that it would get."""

    scale: float
    mixture: float
    kl_shared: float
    kl_heads: tuple[float, ...]
    risks: tuple[float, ...]
    value: float


class TaskCertificate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One task, or the average of all.

    Args:
        kl: of the networks concerned, nats.
        draws: independent draws behind ``risk``, the mean over the bound's examples; ``risk_upper`` bounds what the
            draws estimate.
        bounds: by name, each from ``risk_upper``; values >= 1 say nothing.
        test_risk: of the same posterior on the test split, by draws; ``centre_test_error``: of the centre's network.
    """

    kl: float
    draws: int
    risk: float
    risk_upper: float
    bounds: dict[str, float]
    test_risk: float
    centre_test_error: float


class Certificate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that one certification found. ``search``: all pairs that were tried."""

    schema_version: int
    key: str
    certification: Certification
    provenance: Provenance
    split: Split
    n_bound: int
    scale: float
    mixture: float
    search: tuple[Candidate, ...]
    tasks: tuple[TaskCertificate, ...]
    average: TaskCertificate
    prior_test_error: tuple[float, ...]
    seconds: float

    @property
    def summary(self) -> str:
        return f"certified at {self.average.bounds[MAIN_BOUND]:.4f}, test {self.average.test_risk:.4f}"


OVERLAYS = Profile(name="laptop", model="lenet", n_train=24_000, n_validation=2_500, n_test=4_000, epochs=20)
PEOPLE = Profile(name="laptop", model="mlp", n_train=27_000, n_validation=6_000, n_test=12_000, epochs=15)
METHODS: tuple[tuple[Mode, AggregatorName, Options], ...] = (
    ("erm", "Mean", BASE["Mean"]),
    ("sam_sum", "Mean", FLAT["Mean"]),
    ("direct", "CAGrad", FLAT["CAGrad"]),
    ("decomposed", "CAGrad", FLAT["CAGrad"]),
)
RHO = 0.2
SEEDS = 3


def certifications() -> tuple[Certification, ...]:
    """Plain, SAM-sum, direct and decomposed on every data set, seed 0 of everything first."""
    return tuple(_certifications())


def _certifications() -> Iterator[Certification]:
    problems: tuple[ProblemName, ...] = ("adult", "multi_mnist", "multi_fashion", "multi_fashion_mnist")
    for seed, problem, (mode, aggregator, options) in product(range(SEEDS), problems, METHODS):
        profile, rho = PEOPLE if problem == "adult" else OVERLAYS, 0.0 if mode == "erm" else RHO
        training = profile.spec(problem, seed, mode, aggregator=aggregator, options=options, rho=rho)
        yield Certification(
            training=training, n_prior=profile.n_train // 2, posterior_epochs=3, family=SEEDS * len(METHODS)
        )


CERTIFICATE_SHELF: Shelf[Certification, Certificate] = Shelf(
    "certification", Certificate, SCHEMA_VERSION, REVISION, "certificate", "certify again"
)
