"""Table C.2: core-hours of a list, the shares of a run, and the budget, from planted times."""

import math

import msgspec
import pytest

from experiments import catalog
from experiments.costs import Costs, amounts, costs, kinds, outside_gate, shortened
from experiments.results import CPU_PARTS, Result
from experiments.spec import Spec
from paper_figures.exhibit import RunExhibit
from paper_figures.registry import EXHIBITS
from paper_figures.tab_list_cost import SHOWN, caption, data, details, table
from tests.figures.synthetic import result

LISTED = tuple(
    spec
    for spec in catalog.specs("laptop")
    if spec.problem in ("multi_mnist", "adult") and spec.mode in ("erm", "sam_sum")
)
PER = dict.fromkeys(CPU_PARTS, 0.0) | {"step": 0.1, "batches": 0.004, "running means": 0.001, "validation": 1e-5}


def timed(spec: Spec, factor: float = 1.0) -> Result:
    parts = {part: factor * PER[part] * amount for part, amount in amounts(spec).items()}
    whole = math.fsum(parts[part] for part in ("batches", "step", "running means"))
    return msgspec.structs.replace(result(spec), cpu_seconds=parts, cpu_seconds_training=whole)


def planted(stored: tuple[Result, ...] = ()) -> Costs:
    short = {one: timed(one) for one in (shortened(spec) for spec, _ in kinds(LISTED).values())}
    return costs("laptop", LISTED, short, stored)


def seconds(spec: Spec, factor: float = 1.0) -> float:
    return factor * math.fsum(PER[part] * amount for part, amount in amounts(spec).items())


def test_core_hours_are_those_of_all_runs() -> None:
    lines = [line for _, section in table(data(planted())).sections for line in section]
    assert [line[0] for line in lines] == ["Adult", "MultiMNIST", "All"]
    hours = [
        sum(seconds(spec) for spec in LISTED if spec.problem in names) / 3600
        for names in (("adult",), ("multi_mnist",), ("adult", "multi_mnist"))
    ]
    assert [line[4] for line in lines] == [f"{value:.2f}" for value in hours]
    assert [line[2] for line in lines] == ["45", "21", "66"]
    assert [(line[3], line[5], line[6]) for line in lines] == [("0", "0.00", "")] * 3


def test_whole_runs_that_took_longer_show_in_the_ratio_and_in_the_hours() -> None:
    first = LISTED[0]
    row = data(planted((timed(first, 2.0),)))[0]
    assert (row.stored, row.timed) == (1, 1)
    assert row.ratio == pytest.approx(0.5)
    assert row.seconds == pytest.approx(seconds(first, 2.0))
    assert row.stored_core_hours * row.runs == pytest.approx(row.core_hours)


def test_shares_are_over_the_step() -> None:
    text = details(data(planted()))
    ((_, adult), (_, overlays)) = text.sections
    assert {line[1] for line in (*adult, *overlays)} == {"shortened"}
    assert {line[4] for line in (*adult, *overlays)} == {"5.0"}
    assert {line[3] for line in (*adult, *overlays)} == {"100.0"}
    spec = next(spec for spec in LISTED if spec.problem == "multi_mnist")
    evaluated = PER["validation"] * spec.epochs * spec.n_validation
    assert overlays[0][6] == f"{100 * evaluated / (PER['step'] * amounts(spec)['step']):.1f}"
    assert "take at most 5.0 % of the step (limit 10 %): met." in caption(planted())
    assert f"of {catalog.LAPTOP_CORE_HOURS} set for it" in caption(planted())


def test_the_limit_beside_the_step_is_a_gate_that_the_dearest_kind_of_lenet_can_miss() -> None:
    found = planted()

    def slow(model: str) -> Costs:
        (first, *_) = [one for one in found.kinds if one.spec.model == model]
        dear = msgspec.structs.replace(first, predicted=first.predicted | {"batches": 0.2 * first.predicted["step"]})
        return msgspec.structs.replace(found, kinds=tuple(dear if one is first else one for one in found.kinds))

    assert "take at most 21.0 % of the step (limit 10 %): MISSED." in caption(slow("lenet"))
    assert "take at most 5.0 % of the step (limit 10 %): met." in caption(slow("mlp"))
    without = msgspec.structs.replace(found, kinds=tuple(one for one in found.kinds if one.spec.model != "lenet"))
    assert outside_gate(without.kinds) is None
    assert "Gate" not in caption(without)


def test_every_problem_names_the_exhibits_that_show_it() -> None:
    laptop = catalog.specs("laptop")
    everywhere = {"cost", "table_t_5_bounds", "figure_t_2_bound_terms"}
    shown: dict[str, set[str]] = {spec.problem: set() for spec in laptop}
    for exhibit in EXHIBITS:
        if isinstance(exhibit, RunExhibit) and exhibit.name not in everywhere:
            for problem in {spec.problem for spec in laptop if exhibit.uses(spec)}:
                shown[problem].add(exhibit.location)
    assert {problem: set(locations) for problem, locations in SHOWN.items()} == shown
