"""Table B.2: PAC-Bayes certificates of trained networks, beside their test errors; does flatness buy a better one?"""

import statistics
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import msgspec
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.certificates.records import (
    CERTIFICATE_SHELF,
    COMMAND,
    STORED,
    Certificate,
    TaskCertificate,
    certifications,
)
from experiments.spec import method_label
from experiments.statistics import holm, paired
from paper_figures.exhibit import OTHER_COLOUR, STYLE, Columns, FileExhibit, StoredFile, Table, distinct, method_colour
from paper_figures.provenance import of_runs
from paper_figures.runs import PROBLEM_TITLES, RHO, problem_rank

BOUNDS = ("Seeger-Maurer", "Catoni", "quadratic", "McAllester", "Alquier")
"""The columns; refined Pinsker and Thiemann are in the store as well."""
MAIN = BOUNDS[0]
PLAIN = "LS"
LEVEL = 0.05
"""Of the answer to what flatness buys."""


class CertificateRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One method on one data set, one task or the average: means over ``n`` seeds, errors and bounds in percent.

    Args:
        centre_error, test_risk: on the test split, of the posterior's centre and of the randomised network.
        risk: of the randomised network on the bound's examples. kl: nats. scale, mixture: chosen by the bound.
        bounds of BOUNDS, in their order; ``low``, ``high``: of the first over the seeds.
        best_risk, best_draws, best_test, best_kl: of the seed with the lowest first bound: its risk, what the draws
            add to it, its test risk, its KL.
        difference: first bound minus that of plain training, with its 95 % interval and Holm's p; None without pairs.
    """

    problem: str
    method: str
    rho: float
    quantity: str
    n: int
    centre_error: float
    test_risk: float
    risk: float
    kl: float
    scale: str
    mixture: str
    seeger_maurer: float
    low: float
    high: float
    catoni: float
    quadratic: float
    mcallester: float
    alquier: float
    best_risk: float
    best_draws: float
    best_test: float
    best_kl: float
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    p_holm: float | None


def read(folder: Path) -> tuple[Certificate, ...]:
    """The certificates of the list that the folder has, in the order of the list."""
    found = (CERTIFICATE_SHELF.find([folder], one) for one in certifications())
    return tuple(one for one in found if one is not None)


def _quantities(certificate: Certificate) -> dict[str, TaskCertificate]:
    tasks = {f"task {number}": one for number, one in enumerate(certificate.tasks, start=1)}
    return {"average": certificate.average, **tasks}


def _values(members: Sequence[Certificate], quantity: str, bound: str) -> dict[int, float]:
    """Percent, by seed."""
    return {one.certification.training.seed: 100 * _quantities(one)[quantity].bounds[bound] for one in members}


def data(content: Sequence[Certificate]) -> tuple[CertificateRow, ...]:
    """Every data set and method that has a certificate; the average first, then the tasks."""
    groups: dict[tuple[str, str], list[Certificate]] = {}
    for one in content:
        spec = one.certification.training
        groups.setdefault((spec.problem, method_label(spec)), []).append(one)
    rows = [
        _row(problem, method, members, quantity)
        for (problem, method), members in sorted(groups.items(), key=lambda item: problem_rank(item[0][0]))
        for quantity in _quantities(members[0])
    ]
    return _compared(rows, groups)


def _row(problem: str, method: str, members: Sequence[Certificate], quantity: str) -> CertificateRow:
    chosen = [_quantities(one)[quantity] for one in members]

    def mean(values: Sequence[float]) -> float:
        return 100 * statistics.fmean(values)

    first = [100 * one.bounds[MAIN] for one in chosen]
    best = min(chosen, key=lambda one: one.bounds[MAIN])
    bounds = {name: mean([one.bounds[name] for one in chosen]) for name in BOUNDS}
    return CertificateRow(
        problem=problem,
        method=method,
        rho=members[0].certification.training.rho_shared,
        quantity=quantity,
        n=len(members),
        centre_error=mean([one.centre_test_error for one in chosen]),
        test_risk=mean([one.test_risk for one in chosen]),
        risk=mean([one.risk for one in chosen]),
        kl=statistics.fmean(one.kl for one in chosen),
        scale=", ".join(f"{value:g}" for value in sorted({one.scale for one in members})),
        mixture=", ".join(f"{value:g}" for value in sorted({one.mixture for one in members})),
        seeger_maurer=statistics.fmean(first),
        low=min(first),
        high=max(first),
        catoni=bounds["Catoni"],
        quadratic=bounds["quadratic"],
        mcallester=bounds["McAllester"],
        alquier=bounds["Alquier"],
        best_risk=100 * best.risk,
        best_draws=100 * (best.risk_upper - best.risk),
        best_test=100 * best.test_risk,
        best_kl=best.kl,
        difference=None,
        difference_low=None,
        difference_high=None,
        p_holm=None,
    )


def _compared(
    rows: Sequence[CertificateRow], groups: dict[tuple[str, str], list[Certificate]]
) -> tuple[CertificateRow, ...]:
    """The rows of averages with their differences from plain training; Holm's correction is over all of them."""
    found = {
        index: paired(
            _values(groups[row.problem, row.method], "average", MAIN),
            _values(groups[row.problem, PLAIN], "average", MAIN),
        )
        for index, row in enumerate(rows)
        if row.quantity == "average" and row.method != PLAIN and (row.problem, PLAIN) in groups
    }
    compared = {index: one for index, one in found.items() if one is not None}
    adjusted = dict(zip(compared, holm([one.p for one in compared.values()]), strict=True))
    return tuple(
        msgspec.structs.replace(
            row,
            difference=compared[index].difference,
            difference_low=compared[index].low,
            difference_high=compared[index].high,
            p_holm=adjusted[index],
        )
        if index in compared
        else row
        for index, row in enumerate(rows)
    )


