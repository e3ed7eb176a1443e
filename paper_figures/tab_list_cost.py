"""Table C.2: what the laptop list costs in core-hours, and where the time of a run goes."""

import math
import statistics
from collections.abc import Sequence

import msgspec

from experiments.catalog import LAPTOP_CORE_HOURS
from experiments.costs import STORED, Costs, KindCost, core_hours, of_one_run, outside, outside_gate, read_costs
from experiments.spec import method_label
from paper_figures.exhibit import Columns, FileExhibit, StoredFile, Table, distinct
from paper_figures.runs import PROBLEM_TITLES, RHO

_CLASSIFIED = ("Table R1.8", "Fig. R1.2")
_OVERLAYS = ("Table 1", "Fig. 3", *_CLASSIFIED)
SHOWN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("adult", "yeast", "vader"), ("Table B.1", *_CLASSIFIED)),
    **dict.fromkeys(("multi_fashion", "multi_fashion_mnist", "multi_mnist"), _OVERLAYS),
    "rooms": ("Tables 3 and 7",),
    "streets": ("Tables 4 and 5",),
}
"""Which exhibits show the runs of a problem, beside those of cost and of bounds."""


class ListCostRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of run: processor seconds of a whole one by part, measured in ``timed`` whole runs or predicted.

    ``core_hours``: of all ``runs``; ``stored_core_hours``: of those that are stored. Over the step: ``outside``
    (batches, running means, checkpoints), ``probe`` and ``evaluation`` (validation and test).
    ``ratio``: predicted over measured seconds of the epochs, where whole runs are stored.
    """

    problem: str
    method: str
    runs: int
    stored: int
    timed: int
    seconds: float
    core_hours: float
    stored_core_hours: float
    step_seconds: float
    outside: float
    probe: float
    evaluation: float
    ratio: float | None


def data(found: Costs) -> tuple[ListCostRow, ...]:
    """Every kind, in the order of the list."""
    return tuple(_row(cost) for cost in found.kinds)


def _row(cost: KindCost) -> ListCostRow:
    parts = cost.parts or cost.predicted
    whole, stored = core_hours([cost])
    epochs = math.fsum(cost.predicted[part] for part in ("batches", "step", "running means"))
    return ListCostRow(
        problem=cost.spec.problem,
        method=method_label(cost.spec),
        runs=cost.runs,
        stored=cost.stored,
        timed=cost.timed,
        seconds=of_one_run(cost),
        core_hours=whole,
        stored_core_hours=stored,
        step_seconds=parts["step"] / (cost.spec.epochs * math.ceil(cost.spec.n_train / cost.spec.batch_size)),
        outside=outside(parts),
        probe=parts["probe"] / parts["step"],
        evaluation=(parts["validation"] + parts["test"]) / parts["step"],
        ratio=None if cost.training is None else epochs / cost.training,
    )


def table(rows: Sequence[ListCostRow]) -> Table:
    """One line a problem, then the whole list."""

    def line(name: str, shown: str, own: Sequence[ListCostRow]) -> tuple[str, ...]:
        ratios = [row.ratio for row in own if row.ratio is not None]
        return (
            name,
            shown,
            f"{sum(row.runs for row in own)}",
            f"{sum(row.stored for row in own)}",
            f"{math.fsum(row.core_hours for row in own):.2f}",
            f"{math.fsum(row.stored_core_hours for row in own):.2f}",
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})" if ratios else "",
        )

    problems = distinct(row.problem for row in rows)
    return Table(
        columns=(
            Columns("", ("Problem",)),
            Columns("", ("Shown in",), cells="text"),
            Columns("Runs", ("listed", "stored")),
            Columns("Core-hours", ("of all", "of stored ones")),
            Columns("", ("predicted / measured",)),
        ),
        sections=(
            (
                "",
                tuple(
                    line(PROBLEM_TITLES[name], ", ".join(SHOWN[name]), [row for row in rows if row.problem == name])
                    for name in problems
                ),
            ),
            ("", (line("All", "", rows),)),
        ),
    )


def details(rows: Sequence[ListCostRow]) -> Table:
    """One section a problem, one line a kind of run."""
    return Table(
        title="Where the processor time of a run goes",
        columns=(
            Columns("", ("Method", "measured in")),
            Columns("One run", ("CPU s", "ms per step")),
            Columns("Over the step (%)", ("outside the step", "probe", "validation and test")),
        ),
        sections=tuple(
            (
                PROBLEM_TITLES[problem],
                tuple(
                    (
                        row.method,
                        f"{row.timed} whole" if row.timed else "shortened",
                        f"{row.seconds:.1f}",
                        f"{1000 * row.step_seconds:.1f}",
                        f"{100 * row.outside:.1f}",
                        f"{100 * row.probe:.1f}",
                        f"{100 * row.evaluation:.1f}",
                    )
                    for row in rows
                    if row.problem == problem
                ),
            )
            for problem in distinct(row.problem for row in rows)
        ),
    )


def caption(found: Costs) -> str:
    """What the list takes of its budget, how that was found, and what a training step takes beside the step."""
    hours, _ = core_hours(found.kinds)
    gate = outside_gate(found.kinds)
    steps = (
        f" Gate: with LeNet batches, running means and checkpoints take at most {100 * gate.measured.median:.1f} % of "
        f"the step (limit {100 * gate.limit:g} %): {'met' if gate.met else 'MISSED'}."
        if gate
        else ""
    )
    source = found.provenance
    return (
        f"The list {found.name} takes {hours:.1f} core-hours, of {LAPTOP_CORE_HOURS} set for it. A kind is all runs "
        f"that differ in nothing but seed, {RHO}, learning rate and options of the aggregator. Its costs are the means "
        "of stored whole runs that name their parts, or else those of one shortened run, each part scaled by steps, "
        "epochs or examples; the last column of the first table says how good that is."
        f"{steps} What comes once an epoch, probe and evaluation, is said apart. "
        "Processor time of one thread, without loading data; "
        f"{source.machine}, torch {source.torch}, {source.started[:10]}."
    )


def provenance(found: Costs) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Of the shortened runs."""
    source = found.provenance
    return (
        ("Commit", (source.commit + (" with uncommitted changes" if source.dirty else ""),)),
        ("PyTorch", (source.torch,)),
        ("Machine", (source.machine,)),
        ("Threads", (str(source.threads),)),
    )


COSTS = StoredFile(
    name=STORED.name,
    title="Costs of the laptop list",
    command="python -m experiments costs laptop --keep",
    read=read_costs,
    provenance=provenance,
)

EXHIBIT = FileExhibit(
    name="table_c_2_list_cost",
    location="Table C.2",
    title="What the laptop list costs",
    file=COSTS,
    data=data,
    table=table,
    caption=caption,
    details=details,
)
