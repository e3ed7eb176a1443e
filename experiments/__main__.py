"""Command line: ``python -m experiments run | status | compare | list | data``."""

import collections
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import tyro
from rich.console import Console
from rich.table import Table

from experiments import catalog, executors
from experiments.problems.overlays import describe_data
from experiments.results import (
    SCHEMA_VERSION,
    STORE,
    Reproduction,
    compare_results,
    find_result,
    write_atomically,
)
from experiments.spec import ProfileName, Spec, spec_key
from experiments.train import load_problem, machine

app = tyro.extras.SubcommandApp()

Name = Annotated[ProfileName, tyro.conf.Positional]


def _selected(name: ProfileName, only: str) -> tuple[Spec, ...]:
    """The runs of a list whose one-line description contains ``only``."""
    return tuple(spec for spec in catalog.specs(name) if only.lower() in executors.describe(spec).lower())


@app.command
def run(
    name: Name,
    *,
    store: Path = STORE,
    workers: int = 2,
    fresh: bool = False,
    data_dir: Path | None = None,
    keep_checkpoints: Path | None = None,
    only: str = "",
) -> int:
    """Train what is missing from a list; finished runs are skipped, interrupted ones resume.

    Args:
        name: the list.
        store: folder of the results.
        workers: processes, one thread each.
        fresh: train finished runs again, from the start.
        data_dir: folder with the original image files.
        keep_checkpoints: folder for the final weights of every run trained now.
        only: run only those whose line in ``list`` contains this text.
    """
    console = Console()
    chosen = _selected(name, only)
    if not chosen:
        console.print(f"No run of {name} contains {only!r}: see python -m experiments list {name}.", markup=False)
        return 1
    settings = executors.Settings(store=store, data_dir=data_dir, weights=keep_checkpoints, fresh=fresh)
    try:
        finished = executors.run_sweep(chosen, settings, load=load_problem, workers=workers, console=console)
    except executors.SweepBroken as error:
        console.print(str(error), markup=False)
        return 1
    counts: collections.Counter[str] = collections.Counter(one.outcome for one in finished)
    counts["not started"] = len(chosen) - len(finished)
    console.print(", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count), highlight=False)
    return int(counts["failed"] + counts["stopped"] + counts["not started"] > 0)


@app.command
def status(name: Name, *, store: Path = STORE) -> int:
    """Show which runs of a list are done, running, failed or missing.

    Args:
        name: the list.
        store: folder of the results.
    """
    console = Console()
    counts: collections.Counter[str] = collections.Counter()
    for spec in catalog.specs(name):
        state = executors.state(spec, store)
        counts[state] += 1
        if state != "done":
            console.print(f"{state:8} {executors.describe(spec)}", markup=False, highlight=False, soft_wrap=True)
    console.print(", ".join(f"{count} {state}" for state, count in counts.items()), highlight=False)
    return int(counts["failed"] > 0)


@app.command
def compare(name: Name, *, store: Path) -> int:
    """Compare results computed anew with those kept in the repository; writes build/reproduction.json.

    Fails when a result is absent on one side, or differs although processor, torch and thread count are the same.

    Args:
        name: the list.
        store: folder of the results computed anew.
    """
    if store.resolve() == STORE.resolve():
        raise SystemExit(f"{store} is the repository's own store: compare another one with it.")
    runs, absent = [], []
    for spec in catalog.specs(name):
        stored, computed = find_result([STORE], spec), find_result([store], spec)
        if stored is None or computed is None:
            absent.append(spec_key(spec))
        else:
            runs.append(compare_results(stored, computed))
    reproduction = Reproduction(
        schema_version=SCHEMA_VERSION, name=name, machine=machine(), runs=tuple(runs), absent=tuple(absent)
    )
    content = msgspec.json.format(msgspec.json.encode(reproduction), indent=1) + b"\n"
    write_atomically(executors.BUILD / "reproduction.json", content)
    table = Table("key", "problem", "method", "seed", "identical", "largest accuracy difference")
    for one in runs:
        values = (one.key, one.problem, one.label, str(one.seed), str(one.identical), f"{one.accuracy_difference:.2g}")
        table.add_row(*values)
    console = Console()
    console.print(table)
    identical = sum(one.identical for one in runs)
    console.print(f"{identical} of {len(runs)} identical; {len(absent)} not on both sides", highlight=False)
    broken = [one.key for one in runs if one.expected_identical and not one.identical]
    if broken:
        console.print(f"different on the same processor, torch and thread count: {', '.join(broken)}", highlight=False)
    return int(not runs or bool(broken) or bool(absent))


@app.command(name="list")
def list_runs(name: Annotated[ProfileName | None, tyro.conf.Positional] = None) -> int:
    """Show the lists, or the runs of one.

    Args:
        name: the list whose runs are shown.
    """
    console = Console()
    if name is None:
        for each in catalog.NAMES:
            console.print(f"{each}: {len(catalog.specs(each))} runs", highlight=False)
        return 0
    for spec in catalog.specs(name):
        console.print(executors.describe(spec), markup=False, highlight=False, soft_wrap=True)
    return 0


@app.command
def data(*, data_dir: Path | None = None, fetch: bool = False, verify: bool = False) -> int:
    """Show which data are there and where they come from.

    Args:
        data_dir: folder with the original image files.
        fetch: get what is missing with the package clients.
        verify: check the sums of every file and every set of overlays.
    """
    return describe_data(data_dir, fetch, verify=verify)


if __name__ == "__main__":
    sys.exit(app.cli(prog="python -m experiments"))
