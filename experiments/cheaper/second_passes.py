"""Variants whose second pass itself is cheaper: fewer examples, one point for all tasks, fewer layers, or SAMO."""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from experiments.cheaper.passes import Moves, Passes, passes
from experiments.cheaper.variant import (
    START,
    DivisibleLosses,
    LossFunction,
    Setup,
    StagedLosses,
    State,
    base_cost,
    check_share,
)
from flatmtl_core.errors import InvalidInput, check_choice, check_number
from flatmtl_core.parameters import Blocks
from flatmtl_core.task_gradients import HeadGrads


@dataclass(frozen=True)
class PartOfBatch:
    """The flat part from a share g of the batch: both of its gradients from the SAME examples.

    With P the first g of the batch and R the rest: ``G = g G_P + (1-g) G_R``, ``eps_i = rho G_i/||G_i||``,
    ``flat_i = S_P,i(theta + eps_i) - G_P,i``; result ``A(G) + A(flat)``, heads ``G_i + flat_i`` of theirs.
    (``S_P - G`` would hold the difference between part and batch, which is as large as the gradients themselves.)

    Exact: G, and with it the loss part and the points; not so where batch normalisation couples the examples (then G
    is the gradient of losses normalised part by part, and running statistics move twice a step). The flat rows are
    unbiased over the choice of P: batches must be shuffled. g = 1 is the exact step.

    Cost: ``f + m(1-f) + g m``: in pass 1 the two parts together cost one pass. Keeps m d more numbers.

    Args:
        share: g, in (0, 1]; rounded to at least one example.
    """

    share: float

    def __post_init__(self) -> None:
        check_share("share", self.share, positive=True)

    def cost(self, m: int, f: float) -> float:
        return base_cost(m, f) + self.share * m

    def step(self, setup: Setup, losses: DivisibleLosses, state: State = START) -> State:
        examples = losses.examples
        count = max(1, round(self.share * examples))
        part, weight = losses.part(0, count), count / examples
        with passes(setup) as step:
            batch, own, second = (step.buffer(name) for name in ("rows", "rows of the part", "perturbed rows"))
            own_heads = step.gradients(part(setup.tasks), setup.tasks, own)
            first = own_heads
            if count < examples:
                rest = losses.part(count, examples)
                others = step.gradients(rest(setup.tasks), setup.tasks, batch)
                batch.mul_(1 - weight).add_(own, alpha=weight)
                first = [_sum((weight, one), (1 - weight, two)) for one, two in zip(own_heads, others, strict=True)]
            else:
                batch.copy_(own)
            result = step.aggregate(batch)
            step.first_pass_is_over()
            heads: list[HeadGrads] = []
            for task in setup.tasks:
                step.perturb(step.pieces(batch[task]), {task: first[task]})
                (sam,) = step.gradients(part((task,)), (task,), second)
                heads.append(_sum((1, first[task]), (1, sam), (-1, own_heads[task])))
            result.add_(step.aggregate(second.sub_(own)))
        step.write(result, heads, first)
        return State(state.steps + 1)


def _sum(*terms: tuple[float, HeadGrads]) -> HeadGrads:
    """Linear combination of gradients of one head; a parameter that not all of them reach has none."""
    found: list[Tensor | None] = []
    for gradients in zip(*(heads.gradients for _, heads in terms), strict=True):
        weighted = [weight * one for (weight, _), one in zip(terms, gradients, strict=True) if one is not None]
        found.append(torch.stack(weighted).sum(0) if len(weighted) == len(terms) else None)
    reached = zip(*(heads.reached for _, heads in terms), strict=True)
    return HeadGrads(tuple(found), tuple(any(one) for one in reached))


