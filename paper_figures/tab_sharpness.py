"""Table R2.3: how flat are the networks that each method finds? Sharpness, curvature, and what noise costs."""

from collections.abc import Iterator, Sequence
from functools import partial

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from experiments.measures.records import Measures
from paper_figures.exhibit import STYLE, Columns, FileExhibit, Table, distinct, method_colour
from paper_figures.measured import MEASURES, Value, over_seeds, pick, setting, shown
from paper_figures.runs import RHO


def data(content: Sequence[Measures]) -> tuple[Value, ...]:
    """Loss, rises of the loss in balls, curvature, accuracy under noise, of every method and task."""
    return tuple(_values(content)) if content else ()


def _values(content: Sequence[Measures]) -> Iterator[Value]:
    first = content[0]
    yield from over_seeds(content, "loss", lambda one, task: one.sharpness[0].tasks[task].loss)
    for place, ball in enumerate(first.sharpness):
        for title, name in (("SAM step", "sam"), ("worst found", "worst"), ("common step", "at_common")):
            yield from over_seeds(content, title, partial(_rise, place, name), at=ball.rho)
    yield from over_seeds(content, "trace", lambda one, task: one.curvature[task].trace.mean)
    yield from over_seeds(content, "top eigenvalue", lambda one, task: one.curvature[task].top.value)
    yield from over_seeds(content, "trace, held out", lambda one, task: one.curvature[task].held_out.mean)
    yield from over_seeds(content, "accuracy", lambda one, task: one.calibration[task].accuracy)
    for place, level in enumerate(first.noise):
        for title, name in (("noisy accuracy", "accuracy"), ("deviation over directions", "accuracy_deviation")):
            yield from over_seeds(content, title, partial(_noisy, place, name), at=level.gamma)


def _rise(place: int, name: str, one: Measures, task: int) -> float:
    """Above the loss, in one ball."""
    found = one.sharpness[place].tasks[task]
    return float(getattr(found, name)) - found.loss


def _noisy(place: int, name: str, one: Measures, task: int) -> float:
    return float(getattr(one.noise[place], name)[task])


def _places(rows: Sequence[Value], quantity: str) -> list[float]:
    return distinct(row.at for row in rows if row.quantity == quantity)


def table(rows: Sequence[Value]) -> Table:
    """One line a method, means over tasks."""
    radii, gammas = _places(rows, "worst found"), _places(rows, "noisy accuracy")

    def line(method: str) -> tuple[str, ...]:
        def cell(quantity: str, digits: int, at: float | None = None, factor: float = 1.0) -> str:
            return shown(pick(rows, method, quantity, at=at), digits, factor)

        rises = [cell(name, 3, rho) for rho in radii for name in ("SAM step", "worst found")]
        curvature = [cell("trace", 0), cell("top eigenvalue", 1), cell("trace, held out", 0)]
        accuracies = [cell("accuracy", 2, None, 100), *(cell("noisy accuracy", 2, gamma, 100) for gamma in gammas)]
        return (method, cell("loss", 3), *rises, *curvature, *accuracies)

    ball = ("SAM step", "worst found")
    return Table(
        columns=(
            Columns("", ("Method", "Loss (nats)")),
            *(Columns(f"Rise of the loss, {RHO} = {rho:g}", ball) for rho in radii),
            Columns("Hessian", ("trace", "top eigenvalue", "trace, held out")),
            Columns("Test accuracy (%) with weight noise of length", ("0", *(f"{gamma:g}" for gamma in gammas))),
        ),
        sections=(("", tuple(line(method) for method in distinct(row.method for row in rows))),),
    )


def draw(rows: Sequence[Value]) -> Figure:
    """Left: the worst rise found at each radius. Right: accuracy against the length of weight noise."""
    methods, radii = distinct(row.method for row in rows), _places(rows, "worst found")
    gammas = _places(rows, "noisy accuracy")
    with plt.style.context(STYLE):
        figure, (left, right) = plt.subplots(1, 2, figsize=(7.6, 2.9), layout="constrained")
        for height, method in enumerate(methods):
            for marker, rho in zip("os^", radii, strict=False):
                value = pick(rows, method, "worst found", at=rho)
                label = f"{RHO} = {rho:g}" if height == 0 else None
                left.plot([value.low, value.high], [height, height], color=method_colour(method), alpha=0.5)
                left.plot(value.mean, height, marker, color=method_colour(method), markersize=4, label=label)
            accuracies = [pick(rows, method, "accuracy")]
            accuracies += [pick(rows, method, "noisy accuracy", at=gamma) for gamma in gammas]
            right.plot([0, *gammas], [100 * value.mean for value in accuracies], label=method)
        left.set_yticks(range(len(methods)), methods)
        left.set_ylim(len(methods) - 0.5, -0.5)
        left.set_xscale("log")
        left.set_xlabel("worst rise of the loss found (nats)")
        left.legend(fontsize=7)
        right.set_xlabel("length of the weight noise")
        right.set_ylabel("test accuracy (%)")
        right.legend(fontsize=7)
    return figure


def caption(content: Sequence[Measures]) -> str:
    """What was measured on which examples, and what is a bound of what."""
    one = content[0].measuring
    probes, steps = one.probes, one.steps
    return (
        f"{setting(content)} Means over tasks of each task's own measure in its trunk and head; ranges over seeds in "
        f"brackets. Rise of the loss on the first {one.sharpness_examples:,} training examples: after one step of SAM, "
        f"and at the worst point that {steps} steps of projected ascent found in the two balls, which is a lower bound "
        f"of the maximum. Trace by Hutchinson's estimate ({probes} probes) and largest Ritz value by Lanczos (a lower "
        f"bound of the top eigenvalue) on {one.curvature_examples:,} training examples, the last trace on as many test "
        f"examples. Weight noise: {one.directions} random unit directions of trunk and heads together, times the "
        f"length, {one.noise_examples:,} test examples. A network of smaller weights is sharper at the same radius: "
        "these measures are not invariant to scale, and no claim about generalisation follows from them."
    )


EXHIBIT = FileExhibit(
    name="table_r2_3_sharpness",
    location="R2.3",
    title="Sharpness, curvature and weight noise of trained networks",
    table=table,
    draw=draw,
    file=MEASURES,
    data=data,
    caption=caption,
)
