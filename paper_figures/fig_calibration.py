"""Table R1.10 and its figure: calibration, and predictive entropy in and out of the domain, by histograms."""

from collections.abc import Iterator, Sequence
from functools import partial

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.measures.records import Entropies, Measures
from paper_figures.exhibit import STYLE, Columns, FileExhibit, Table, distinct
from paper_figures.measured import MEASURES, Value, over_seeds, pick, setting, shown
from paper_figures.runs import PROBLEM_TITLES

IN, OUT = "in the domain", "out of it"
COLOURS = ("#D55E00", "#555555", "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9")


def data(content: Sequence[Measures]) -> tuple[Value, ...]:
    """Calibration scores, reliability bins and entropy histograms of every method and task."""
    return tuple(_values(content)) if content else ()


def _values(content: Sequence[Measures]) -> Iterator[Value]:
    first = content[0]
    for title, name in (("accuracy", "accuracy"), ("ECE", "ece"), ("Brier score", "brier"), ("loss", "loss")):
        yield from over_seeds(content, title, partial(_score, name))
    for domain in (IN, OUT):
        for title, name in (("entropy", "mean"), ("least entropy", "least"), ("underflows", "underflows")):
            yield from over_seeds(content, f"{title}, {domain}", partial(_entropy, domain, name))
        yield from over_seeds(content, f"naive NaN, {domain}", partial(_entropy, domain, "naive_nan"))
        whole = _entropies(domain, first, 0)
        for place in range(len(whole.counts)):
            middle = (place + 0.5) * whole.limit / len(whole.counts)
            yield from over_seeds(content, f"entropy density, {domain}", partial(_density, domain, place), at=middle)
    for place, bin_ in enumerate(first.calibration[0].bins):
        middle = (bin_.low + bin_.high) / 2
        yield from over_seeds(content, "share", partial(_share, place), at=middle)
        yield from over_seeds(content, "gap", partial(_gap, place), at=middle)


def _score(name: str, one: Measures, task: int) -> float:
    return float(getattr(one.calibration[task], name))


def _entropies(domain: str, one: Measures, task: int) -> Entropies:
    return one.calibration[task].entropy if domain == IN else one.foreign_entropy[task]


def _entropy(domain: str, name: str, one: Measures, task: int) -> float:
    return float(getattr(_entropies(domain, one, task), name))


def _density(domain: str, place: int, one: Measures, task: int) -> float:
    """Share of a column over its width, 1/nats."""
    found = _entropies(domain, one, task)
    return found.counts[place] / sum(found.counts) * len(found.counts) / found.limit


def _share(place: int, one: Measures, task: int) -> float:
    bins = one.calibration[task].bins
    return bins[place].count / sum(found.count for found in bins)


def _gap(place: int, one: Measures, task: int) -> float:
    """Accuracy minus confidence; 0 for a bin without examples."""
    found = one.calibration[task].bins[place]
    return 0.0 if found.accuracy is None or found.confidence is None else found.accuracy - found.confidence


def table(rows: Sequence[Value]) -> Table:
    """One section a task, one line a method."""

    def line(method: str, task: int) -> tuple[str, ...]:
        def cell(quantity: str, digits: int, factor: float = 1.0) -> str:
            return shown(pick(rows, method, quantity, task=task), digits, factor)

        scores = (cell("accuracy", 2, 100), cell("ECE", 4), cell("Brier score", 4), cell("loss", 3))
        entropies = tuple(cell(f"entropy, {domain}", 3) for domain in (IN, OUT))
        lowest = tuple(f"{pick(rows, method, f'least entropy, {domain}', task=task).low:.1e}" for domain in (IN, OUT))
        spoilt = tuple(cell(f"naive NaN, {domain}", 0) for domain in (IN, OUT))
        return (method, *scores, *entropies, *lowest, *spoilt)

    tasks, methods = [task for task in distinct(row.task for row in rows) if task], distinct(row.method for row in rows)
    return Table(
        columns=(
            Columns("", ("Method",)),
            Columns("Test split", ("accuracy (%)", "ECE", "Brier score", "loss (nats)")),
            Columns("Mean entropy (nats)", (IN, OUT)),
            Columns("Least entropy (nats)", (IN, OUT)),
            Columns("Examples whose naive entropy is NaN", (IN, OUT)),
        ),
        sections=tuple((f"Task {task}", tuple(line(method, task) for method in methods)) for task in sorted(tasks)),
    )