def table(rows: Sequence[CertificateRow], measured: str = "error") -> Table:
    """One section a data set, one line a method and task; ``measured``: what the certificates bound."""
    return Table(
        columns=(
            Columns("", ("Method", "Of", "n")),
            Columns(f"Test {measured} (%)", ("centre", "randomised")),
            Columns("Certificate (%)", (MAIN, "lowest..highest", *BOUNDS[1:])),
            Columns("Minus plain", ("points", "95 % interval", "p, Holm")),
            Columns("Posterior", ("KL", "scale", "t")),
        ),
        sections=tuple(
            (
                PROBLEM_TITLES[problem],
                tuple(
                    (
                        f"{row.method} ({RHO} = {row.rho:g})" if row.rho else row.method,
                        row.quantity,
                        str(row.n),
                        f"{row.centre_error:.2f}",
                        f"{row.test_risk:.2f}",
                        f"{row.seeger_maurer:.2f}",
                        f"{row.low:.2f}..{row.high:.2f}",
                        *(f"{value:.2f}" for value in (row.catoni, row.quadratic, row.mcallester, row.alquier)),
                        *_difference(row),
                        f"{row.kl:.1f}",
                        row.scale,
                        row.mixture,
                    )
                    for row in rows
                    if row.problem == problem
                ),
            )
            for problem in distinct(row.problem for row in rows)
        ),
    )


def _difference(row: CertificateRow) -> tuple[str, str, str]:
    if row.difference is None:
        return ("", "", "")
    return (f"{row.difference:+.2f}", f"{row.difference_low:+.2f} .. {row.difference_high:+.2f}", f"{row.p_holm:.2g}")


def draw(rows: Sequence[CertificateRow], measured: str = "error") -> Figure:
    """A panel a data set: certificate, its range over the seeds, and the test error of the same randomised network."""
    problems = distinct(row.problem for row in rows)
    with plt.style.context(STYLE):
        figure, grid = plt.subplots(
            1, len(problems), figsize=(1.5 + 2.7 * len(problems), 2.8), layout="constrained", squeeze=False
        )
        for axes, problem in zip(grid[0], problems, strict=True):
            shown = [row for row in rows if row.problem == problem and row.quantity == "average"]
            for height, row in enumerate(shown):
                colour = method_colour(row.method)
                axes.plot(
                    [row.low, row.high], [height, height], color=colour, linewidth=3, alpha=0.5, solid_capstyle="butt"
                )
                axes.plot(row.seeger_maurer, height, "o", color=colour)
                axes.plot(row.test_risk, height, "|", color=colour, markersize=12)
            axes.set_yticks(range(len(shown)), [row.method for row in shown])
            axes.set_ylim(len(shown) - 0.5, -0.5)
            axes.grid(axis="y", visible=False)
            axes.set_title(PROBLEM_TITLES[problem])
            axes.set_xlabel(f"{measured} (%)")
        marks = {"certificate": ("o", 6), f"test {measured}": ("|", 12)}
        handles = [
            Line2D([], [], linestyle="", marker=marker, color=OTHER_COLOUR, markersize=size)
            for marker, size in marks.values()
        ]
        figure.legend(handles, list(marks), loc="outside lower center", ncols=len(marks), fontsize=7)
    return figure


