"""Table T.5 and Fig. T.2: norms and sizes as stored, each radius, what is vacuous, and terms that add up."""

import math
import statistics
from collections import Counter

import matplotlib.pyplot as plt
import msgspec
import pytest

from experiments import catalog
from experiments.models import build_model
from experiments.results import STORE, Result, load_results
from experiments.spec import CLASSES, Spec, method_label
from paper_figures import bounds, fig_bound_terms, tab_bounds
from paper_figures.runs import RHO
from tests.figures.synthetic import result
from theory.bounds.complexity import Setting

SPECS = tuple(spec for spec in catalog.specs("laptop") if spec.problem in ("multi_fashion", "adult") and spec.seed < 2)
LAPTOP = tuple(result(spec) for spec in SPECS)
ROWS = tab_bounds.data(LAPTOP, "laptop")


def small(one: Result) -> Result:
    """The same run of a network with few parameters and many examples."""
    spec = msgspec.structs.replace(one.spec, n_train=60_000)
    return msgspec.structs.replace(one, spec=spec, dimensions=dict.fromkeys(one.dimensions, 7))


def with_norms(one: Result, norms: dict[str, float]) -> Result:
    records = tuple(msgspec.structs.replace(record, parameter_norms=norms) for record in one.epochs)
    return msgspec.structs.replace(one, epochs=records)


@pytest.fixture(scope="module")
def stored() -> list[Result]:
    return [one for one in load_results(STORE) if bounds.uses(one.spec)]


def test_sizes_of_stored_runs_are_those_of_their_models(stored: list[Result]) -> None:
    models = {(one.spec.model, one.spec.problem): one for one in stored}
    assert models
    for (name, problem), one in models.items():
        model = build_model(name, seed=0, problem=problem)
        setting = bounds.setting(one, (0.1, 0.2))
        assert setting.k_shared == sum(parameter.numel() for parameter in model.shared_parameters())
        heads = [sum(parameter.numel() for parameter in head) for head in model.head_parameters()]
        assert list(setting.k_heads) == heads
        assert len(heads) == setting.tasks == len(CLASSES[problem])
        names = {f"trunk.{name}" for name, _ in model.trunk.named_parameters()}
        names |= {f"heads.{name}" for name, _ in model.heads.named_parameters()}
        assert set(one.epochs[-1].parameter_norms) == names


def test_norms_of_blocks_are_those_of_the_evaluated_epoch(stored: list[Result]) -> None:
    early = next(one for one in LAPTOP if one.best_epoch < len(one.epochs))
    for one in (*stored[:3], early):
        norms = one.epochs[one.test_best.epoch - 1].parameter_norms
        setting = bounds.setting(one, (0.1, 0.2))
        shared = math.sqrt(math.fsum(norm**2 for name, norm in norms.items() if name.startswith("trunk.")))
        assert setting.norm_shared == pytest.approx(shared, rel=1e-14)
        for task, head in enumerate(setting.norm_heads):
            own = math.fsum(norm**2 for name, norm in norms.items() if name.split(".")[:2] == ["heads", str(task)])
            assert head == pytest.approx(math.sqrt(own), rel=1e-14)
        assert (setting.rho_shared, setting.rho_heads, setting.n_samples) == (0.1, 0.2, one.spec.n_train)
        assert (setting.delta, setting.limit) == (0.05, 1.0)


def test_a_parameter_of_no_block_and_a_block_without_parameters_are_refused() -> None:
    one = LAPTOP[0]
    stranger = {"trunk.a": 1.0, "heads.0.a": 1.0, "heads.10.a": 1.0}
    with pytest.raises(ValueError, match=r"'heads\.10\.a' belongs to no block"):
        bounds.block_norms(with_norms(one, stranger))
    with pytest.raises(ValueError, match=r"no norm of a parameter is stored for .*heads\.1\."):
        bounds.block_norms(with_norms(one, {"trunk.a": 1.0, "heads.0.a": 1.0}))


def test_only_networks_and_balls_of_the_theorems_are_evaluated() -> None:
    specs = [spec for spec in catalog.specs("smoke") if spec.seed == 0 and spec.problem == "multi_mnist"]
    left_out = {method_label(spec) for spec in specs if not bounds.uses(spec)}
    assert left_out == {"STL", "F-STL"}
    flat = next(spec for spec in specs if spec.mode == "decomposed")
    assert not bounds.uses(msgspec.structs.replace(flat, norm="joint"))
    assert not bounds.uses(msgspec.structs.replace(flat, adaptive=True))
    assert tab_bounds.data([result(spec) for spec in specs if spec.mode == "stl"], "smoke") == ()


