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
    """A ``table*`` with a booktabs tabular (needs ``\\usepackage{booktabs}``, T1 fonts and UTF-8 input).

    Args: caption: plain text, escaped here. label: the name after ``tab:``.
    """
    width = sum(columns.width for columns in table.columns)
    names = table.columns[0].width
    headings, rules, start = [], [], 1
    for columns in table.columns:
        headings.append(rf"\multicolumn{{{columns.width}}}{{c}}{{{escape(columns.heading)}}}")
        if columns.heading:
            rules.append(rf"\cmidrule(lr){{{start}-{start + columns.width - 1}}}")
        start += columns.width
    titles = [escape(title) for columns in table.columns for title in columns.titles]
    lines = [
        r"\begin{table*}",
        r"\centering\footnotesize\setlength{\tabcolsep}{3pt}",
        rf"\caption{{{escape(caption)}}}",
        rf"\label{{tab:{label}}}",
        rf"\begin{{tabular}}{{{'l' * names}{'r' * (width - names)}}}",
        r"\toprule",
        " & ".join(headings) + r" \\",
        "".join(rules),
        " & ".join(titles) + r" \\",
    ]
    for title, rows in table.sections:
        lines += [r"\midrule", rf"\multicolumn{{{width}}}{{l}}{{\emph{{{escape(title)}}}}} \\"]
        lines += [" & ".join(escape(cell) for cell in row) + r" \\" for row in rows]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table*}", ""])
