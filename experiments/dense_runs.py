"""Runs of dense prediction: every row of the paper's Tables 3 and 7 (rooms), 4 and 5 (streets). No torch here."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import TypeAlias

import msgspec

from experiments.profiles import Profile, options_of
from experiments.spec import AggregatorName, MethodName, Mode, ProblemName, Spec

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


def dense_runs(
    profile: Profile,
    problem: ProblemName,
    *,
    seeds: int,
    radii: Iterable[float],
    authors: Sequence[AggregatorName] = (),
) -> Iterator[Spec]:
    """Every row of the problem's tables, those with a radius at each of ``radii``. Seed by seed.

    The methods of ``authors`` are run flat once more as in the authors' folder for NYUv2: its aggregators, and the
    tasks' attentions counted as shared.
    """
    radii = tuple(radii)
    for seed in range(seeds):
        for mode, method in ROWS[problem]:
            for rho in (0.0,) if mode in ("erm", "stl") else radii:
                yield profile.spec(problem, seed, mode, aggregator=method, options=options_of(mode, method), rho=rho)
        for method, rho in product(authors, radii):
            own = profile.spec(problem, seed, "decomposed", aggregator=method, rho=rho)
            yield msgspec.structs.replace(own, conventions="authors_unit_rows", attention="shared")


SCENES_SMOKE = Profile(
    name="smoke",
    model="mtan_narrow",
    n_train=4,
    n_validation=2,
    n_test=2,
    epochs=2,
    batch_size=2,
    probe_batches=1,
    learning_rate=1e-4,
    schedule="halved",
    augmentation="scale_crop_flip",
)
"""Of rooms and of streets."""
SCENES_LAPTOP = replace(
    SCENES_SMOKE,
    name="laptop",
    n_train=96,
    n_validation=32,
    n_test=48,
    epochs=20,
    batch_size=4,
    probe_batches=2,
    learning_rate=1e-3,
)
NYUV2 = replace(
    SCENES_SMOKE,
    name="paper",
    model="mtan",
    n_train=700,
    n_validation=95,
    n_test=654,
    epochs=200,
    batch_size=2,
    probe_batches=8,
)
"""The paper trains on all 795 images: 95 of them are held back here for validation."""
CITYSCAPES = replace(NYUV2, n_train=2_675, n_validation=300, n_test=500, batch_size=8)
"""The paper trains on all 2,975 images: 300 of them are held back here for validation."""
