"""What an exhibit is: rows from results, a figure and a table from rows."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
from matplotlib.figure import Figure

from experiments.results import Result
from experiments.spec import ProfileName, Spec
from paper_figures.runs import METHOD_ORDER

EXPECTED = Path(__file__).parent / "expected"
"""The numbers that the paper reports, one CSV file an exhibit."""


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One number of an exhibit with all that identifies it: one line of its CSV file."""

    profile: str
    problem: str


STYLE = Path(__file__).parent / "figures.mplstyle"
"""The look of every figure: ``with plt.style.context(STYLE)``."""

ERM_COLOUR = "#D55E00"
FLAT_COLOUR = "#0072B2"
OTHER_COLOUR = "#555555"


AnyRow = TypeVar("AnyRow", bound=msgspec.Struct)


@dataclass(frozen=True)
class Columns:
    """Columns under one heading; ``reference`` marks numbers that are the paper's, not ours."""

    heading: str
    titles: tuple[str, ...]
    reference: bool = False

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.titles)


@dataclass(frozen=True)
class Table:
    """A table to be read: cells are plain text, rendered by :mod:`paper_figures.latex` and by the report."""

    columns: tuple[Columns, ...]
    sections: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]

    def __post_init__(self) -> None:
        width = sum(group.width for group in self.columns)
        for title, lines in self.sections:
            for line in lines:
                if len(line) != width:
                    raise ValueError(f"section {title!r}: a line has {len(line)} cells, the table has {width} columns")


@dataclass(frozen=True)
class Exhibit(Generic[AnyRow]):
    """A table or figure of the paper, computed from results.

    ``uses``: the runs it reads. ``data``: results of one profile -> rows (pure). ``draw``: rows of one problem ->
    figure. ``table``: rows -> table. ``caption``: specs of the results that it shows -> text that states their setting.
    """

    name: str
    location: str
    title: str
    uses: Callable[[Spec], bool]
    data: Callable[[Sequence[Result], ProfileName], tuple[AnyRow, ...]]
    draw: Callable[[Sequence[AnyRow]], Figure]
    table: Callable[[Sequence[AnyRow]], Table]
    caption: Callable[[Sequence[Spec]], str]


def to_csv(rows: Sequence[msgspec.Struct]) -> str:
    """Rows of one type as CSV with a header; floats in their shortest exact form, None as an empty field."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(rows[0].__struct_fields__)
    for row in rows:
        writer.writerow(["" if value is None else value for value in msgspec.structs.astuple(row)])
    return out.getvalue()


def from_csv(text: str, row_type: type[AnyRow]) -> tuple[AnyRow, ...]:
    """The inverse of :func:`to_csv`.

    Raises: msgspec.ValidationError where a field is missing, unknown or not of its type.
    """
    texts = {field.name for field in msgspec.structs.fields(row_type) if field.type is str}
    return tuple(
        msgspec.convert(
            {name: None if value == "" and name not in texts else value for name, value in line.items()},
            row_type,
            strict=False,
        )
        for line in csv.DictReader(io.StringIO(text))
    )


def method_colour(label: str) -> str:
    """Plain aggregators, flat methods and the rest (STL, SAM-sum, ablations) have one colour each in all figures."""
    if label.startswith("F-"):
        return FLAT_COLOUR
    return ERM_COLOUR if label in METHOD_ORDER and label not in ("STL", "SAM-sum") else OTHER_COLOUR


def distinct(values: Iterable[Any]) -> list[Any]:
    """The different values in the order of their first appearance."""
    return list(dict.fromkeys(values))
