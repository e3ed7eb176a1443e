"""The aggregators as the authors' public code computes them, where that differs from the methods' papers.

Its PCGrad does not leave out the own task; its CAGrad divides by 1 + c^2; in some of its folders MGDA is multiplied by
the number of tasks, in that of NYUv2 it sees unit rows; everything else follows the methods' papers. The defaults of
``flatmtl_core`` are the papers'.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch

from experiments.spec import AggregatorName
from flatmtl_core import IMTLG, MGDA, CAGrad, InvalidInput, Mean, PCGrad
from flatmtl_core.aggregate import FromGramian, Solution
from flatmtl_core.cosine import CosineForm
from flatmtl_core.types import Aggregator


@dataclass(frozen=True)
class TimesTasks(FromGramian):
    """``m A(J)``: the convention of code that sums where the method's paper takes a mean.

    Args:
        base: a deterministic Gramian method A of degree 1.
    """

    base: MGDA | CAGrad | IMTLG | Mean

    def solve(self, form: CosineForm, generator: torch.Generator | None) -> Solution:
        """A's weights times m; ``gap`` stays that of A."""
        found = self.base.solve(form, generator)
        return found._replace(weights=[form.tasks * weight for weight in found.weights])


@dataclass(frozen=True)
class OnUnitRows(FromGramian):
    """``A(g_1/||g_1||, .., g_m/||g_m||)``: of degree 0, so that a flat part does not vanish with its radius.

    Args:
        base: MGDA; where a row is zero, its answer is zero.
    """

    base: MGDA

    @property
    def degree(self) -> float:
        return 0.0

    def solve(self, form: CosineForm, generator: torch.Generator | None) -> Solution:
        """MGDA's weights of the unit rows, over the rows' lengths; ``gap`` is that of the unit rows."""
        unit = replace(form, lengths=[1.0] * len(form.live), scale=1.0)
        found = self.base.solve(unit, generator)
        if not found.weights:  # there is a zero row
            return found
        return found._replace(weights=[weight / form.scale for weight in form.over_lengths(found.weights)])


@dataclass(frozen=True)
class PCGradOnItself(PCGrad):
    """PCGrad whose random order of tasks includes the own one: ``<p, g_i> < 0`` can happen once p has moved (m >= 3).

    ``reduction`` as for PCGrad; the authors' code sums.
    """

    def solve(self, form: CosineForm, generator: torch.Generator | None) -> Solution:
        """Coefficients of the projected gradients over the unit rows, each through its own order of all m tasks."""
        count = len(form.live)
        total = torch.zeros(count, dtype=torch.float64)
        for task, length in enumerate(form.lengths):
            own = length * torch.eye(count, dtype=torch.float64)[task]
            for other in torch.randperm(count, generator=generator).tolist():
                own[other] -= min(float(own @ form.cosines[other]), 0.0)
            total += own
        divisor = form.tasks if self.reduction == "mean" else 1
        return Solution((total / form.norms / divisor).tolist())


Folder = Literal["multi_mnist", "times_tasks", "unit_rows"]
"""``multi_mnist``: as in the code's folder for Multi-MNIST; ``times_tasks``: where MGDA is multiplied by m;
``unit_rows``: that of NYUv2, where MGDA divides every loss and flat gradient by its own norm."""

_MULTI_MNIST: dict[AggregatorName, Aggregator] = {
    "Mean": Mean(),
    "MGDA": MGDA(),
    "PCGrad": PCGradOnItself(),
    "CAGrad": CAGrad(c=0.4, rescale=1),
    "IMTLG": IMTLG(),
}


def authors(folder: Folder) -> Mapping[AggregatorName, Aggregator]:
    """The preset ``authors``: their conventions, by the method's name.

    Raises:
        InvalidInput: an unknown folder.
    """
    match folder:
        case "multi_mnist":
            return dict(_MULTI_MNIST)
        case "times_tasks":
            return _MULTI_MNIST | {"MGDA": TimesTasks(MGDA())}
        case "unit_rows":
            return _MULTI_MNIST | {"MGDA": OnUnitRows(MGDA())}
    rule = "multi_mnist, times_tasks or unit_rows"
    raise InvalidInput("the preset is unknown", "folder", folder, rule, "name one of them")
