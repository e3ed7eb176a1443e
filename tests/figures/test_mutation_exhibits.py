"""The tables of mutants: what the stored run counted, every survivor, and no counts that contradict each other."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from experiments.results import StoreError
from paper_figures import latex, tab_mutation
from paper_figures.exhibit import Stored, from_csv, to_csv
from paper_figures.mutation import MUTATION, Summary, provenance, read_mutation
from tests.figures.synthetic_mutation import summary

CONTENT = msgspec.convert(summary(), Summary)
ROWS = tab_mutation.data(CONTENT)
SURVIVORS = tab_mutation.survivors(CONTENT)
WITHOUT = {"automatic": {"mutants": 36, "killed": 36, "timed_out": 3, "explained": 0, "survived": 0, "score": 1.0}}
WITHOUT |= {"modules": {"all": {**WITHOUT["automatic"], "mutants": 48, "killed": 48}}, "survivors": [], "high": 1.0}


def written(folder: Path, content: object) -> Path:
    path = folder / MUTATION.name
    path.write_bytes(msgspec.json.encode(content))
    return path


def test_the_table_has_both_origins_and_every_module() -> None:
    assert dict(tab_mutation.table(ROWS).sections) == {
        "By origin": (
            ("by hand", "12", "12", "0", "0", "0", "100.0", ""),
            ("automatic, sample of 1,234", "40", "36", "3", "2", "2", "94.7", "82.0–99.0"),
        ),
        "By module": (
            ("flatmtl_core/perturb.py", "1", "0", "0", "1", "0", "", ""),
            ("flatmtl_core/step.py", "51", "48", "3", "1", "2", "96.0", ""),
        ),
    }


def test_survivors_stand_with_their_reasons_those_without_first() -> None:
    (open_title, unexplained), (_, explained) = tab_mutation.survivors_table(SURVIVORS).sections
    assert open_title == "Without an explanation"
    assert [line[0] for line in unexplained] == ["flatmtl_core/step.py:7", "flatmtl_core/step.py:9"]
    assert [line[2:] for line in unexplained] == [
        ("return 7 pass", "return 0", "", "7"),
        ("return 9 pass", "return 0", "", "9"),
    ]
    assert explained[0] == (
        "flatmtl_core/perturb.py:12",
        "flatmtl_core/perturb.py:radius: comparison: rho < 0 -> rho <= 0 #0",
        "if rho < 0:",
        "if rho <= 0:",
        "zero is left before <both> & the same comes out",
        "31",
    )
    assert len(explained) == 2


def test_a_score_is_rounded_down() -> None:
    assert [tab_mutation.percent(share) for share in (None, 0.0, 0.29, 0.99999, 1.0)] == [
        "",
        "0.0",
        "29.0",
        "99.9",
        "100.0",
    ]


@pytest.mark.parametrize("rows", [ROWS, SURVIVORS], ids=["counts", "survivors"])
def test_csv_round_trip(rows: tuple[Any, ...]) -> None:
    assert from_csv(to_csv(rows), type(rows[0])) == rows


def test_captions_say_what_was_drawn_from_what_and_what_is_left() -> None:
    text = tab_mutation.caption(CONTENT)
    assert all(fact in text for fact in ("one of 1,234 small changes", "sample of 40", "Clopper and Pearson"))
    assert "mean nothing" not in text
    partial = msgspec.structs.replace(CONTENT.provenance, partial=True)
    assert "mean nothing" in tab_mutation.caption(msgspec.structs.replace(CONTENT, provenance=partial))
    assert "2 mutants survive without an explanation, 2 with one" in tab_mutation.survivors_caption(CONTENT)
    lines = dict(provenance(CONTENT))
    assert lines["Time"] == ("2026-01-01T00:00:00Z, 90 minutes of tests",)
    dirty = msgspec.structs.replace(CONTENT.provenance, dirty=True)
    assert dict(provenance(msgspec.structs.replace(CONTENT, provenance=dirty)))["Commit"] == (
        "0123abcd with uncommitted changes",
    )


def test_latex_escapes_code_and_reasons() -> None:
    source = latex.tabular(tab_mutation.survivors_table(SURVIVORS), caption="Survivors.", label="survivors")
    assert r"if rho \textless{}= 0: & zero is left before \textless{}both\textgreater{} \& the same" in source


def test_the_exhibits_are_shown_where_there_is_a_run() -> None:
    exhibits = (tab_mutation.EXHIBIT, tab_mutation.SURVIVORS)
    for exhibit in exhibits:
        assert list(exhibit.editions(Stored(runs={}, files={}))) == []
        (edition,) = exhibit.editions(Stored(runs={}, files={MUTATION.name: CONTENT}))
        assert edition.rows == exhibit.data(CONTENT)
    perfect = msgspec.convert({**summary(), **WITHOUT}, Summary)
    shown = [list(exhibit.editions(Stored(runs={}, files={MUTATION.name: perfect}))) for exhibit in exhibits]
    assert [len(editions) for editions in shown] == [1, 0]


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_mutation(written(tmp_path, summary())) == CONTENT


def _change(place: str, **values: Any) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        (content[place] if place else content).update(values)

    return change


def _forget(content: dict[str, Any]) -> None:
    del content["survivors"][1]


def _excuse(content: dict[str, Any]) -> None:
    content["survivors"][1]["reason"] = "none"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (_change("", schema_version=2), "Invalid enum value 2"),
        (_change("", comment="x"), "unknown field `comment`"),
        (_change("hand", comment="x"), "unknown field `comment`"),
        (_change("hand", mutants=13), "do not follow"),
        (_change("hand", score=0.99), "do not follow"),
        (_change("hand", score=None), "do not follow"),
        (_change("hand", timed_out=13), "counts that can not be"),
        (_change("hand", mutants=11, explained=-1), "counts that can not be"),
        (_change("hand", mutants=13, killed=13), "killed: 49 in all, 48 in the modules"),
        (_change("hand", timed_out=1), "timed_out: 4 in all, 3 in the modules"),
        (_forget, "survived: 2 counted, 1 listed"),
        (_excuse, "explained: 2 counted, 3 listed"),
        (_change("", low=0.96), "is not in its interval"),
        (_change("", high=0.94), "is not in its interval"),
        (_change("", high=1.01), "is not in its interval"),
        (_change("", population=39), "a sample of 40 from 39"),
    ],
)
def test_a_run_with_a_fault_is_refused(change: Callable[[dict[str, Any]], None], fault: str, tmp_path: Path) -> None:
    content = summary()
    change(content)
    with pytest.raises(StoreError, match=f"not a summary of mutants .*{fault}.*python -m nox -s mutation -- --keep"):
        read_mutation(written(tmp_path, content))


def test_a_sample_without_a_score_has_the_widest_interval() -> None:
    none = {"mutants": 0, "killed": 0, "timed_out": 0, "explained": 0, "survived": 0, "score": None}
    whole = summary()["hand"]
    content = {**summary(), "automatic": none, "modules": {"all": whole}, "survivors": [], "low": 0.0, "high": 1.0}
    ((_, lines), _) = tab_mutation.table(tab_mutation.data(msgspec.convert(content, Summary))).sections
    assert lines[1][-2:] == ("", "0.0–100.0")
