"""Exhibits of the brackets and of the kl inverse: every number and every claim of the captions from the records."""

from pathlib import Path

import matplotlib.pyplot as plt
import msgspec
import pytest

from experiments.measures.bracket_records import AtRadius, Bracket, Brackets, bracketings
from experiments.results import StoreError
from paper_figures import fig_brackets, tab_inverse
from paper_figures.exhibit import Stored, from_csv, to_csv
from tests.figures.synthetic import result
from theory.coverage.inverse_records import Inversion, Inverted

RHOS = (0.01, 0.1)
FACTORS = {"erm": 1.0, "sam_sum": 0.5, "direct": 1.0, "decomposed": 1.5}
"""Of the certified cross entropy."""


def bracketed(place: int, factors: dict[str, float] = FACTORS) -> Brackets:
    """Tasks 0.2 apart; the seeds' certificates differ by a thousandth."""
    asked = msgspec.structs.replace(bracketings()[place], radii=RHOS)
    upper = factors[asked.training.mode] * (1 + asked.training.seed / 1000)

    def bracket(rho: float, task: int) -> Bracket:
        return Bracket(
            entropy=0.3,
            entropy_lower=0.3 + rho,
            entropy_upper=0.4 + 10 * rho * upper + 0.2 * task,
            error=0.1,
            error_lower=0.1 + rho,
            error_upper=0.15 + 3 * rho + 0.2 * task,
        )

    return Brackets(
        schema_version=1,
        key="0" * 16,
        bracketing=asked,
        provenance=result(asked.training).provenance,
        radii=tuple(AtRadius(rho=rho, tasks=(bracket(rho, 0), bracket(rho, 1))) for rho in RHOS),
        cpu_seconds=1.0,
    )


CONTENT = tuple(bracketed(place) for place in range(len(bracketings())))
ROWS = fig_brackets.data(CONTENT)


def test_rows_are_means_over_tasks() -> None:
    (row,) = [row for row in ROWS if (row.method, row.seed, row.rho, row.measure) == ("LS", 1, 0.1, "entropy")]
    assert (row.loss, row.lower, row.upper) == pytest.approx((0.3, 0.4, 0.5 + 1.001))
    (row,) = [row for row in ROWS if (row.method, row.seed, row.rho, row.measure) == ("F-CAGrad", 0, 0.01, "error")]
    assert (row.loss, row.lower, row.upper) == pytest.approx((0.1, 0.11, 0.28))
    assert from_csv(to_csv(ROWS), fig_brackets.BracketRow) == ROWS


def test_the_table_holds_means_over_seeds_and_the_paired_difference() -> None:
    found = fig_brackets.table(ROWS)
    assert [title for title, _ in found.sections] == ["ρ = 0.01", "ρ = 0.1"]
    lines = {line[0]: line for line in found.sections[1][1]}
    assert lines["LS"][1:] == ("3", "0.300", "0.400", "1.501", "10.0", "20.0", "55.0", "", "")
    assert float(lines["SAM-sum"][4]) == pytest.approx(1.0005, abs=6e-4)
    assert float(lines["SAM-sum"][8]) == pytest.approx(-0.5005, abs=6e-4)
    low, high = (float(end) for end in lines["SAM-sum"][9].split(" .. "))
    assert low < -0.5 < high < 0


def test_useless_from_the_radius_on_at_which_an_even_guess_is_as_good() -> None:
    assert fig_brackets.useless(ROWS, "LS", "entropy") == 0.1
    assert fig_brackets.useless(ROWS, "LS", "error") == 0.1
    assert fig_brackets.useless([row for row in ROWS if row.rho < 0.1], "LS", "entropy") is None


def test_verdicts_are_counted_and_told() -> None:
    """SAM-sum lower and decomposed higher at both radii; direct is plain's equal."""
    assert fig_brackets.verdicts(ROWS) == (2, 2, 2, 0)
    text = fig_brackets.caption(CONTENT)
    assert "of 6 comparisons" in text
    assert "2 are lower, 2 higher and 2 undecided" in text
    assert "12 of 12 networks" in text
    two_seeds = [one for one in CONTENT if one.bracketing.training.seed < 2]
    assert fig_brackets.verdicts(fig_brackets.data(two_seeds)) == (0, 0, 0, 6)
    assert "0 undecided; 6 are open for want of seeds" in fig_brackets.caption(two_seeds)


def test_the_widths_are_the_extremes_over_networks() -> None:
    assert "0.1: 2.5 to 5.01" in fig_brackets.caption(CONTENT)


def test_it_is_drawn_with_a_column_a_method() -> None:
    figure = fig_brackets.draw(ROWS)
    assert [axes.get_title() for axes in figure.axes][:4] == list(dict.fromkeys(row.method for row in ROWS))
    assert len(figure.axes) == 8
    plt.close(figure)


def inverted(low: float, high: float, below: int) -> Inverted:
    return Inverted(
        low=low,
        high=high,
        count=10,
        below=below,
        loose=0,
        certain=2,
        ulps=(4, 3, 2, 1),
        median=1,
        greatest=40,
        excess=1e-14,
    )


INVERSION = Inversion(
    schema_version=1,
    seed=7,
    bits=200,
    steps=(0, 1, 10),
    python="3.11.7",
    flint="0.9.0",
    numpy="2.4.6",
    seconds=1.0,
    rows=(inverted(1e-14, 1e-6, 0), inverted(1e-6, 100.0, 3)),
)


def test_the_inverse_is_shown_count_by_count_from_the_record() -> None:
    found = tab_inverse.table(tab_inverse.data(INVERSION))
    ((_, lines),) = found.sections
    assert [title for group in found.columns for title in group.titles][4:8] == ["0", "1", "2 to 10", "over 10"]
    assert lines[1][:8] == ("1e-06 to 1e+02", "10", "3", "2", "4", "3", "2", "1")
    assert lines[2] == ("all", "20", "3", "4", "8", "6", "4", "2", "", "40", "1.0e-14")
    assert "below the exact value at 3 of 20 arguments" in tab_inverse.caption(INVERSION)
    (edition,) = tab_inverse.EXHIBIT.editions(Stored({}, {tab_inverse.INVERSE.name: INVERSION}))
    assert edition.name == "kl_inverse"


def test_a_record_of_the_inverse_that_can_not_be_trusted(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{}")
    with pytest.raises(StoreError, match="no record of the kl inverse"):
        tab_inverse.read(tmp_path / "broken.json")
