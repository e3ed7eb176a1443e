"""What the projections on the dual cone, Aligned-MTL, ConFIG and GradDrop do not promise."""

import torch

from flatmtl_core import AlignedMTL, ConFIG, DualProj, GradDrop, UPGrad
from flatmtl_core.laws import Law
from tests.assertions import Method, seeded
from tests.laws.claim import (
    AXES,
    CONFLICT,
    DOUBLED,
    LEANING,
    MIXED,
    OPPOSITE,
    TILTED,
    Claim,
    apart,
    full_rank,
    independent,
    leak,
    reduction,
    trial_of,
)
from tests.strategies import tensor

AGAINST = ((1, 0), (-3, 1))
"""The mean conflicts with the first row, which its projection is orthogonal to."""
LOOSE_END = ((1, 0), (0, 0))
"""A zero row, which gets a direction at the smallest step."""
STEP_BACK = tensor(((0, 0), (-1, 1)))
UNEVEN = ((-3, -1), (0, -1), (1, 0), (2, 0))
"""Dependent, 0 not in the hull; the least-squares solution of U x = 1 conflicts with the first row."""
BALANCED = ((1, 0), (1, 0), (0, 1), (-5, 0))
"""Projections on ConFIG's direction, (1, 3) / sqrt 10, are 1, 1, 3 and -5 in units of 1 / sqrt 10; the third row takes
part in no combination that vanishes."""
MIRROR = ((3, 1), (-3, 1))
DRAW = float(torch.rand(1, generator=seeded()))
"""The first number that GradDrop draws from the generator."""
SPLIT = (8 * (1,), 8 * (-1,))
"""Eight coordinates of which each is 1 or -1, depending on its draw."""
OTHER_SCALES = {"task_scales": ((8.0, 1.0), (1.0, 8.0))}
HADAMARD = tensor(((1, 1, 1, 1), (1, -1, 1, -1))) / 2

LEAKS_ALL = {"arguments": lambda agg: leak(agg) == 1, "when": "leak = 1"}