def caption(content: Sequence[Certificate]) -> str:
    """What is certified, by which data, and what limits it."""
    first = content[0].certification
    failure = 100 * first.delta
    return (
        "0-1 loss of a network whose weights are drawn anew for every answer. All averages of a data set hold together "
        f"but with probability at most {failure:g} %, and so do all tasks: that is shared by the {first.family} "
        "certificates of the data set, the draws (empirical Bernstein), the tasks and the scales of the prior, so that "
        "the lowest one may be chosen afterwards. The prior's centre is trained on one half of the training examples, "
        "the bound is computed on the other: independent of it (no base image is in two overlays, pairs of one class "
        "are left out; people are scaled by the validation split). The posterior's centre lies on the way to the "
        "network that goes on training on all of them; at t = 0 it is the prior's own. "
        f"{len(content)} of {len(certifications())} certificates. "
        f"{limited(content)} Test errors are no bounds. "
        f"Does flatness buy a better certificate? {answer(content)}"
    )


def limited(content: Sequence[Certificate], measured: str = "error") -> str:
    """What the certificates pay for, on average, and how many stay at the prior."""
    unmoved = sum(one.mixture == 0 for one in content)
    gap = statistics.fmean(100 * (one.average.bounds[MAIN] - one.average.test_risk) for one in content)
    draws = statistics.fmean(100 * (one.average.risk_upper - one.average.risk) for one in content)
    sample = statistics.fmean(100 * (one.average.bounds[MAIN] - one.average.risk_upper) for one in content)
    return (
        f"On average a certificate lies {gap:.2f} points above the test {measured} of the same network: "
        f"{draws:.2f} points pay for the draws, {sample:.2f} for the sample. In {unmoved} of {len(content)} the bound "
        "chose t = 0: no step away from the prior lowers the risk by as much as its divergence costs, and the "
        "certificate is that of held-out examples."
    )


def answer(content: Sequence[Certificate]) -> str:
    """Whether flatness buys a better certificate: what the paired differences say, data set by data set."""
    said = []
    averages = [row for row in data(content) if row.quantity == "average" and row.method != PLAIN]
    for problem in distinct(row.problem for row in averages):
        own = [row for row in averages if row.problem == problem]
        known = [row for row in own if row.p_holm is not None]
        found = [f"{row.method} {row.difference:+.2f} points" for row in known if (row.p_holm or 0.0) < LEVEL]
        if len(known) < len(own):
            outcome = "no answer, too few seeds"
        else:
            outcome = ", ".join(found) if found else "no difference from plain training is established"
        said.append(f"{PROBLEM_TITLES[problem]}: {outcome}")
    return f"Paired over seeds, Holm, {100 * LEVEL:g} %: {'; '.join(said)}."


def tightest(rows: Sequence[CertificateRow], measured: str = "error") -> Table:
    """Of every data set the average task's lowest certificate over methods and seeds, and what lies beneath it."""
    lines = []
    for problem in distinct(row.problem for row in rows):
        best = min(
            (row for row in rows if (row.problem, row.quantity) == (problem, "average")), key=lambda row: row.low
        )
        shares = {
            "the risk itself": best.best_risk,
            "the sample": best.low - best.best_risk - best.best_draws,
            "the draws": best.best_draws,
        }
        gap = {name: value for name, value in shares.items() if name != "the risk itself"}
        lines.append(
            (
                PROBLEM_TITLES[problem],
                best.method,
                f"{best.low:.2f}",
                f"{best.best_test:.2f}",
                *(f"{value:.2f}" for value in shares.values()),
                f"{best.best_kl:.2f}",
                max(gap, key=lambda name: gap[name]) + (" (KL = 0)" if best.best_kl == 0 else ""),
            )
        )
    return Table(
        columns=(
            Columns("", ("Data", "Method")),
            Columns("Lowest (%)", ("certificate", f"test {measured}")),
            Columns("It consists of (points)", ("risk", "sample", "draws")),
            Columns("", ("KL",)),
            Columns("Above the risk it is limited by", ("most",), cells="text"),
        ),
        sections=(("", tuple(lines)),),
        title=f"The lowest certificate ({MAIN}) of each data set, and what limits it",
    )


CERTIFICATES = StoredFile(
    name=STORED.name,
    title="Certificates",
    command=COMMAND,
    read=read,
    provenance=lambda content: of_runs([one.provenance for one in content]),
)

EXHIBIT = FileExhibit(
    name="table_b_2_certificates",
    location="Table B.2",
    title="PAC-Bayes certificates of trained networks",
    table=table,
    draw=draw,
    file=CERTIFICATES,
    data=data,
    caption=caption,
    details=tightest,
)
