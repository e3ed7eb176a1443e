"""Table B.4: what is counted and clipped stands in its caption; the tightest certificate of every data set and loss."""

from pathlib import Path

import matplotlib.pyplot as plt
import msgspec
import pytest

from experiments.certificates.records import CERTIFICATE_SHELF, bounded_certifications
from paper_figures import tab_losses
from tests.figures.synthetic_certificates import ADVANTAGE, SLACK, certificate, fill

CONTENT = tuple(msgspec.structs.replace(certificate(one), blank=(0, 2, 1)) for one in bounded_certifications())
ROWS = tab_losses.EXHIBIT.data(CONTENT)


def test_only_the_list_s_certificates_are_read(tmp_path: Path) -> None:
    fill(tmp_path)
    assert tab_losses.read(tmp_path) == ()
    for one in CONTENT:
        CERTIFICATE_SHELF.save(tmp_path, one)
    assert tab_losses.read(tmp_path) == CONTENT


def test_the_caption_says_what_is_counted_and_clipped() -> None:
    text = tab_losses.caption(CONTENT)
    assert "Adult: cross entropy clipped at 2 nats; the bound is on 13,500 examples." in text
    assert (
        "task 1 segmentation by the share of wrong pixels, task 2 depth by error of depth clipped at 2 m, "
        "task 3 normals by angle over pi; the bound is on 13,500 images of 32 x 64 pixels"
    ) in text
    assert "or 0 where it has none (2 images)" in text
    assert "24 of 24 certificates" in text
    assert "both hold together but with at most 10 %" in text


def test_the_caption_answers_what_flatness_buys_where_there_are_seeds_enough() -> None:
    few = [
        one for one in CONTENT if one.certification.training.problem == "adult" or one.certification.training.seed == 0
    ]
    text = tab_losses.caption(few)
    assert "Adult: SAM-sum -1.00 points, direct CAGrad -2.00 points, F-CAGrad -3.00 points" in text
    assert "rendered rooms (not NYUv2): no answer, too few seeds" in text


def test_the_tightest_certificate_is_that_of_the_best_method_and_seed() -> None:
    _, details = tab_losses.EXHIBIT.tables(ROWS)
    ((_, lines),) = details.sections
    assert [line[:2] for line in lines] == [("Adult", "F-CAGrad"), ("rendered rooms (not NYUv2)", "F-CAGrad")]
    lowest = 100 * (0.3 - ADVANTAGE["decomposed"] + SLACK)
    assert all(float(line[2]) == pytest.approx(lowest) for line in lines)


def test_heads_and_axes_speak_of_losses() -> None:
    columns = {column.heading for column in tab_losses.EXHIBIT.table(ROWS).columns}
    assert "Test loss (%)" in columns
    assert tab_losses.EXHIBIT.draw is not None
    figure = tab_losses.EXHIBIT.draw(ROWS)
    plt.close(figure)
    assert [axes.get_xlabel() for axes in figure.axes] == ["loss (%)"] * 2