def _steps(axes: Axes, rows: Sequence[Value], method: str, task: int, domain: str, colour: str, style: str) -> None:
    chosen = [
        row for row in rows if (row.method, row.task, row.quantity) == (method, task, f"entropy density, {domain}")
    ]
    places, heights = [row.at or 0.0 for row in chosen], [row.mean for row in chosen]
    axes.step(places, heights, style, where="mid", color=colour, linewidth=1.2, label=f"{method}, {domain}")


def draw(rows: Sequence[Value]) -> Figure:
    """A line of panels a task: accuracy minus confidence by bin; entropy of two methods, in and out of the domain."""
    tasks = sorted(task for task in distinct(row.task for row in rows) if task)
    methods = distinct(row.method for row in rows)
    colours = dict(zip(methods, COLOURS, strict=False))
    pair = [method for method in (methods[0], "F-LS", methods[-1]) if method in methods][:2]
    with plt.style.context(STYLE):
        figure, grid = plt.subplots(
            len(tasks), 2, figsize=(7.6, 2.4 * len(tasks)), layout="constrained", squeeze=False, sharex="col"
        )
        for line, task in enumerate(tasks):
            left, right = grid[line]
            for method in methods:
                gaps = [row for row in rows if (row.method, row.task, row.quantity) == (method, task, "gap")]
                places = [row.at or 0.0 for row in gaps]
                left.plot(
                    places, [100 * row.mean for row in gaps], "o-", markersize=2.5, color=colours[method], label=method
                )
            left.axhline(0, color="#222222", linewidth=0.8)
            left.set_ylabel(f"task {task}: accuracy minus\nconfidence (points)")
            for method in pair:
                for domain, style in ((IN, "-"), (OUT, "--")):
                    _steps(right, rows, method, task, domain, colours[method], style)
            right.set_yscale("log")
            right.set_ylabel("density (1/nats)")
        grid[-1, 0].set_xlabel("confidence")
        grid[-1, 1].set_xlabel("predictive entropy (nats)")
        grid[0, 0].legend(fontsize=6)
        grid[0, 1].legend(fontsize=6)
    return figure


def caption(content: Sequence[Measures]) -> str:
    """How scores and entropies are formed, and why no entropy is negative."""
    first = content[0]
    bins, columns = len(first.calibration[0].bins), len(first.calibration[0].entropy.counts)
    underflows = sum(found.underflows for one in content for found in one.foreign_entropy)
    underflows += sum(found.entropy.underflows for one in content for found in one.calibration)
    return (
        f"{setting(content)} ECE over {bins} bins of equal width and the Brier score of the whole test split. "
        f"Entropy from log-soft-max in float64, out of the domain on as many images of "
        f"{PROBLEM_TITLES[first.measuring.foreign]}; histograms of {columns} columns between 0 and log of the number "
        "of classes, which no entropy leaves: a kernel density would leak below 0. In float32 soft-max "
        f"{underflows:,} probabilities of all these networks and examples underflow to zero; -sum p log p is NaN there "
        "(last columns), while the entropy exists. Ranges over seeds in brackets."
    )


EXHIBIT = FileExhibit(
    name="table_r1_10_calibration",
    location="R1.10",
    title="Calibration and predictive entropy",
    table=table,
    draw=draw,
    file=MEASURES,
    data=data,
    caption=caption,
)
