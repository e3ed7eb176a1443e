"""Tables 3 and 4 (with 5 and 7): dense prediction, every method, with the paper's numbers beside ours."""

import csv
import statistics
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Literal, TypeAlias

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from experiments.dense_metrics import HIGHER_IS_BETTER, delta_m, mean_ranks
from experiments.results import Result, merit
from experiments.spec import ProblemName, ProfileName, Spec
from paper_figures.exhibit import EXPECTED, STYLE, Columns, Row, RunExhibit, Table, distinct, method_colour
from paper_figures.runs import PROBLEM_TITLES, mean_and_deviation, method_rank, problem_rank, protocol, repetitions

Measure: TypeAlias = Literal["mean of the last epochs", "best validation epoch"]
Group: TypeAlias = tuple[str, str, str]
Metrics: TypeAlias = Mapping[int, Mapping[str, float]]
"""Seed -> metric -> value, of one problem, method and setting."""

MAIN: Measure = "mean of the last epochs"
BEST: Measure = "best validation epoch"
DELTA = "delta_m"
RANK = "mean_rank"

STAND_INS: dict[ProblemName, ProblemName] = {"nyuv2": "rooms", "cityscapes": "streets"}
SOURCES: dict[ProblemName, tuple[str, str]] = {
    "nyuv2": ("table3_nyuv2", "table7_nyuv2_sam_baselines"),
    "cityscapes": ("table4_cityscapes", "table5_cityscapes_direct_vs_decomposed"),
}
LABELS = {"Nash-MTL": "NashMTL", "ERM (MGDA)": "MGDA", "direct": "direct MGDA", "decomposed": "F-MGDA"}
"""The paper's names that are not ours."""

TITLES = {
    "mean_iou": "mIoU (%)",
    "pixel_accuracy": "Pixels (%)",
    "abs_error": "Abs. error",
    "rel_error": "Rel. error",
    "angle_mean": "Mean angle",
    "angle_median": "Median angle",
    "within_11_25": "11.25° (%)",
    "within_22_5": "22.5° (%)",
    "within_30": "30° (%)",
    DELTA: "Δm (%)",
    RANK: "MR",
}


