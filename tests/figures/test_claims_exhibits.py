"""The tables of laws: every method and law decided, every verdict shown with what it rests on, nothing let through."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from experiments.results import StoreError
from paper_figures import latex, tab_claims, tab_contradictions
from paper_figures.claims import CLAIMS, Claims, Witness, law_title, listed, provenance, read_claims
from paper_figures.exhibit import Stored, from_csv, to_csv
from tests.figures.synthetic_claims import LAWS, METHODS, claims

CONTENT = msgspec.convert(claims(), Claims)
ROWS = tab_claims.data(CONTENT)
CONTRADICTED = tab_contradictions.data(CONTENT)
EXHIBITS = (tab_claims.EXHIBIT, tab_contradictions.EXHIBIT)


def written(folder: Path, content: object) -> Path:
    path = folder / CLAIMS.name
    path.write_bytes(msgspec.json.encode(content))
    return path


def test_rows_are_all_laws_by_all_methods() -> None:
    assert [(row.law, row.method) for row in ROWS] == [(law, method) for law in LAWS for method in METHODS]
    cells = {(cell["law"], cell["method"]): cell for cell in claims()["cells"]}
    for row in ROWS:
        cell = cells[row.law, row.method]
        assert (row.verdict, row.condition) == (cell["verdict"], cell["condition"])
        assert row.meaning == LAWS[row.law]
        assert (row.aggregator, row.matrix) == (
            (None, None) if cell["witness"] is None else (f"{row.method}()", str(cell["witness"]["rows"]))
        )


def test_the_order_of_the_cells_is_nothing() -> None:
    assert tab_claims.data(msgspec.structs.replace(CONTENT, cells=CONTENT.cells[::-1])) == ROWS


def test_the_matrix_has_a_mark_for_every_verdict() -> None:
    table = tab_claims.table(ROWS)
    assert table.columns[1].titles == METHODS
    ((title, lines),) = table.sections
    assert title == ""
    assert lines == (
        ("rotation", "✓", "✓", "✓"),
        ("common descent", "✓", "✗", "if a"),
        ("repeated task", "c < 1", "✗", "if a"),
    )
    assert table.notes == (("if a", "at most 2 tasks"),)


def test_marks_lead_to_their_counterexamples_and_laws_to_their_meaning() -> None:
    ((_, lines),) = tab_claims.table(ROWS).sections
    targets = {cell.target for line in lines for cell in line if not isinstance(cell, str) or hasattr(cell, "target")}
    details = tab_claims.counterexamples(ROWS)
    names = {title.name for title, _ in details.sections} | {
        line[0].name for _, part in details.sections for line in part
    }
    assert targets == names
    assert len(targets) == len(LAWS) + 5
    assert not hasattr(lines[0][1], "target")


def test_counterexamples_stand_by_law_with_all_that_they_need() -> None:
    details = tab_claims.counterexamples(ROWS)
    assert [title for title, _ in details.sections] == [
        f"rotation: {LAWS['ROTATION']} (every method keeps it)",
        f"common descent: {LAWS['COMMON_DESCENT']}",
        f"repeated task: {LAWS['REPEATED_TASK']}",
    ]
    assert [lines for _, lines in details.sections] == [
        (),
        (
            ("Down", "fails", "Down()", "[[10, 0], [-30, 0.5]]", ""),
            ("Sideways", "holds if at most 2 tasks", "Sideways()", "[[1, 2], [3, 4], [5, 6]]", ""),
        ),
        (
            ("Up", "holds if c < 1", "Up()", "[[1e-09, -0.1]]", "order [0]; seed 3"),
            ("Down", "fails", "Down()", "[[1, 0]]", "other [[0, 1e+20]]; task scales [[2], [0.25]]"),
            ("Sideways", "holds if at most 2 tasks", "Sideways()", "[[1, 2], [3, 4], [5, 7]]", ""),
        ),
    ]


def test_contradictions_stand_by_law() -> None:
    table = tab_contradictions.table(CONTRADICTED)
    assert table.sections == (
        ("rotation", (("Up", "fails", "holds", "", "", ""),)),
        (
            "common descent",
            (
                (
                    "Sideways",
                    "holds",
                    "holds if at most 2 tasks",
                    "Sideways()",
                    "[[1, 2], [3, 4], [5, 6]]",
                    "",
                ),
            ),
        ),
    )
    assert "2 of its statements about 9 pairs" in tab_contradictions.caption(CONTENT)


def test_the_caption_is_the_legend() -> None:
    text = tab_claims.caption(CONTENT)
    assert all(f"{mark}: " in text for mark in ("✓", "✗"))
    assert "contradicted in 2 places (Table L.2)" in text
    one = msgspec.structs.replace(CONTENT, contradictions=CONTENT.contradictions[:1])
    assert "contradicted in one place (Table L.2)" in tab_claims.caption(one)
    none = msgspec.structs.replace(CONTENT, contradictions=())
    assert "contradicted nowhere" in tab_claims.caption(none)
    assert tab_contradictions.data(none) == ()


def test_conditions_have_names_of_their_own() -> None:
    names = tab_claims.letters(30)
    assert (names[0], names[25], names[26], names[29]) == ("a", "z", "aa", "ad")
    assert len(set(tab_claims.letters(200))) == 200


@pytest.mark.parametrize("rows", [ROWS, CONTRADICTED], ids=["claims", "contradictions"])
def test_csv_round_trip(rows: tuple[Any, ...]) -> None:
    assert from_csv(to_csv(rows), type(rows[0])) == rows


def test_latex_escapes_what_the_laws_say() -> None:
    matrix, details = (
        latex.tabular(table, caption=tab_claims.caption(CONTENT), label="laws")
        for table in tab_claims.EXHIBIT.tables(ROWS)
    )
    assert r"\begin{tabular}{lccc}" in matrix
    assert r"Law & \rotatebox{90}{Up} & \rotatebox{90}{Down} & \rotatebox{90}{Sideways} \\" in matrix
    assert r"common descent & $\checkmark$ & $\times$ & if a \\" in matrix
    assert r"repeated task & c \textless{} 1 & $\times$ & if a \\" in matrix
    assert r"\emph{if a}: at most 2 tasks." in matrix
    assert r"\multicolumn" not in matrix
    assert "\n\n" not in matrix
    assert r"A(J Q) = A(J) Q where Q Q\textasciicircum{}T = I" in details
    assert r"repeated \& counted once" in details
    assert r"Down & fails & Down() & [[10, 0], [-30, 0.5]] &  \\" in details


def test_the_exhibits_are_shown_where_there_are_claims() -> None:
    stored = Stored(runs={}, files={CLAIMS.name: CONTENT})
    for exhibit in EXHIBITS:
        assert list(exhibit.editions(Stored(runs={}, files={}))) == []
        (edition,) = exhibit.editions(stored)
        assert edition.drawings == ()
        assert edition.rows == exhibit.data(CONTENT)
    assert dict(provenance(CONTENT))["Pairs"] == ("4 holds", "3 holds if", "2 fails")


def test_claims_are_read_as_they_were_written(tmp_path: Path) -> None:
    assert read_claims(written(tmp_path, claims())) == CONTENT


def _remove(content: dict[str, Any]) -> None:
    del content["cells"][4]


def _repeat(content: dict[str, Any]) -> None:
    content["cells"].append(content["cells"][0])


def _change(place: str, **values: Any) -> Callable[[dict[str, Any]], None]:
    """``cells.4`` or ``contradictions.0.witness``: the dictionary in which values are replaced."""

    def change(content: dict[str, Any]) -> None:
        found: Any = content
        for step in filter(None, place.split(".")):
            found = found[int(step) if step.isdigit() else step]
        found.update(values)

    return change


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (_remove, "Down, COMMON_DESCENT: not decided"),
        (_repeat, "Up, ROTATION: decided twice"),
        (_change("", methods=[*METHODS, "Loop"]), "Loop, ROTATION: not decided; .*Loop, REPEATED_TASK: not decided"),
        (_change("", methods=[*METHODS, "Up"]), "named twice"),
        (_change("", methods=[], cells=[], contradictions=[]), "no method or no law"),
        (_change("laws", LINEAR="A(J + K) = A(J) + A(K)"), "Up, LINEAR: not decided"),
        (_change("", laws={f"L{n}": "" for n in range(9)}, cells=[]), "Up, L4: not decided and 24 more"),
        (_change("cells.4", verdict="maybe"), r"Invalid enum value 'maybe'.*cells\[4\]"),
        (_change("cells.4", verdict=""), "Invalid enum value ''"),
        (_change("cells.4", verdict=None), "Expected `str`, got `null`"),
        (_change("cells.4", condition="sometimes"), "'fails' with the condition 'sometimes'"),
        (_change("cells.5", condition=None), "'holds if' with the condition None"),
        (_change("cells.5", condition=""), "'holds if' with the condition ''"),
        (_change("cells.4", witness=None), "'fails' without a counterexample"),
        (_change("cells.5", witness=None), "'holds if' without a counterexample"),
        (_change("cells.0", witness={"aggregator": "Up()", "rows": [[1]]}), "'holds' with a counterexample"),
        (_change("cells.4.witness", aggregator="Up()"), r"with a counterexample of Up\(\)"),
        (_change("cells.4.witness", rows=[[1, 2], [3]]), "no matrix"),
        (_change("cells.4.witness", rows=[]), "no matrix"),
        (_change("cells.4.witness", rows=[[]]), "no matrix"),
        (_change("cells.4.witness", rows=[["1"]]), "Expected `float`, got `str`"),
        (_change("cells.4.witness", comment="x"), "unknown field `comment`"),
        (_change("cells.4", comment="x"), "unknown field `comment`"),
        (_change("", comment="x"), "unknown field `comment`"),
        (_change("contradictions.0", law="LINEAR"), "contradiction Sideways, LINEAR"),
        (_change("contradictions.0", method="Loop"), "contradiction Loop, COMMON_DESCENT"),
    ],
)
def test_claims_with_a_fault_are_refused(change: Callable[[dict[str, Any]], None], fault: str, tmp_path: Path) -> None:
    content = claims()
    change(content)
    with pytest.raises(StoreError, match=f"not the claims .*{fault}.*python -m tests.laws.export"):
        read_claims(written(tmp_path, content))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
@pytest.mark.parametrize("field", ["rows", "other", "task_scales"])
def test_numbers_are_finite(number: str, field: str, tmp_path: Path) -> None:
    content = claims()
    content["cells"][4]["witness"][field] = [[0.125]]
    path = written(tmp_path, content)
    path.write_text(path.read_text().replace("0.125", number))
    with pytest.raises(StoreError, match="not the claims"):
        read_claims(path)
    with pytest.raises(ValueError, match="not finite"):
        Witness(**{"aggregator": "Up()", "rows": ((1.0,),), field: ((float("inf"),),)})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (((1.0, -0.0), (0.1, 1e300)), "[[1, 0], [0.1, 1e+300]]"),
        ((0, 2, 1), "[0, 2, 1]"),
        (2.0**-20, "9.5367431640625e-07"),
        (2.0**20, "1048576.0"),
    ],
)
def test_numbers_are_written_exactly(value: object, text: str) -> None:
    assert listed(value) == text
    assert not re.search(r"\.0\b", listed(((3.0, 250.0),)))


def test_laws_are_named_in_words() -> None:
    assert law_title("ZERO_ROW_IGNORED") == "zero row ignored"
