"""What a list of runs costs in core-hours, before it is run: from shortened runs of every kind. No torch here.

Each part of a run (`experiments.results.CPU_PARTS`) grows in proportion to something that the spec says: steps, epochs,
or examples evaluated. So a shortened run of a kind, timed part by part, tells what whole runs of that kind take; the
whole runs that are stored tell how good that is. Loading data and starting the process are not included.
"""

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from experiments.benchmarks.gates import gate
from experiments.benchmarks.records import Gate, Spread
from experiments.engines.estimate import kind
from experiments.results import (
    CPU_PARTS,
    RECENT,
    STORE,
    Provenance,
    Result,
    StoreError,
    refuse_non_finite,
    write_atomically,
)
from experiments.spec import DENSE, ProfileName, Spec

SCHEMA_VERSION = 1
STORED = STORE / "costs.json"
OUTSIDE_LIMIT = 0.10
"""What a training step of LeNet may take beside the step itself: a share of it, for every kind of run."""
SHORT_BATCHES, SHORT_EPOCHS = 12, 3
SHORT_DENSE_BATCHES, SHORT_DENSE_EPOCHS = 4, 2


class KindCost(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All runs of a list that differ only in seed, radii, learning rate and options of the aggregator.

    ``spec``: the first of them. ``short``: processor seconds of the shortened run, ``predicted``: of one whole run, by
    part. Of the whole runs of this kind that are stored: ``stored``, how many; ``training``, the mean processor seconds
    of their epochs; ``timed``, how many of them name the parts, and ``parts``, the means of these.
    """

    spec: Spec
    runs: int
    short: dict[str, float]
    predicted: dict[str, float]
    stored: int
    training: float | None
    timed: int
    parts: dict[str, float]


class Costs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every kind of a list, in the order of the list. ``provenance``: of the first shortened run."""

    schema_version: int
    name: ProfileName
    provenance: Provenance
    kinds: tuple[KindCost, ...]


def shortened(spec: Spec) -> Spec:
    """The same run with few batches and epochs, at most its own: seconds where the whole one takes minutes."""
    batches, epochs = (
        (SHORT_DENSE_BATCHES, SHORT_DENSE_EPOCHS) if spec.problem in DENSE else (SHORT_BATCHES, SHORT_EPOCHS)
    )
    examples = max(batches, spec.probe_batches) * spec.batch_size
    return msgspec.structs.replace(
        spec,
        n_train=min(spec.n_train, examples),
        n_validation=min(spec.n_validation, examples // 2),
        n_test=min(spec.n_test, examples // 2),
        epochs=min(spec.epochs, epochs),
    )


def amounts(spec: Spec) -> dict[str, int]:
    """By part, how much of what it grows with a run has: steps, batches probed, examples evaluated, epochs."""
    steps = spec.epochs * math.ceil(spec.n_train / spec.batch_size)
    tests = 2 + (min(RECENT, spec.epochs) if spec.problem in DENSE else 0)
    grows = {
        "batches": steps,
        "step": steps,
        "running means": steps,
        "probe": spec.epochs * spec.probe_batches,
        "validation": spec.epochs * spec.n_validation,
        "test": tests * spec.n_test,
        "checkpoints": spec.epochs,
    }
    return {part: grows[part] for part in CPU_PARTS}


def predict(short: Result, spec: Spec) -> dict[str, float]:
    """Processor seconds of a whole run by part, from a shortened one of its kind.

    Raises:
        ValueError: the shortened run is of another kind, or does not name its parts.
    """
    if kind(short.spec) != kind(shortened(spec)):
        raise ValueError(f"run {short.key} is not the shortened form of one of the kind asked for.")
    if set(short.cpu_seconds) != set(CPU_PARTS):
        raise ValueError(f"run {short.key} names the parts {sorted(short.cpu_seconds)}: run it again.")
    whole, own = amounts(spec), amounts(short.spec)
    return {part: short.cpu_seconds[part] * whole[part] / own[part] for part in CPU_PARTS}


def kinds(specs: Iterable[Spec]) -> dict[Spec, tuple[Spec, int]]:
    """The kinds of a list: the first run of each, and how many there are."""
    listed = tuple(specs)
    counts = Counter(map(kind, listed))
    first: dict[Spec, Spec] = {}
    for spec in listed:
        first.setdefault(kind(spec), spec)
    return {one: (spec, counts[one]) for one, spec in first.items()}


def costs(name: ProfileName, specs: Iterable[Spec], short: Mapping[Spec, Result], stored: Iterable[Result]) -> Costs:
    """The table of a list.

    Args:
        specs: the list.
        short: the shortened run of every kind's first spec, by the shortened spec.
        stored: whole runs, of any kind.
    """
    whole: dict[Spec, list[Result]] = {}
    for result in stored:
        whole.setdefault(kind(result.spec), []).append(result)
    found = kinds(specs)
    return Costs(
        schema_version=SCHEMA_VERSION,
        name=name,
        provenance=short[shortened(next(iter(found.values()))[0])].provenance,
        kinds=tuple(
            _cost(spec, count, short[shortened(spec)], whole.get(one, [])) for one, (spec, count) in found.items()
        ),
    )


def _cost(spec: Spec, count: int, short: Result, whole: Sequence[Result]) -> KindCost:
    timed = [result.cpu_seconds for result in whole if result.cpu_seconds]
    return KindCost(
        spec=spec,
        runs=count,
        short=short.cpu_seconds,
        predicted=predict(short, spec),
        stored=len(whole),
        training=statistics.fmean(result.cpu_seconds_training for result in whole) if whole else None,
        timed=len(timed),
        parts={part: statistics.fmean(parts[part] for parts in timed) for part in CPU_PARTS} if timed else {},
    )


def of_one_run(cost: KindCost) -> float:
    """Processor seconds of a whole run: measured ones where a stored run names its parts, else predicted."""
    return math.fsum((cost.parts or cost.predicted).values())


def core_hours(found: Iterable[KindCost]) -> tuple[float, float]:
    """Of all runs of some kinds, and of those of them that are stored."""
    priced = [(cost, of_one_run(cost) / 3600) for cost in found]
    whole = math.fsum(cost.runs * hours for cost, hours in priced)
    return whole, math.fsum(min(cost.stored, cost.runs) * hours for cost, hours in priced)


def outside(parts: Mapping[str, float]) -> float:
    """What a training step costs beside the step itself: batches, running means and checkpoints, over the step."""
    return (parts["batches"] + parts["running means"] + parts["checkpoints"]) / parts["step"]


def outside_gate(found: Iterable[KindCost]) -> Gate | None:
    """Whether the dearest of the kinds that train LeNet keeps `OUTSIDE_LIMIT`; None without such a kind."""
    shares = [outside(cost.parts or cost.predicted) for cost in found if cost.spec.model == "lenet"]
    if not shares:
        return None
    measured = Spread(median=max(shares), low=max(shares), high=max(shares))
    return gate("Training LeNet, outside the step over the step, dearest kind", "cost", OUTSIDE_LIMIT, measured)


def save_costs(path: Path, found: Costs) -> Path:
    """Keep the table of a list."""
    refuse_non_finite(msgspec.to_builtins(found), "costs")
    write_atomically(path, msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    return path


def read_costs(path: Path) -> Costs:
    """Read a table strictly.

    Raises:
        StoreError: it is none, or of another version.
    """
    remedy = "Remove the file and run python -m experiments costs laptop --keep."
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Costs)
    except msgspec.MsgspecError as error:
        raise StoreError(f"{path}: not a table of costs ({error}). {remedy}") from error
    if found.schema_version != SCHEMA_VERSION:
        raise StoreError(f"{path}: schema version {found.schema_version}, expected {SCHEMA_VERSION}. {remedy}")
    return found
