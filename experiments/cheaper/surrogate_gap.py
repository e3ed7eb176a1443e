"""GSAM: SAM, and a step that closes the gap between the perturbed loss and the loss. For one loss: that of the mean."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from experiments.cheaper.passes import passes
from experiments.cheaper.variant import START, LossFunction, Setup, State
from flatmtl_core.errors import InvalidInput, check_number
from flatmtl_core.linalg import inner, safe_exponent, to_floats, to_host
from flatmtl_core.linalg import norm as length_of
from flatmtl_core.task_gradients import HeadGrads


@dataclass(frozen=True)
class GSAM:
    """``g^p - alpha g_perp``, where ``g_perp = g - (<g, g^p>/||g^p||^2) g^p``.

    ``g`` is the gradient of the loss at theta and ``g^p`` that at the perturbed point of SAM. Its second part climbs
    along ``g_perp``: to first order that lowers the surrogate gap ``L(theta + eps) - L(theta)`` and leaves
    ``L(theta + eps)`` as it is.

    Zhuang, Gong, Yuan, Cui, Adam, Dvornek, Tatikonda, Duncan, Liu: Surrogate Gap Minimization Improves Sharpness-Aware
    Training, ICLR 2022, arXiv 2203.08065 (their radius follows the learning rate, which is constant here).

    The paper has one ball and one decomposition of all parameters: that is ``norm="joint"``. With ``separate`` balls
    trunk and head are taken apart each by itself: ``g_perp`` is orthogonal to ``g^p`` in each block and so in both.
    Where ``g^p`` is zero, nothing is parallel to it: ``g_perp = g``. Adaptive balls change the point only.

    Cost: 2, as SAM.

    Args:
        alpha: weight of the orthogonal part, >= 0; 0 is SAM.

    The aggregator sees one row: take `flatmtl_core.Mean`.
    """

    alpha: float

    def __post_init__(self) -> None:
        check_number("alpha", self.alpha)

    def cost(self, m: int, f: float) -> float:
        return 2.0

    def step(self, setup: Setup, losses: LossFunction, state: State = START) -> State:
        if setup.tasks != (0,):
            remedy = "pass the mean of the losses as one loss and all heads as one"
            raise InvalidInput("GSAM is for one loss", "heads", f"{len(setup.heads)} tasks", "one task", remedy)
        with passes(setup) as step:
            rows, second = step.buffer("rows"), step.buffer("perturbed rows")
            (first,) = step.gradients(losses((0,)), (0,), rows)
            step.aggregate(rows)  # refuses what is not finite
            step.first_pass_is_over()
            step.perturb(step.pieces(rows[0]), {0: first})
            (sam,) = step.gradients(losses((0,)), (0,), second)
            pairs = [
                (plain, perturbed)
                for plain, perturbed in zip(first.gradients, sam.gradients, strict=True)
                if plain is not None and perturbed is not None
            ]
            blocks = [[(rows[0], second[0])], pairs]
            for block in [[*blocks[0], *blocks[1]]] if setup.norm == "joint" else blocks:
                _remove_orthogonal(block, self.alpha)
            result = step.aggregate(second)
        step.write(result, [HeadGrads(sam.gradients, sam.reached)], [first])
        return State(state.steps + 1)


def _remove_orthogonal(block: Sequence[tuple[Tensor, Tensor]], alpha: float) -> None:
    """``g^p <- g^p - alpha (g - c g^p)`` in place, c the coefficient of the projection of all of the block's g."""
    if not block:
        return
    length = to_floats(*to_host(length_of([perturbed for _, perturbed in block], block[0][1])))[0]
    exponent = safe_exponent(length, block[0][1].dtype)
    product, square = (
        sum(
            (inner(one.reshape(-1), perturbed.reshape(-1), exponent=exponent) for one, perturbed in rows),
            start=torch.zeros((), dtype=torch.float64),
        )
        for rows in (block, [(perturbed, perturbed) for _, perturbed in block])
    )
    coefficient = to_floats(product / square)[0] if float(square) > 0 else 0.0
    for plain, perturbed in block:
        perturbed.sub_(plain - coefficient * perturbed, alpha=alpha)
