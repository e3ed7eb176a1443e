"""Figs. B.1 and B.2, Tables B.3 and T.6, and the tightest certificates: rows from records, verdicts, captions."""

from pathlib import Path

import matplotlib.pyplot as plt
import msgspec
import numpy as np
import pytest

from experiments.certificates.records import certifications
from experiments.certificates.trained_records import (
    FITTED_SHELF,
    fittings,
)
from experiments.courses.records import (
    COURSE_SHELF,
    followings,
)
from experiments.results import StoreError
from paper_figures import courses, coverage, fig_course, fig_coverage, fig_premise, tab_certificates, tab_trained
from paper_figures.exhibit import from_csv, to_csv
from tests.figures.synthetic_certificates import certificate
from tests.figures.synthetic_courses import SLACK, course, fitted
from theory.coverage.records import Coverage
from theory.coverage.run import covered

COURSES = tuple(course(one) for one in followings())
FITTED = tuple(fitted(one) for one in fittings())
COVERAGE = Coverage(
    schema_version=1,
    seed=0,
    python="3",
    numpy="2",
    seconds=1.0,
    rows=(
        covered("Catoni", "one task", "many classifiers", 1, 4, np.arange(2_000) < 20, exact=0.01),
        covered("Catoni", "average task", "many classifiers", 3, 4, np.zeros(2_000, dtype=bool), exact=1e-9),
        covered("A", "theorem", "thresholds in a ball", 1, 400, np.zeros(2_000, dtype=bool), needed=0.25),
        covered("Catoni", "one task", "many classifiers", 1, 4, np.ones(2_000, dtype=bool), fault="KL left out"),
    ),
)


def test_folders_are_read_in_the_order_of_their_lists(tmp_path: Path) -> None:
    assert courses.read(tmp_path) == tab_trained.read(tmp_path) == ()
    for one in reversed(COURSES):
        COURSE_SHELF.save(tmp_path, one)
    for other in reversed(FITTED):
        FITTED_SHELF.save(tmp_path, other)
    assert courses.read(tmp_path) == COURSES
    assert tab_trained.read(tmp_path) == FITTED


def test_bounds_and_errors_stand_beside_each_other_at_every_checkpoint() -> None:
    rows = fig_course.data(COURSES)
    for one in COURSES:
        spec = one.following.training
        chosen = [row for row in rows if (row.problem, row.rho) == (spec.problem, spec.rho_shared)]
        assert {row.epoch for row in chosen} == set(one.following.checkpoints)
        for epoch in one.following.checkpoints:
            values = {row.quantity: row.value for row in chosen if row.epoch == epoch}
            assert values["Seeger-Maurer"] == pytest.approx(values["test"] - 0.002 + SLACK)
    text = fig_course.caption(COURSES)
    assert "lies 1.80 to 1.80 points from the test error" in text
    assert "the smallest is 2.00 (A)" in text


def test_the_premise_s_verdicts_are_counted() -> None:
    rows = fig_premise.data(COURSES)
    by_epoch = {row.epoch: fig_premise.verdict(row) for row in rows}
    assert (by_epoch[0], by_epoch[1], by_epoch[2]) == ("fails", "open", "holds")
    fails = sum(fig_premise.verdict(row) == "fails" for row in rows)
    assert fails == 2 * 2 * (4 + 2)  # radii, methods, tasks of both problems at epoch 0
    text = fig_premise.caption(COURSES)
    assert f"fails (it is below) in {fails}" in text
    assert "Adult, LS: 14.00; Adult, F-CAGrad: 7.00" in text


def test_a_trained_posterior_stands_beside_its_prior() -> None:
    rows = tab_trained.data(FITTED)
    (held_out,) = (one for one in rows if (one.problem, one.kind, one.quantity) == ("adult", "held out", "average"))
    (trained,) = (one for one in rows if (one.problem, one.kind, one.quantity) == ("adult", "trained", "average"))
    assert held_out.certificate - trained.certificate == pytest.approx(1.0)
    for row in (held_out, trained):
        assert row.risk + row.for_draws + row.for_sample == pytest.approx(row.certificate)
    assert "Adult: trained 34.00 % against 35.00 % (-1.00 points), in 30 CPU s" in tab_trained.caption(FITTED)


def test_the_tightest_certificate_of_every_data_set_and_its_limit() -> None:
    rows = tab_certificates.data(tuple(certificate(one) for one in certifications()))
    ((_, lines),) = tab_certificates.tightest(rows).sections
    assert {line[0] for line in lines} == {"Adult", "MultiFashion", "MultiMNIST", "MultiFashion+MNIST"}
    for line in lines:
        assert line[1] == "F-CAGrad"
        assert sum(map(float, line[4:7])) == pytest.approx(float(line[2]), abs=0.02)
        assert line[8] == "the sample"


def test_rates_intervals_and_verdicts_of_the_simulation() -> None:
    rows = fig_coverage.data(COVERAGE)
    table = fig_coverage.table(rows)
    assert [title for title, _ in table.sections] == [
        "many classifiers, one task",
        "many classifiers, average task",
        "thresholds in a ball, theorem",
        "Planted faults, many classifiers, one task",
    ]
    assert table.sections[0][1][0][3:5] == ("20 of 2,000", "0.0100")
    assert table.sections[-1][1][0][-1] == "rejected"
    text = fig_coverage.caption(COVERAGE)
    assert "0 of 3 rates reject a bound, the highest is 0.0100 (Catoni, m = 1). 1 of 1 planted faults" in text
    assert "25 to 25 % are needed" in text


def test_a_record_of_coverage_that_can_not_be_trusted(tmp_path: Path) -> None:
    path = tmp_path / "coverage.json"
    path.write_bytes(b"{}")
    with pytest.raises(StoreError, match="no record of coverage"):
        coverage.read(path)
    assert coverage.provenance(COVERAGE)[2] == ("Seed", ("0",))


@pytest.mark.parametrize(
    ("module", "content", "panels"),
    [(fig_course, COURSES, 4), (fig_premise, COURSES, 4), (tab_trained, FITTED, 2), (fig_coverage, COVERAGE, 4)],
)
def test_rows_survive_their_file_and_figures_are_drawn(module: object, content: object, panels: int) -> None:
    exhibit = module.EXHIBIT  # type: ignore[attr-defined]
    rows = exhibit.data(content)
    assert from_csv(to_csv(rows), type(rows[0])) == rows
    assert {type(value) for row in rows for value in msgspec.structs.astuple(row)} <= {str, int, float, type(None)}
    figure = exhibit.draw(rows)
    plt.close(figure)
    assert len(figure.axes) == panels
    assert exhibit.file.provenance(content)
