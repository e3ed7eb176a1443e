"""What an exhibit is: rows from what is stored, a figure and a table from rows."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import msgspec
from matplotlib.figure import Figure

from experiments.results import Result
from experiments.spec import ProfileName, Spec
from paper_figures.runs import METHOD_ORDER, PROBLEM_TITLES, problem_rank

EXPECTED = Path(__file__).parent / "expected"
"""The numbers that the paper reports, one CSV file an exhibit, and what the tests claim of each aggregator."""


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
RunRow = TypeVar("RunRow", bound=Row)
Content = TypeVar("Content")


class Linked(str):
    """Text of a cell, or title of a section, that leads to a place on the page (``target``) or is one (``name``)."""

    def __new__(cls, text: str, *, target: str = "", name: str = "") -> "Linked":
        linked = super().__new__(cls, text)
        linked.target, linked.name = target, name
        return linked

    target: str
    name: str


@dataclass(frozen=True)
class Columns:
    """Columns under one heading.

    Args:
        reference: the numbers are the paper's, not ours.
        cells: ``marks`` are narrower than their titles, ``text`` may take several lines.
    """

    heading: str
    titles: tuple[str, ...]
    reference: bool = False
    cells: Literal["numbers", "marks", "text"] = "numbers"

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.titles)


@dataclass(frozen=True)
class Table:
    """A table to be read: cells are plain text, rendered by :mod:`paper_figures.latex` and by the report.

    Args:
        sections: title (none if empty) and lines. The first columns hold names.
        notes: marks that occur in cells, and what they mean.
        title: only where a table is not the first of its exhibit.
    """

    columns: tuple[Columns, ...]
    sections: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]
    notes: tuple[tuple[str, str], ...] = ()
    title: str = ""

    def __post_init__(self) -> None:
        width = sum(group.width for group in self.columns)
        for title, lines in self.sections:
            for line in lines:
                if len(line) != width:
                    raise ValueError(f"section {title!r}: a line has {len(line)} cells, the table has {width} columns")


@dataclass(frozen=True)
class Stored:
    """What the stores hold: the runs of every profile, and the contents of single files by name."""

    runs: Mapping[ProfileName, tuple[Result, ...]]
    files: Mapping[str, Any]


@dataclass(frozen=True)
class Drawing:
    """One figure to be drawn. ``key`` ends its file name, ``label`` names it to readers: both empty for a lone one."""

    key: str
    label: str
    draw: Callable[[], Figure]


@dataclass(frozen=True)
class Edition(Generic[AnyRow]):
    """One showing of an exhibit: rows of one origin, the caption that states their setting, and what is drawn."""

    name: str
    title: str
    caption: str
    rows: tuple[AnyRow, ...]
    drawings: tuple[Drawing, ...]


@dataclass(frozen=True)
class Exhibit(Generic[AnyRow]):
    """A table, perhaps with figures, computed from what is stored."""

    name: str
    location: str
    title: str
    table: Callable[[Sequence[AnyRow]], Table]

    def tables(self, rows: Sequence[AnyRow]) -> tuple[Table, ...]:
        """What is shown of the rows of one edition, in this order."""
        return (self.table(rows),)

    def editions(self, stored: Stored) -> Iterator[Edition[AnyRow]]:
        """Every showing that the stores have rows for."""
        raise NotImplementedError


@dataclass(frozen=True)
class RunExhibit(Exhibit[RunRow]):
    """An exhibit of training runs: one edition a profile, one figure a problem.

    ``uses``: the runs it reads. ``data``: results of one profile -> rows (pure). ``caption``: specs of the results that
    it shows -> text that states their setting. ``draw``: rows of one problem -> figure.
    """

    uses: Callable[[Spec], bool]
    data: Callable[[Sequence[Result], ProfileName], tuple[RunRow, ...]]
    caption: Callable[[Sequence[Spec]], str]
    draw: Callable[[Sequence[RunRow]], Figure]

    def editions(self, stored: Stored) -> Iterator[Edition[RunRow]]:
        for profile, results in stored.runs.items():
            used = [result for result in results if self.uses(result.spec)]
            rows = self.data(used, profile)
            if not rows:
                continue
            drawings = tuple(
                Drawing(
                    problem,
                    PROBLEM_TITLES[problem],
                    partial(self.draw, [row for row in rows if row.problem == problem]),
                )
                for problem in sorted({row.problem for row in rows}, key=problem_rank)
            )
            caption = self.caption([result.spec for result in used])
            yield Edition(profile, f"Profile {profile}", caption, rows, drawings)


@dataclass(frozen=True)
class StoredFile(Generic[Content]):
    """A single file of a store, or a folder that belongs together, that exhibits read.

    ``title``: what it holds, for readers. ``read``: path -> content, raising StoreError for a file that can not be
    trusted. ``command``: what makes it. ``provenance``: content -> lines of a name and its values.
    """

    name: str
    title: str
    command: str
    read: Callable[[Path], Content]
    provenance: Callable[[Content], tuple[tuple[str, tuple[str, ...]], ...]]


@dataclass(frozen=True)
class FileExhibit(Exhibit[AnyRow], Generic[AnyRow, Content]):
    """An exhibit of one stored file or folder: one edition, and one figure unless ``draw`` is None.

    ``data``: content -> rows (pure). ``caption``: content -> text that states what was measured, and on what.
    ``details``: rows -> a second table, which stands under the first.
    """

    file: StoredFile[Content]
    data: Callable[[Content], tuple[AnyRow, ...]]
    caption: Callable[[Content], str]
    draw: Callable[[Sequence[AnyRow]], Figure] | None = None
    details: Callable[[Sequence[AnyRow]], Table] | None = None

    def tables(self, rows: Sequence[AnyRow]) -> tuple[Table, ...]:
        return super().tables(rows) if self.details is None else (self.table(rows), self.details(rows))

    def drawings(self, rows: Sequence[AnyRow]) -> tuple[Drawing, ...]:
        """What is drawn of the rows of the edition."""
        return () if self.draw is None else (Drawing("", "", partial(self.draw, rows)),)

    def editions(self, stored: Stored) -> Iterator[Edition[AnyRow]]:
        if self.file.name in stored.files:
            content: Content = stored.files[self.file.name]
            rows = self.data(content)
            if rows:
                yield Edition(
                    Path(self.file.name).stem, self.file.title, self.caption(content), rows, self.drawings(rows)
                )


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
