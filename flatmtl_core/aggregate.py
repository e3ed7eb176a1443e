"""From the Gramian to weights to the direction: the part that all Gramian methods share."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from flatmtl_core.cosine import CosineForm, cosine_form, take_apart
from flatmtl_core.errors import InvalidInput, NonFinite
from flatmtl_core.laws import Law
from flatmtl_core.linalg import Measured, combine_rows, count_non_finite, measure, to_floats
from flatmtl_core.types import Aggregator, Direction, Gramian, GramianAggregator, Status, TaskGrads, Weighted


class Solution(NamedTuple):
    """What a small solver found: weights of the live rows (none: all are zero) and one weight for every zero row.

    ``gap`` is in the units of the method (see ``Weighted``).
    """

    weights: Sequence[float] = ()
    gap: float = 0.0
    status: Status = "solved"
    zero_rows: float = 0.0

    def spread(self, form: CosineForm) -> list[float]:
        """Weights of all m rows."""
        values = [self.zero_rows] * form.tasks
        for task, value in zip(form.live, self.weights or [0.0] * len(form.live), strict=True):
            values[task] = value
        return values


class FromGramian:
    """Base of the methods that see inner products only: ``direction = weights(J J^T) @ J``.

    A method implements ``solve`` on the live (nonzero) rows; zero rows get weight 0.
    """

    laws: ClassVar[frozenset[Law]] = frozenset()
    draws: ClassVar[bool] = False

    @property
    def degree(self) -> float:
        """Degree k of homogeneity: A(t J) = t^k A(J) for t > 0."""
        return 1.0

    def solve(self, form: CosineForm, generator: torch.Generator | None) -> Solution:
        """Weights of the live rows, of which there is at least one: each method's own."""
        raise NotImplementedError

    def weighting(self, gramian: Gramian, *, generator: torch.Generator | None = None) -> Weighted:
        """Weights of the rows from their inner products, with their certificate (see the class)."""
        return self.weighted(cosine_form(gramian), generator, gramian.device)

    def weighted(self, form: CosineForm, generator: torch.Generator | None, device: torch.device) -> Weighted:
        """``weighting`` of a Gramian that is taken apart already."""
        found = self._solution(form, generator)
        weights = torch.tensor(found.spread(form), dtype=torch.float64, device=device)
        return Weighted(weights, found.gap, found.status)

    def _solution(self, form: CosineForm, generator: torch.Generator | None) -> Solution:
        if self.draws:
            need_generator(self, generator)
        return self.solve(form, generator) if form.live else Solution(status="zero")

    def __call__(
        self, task_grads: TaskGrads, *, generator: torch.Generator | None = None, out: Direction | None = None
    ) -> Direction:
        """The direction of these task gradients.

        Args:
            task_grads: (m, d), any floating dtype; bfloat16 and float16 rows are summed in float32.
            generator: CPU generator, for methods that draw.
            out: (d,), where the direction is written; dtype and device of ``task_grads``.

        Returns:
            (d,), dtype and device of ``task_grads``; exactly zero for the statuses ``zero`` and ``stationary``.

        Raises:
            InvalidInput: no task, no parameter, a wrong ``out``, or a missing generator.
            NonFinite: NaN or infinity in a row.
        """
        check_task_grads(task_grads)
        out = check_out(out, task_grads)
        rows = task_grads.detach()
        measured = measure(rows)
        refuse_non_finite(measured, rows)
        if measured.exponent:
            aggregate_rows(self, measured, rows, generator, out)
            return out
        form = take_apart(measured.entries, measured.noise)
        found = self._solution(form, generator)
        return combine_rows(found.spread(form), rows, measured.norms, out) if found.status == "solved" else out.zero_()


def aggregate_rows(
    aggregator: Aggregator, measured: Measured, rows: TaskGrads, generator: torch.Generator | None, out: Direction
) -> Weighted | None:
    """Run any aggregator on measured rows; Gramian methods reuse the Gramian and hand out their weights.

    The Gramian is that of ``rows / t``, t a power of two: ``A(J) = t^k A(J / t)``, the weights are ``t^(k-1)`` times
    those found (t^(k-1) is kept within 2^-1000 and 2^1000 there, but not in the direction).
    """
    if not isinstance(aggregator, GramianAggregator):
        aggregator(rows, generator=generator, out=out)
        return None
    if isinstance(aggregator, FromGramian):
        form = take_apart(measured.entries, measured.noise)
        weighted = aggregator.weighted(form, generator, torch.device("cpu"))
    else:
        weighted = aggregator.weighting(measured.gramian, generator=generator)
    power = measured.exponent * (aggregator.degree - 1.0)
    whole = math.floor(power)
    if weighted.status == "solved":
        weights = to_floats(weighted.weights * 2.0 ** (power - whole))
        combine_rows(weights, rows, measured.norms, out, exponent=whole)
    else:
        out.zero_()
    return replace(weighted, weights=weighted.weights * 2.0 ** max(-1000.0, min(1000.0, power))) if power else weighted


