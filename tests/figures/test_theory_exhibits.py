"""The exhibits of the theory: every statement with the verdicts that were computed, nothing old, no gap unexplained."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from experiments.results import StoreError
from paper_figures import fig_dependencies, latex, tab_assumptions, tab_ledger, tab_reviewers, tab_weaker
from paper_figures.exhibit import Stored, from_csv, to_csv
from paper_figures.ledger import KINDS, LEDGER, Theory, provenance, read_theory
from tests.figures.synthetic_theory import theory
from tests.theory import planted
from theory.ledger import Verdict, write
from theory.standing import standings

CONTENT = theory()
EXHIBITS = (
    tab_ledger.EXHIBIT,
    fig_dependencies.EXHIBIT,
    tab_reviewers.EXHIBIT,
    tab_weaker.EXHIBIT,
    tab_assumptions.EXHIBIT,
)


def test_the_ledger_has_every_statement_by_kind() -> None:
    lines = {title: [line[0] for line in lines] for title, lines in tab_ledger.table(tab_ledger.data(CONTENT)).sections}
    assert lines == {
        KINDS["theorem"]: ["bound", "sharp"],
        KINDS["lemma"]: ["sum", "coverage"],
        KINDS["remark"]: ["naive"],
        KINDS["premise"]: ["flat-world"],
        KINDS["textbook"]: ["measure"],
    }
    assert {entry.kind for entry in planted.BLUEPRINT} < set(KINDS)


def test_a_line_has_both_verdicts_and_what_decided() -> None:
    lines = {line[0]: line[1:] for _, lines in tab_ledger.table(tab_ledger.data(CONTENT)).sections for line in lines}
    words = "What bound says & means."
    assert lines["bound"] == (*(words, "ours", "exact identity", "not rejected", "coverage", "algebra", "0", "1", "1"),)
    assert lines["naive"][2:] == ("refuted", "refuted", "", "smt", "x = -1", "1", "1")
    assert lines["measure"][2:] == (
        *("assumed (textbook)", "assumed (textbook)", "", "", "A. Nonymous, measure (1900)", "0", "0"),
    )


def test_evidence_is_that_of_the_weakest_finding_in_short() -> None:
    blueprint = (planted.entry("two", "holds", "simulated"),)
    (row,) = tab_ledger.data(theory_of(blueprint))
    assert (row.kernels, row.findings, row.evidence) == ("algebra, simulation", 2, "1,000 draws")
    assert tab_ledger.shortened("a\n b") == "a b"
    long = tab_ledger.shortened("word " * 100)
    assert len(long) <= tab_ledger.SHORT
    assert long.endswith("word…")


def theory_of(blueprint: tuple[Any, ...]) -> Theory:
    return replace(theory(blueprint), answers=())


def test_what_is_stale_or_missing_is_undecided_and_says_why() -> None:
    old = [
        msgspec.structs.replace(one, sources={"theory/gone.py": "0" * 64}) if one.label == "sum" else one
        for one in CONTENT.ledger.records
        if one.label != "measure"
    ]
    ledger = planted.ledger(*old)
    content = Theory(ledger, standings(ledger, planted.BLUEPRINT), ())
    rows = {row.label: row for row in tab_ledger.data(content)}
    assert rows["sum"].evidence.startswith("changed since it was checked: ")
    assert rows["measure"].evidence == "the ledger does not have it"
    assert {row.own for row in (rows["sum"], rows["measure"])} == {Verdict.UNDECIDED}
    assert rows["bound"].folded is Verdict.UNDECIDED
    assert rows["bound"].inherited == "measure, sum"
    assert ("Without a record of the present sources", ("2",)) in provenance(content)


def test_captions_count() -> None:
    text = tab_ledger.caption(CONTENT)
    assert "Of 7 statements, own: 3 exact identity, 1 assumed (textbook), 1 not rejected" in text
    assert "with what they use: 2 assumed (textbook), 2 not rejected, 2 assumed (premise), 1 refuted" in text
    assert text.endswith("On simulations alone: 1.")
    assert "Theorems that rest on no premise: bound." in tab_assumptions.caption(CONTENT)
    assert tab_weaker.caption(CONTENT).startswith("1 of 7 statements")
    assert tab_reviewers.caption(CONTENT).startswith("2 questions")


def test_assumptions_name_the_theorems_that_rest_on_them() -> None:
    assert dict(tab_assumptions.table(tab_assumptions.data(CONTENT)).sections) == {
        KINDS["premise"]: (
            ("flat-world", "What flat-world says & means.", "A. Nonymous, flat-world (1900)", "sharp", "1"),
        ),
        KINDS["textbook"]: (
            ("measure", "What measure says & means.", "A. Nonymous, measure (1900)", "bound, sharp", "5"),
        ),
    }
    alone = theory_of((planted.entry("measure", kind="textbook", expected="assumed"),))
    ((_, (line,)),) = tab_assumptions.table(tab_assumptions.data(alone)).sections
    assert line[-2:] == ("none", "0")


def test_answers_stand_with_the_verdicts_of_their_statements() -> None:
    ((_, lines),) = tab_reviewers.table(tab_reviewers.data(CONTENT)).sections
    assert [(line[0], line[-1]) for line in lines] == [
        ("R9.1", "sharp (assumed (premise)), naive (refuted)"),
        ("R9.2", "coverage (not rejected)"),
    ]


def test_only_what_is_weaker_is_listed_with_its_reason() -> None:
    ((_, (line,)),) = tab_weaker.table(tab_weaker.data(CONTENT)).sections
    assert line == ("bound", "What bound says & means.", "ours", "for N >= 8 only", "not rejected")


def test_the_figure_has_one_drawing_of_all_and_one_a_theorem() -> None:
    rows = fig_dependencies.data(CONTENT)
    drawings = fig_dependencies.EXHIBIT.drawings(rows)
    assert [drawing.key for drawing in drawings] == ["", "bound", "sharp"]
    shown = [{text.get_text() for text in drawing.draw().axes[0].texts} for drawing in drawings]
    assert shown == [
        {entry.label for entry in planted.BLUEPRINT},
        {"bound", "coverage", "sum", "measure"},
        {"sharp", "sum", "measure", "flat-world"},
    ]
    depths = {row.label: row.depth for row in rows}
    assert depths == {"measure": 0, "flat-world": 1, "sum": 1, "coverage": 2, "bound": 3, "sharp": 2, "naive": 2}
    (_, second) = fig_dependencies.table(rows).sections[:2]
    assert second == ("Depth 1", (("flat-world", "", "sharp"), ("sum", "measure", "coverage, sharp, naive")))


@pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda exhibit: exhibit.name)
def test_csv_round_trip_and_latex(exhibit: Any) -> None:
    (edition,) = exhibit.editions(Stored(runs={}, files={LEDGER.name: CONTENT}))
    assert from_csv(to_csv(edition.rows), type(edition.rows[0])) == edition.rows
    assert r"\bottomrule" in latex.tabular(exhibit.table(edition.rows), caption=edition.caption, label=exhibit.name)
    assert list(exhibit.editions(Stored(runs={}, files={}))) == []


def test_an_exhibit_without_rows_is_not_shown() -> None:
    content = theory_of((planted.entry("lone", "holds"),))
    shown = [list(exhibit.editions(Stored(runs={}, files={LEDGER.name: content}))) for exhibit in EXHIBITS]
    assert [len(editions) for editions in shown] == [1, 1, 0, 0, 0]


def test_the_kept_ledger_is_read_with_the_blueprint_and_a_broken_one_refused(tmp_path: Path) -> None:
    path = tmp_path / LEDGER.name
    write(path, CONTENT.ledger)
    assert read_theory(path).found.keys() != CONTENT.found.keys()
    path.write_text("{}")
    with pytest.raises(StoreError, match=r"ledger\.json: no ledger .*python -m theory verify"):
        read_theory(path)
