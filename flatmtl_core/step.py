"""Algorithm 1: one iteration of sharpness-aware multi-task learning, written where ``loss.backward()`` stood."""

from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from flatmtl_core.aggregate import aggregate_rows, check_aggregator
from flatmtl_core.first_pass import FirstPass, Reduce, first_pass
from flatmtl_core.parameters import collect_blocks, collect_modules
from flatmtl_core.report import StepReport
from flatmtl_core.second_pass import Combine, LossFunction, SecondPass, Setting
from flatmtl_core.task_gradients import check_callable, write_gradients
from flatmtl_core.transaction import Transaction
from flatmtl_core.types import Aggregator, Weighted
from flatmtl_core.workspace import Workspace


def mtl_backward(
    losses: Sequence[Tensor],
    *,
    shared: Iterable[Tensor],
    heads: Iterable[Iterable[Tensor]],
    aggregator: Aggregator,
    generator: torch.Generator | None = None,
    workspace: Workspace | None = None,
) -> StepReport:
    """Add the aggregated gradient to ``.grad`` of the trunk and each head's own gradient to its ``.grad``.

    The base methods (no sharpness): ``g_sh = A(g_sh^1, .., g_sh^m)``, ``g_ns^i`` the gradient of ``L^i``.

    Args:
        losses: m 0-dim tensors of one forward; their graph is freed.
        shared: the trunk's parameters; frozen ones are skipped.
        heads: for each task the parameters that it owns (possibly none).
        aggregator: how the m gradients become one.
        generator: for aggregators that draw.
        workspace: keeps the buffers from step to step.

    Returns:
        StepReport without a second pass.

    Raises:
        InvalidInput, NonFinite: nothing was written.
    """
    check_aggregator(aggregator)
    blocks = collect_blocks(shared, heads)
    kept = Workspace() if workspace is None else workspace
    with Transaction(blocks, (), kept, generator):
        first = first_pass(losses, blocks, kept, adaptive=False, reduce=None)
        out = torch.empty_like(first.rows[0])
        weighted = aggregate_rows(aggregator, first.measured, first.rows, generator, out)
    write_gradients(blocks, out, first.heads, first.heads)
    return _report(first, None, {"loss": weighted})


def sam_mtl_backward(
    model: nn.Module | Sequence[nn.Module],
    losses: LossFunction,
    *,
    shared: Iterable[Tensor],
    heads: Iterable[Iterable[Tensor]],
    aggregator: Aggregator,
    rho_shared: float,
    rho_heads: float,
    combine: Combine = "decomposed",
    norm: Literal["separate", "joint"] = "separate",
    adaptive: bool = False,
    same_noise: bool = True,
    generator: torch.Generator | None = None,
    workspace: Workspace | None = None,
    reduce: Reduce | None = None,
) -> StepReport:
    """One iteration of sharpness-aware multi-task learning up to the optimizer's step; ``.grad`` is added to.

    ``g^{i,flat} = g^{i,SAM} - g^{i,loss}`` in the trunk; ``decomposed``: ``A(g^loss) + A(g^flat)``; ``direct``:
    ``A(g^SAM)``; ``second``: ``A(A(g^loss), A(g^flat))``; ``each``: ``A`` over tasks of ``A(g^{i,loss}, g^{i,flat})``.
    Heads receive their SAM gradient. With both radii 0 there is no second pass and the flat part is exactly zero.

    Paper: Algorithm 1

    Args:
        model: the module (or modules) whose buffers are protected.
        losses: given task indices, returns their 0-dim losses in that order, at the model's current parameters and
            for the same batch at every call; called once for all tasks, then once for each task.
        shared, heads, aggregator, generator, workspace: as for ``mtl_backward``.
        rho_shared, rho_heads: radii, >= 0, in the units of the parameters (of relative change when adaptive).
        combine: see above; ``second`` and ``each`` aggregate two rows.
        norm: ``separate`` balls for trunk and head (the paper) or one ``joint`` ball, which needs equal radii.
        adaptive: ``eps = rho w^2 g / || |w| g ||`` instead of ``rho g / ||g||``.
        same_noise: replay in the second pass the random numbers of the first (exact in the trunk; a head's own draws
            may shift with the list of tasks). If not, fresh ones are drawn and stay drawn.
        reduce: averages a tensor over processes in place; applied to every task gradient of both passes before it is
            used, so that all processes take the same direction.

    Returns:
        StepReport.

    Raises:
        InvalidInput, NonFinite, NotConverged, or whatever ``losses`` raises: parameters, buffers, random states and
        ``.grad`` are as they were.

    Notes:
        Two host transfers a step (m + 2 for ``each``, 3 for ``second``). On success buffers and random states are as
        the first pass left them.
    """
    setting = Setting(rho_shared, rho_heads, combine, norm, adaptive, same_noise)
    check_aggregator(aggregator, pairs=combine in ("second", "each"))
    check_callable(losses)
    modules = collect_modules(model)
    blocks = collect_blocks(shared, heads, modules)
    kept = Workspace() if workspace is None else workspace
    with Transaction(blocks, modules, kept, generator) as transaction:
        first = first_pass(losses(tuple(range(len(blocks.heads)))), blocks, kept, adaptive=adaptive, reduce=reduce)
        step = SecondPass(setting, blocks, first, aggregator, generator, kept)
        step.aggregate_loss()
        if setting.perturbs:
            transaction.keep(random=same_noise)
            step.second_pass(losses, transaction, reduce)
        else:
            step.no_second_pass()
        step.aggregate_rest()
    write_gradients(blocks, step.result, step.heads, first.heads)
    return _report(first, step, step.weighted)


def _report(first: FirstPass, step: SecondPass | None, weighted: dict[str, Weighted | None]) -> StepReport:
    second = step if step is not None and len(step.perturbed) > 0 else None
    flat = None if second is None else second.flat
    return StepReport(
        losses=first.losses,
        perturbed_losses=None if second is None else torch.stack(second.perturbed),
        loss_gramian=first.measured.unscaled(),
        flat_gramian=None if flat is None else flat.unscaled(),
        loss_norms=torch.tensor(first.measured.norms, dtype=torch.float64),
        flat_norms=None if second is None else second.flat_lengths(),
        intra_products=None if second is None else torch.stack(second.intra),
        head_norms=tuple(first.head_norms),
        weighted={name: value for name, value in weighted.items() if value is not None},
    )