def check_aggregator(aggregator: object, *, pairs: bool = False) -> None:
    """Refuse what can not be called on a matrix of task gradients (a class, say), or not on ``pairs`` of rows."""
    if isinstance(aggregator, type) or not callable(aggregator):
        rule = "a callable from (m, d) task gradients to a (d,) direction"
        remedy = "pass an instance, such as MGDA()"
        raise InvalidInput("this is no aggregator", "aggregator", aggregator, rule, remedy)
    if pairs and (hasattr(aggregator, "weights") or not isinstance(aggregator, GramianAggregator)):
        remedy = 'use combine="decomposed" or "direct", or a Gramian method'
        raise InvalidInput("it can not aggregate two rows", "aggregator", aggregator, "no weight a task", remedy)


def need_generator(aggregator: object, generator: torch.Generator | None) -> torch.Generator:
    """The generator of a method that draws."""
    if generator is None:
        what, rule = f"{type(aggregator).__name__} draws random numbers", "a torch.Generator on the CPU"
        remedy = "pass generator=torch.Generator().manual_seed(0), made once before training"
        raise InvalidInput(what, "generator", None, rule, remedy)
    return generator


def check_task_grads(task_grads: Tensor) -> None:
    """Refuse anything but a real (m, d) matrix with m, d >= 1."""
    if task_grads.ndim != 2 or not task_grads.is_floating_point() or 0 in task_grads.shape:
        found = f"shape {tuple(task_grads.shape)}, {task_grads.dtype}"
        rule = "(m, d) with m >= 1 tasks and d >= 1 parameters, a floating dtype"
        remedy = "stack one flattened gradient a task"
        raise InvalidInput("this is no matrix of task gradients", "task_grads", found, rule, remedy)


def check_out(out: Tensor | None, task_grads: Tensor) -> Tensor:
    """``out`` itself when it fits, a fresh vector when there is none."""
    if out is None:
        return torch.empty(task_grads.shape[1], dtype=task_grads.dtype, device=task_grads.device)
    wanted = (task_grads.shape[1:], task_grads.dtype, task_grads.device)
    if (out.shape, out.dtype, out.device) != wanted:
        found = f"shape {tuple(out.shape)}, {out.dtype}, {out.device}"
        rule = f"shape {tuple(wanted[0])}, {wanted[1]}, {wanted[2]}, as task_grads"
        remedy = "pass torch.empty_like(task_grads[0]) or leave it out"
        raise InvalidInput("the result does not fit", "out", found, rule, remedy)
    return out.detach()


def refuse_non_finite(
    measured: Measured, rows: TaskGrads, *, names: Sequence[str] = (), sizes: Sequence[int] = (), when: str = ""
) -> None:
    """Raise NonFinite when a row holds NaN or infinity, naming the task and, with names and sizes, the parameter."""
    for task, square in enumerate(measured.squares):
        if not math.isfinite(square):
            refuse_row(task, rows[task], names=names or ("task_grads",), sizes=sizes or (rows.shape[1],), when=when)


def refuse_row(task: int, row: Direction, *, names: Sequence[str], sizes: Sequence[int], when: str) -> None:
    """Raise NonFinite for the first parameter of this row that holds NaN or infinity."""
    for name, piece in zip(names, torch.split(row, list(sizes)), strict=True):
        if count := count_non_finite(piece):
            raise non_finite(task, name, count, when)


def non_finite(task: int, parameter: str, count: int, when: str) -> NonFinite:
    """The one wording of a gradient that is NaN or infinite."""
    what, where = f"the gradient of task {task}{when} is not finite", f"task {task}, parameter {parameter}"
    remedy = "look at this task's loss at this batch; lower the learning rate or the radius; skip the step"
    return NonFinite(what, where, f"{count} entries NaN or infinite", "gradients are finite", remedy)
