"""Table P.1: every method after the same search for learning rate and radius, on seeds that the search has not seen."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import msgspec
from matplotlib.figure import Figure

from experiments.results import Result, find_result
from experiments.searches import NEW_SEEDS, Choice, Search, read_search, search_path, searched_label, searched_specs
from experiments.statistics import MINIMUM, holm, paired
from paper_figures.exhibit import (
    FLAT_COLOUR,
    OTHER_COLOUR,
    STYLE,
    Columns,
    FileExhibit,
    StoredFile,
    Table,
    distinct,
    method_colour,
)
from paper_figures.provenance import of_runs
from paper_figures.runs import PROBLEM_TITLES, RHO, mean_and_deviation, protocol

LEVEL = 0.05


@dataclass(frozen=True)
class Searched:
    """A search and the runs at its choices that are stored."""

    search: Search
    results: tuple[Result, ...]


class SearchedRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One method: what validation chose for it, and what that gives on ``n`` new seeds.

    Args:
        rho: 0 without a radius. edge: what of the choice stands at an end of its grid.
        validation: percent, of the choice, mean over the seeds of the search.
        cpu_seconds, gradient_evaluations: of the method's whole search.
        mean, std: test accuracy in percent, mean of the tasks, over the new seeds; None for fewer than 2.
        against: the method that it is compared with; empty: none.
        difference: mean minus that of ``against`` by seed, in points, with its 95 % interval; Holm's p over the table.
    """

    problem: str
    method: str
    learning_rate: float
    rho: float
    edge: str
    validation: float
    cpu_seconds: float
    gradient_evaluations: int
    n: int
    mean: float
    std: float | None
    against: str
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p_holm: float | None = None


def read(path: Path) -> Searched:
    """The kept search, and the runs at its choices from the same store."""
    search = read_search(path)
    found = (find_result([path.parents[1]], spec) for spec in searched_specs(search))
    return Searched(search, tuple(one for one in found if one is not None))


def counterpart(one: Choice) -> str:
    """The label of what differs from a method in one thing: no flat part, the other order, the other schedule."""
    base = {"Mean": "LS", "IMTLG": "IMTL"}.get(one.aggregator, one.aggregator)
    match one.mode:
        case "erm":
            return "" if base == "LS" else "LS"
        case "stl":
            return "LS"
        case "sam_stl":
            return "STL"
        case "sam_sum" | "decomposed" | "samo":
            return base
        case "gsam":
            return "SAM-sum"
        case _:
            return f"F-{base}"


def _accuracies(results: Sequence[Result], method: str) -> dict[int, float]:
    """Percent, by seed: the mean of the tasks, at the best validation epoch."""
    own = [result for result in results if searched_label(result.spec) == method]
    return {result.spec.seed: 100 * statistics.fmean(result.test_best.accuracy) for result in own}


def _rows(content: Searched) -> Iterator[SearchedRow]:
    for one in content.search.choices:
        accuracies = list(_accuracies(content.results, one.method).values())
        if not accuracies:
            continue
        mean, std = mean_and_deviation(accuracies)
        yield SearchedRow(
            problem=content.search.name,
            method=one.method,
            learning_rate=one.chosen.learning_rate,
            rho=one.chosen.rho,
            edge=", ".join(one.edge),
            validation=100 * one.chosen.value,
            cpu_seconds=one.cpu_seconds,
            gradient_evaluations=one.gradient_evaluations,
            n=len(accuracies),
            mean=mean,
            std=std,
            against=counterpart(one),
        )


def data(content: Searched) -> tuple[SearchedRow, ...]:
    """Every method with a run at its choice, in the order of the search; Holm's correction is over all comparisons."""
    rows = list(_rows(content))
    pairs = {
        index: paired(_accuracies(content.results, row.method), _accuracies(content.results, row.against))
        for index, row in enumerate(rows)
        if row.against
    }
    found = {index: pair for index, pair in pairs.items() if pair is not None}
    adjusted = dict(zip(found, holm([pair.p for pair in found.values()]), strict=True))
    for index, pair in found.items():
        rows[index] = msgspec.structs.replace(
            rows[index], difference=pair.difference, low=pair.low, high=pair.high, p_holm=adjusted[index]
        )
    return tuple(rows)


def _cells(row: SearchedRow) -> tuple[str, ...]:
    compared = ("", "", "", "")
    if row.difference is not None:
        compared = (
            row.against,
            f"{row.difference:+.2f}",
            f"{row.low:+.2f} .. {row.high:+.2f}",
            f"{row.p_holm:.2g}",
        )
    return (
        row.method,
        f"{row.learning_rate:g}",
        f"{row.rho:g}" if row.rho else "",
        row.edge,
        f"{row.validation:.2f}",
        f"{row.cpu_seconds:.0f}",
        f"{row.gradient_evaluations:,}",
        str(row.n),
        f"{row.mean:.2f}" + (f" ± {row.std:.2f}" if row.std is not None else ""),
        *compared,
    )


