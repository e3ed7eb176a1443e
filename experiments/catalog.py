"""Named lists of runs. No torch here: reports read the catalog to know what should be in the store."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from experiments import dense_runs as dense
from experiments.spec import (
    AggregatorName,
    LossWeightingName,
    MethodName,
    Mode,
    ModelName,
    ProblemName,
    ProfileName,
    Spec,
    VariantMode,
)

Options = tuple[tuple[str, float | str], ...]

OVERLAYS: tuple[ProblemName, ...] = ("multi_mnist", "multi_fashion", "multi_fashion_mnist")
"""The problems of the paper's Table 1."""
NAMES: tuple[ProfileName, ...] = get_args(ProfileName)
ListName: TypeAlias = ProfileName | Literal["search"]
"""Lists of runs: one a profile, which the report shows, and the search for learning rates and radii."""
LISTS: tuple[ListName, ...] = (*NAMES, "search")
SearchName: TypeAlias = Literal["adult"]
RADII: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.2)
"""The grid from which the paper profile's radius is chosen on validation, the same for every method."""

LAPTOP_CORE_HOURS = 40
"""What the laptop list may cost: `experiments.costs` says what it does."""
FIRST_RADII = (0.05, 0.2)
FEWER_RADII = (0.01, *FIRST_RADII)
"""Of the overlay problems after the first in the laptop list: the whole grid for all three would exceed its budget."""
LAPTOP_PROBLEMS: tuple[ProblemName, ...] = ("multi_fashion", "multi_fashion_mnist", "multi_mnist")
LAPTOP_AGGREGATORS: tuple[AggregatorName, ...] = ("Mean", "MGDA", "CAGrad", "IMTLG")
TABLE_2_AGGREGATORS: tuple[AggregatorName, ...] = ("MGDA", "PCGrad", "CAGrad", "IMTLG")
FLAT_MODES: tuple[Mode, ...] = ("decomposed", "direct")
OTHER_MODES: tuple[Mode, ...] = ("direct", "second", "each")
AUTHORS: tuple[AggregatorName, ...] = ("Mean", "MGDA", "PCGrad", "CAGrad", "IMTLG")
"""The methods of `experiments.presets.authors`."""

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


def _options(mode: Mode, method: MethodName) -> Options:
    """Those of the tables above."""
    own = BASE if mode in ("erm", "stl") else FLAT
    listed: list[tuple[MethodName, Options]] = [*own.items(), *WEIGHTINGS.items()]
    return dict(listed).get(method, ())


AUTHORS_RADIUS = 2.0
"""Of the authors' Multi-MNIST runs, whose ball is joint and adaptive."""


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


def _every_method(
    profile: Profile, problems: Iterable[ProblemName], seeds: int, radii: Iterable[float]
) -> Iterator[Spec]:
    """STL, aggregators, loss weightings; then F-STL, SAM-sum and the F-methods at each radius. Seed by seed."""
    radii = tuple(radii)
    problems = tuple(problems)
    plain: list[tuple[MethodName, Options]] = [*BASE.items(), *WEIGHTINGS.items()]
    flat: list[tuple[MethodName, Options]] = [*FLAT.items(), *WEIGHTINGS.items()]
    for seed in range(seeds):
        for problem in problems:
            yield profile.spec(problem, seed, "stl")
            for aggregator, options in plain:
                yield profile.spec(problem, seed, "erm", aggregator=aggregator, options=options)
            for rho in radii:
                yield profile.spec(problem, seed, "sam_stl", rho=rho)
                yield profile.spec(problem, seed, "sam_sum", rho=rho)
                for aggregator, options in flat:
                    yield profile.spec(problem, seed, "decomposed", aggregator=aggregator, options=options, rho=rho)


