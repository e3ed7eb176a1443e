"""Cost and memory of the flat step against tasks, parameters and batch, on the multilayer perceptron."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from experiments.benchmarks.memory import peak_live_bytes
from experiments.benchmarks.problems import Call, StepProblem, mlp
from experiments.benchmarks.records import Axis, ScalingPoint
from experiments.benchmarks.steps import base_step, flat_step, plain_pass
from experiments.benchmarks.timing import Effort, interleaved, ratios, spread

TASKS = (2, 4, 8, 16, 32, 64)
WIDTHS = (58, 183, 577, 1_825, 3_650)
"""Three layers of these widths have 1e4, 1e5, 1e6, 1e7, 4e7 parameters."""
BATCHES = (16, 32, 64, 128, 256, 512, 1_024)


@dataclass(frozen=True)
class Place:
    """A point of an axis: its problem is made when its turn comes."""

    axis: Axis
    make: Callable[[], StepProblem]

    def x(self, problem: StepProblem) -> int:
        match self.axis:
            case "tasks":
                return len(problem.heads)
            case "parameters":
                return problem.columns
            case "batch":
                return problem.batch


def places(tiny: bool) -> list[Place]:
    """All points; a smoke test takes the first two of each axis, at little width."""
    most = 2 if tiny else None
    width = 8 if tiny else 512
    return [
        *(Place("tasks", partial(mlp, m, width=width)) for m in TASKS[:most]),
        *(Place("parameters", partial(mlp, 2, width=w)) for w in WIDTHS[:most]),
        *(Place("batch", partial(mlp, 2, width=width, batch=n)) for n in BATCHES[:most]),
    ]


def scaling_points(place: Place, effort: Effort) -> Iterator[ScalingPoint]:
    """The base step, the flat step and its direct form at one point; memory is that of a step with fresh buffers."""
    problem = place.make()
    series: dict[str, Callable[[], Call]] = {
        "ERM MGDA": partial(base_step, problem, "MGDA"),
        "F-MGDA": partial(flat_step, problem, "MGDA", "decomposed"),
        "direct MGDA": partial(flat_step, problem, "MGDA", "direct"),
    }
    timed = {"U": plain_pass(problem)} | {name: make() for name, make in series.items()}
    seconds = interleaved(timed, effort)
    for name, make in series.items():
        problem.model.zero_grad()
        yield ScalingPoint(
            axis=place.axis,
            series=name,
            x=place.x(problem),
            seconds=spread(seconds[name]),
            units=spread(ratios(seconds[name], seconds["U"])),
            peak_bytes=peak_live_bytes(make()),
        )
