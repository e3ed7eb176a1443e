"""What is left of a list, in core-hours, from what stored runs of the same kind took."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

import msgspec

from experiments.results import Result
from experiments.spec import Spec


@dataclass(frozen=True)
class Left:
    """``core_hours`` of training for the runs that have a stored one of their kind, and how many have none."""

    core_hours: float
    unknown: int

    def __str__(self) -> str:
        known = f"about {self.core_hours:.3g} core-hours of training" if self.core_hours else ""
        unknown = f"runs of whose kind none is stored: {self.unknown}" if self.unknown else ""
        return "; ".join(part for part in (known, unknown) if part)


def kind(spec: Spec) -> Spec:
    """The spec without what does not change its cost: seed, radii, the aggregator's options."""
    return msgspec.structs.replace(
        spec, seed=0, aggregator_options=(), rho_shared=0.0, rho_heads=0.0, probe_rho=0.0, learning_rate=0.0
    )


def left(remaining: Iterable[Spec], stored: Iterable[Result]) -> Left:
    """The mean of the stored runs' processor time, summed over what remains; a run half done counts in full."""
    seconds: defaultdict[Spec, list[float]] = defaultdict(list)
    for result in stored:
        seconds[kind(result.spec)].append(result.cpu_seconds_training)
    kinds = [kind(spec) for spec in remaining]
    known = [fmean(seconds[one]) for one in kinds if one in seconds]
    return Left(sum(known) / 3600, len(kinds) - len(known))