def _table_2(profile: Profile, problem: ProblemName, seeds: int, radii: Iterable[float]) -> Iterator[Spec]:
    """The methods of the paper's Table 2: STL, LS, UW, and each of four aggregators, plain and flat."""
    radii = tuple(radii)
    for seed in range(seeds):
        yield profile.spec(problem, seed, "stl")
        yield profile.spec(problem, seed, "erm")
        yield profile.spec(problem, seed, "erm", aggregator="UW", options=WEIGHTINGS["UW"])
        for aggregator in TABLE_2_AGGREGATORS:
            yield profile.spec(problem, seed, "erm", aggregator=aggregator, options=BASE[aggregator])
            for rho in radii:
                yield profile.spec(
                    problem, seed, "decomposed", aggregator=aggregator, options=FLAT[aggregator], rho=rho
                )


def _smoke() -> Iterator[Spec]:
    yield from _every_method(SMOKE, OVERLAYS, seeds=2, radii=(0.05,))
    yield from _every_setting(ADULT_SMOKE, "adult", rho=0.05)
    yield from _every_method(ADULT_SMOKE, ("adult",), seeds=2, radii=(0.05,))
    yield from _every_method(YEAST_SMOKE, ("yeast",), seeds=2, radii=(0.05,))
    yield from _every_method(VADER_SMOKE, ("vader",), seeds=2, radii=(0.05,))
    yield from _table_2(FACES_SMOKE, "drawn_faces", seeds=1, radii=(0.05,))
    for dense_profile in (dense.ROOMS_SMOKE, dense.STREETS_SMOKE):
        yield from dense.dense_runs(dense_profile, _options, seeds=1, radii=(0.05,))


def _every_setting(profile: Profile, problem: ProblemName, *, rho: float) -> Iterator[Spec]:
    """What `_every_method` leaves out, once each: other modes, other balls, the authors' conventions, the variants."""

    def spec(mode: Mode, aggregator: AggregatorName, radius: float = rho, **changes: Any) -> Spec:
        options = () if "conventions" in changes else FLAT[aggregator]
        made = profile.spec(problem, 0, mode, aggregator=aggregator, options=options, rho=radius)
        return msgspec.structs.replace(made, **changes)

    for mode, aggregator in product(OTHER_MODES, LAPTOP_AGGREGATORS[1:]):
        yield spec(mode, aggregator)
    yield spec("decomposed", "CAGrad", norm="joint")
    yield spec("decomposed", "CAGrad", 0.5, adaptive=True)
    for aggregator in AUTHORS:
        yield spec("decomposed", aggregator, AUTHORS_RADIUS, conventions="authors", norm="joint", adaptive=True)
    yield spec("decomposed", "MGDA", conventions="authors_times_tasks")
    yield spec("decomposed", "MGDA", conventions="authors_unit_rows")
    for variant, aggregator, options in VARIANTS:
        yield spec(variant, aggregator, mode_options=options)


def _laptop() -> Iterator[Spec]:
    """Plain, SAM-sum, direct and decomposed in one setting, at every radius of the grid: what is it that helps?

    Adult is run seed by seed; every other problem is complete at the radii of ``FIRST_RADII`` before the rest of its
    grid (``FEWER_RADII`` for the last two overlay problems), then comes the next.
    """
    yield from _one_setting(ADULT_LAPTOP, "adult", 5, RADII, plain=True)
    profiles: dict[ProblemName, Profile] = {
        "yeast": YEAST_LAPTOP,
        "vader": VADER_LAPTOP,
        **dict.fromkeys(LAPTOP_PROBLEMS, LAPTOP),
    }
    for problem, profile in profiles.items():
        grid = FEWER_RADII if problem in LAPTOP_PROBLEMS[1:] else RADII
        rest = tuple(rho for rho in grid if rho not in FIRST_RADII)
        yield from _one_setting(profile, problem, 3, FIRST_RADII, plain=True)
        yield from _one_setting(profile, problem, 3, rest, plain=False)
    for dense_profile in (dense.ROOMS_LAPTOP, dense.STREETS_LAPTOP):
        yield from dense.dense_runs(dense_profile, _options, seeds=3, radii=dense.FIRST_DENSE_RADII)


