"""The search for learning rates and radii: its runs, what is kept of it, and the runs at its choices. No torch here.

Every method has the same number of configurations, seeds, epochs and examples: with a radius 5 learning rates x 5
radii, without one 25 learning rates over the same range. What a step costs is the method's own, so that backward
passes differ: they are counted. The choices are tried on seeds that the search has not seen, at its length.
"""

import statistics
from itertools import product
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from experiments.profiles import FLAT, OTHER_AGGREGATORS, RADII, VARIANTS, WEIGHTINGS, Options, Profile, options_of
from experiments.results import STORE, StoreError, refuse_non_finite, write_atomically
from experiments.spec import AggregatorName, MethodName, Mode, Spec, method_label

SearchName: TypeAlias = Literal["adult"]
SEARCHES: tuple[SearchName, ...] = get_args(SearchName)
SEARCH_RUNS = STORE.parents[1] / "build" / "search"
"""Where the runs of a search are: thousands, so the repository keeps what they say (`Search`) and not the runs."""
SCHEMA_VERSION = 2
SEED_COUNT = 2
CONFIGURATIONS = 25
NEW_SEEDS = tuple(range(SEED_COUNT, SEED_COUNT + 5))
"""Of the runs at the choices."""

ADULT_SEARCH = Profile(
    name="laptop", model="mlp", n_train=12_000, n_validation=3_000, n_test=2_000, epochs=4, probe_batches=1
)
ADULT_SEARCHED = Profile(
    name="laptop", model="mlp", n_train=12_000, n_validation=3_000, n_test=12_000, epochs=4, probe_batches=1
)

Searched: TypeAlias = tuple[Mode, MethodName, Options]
"""A method: mode, aggregator or weighting of the losses, options of the mode."""
_EVERY: tuple[AggregatorName, ...] = (*FLAT, *OTHER_AGGREGATORS)
_OTHER_MODES: tuple[Mode, ...] = ("second", "each")
_EXAMPLES: tuple[AggregatorName, ...] = ("MGDA", "CAGrad", "IMTLG")
METHODS: tuple[Searched, ...] = (
    ("stl", "Mean", ()),
    *(("erm", name, ()) for name in (*_EVERY, *WEIGHTINGS)),
    ("sam_stl", "Mean", ()),
    ("sam_sum", "Mean", ()),
    *(("decomposed", name, ()) for name in (*_EVERY, *WEIGHTINGS)),
    *(("direct", name, ()) for name in _EVERY if name != "Mean"),
    *((mode, name, ()) for mode, name in product(_OTHER_MODES, _EXAMPLES)),
    *VARIANTS,
)
"""What is searched: every method of the smoke list on Adult, in the default ball. By linearity the mean's ``direct`` is
its ``decomposed``."""


class Configuration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One point of the grid; ``validation`` is the value of each seed's run in [0, 1], in the order of the seeds."""

    learning_rate: float
    rho: float
    validation: tuple[float, ...]

    @property
    def value(self) -> float:
        """Mean over the seeds."""
        return statistics.fmean(self.validation)


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All configurations of one method, in the order of the grid, and what the search of it took.

    ``method``: its name (`searched_label`). ``steps``, ``gradient_evaluations`` and ``cpu_seconds`` are those of all
    its runs.
    """

    method: str
    mode: Mode
    aggregator: MethodName
    mode_options: Options
    configurations: tuple[Configuration, ...]
    runs: int
    steps: int
    gradient_evaluations: int
    cpu_seconds: float

    @property
    def ranked(self) -> tuple[Configuration, ...]:
        """Best first; of equals the lower rate, then the lower radius, is the better."""
        return tuple(sorted(self.configurations, key=lambda one: (-one.value, one.learning_rate, one.rho)))

    @property
    def chosen(self) -> Configuration:
        """The best mean over the seeds."""
        return self.ranked[0]

    @property
    def edge(self) -> tuple[str, ...]:
        """What of the choice stands at an end of its grid: there the optimum may lie outside."""
        found = []
        for name, field in (("learning rate", "learning_rate"), ("radius", "rho")):
            grid = {getattr(one, field) for one in self.configurations}
            if len(grid) > 1 and getattr(self.chosen, field) in (min(grid), max(grid)):
                found.append(name)
        return tuple(found)


class Search(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All choices of one search, by the seeds whose runs are all there, for every method: none, no choice.

    ``missing``: runs that are lacking, by method. ``computed``: runs by commit, torch and machine.
    """

    schema_version: int
    name: SearchName
    seeds: tuple[int, ...]
    choices: tuple[Choice, ...]
    missing: dict[str, int]
    computed: dict[str, int]


