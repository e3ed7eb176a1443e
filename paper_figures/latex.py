"""LaTeX of tables: one escaping function, one table function."""

import re

from paper_figures.exhibit import Table
from paper_figures.runs import RHO

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "±": r"$\pm$",
    RHO: r"$\rho$",
    "‡": r"\textdaggerdbl{}",
    "✓": r"$\checkmark$",
    "✗": r"$\times$",
}


def escape(text: str) -> str:
    r"""Text that LaTeX sets as it reads: special characters are escaped, and no ligature joins dashes or quotes.

    Raises: ValueError for characters that are not printable (a line break would end a table's line).

    Example:
        >>> escape("100 % of task_1")
        '100 \\% of task\\_1'
    """
    if not text.isprintable():
        raise ValueError(f"text {text!r} holds a character that is not printable; remove it.")
    unjoined = re.sub(r"(?<=[-,'`!?])(?=[-,'`])", "\0", text)
    return "".join("{}" if character == "\0" else _ESCAPES.get(character, character) for character in unjoined)


def tabular(table: Table, *, caption: str, label: str) -> str:
    """A ``table*`` with a booktabs tabular: needs booktabs, T1 fonts and UTF-8 input; amssymb and graphicx where there
    are columns of marks, whose titles stand upright; array where there are columns of text.

    Args: caption: plain text, escaped here. label: the name after ``tab:``.
    """
    width = sum(columns.width for columns in table.columns)
    texts = sum(columns.width for columns in table.columns if columns.cells == "text")
    kinds = {
        "numbers": "r",
        "marks": "c",
        "text": rf">{{\raggedright\arraybackslash}}p{{{0.8 / (texts or 1):.2f}\linewidth}}",
    }
    headings, rules, start, shape, titles = [], [], 1, "", []
    for columns in table.columns:
        headings.append(rf"\multicolumn{{{columns.width}}}{{c}}{{{escape(columns.heading)}}}")
        if columns.heading:
            rules.append(rf"\cmidrule(lr){{{start}-{start + columns.width - 1}}}")
        shape += columns.width * ("l" if start == 1 else kinds[columns.cells])
        titles += [
            rf"\rotatebox{{90}}{{{escape(title)}}}" if columns.cells == "marks" else escape(title)
            for title in columns.titles
        ]
        start += columns.width
    lines = [
        r"\begin{table*}",
        r"\centering\footnotesize\setlength{\tabcolsep}{3pt}",
        rf"\caption{{{escape(caption)}}}",
        rf"\label{{tab:{label}}}",
        rf"\begin{{tabular}}{{{shape}}}",
        r"\toprule",
        *([" & ".join(headings) + r" \\", "".join(rules)] if rules else []),
        " & ".join(titles) + r" \\",
    ]
    for title, rows in table.sections:
        lines.append(r"\midrule")
        if title:
            lines.append(rf"\multicolumn{{{width}}}{{l}}{{\emph{{{escape(title)}}}}} \\")
        lines += [" & ".join(escape(cell) for cell in row) + r" \\" for row in rows]
    lines += [r"\bottomrule", r"\end{tabular}"]
    if table.notes:
        notes = "; ".join(rf"\emph{{{escape(mark)}}}: {escape(text)}" for mark, text in table.notes)
        lines.append(rf"\par\smallskip {notes}.")
    return "\n".join([*lines, r"\end{table*}", ""])