def test_plain_methods_stand_at_every_radius_of_the_flat_ones() -> None:
    for problem in ("multi_fashion", "adult"):
        trained = {spec.rho_shared for spec in SPECS if spec.problem == problem and spec.rho_shared}
        own = [row for row in ROWS if row.problem == problem]
        assert {(row.rho_shared, row.rho_heads) for row in own if row.method == "LS"} == {(r, r) for r in trained}
        assert {row.setting for row in own if row.method == "CAGrad"} == {
            f"c = 0.4, at {RHO} = {radius:g}" for radius in trained
        }
        assert {row.setting for row in own if row.method == "F-LS"} == {f"{RHO} = {radius:g}" for radius in trained}
    alone = [one for one in LAPTOP if one.spec.mode == "erm"]
    assert tab_bounds.data(alone, "laptop") == ()


def test_values_are_means_and_ranges_over_seeds() -> None:
    """Theorem A written out, for the head with the larger value."""
    chosen = [one for one in LAPTOP if (one.spec.problem, one.spec.mode) == ("adult", "sam_sum")]
    chosen = [one for one in chosen if one.spec.rho_shared == 0.1]
    values = []
    for one in chosen:
        norms = one.epochs[one.best_epoch - 1].parameter_norms
        shared, head = norms["trunk.weight"] / 0.1, max(norms[f"heads.{task}.weight"] for task in range(4)) / 0.1
        inside = 30_890 * math.log(5 + 8 * shared) + 510 * math.log(5 + 8 * head) + math.log(4 / 0.05)
        inside += 2 * math.log((1 + math.ceil(math.log2(shared))) * (1 + math.ceil(math.log2(head))))
        inside += 2 * math.log(math.pi**2 / 6)
        values.append(math.sqrt(inside / (2 * one.spec.n_train)))
    (row,) = (
        row for row in ROWS if (row.problem, row.method, row.rho_shared, row.quantity) == ("adult", "SAM-sum", 0.1, "A")
    )
    assert row.n == len(chosen) == 2
    assert row.mean == pytest.approx(statistics.fmean(values), rel=1e-12)
    assert (row.lowest, row.highest) == pytest.approx((min(values), max(values)), rel=1e-12)
    assert row.vacuous == sum(value >= 1 for value in values)
    found = {
        row.quantity: row.mean
        for row in ROWS
        if (row.problem, row.method, row.rho_shared) == ("adult", "SAM-sum", 0.1) and row.vacuous is None
    }
    norms = [one.epochs[one.best_epoch - 1].parameter_norms for one in chosen]
    trunk = statistics.fmean(one["trunk.weight"] for one in norms)
    head = statistics.fmean(max(one[f"heads.{task}.weight"] for task in range(4)) for one in norms)
    expected = dict(zip((*tab_bounds.NORMS, *tab_bounds.RATIOS), (trunk, head, trunk / 0.1, head / 0.1), strict=True))
    assert found == pytest.approx(expected, rel=1e-12)


def test_what_says_something_is_named() -> None:
    given = [small(one) for one in LAPTOP if one.spec.problem == "multi_fashion"]
    rows = tab_bounds.data(given, "laptop")
    below = {row.quantity for row in rows if row.vacuous == 0}
    assert {row.quantity for row in rows if row.vacuous is not None} == set(bounds.THEOREMS)
    assert {"A", "A'", "C", "B, square root"} <= below
    for _, lines in tab_bounds.table(rows).sections:
        assert {line[-1] for line in lines} == {", ".join(name for name in bounds.THEOREMS if name in below)}
    whole = tab_bounds.table(ROWS)
    assert {line[-1] for _, lines in whole.sections for line in lines} == {"none"}
    assert all(row.vacuous == row.n for row in ROWS if row.quantity in bounds.THEOREMS)


def test_a_range_is_shown_where_the_digits_tell_its_ends_apart() -> None:
    key = next((row.problem, row.method, row.setting) for row in ROWS)
    line = [row for row in ROWS if (row.problem, row.method, row.setting) == key]
    for low, high, expected in ((1.996, 2.2, "2.10 (2.00–2.20)"), (2.096, 2.104, "2.10")):
        changed = [
            msgspec.structs.replace(row, mean=2.1, lowest=low, highest=high) if row.quantity == "A" else row
            for row in line
        ]
        ((_, (cells,)),) = tab_bounds.table(changed).sections
        assert cells[7 + list(bounds.THEOREMS).index("A")] == expected
    assert tab_bounds.figures(1234.5) == "1,234"
    assert [tab_bounds.figures(value) for value in (6.0, 12.36, 121.4, 0.05)] == ["6.00", "12.4", "121", "0.0500"]