FURTHER_CLAIMS: dict[tuple[type[Method], Law], Claim] = {
    (UPGrad, Law.TASK_SCALING_INVARIANT): Claim(UPGrad(), trial_of(AXES, **DOUBLED)),
    (UPGrad, Law.REPEATED_TASK): Claim(UPGrad(), trial_of(AXES)),
    (UPGrad, Law.CONVEX_COMBINATION_ADDED): Claim(UPGrad(), trial_of(AXES, **MIXED)),
    (UPGrad, Law.LINEAR): Claim(UPGrad(), trial_of(CONFLICT, other=tensor(((30, 0), (30, 0))))),
    (UPGrad, Law.NORM_AT_MOST_MEAN): Claim(
        UPGrad(reduction="sum"),
        trial_of(AXES),
        arguments=lambda agg: reduction(agg) == "mean",
        when="reduction mean",
    ),
    (UPGrad, Law.CONTINUOUS): Claim(
        UPGrad(), trial_of(LOOSE_END, other=STEP_BACK), inputs=apart, when="0 is not in the convex hull"
    ),
    (DualProj, Law.STRICT_DESCENT): Claim(DualProj(), trial_of(AGAINST)),
    (DualProj, Law.TASK_SCALING_LINEAR): Claim(DualProj(), trial_of(AGAINST, **OTHER_SCALES)),
    (DualProj, Law.TASK_SCALING_INVARIANT): Claim(DualProj(), trial_of(AXES, **DOUBLED)),
    (DualProj, Law.REPEATED_TASK): Claim(DualProj(), trial_of(AXES)),
    (DualProj, Law.CONVEX_COMBINATION_ADDED): Claim(DualProj(), trial_of(AXES, **MIXED)),
    (DualProj, Law.LINEAR): Claim(DualProj(), trial_of(CONFLICT, other=tensor(((30, 0), (30, 0))))),
    (DualProj, Law.CONTINUOUS): Claim(
        DualProj(), trial_of(LOOSE_END, other=STEP_BACK), inputs=apart, when="0 is not in the convex hull"
    ),
    (AlignedMTL, Law.COMMON_DESCENT): Claim(AlignedMTL(), trial_of(CONFLICT)),
    (AlignedMTL, Law.STRICT_DESCENT): Claim(AlignedMTL(), trial_of(CONFLICT)),
    (AlignedMTL, Law.IN_CONE): Claim(AlignedMTL(), trial_of(((1, 0), (10, 1)))),
    (AlignedMTL, Law.TASK_SCALING_LINEAR): Claim(AlignedMTL(), trial_of(AXES, **DOUBLED)),
    (AlignedMTL, Law.TASK_SCALING_INVARIANT): Claim(AlignedMTL(), trial_of(AXES, task_scales=((2.0, 3.0), (1.0, 1.0)))),
    (AlignedMTL, Law.REPEATED_TASK): Claim(AlignedMTL(), trial_of(AXES)),
    (AlignedMTL, Law.CONVEX_COMBINATION_ADDED): Claim(AlignedMTL(), trial_of(AXES, **MIXED)),
    (AlignedMTL, Law.LINEAR): Claim(AlignedMTL(), trial_of(AXES, other=tensor(((0, 1), (0, 0))))),
    (AlignedMTL, Law.NORM_AT_MOST_MEAN): Claim(
        AlignedMTL(reduction="sum"),
        trial_of(AXES),
        arguments=lambda agg: reduction(agg) == "mean",
        when="reduction mean",
    ),
    (AlignedMTL, Law.CONTINUOUS): Claim(
        AlignedMTL(), trial_of(((1, 0), (1, 0)), other=TILTED), inputs=full_rank, when="independent rows"
    ),
    (ConFIG, Law.COMMON_DESCENT): Claim(ConFIG(), trial_of(UNEVEN), inputs=independent, when="independent rows"),
    (ConFIG, Law.STRICT_DESCENT): Claim(ConFIG(), trial_of(UNEVEN), inputs=independent, when="independent rows"),
    (ConFIG, Law.IN_CONE): Claim(ConFIG(), trial_of(LEANING), n_tasks=(1, 2), when="m <= 2"),
    (ConFIG, Law.TASK_SCALING_INVARIANT): Claim(ConFIG(), trial_of(AXES, **DOUBLED)),
    (ConFIG, Law.REPEATED_TASK): Claim(ConFIG(), trial_of(AXES)),
    (ConFIG, Law.CONVEX_COMBINATION_ADDED): Claim(ConFIG(), trial_of(AXES, **MIXED)),
    (ConFIG, Law.DEFINED_WHEN_STATIONARY): Claim(ConFIG(), trial_of(OPPOSITE)),
    (ConFIG, Law.ZERO_ONLY_IF_STRONGLY_STATIONARY): Claim(
        ConFIG(), trial_of(BALANCED), inputs=independent, when="independent rows"
    ),
    (ConFIG, Law.LINEAR): Claim(ConFIG(), trial_of(AXES, other=tensor(((0, 1), (0, 0))))),
    (ConFIG, Law.NORM_AT_MOST_MEAN): Claim(ConFIG(), trial_of(AXES)),
    (ConFIG, Law.CONTINUOUS): Claim(ConFIG(), trial_of(LOOSE_END, other=STEP_BACK)),
    (GradDrop, Law.COMMON_DESCENT): Claim(GradDrop(), trial_of(OPPOSITE)),
    (GradDrop, Law.STRICT_DESCENT): Claim(GradDrop(), trial_of(MIRROR)),
    (GradDrop, Law.IN_CONE): Claim(GradDrop(), trial_of(((1, 1, 0), (-1, 0, 1))), **LEAKS_ALL),
    (GradDrop, Law.TASK_SCALING_LINEAR): Claim(GradDrop(), trial_of(SPLIT, **DOUBLED), **LEAKS_ALL),
    (GradDrop, Law.TASK_SCALING_INVARIANT): Claim(GradDrop(), trial_of(AXES, **DOUBLED)),
    (GradDrop, Law.ROTATION): Claim(GradDrop(), trial_of(((1, 1), (1, -1)), rotation=HADAMARD), **LEAKS_ALL),
    (GradDrop, Law.REPEATED_TASK): Claim(GradDrop(), trial_of(AXES)),
    (GradDrop, Law.CONVEX_COMBINATION_ADDED): Claim(GradDrop(), trial_of(AXES, **MIXED)),
    (GradDrop, Law.ZERO_ONLY_IF_STRONGLY_STATIONARY): Claim(
        GradDrop(leak=0.5),
        trial_of(((1, -2), (-2, 1)), seed=3),
        arguments=lambda agg: leak(agg) in (0, 1),
        when="leak = 0 or leak = 1",
    ),
    (GradDrop, Law.LINEAR): Claim(GradDrop(), trial_of(LOOSE_END, other=tensor(((0, 0), (-1, 0)))), **LEAKS_ALL),
    (GradDrop, Law.NORM_AT_MOST_MEAN): Claim(GradDrop(), trial_of(AXES)),
    (GradDrop, Law.CONTINUOUS): Claim(
        GradDrop(), trial_of(((DRAW,), (DRAW - 1,)), other=tensor(((1,), (0,)))), **LEAKS_ALL
    ),
}
