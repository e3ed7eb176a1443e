"""Command line: ``python -m theory.coverage`` simulates, writes the record, and says what is not as promised."""

import argparse
import sys
from collections.abc import Sequence

from theory.coverage.records import FRESH, KEPT, Covered, write_coverage
from theory.coverage.run import run


def line(row: Covered) -> str:
    """One bound in one world."""
    named = f"{row.bound} ({row.fault})" if row.fault else row.bound
    rate = f"{row.rate:.4f} in [{row.low:.4f}, {row.high:.4f}]"
    return f"{row.world}, {row.version}, m = {row.tasks}: {named}: {rate}" + (" rejected" if row.rejected else "")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1: a bound was rejected, or a planted fault was not."""
    parser = argparse.ArgumentParser("python -m theory.coverage", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="write the record that the report reads")
    parser.add_argument("--share", type=float, default=1.0, help="of the training sets (default: %(default)g)")
    options = parser.parse_args(arguments)
    found = run(options.share, lambda row: print(line(row), flush=True))
    path = KEPT if options.keep else FRESH
    write_coverage(path, found)
    print(f"{len(found.rows)} rates in {found.seconds:.0f} CPU s: {path}")
    for row in found.surprises:
        print(f"NOT AS EXPECTED: {line(row)}", file=sys.stderr)
    return int(bool(found.surprises))


if __name__ == "__main__":
    sys.exit(main())
