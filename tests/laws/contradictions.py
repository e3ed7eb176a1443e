"""Where the tests contradict the first survey of these laws, with the matrix that decides."""

from dataclasses import dataclass

import torch

from flatmtl_core import IMTLG, CAGrad, FairGrad, NashMTL
from flatmtl_core.laws import Law
from tests.assertions import Method
from tests.laws.claim import AXES, CONE, OPPOSITE, POLE, TRIANGLE, trial_of
from tests.strategies import Trial


@dataclass(frozen=True)
class Contradiction:
    """One cell of the first survey of these laws that did not stand.

    Args:
        law: of the method ``type(aggregator)``.
        surveyed: what the survey said.
        found: what the tests say.
        aggregator, trial: the witness.
    """

    law: Law
    surveyed: str
    found: str
    aggregator: Method
    trial: Trial


ZERO_ROW = ((1, 0), (0, 0))

CONTRADICTIONS: tuple[Contradiction, ...] = (
    Contradiction(
        Law.COMMON_DESCENT,
        "for m = 2 false where u_1 = -u_2: the pseudo-inverse goes up on one task",
        "holds for m = 2: sum v vanishes there, the direction is zero and the status says so",
        IMTLG(),
        trial_of(((1, 0), (-2, 0))),
    ),
    Contradiction(
        Law.REPEATED_TASK,
        "holds wherever G v = s has a solution",
        "dependent unit rows with the same projection have solutions, yet a repeated row changes the answer",
        IMTLG(),
        trial_of(CONE),
    ),
    Contradiction(
        Law.ZERO_ONLY_IF_STRONGLY_STATIONARY,
        "conditional",
        "fails for independent rows too: at the pole, where sum v vanishes, the direction is zero",
        IMTLG(),
        trial_of(POLE),
    ),
    Contradiction(
        Law.ZERO_ONLY_IF_STRONGLY_STATIONARY,
        "for c >= 1 zero may be returned, though never as the only optimum",
        "holds for every c, as the optimum nearest to the mean is taken",
        CAGrad(c=2.0),
        trial_of(TRIANGLE),
    ),
    Contradiction(
        Law.ZERO_ONLY_IF_STRONGLY_STATIONARY,
        "vacuous: the direction is never zero",
        "fails: at a stationary point, where no solution exists, the direction is zero",
        NashMTL(),
        trial_of(TRIANGLE),
    ),
    Contradiction(
        Law.ZERO_ONLY_IF_STRONGLY_STATIONARY,
        "vacuous: the direction is never zero",
        "fails: at a stationary point, where no solution exists, the direction is zero",
        FairGrad(),
        trial_of(TRIANGLE),
    ),
    Contradiction(
        Law.ZERO_ROW_IGNORED,
        "no solution with a zero row",
        "holds: zero rows take no part in the definition",
        NashMTL(),
        trial_of(ZERO_ROW),
    ),
    Contradiction(
        Law.ZERO_ROW_IGNORED,
        "no solution with a zero row",
        "holds: zero rows take no part in the definition",
        FairGrad(),
        trial_of(ZERO_ROW),
    ),
    Contradiction(
        Law.ZERO_ROW_IGNORED,
        "undefined with a zero row",
        "holds: zero rows take no part in the definition",
        IMTLG(),
        trial_of(ZERO_ROW),
    ),
    Contradiction(
        Law.ZERO_TO_ZERO,
        "undefined when every row is zero",
        "holds, exactly, with the status zero",
        NashMTL(),
        trial_of(torch.zeros(2, 2).tolist()),
    ),
    Contradiction(
        Law.ZERO_TO_ZERO,
        "undefined when every row is zero",
        "holds, exactly, with the status zero",
        FairGrad(),
        trial_of(torch.zeros(2, 2).tolist()),
    ),
    Contradiction(
        Law.IDENTITY_FOR_ONE_TASK,
        "false: (1 + c) g, (1 + c) / (1 + c^2) g, and g for rescale 2 only",
        "holds also for c = 0, and for rescale 1 with c = 1, where 1 + c = 1 + c^2",
        CAGrad(c=1.0, rescale=1),
        trial_of(AXES[:1]),
    ),
    Contradiction(
        Law.DEFINED_WHEN_STATIONARY,
        "conditional",
        "fails: independent rows, where a solution is certain, are never stationary",
        IMTLG(),
        trial_of(OPPOSITE),
    ),
)
