"""The lists of runs: complete, without repetition, seed 0 first, and readable without torch."""

import csv
import math
import subprocess
import sys
from collections import Counter
from itertools import groupby, product
from typing import Any, get_args

import msgspec
import pytest

from experiments import catalog, costs, dense_runs, profiles
from experiments.costs import of_one_run, read_costs
from experiments.engines.estimate import kind
from experiments.methods import AGGREGATORS, Method, build_aggregator, check_attention, check_radii
from experiments.spec import (
    CLASSES,
    DENSE,
    AggregatorName,
    Conventions,
    Mode,
    ProblemName,
    ProfileName,
    Spec,
    method_label,
    spec_key,
)
from paper_figures.exhibit import EXPECTED
from tests.trace import ROOT

AGGREGATOR_LABELS = {"LS", "MGDA", "PCGrad", "CAGrad", "IMTL", "NashMTL", "FairGrad", "SI", "RLW", "DWA", "UW"}
ALL_LABELS = AGGREGATOR_LABELS | {f"F-{label}" for label in AGGREGATOR_LABELS} | {"STL", "F-STL", "SAM-sum"}

OF_EXAMPLES = {name: [spec for spec in catalog.specs(name) if spec.problem in CLASSES] for name in catalog.NAMES}
"""The runs on problems that classify examples."""


@pytest.mark.parametrize("name", catalog.NAMES)
def test_every_run_is_listed_once_and_can_be_built(name: ProfileName) -> None:
    specs = catalog.specs(name)
    assert max(Counter(spec_key(spec) for spec in specs).values()) == 1
    for spec in specs:
        assert spec.profile == name
        check_radii(spec)
        check_attention(spec)
        build_aggregator(spec, tasks=len(DENSE[spec.problem][0] if spec.problem in DENSE else CLASSES[spec.problem]))


def stage(spec: Spec) -> tuple[object, ...]:
    """What is completed, seed by seed, before the list goes on."""
    if spec.profile != "laptop" or spec.problem in DENSE:
        return ("overlays" if spec.problem in catalog.OVERLAYS else spec.problem,)
    return spec.problem, spec.problem != "adult" and spec.rho_shared not in (0.0, *catalog.FIRST_RADII)


@pytest.mark.parametrize("name", catalog.NAMES)
def test_seeds_come_in_order(name: ProfileName) -> None:
    stages = [list(group) for _, group in groupby(catalog.specs(name), key=stage)]
    assert len(stages) == {"smoke": 7, "laptop": 13, "paper": 4}[name]
    for specs in stages:
        seeds = [spec.seed for spec in specs]
        assert seeds == sorted(seeds)


FACES: tuple[ProblemName, ...] = ("celeba", "drawn_faces")


