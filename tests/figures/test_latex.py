"""LaTeX: what is escaped reads as it was, and tables have the form of booktabs."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paper_figures.exhibit import Columns, Table
from paper_figures.latex import escape, tabular
from paper_figures.runs import RHO

WORDS = {
    "textbackslash": "\\",
    "textasciicircum": "^",
    "textasciitilde": "~",
    "textless": "<",
    "textgreater": ">",
    "textbar": "|",
    "textquotedbl": '"',
    "textdaggerdbl": "‡",
}
MATHS = {"pm": "±", "rho": RHO, "checkmark": "✓", "times": "✗"}
TOKEN = re.compile(
    r"\\(?P<word>[a-zA-Z]+)\{\}|\$\\(?P<maths>[a-z]+)\$|\\(?P<symbol>[{}$&%#_])|(?P<nothing>\{\})|(?P<plain>[^\\{}$&%#_^~])"
)


def read(source: str) -> str:
    """What LaTeX sets for this source: a reader of its own that refuses anything that is active."""
    text, position = "", 0
    while position < len(source):
        token = TOKEN.match(source, position)
        assert token, f"active character at {source[position:]!r}"
        parts = token.groupdict()
        text += WORDS[parts["word"]] if parts["word"] else MATHS[parts["maths"]] if parts["maths"] else ""
        text += parts["symbol"] or parts["plain"] or ""
        position = token.end()
    return text


printable = st.text(st.characters(codec="utf-8").filter(str.isprintable))
special = st.text(st.sampled_from("\\{}$&%#_^~<>|\"-,'`!?±‡✓✗ aB1" + RHO))


@given(printable | special)
@example("\\textbackslash{} --- ''quoted'' 100 % $x_1^2$")
def test_escaped_text_reads_as_the_text(text: str) -> None:
    assert read(escape(text)) == text


@given(special)
def test_no_ligatures(text: str) -> None:
    assert not re.search(r"--|''|``|,,|!`|\?`", escape(text))


@pytest.mark.parametrize("text", ["two\nlines", "a\ttab", "\x00", "\u2028"])
def test_unprintable_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not printable"):
        escape(text)


def test_marks_stand_under_upright_titles_text_in_paragraphs_and_notes_below() -> None:
    table = Table(
        columns=(
            Columns("", ("Law",)),
            Columns("Who", ("A_1", "B"), cells="marks"),
            Columns("", ("x", "y"), cells="text"),
        ),
        sections=(("", (("zero", "✓", "if a", "one", "two"),)), ("more", ())),
        notes=(("if a", "c < 1"), ("if b", "50 %")),
    )
    assert tabular(table, caption="Laws.", label="one").splitlines()[4:] == [
        r"\begin{tabular}{lcc>{\raggedright\arraybackslash}p{0.40\linewidth}>{\raggedright\arraybackslash}p{0.40\linewidth}}",
        r"\toprule",
        r"\multicolumn{1}{c}{} & \multicolumn{2}{c}{Who} & \multicolumn{2}{c}{} \\",
        r"\cmidrule(lr){2-3}",
        r"Law & \rotatebox{90}{A\_1} & \rotatebox{90}{B} & x & y \\",
        r"\midrule",
        r"zero & $\checkmark$ & if a & one & two \\",
        r"\midrule",
        r"\multicolumn{5}{l}{\emph{more}} \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\smallskip \emph{if a}: c \textless{} 1; \emph{if b}: 50 \%.",
        r"\end{table*}",
    ]


def test_table_has_the_form_of_booktabs() -> None:
    table = Table(
        columns=(Columns("", ("Method", "n")), Columns("Ours & theirs", ("Task 1", "Task 2"))),
        sections=(("multi_mnist", (("F-LS", "3", "88.21 ± 0.10", ""), ("STL", "1", "87.10", "100 %"))),),
    )
    assert tabular(table, caption="Accuracy in %.", label="one") == "\n".join(
        [
            r"\begin{table*}",
            r"\centering\footnotesize\setlength{\tabcolsep}{3pt}",
            r"\caption{Accuracy in \%.}",
            r"\label{tab:one}",
            r"\begin{tabular}{llrr}",
            r"\toprule",
            r"\multicolumn{2}{c}{} & \multicolumn{2}{c}{Ours \& theirs} \\",
            r"\cmidrule(lr){3-4}",
            r"Method & n & Task 1 & Task 2 \\",
            r"\midrule",
            r"\multicolumn{4}{l}{\emph{multi\_mnist}} \\",
            r"F-LS & 3 & 88.21 $\pm$ 0.10 &  \\",
            r"STL & 1 & 87.10 & 100 \% \\",
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table*}",
            "",
        ]
    )