class DenseRow(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One metric on the test split, shares in percent: ours over ``n`` seeds; the paper's stands in `reported`.

    ``std`` is the sample standard deviation, None for n < 2. Delta m compares every seed with our own STL of that
    seed; None where STL lacks one of the seeds or a metric, or has a metric of 0. The mean rank is that of the means
    over seeds, and has no deviation; None where the method is ranked in another setting or not at all.
    """

    method: str
    setting: str
    measure: Measure
    quantity: str
    n: int
    mean: float | None
    std: float | None


@cache
def reported(problem: ProblemName) -> dict[str, dict[str, float]]:
    """Method -> metric -> the paper's number on NYUv2 or CityScapes, as printed, Delta m included."""
    numbers: dict[str, dict[str, float]] = {}
    for source in SOURCES[problem]:
        with (EXPECTED / f"{source}.csv").open(encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file):
                method = line.pop("method")
                numbers[LABELS.get(method, method)] = {name: float(value) for name, value in line.items()}
    return numbers


def _metrics(result: Result, measure: Measure) -> dict[str, float]:
    """Shares in percent, the rest in its own unit."""
    tests = result.test_recent if measure == MAIN else (result.test_best,)
    return {
        name: (100 if HIGHER_IS_BETTER[name] else 1) * statistics.fmean(test.metrics[name] for test in tests)
        for name in HIGHER_IS_BETTER
        if all(name in test.metrics for test in tests)
    }


def _by_metric(members: Metrics) -> dict[str, list[float]]:
    """The values over seeds of every metric that all of them have."""
    rows = list(members.values())
    return {name: [row[name] for row in rows] for name in rows[0] if all(name in row for row in rows)}


def _deltas(members: Metrics, baseline: Metrics) -> list[float]:
    """Delta m of every seed against the baseline of that seed; none at all where it can not be had of each."""
    pairs = [(row, baseline.get(seed, {})) for seed, row in members.items()]
    if any(row.keys() != other.keys() or not other or 0 in other.values() for row, other in pairs):
        return []
    return [delta_m(row, other) for row, other in pairs]


def _validation(members: Sequence[Result]) -> float:
    """What the runs have most of at their best epoch, by the rule that chose it; mean over seeds."""
    return statistics.fmean(merit(result.epochs[result.best_epoch - 1]) for result in members)


def _ranks(own: Mapping[Group, Sequence[Result]], tables: Mapping[Group, Metrics]) -> dict[Group, float]:
    """MR on one problem of the methods that have all of its seeds and metrics, each in its best validation setting.

    None of runs that count attentions as shared, which repeat a method; nothing at all where fewer than two are left.
    """
    rows = [row for table in tables.values() for row in table.values()]
    seeds, names = {seed for table in tables.values() for seed in table}, {name for row in rows for name in row}
    whole = [
        group
        for group, table in tables.items()
        if table.keys() == seeds
        and all(row.keys() == names for row in table.values())
        and all(result.spec.attention == "own" for result in own[group])
    ]
    chosen = {
        method: max((group for group in whole if group[1] == method), key=lambda group: _validation(own[group]))
        for method in distinct(method for _, method, _ in whole)
    }
    if len(chosen) < 2:
        return {}
    means = {
        method: {name: statistics.fmean(values) for name, values in _by_metric(tables[group]).items()}
        for method, group in chosen.items()
    }
    return {chosen[method]: rank for method, rank in mean_ranks(means).items()}


def _problem_cells(
    own: Mapping[Group, Sequence[Result]], measure: Measure
) -> dict[Group, dict[str, tuple[float | None, float | None]]]:
    """Of one problem: group -> quantity -> mean and deviation."""
    tables = {
        group: {result.spec.seed: _metrics(result, measure) for result in members} for group, members in own.items()
    }
    baseline = next((table for (_, method, _), table in tables.items() if method == "STL"), {})
    ranks = _ranks(own, tables)
    found: dict[Group, dict[str, tuple[float | None, float | None]]] = {}
    for group, table in tables.items():
        deltas = _deltas(table, baseline)
        found[group] = {name: mean_and_deviation(values) for name, values in _by_metric(table).items()}
        found[group][DELTA] = mean_and_deviation(deltas) if deltas else (None, None)
        found[group][RANK] = (ranks.get(group), None)
    return found


def data(results: Sequence[Result], profile: ProfileName) -> tuple[DenseRow, ...]:
    """Every method, setting and measure, in the paper's order."""
    shown = {*STAND_INS, *STAND_INS.values()}
    own = repetitions([one for one in results if one.spec.profile == profile and one.spec.problem in shown])
    rows = []
    for measure in (MAIN, BEST):
        for problem in distinct(problem for problem, _, _ in own):
            groups = {group: members for group, members in own.items() if group[0] == problem}
            rows += [
                DenseRow(
                    profile=profile,
                    problem=problem,
                    method=method,
                    setting=text,
                    measure=measure,
                    quantity=quantity,
                    n=len(own[problem, method, text]),
                    mean=mean,
                    std=std,
                )
                for (_, method, text), cells in _problem_cells(groups, measure).items()
                for quantity, (mean, std) in cells.items()
            ]
    return tuple(sorted(rows, key=lambda row: (problem_rank(row.problem), method_rank(row.method))))


def _cell(quantity: str, mean: float | None, std: float | None = None) -> str:
    if mean is None:
        return ""
    digits = 4 if quantity in ("abs_error", "rel_error") else 2
    return f"{mean:.{digits}f}" + (f" ± {std:.{digits}f}" if std is not None else "")


def table(rows: Sequence[DenseRow], *, real: ProblemName) -> Table:
    """One section a problem, one line a method and setting; beside it the paper's Delta m on ``real``."""
    sections = []
    quantities = {row.quantity for row in rows}
    names = [name for name in TITLES if name in quantities]
    for problem in distinct(row.problem for row in rows):
        cells = {(row.method, row.setting, row.measure, row.quantity): row for row in rows if row.problem == problem}
        lines = []
        for method, setting in distinct((method, setting) for method, setting, _, _ in cells):
            main = [(name, cells.get((method, setting, MAIN, name))) for name in names]
            best = cells[method, setting, BEST, DELTA]
            paper = reported(real).get(method, {}).get(DELTA)
            ours = (_cell(name, row.mean, row.std) if row else "" for name, row in main)
            lines.append((method, setting, str(best.n), *ours, _cell(DELTA, best.mean, best.std), _cell(DELTA, paper)))
        sections.append((PROBLEM_TITLES[problem], tuple(lines)))
    return Table(
        columns=(
            Columns("", ("Method", "Setting", "n")),
            Columns("Ours, test, mean of the last epochs", tuple(TITLES[name] for name in names)),
            Columns("Ours, best validation epoch", (TITLES[DELTA],)),
            Columns(f"The paper, on {PROBLEM_TITLES[real]}", (TITLES[DELTA],), reference=True),
        ),
        sections=tuple(sections),
    )


def papers_table(real: ProblemName) -> Table:
    """All that the paper reports on ``real``, as printed."""
    numbers = reported(real)
    names = tuple(next(iter(numbers.values())))
    lines = tuple(
        (method, *(_cell(name, numbers[method][name]) for name in names)) for method in sorted(numbers, key=method_rank)
    )
    title = f"The paper, on {PROBLEM_TITLES[real]}"
    titles = tuple(TITLES[name] for name in names)
    return Table((Columns("", ("Method",)), Columns(title, titles, reference=True)), (("", lines),), title=title)


def draw(rows: Sequence[DenseRow], *, real: ProblemName) -> Figure:
    """One problem: Delta m of every method against STL, ours on the left, the paper's on ``real`` on the right."""
    shown = [row for row in rows if (row.measure, row.quantity) == (MAIN, DELTA)]
    with plt.style.context(STYLE):
        size = (7.5, 1.2 + 0.19 * len(shown))
        figure, (ours, paper) = plt.subplots(1, 2, figsize=size, sharey=True, layout="constrained")
        for height, row in enumerate(shown):
            colour, other = method_colour(row.method), reported(real).get(row.method)
            if row.mean is not None:
                ours.errorbar(row.mean, height, xerr=row.std, fmt="o", markersize=3.8, color=colour, capsize=1.8)
            if other is not None:
                paper.plot(other[DELTA], height, "D", markersize=3.8, markerfacecolor="white", color=colour)
        ours.set_title("ours")
        paper.set_title(f"the paper, on {PROBLEM_TITLES[real]}", color="#777777")
        paper.set_facecolor("#f7f7f5")
        for axes in (ours, paper):
            axes.axvline(0, color="#999999", linewidth=0.8, linestyle=":")
            axes.set_xlabel("Δm against STL (%), less is better")
            axes.tick_params(axis="y", length=0)
            axes.margins(x=0.12)
        labels = [f"{row.method}  ({row.setting})" if row.setting else row.method for row in shown]
        ours.set_yticks(range(len(shown)), labels)
        ours.set_ylim(len(shown) - 0.5, -0.5)
        figure.suptitle(f"{PROBLEM_TITLES[rows[0].problem]}, profile {rows[0].profile}")
    return figure


def caption(specs: Sequence[Spec], *, real: ProblemName) -> str:
    """The setting of the runs, what stands in for the real images, and the paper's own setting."""
    title, stand_in = PROBLEM_TITLES[real], STAND_INS[real]
    rendered = (
        f"The {stand_in} are rendered by a program of our own because {title} can not be fetched: their scores are not "
        f"comparable with the paper's. "
    )
    repeated = (
        "Lines with the attention counted as shared have the authors' parts instead: each task's attention belongs to "
        "the shared block, though no other task's loss reaches it, and MGDA sees unit rows; they are not ranked. "
    )
    few = "Runs of profile smoke take a few steps on a handful of images: they show that each row can be run, no more. "
    return (
        f"{protocol(specs)}. Mean ± sample standard deviation over n seeds (no deviation for n < 2). "
        f"{rendered if any(spec.problem == stand_in for spec in specs) else ''}"
        f"{few if specs[0].profile == 'smoke' else ''}"
        f"{repeated if any(spec.attention == 'shared' for spec in specs) else ''}"
        "Mean of the test metrics after each of the last 10 epochs (of all, where there are fewer), as the paper has "
        "it; metrics are taken over all pixels of the split. Δm: mean relative change of the metrics against our own "
        "STL of the same seed, then over seeds; less is better; empty where STL lacks one of these seeds or one of the "
        "metrics, or has a metric of 0. MR: a method's rank among all methods with STL, averaged over the metrics, "
        "taken from the means over seeds; 1 is best, equal values share their mean rank. Each method is ranked once, "
        "at the radius whose validation loss at the best epoch (mean over the tasks, as it chooses a run's best epoch) "
        "is least on average over seeds, and its other radii have no MR; test numbers choose nothing. A method or "
        "radius that lacks a seed or a metric that another has has no MR either: its mean would be over other runs or "
        "metrics. "
        f"The paper: {title}, MTAN, 200 epochs; its radius is not stated, so its number stands beside each of ours."
    )


class _WithThePapers(RunExhibit[DenseRow]):
    """All numbers of the paper stand in a table of their own, under ours."""

    def tables(self, rows: Sequence[DenseRow]) -> tuple[Table, ...]:
        own = {STAND_INS[real]: real for real in STAND_INS} | {real: real for real in STAND_INS}
        (real,) = {real for problem, real in own.items() if any(row.problem == problem for row in rows)}
        return self.table(rows), papers_table(real)


def _exhibit(name: str, location: str, title: str, real: ProblemName) -> RunExhibit[DenseRow]:
    def uses(spec: Spec) -> bool:
        return spec.problem in (real, STAND_INS[real])

    return _WithThePapers(
        name=name,
        location=location,
        title=title,
        uses=uses,
        data=data,
        draw=partial(draw, real=real),
        table=partial(table, real=real),
        caption=partial(caption, real=real),
    )


NYUV2 = _exhibit("table3_rooms", "Tables 3 and 7", "Rooms: classes, depth and normals", "nyuv2")
CITYSCAPES = _exhibit("table4_streets", "Tables 4 and 5", "Streets: classes and depth", "cityscapes")
