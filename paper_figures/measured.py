"""The measures of trained networks as exhibits read them: long rows, one number each, over seeds."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from experiments.measures.records import (
    COMMAND,
    MEASURES_SHELF,
    STORED,
    Measures,
    measurings,
)
from experiments.spec import method_label
from paper_figures.exhibit import StoredFile
from paper_figures.provenance import Lines, of_runs
from paper_figures.runs import MODEL_TITLES, PROBLEM_TITLES, RHO

PROFILE_ORDER = ("laptop", "smoke")
"""Whose networks are shown: the first of these that has measures."""


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One number of one method: mean, lowest and highest over ``n`` seeds.

    Args:
        rho: with which the method was trained; 0 for plain ones.
        task: counted from 1; 0 for the mean over tasks.
        at: the radius, length, bin or coordinate that ``quantity`` speaks of; None where it has none.
    """

    method: str
    rho: float
    task: int
    quantity: str
    at: float | None
    n: int
    mean: float
    low: float
    high: float


def read(folder: Path) -> tuple[Measures, ...]:
    """The measures of the larger list that the folder has any of, in the order of the list."""
    for profile in PROFILE_ORDER:
        found = [MEASURES_SHELF.find([folder], one) for one in measurings(profile)]
        if any(found):
            return tuple(one for one in found if one is not None)
    return ()


def by_method(content: Sequence[Measures]) -> dict[tuple[str, float], list[Measures]]:
    """The networks of one method and radius, over seeds, in the order of the list."""
    groups: dict[tuple[str, float], list[Measures]] = {}
    for one in content:
        spec = one.measuring.training
        groups.setdefault((method_label(spec), spec.rho_shared), []).append(one)
    return groups


def over_seeds(
    content: Sequence[Measures],
    quantity: str,
    of_task: Callable[[Measures, int], float],
    *,
    at: float | None = None,
) -> Iterable[Value]:
    """One quantity of every method: of each task, and (task 0) the mean over tasks of each network."""
    for (method, rho), members in by_method(content).items():
        tasks = range(len(members[0].calibration))
        per_seed = [[of_task(one, task) for task in tasks] for one in members]
        columns = {0: [statistics.fmean(values) for values in per_seed]}
        columns |= {task + 1: [values[task] for values in per_seed] for task in tasks}
        for task, values in columns.items():
            yield Value(
                method=method,
                rho=rho,
                task=task,
                quantity=quantity,
                at=at,
                n=len(members),
                mean=statistics.fmean(values),
                low=min(values),
                high=max(values),
            )


def pick(rows: Sequence[Value], method: str, quantity: str, *, task: int = 0, at: float | None = None) -> Value:
    """The one row that this names."""
    (row,) = [row for row in rows if (row.method, row.quantity, row.task, row.at) == (method, quantity, task, at)]
    return row


def shown(value: Value, digits: int = 3, factor: float = 1.0) -> str:
    """The mean; with more than one seed their range in brackets."""
    mean, low, high = (f"{factor * number:.{digits}f}" for number in (value.mean, value.low, value.high))
    return mean if value.n == 1 else f"{mean} ({low}\N{EN DASH}{high})"


def setting(content: Sequence[Measures]) -> str:
    """Which networks were measured: data, model, training, radius, seeds."""
    spec = content[0].measuring.training
    seeds = sorted({one.measuring.training.seed for one in content})
    radius = max(one.measuring.training.rho_shared for one in content)
    return (
        f"{PROBLEM_TITLES[spec.problem]}, {MODEL_TITLES[spec.model]}, {spec.n_train:,} training examples, "
        f"{spec.epochs} epochs, last weights; sharpness-aware methods at {RHO} = {radius:g}; "
        f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}, {len(content)} networks "
        f"(profile {spec.profile})."
    )


def provenance(content: Sequence[Measures]) -> Lines:
    """Commits, versions, machines and time of all measures."""
    return of_runs([one.provenance for one in content], "Networks")


MEASURES = StoredFile(
    name=STORED.name, title="Measures of trained networks", command=COMMAND, read=read, provenance=provenance
)