def learning_rates(count: int) -> tuple[float, ...]:
    """So many rates from 3e-4 to 3e-2, each the same multiple of the last, to three digits."""
    return tuple(float(f"{3e-4 * 100 ** (index / (count - 1)):.3g}") for index in range(count))


def search_grid(mode: Mode) -> tuple[tuple[float, float], ...]:
    """(learning rate, radius): 25 pairs for every method; 5 x 5 with a radius, 25 rates without one."""
    if mode in ("erm", "stl"):
        return tuple((rate, 0.0) for rate in learning_rates(CONFIGURATIONS))
    return tuple(product(learning_rates(CONFIGURATIONS // len(RADII)), RADII))


def searched_label(spec: Spec) -> str:
    """The method's name, with the options of its mode."""
    options = ", ".join(f"{name} {value}" for name, value in spec.mode_options)
    return method_label(spec) + (f" ({options})" if options else "")


def _run(profile: Profile, name: SearchName, method: Searched, seed: int, point: tuple[float, float]) -> Spec:
    mode, aggregator, mode_options = method
    rate, rho = point
    options = options_of(mode, aggregator)
    made = profile.spec(name, seed, mode, aggregator=aggregator, options=options, rho=rho)
    return msgspec.structs.replace(made, learning_rate=rate, mode_options=mode_options)


def search_specs(name: SearchName) -> tuple[Spec, ...]:
    """The runs of one search, seed by seed, method by method."""
    profile = {"adult": ADULT_SEARCH}[name]
    return tuple(
        _run(profile, name, method, seed, point)
        for seed, method in product(range(SEED_COUNT), METHODS)
        for point in search_grid(method[0])
    )


def searched_specs(found: Search) -> tuple[Spec, ...]:
    """Every method at its choice, seed by seed, on seeds that the search has not seen."""
    profile = {"adult": ADULT_SEARCHED}[found.name]
    return tuple(
        _run(
            profile,
            found.name,
            (one.mode, one.aggregator, one.mode_options),
            seed,
            (one.chosen.learning_rate, one.chosen.rho),
        )
        for seed, one in product(NEW_SEEDS, found.choices)
    )


def search_path(store: Path, name: SearchName) -> Path:
    """Where a search is kept."""
    return store / "searches" / f"{name}.json"


def save_search(store: Path, found: Search) -> Path:
    """Keep a search."""
    path = search_path(store, found.name)
    refuse_non_finite(msgspec.to_builtins(found), "search")
    write_atomically(path, msgspec.json.format(msgspec.json.encode(found), indent=0) + b"\n")
    return path


def read_search(path: Path) -> Search:
    """Read a search strictly.

    Raises:
        StoreError: it is none, or of another version.
    """
    remedy = f"Remove the file and run python -m experiments search {path.stem} --keep."
    try:
        raw: Any = msgspec.json.decode(path.read_bytes())
        version = raw.get("schema_version") if isinstance(raw, dict) else None
        if version != SCHEMA_VERSION:
            raise StoreError(f"{path}: schema version {version}, expected {SCHEMA_VERSION}. {remedy}")
        return msgspec.convert(raw, Search)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: not a search ({error}). {remedy}") from error