@dataclass(frozen=True)
class SharedPerturbation:
    """One point for all tasks: the trunk moves along the mean gradient, every head along its own.

    ``eps_sh = rho_sh g/||g||`` with ``g = (1/m) sum_i g_sh^i``, ``eps_ns^i`` as in the exact step; all m SAM gradients
    come from one forward there; result ``A(g^loss) + A(g^SAM - g^loss)``. m = 1 is the exact step.

    Changes: the trunk's ball is that of the mean loss, so that the tasks' flat gradients are no longer those of their
    own worst directions.

    Cost: ``2(f + m(1-f))``.
    """

    def cost(self, m: int, f: float) -> float:
        return 2 * base_cost(m, f)

    def step(self, setup: Setup, losses: LossFunction, state: State = START) -> State:
        with passes(setup) as step:
            rows, second = step.buffer("rows"), step.buffer("perturbed rows")
            first = step.gradients(losses(setup.tasks), setup.tasks, rows)
            result = step.aggregate(rows)
            step.first_pass_is_over()
            step.perturb(step.pieces(rows.mean(0)), dict(enumerate(first)))
            heads = step.gradients(losses(setup.tasks), setup.tasks, second)
            result.add_(step.aggregate(second.sub_(rows)))
        step.write(result, heads, first)
        return State(state.steps + 1)


@dataclass(frozen=True)
class LastLayers:
    """Only the trunk's layers behind a cut (and the head) are perturbed; the prefix runs forward once a step.

    ``eps_i = rho_sh g_i/||g_i||`` with g_i the gradient in the last layers alone (their own ball), 0 in the prefix;
    the activations at the cut are those of pass 1. The flat gradient is taken in all shared parameters (``all``: the
    backward runs through the prefix's graph of pass 1, which is kept) or in the last layers only (``last``: no
    backward through the prefix; its flat part is 0). Result ``A(g^loss) + A(g^flat)``. With the cut in front of all
    layers both are the exact step.

    Cost, with b the share of U that is spent behind the cut (trunk layers and heads, taken to be the same in the
    forward and in the backward): ``f + m(1-f) + m b`` (``last``), ``f + m(1-f) + m(b f + 1 - f)`` (``all``).

    Args:
        reach: see above.
        behind: b, in (0, 1]; it enters the cost only, and 1 is its upper limit.
    """

    reach: Literal["last", "all"] = "last"
    behind: float = 1.0

    def __post_init__(self) -> None:
        check_choice("reach", self.reach, ("last", "all"))
        check_share("behind", self.behind, positive=True)

    def cost(self, m: int, f: float) -> float:
        second = self.behind if self.reach == "last" else self.behind * f + 1 - f
        return base_cost(m, f) + m * second

    def step(self, setup: Setup, losses: StagedLosses, state: State = START) -> State:
        through = self.reach == "all"
        with passes(setup):  # undoes the prefix after an error
            activations = losses.prefix()
            # Starts where every suffix starts, and leaves the prefix's buffers alone: its graph is still needed.
            with passes(replace(setup, model=losses.behind)) as step:
                rows = step.buffer("rows")
                first = step.gradients(losses.suffix(activations, setup.tasks), setup.tasks, rows, keep_graph=through)
                if not through:
                    activations = activations.detach()
                result = step.aggregate(rows)
                step.first_pass_is_over()
                positions = _positions(losses, step.blocks)
                chosen = step.blocks
                if not through:
                    chosen = Blocks(tuple(step.blocks.shared[i] for i in positions), chosen.heads, chosen.names)
                second = step.buffer("perturbed rows", sum(chosen.sizes))
                heads: list[HeadGrads] = []
                for task in setup.tasks:
                    pieces = step.pieces(rows[task])
                    step.perturb({index: pieces[index] for index in positions}, {task: first[task]})
                    values = losses.suffix(activations, (task,))
                    kept = through and task != setup.tasks[-1]
                    (sam,) = step.gradients(values, (task,), second, keep_graph=kept, blocks=chosen)
                    heads.append(HeadGrads(sam.gradients, first[task].reached))
                    mine = pieces.values() if through else [pieces[index] for index in positions]
                    for piece, loss_piece in zip(chosen.pieces(second[task]), mine, strict=True):
                        piece.sub_(loss_piece)
                flat = chosen.pieces(step.aggregate(second))
                target = step.pieces(result)
                for index, piece in zip(target if through else positions, flat, strict=True):
                    target[index].add_(piece)
        step.write(result, heads, first)
        return State(state.steps + 1)


