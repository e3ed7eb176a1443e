"""Method x law, as data: what is not promised is refuted by a pinned matrix, and promised under its condition.

``METHODS`` are the aggregators under test, one for each choice of arguments that changes what holds. ``CLAIMS`` speaks
about each pair (class, law) that the class does not list in its ``laws``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flatmtl_core import IMTLG, MGDA, CAGrad, Constant, FairGrad, Mean, NashMTL, PCGrad
from flatmtl_core.laws import Law
from tests.assertions import Method
from tests.oracles.minnorm_rational import rank, rational
from tests.strategies import Trial, tensor

METHODS: dict[str, Callable[[int], Method]] = {
    "Mean": lambda m: Mean(),
    "Constant": lambda m: Constant(weights=(1.0, 0.5, -2.0, 0.25, 3.0)[:m]),
    "Constant(1/m)": lambda m: Constant(weights=(1 / m,) * m),
    "MGDA": lambda m: MGDA(),
    "PCGrad": lambda m: PCGrad(),
    "PCGrad(mean)": lambda m: PCGrad(reduction="mean"),
    "CAGrad(0.4)": lambda m: CAGrad(c=0.4),
    "CAGrad(1)": lambda m: CAGrad(c=1.0),
    "CAGrad(2)": lambda m: CAGrad(c=2.0),
    "CAGrad(1, rescale 1)": lambda m: CAGrad(c=1.0, rescale=1),
    "CAGrad(0.4, rescale 2)": lambda m: CAGrad(c=0.4, rescale=2),
    "IMTLG": lambda m: IMTLG(),
    "NashMTL": lambda m: NashMTL(),
    "NashMTL(norm)": lambda m: NashMTL(scale="norm"),
    "FairGrad(0.5)": lambda m: FairGrad(alpha=0.5),
    "FairGrad(1)": lambda m: FairGrad(alpha=1.0),
    "FairGrad(2)": lambda m: FairGrad(alpha=2.0),
    "FairGrad(1, norm)": lambda m: FairGrad(alpha=1.0, scale="norm"),
    "FairGrad(2, norm)": lambda m: FairGrad(alpha=2.0, scale="norm"),
}
"""Name -> the aggregator for m tasks."""


@dataclass(frozen=True)
class Claim:
    """The law fails in general, as the counterexample shows; it holds where all conditions that are given do.

    Args:
        aggregator, trial: the counterexample; it violates one of the conditions, if there are any.
        arguments: condition on the aggregator's own arguments.
        n_tasks: condition on the number of tasks.
        inputs: condition on the matrix.
    """

    aggregator: Method
    trial: Trial
    arguments: Callable[[Method], bool] | None = None
    n_tasks: tuple[int, ...] | None = None
    inputs: Callable[[Trial], bool] | None = None

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


def _trial(rows: Sequence[Sequence[float]], **changes: object) -> Trial:
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


def _independent(trial: Trial) -> bool:
    exact = tuple(row for row in rational(trial.rows) if any(row))
    return rank(exact) == len(exact)


def _no_zero_row(trial: Trial) -> bool:
    return bool(trial.rows.any(dim=1).all())


def _weights(aggregator: Method) -> tuple[float, ...]:
    assert isinstance(aggregator, Constant)
    return aggregator.weights


def _radius(aggregator: Method) -> tuple[float, int]:
    assert isinstance(aggregator, CAGrad)
    return aggregator.c, aggregator.rescale


def _bounded(aggregator: Method) -> bool:
    """The longest d, (1 + c) ||g_0|| over the divisor, is at most ||g_0||."""
    c, rescale = _radius(aggregator)
    return c == 0 or rescale == 2 or (rescale == 1 and c >= 1)


def _scale(aggregator: Method) -> str:
    assert isinstance(aggregator, NashMTL | FairGrad)
    return aggregator.scale


def _alpha(aggregator: Method) -> float:
    assert isinstance(aggregator, FairGrad)
    return aggregator.alpha


CLAIMS: dict[tuple[type[Method], Law], Claim] = {
    (Mean, Law.COMMON_DESCENT): Claim(Mean(), _trial(CONFLICT)),
    (Mean, Law.STRICT_DESCENT): Claim(Mean(), _trial(CONFLICT)),
    (Mean, Law.TASK_SCALING_INVARIANT): Claim(Mean(), _trial(AXES, **DOUBLED)),
    (Mean, Law.REPEATED_TASK): Claim(Mean(), _trial(AXES)),
    (Mean, Law.CONVEX_COMBINATION_ADDED): Claim(Mean(), _trial(AXES, **MIXED)),
    (Constant, Law.COMMON_DESCENT): Claim(Constant(weights=(1.0, 1.0)), _trial(CONFLICT)),
    (Constant, Law.STRICT_DESCENT): Claim(Constant(weights=(1.0, 1.0)), _trial(CONFLICT)),
    (Constant, Law.IN_CONE): Claim(
        Constant(weights=(1.0, -1.0)), _trial(AXES), arguments=lambda agg: min(_weights(agg)) >= 0
    ),
    (Constant, Law.TASK_SCALING_INVARIANT): Claim(Constant(weights=(1.0, 1.0)), _trial(AXES, **DOUBLED)),
    (Constant, Law.PERMUTATION): Claim(
        Constant(weights=(1.0, 2.0)), _trial(AXES, **SWAPPED), arguments=lambda agg: len(set(_weights(agg))) == 1
    ),
    (Constant, Law.IDENTITY_FOR_ONE_TASK): Claim(
        Constant(weights=(2.0,)), _trial(ONE), arguments=lambda agg: _weights(agg) == (1.0,), n_tasks=(1,)
    ),
    (Constant, Law.REPEATED_TASK): Claim(Constant(weights=(1.0, 1.0)), _trial(AXES)),
    (Constant, Law.CONVEX_COMBINATION_ADDED): Claim(Constant(weights=(1.0, 1.0)), _trial(AXES, **MIXED)),
    (Constant, Law.ZERO_ROW_IGNORED): Claim(Constant(weights=(1.0, 1.0)), _trial(AXES)),
    (Constant, Law.ZERO_ONLY_IF_STRONGLY_STATIONARY): Claim(
        Constant(weights=(1.0, -1.0)), _trial(((1, 0), (1, 0))), arguments=lambda agg: min(_weights(agg)) > 0
    ),
    (Constant, Law.NORM_AT_MOST_MEAN): Claim(
        Constant(weights=(2.0,)),
        _trial(ONE),
        arguments=lambda agg: max(map(abs, _weights(agg))) * len(_weights(agg)) <= 1,
    ),
    (MGDA, Law.TASK_SCALING_LINEAR): Claim(MGDA(), _trial(AXES, **DOUBLED)),
    (MGDA, Law.TASK_SCALING_INVARIANT): Claim(MGDA(), _trial(AXES, **DOUBLED)),
    (MGDA, Law.ZERO_ROW_IGNORED): Claim(MGDA(), _trial(ONE)),
    (MGDA, Law.ZERO_ONLY_IF_STRONGLY_STATIONARY): Claim(MGDA(), _trial(((1, 0), (0, 0)))),
    (MGDA, Law.LINEAR): Claim(MGDA(), _trial(AXES, other=tensor(((0, 1), (0, 0))))),
    (PCGrad, Law.COMMON_DESCENT): Claim(PCGrad(), _trial(CROWDED), n_tasks=(1, 2)),
    (PCGrad, Law.STRICT_DESCENT): Claim(PCGrad(), _trial(CROWDED), n_tasks=(1, 2)),
    (PCGrad, Law.TASK_SCALING_INVARIANT): Claim(PCGrad(), _trial(AXES, **DOUBLED)),
    (PCGrad, Law.PERMUTATION): Claim(PCGrad(), _trial(CROWDED, order=(1, 2, 0)), n_tasks=(1, 2)),
    (PCGrad, Law.REPEATED_TASK): Claim(PCGrad(), _trial(AXES)),
    (PCGrad, Law.CONVEX_COMBINATION_ADDED): Claim(PCGrad(), _trial(AXES, **MIXED)),
    (PCGrad, Law.LINEAR): Claim(PCGrad(), _trial(CONFLICT, other=tensor(((30, 0), (30, 0))))),
    (PCGrad, Law.NORM_AT_MOST_MEAN): Claim(
        PCGrad(), _trial(AXES), arguments=lambda agg: isinstance(agg, PCGrad) and agg.reduction == "mean"
    ),
    (PCGrad, Law.CONTINUOUS): Claim(PCGrad(), _trial(((1, 0), (0, 0)), other=tensor(((0, 0), (-1, 1))))),
    (CAGrad, Law.COMMON_DESCENT): Claim(CAGrad(c=0.5), _trial(CONFLICT), arguments=lambda agg: _radius(agg)[0] >= 1),
    (CAGrad, Law.STRICT_DESCENT): Claim(CAGrad(c=0.5), _trial(CONFLICT), arguments=lambda agg: _radius(agg)[0] >= 1),
    (CAGrad, Law.TASK_SCALING_LINEAR): Claim(CAGrad(), _trial(AXES, **DOUBLED)),
    (CAGrad, Law.TASK_SCALING_INVARIANT): Claim(CAGrad(), _trial(AXES, **DOUBLED)),
    (CAGrad, Law.IDENTITY_FOR_ONE_TASK): Claim(
        CAGrad(),
        _trial(ONE),
        arguments=lambda agg: _radius(agg)[0] == 0 or _radius(agg)[1] == 2 or _radius(agg) == UNIT,
    ),
    (CAGrad, Law.REPEATED_TASK): Claim(CAGrad(), _trial(AXES)),
    (CAGrad, Law.CONVEX_COMBINATION_ADDED): Claim(CAGrad(), _trial(AXES, **MIXED)),
    (CAGrad, Law.LINEAR): Claim(CAGrad(), _trial(AXES, other=tensor(((0, 1), (0, 0))))),
    (CAGrad, Law.NORM_AT_MOST_MEAN): Claim(CAGrad(), _trial(ONE), arguments=_bounded),
    (CAGrad, Law.CONTINUOUS): Claim(CAGrad(), _trial(((1, 0), (0, 0)), other=TILTED)),
    (IMTLG, Law.COMMON_DESCENT): Claim(IMTLG(), _trial(LEANING), n_tasks=(1, 2)),
    (IMTLG, Law.STRICT_DESCENT): Claim(IMTLG(), _trial(LEANING), n_tasks=(1, 2)),
    (IMTLG, Law.IN_CONE): Claim(IMTLG(), _trial(LEANING), n_tasks=(1, 2)),
    (IMTLG, Law.TASK_SCALING_LINEAR): Claim(IMTLG(), _trial(AXES, **DOUBLED)),
    (IMTLG, Law.TASK_SCALING_INVARIANT): Claim(IMTLG(), _trial(AXES, **DOUBLED)),
    (IMTLG, Law.REPEATED_TASK): Claim(IMTLG(), _trial(CONE), inputs=_independent),
    (IMTLG, Law.CONVEX_COMBINATION_ADDED): Claim(IMTLG(), _trial(AXES, **MIXED)),
    (IMTLG, Law.DEFINED_WHEN_STATIONARY): Claim(IMTLG(), _trial(OPPOSITE)),
    (IMTLG, Law.ZERO_ONLY_IF_STRONGLY_STATIONARY): Claim(IMTLG(), _trial(POLE)),
    (IMTLG, Law.LINEAR): Claim(IMTLG(), _trial(AXES, other=tensor(((0, 1), (0, 0))))),
    (IMTLG, Law.NORM_AT_MOST_MEAN): Claim(IMTLG(), _trial(((6, 0, 0), (0, 6, 0), (2.125, 2.125, 1.0625)))),
    (IMTLG, Law.CONTINUOUS): Claim(IMTLG(), _trial(POLE, other=tensor(((0, 0, 0), (0, 0, 0), (2, 2, 1))))),
    (NashMTL, Law.TASK_SCALING_LINEAR): Claim(NashMTL(), _trial(AXES, **DOUBLED)),
    (NashMTL, Law.TASK_SCALING_INVARIANT): Claim(
        NashMTL(scale="norm"), _trial(AXES, **DOUBLED), arguments=lambda agg: _scale(agg) == "paper"
    ),
    (NashMTL, Law.IDENTITY_FOR_ONE_TASK): Claim(NashMTL(), _trial(ONE), arguments=lambda agg: _scale(agg) == "norm"),
    (NashMTL, Law.REPEATED_TASK): Claim(NashMTL(), _trial(AXES)),
    (NashMTL, Law.CONVEX_COMBINATION_ADDED): Claim(NashMTL(), _trial(AXES, **MIXED)),
    (NashMTL, Law.DEFINED_WHEN_STATIONARY): Claim(NashMTL(), _trial(OPPOSITE)),
    (NashMTL, Law.ZERO_ONLY_IF_STRONGLY_STATIONARY): Claim(NashMTL(), _trial(TRIANGLE)),
    (NashMTL, Law.LINEAR): Claim(NashMTL(), _trial(AXES, other=tensor(AXES))),
    (NashMTL, Law.NORM_AT_MOST_MEAN): Claim(
        NashMTL(), _trial(SMALL), arguments=lambda agg: _scale(agg) == "norm", inputs=_no_zero_row
    ),
    (NashMTL, Law.CONTINUOUS): Claim(NashMTL(), _trial(OPPOSITE, other=TILTED)),
    (FairGrad, Law.TASK_SCALING_LINEAR): Claim(FairGrad(), _trial(AXES, **DOUBLED)),
    (FairGrad, Law.TASK_SCALING_INVARIANT): Claim(
        FairGrad(), _trial(AXES, **DOUBLED), arguments=lambda agg: _alpha(agg) == 1 and _scale(agg) == "paper"
    ),
    (FairGrad, Law.IDENTITY_FOR_ONE_TASK): Claim(FairGrad(), _trial(ONE), arguments=lambda agg: _scale(agg) == "norm"),
    (FairGrad, Law.REPEATED_TASK): Claim(FairGrad(), _trial(AXES)),
    (FairGrad, Law.CONVEX_COMBINATION_ADDED): Claim(FairGrad(), _trial(AXES, **MIXED)),
    (FairGrad, Law.DEFINED_WHEN_STATIONARY): Claim(FairGrad(), _trial(OPPOSITE)),
    (FairGrad, Law.ZERO_ONLY_IF_STRONGLY_STATIONARY): Claim(FairGrad(), _trial(TRIANGLE)),
    (FairGrad, Law.LINEAR): Claim(FairGrad(), _trial(AXES, other=tensor(AXES))),
    (FairGrad, Law.NORM_AT_MOST_MEAN): Claim(
        FairGrad(), _trial(SMALL), arguments=lambda agg: _alpha(agg) == 1 and _scale(agg) == "norm", inputs=_no_zero_row
    ),
    (FairGrad, Law.CONTINUOUS): Claim(FairGrad(), _trial(OPPOSITE, other=TILTED)),
}
