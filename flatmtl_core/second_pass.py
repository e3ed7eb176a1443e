"""Pass 2: the gradients at the perturbed parameters, and the aggregation that the chosen mode makes of both passes."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor

from flatmtl_core.aggregate import aggregate_rows, refuse_non_finite, refuse_row
from flatmtl_core.errors import InvalidInput, check_choice, check_number
from flatmtl_core.first_pass import FirstPass, Reduce, head_norms, reduce_heads, refuse_heads
from flatmtl_core.linalg import Measured, inner, measure, norm, safe_exponent
from flatmtl_core.parameters import Blocks
from flatmtl_core.perturb import head_radius_factor, move, shared_radius_factor
from flatmtl_core.task_gradients import HeadGrads, check_losses, gradient_into
from flatmtl_core.transaction import Transaction
from flatmtl_core.types import Aggregator, Direction, TaskGrads, Weighted
from flatmtl_core.workspace import Workspace

Combine: TypeAlias = Literal["decomposed", "direct", "second", "each"]
_PERTURBED = " at its perturbed parameters"

LossFunction: TypeAlias = Callable[[tuple[int, ...]], Sequence[Tensor]]


@dataclass(frozen=True)
class Setting:
    """The choices of one step, checked."""

    rho_shared: float
    rho_heads: float
    combine: Combine
    norm: Literal["separate", "joint"]
    adaptive: bool
    same_noise: bool

    def __post_init__(self) -> None:
        check_number("rho_shared", self.rho_shared)
        check_number("rho_heads", self.rho_heads)
        check_choice("combine", self.combine, get_args(Combine))
        check_choice("norm", self.norm, ("separate", "joint"))
        if self.norm == "joint" and self.rho_shared != self.rho_heads:
            found = f"rho_shared={self.rho_shared}, rho_heads={self.rho_heads}"
            raise InvalidInput("one ball has one radius", "norm", found, "equal radii", "or use norm='separate'")

    @property
    def perturbs(self) -> bool:
        """Whether there is a second pass."""
        return self.rho_shared > 0 or self.rho_heads > 0


@dataclass
class SecondPass:
    """Lines 3 to 5 of Algorithm 1, on the rows that pass 1 left."""

    setting: Setting
    blocks: Blocks
    first: FirstPass
    aggregator: Aggregator
    generator: torch.Generator | None
    workspace: Workspace

    def __post_init__(self) -> None:
        blocks, self.rows, self.heads = self.blocks, self.first.rows, self.first.heads
        self.pair: TaskGrads = self.workspace.take("pair", (2, self.rows.shape[1]), blocks.dtype, blocks.device)
        self.result: Direction = self.pair[0]
        self.spare: Direction = self.pair[1]
        self.perturbed: list[Tensor] = []
        self.intra: list[Tensor] = []
        self.flat_norms: list[Tensor] = []
        self.flat: Measured | None = None
        self.weighted: dict[str, Weighted | None] = {}

    def aggregate_loss(self) -> None:
        """``g^loss = A(g^{1,loss}, .., g^{m,loss})`` while the rows still hold the loss gradients."""
        if self.setting.combine in ("decomposed", "second"):
            measured = self.first.measured
            self.weighted["loss"] = aggregate_rows(self.aggregator, measured, self.rows, self.generator, self.result)

    def second_pass(self, losses: LossFunction, transaction: Transaction, reduce: Reduce | None) -> None:
        """For every task: perturb, forward, backward; its row becomes what ``combine`` needs.

        Paper: eq. 14
        """
        starts = transaction.save_parameters()
        shared_count = len(self.blocks.shared)
        self.heads = list[HeadGrads]()
        position = shared_count
        for task, head in enumerate(self.blocks.heads):
            own = starts[position : position + len(head)]
            position += len(head)
            transaction.rewind(random=self.setting.same_noise)
            self._perturb(task, starts[:shared_count], own)
            values = losses((task,))
            check_losses(values, (task,))
            self.perturbed.append(values[0].detach().to(self.blocks.device))
            found = gradient_into(self.spare, values[0], self.blocks, task, keep_graph=False)
            del values
            self.heads.append(found)
            if reduce is not None:
                reduce(self.spare)
                reduce_heads([found], reduce)
            with torch.no_grad():
                for parameter, start in zip(head, own, strict=True):
                    parameter.copy_(start)
            self._absorb(task)

    def _perturb(self, task: int, starts: tuple[Tensor, ...], own: tuple[Tensor, ...]) -> None:
        """``(theta_sh + eps_sh^i, theta_ns^i + eps_ns^i)`` in place."""
        setting, adaptive = self.setting, self.setting.adaptive
        shared_norm, head_norm = self.first.shared_norms[task], self.first.head_norms[task]
        if setting.norm == "joint":
            shared_norm = head_norm = math.hypot(shared_norm, head_norm)
        factor = shared_radius_factor(shared_norm, setting.rho_shared)
        pieces = self.blocks.pieces(self.rows[task])
        for parameter, start, piece in zip(self.blocks.shared, starts, pieces, strict=True):
            move(parameter, start, piece.to(start.dtype), factor, adaptive=adaptive)
        factor = head_radius_factor(head_norm, setting.rho_heads)
        gradients = self.first.heads[task].gradients
        for parameter, start, gradient in zip(self.blocks.heads[task], own, gradients, strict=True):
            if gradient is not None:
                move(parameter, start, gradient, factor, adaptive=adaptive)

    def _absorb(self, task: int) -> None:
        """Row i holds g^{i,loss} and ``spare`` g^{i,SAM}: ``g^{i,flat} = g^{i,SAM} - g^{i,loss}``.

        Paper: eq. 16
        """
        row = self.rows[task]
        if self.setting.combine == "direct":
            flat = self.spare - row
            self._compare(task, flat)
            row.copy_(self.spare)
            return
        torch.sub(self.spare, row, out=self.spare)
        self._compare(task, self.spare)
        if self.setting.combine == "each":
            self._aggregate_pair(task)
        else:
            row.copy_(self.spare)

    def _compare(self, task: int, flat: Direction) -> None:
        """Diagnostics that only exist while both parts of a task do."""
        exponent = safe_exponent(self.first.measured.norms[task], flat.dtype)
        self.intra.append(inner(self.rows[task], flat, exponent=exponent))
        if self.setting.combine in ("direct", "each"):
            self.flat_norms.append(norm([flat], flat))

    def _aggregate_pair(self, task: int) -> None:
        """``each``: row i becomes ``A(g^{i,loss}, g^{i,flat})``."""
        self.result.copy_(self.rows[task])
        measured = measure(self.pair)
        if not math.isfinite(measured.norms[1]):
            names = self.blocks.shared_names()
            refuse_row(task, self.spare, names=names, sizes=self.blocks.sizes, when=_PERTURBED)
        self.weighted[f"task {task}"] = aggregate_rows(
            self.aggregator, measured, self.pair, self.generator, self.rows[task]
        )

    def flat_lengths(self) -> Tensor:
        """``||g_i^flat||`` of every task."""
        return torch.stack(self.flat_norms) if self.flat is None else torch.tensor(self.flat.norms, dtype=torch.float64)

    def no_second_pass(self) -> None:
        """Both radii 0: the flat rows are exactly zero."""
        if self.setting.combine == "each":
            for task in range(len(self.blocks.heads)):
                self.spare.zero_()
                self._aggregate_pair(task)
        elif self.setting.combine == "second":
            self.rows.zero_()

    def aggregate_rest(self) -> None:
        """The second aggregation of the chosen mode; the result is the trunk's direction, in a vector of its own."""
        setting, blocks, fresh = self.setting, self.blocks, torch.empty_like(self.result)
        if not setting.perturbs and setting.combine == "decomposed":
            self.result = fresh.copy_(self.result)
            return
        riders = [head_norms(blocks, self.heads, adaptive=False)]
        measured = measure(self.rows, *riders)
        when = _PERTURBED if setting.perturbs else ""
        refuse_non_finite(measured, self.rows, names=blocks.shared_names(), sizes=blocks.sizes, when=when)
        refuse_heads(blocks, self.heads, measured.riders[0], when)
        name = {"direct": "sam", "each": "tasks"}.get(setting.combine, "flat")
        out = fresh if name != "flat" else self.spare
        self.weighted[name] = aggregate_rows(self.aggregator, measured, self.rows, self.generator, out)
        if name == "flat":
            self.flat = measured if setting.perturbs else None
        if setting.combine == "decomposed":
            torch.add(self.result, self.spare, out=fresh)
        elif setting.combine == "second":
            pair = measure(self.pair)
            self.weighted["pair"] = aggregate_rows(self.aggregator, pair, self.pair, self.generator, fresh)
        self.result = fresh
