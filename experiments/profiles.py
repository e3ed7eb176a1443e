"""What the runs of one list share (sizes, pace, length by kind of data) and every method's options. No torch here."""

from dataclasses import dataclass
from typing import TypeAlias

from experiments.spec import (
    AggregatorName,
    Augmentation,
    LossWeightingName,
    MethodName,
    Mode,
    ModelName,
    ProblemName,
    ProfileName,
    Schedule,
    Spec,
    VariantMode,
)

Options: TypeAlias = tuple[tuple[str, float | str], ...]

RADII: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.2)
"""The grid from which the paper profile's radius is chosen on validation, the same for every method."""

BASE: dict[AggregatorName, Options] = {
    "Mean": (),
    "MGDA": (),
    "PCGrad": (),
    "CAGrad": (("c", 0.4),),
    "IMTLG": (),
    "NashMTL": (("scale", "paper"),),
    "FairGrad": (("alpha", 2.0), ("scale", "paper")),
}
"""Options of the plain methods: Nash-MTL and FairGrad at the scale of their own papers."""

FLAT: dict[AggregatorName, Options] = {
    **BASE,
    "NashMTL": (("scale", "norm"),),
    "FairGrad": (("alpha", 2.0), ("scale", "norm")),
}
"""Options of the flat methods: degree-1 scale where the own one does not let the flat part vanish with rho."""

OTHER_AGGREGATORS: tuple[AggregatorName, ...] = ("GradDrop", "UPGrad", "DualProj", "AlignedMTL", "ConFIG")
"""Those of the core that are in none of the paper's tables of classification; they have no options here."""

WEIGHTINGS: dict[LossWeightingName, Options] = {
    "SI": (("scale", "paper"),),
    "RLW": (),
    "DWA": (("scale", "paper"), ("temperature", 2.0)),
    "UW": (("form", "regression"), ("scale", "paper")),
}
"""Options of the loss weightings, plain and flat, at the scale of their own papers: one vector for both parts."""


VARIANTS: tuple[tuple[VariantMode, AggregatorName, Options], ...] = (
    ("gsam", "Mean", (("alpha", 0.2),)),
    ("samo", "Mean", (("alpha", 0.5), ("mu", 0.01))),
    ("samo", "CAGrad", (("alpha", 0.5), ("mu", 0.01))),
    ("every_kth", "CAGrad", (("between", "base"), ("k", 4.0))),
    ("every_kth", "CAGrad", (("between", "stale"), ("k", 4.0))),
    ("random_steps", "CAGrad", (("p", 0.25),)),
    ("late_phase", "CAGrad", (("after", 0.5),)),
    ("part_of_batch", "CAGrad", (("share", 0.25),)),
    ("shared_perturbation", "CAGrad", ()),
    ("last_layers", "CAGrad", (("reach", "last"),)),
    ("last_layers", "CAGrad", (("reach", "all"),)),
)
"""Variants with the options of `experiments.variants.build_variant`."""


def options_of(mode: Mode, method: MethodName) -> Options:
    """Those of the tables above."""
    own = BASE if mode in ("erm", "stl") else FLAT
    listed: list[tuple[MethodName, Options]] = [*own.items(), *WEIGHTINGS.items()]
    return dict(listed).get(method, ())


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What all runs of one list on one kind of data share: model, sizes of the splits, length and pace of training."""

    name: ProfileName
    model: ModelName
    n_train: int
    n_validation: int
    n_test: int
    epochs: int
    probe_batches: int = 8
    batch_size: int = 256
    learning_rate: float = 1e-3
    schedule: Schedule = "constant"
    augmentation: Augmentation = "none"

    def spec(
        self,
        problem: ProblemName,
        seed: int,
        mode: Mode,
        *,
        aggregator: MethodName = "Mean",
        options: Options = (),
        rho: float = 0.0,
    ) -> Spec:
        """One run; ``rho`` is the radius of the shared block and of each head."""
        return Spec(
            profile=self.name,
            problem=problem,
            model=self.model,
            aggregator=aggregator,
            aggregator_options=options,
            mode=mode,
            seed=seed,
            rho_shared=rho,
            rho_heads=rho,
            n_train=self.n_train,
            n_validation=self.n_validation,
            n_test=self.n_test,
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            schedule=self.schedule,
            augmentation=self.augmentation,
            probe_batches=self.probe_batches,
        )


SMOKE = Profile(name="smoke", model="lenet", n_train=3_000, n_validation=1_000, n_test=2_000, epochs=4, probe_batches=2)
LAPTOP = Profile(name="laptop", model="lenet", n_train=24_000, n_validation=12_000, n_test=20_000, epochs=15)
ADULT_SMOKE = Profile(
    name="smoke", model="mlp", n_train=3_000, n_validation=1_000, n_test=2_000, epochs=4, probe_batches=2
)
YEAST_SMOKE = Profile(
    name="smoke", model="mlp", n_train=1_200, n_validation=300, n_test=917, epochs=10, probe_batches=1
)
ADULT_LAPTOP = Profile(name="laptop", model="mlp", n_train=27_222, n_validation=6_000, n_test=12_000, epochs=15)
YEAST_LAPTOP = Profile(
    name="laptop", model="mlp", n_train=1_200, n_validation=300, n_test=917, epochs=60, probe_batches=1
)
VADER_SMOKE = Profile(
    name="smoke", model="bag_of_words", n_train=3_000, n_validation=1_000, n_test=2_000, epochs=4, probe_batches=2
)
VADER_LAPTOP = Profile(name="laptop", model="bag_of_words", n_train=16_350, n_validation=2_400, n_test=4_800, epochs=15)
FACES_SMOKE = Profile(
    name="smoke",
    model="resnet18_colour_narrow",
    n_train=32,
    n_validation=32,
    n_test=32,
    epochs=1,
    probe_batches=1,
    batch_size=16,
    learning_rate=5e-4,
)
FACES_PAPER = Profile(
    name="paper",
    model="resnet18_colour",
    n_train=162_770,
    n_validation=19_867,
    n_test=19_962,
    epochs=100,
    learning_rate=5e-4,
)
PAPER = Profile(name="paper", model="resnet18", n_train=108_000, n_validation=12_000, n_test=20_000, epochs=200)
