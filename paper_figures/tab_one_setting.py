"""Table R1.8: what helps, flatness, the decomposition or the aggregator? Paired differences under one setting."""

import statistics
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import matplotlib.pyplot as plt
import msgspec
from matplotlib.figure import Figure

from experiments.results import Result
from experiments.spec import CLASSES, ProfileName, Spec
from experiments.statistics import MINIMUM, holm, paired
from paper_figures.exhibit import FLAT_COLOUR, OTHER_COLOUR, STYLE, Columns, Row, RunExhibit, Table, distinct
from paper_figures.runs import PROBLEM_TITLES, protocol, repetitions

MODES = ("erm", "decomposed", "direct", "sam_sum")
AGGREGATORS = ("MGDA", "CAGrad", "IMTL", "PCGrad", "NashMTL", "FairGrad")
FLATNESS, DECOMPOSITION, AGGREGATOR, PERTURBATION = (
    "with or without the flat part",
    "decomposed or direct",
    "aggregator or mean, both flat",
    "one perturbation a task or one for the mean loss",
)

Runs: TypeAlias = dict[int, Result]


class ComparisonRow(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Left minus right in points of the mean test accuracy of all tasks, paired by seed, each at its own radius.

    ``low``, ``high``: 95 % interval of the difference; ``p``: of one test; ``p_holm``: among those of the problem.
    """

    question: str
    left: str
    left_setting: str
    right: str
    right_setting: str
    n: int
    left_mean: float
    right_mean: float
    difference: float
    low: float
    high: float
    p: float
    p_holm: float


def _test(result: Result) -> float:
    return 100 * statistics.fmean(result.test_best.accuracy)


def _validation(result: Result) -> float:
    return 100 * statistics.fmean(result.epochs[result.best_epoch - 1].validation_accuracy)


def chosen(results: Sequence[Result]) -> dict[tuple[str, str], tuple[str, Runs]]:
    """(problem, method) -> the setting with the best mean validation accuracy among those with the most seeds."""
    best: dict[tuple[str, str], tuple[tuple[int, float], str, Runs]] = {}
    for (problem, method, setting), members in repetitions(results).items():
        rank = (len(members), statistics.fmean(map(_validation, members)))
        if (problem, method) not in best or rank > best[problem, method][0]:
            best[problem, method] = (rank, setting, {result.spec.seed: result for result in members})
    return {key: (setting, runs) for key, (_, setting, runs) in best.items()}


def comparisons() -> Iterator[tuple[str, str, str]]:
    """Question, left, right."""
    for method in ("LS", *AGGREGATORS):
        yield FLATNESS, f"F-{method}", method
    for method in AGGREGATORS:
        yield DECOMPOSITION, f"F-{method}", f"direct {method}"
    for method in AGGREGATORS:
        yield AGGREGATOR, f"F-{method}", "F-LS"
    yield PERTURBATION, "F-LS", "SAM-sum"


def uses(spec: Spec) -> bool:
    """The paper's ball and the methods' own formulas, where there are accuracies to compare."""
    plain = spec.problem in CLASSES and spec.norm == "separate" and not spec.adaptive and spec.conventions == "papers"
    return spec.mode in MODES and plain


def data(results: Sequence[Result], profile: ProfileName) -> tuple[ComparisonRow, ...]:
    """Every comparison whose two methods have enough seeds in common; nothing is computed from fewer."""
    best = chosen([result for result in results if result.spec.profile == profile])
    rows: list[ComparisonRow] = []
    for problem in PROBLEM_TITLES:
        compared: list[ComparisonRow] = []
        for question, left, right in comparisons():
            if (problem, left) not in best or (problem, right) not in best:
                continue
            (left_setting, left_runs), (right_setting, right_runs) = best[problem, left], best[problem, right]
            ours, theirs = (
                {seed: _test(result) for seed, result in runs.items() if seed in left_runs and seed in right_runs}
                for runs in (left_runs, right_runs)
            )
            found = paired(ours, theirs)
            if found is not None:
                compared.append(
                    ComparisonRow(
                        profile=profile,
                        problem=problem,
                        question=question,
                        left=left,
                        left_setting=left_setting,
                        right=right,
                        right_setting=right_setting,
                        n=found.n,
                        left_mean=statistics.fmean(ours.values()),
                        right_mean=statistics.fmean(theirs.values()),
                        difference=found.difference,
                        low=found.low,
                        high=found.high,
                        p=found.p,
                        p_holm=1.0,
                    )
                )
        adjusted = holm([row.p for row in compared])
        rows += [msgspec.structs.replace(row, p_holm=value) for row, value in zip(compared, adjusted, strict=True)]
    return tuple(rows)


def _name(method: str, setting: str) -> str:
    return f"{method} ({setting})" if setting else method


def table(rows: Sequence[ComparisonRow]) -> Table:
    """One section a problem and question, one line a comparison."""
    groups = distinct((row.problem, row.question) for row in rows)
    return Table(
        columns=(
            Columns("", ("Left", "Right"), cells="text"),
            Columns("", ("n",)),
            Columns("Test accuracy (%)", ("left", "right")),
            Columns("Left minus right (points)", ("mean", "95 % interval")),
            Columns("p", ("alone", "Holm")),
        ),
        sections=tuple(
            (
                f"{PROBLEM_TITLES[problem]}: {question}",
                tuple(
                    (
                        _name(row.left, row.left_setting),
                        _name(row.right, row.right_setting),
                        str(row.n),
                        f"{row.left_mean:.2f}",
                        f"{row.right_mean:.2f}",
                        f"{row.difference:+.2f}",
                        f"{row.low:+.2f} .. {row.high:+.2f}",
                        f"{row.p:.2g}",
                        f"{row.p_holm:.2g}",
                    )
                    for row in rows
                    if (row.problem, row.question) == (problem, question)
                ),
            )
            for problem, question in groups
        ),
    )


def draw(rows: Sequence[ComparisonRow]) -> Figure:
    """One problem: every difference with its interval, grouped by question."""
    questions = distinct(row.question for row in rows)
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(figsize=(7.5, 1.3 + 0.26 * (len(rows) + len(questions))), layout="constrained")
        ticks: list[tuple[float, str]] = []
        height = 0.0
        for question in questions:
            ticks.append((height, f"{question}:"))
            for row in [row for row in rows if row.question == question]:
                height += 1
                colour = FLAT_COLOUR if row.p_holm <= 0.05 else OTHER_COLOUR
                reach = ([row.difference - row.low], [row.high - row.difference])
                axes.errorbar(row.difference, height, xerr=reach, fmt="o", color=colour, markersize=4, capsize=2)
                ticks.append((height, f"{row.left} – {row.right}"))
            height += 1.4
        axes.axvline(0, color="black", linewidth=0.8)
        axes.set_yticks([place for place, _ in ticks], [text for _, text in ticks])
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", visible=False)
        axes.set_ylim(height - 0.9, -0.7)
        axes.set_xlabel("difference of test accuracy (points), with its 95 % interval")
        figure.suptitle(f"{PROBLEM_TITLES[rows[0].problem]}, profile {rows[0].profile}")
    return figure


def caption(specs: Sequence[Spec]) -> str:
    """How the radius is chosen, what is paired, and when a difference counts."""
    return (
        f"{protocol(specs)}. Mean test accuracy of all tasks at the best validation epoch; each method at the radius "
        "with the best mean validation accuracy among the radii that were run for it (the same grid for every method "
        "in a complete profile). All have one learning rate; flat methods choose among radii where plain ones have "
        "nothing to choose, which can only favour the flat ones. "
        f"Differences are paired by seed (at least {MINIMUM}), with Student's 95 % interval; "
        "Holm's correction is over all comparisons of one problem. A difference counts where Holm's p is at most 0.05 "
        "(blue in the figure); everything else is undecided, not equal. With three seeds only large or very regular "
        "differences can count."
    )


EXHIBIT = RunExhibit(
    name="table_r1_8_one_setting",
    location="Table R1.8",
    title="Flatness, decomposition, aggregator: paired differences under one setting",
    uses=uses,
    data=data,
    draw=draw,
    table=table,
    caption=caption,
)
