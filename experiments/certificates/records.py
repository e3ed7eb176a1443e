"""What a certificate says, and all that it rests on: one strict JSON file each. No torch here."""

import math
from collections.abc import Iterator
from itertools import product
from typing import Literal, TypeAlias

import msgspec

from experiments.profiles import BASE, FLAT, Options, Profile
from experiments.results import STORE, Provenance, Shelf
from experiments.spec import CLASSES, AggregatorName, Mode, ProblemName, Spec

SCHEMA_VERSION = 1
REVISION = 2
"""Raise it when a change alters what is certified: stored certificates then count as missing."""

STORED = STORE / "certificates"
COMMAND = "python -m experiments.certificates"
MAIN_BOUND = "Seeger-Maurer"
"""By which posteriors are chosen."""

BOUNDED_STORED = STORE / "bounded_losses"
BOUNDED_COMMAND = "python -m experiments.certificates --kind losses"

LossName: TypeAlias = Literal["zero_one", "clipped_cross_entropy", "clipped_depth", "angle"]
"""Those of `experiments.bounded_losses`."""
TaskLoss: TypeAlias = tuple[LossName, float]
"""A loss, and what it is clipped at and divided by: nats, metres; 1 for 0-1, pi for the angle."""


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
        losses: one a task; 0-1 for all of them where none is given.
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
    losses: tuple[TaskLoss, ...] = ()


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
        test_risk: of the same posterior on the test split, by draws; ``centre_test_error``: of the centre's network;
            all by the task's loss, in [0, 1].
    """

    kl: float
    draws: int
    risk: float
    risk_upper: float
    bounds: dict[str, float]
    test_risk: float
    centre_test_error: float


class Certificate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that one certification found.

    Args:
        n_bound: independent examples of the bound: of maps, images.
        search: all pairs that were tried.
        blank: of maps, how many images of the bound have no valid pixel, by task; their loss counts as 0.
    """

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
    blank: tuple[int, ...] = ()

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


ROOMS = Profile(
    name="laptop",
    model="segnet_narrow",
    n_train=1_200,
    n_validation=16,
    n_test=200,
    epochs=6,
    batch_size=8,
    probe_batches=1,
)
ROOM_SIZE = (32, 64)
"""Rows and columns of the rooms that are certified: a certificate counts images, and small ones are cheap. Raise
`REVISION` with it."""
ROOM_PRIOR, ROOM_RHO = 400, 0.05
CLIPPED: TaskLoss = ("clipped_cross_entropy", 2.0)
ROOM_LOSSES: tuple[TaskLoss, ...] = (("zero_one", 1.0), ("clipped_depth", 2.0), ("angle", math.pi))
"""Segmentation by the share of wrong pixels, depth clipped at 2 metres, normals by the angle."""


def bounded_certifications() -> tuple[Certification, ...]:
    """The same methods by other losses than 0-1: people by clipped cross entropy, rendered rooms; seed 0 first."""
    return tuple(_bounded_certifications())


def _bounded_certifications() -> Iterator[Certification]:
    family = SEEDS * len(METHODS)
    for seed, (mode, aggregator, options) in product(range(SEEDS), METHODS):
        rho = 0.0 if mode == "erm" else ROOM_RHO
        training = ROOMS.spec("rooms", seed, mode, aggregator=aggregator, options=options, rho=rho)
        yield Certification(
            training=training,
            n_prior=ROOM_PRIOR,
            posterior_epochs=1,
            scales=(0.01, 0.03, 0.1),
            mixtures=(0.0, 0.1),
            draw_batch=8,
            family=family,
            losses=ROOM_LOSSES,
        )
        of_people = next(one for one in _certifications() if _same(one.training, seed, mode))
        yield msgspec.structs.replace(of_people, losses=(CLIPPED,) * len(CLASSES["adult"]))


def _same(training: Spec, seed: int, mode: Mode) -> bool:
    return (training.problem, training.seed, training.mode) == ("adult", seed, mode)


CERTIFICATE_SHELF: Shelf[Certification, Certificate] = Shelf(
    "certification",
    Certificate,
    SCHEMA_VERSION,
    REVISION,
    "certificate",
    "certify again",
    later=(("losses", ()),),
)
