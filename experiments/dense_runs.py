"""Runs of dense prediction: every row of the paper's Tables 3 and 7 (rooms), 4 and 5 (streets). No torch here."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from experiments.spec import AggregatorName, MethodName, Mode, ModelName, ProblemName, ProfileName, Spec

Options: TypeAlias = tuple[tuple[str, float | str], ...]
Row: TypeAlias = tuple[Mode, MethodName]

FLATTENED: tuple[AggregatorName, ...] = ("MGDA", "PCGrad", "CAGrad", "IMTLG")
"""What the tables show plain and flat."""

_PLAIN: tuple[MethodName, ...] = ("Mean", "SI", "RLW", "DWA", "UW", "GradDrop", "NashMTL", *FLATTENED)

_TABLES_3_AND_4: tuple[Row, ...] = (
    ("stl", "Mean"),
    *(("erm", name) for name in _PLAIN),
    *(("decomposed", name) for name in FLATTENED),
)
ROOM_ROWS: tuple[Row, ...] = (*_TABLES_3_AND_4, ("sam_stl", "Mean"), ("decomposed", "Mean"))
"""Tables 3 and 7: mode and method of each row."""
STREET_ROWS: tuple[Row, ...] = (*_TABLES_3_AND_4, ("direct", "MGDA"))
"""Tables 4 and 5."""
ROWS: dict[ProblemName, tuple[Row, ...]] = {
    "rooms": ROOM_ROWS,
    "nyuv2": ROOM_ROWS,
    "streets": STREET_ROWS,
    "cityscapes": STREET_ROWS,
}

DENSE_RADII = (0.0005, 0.002, 0.01, 0.05, 0.2)
"""The grid from which a radius is chosen on validation: it reaches down to those of the authors' CityScapes runs."""
FIRST_DENSE_RADII = (0.002, 0.05)


@dataclass(frozen=True, kw_only=True)
class DenseProfile:
    """What all runs of one list on one dense problem share: Adam, its rate halved at half of the epochs."""

    name: ProfileName
    problem: ProblemName
    model: ModelName
    n_train: int
    n_validation: int
    n_test: int
    epochs: int
    batch_size: int
    probe_batches: int
    learning_rate: float = 1e-4

    def spec(self, row: Row, options: Options, *, seed: int, rho: float) -> Spec:
        """One run; ``rho`` is the radius of the shared block and of each head."""
        mode, method = row
        return Spec(
            profile=self.name,
            problem=self.problem,
            model=self.model,
            aggregator=method,
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
            schedule="halved",
            augmentation="scale_crop_flip",
            probe_batches=self.probe_batches,
        )


def dense_runs(
    profile: DenseProfile, options: Callable[[Mode, MethodName], Options], *, seeds: int, radii: Iterable[float]
) -> Iterator[Spec]:
    """Every row of the problem's tables, those with a radius at each of ``radii``. Seed by seed.

    Args:
        options: of a mode's aggregator or loss weighting.
    """
    radii = tuple(radii)
    for seed in range(seeds):
        for row in ROWS[profile.problem]:
            for rho in (0.0,) if row[0] in ("erm", "stl") else radii:
                yield profile.spec(row, options(*row), seed=seed, rho=rho)


ROOMS_SMOKE = DenseProfile(
    name="smoke",
    problem="rooms",
    model="mtan_narrow",
    n_train=4,
    n_validation=2,
    n_test=2,
    epochs=2,
    batch_size=2,
    probe_batches=1,
)
STREETS_SMOKE = replace(ROOMS_SMOKE, problem="streets")
ROOMS_LAPTOP = DenseProfile(
    name="laptop",
    problem="rooms",
    model="mtan_narrow",
    n_train=96,
    n_validation=32,
    n_test=48,
    epochs=20,
    batch_size=4,
    probe_batches=2,
    learning_rate=1e-3,
)
STREETS_LAPTOP = replace(ROOMS_LAPTOP, problem="streets")
NYUV2 = DenseProfile(
    name="paper",
    problem="nyuv2",
    model="mtan",
    n_train=700,
    n_validation=95,
    n_test=654,
    epochs=200,
    batch_size=2,
    probe_batches=8,
)
"""The paper trains on all 795 images: 95 of them are held back here for validation."""
CITYSCAPES = DenseProfile(
    name="paper",
    problem="cityscapes",
    model="mtan",
    n_train=2_675,
    n_validation=300,
    n_test=500,
    epochs=200,
    batch_size=8,
    probe_batches=8,
)
"""The paper trains on all 2,975 images: 300 of them are held back here for validation."""
