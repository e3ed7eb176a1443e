"""What the variants with a second pass of their own share: gradients here, a point nearby, and the way back.

The core's own parts (blocks, transaction, perturbation, gradients) in another order, so that the promises of
`flatmtl_core.sam_mtl_backward` about errors hold here too.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from experiments.cheaper.variant import Setup
from flatmtl_core.aggregate import check_aggregator
from flatmtl_core.errors import InvalidInput, check_number
from flatmtl_core.linalg import norm, to_floats, to_host
from flatmtl_core.parameters import Blocks, collect_blocks, collect_modules
from flatmtl_core.perturb import dual_weight, head_radius_factor, move, shared_radius_factor
from flatmtl_core.task_gradients import HeadGrads, check_losses, gradient_into, write_gradients
from flatmtl_core.transaction import Transaction
from flatmtl_core.types import Direction, TaskGrads

Moves = Mapping[int, Tensor]
"""A vector for each shared parameter that moves, by its position among the shared ones."""


class Passes:
    """One iteration under way: inside the block of `passes` the model may move, outside it is where it was."""

    def __init__(self, setup: Setup, blocks: Blocks, transaction: Transaction) -> None:
        self.setup, self.blocks, self.transaction = setup, blocks, transaction
        self._starts: dict[int, tuple[Tensor, Tensor]] = {}
        self._moved: set[int] = set()

    def buffer(self, name: str, columns: int | None = None) -> TaskGrads:
        """A kept (m, d) matrix, uninitialised; d: ``columns``, or all shared parameters."""
        shape = (len(self.setup.tasks), sum(self.blocks.sizes) if columns is None else columns)
        return self.setup.workspace.take(name, shape, self.blocks.dtype, self.blocks.device)

    def gradients(
        self,
        values: Sequence[Tensor],
        tasks: Sequence[int],
        rows: TaskGrads,
        *,
        keep_graph: bool = False,
        blocks: Blocks | None = None,
    ) -> list[HeadGrads]:
        """``g_sh^i`` into the rows of these tasks and ``g_ns^i``, by one backward a task.

        Args:
            rows: (m, d), one row for every task.
            blocks: what is differentiated; None: everything.
        """
        check_losses(values, tasks)
        blocks = self.blocks if blocks is None else blocks
        return [
            gradient_into(rows[task], value, blocks, task, keep_graph=keep_graph or task != tasks[-1])
            for task, value in zip(tasks, values, strict=True)
        ]

    def aggregate(self, rows: TaskGrads) -> Direction:
        """``A(rows)``, (d,)."""
        return self.setup.aggregator(rows, generator=self.setup.generator)

    def first_pass_is_over(self) -> None:
        """On success buffers and random states shall be as they are now; parameters may move from here on."""
        self.transaction.keep(random=True)
        parameters = self.blocks.all()
        starts = self.transaction.save_parameters()
        self._starts = {id(one): (one, start) for one, start in zip(parameters, starts, strict=True)}

    def perturb(self, trunk: Moves, heads: Mapping[int, HeadGrads]) -> None:
        """``(theta_sh + rho_sh g/||g||, theta_ns^i + rho_ns g_ns^i/||g_ns^i||)``, from the parameters of the start.

        One joint ball, or adaptive ones, where the setup says so.

        Args:
            trunk: the gradient in each shared parameter that moves.
            heads: the gradient in each head that moves, by task.

        Raises:
            InvalidInput: a joint ball for several heads at once.
        """
        setup = self.setup
        moving = {
            task: [
                (parameter, gradient)
                for parameter, gradient in zip(self.blocks.heads[task], found.gradients, strict=True)
                if gradient is not None
            ]
            for task, found in heads.items()
        }
        length = self._length([(self.blocks.shared[index], vector) for index, vector in trunk.items()])
        lengths = {task: self._length(pairs) for task, pairs in moving.items()}
        if setup.norm == "joint":
            if len(lengths) != 1:
                rule, remedy = "one head moves at a time", "use norm='separate'"
                raise InvalidInput("one ball for several heads", "norm", f"{len(lengths)} heads", rule, remedy)
            length = math.hypot(length, *lengths.values())
            lengths = dict.fromkeys(lengths, length)
        self.shift(trunk, shared_radius_factor(length, setup.rho_shared), adaptive=setup.adaptive)
        for task, pairs in moving.items():
            factor = head_radius_factor(lengths[task], setup.rho_heads)
            for parameter, gradient in pairs:
                self._move(parameter, gradient, factor, adaptive=setup.adaptive)

    def shift(self, trunk: Moves, factor: float, *, adaptive: bool = False) -> None:
        """``theta_sh + factor * v``; all else, buffers and random numbers included, as at the entry.

        Adaptive: ``w^2 v`` for ``v``. Parameters that never moved are not touched: graphs through them stay valid.
        """
        self.transaction.rewind(random=True)
        with torch.no_grad():
            for moved in self._moved:
                parameter, start = self._starts[moved]
                parameter.copy_(start)
        self._moved = set()
        for index, vector in trunk.items():
            self._move(self.blocks.shared[index], vector, factor, adaptive=adaptive)

    def _move(self, parameter: Tensor, vector: Tensor, factor: float, *, adaptive: bool) -> None:
        self._moved.add(id(parameter))
        move(parameter, self._starts[id(parameter)][1], vector.to(parameter.dtype), factor, adaptive=adaptive)

    def _length(self, pairs: Sequence[tuple[Tensor, Tensor]]) -> float:
        """Dual norm of the gradients, each beside its parameter, at the parameters of the start."""
        pieces = [
            dual_weight(self._starts[id(parameter)][1], gradient, adaptive=self.setup.adaptive)
            for parameter, gradient in pairs
        ]
        return to_floats(*to_host(norm(pieces, self.blocks.shared[0])))[0]

    def pieces(self, row: Direction) -> dict[int, Tensor]:
        """A (d,) vector by shared parameter, as views."""
        return dict(enumerate(self.blocks.pieces(row)))

    def write(self, result: Direction, heads: Sequence[HeadGrads], first: Sequence[HeadGrads]) -> None:
        """Add to ``.grad``: the trunk's direction and the heads' gradients (``first``: of the first pass)."""
        write_gradients(self.blocks, result, heads, first)


@contextmanager
def passes(setup: Setup) -> Iterator[Passes]:
    """Check the arguments and guard the model until the block ends; then call ``Passes.write``."""
    check_aggregator(setup.aggregator)
    check_number("rho_shared", setup.rho_shared)
    check_number("rho_heads", setup.rho_heads)
    modules = collect_modules(setup.model)
    blocks = collect_blocks(setup.shared, setup.heads, modules)
    with Transaction(blocks, modules, setup.workspace, setup.generator) as transaction:
        yield Passes(setup, blocks, transaction)