def table(rows: Sequence[SearchedRow]) -> Table:
    """One section a data set, one line a method."""
    return Table(
        columns=(
            Columns("", ("Method",), cells="text"),
            Columns("Chosen on validation", ("rate", RHO, "at the edge", "accuracy (%)")),
            Columns("Its search", ("CPU s", "backward passes")),
            Columns("New seeds", ("n", "test accuracy (%)")),
            Columns("Minus its counterpart (points)", ("counterpart", "mean", "95 % interval", "Holm's p")),
        ),
        sections=tuple(
            (PROBLEM_TITLES[problem], tuple(_cells(row) for row in rows if row.problem == problem))
            for problem in distinct(row.problem for row in rows)
        ),
    )


def draw(rows: Sequence[SearchedRow]) -> Figure:
    """Test accuracy of every method, and its difference from its counterpart."""
    with plt.style.context(STYLE):
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(10, 1.4 + 0.2 * len(rows)), sharey=True, layout="constrained"
        )
        for height, row in enumerate(rows):
            colour = method_colour(row.method)
            left.errorbar(row.mean, height, xerr=row.std, fmt="o", markersize=3.8, capsize=1.8, color=colour)
            if row.difference is None or row.low is None or row.high is None or row.p_holm is None:
                continue
            reach = ([row.difference - row.low], [row.high - row.difference])
            colour = FLAT_COLOUR if row.p_holm <= LEVEL else OTHER_COLOUR
            right.errorbar(row.difference, height, xerr=reach, fmt="o", markersize=3.8, capsize=1.8, color=colour)
            right.annotate(
                f"– {row.against}",
                (1.01, height),
                xycoords=("axes fraction", "data"),
                va="center",
                fontsize="small",
                annotation_clip=False,
            )
        left.set_yticks(range(len(rows)), [row.method for row in rows])
        left.set_ylim(len(rows) - 0.5, -0.5)
        right.axvline(0, color="black", linewidth=0.8)
        left.set_xlabel("test accuracy (%), mean ± deviation")
        right.set_xlabel("minus its counterpart (points), 95 % interval")
        for axes in (left, right):
            axes.tick_params(axis="y", length=0)
        figure.suptitle(", ".join(PROBLEM_TITLES[problem] for problem in distinct(row.problem for row in rows)))
    return figure


def answer(rows: Sequence[SearchedRow]) -> str:
    """What the comparisons decide, in words."""
    compared = [row for row in rows if row.p_holm is not None]
    if not compared:
        return "No method has enough seeds for a comparison."
    decided = [row for row in compared if row.p_holm is not None and row.p_holm <= LEVEL]
    named = [
        f"{row.method} minus {row.against}: {row.difference:+.2f} [{row.low:+.2f}, {row.high:+.2f}] points"
        for row in decided
    ]
    flat = [row.difference or 0.0 for row in compared if row.method == f"F-{row.against}"]
    spread = (
        f" The flat part alone (F-X minus X, {len(flat)} methods) gives {min(flat):+.2f} to {max(flat):+.2f} points, "
        f"median {statistics.median(flat):+.2f}."
        if flat
        else ""
    )
    if not named:
        return f"None of {len(compared)} differences counts (Holm's p at most {LEVEL:g}): all are undecided.{spread}"
    return f"Of {len(compared)} differences {len(named)} count(s): {'; '.join(named)}.{spread}"


def caption(content: Searched) -> str:
    """What was searched, by what budget, on what the choices are tried, and the answer."""
    search = content.search
    one = search.choices[0]
    specs = [result.spec for result in content.results]
    setting = protocol(specs) if specs else "No run at the choices is stored"
    return (
        f"Every method had {len(one.configurations)} configurations (rates x radii, or as many rates without a "
        f"radius), the same examples and epochs, seeds {', '.join(map(str, search.seeds))}, and was chosen by its "
        "mean validation accuracy; a step costs what it costs, so that backward passes differ. Then its choice was "
        f"trained on {len(NEW_SEEDS)} seeds that the search has not seen. {setting}. A difference is paired by seed "
        f"(at least {MINIMUM}), with Student's 95 % interval; all share one test split, so that the intervals are of "
        f"training's randomness, not of the sample's. {answer(data(content))} Where a choice stands at an end of its "
        "grid the optimum may lie outside. The authors' code gives flat methods radii of their own and, on CityScapes, "
        "twice the learning rate of the plain ones."
    )


SEARCHED_FILE = StoredFile(
    name=search_path(Path(), "adult").as_posix(),
    title="Search for learning rate and radius on Adult",
    command="python -m experiments run search && python -m experiments search adult --keep && "
    "python -m experiments run searched",
    read=read,
    provenance=lambda content: (
        ("Runs of the search", tuple(f"{where} ({count})" for where, count in content.search.computed.items())),
        *of_runs([result.provenance for result in content.results]),
    ),
)

EXHIBIT = FileExhibit(
    name="table_p_1_searched",
    location="Table P.1",
    title="Every method after the same search for learning rate and radius",
    file=SEARCHED_FILE,
    data=data,
    table=table,
    draw=draw,
    caption=caption,
)
