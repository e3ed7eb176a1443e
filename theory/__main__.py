"""Command line: ``python -m theory verify | show | graph | trace``."""

import argparse
import difflib
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from theory import show, trace, verify
from theory.blueprint import BLUEPRINT, Entry
from theory.ledger import Ledger, LedgerError, read, write
from theory.reviewers import ANSWERS
from theory.standing import COMMAND, FRESH, KEPT, differences, read_if_any, standings, surprises

Known = TypeVar("Known")


class Unknown(Exception):
    """A label that no statement has."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m theory", description="The statements, and what became of them.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("verify", help="run all checks, write the ledger, say what differs from what is expected")
    run.add_argument("--only", nargs="+", default=[], metavar="LABEL", help="these statements; nothing is written")
    run.add_argument("--keep", action="store_true", help=f"write the ledger that the report reads ({_short(KEPT)})")
    run.add_argument("--workers", type=int, default=2, metavar="N", help="processes (default: %(default)s)")
    run.add_argument("--limit", type=float, default=verify.LIMIT, metavar="S", help="seconds a check (%(default)g)")
    one = commands.add_parser("show", help="all that is known of one statement")
    one.add_argument("label", metavar="LABEL")
    graph = commands.add_parser("graph", help="draw what uses what (needs matplotlib)")
    graph.add_argument("label", metavar="LABEL", nargs="?", help="one statement and all that it uses")
    graph.add_argument("--out", type=Path, default=Path("build/graph.png"), metavar="FILE", help="default: %(default)s")
    for command in (one, graph):
        command.add_argument(
            "--ledger", type=Path, metavar="FILE", help="default: the last whole run, else the kept one"
        )
    ends = commands.add_parser("trace", help="from statements to checks, code and tests")
    ends.add_argument("--check", action="store_true", help="say which ends lead nowhere, and nothing else")
    return parser


def _console() -> Console:
    """As wide as the terminal; wide enough for the table where there is none."""
    console = Console()
    return console if console.is_terminal else Console(width=160)


def _short(path: Path) -> str:
    return path.relative_to(path.parents[2]).as_posix()


def _ledger(given: Path | None) -> Ledger | None:
    return read(given) if given else read_if_any((FRESH, KEPT))


def _known(found: Mapping[str, Known], label: str) -> Known:
    if label in found:
        return found[label]
    near = difflib.get_close_matches(label, found, n=5, cutoff=0.4)
    raise Unknown(f"there is no statement {label!r}. " + (f"Near: {', '.join(near)}" if near else "See theory trace"))


def _verify(options: argparse.Namespace, console: Console) -> int:
    if options.only and options.keep:
        console.print("--keep keeps a whole run: leave --only out.", markup=False)
        return 2
    entries = {entry.label: entry for entry in BLUEPRINT}
    chosen = [_known(entries, label) for label in options.only] or list(BLUEPRINT)
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[now]}", markup=False), console=console) as progress:
        total = len({check for entry in chosen for check in entry.checks})
        checks = progress.add_task("checks", total=total, now="")

        def tick(check: str) -> None:
            progress.update(checks, advance=1, now=check)

        ledger = verify.verify(chosen, workers=options.workers, limit=options.limit, tick=tick)
    return _outcome(ledger, chosen, options, console)


def _outcome(ledger: Ledger, chosen: Sequence[Entry], options: argparse.Namespace, console: Console) -> int:
    """Show, write unless partial, and compare with what is expected and what is kept."""
    labels = {entry.label for entry in chosen}
    among = [replace(entry, uses=tuple(used for used in entry.uses if used in labels)) for entry in chosen]
    found = standings(ledger, among)
    show.overview(found, console)
    sentences = surprises(found)
    if not options.only:
        for path in (FRESH, KEPT) if options.keep else (FRESH,):
            write(path, ledger)
            console.print(f"{ledger.seconds:g} s; ledger: {_short(path)}", markup=False, highlight=False)
        old = differences(read_if_any((KEPT,)), found, BLUEPRINT)
        sentences += [f"kept ledger: {sentence}" for sentence in old]
        sentences += [f"to keep this run: {COMMAND}"] if old else []
    for sentence in sentences:
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    return int(bool(sentences))


def _show(options: argparse.Namespace, console: Console) -> int:
    found = standings(_ledger(options.ledger), BLUEPRINT)
    for line in show.statement(_known(found, options.label), found):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return 0


def _graph(options: argparse.Namespace, console: Console) -> int:
    from theory import graph, layout  # noqa: PLC0415 - only drawing needs matplotlib

    found = standings(_ledger(options.ledger), BLUEPRINT)
    nodes = layout.nodes_of(found)
    if options.label:
        nodes = layout.below(nodes, _known(found, options.label).entry.label)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    graph.draw(nodes).savefig(options.out, dpi=160)
    console.print(f"graph: {options.out}", markup=False, highlight=False)
    return 0


def _trace(options: argparse.Namespace, console: Console) -> int:
    if not options.check:
        for entry in BLUEPRINT:
            ends = (entry.label, entry.kind, entry.paper, *entry.checks, *entry.code, *entry.tests)
            console.print(" | ".join(ends), markup=False, highlight=False, soft_wrap=True)
    sentences = trace.all_ends(BLUEPRINT, ANSWERS)
    for sentence in sentences:
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    if options.check and not sentences:
        console.print(f"{len(BLUEPRINT)} statements: no end leads nowhere", highlight=False)
    return int(bool(sentences))


COMMANDS: dict[str, Callable[[argparse.Namespace, Console], int]] = {
    "verify": _verify,
    "show": _show,
    "graph": _graph,
    "trace": _trace,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    partial = options.command == "trace" or (options.command == "verify" and options.only)
    broken = [] if partial else trace.unsound(BLUEPRINT)
    if broken:
        print("error:", "; ".join(broken), file=sys.stderr)
        return 2
    try:
        return COMMANDS[options.command](options, _console())
    except (LedgerError, Unknown, trace.TraceError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))  # so that the workers are ended
    sys.exit(main())
