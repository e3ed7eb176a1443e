"""The stored benchmark as exhibits read it: who is compared, how numbers are written, what was measured on what."""

import math
from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullLocator

from experiments.benchmarks.records import STORED, Benchmark, Implementation, Spread, read_benchmark
from paper_figures.exhibit import ERM_COLOUR, FLAT_COLOUR, StoredFile

IMPLEMENTATIONS: dict[Implementation, str] = {
    "flatmtl": "FlatMTL",
    "torchjd": "TorchJD",
    "plain": "plain PyTorch",
    "twin": "reference twin",
}
"""Who is compared, in this order."""

COLOURS: dict[Implementation, str] = {
    "flatmtl": FLAT_COLOUR,
    "torchjd": ERM_COLOUR,
    "plain": "#555555",
    "twin": "#b8a9c9",
}
MARKERS: dict[Implementation, str] = {"flatmtl": "o", "torchjd": "s", "plain": "D", "twin": "v"}

GATE_COLOUR = "#111111"
TIMES = "\N{MULTIPLICATION SIGN}"


def provenance(benchmark: Benchmark) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Commit, versions, machine, threads and time."""
    source = benchmark.provenance
    return (
        ("Commit", (source.commit + (" with uncommitted changes" if source.dirty else ""),)),
        ("Python", (source.python,)),
        ("PyTorch", (source.torch,)),
        ("TorchJD", (source.torchjd,)),
        ("Machine", (source.machine,)),
        ("Threads", (str(source.threads),)),
        ("Rounds", (str(source.rounds),)),
        ("Time", (f"{source.started} to {source.finished}",)),
    )


BENCHMARK = StoredFile(
    name=STORED.name,
    title="Benchmark",
    command="python -m nox -s bench -- --keep",
    read=read_benchmark,
    provenance=provenance,
)


def measured_on(benchmark: Benchmark) -> str:
    """Machine, threads, clock, rounds and date, as sentences for captions."""
    source = benchmark.provenance
    threads = "1 thread" if source.threads == 1 else f"{source.threads} threads"
    sentences = (
        f"Measured on {source.machine}, {threads}, {source.clock} time, PyTorch {source.torch}, {source.started[:10]}: "
        f"medians of {source.rounds} interleaved rounds with their quartiles."
    )
    return sentences + (" Sizes of a smoke test: these figures mean nothing." if source.tiny else "")


def interval(median: float, low: float, high: float, digits: int = 2) -> str:
    """Median with quartiles: ``1.04 (1.02–1.06)``."""
    return f"{median:,.{digits}f} ({low:,.{digits}f}–{high:,.{digits}f})"


def significant(value: float) -> str:
    """Three digits: ``0.120``, ``12.3``, ``1,230``, ``4.20e-08``."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:#.3g}"


def shown(present: Iterable[Implementation]) -> list[Implementation]:
    """Those who are present, in the order of :data:`IMPLEMENTATIONS`."""
    return sorted(set(present), key=list(IMPLEMENTATIONS).index)


def limit_of(benchmark: Benchmark, measured: Spread) -> float | None:
    """The limit of the gate that judges this very measurement; None where there is no limit to its cost."""
    for gate in benchmark.gates:
        if gate.kind == "cost" and gate.measured == measured:
            return gate.limit
    return None


def round_ticks(low: float, high: float) -> list[float]:
    """Round numbers between two positive ones, as close as leaves eight or fewer."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks: list[float] = []
    for digits in ((1, 1.2, 1.5, 2, 3, 4, 5, 7), (1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        ticks = [tick for decade in decades for digit in digits if low <= (tick := digit * 10.0**decade) <= high]
        if len(ticks) <= 8:
            break
    return ticks


def ratio_axis(axes: Axes) -> None:
    """A logarithmic axis of ratios, and a line at 1."""
    axes.axvline(1, color="#222222", linewidth=0.9, zorder=1)
    axes.set_xscale("log")
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)


def ratio_mark(
    axes: Axes, height: float, ratio: tuple[float, float, float], who: Implementation, gate: float | None
) -> None:
    """Median, low and high of a ratio at some height; this project's gate as an upright bar."""
    median, low, high = ratio
    axes.plot([low, high], [height, height], color=COLOURS[who], linewidth=1.3, zorder=2)
    axes.plot(median, height, MARKERS[who], color=COLOURS[who], markersize=4, zorder=3)
    if gate is not None and who == "flatmtl":
        axes.plot(gate, height, "|", color=GATE_COLOUR, markersize=8, markeredgewidth=1.5, zorder=4)


def ratio_ticks(axes: Axes) -> None:
    """Plain round numbers at the axis, once everything is drawn; axes that share it follow."""
    axes.set_xticks(round_ticks(*axes.get_xlim()))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def ratio_legend(present: Sequence[Implementation]) -> list[Line2D]:
    """Handles of those who are shown, and of the gate."""
    handles = []
    for who in present:
        marker, colour, title = MARKERS[who], COLOURS[who], IMPLEMENTATIONS[who]
        handles.append(Line2D([], [], marker=marker, color=colour, markersize=4, linewidth=1.3, label=title))
    gate = Line2D([], [], linestyle="", marker="|", color=GATE_COLOUR, markersize=8, markeredgewidth=1.5, label="gate")
    return [*handles, gate]
