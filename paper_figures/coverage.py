"""The kept simulation of coverage as exhibits read it."""

from pathlib import Path

from experiments.results import StoreError
from paper_figures.exhibit import StoredFile
from theory.coverage.records import COMMAND, NAME, Coverage, read_coverage
from theory.ledger import LedgerError


def read(path: Path) -> Coverage:
    """Read the record strictly."""
    try:
        return read_coverage(path)
    except LedgerError as error:
        raise StoreError(str(error)) from error


def provenance(coverage: Coverage) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Versions, seed and time."""
    return (
        ("Python", (coverage.python,)),
        ("NumPy", (coverage.numpy,)),
        ("Seed", (str(coverage.seed),)),
        ("Time", (f"{coverage.seconds:,.0f} CPU s",)),
    )


COVERAGE = StoredFile(name=NAME, title="Coverage", command=COMMAND, read=read, provenance=provenance)
