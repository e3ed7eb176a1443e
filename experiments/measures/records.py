"""What is measured of a trained network, and what it leaves: one strict JSON file a run. No torch here."""

from itertools import product
from typing import Any

import msgspec

from experiments.profiles import BASE, FLAT, LAPTOP, SMOKE, Options, Profile
from experiments.results import STORE, Provenance, Shelf
from experiments.spec import AggregatorName, Mode, ProblemName, Spec
from experiments.statistics import Paired

SCHEMA_VERSION = 1
REVISION = 1
"""Raise it when a change alters what is measured: stored measures then count as missing."""

STORED = STORE / "measures"
COMMAND = "python -m experiments.measures"


class Measuring(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which network is measured, and how. Sharpness, curvature and landscape: on the first examples of the training
    split; weight noise and the held-out trace: of the test split; calibration and the Gaussian premise: on all of it.

    Args:
        training: the run; its last weights are measured.
        radii: of trunk and of head, for sharpness and premise.
        foreign: the problem whose test split stands for inputs out of the domain, as many as the test split has.
        steps, restarts: of each ascent. probes: of each trace. lanczos: steps at most.
        gammas, directions: lengths and number of the unit directions.
        premise_piece: examples that share one draw; divides ``n_test``.
        line, plane: points of the landscape's axes, over [-1, 1]; odd.
    """

    training: Spec
    radii: tuple[float, ...] = (0.05, 0.2)
    foreign: ProblemName = "multi_mnist"
    sharpness_examples: int = 2_000
    steps: int = 6
    restarts: int = 1
    curvature_examples: int = 1_500
    probes: int = 10
    lanczos: int = 12
    noise_examples: int = 5_000
    gammas: tuple[float, ...] = (0.5, 1.0, 2.0)
    directions: int = 10
    premise_piece: int = 250
    landscape_examples: int = 1_000
    line: int = 21
    plane: int = 9


class Bin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Examples whose largest probability lies in (low, high]; means are None where there are none."""

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


class Entropies(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Predictive entropy (nats) over a split: ``counts`` of equal-width bins over [0, limit], limit = log classes.

    ``underflows``: zeros among the float32 soft-max values; ``naive_nan``: examples with one, whose entropy by
    -sum p log p would be NaN.
    """

    mean: float
    least: float
    greatest: float
    limit: float
    counts: tuple[int, ...]
    underflows: int
    naive_nan: int


class Calibration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One task over a whole split: shares in [0, 1], Brier score in [0, 2], loss in nats."""

    accuracy: float
    loss: float
    ece: float
    brier: float
    bins: tuple[Bin, ...]
    entropy: Entropies


class Sharpness(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One task: loss at the weights, after SAM's step, at the worst point found (a LOWER bound of the maximum), and at
    the point of the perturbation of the trunk that is common to all tasks."""

    loss: float
    sam: float
    worst: float
    at_common: float


class BallSharpness(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At one radius. Means over tasks: ``common`` with one eps_sh for all of them, ``own`` with one a task."""

    rho: float
    tasks: tuple[Sharpness, ...]
    common: float
    own: float


class Trace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hutchinson's estimate of the trace, whole and by block (trunk, own head), with standard errors."""

    probes: int
    mean: float
    standard_error: float
    blocks: tuple[float, ...]
    block_errors: tuple[float, ...]


class Eigenvalue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The largest Ritz value: a lower bound of the largest eigenvalue; some one lies within ``residual`` of it."""

    value: float
    residual: float
    products: int


class Curvature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one task's loss in trunk and own head; ``held_out``: the trace on test examples."""

    trace: Trace
    top: Eigenvalue
    held_out: Trace


class NoiseLevel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Mean and sample standard deviation over random unit directions of length gamma, per task."""

    gamma: float
    accuracy: tuple[float, ...]
    accuracy_deviation: tuple[float, ...]
    loss: tuple[float, ...]
    loss_deviation: tuple[float, ...]


class Premise(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One task at one radius: ``loss`` is L(w), ``rise`` is E L(w + sigma eps) - L(w) with its paired interval.

    ``sigmas``: of trunk and own head; ``second_order``: sum_b (sigma_b^2 / 2) tr H_bb from the held-out trace.
    """

    rho: float
    sigmas: tuple[float, ...]
    loss: float
    standard_error: float
    rise: Paired
    second_order: float
    second_order_error: float


class Landscape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Losses per task, one row a point; with two directions the second coordinate is the faster."""

    coordinates: tuple[float, ...]
    directions: int
    losses: tuple[tuple[float, ...], ...]


class Measures(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that one network showed. Tuples run over tasks; ``premises``: radius by radius, then over tasks.

    ``cpu_seconds``: of the process, per measure, without the training.
    """

    schema_version: int
    key: str
    measuring: Measuring
    provenance: Provenance
    calibration: tuple[Calibration, ...]
    foreign_entropy: tuple[Entropies, ...]
    sharpness: tuple[BallSharpness, ...]
    curvature: tuple[Curvature, ...]
    noise: tuple[NoiseLevel, ...]
    premises: tuple[tuple[Premise, ...], ...]
    line: Landscape
    plane: Landscape
    cpu_seconds: dict[str, float]

    @property
    def summary(self) -> str:
        return f"measured in {sum(self.cpu_seconds.values()):.0f} CPU s"


METHODS: tuple[tuple[Mode, AggregatorName, Options], ...] = (
    ("erm", "Mean", BASE["Mean"]),
    ("sam_sum", "Mean", FLAT["Mean"]),
    ("decomposed", "Mean", FLAT["Mean"]),
    ("direct", "CAGrad", FLAT["CAGrad"]),
    ("decomposed", "CAGrad", FLAT["CAGrad"]),
    ("erm", "MGDA", BASE["MGDA"]),
    ("decomposed", "MGDA", FLAT["MGDA"]),
)
PROFILES: dict[str, tuple[Profile, int, dict[str, Any]]] = {
    "smoke": (SMOKE, 1, {"sharpness_examples": 1_000, "curvature_examples": 1_000, "noise_examples": 2_000}),
    "laptop": (LAPTOP, 3, {}),
}
RHO = 0.2
"""At which the sharpness-aware methods are trained."""


def measurings(profile: str) -> tuple[Measuring, ...]:
    """LS, SAM-sum, F-LS, direct CAGrad, F-CAGrad, MGDA and F-MGDA on MultiFashion, seed 0 first."""
    sizes, seeds, changes = PROFILES[profile]

    def training(seed: int, mode: Mode, aggregator: AggregatorName, options: Options) -> Spec:
        rho = 0.0 if mode == "erm" else RHO
        return sizes.spec("multi_fashion", seed, mode, aggregator=aggregator, options=options, rho=rho)

    return tuple(
        Measuring(training=training(seed, *method), **changes) for seed, method in product(range(seeds), METHODS)
    )


MEASURES_SHELF: Shelf[Measuring, Measures] = Shelf(
    "measuring", Measures, SCHEMA_VERSION, REVISION, "set of measures", "measure again"
)