def _positions(losses: StagedLosses, blocks: Blocks) -> list[int]:
    """Where the parameters behind the cut stand among the shared ones."""
    behind = {id(parameter) for module in losses.behind for parameter in module.parameters()}
    positions = [index for index, parameter in enumerate(blocks.shared) if id(parameter) in behind]
    if not positions:
        rule = "at least one trainable shared parameter behind the cut"
        remedy = "cut the trunk in front of its last layer"
        raise InvalidInput("nothing can be perturbed", "losses.behind", f"{len(behind)} others", rule, remedy)
    return positions


@dataclass(frozen=True)
class SAMO:
    """SAMO: a perturbation between the mean loss's gradient and a forward-only estimate of each task's own.

    With ``g_0`` the gradient of the mean loss and, for each task, z ~ N(0, I):
    ``h_i = (L_i(theta + mu z) - L_i(theta - mu z))/(2 mu) z``, scaled in every parameter tensor to the length of g_0
    there; ``v_i = alpha g_0 + (1 - alpha) h_i``; ``eps_i = rho_sh v_i/||v_i||``; result ``A(g^SAM)`` (``direct``: there
    are no task gradients at theta to take a flat part from). Heads move along their own gradient.

    Ban, Subramani, Ji: SAMO, ICCV 2025, arXiv 2507.07883. The formula is that of their public code (OptMN-Lab/SAMO,
    where ``beta = 1 - alpha`` and ``mu = 0.01``), as the text of the paper was not at hand: mixture parameter by
    parameter, one norm over the trunk, a head's own norm. Their code puts the network into evaluation mode for the
    estimate; here it stays in its mode. The estimate's length cancels: only the sign of the difference of the losses
    acts; a zero difference gives ``h_i = 0``.

    Cost: ``1 + m(1 + 2f)``.

    Args:
        alpha: share of g_0, in [0, 1]; the paper tries 0.3, 0.5, 0.7. alpha = 1: one perturbation for all tasks.
        mu: step of the estimate, > 0.
    """

    alpha: float = 0.5
    mu: float = 0.01

    def __post_init__(self) -> None:
        check_share("alpha", self.alpha, positive=False)
        check_number("mu", self.mu, positive=True)

    def cost(self, m: int, f: float) -> float:
        return 1 + m * (1 + 2 * f)

    def step(self, setup: Setup, losses: LossFunction, state: State = START) -> State:
        generator = setup.need_generator()
        with passes(setup) as step:
            first, gradient = _mean_gradient(step, losses)
            step.first_pass_is_over()
            rows = step.buffer("perturbed rows")
            heads: list[HeadGrads] = []
            for task in setup.tasks:
                own = self._estimate(step, losses, task, gradient, generator)
                point = {i: self.alpha * g + (1 - self.alpha) * own[i] for i, g in gradient.items()}
                step.perturb(point, {task: first[task]})
                heads += step.gradients(losses((task,)), (task,), rows)
            result = step.aggregate(rows)
        step.write(result, heads, first)
        return State(state.steps + 1)

    def _estimate(
        self, step: Passes, losses: LossFunction, task: int, gradient: Moves, generator: torch.Generator
    ) -> dict[int, Tensor]:
        """``h_i``, by two forwards."""
        noise = {
            index: torch.randn(g.shape, dtype=g.dtype, generator=generator).to(g.device)
            for index, g in gradient.items()
        }
        values: list[Tensor] = []
        for factor in (self.mu, -self.mu):
            step.shift(noise, factor)
            with torch.no_grad():
                values.append(losses((task,))[0].detach())
        sign = (values[0] - values[1]).sign()
        return {index: z * (sign * gradient[index].norm() / z.norm()) for index, z in noise.items()}


def _mean_gradient(step: Passes, losses: LossFunction) -> tuple[list[HeadGrads], dict[int, Tensor]]:
    """One backward of the mean loss: per head its share of it, and ``g_0`` by shared parameter."""
    blocks, tasks = step.blocks, step.setup.tasks
    joint = Blocks(blocks.shared, (blocks.all()[len(blocks.shared) :],), blocks.names)
    row = step.buffer("rows")
    (found,) = step.gradients([torch.stack(list(losses(tasks))).mean()], (0,), row, blocks=joint)
    parts = iter(found.gradients)
    heads = [HeadGrads(tuple(next(parts) for _ in head), found.reached) for head in blocks.heads]
    return heads, step.pieces(row[0])
