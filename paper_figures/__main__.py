"""Command line: ``python -m paper_figures build`` writes the report; ``findings``: its answers; ``list``: exhibits."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import msgspec

from experiments import results
from paper_figures import findings, registry, site

FRESH = Path("build/store")
REPRODUCTION = Path("build/reproduction.json")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m paper_figures", description="The paper's exhibits from stored results.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="name the exhibits")
    commands.add_parser("findings", help="what came out, as the README has it: from the repository's own store")
    build = commands.add_parser("build", help="write PDF, PNG, CSV and LaTeX of every exhibit, and index.html")
    build.add_argument(
        "--store",
        type=Path,
        nargs="+",
        metavar="DIR",
        help=f"folders of results, the first with a run or file wins (default: {FRESH} if any, then experiments/store)",
    )
    build.add_argument("--out", type=Path, default=Path("build/report"), metavar="DIR", help="default: %(default)s")
    build.add_argument("--missing-data", default="", metavar="TEXT", help="data that could not be had, for the top")
    build.add_argument(
        "--reproduction",
        type=Path,
        metavar="FILE",
        help=f"outcome of 'python -m experiments compare' (default: {REPRODUCTION} where it exists)",
    )
    return parser


def _stores(given: Sequence[Path] | None) -> tuple[Path, ...]:
    if given is None:
        return (FRESH, results.STORE) if FRESH.is_dir() else (results.STORE,)
    for store in given:
        if not store.is_dir():
            raise results.StoreError(f"--store {store}: not a folder. Give a folder of results, or leave --store out.")
    return tuple(given)


def _reproduction(given: Path | None) -> results.Reproduction | None:
    path = given or REPRODUCTION
    if given is None and not path.exists():
        return None
    try:
        reproduction = msgspec.json.decode(path.read_bytes(), type=results.Reproduction)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise results.StoreError(
            f"{path}: no outcome of a comparison ({error}). Remove it or compare again."
        ) from error
    if reproduction.schema_version != results.SCHEMA_VERSION:
        found, expected = reproduction.schema_version, results.SCHEMA_VERSION
        raise results.StoreError(f"{path}: schema version {found}, expected {expected}. Remove it or compare again.")
    return reproduction


def of_the_repository() -> str:
    """What came out, in Markdown: the README's text."""
    stored, _ = site.gather((results.STORE,))
    return findings.markdown(findings.findings(stored))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status (1: a file that can not be used, named on standard error)."""
    options = _parser().parse_args(arguments)
    matplotlib.use("agg")
    if options.command == "list":
        for exhibit in registry.EXHIBITS:
            print(f"{exhibit.name:24}{exhibit.location:10}{exhibit.title}")
        return 0
    try:
        if options.command == "findings":
            print(of_the_repository())
            return 0
        page, missing = site.build(
            _stores(options.store),
            options.out,
            missing_data=options.missing_data,
            reproduction=_reproduction(options.reproduction),
        )
    except results.StoreError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for lacking in missing:
        print(f"{lacking.what}, missing: run `{lacking.command}`")
    print(f"report: {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
