"""Table T.7: the kl inverse, on which the certificates rest, beside ball arithmetic at random arguments."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from experiments.results import StoreError
from paper_figures.exhibit import Columns, FileExhibit, StoredFile, Table
from theory.coverage.inverse_records import COMMAND, NAME, Inversion, read_inversion
from theory.ledger import LedgerError


class InverseRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many arguments with a budget in [low, high) have an inverse that is ``most`` floats or fewer above the least
    bound, and more than the row before; None: any more. The other counts are of all of this range.
    """

    low: float
    high: float
    count: int
    below: int
    loose: int
    certain: int
    median: int
    greatest: int
    excess: float
    most: int | None
    arguments: int


def read(path: Path) -> Inversion:
    """Read the record strictly."""
    try:
        return read_inversion(path)
    except LedgerError as error:
        raise StoreError(str(error)) from error


def provenance(found: Inversion) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Versions, seed and time."""
    return (
        ("Python", (found.python,)),
        ("python-flint", (f"{found.flint}, {found.bits} bits",)),
        ("NumPy", (found.numpy,)),
        ("Seed", (str(found.seed),)),
        ("Time", (f"{found.seconds:,.0f} CPU s",)),
    )


def data(found: Inversion) -> tuple[InverseRow, ...]:
    """Range by range, then by distance."""
    return tuple(
        InverseRow(
            low=one.low,
            high=one.high,
            count=one.count,
            below=one.below,
            loose=one.loose,
            certain=one.certain,
            median=one.median,
            greatest=one.greatest,
            excess=one.excess,
            most=most,
            arguments=arguments,
        )
        for one in found.rows
        for most, arguments in zip((*found.steps, None), one.ulps, strict=True)
    )


def _titles(steps: Sequence[int | None]) -> tuple[str, ...]:
    """0, 1, 2 to 3, ..., more than the last."""
    titles, before = [], -1
    for most in steps:
        if most is None:
            titles.append(f"over {before}")
            continue
        titles.append(str(most) if most == before + 1 else f"{before + 1} to {most}")
        before = most
    return tuple(titles)


def table(rows: Sequence[InverseRow]) -> Table:
    """A line a range of budgets, the last one for all."""
    ranges: dict[tuple[float, float], list[InverseRow]] = {}
    for row in rows:
        ranges.setdefault((row.low, row.high), []).append(row)
    groups = list(ranges.values())
    lines = [_line(f"{low:.0e} to {high:.0e}", [group]) for (low, high), group in ranges.items()]
    steps = [row.most for row in groups[0]]
    return Table(
        columns=(
            Columns("", ("Budget (nats)", "arguments")),
            Columns("Inverse", ("below the exact one", "equal to 1")),
            Columns("Floats above the least bound", (*_titles(steps), "median", "greatest")),
            Columns("Excess", ("of itself",)),
        ),
        sections=(("", (*lines, _line("all", groups))),),
    )


def _line(name: str, groups: Sequence[Sequence[InverseRow]]) -> tuple[str, ...]:
    """Counts are added, extremes are kept; a median is of one range only."""
    first = [group[0] for group in groups]
    bands = [sum(row.arguments for row in band) for band in zip(*groups, strict=True)]
    return (
        name,
        *(f"{sum(numbers):,}" for numbers in zip(*((one.count, one.below, one.certain) for one in first), strict=True)),
        *(f"{band:,}" for band in bands),
        str(first[0].median) if len(first) == 1 else "",
        str(max(one.greatest for one in first)),
        f"{max(one.excess for one in first):.1e}",
    )


def caption(found: Inversion) -> str:
    """What was compared, and what came out."""
    greatest = max(row.greatest for row in found.rows)
    return (
        f"The computed inverse of kl, the largest p with kl(q || p) <= budget, at {found.count:,} random risks and "
        f"budgets over many decades, beside ball arithmetic at {found.bits} bits, which shares no code with it. It is "
        f"below the exact value at {found.below:,} of {found.count:,} arguments: there it would be no bound. The least "
        "float that is still a bound is found by the same ball arithmetic; the computed one lies at most "
        f"{greatest:,} floats above it."
    )


INVERSE = StoredFile(name=NAME, title="The kl inverse", command=COMMAND, read=read, provenance=provenance)

EXHIBIT = FileExhibit(
    name="table_t_7_inverse",
    location="Table T.7",
    title="The kl inverse beside ball arithmetic",
    table=table,
    file=INVERSE,
    data=data,
    caption=caption,
)
