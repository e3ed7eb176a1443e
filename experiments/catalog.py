"""Named lists of runs. No torch here: reports read the catalog to know what should be in the store."""

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from experiments import dense_runs as dense
from experiments.profiles import (
    ADULT_LAPTOP,
    ADULT_SMOKE,
    BASE,
    FACES_PAPER,
    FACES_SMOKE,
    FLAT,
    LAPTOP,
    OTHER_AGGREGATORS,
    PAPER,
    RADII,
    SMOKE,
    VADER_LAPTOP,
    VADER_SMOKE,
    VARIANTS,
    WEIGHTINGS,
    YEAST_LAPTOP,
    YEAST_SMOKE,
    Options,
    Profile,
    options_of,
)
from experiments.results import STORE
from experiments.searches import SEARCHES, read_search, search_path, search_specs, searched_specs
from experiments.spec import AggregatorName, MethodName, Mode, ProblemName, ProfileName, Spec

OVERLAYS: tuple[ProblemName, ...] = ("multi_mnist", "multi_fashion", "multi_fashion_mnist")
"""The problems of the paper's Table 1."""
SCENES: tuple[ProblemName, ...] = ("rooms", "streets")
"""What is rendered in place of the problems of Tables 3 to 5 and 7."""
NAMES: tuple[ProfileName, ...] = get_args(ProfileName)
ListName: TypeAlias = ProfileName | Literal["search", "searched"]
"""Lists of runs: one a profile, the search for learning rates and radii, and the runs at what it chose."""
LISTS: tuple[ListName, ...] = (*NAMES, "search", "searched")

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

AUTHORS_RADIUS = 2.0
"""Of the authors' Multi-MNIST runs, whose ball is joint and adaptive."""


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
    yield from dense.dense_runs(dense.SCENES_SMOKE, "rooms", seeds=1, radii=(0.05,), authors=("MGDA",))
    yield from dense.dense_runs(dense.SCENES_SMOKE, "streets", seeds=1, radii=(0.05,))


def _every_setting(profile: Profile, problem: ProblemName, *, rho: float) -> Iterator[Spec]:
    """What `_every_method` leaves out, once each: other modes, other balls, the authors' conventions, the variants."""

    def spec(mode: Mode, aggregator: AggregatorName, radius: float = rho, **changes: Any) -> Spec:
        options = () if "conventions" in changes else options_of(mode, aggregator)
        made = profile.spec(problem, 0, mode, aggregator=aggregator, options=options, rho=radius)
        return msgspec.structs.replace(made, **changes)

    for aggregator in OTHER_AGGREGATORS:
        yield spec("erm", aggregator, 0.0)
        yield spec("decomposed", aggregator)
    for mode, aggregator in product(OTHER_MODES, (*tuple(FLAT)[1:], *OTHER_AGGREGATORS)):
        if aggregator != "GradDrop" or mode == "direct":  # it has no weight a task to aggregate the two parts by
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
    for problem in SCENES:
        yield from dense.dense_runs(dense.SCENES_LAPTOP, problem, seeds=3, radii=dense.FIRST_DENSE_RADII)


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


def _search() -> Iterator[Spec]:
    for name in SEARCHES:
        yield from search_specs(name)


def _searched() -> Iterator[Spec]:
    """Of the searches whose choices are kept."""
    for name in SEARCHES:
        if search_path(STORE, name).exists():
            yield from searched_specs(read_search(search_path(STORE, name)))


def _paper() -> Iterator[Spec]:
    yield from _every_method(PAPER, OVERLAYS, seeds=3, radii=RADII)
    yield from _table_2(FACES_PAPER, "celeba", seeds=3, radii=RADII)
    yield from dense.dense_runs(dense.NYUV2, "nyuv2", seeds=3, radii=dense.DENSE_RADII, authors=dense.FLATTENED)
    yield from dense.dense_runs(dense.CITYSCAPES, "cityscapes", seeds=3, radii=dense.DENSE_RADII)


_LISTS: dict[ListName, Callable[[], Iterator[Spec]]] = {
    "smoke": _smoke,
    "laptop": _laptop,
    "paper": _paper,
    "search": _search,
    "searched": _searched,
}


def specs(name: ListName) -> tuple[Spec, ...]:
    """The runs of one list, in the order in which they are best run (seed 0 of everything first)."""
    if name not in _LISTS:
        raise ValueError(f"no list of runs is named {name!r}: choose one of {', '.join(LISTS)}.")
    return tuple(_LISTS[name]())