def test_the_figure_shows_every_value_and_shades_what_says_nothing() -> None:
    own = [row for row in ROWS if row.problem == "multi_fashion"]
    figure = tab_bounds.draw(own)
    (axes,) = figure.axes
    drawn = [line for line in axes.lines if line.get_marker() == "|"]
    assert sum(len(line.get_xdata()) for line in drawn) == sum(row.quantity in bounds.THEOREMS for row in own)
    (shade,) = axes.patches
    assert shade.get_x() == 1.0
    (edge,) = (line for line in axes.lines if line not in drawn)
    assert set(edge.get_xdata()) == {1.0}
    plt.close(figure)


TERMS = fig_bound_terms.data(LAPTOP, "laptop")


def test_terms_add_up_to_the_values_of_the_table() -> None:
    for problem in ("multi_fashion", "adult"):
        own = [row for row in TERMS if row.problem == problem]
        (run,) = {(row.method, row.setting, row.seed) for row in own}
        (one,) = (
            result.members[0]
            for result in bounds.evaluated(LAPTOP)
            if (result.problem, result.method, result.setting) == (problem, *run[:2])
        )
        assert one.spec.seed == run[2]
        setting: Setting = bounds.setting(one, (one.spec.rho_shared, one.spec.rho_heads))
        for name, theorem in bounds.THEOREMS.items():
            inside = [row for row in own if (row.theorem, row.place) == (name, "sum")]
            beside = math.fsum(row.value for row in own if (row.theorem, row.place) == (name, "beside"))
            total = math.fsum(row.value for row in inside)
            root = name not in ("Theorem 1", "B")
            value = math.sqrt(total / (2 * setting.n_samples)) if root else total / math.sqrt(setting.n_samples)
            assert value + beside == pytest.approx(theorem(setting).value, rel=1e-12)
            assert math.fsum(row.share or 0 for row in inside) == pytest.approx(1, rel=1e-12)
            assert bool(beside) == (name in ("C", "B, square root", "Foret corrected"))


def test_every_term_has_one_place_in_table_and_figure() -> None:
    kinds = Counter(term for _, _, terms in fig_bound_terms.KINDS.values() for term in terms)
    assert set(kinds.values()) == {1}
    assert set(kinds) == {row.term for row in TERMS if row.place == "sum"}
    own = [row for row in TERMS if row.problem == "adult"]
    figure = fig_bound_terms.draw(own)
    (axes,) = figure.axes
    assert sum(len(line.get_xdata()) for line in axes.lines) == sum(row.place == "sum" for row in own)
    plt.close(figure)
    sections = dict(fig_bound_terms.table(TERMS).sections)
    shown = sum(bool(cell) for lines in sections.values() for line in lines for cell in line[1:])
    assert shown == len(TERMS) + 2 * len(bounds.THEOREMS)


def test_shares_too_small_for_two_digits_are_said_to_be_small() -> None:
    row = next(row for row in TERMS if row.place == "sum")
    shares = {0.98765: "98.77 %", 1e-4: "0.01 %", 0.99e-4: "< 0.01 %"}
    for share, expected in shares.items():
        line = [msgspec.structs.replace(row, value=1234.56, share=share)]
        cells = {cell for _, lines in fig_bound_terms.table(line).sections for one in lines for cell in one[1:]}
        assert f"1,234.6 ({expected})" in cells
    tiny = [msgspec.structs.replace(row, value=0.00049, share=0.5)]
    assert any("0.0005 (50.00 %)" in one for _, lines in fig_bound_terms.table(tiny).sections for one in lines)


def test_the_network_shown_is_of_the_best_decomposed_method_on_validation() -> None:
    groups: dict[tuple[str, float], list[float]] = {}
    for one in LAPTOP:
        if one.spec.problem == "adult" and one.spec.mode == "decomposed":
            accuracy = one.epochs[one.best_epoch - 1].validation_accuracy
            groups.setdefault((method_label(one.spec), one.spec.rho_shared), []).append(statistics.fmean(accuracy))
    method, radius = max(groups, key=lambda group: statistics.fmean(groups[group]))
    shown = {(row.method, row.setting.split(",")[0], row.seed) for row in TERMS if row.problem == "adult"}
    assert shown == {(method, f"{RHO} = {radius:g}", 0)}


def test_captions_say_what_is_left_out() -> None:
    specs: list[Spec] = [one.spec for one in LAPTOP]
    text = tab_bounds.caption(specs)
    assert "where the term alone is L or more, the bound says nothing" in text
    assert "delta = 0.05 and L = 1 (the 0-1 loss" in text
    assert "overlays share base images" in fig_bound_terms.caption(specs)
    notes = dict(tab_bounds.table(ROWS).notes)
    assert "trained without a radius" in notes[bounds.AT]
