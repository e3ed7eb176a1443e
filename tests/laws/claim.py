"""A claim about one method and one law, with the matrices and the conditions that claims are made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from flatmtl_core import AlignedMTL, CAGrad, Constant, FairGrad, GradDrop, NashMTL, PCGrad, UPGrad
from tests.assertions import Method, hull_distance
from tests.oracles.minnorm_rational import rank, rational
from tests.strategies import Trial, tensor


@dataclass(frozen=True)
class Claim:
    """The law fails in general, as the counterexample shows; it holds where all conditions that are given do.

    Args:
        aggregator, trial: the counterexample; it violates one of the conditions, if there are any.
        arguments: condition on the aggregator's own arguments.
        n_tasks: condition on the number of tasks.
        inputs: condition on the matrix.
        when: the conditions in words; empty when there are none.
    """

    aggregator: Method
    trial: Trial
    arguments: Callable[[Method], bool] | None = None
    n_tasks: tuple[int, ...] | None = None
    inputs: Callable[[Trial], bool] | None = None
    when: str = ""

    def __post_init__(self) -> None:
        if bool(self.when) is not self.conditional:
            raise ValueError(f"{self.aggregator}: a condition in code and one in words come together")

    @property
    def conditional(self) -> bool:
        return not (self.arguments is None and self.n_tasks is None and self.inputs is None)

    def holds(self, aggregator: Method, trial: Trial) -> bool:
        """Whether all conditions are met."""
        return (
            (self.arguments is None or self.arguments(aggregator))
            and (self.n_tasks is None or len(trial.rows) in self.n_tasks)
            and (self.inputs is None or self.inputs(trial))
        )


def trial_of(rows: Sequence[Sequence[float]], **changes: object) -> Trial:
    return Trial(rows=tensor(rows), **changes)  # type: ignore[arg-type]


UNIT = (1.0, 1)
"""c and rescale with 1 + c^2 = 1 + c."""
AXES = ((1, 0), (0, 1))
OPPOSITE = ((1, 0), (-1, 0))
ONE = ((2, 0),)
SMALL = ((0.25, 0),)
CONFLICT = ((10, 0), (-30, 3))
"""Two tasks at almost 180 degrees, one much longer."""
CROWDED = ((7, 8, -18), (-6, 5, 6), (2, -9, 4))
"""PCGrad's sum conflicts with a task whatever the orders are."""
LEANING = ((1, 0, 0), (0, 1, 0), (0.06, 0.06, 0.0529))
"""IMTL-G's common projection is negative."""
POLE = ((6, 0, 0), (0, 6, 0), (2, 2, 1))
"""sum v = 0 in IMTL-G: p = (1, 1, -1) has <p, u_i> = 1 for all i, and p = g_1 / 2 + g_2 / 2 - g_3."""
CONE = ((2, 0, 2), (-1, 0, 1), (0, 1, 1), (0, -1, 1))
"""Four unit rows with the same projection on (0, 0, 1), hence dependent, yet G v = s has solutions."""
TRIANGLE = ((1, 0), (-1, 0), (0, 1))
"""Stationary, but every combination that vanishes gives weight 0 to the third task."""

DOUBLED = {"task_scales": ((2.0, 1.0), (1.0, 3.0))}
SWAPPED = {"order": (1, 0)}
MIXED = {"mixture": (0, 0, 0, 1)}
TILTED = tensor(((0, 0), (0, 1)))


def independent(trial: Trial) -> bool:
    exact = tuple(row for row in rational(trial.rows) if any(row))
    return rank(exact) == len(exact)


def no_zero_row(trial: Trial) -> bool:
    return bool(trial.rows.any(dim=1).all())


def weights(aggregator: Method) -> tuple[float, ...]:
    assert isinstance(aggregator, Constant)
    return aggregator.weights


def radius(aggregator: Method) -> tuple[float, int]:
    assert isinstance(aggregator, CAGrad)
    return aggregator.c, aggregator.rescale


def bounded(aggregator: Method) -> bool:
    """The longest d, (1 + c) ||g_0|| over the divisor, is at most ||g_0||."""
    c, rescale = radius(aggregator)
    return c == 0 or rescale == 2 or (rescale == 1 and c >= 1)


def scale(aggregator: Method) -> str:
    assert isinstance(aggregator, NashMTL | FairGrad)
    return aggregator.scale


def alpha(aggregator: Method) -> float:
    assert isinstance(aggregator, FairGrad)
    return aggregator.alpha


def reduction(aggregator: Method) -> str:
    assert isinstance(aggregator, PCGrad | UPGrad | AlignedMTL)
    return aggregator.reduction


def leak(aggregator: Method) -> float:
    assert isinstance(aggregator, GradDrop)
    return aggregator.leak


def apart(trial: Trial) -> bool:
    """0 is not in the hull, by a margin that no small step takes away: 2^-7 for unit rows, norms within 2^8."""
    norms = trial.rows.norm(dim=1)
    if float(norms.min()) < 2.0**-8 * float(norms.max()) or float(norms.max()) == 0:
        return False
    unit = trial.rows / norms.unsqueeze(1)
    return hull_distance((unit @ unit.T).numpy()) >= 2.0**-7


def full_rank(trial: Trial) -> bool:
    """The rows are independent, by a margin that no small step takes away."""
    m, d = trial.rows.shape
    values = torch.linalg.svdvals(trial.rows)
    return m <= d and float(values[-1]) > 2.0**-14 * float(values[0])
