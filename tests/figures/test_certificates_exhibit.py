"""Table B.2: averages before tasks, bounds in percent, differences from plain training paired by seed."""

from pathlib import Path

import matplotlib.pyplot as plt
import msgspec
import pytest

from experiments.certificates.records import certifications
from experiments.spec import CLASSES
from paper_figures import tab_certificates
from paper_figures.exhibit import from_csv, to_csv
from tests.figures.synthetic_certificates import ADVANTAGE, SLACK, certificate, fill

CONTENT = tuple(certificate(one) for one in certifications())
ROWS = tab_certificates.data(CONTENT)


def test_the_folder_is_read_in_the_order_of_the_list(tmp_path: Path) -> None:
    assert tab_certificates.read(tmp_path) == ()
    fill(tmp_path)
    assert tab_certificates.read(tmp_path) == CONTENT


def test_every_method_has_its_average_and_its_tasks() -> None:
    for problem in {row.problem for row in ROWS}:
        for method in ("LS", "SAM-sum", "direct CAGrad", "F-CAGrad"):
            quantities = [row.quantity for row in ROWS if (row.problem, row.method) == (problem, method)]
            assert quantities == ["average", *(f"task {task + 1}" for task in range(len(CLASSES[problem])))]  # type: ignore[index]


def test_bounds_are_means_over_seeds_in_percent() -> None:
    (row,) = (row for row in ROWS if (row.problem, row.method, row.quantity) == ("adult", "LS", "average"))
    assert row.n == 3
    assert row.seeger_maurer == pytest.approx(100 * (0.301 + SLACK))
    assert (row.low, row.high) == (pytest.approx(100 * (0.3 + SLACK)), pytest.approx(100 * (0.302 + SLACK)))
    assert row.catoni == pytest.approx(row.seeger_maurer + 1)
    assert (row.scale, row.mixture) == ("0.1", "0, 0.01")


def test_differences_from_plain_training_stand_beside_the_averages_only() -> None:
    for row in ROWS:
        if row.quantity == "average" and row.method != "LS":
            mode = {"SAM-sum": "sam_sum", "direct CAGrad": "direct", "F-CAGrad": "decomposed"}[row.method]
            assert row.difference == pytest.approx(-100 * ADVANTAGE[mode])
        else:
            assert row.difference is row.p_holm is None


def test_two_seeds_are_not_compared() -> None:
    few = [one for one in CONTENT if one.certification.training.seed < 2]
    assert all(row.difference is None for row in tab_certificates.data(few))


def test_the_caption_counts_what_the_bound_chose() -> None:
    text = tab_certificates.caption(CONTENT)
    assert f"In 32 of {len(CONTENT)} the bound chose t = 0" in text
    assert "1.00 points pay for the draws, 4.00 for the sample" in text


def test_the_caption_answers_what_flatness_buys_by_the_intervals() -> None:
    """Planted advantages are the same in all seeds; one seed answers nothing; equal methods show no difference."""
    assert "MultiFashion: SAM-sum -1.00 points, direct CAGrad -2.00 points" in tab_certificates.caption(CONTENT)
    alone = [one for one in CONTENT if one.certification.training.seed == 0]
    assert "Adult: no answer, too few seeds" in tab_certificates.caption(alone)
    plain = {
        (one.certification.training.problem, one.certification.training.seed): one
        for one in CONTENT
        if one.certification.training.mode == "erm"
    }
    equal = []
    for one in CONTENT:
        spec = one.certification.training
        twin = plain[spec.problem, (spec.seed + ("erm", "sam_sum", "direct", "decomposed").index(spec.mode)) % 3]
        equal.append(msgspec.structs.replace(one, average=twin.average, tasks=twin.tasks))
    assert "Adult: no difference from plain training is established" in tab_certificates.caption(equal)


def test_rows_survive_their_file() -> None:
    assert from_csv(to_csv(ROWS), tab_certificates.CertificateRow) == ROWS
    assert {type(value) for row in ROWS for value in msgspec.structs.astuple(row)} <= {str, int, float, type(None)}


def test_the_figure_has_a_panel_a_data_set() -> None:
    figure = tab_certificates.draw(ROWS)
    plt.close(figure)
    assert len(figure.axes) == len({row.problem for row in ROWS})
    assert tab_certificates.table(ROWS).sections[0][0] == "MultiFashion"