def _one_setting(
    profile: Profile, problem: ProblemName, seeds: int, radii: Iterable[float], *, plain: bool
) -> Iterator[Spec]:
    for seed in range(seeds):
        if plain:
            for aggregator in LAPTOP_AGGREGATORS:
                yield profile.spec(problem, seed, "erm", aggregator=aggregator, options=BASE[aggregator])
        for rho in radii:
            yield profile.spec(problem, seed, "sam_sum", rho=rho)
            for aggregator, mode in product(LAPTOP_AGGREGATORS, FLAT_MODES):
                if (aggregator, mode) != ("Mean", "direct"):  # by linearity the decomposed one
                    yield profile.spec(problem, seed, mode, aggregator=aggregator, options=FLAT[aggregator], rho=rho)


SEARCH_METHODS: tuple[tuple[Mode, AggregatorName, Options], ...] = (
    ("erm", "Mean", ()),
    ("erm", "MGDA", ()),
    ("erm", "CAGrad", ()),
    ("sam_sum", "Mean", ()),
    ("gsam", "Mean", (("alpha", 0.2),)),
    ("decomposed", "Mean", ()),
    ("decomposed", "MGDA", ()),
    ("decomposed", "CAGrad", ()),
    ("direct", "CAGrad", ()),
)
"""What is searched: mode, aggregator, options of the mode."""
SEARCH_SEEDS = 2
SEARCH_CONFIGURATIONS = 25
ADULT_SEARCH = Profile(
    name="laptop", model="mlp", n_train=12_000, n_validation=3_000, n_test=2_000, epochs=4, probe_batches=1
)


def learning_rates(count: int) -> tuple[float, ...]:
    """So many rates from 3e-4 to 3e-2, each the same multiple of the last, to three digits."""
    return tuple(float(f"{3e-4 * 100 ** (index / (count - 1)):.3g}") for index in range(count))


def search_grid(mode: Mode) -> tuple[tuple[float, float], ...]:
    """(learning rate, radius): 25 pairs for every method; 5 x 5 with a radius, 25 rates without one."""
    if mode in ("erm", "stl"):
        return tuple((rate, 0.0) for rate in learning_rates(SEARCH_CONFIGURATIONS))
    return tuple(product(learning_rates(SEARCH_CONFIGURATIONS // len(RADII)), RADII))


def search_specs(name: SearchName) -> tuple[Spec, ...]:
    """The runs of one search, seed by seed, method by method."""
    profile = {"adult": ADULT_SEARCH}[name]
    found = []
    for seed, (mode, aggregator, mode_options) in product(range(SEARCH_SEEDS), SEARCH_METHODS):
        options = (BASE if mode == "erm" else FLAT)[aggregator]
        for rate, rho in search_grid(mode):
            made = profile.spec(name, seed, mode, aggregator=aggregator, options=options, rho=rho)
            found.append(msgspec.structs.replace(made, learning_rate=rate, mode_options=mode_options))
    return tuple(found)


def _search() -> Iterator[Spec]:
    for name in get_args(SearchName):
        yield from search_specs(name)


def _paper() -> Iterator[Spec]:
    yield from _every_method(PAPER, OVERLAYS, seeds=3, radii=RADII)
    yield from _table_2(FACES_PAPER, "celeba", seeds=3, radii=RADII)
    for dense_profile in (dense.NYUV2, dense.CITYSCAPES):
        yield from dense.dense_runs(dense_profile, _options, seeds=3, radii=dense.DENSE_RADII)


_LISTS: dict[ListName, Callable[[], Iterator[Spec]]] = {
    "smoke": _smoke,
    "laptop": _laptop,
    "paper": _paper,
    "search": _search,
}


def specs(name: ListName) -> tuple[Spec, ...]:
    """The runs of one list, in the order in which they are best run (seed 0 of everything first)."""
    if name not in _LISTS:
        raise ValueError(f"no list of runs is named {name!r}: choose one of {', '.join(LISTS)}.")
    return tuple(_LISTS[name]())
