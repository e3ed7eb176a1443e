"""Table B.3: does a posterior that is trained on the bound beat the held-out certificate of its prior?"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import msgspec
from matplotlib.figure import Figure

from experiments.certificates.records import TaskCertificate
from experiments.certificates.trained_records import (
    COMMAND,
    FITTED_SHELF,
    STORED,
    Fitted,
    Outcome,
    fittings,
)
from experiments.spec import method_label
from paper_figures.exhibit import (
    ERM_COLOUR,
    FLAT_COLOUR,
    STYLE,
    Columns,
    FileExhibit,
    StoredFile,
    Table,
    distinct,
)
from paper_figures.provenance import of_runs
from paper_figures.runs import PROBLEM_TITLES
from paper_figures.tab_certificates import MAIN

KINDS = {"held out": "the prior itself", "trained": "trained on the bound"}


class TrainedRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One posterior of one data set, one task or the average: errors and bounds in percent, KL in nats.

    ``for_draws``, ``for_sample``: what the certificate adds to the risk of the draws, in points.
    """

    problem: str
    method: str
    kind: str
    quantity: str
    scale: float
    kl: float
    risk: float
    for_draws: float
    for_sample: float
    certificate: float
    test_risk: float
    centre_error: float


def read(folder: Path) -> tuple[Fitted, ...]:
    """The records of the list that the folder has, in the order of the list."""
    found = (FITTED_SHELF.find([folder], one) for one in fittings())
    return tuple(one for one in found if one is not None)


def _row(fitted: Fitted, kind: str, outcome: Outcome, quantity: str, one: TaskCertificate) -> TrainedRow:
    value = one.bounds[MAIN]
    return TrainedRow(
        problem=fitted.fitting.training.problem,
        method=method_label(fitted.fitting.training),
        kind=kind,
        quantity=quantity,
        scale=outcome.scale,
        kl=one.kl,
        risk=100 * one.risk,
        for_draws=100 * (one.risk_upper - one.risk),
        for_sample=100 * (value - one.risk_upper),
        certificate=100 * value,
        test_risk=100 * one.test_risk,
        centre_error=100 * one.centre_test_error,
    )


def data(content: Sequence[Fitted]) -> tuple[TrainedRow, ...]:
    """Both posteriors of every data set; the average first, then the tasks."""
    return tuple(
        _row(fitted, kind, outcome, quantity, one)
        for fitted in content
        for kind, outcome in (("held out", fitted.held_out), ("trained", fitted.trained))
        for quantity, one in (
            ("average", outcome.average),
            *((f"task {number}", task) for number, task in enumerate(outcome.tasks, start=1)),
        )
    )


def table(rows: Sequence[TrainedRow]) -> Table:
    """One section a data set."""
    return Table(
        columns=(
            Columns("", ("Posterior", "Of")),
            Columns("Certificate (%)", (MAIN,)),
            Columns("It consists of (points)", ("risk", "draws", "sample")),
            Columns("Test error (%)", ("randomised", "centre")),
            Columns("", ("KL", "scale")),
        ),
        sections=tuple(
            (
                f"{PROBLEM_TITLES[problem]}: {method}",
                tuple(
                    (
                        KINDS[row.kind],
                        row.quantity,
                        f"{row.certificate:.2f}",
                        f"{row.risk:.2f}",
                        f"{row.for_draws:.2f}",
                        f"{row.for_sample:.2f}",
                        f"{row.test_risk:.2f}",
                        f"{row.centre_error:.2f}",
                        f"{row.kl:.2f}",
                        f"{row.scale:g}",
                    )
                    for row in rows
                    if (row.problem, row.method) == (problem, method)
                ),
            )
            for problem, method in distinct((row.problem, row.method) for row in rows)
        ),
    )


def draw(rows: Sequence[TrainedRow]) -> Figure:
    """A panel a data set: certificate and test error of both posteriors, the average and every task."""
    problems = distinct(row.problem for row in rows)
    with plt.style.context(STYLE):
        figure, grid = plt.subplots(
            1, len(problems), figsize=(1.5 + 3.2 * len(problems), 2.6), layout="constrained", squeeze=False
        )
        for axes, problem in zip(grid[0], problems, strict=True):
            shown = [row for row in rows if row.problem == problem]
            names = distinct(row.quantity for row in shown)
            for kind, colour, shift in (("held out", ERM_COLOUR, -0.15), ("trained", FLAT_COLOUR, 0.15)):
                chosen = [row for row in shown if row.kind == kind]
                places = [names.index(row.quantity) + shift for row in chosen]
                axes.plot(
                    [row.certificate for row in chosen], places, "o", color=colour, markersize=4, label=KINDS[kind]
                )
                axes.plot([row.test_risk for row in chosen], places, "|", color=colour, markersize=9)
            axes.set_yticks(range(len(names)), names)
            axes.set_ylim(len(names) - 0.5, -0.5)
            axes.grid(axis="y", visible=False)
            axes.set_title(PROBLEM_TITLES[problem])
            axes.set_xlabel("certificate (dot) and test error (bar), %")
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=7)
    return figure


def caption(content: Sequence[Fitted]) -> str:
    """What was trained from what, and whether it pays."""
    first = content[0].fitting
    told = "; ".join(f"{PROBLEM_TITLES[one.fitting.training.problem]}: {_compared(one)}" for one in content)
    return (
        f"The prior's centre is trained on {first.n_prior:,} examples ({_epochs(content, 'prior')}); the bound, at "
        f"{100 * first.delta:g} %, is on the others. From the prior on, mean and one deviation a parameter tensor are "
        f"trained on these others by pathwise gradients of the quadratic bound ({_epochs(content, 'posterior')}) for "
        f"cross entropy clipped at {first.clip:g} nats; beside it stands the certificate of the prior itself (KL = 0) "
        "on the same examples. "
        "Each is the best of a few scales of the prior, which share delta. Draws are paid for by the "
        f"empirical Bernstein bound. Average task: {told}. One seed: a difference says nothing about other seeds."
    )


def _epochs(content: Sequence[Fitted], of: str) -> str:
    counts = [one.fitting.training.epochs if of == "prior" else one.fitting.epochs for one in content]
    names = [PROBLEM_TITLES[one.fitting.training.problem] for one in content]
    return ", ".join(f"{name}: {count} epochs" for name, count in zip(names, counts, strict=True))


def _compared(fitted: Fitted) -> str:
    held_out, trained = (100 * one.average.bounds[MAIN] for one in (fitted.held_out, fitted.trained))
    spent = sum(fitted.cpu_seconds.values())
    found = f"trained {trained:.2f} % against {held_out:.2f} % ({trained - held_out:+.2f} points)"
    return f"{found}, in {spent:,.0f} CPU s"


FITTED = StoredFile(
    name=STORED.name,
    title="Trained posteriors",
    command=COMMAND,
    read=read,
    provenance=lambda content: of_runs([one.provenance for one in content]),
)

EXHIBIT = FileExhibit(
    name="table_b_3_trained_posteriors",
    location="Table B.3",
    title="Posteriors trained on the bound",
    table=table,
    draw=draw,
    file=FITTED,
    data=data,
    caption=caption,
)