def table_2() -> set[str]:
    """The rows of the paper's table."""
    with (EXPECTED / "table2_celeba_error.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    return {line["method"] for line in lines} | {f"F-{line['method']}" for line in lines if line["flat"]}


def test_smoke_runs_every_method_on_every_problem() -> None:
    runs = Counter((spec.problem, spec.seed, method_label(spec)) for spec in catalog.specs("smoke"))
    problems = set(CLASSES) - set(FACES)
    every = Counter((problem, seed, label) for problem in problems for seed in (0, 1) for label in ALL_LABELS)
    every += Counter(("drawn_faces", 0, label) for label in table_2())
    assert every <= runs
    assert {(problem, seed) for problem, seed, _ in (runs - every) if problem in CLASSES} == {("adult", 0)}


def test_smoke_runs_every_mode_ball_and_convention() -> None:
    listed = catalog.specs("smoke")
    assert {spec.mode for spec in listed} == {mode for part in get_args(Mode) for mode in get_args(part) or (part,)}
    assert {spec.conventions for spec in listed} == set(get_args(Conventions))
    assert {(spec.norm, spec.adaptive) for spec in listed} == {
        ("separate", False),
        ("joint", False),
        ("separate", True),
        ("joint", True),
    }
    for spec in listed:
        if spec.problem == "adult":
            Method(spec)


def test_smoke_runs_every_aggregator_of_the_core_in_every_mode_that_it_has() -> None:
    """By linearity the mean has no other mode than the first two; GradDrop has no weight a task for the last two."""
    runs = {(spec.mode, spec.aggregator) for spec in catalog.specs("smoke") if spec.problem == "adult"}
    modes = ("erm", "decomposed", "direct", "second", "each")
    lacking = set(product(modes, AGGREGATORS)) - runs
    assert lacking == {*product(modes[2:], ["Mean"]), *product(modes[3:], ["GradDrop"])}


def test_table_2_is_run_as_the_paper_runs_it() -> None:
    own = [spec for spec in catalog.specs("paper") if spec.problem == "celeba"]
    assert {method_label(spec) for spec in own} == table_2()
    for spec in own:
        assert (spec.model, spec.epochs, spec.batch_size, spec.learning_rate) == ("resnet18_colour", 100, 256, 5e-4)


def test_laptop_compares_plain_direct_and_decomposed_at_every_radius() -> None:
    """Of the last two overlay problems at three of the five."""
    runs = Counter((spec.problem, spec.seed, method_label(spec), spec.rho_shared) for spec in OF_EXAMPLES["laptop"])
    plain = [(label, 0.0) for label in ("LS", "MGDA", "CAGrad", "IMTL")]
    labels = [f"{prefix}{label}" for prefix in ("F-", "direct ") for label in ("MGDA", "CAGrad", "IMTL")]
    fewer = {"multi_fashion_mnist": (0.01, 0.05, 0.2), "multi_mnist": (0.01, 0.05, 0.2)}
    assert runs == Counter(
        (problem, seed, *method)
        for problem in set(CLASSES) - set(FACES)
        for seed in range(5 if problem == "adult" else 3)
        for method in (*plain, *product(("SAM-sum", "F-LS", *labels), fewer.get(problem, profiles.RADII)))
    )


def test_the_laptop_list_keeps_its_budget() -> None:
    """By the kept costs of every kind; a kind that they lack has none."""
    listed = catalog.specs("laptop")
    seconds = {kind(cost.spec): of_one_run(cost) for cost in read_costs(costs.STORED).kinds}
    assert math.fsum(seconds[kind(spec)] for spec in listed) <= 3600 * catalog.LAPTOP_CORE_HOURS


def test_paper_tries_the_same_radii_for_every_method_with_one() -> None:
    runs = Counter((spec.problem, spec.seed, method_label(spec)) for spec in OF_EXAMPLES["paper"])
    for (_, _, label), count in runs.items():
        assert count == (len(profiles.RADII) if label.startswith("F-") or label == "SAM-sum" else 1)
    for problem in catalog.OVERLAYS:
        assert {label for name, _, label in runs if name == problem} == ALL_LABELS
    assert all(spec.rho_heads == spec.rho_shared for spec in catalog.specs("paper"))
    assert {spec.model for spec in catalog.specs("paper") if spec.problem in catalog.OVERLAYS} == {"resnet18"}


def paper_labels(*tables: str) -> set[str]:
    """The methods of tables of the paper, as `method_label` names them."""
    names = {"Nash-MTL": "NashMTL", "ERM (MGDA)": "MGDA", "direct": "direct MGDA", "decomposed": "F-MGDA"}
    found = set()
    for table in tables:
        with (EXPECTED / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            found |= {names.get(line["method"], line["method"]) for line in csv.DictReader(file)}
    return found


@pytest.mark.parametrize("name", catalog.NAMES)
def test_every_row_of_the_papers_dense_tables_is_listed_in_every_profile(name: ProfileName) -> None:
    own = [spec for spec in catalog.specs(name) if spec.problem in DENSE and spec.attention == "own"]
    runs = Counter((spec.problem, spec.seed, method_label(spec)) for spec in own)
    indoor, street = ("nyuv2", "cityscapes") if name == "paper" else ("rooms", "streets")
    radii = {"smoke": 1, "laptop": len(dense_runs.FIRST_DENSE_RADII), "paper": len(dense_runs.DENSE_RADII)}[name]
    tables = {indoor: ("table3_nyuv2", "table7_nyuv2_sam_baselines")}
    tables[street] = ("table4_cityscapes", "table5_cityscapes_direct_vs_decomposed")
    expected = {
        (problem, seed, label): radii if label.startswith(("F-", "direct")) else 1
        for problem, names in tables.items()
        for seed in range(1 if name == "smoke" else 3)
        for label in paper_labels(*names)
    }
    assert runs == expected


@pytest.mark.parametrize(("name", "methods"), [("smoke", ("MGDA",)), ("laptop", ()), ("paper", dense_runs.FLATTENED)])
def test_flat_methods_are_run_as_the_authors_count_parameters_too(
    name: ProfileName, methods: tuple[AggregatorName, ...]
) -> None:
    """The same runs as those of the table, but for the parts and the aggregators of the authors' folder."""
    shared = [spec for spec in catalog.specs(name) if spec.attention == "shared"]
    assert {spec.aggregator for spec in shared} == set(methods)
    assert {spec.conventions for spec in shared} <= {"authors_unit_rows"}
    plain = {"attention": "own", "conventions": "papers"}
    flat = [
        spec
        for spec in catalog.specs(name)
        if (spec.problem, spec.mode) == ("nyuv2" if name == "paper" else "rooms", "decomposed")
        and spec.attention == "own"
        and spec.aggregator in methods
    ]
    assert [msgspec.structs.replace(spec, **plain) for spec in shared] == [
        msgspec.structs.replace(spec, aggregator_options=()) for spec in flat
    ]


def test_dense_runs_follow_the_papers_protocol_in_the_papers_sizes() -> None:
    runs = [spec for spec in catalog.specs("paper") if spec.problem in DENSE]
    assert {(spec.model, spec.epochs, spec.learning_rate, spec.schedule, spec.augmentation) for spec in runs} == {
        ("mtan", 200, 1e-4, "halved", "scale_crop_flip")
    }
    sizes = {(spec.problem, spec.batch_size, spec.n_train + spec.n_validation, spec.n_test) for spec in runs}
    assert sizes == {("nyuv2", 2, 795, 654), ("cityscapes", 8, 2_975, 500)}


def test_flat_methods_are_of_degree_one() -> None:
    for aggregator, options in profiles.FLAT.items():
        built: Any = AGGREGATORS[aggregator](**dict(options))
        assert built.degree == 1.0, aggregator
    own: Any = AGGREGATORS["NashMTL"](**dict(profiles.BASE["NashMTL"]))
    assert own.degree == 0.0


def test_an_unknown_list_is_refused() -> None:
    with pytest.raises(ValueError, match="choose one of smoke, laptop, paper, search"):
        catalog.specs("tiny")  # type: ignore[arg-type]


def test_reports_read_the_catalog_without_torch() -> None:
    code = "import sys, experiments.catalog, experiments.results; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
