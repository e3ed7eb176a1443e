"""Trained networks as settings of the theorems: sizes and norms from a result, radii, and the terms at them."""

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from experiments.results import Result
from experiments.spec import CLASSES, Spec
from paper_figures.runs import RHO, repetitions
from theory.bounds.complexity import ROOT, Complexity, Setting
from theory.bounds.foret import foret, foret_corrected
from theory.bounds.main_theorem import (
    theorem_1,
    theorem_a,
    theorem_a_prime,
    theorem_b,
    theorem_b_root,
    theorem_c,
)

DELTA = 0.05
LIMIT = 1.0
"""Of the 0-1 loss."""

AT = "at"
"""Mark of a setting whose radii are not those of the training."""

SETTING = (
    "What each theorem adds to the worst case of the empirical risk within the radii of the training, at delta = "
    f"{DELTA:g} and L = {LIMIT:g} (the 0-1 loss; training was on cross entropy), at the best validation epoch. N is "
    "the number of training examples, as if they were independent: overlays share base images and are not."
)
"""What the exhibits of bounds have in common, for their captions."""

Radii: TypeAlias = tuple[float, float]
Place: TypeAlias = Literal["sum", "beside"]
"""Of a term: in C or the bracket, or beside a root."""


def _per_task(theorem: Callable[[Setting, int], Complexity]) -> Callable[[Setting], Complexity]:
    """Of the task with the largest term."""
    return lambda setting: max((theorem(setting, task) for task in range(setting.tasks)), key=lambda one: one.value)


THEOREMS: Mapping[str, Callable[[Setting], Complexity]] = {
    "Theorem 1": _per_task(theorem_1),
    "A": _per_task(theorem_a),
    "A'": theorem_a_prime,
    "C": theorem_c,
    "B": _per_task(theorem_b),
    "B, square root": _per_task(theorem_b_root),
    "Foret": _per_task(foret),
    "Foret corrected": _per_task(foret_corrected),
}
"""As the table names them; Theorem 1 and Foret as published."""


def uses(spec: Spec) -> bool:
    """One network for all tasks that classify examples, whose balls, if it has any, are the theorems'."""
    return (
        spec.problem in CLASSES
        and spec.mode not in ("stl", "sam_stl")
        and spec.norm == "separate"
        and not spec.adaptive
    )


def radii(spec: Spec) -> Radii:
    """Those of the training, zero for plain gradients."""
    return spec.rho_shared, spec.rho_heads


def block_norms(result: Result) -> tuple[float, tuple[float, ...]]:
    """Euclidean norms of the shared block and of each head, at the evaluated epoch.

    Raises:
        ValueError: a parameter that belongs to no block, or a block without parameters.
    """
    tasks = range(len(CLASSES[result.spec.problem]))
    blocks = ["trunk.", *(f"heads.{task}." for task in tasks)]
    found: dict[str, list[float]] = {block: [] for block in blocks}
    for name, norm in result.epochs[result.best_epoch - 1].parameter_norms.items():
        owners = [block for block in blocks if name.startswith(block)]
        if not owners:
            raise ValueError(f"run {result.key}: parameter {name!r} belongs to no block of {', '.join(blocks)}")
        found[owners[0]].append(norm)
    empty = [block for block, norms in found.items() if not norms]
    if empty:
        raise ValueError(f"run {result.key}: no norm of a parameter is stored for {', '.join(empty)}")
    shared, *heads = (math.hypot(*norms) for norms in found.values())
    return shared, tuple(heads)


def setting(result: Result, at: Radii) -> Setting:
    """One trained network at these radii: sizes and norms as stored, N the number of its training examples."""
    norm_shared, norm_heads = block_norms(result)
    return Setting(
        k_shared=result.dimensions["shared"],
        k_heads=tuple(result.dimensions[f"head {number}"] for number in range(1, len(norm_heads) + 1)),
        norm_shared=norm_shared,
        norm_heads=norm_heads,
        rho_shared=at[0],
        rho_heads=at[1],
        n_samples=result.spec.n_train,
        delta=DELTA,
        limit=LIMIT,
    )


@dataclass(frozen=True)
class Evaluated:
    """Runs that differ in nothing but their seed, and the radii that they are evaluated at.

    ``setting`` says so where these are not the radii of the training.
    """

    problem: str
    method: str
    setting: str
    at: Radii
    members: tuple[Result, ...]

    @property
    def validation_accuracy(self) -> float:
        """Of all tasks and seeds, at the evaluated epochs."""
        return statistics.fmean(
            share for result in self.members for share in result.epochs[result.best_epoch - 1].validation_accuracy
        )


def _radius(at: Radii) -> str:
    shared, heads = at
    return f"{RHO} = {shared:g}" if shared == heads else f"{RHO} shared = {shared:g}, {RHO} heads = {heads:g}"


def evaluated(results: Sequence[Result]) -> Iterator[Evaluated]:
    """Every method at its own radii; those without, at each that another method of the problem was trained with."""
    used = [result for result in results if uses(result.spec)]
    everywhere: dict[str, set[Radii]] = {}
    for result in used:
        if all(radii(result.spec)):
            everywhere.setdefault(result.spec.problem, set()).add(radii(result.spec))
    for (problem, method, text), members in repetitions(used).items():
        own = radii(members[0].spec)
        if all(own):
            yield Evaluated(problem, method, text, own, members)
            continue
        for at in sorted(everywhere.get(problem, ())):
            told = f"{text}, {AT} {_radius(at)}" if text else f"{AT} {_radius(at)}"
            yield Evaluated(problem, method, told, at, members)


def parts(complexity: Complexity) -> list[tuple[Place, str, float, float | None]]:
    """Place, name, value (nats in the sum, else units of the loss) and share of the sum of every term."""
    inside = complexity.radicand or complexity.terms
    scale = 1.0 if complexity.radicand else math.sqrt(complexity.n_samples)
    total = math.fsum(term.value for term in inside)
    found: list[tuple[Place, str, float, float | None]] = [
        ("sum", term.name, scale * term.value, term.value / total) for term in inside
    ]
    if complexity.radicand:
        found += [("beside", term.name, term.value, None) for term in complexity.terms if term.name != ROOT]
    return found
