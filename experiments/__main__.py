"""Command line: ``python -m experiments run | sweep | status | costs | compare | search | list | data``."""

import collections
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import tyro
from rich.console import Console
from rich.table import Table

from experiments import catalog, executors
from experiments import costs as pricing
from experiments.available import find_lacks
from experiments.benchmarks.tables import gate_table
from experiments.dense_data import describe_dense
from experiments.engines.dask_cluster import DaskCluster
from experiments.engines.engine import Engine, EngineMissing, SweepBroken
from experiments.engines.estimate import left
from experiments.engines.local import LocalPool
from experiments.engines.slurm import Slurm
from experiments.engines.sweep import Shard, run_sweep, tell_counts
from experiments.problems.overlays import describe_data
from experiments.provenance import machine
from experiments.results import (
    SCHEMA_VERSION,
    STORE,
    Reproduction,
    compare_results,
    find_result,
    load_results,
    read_result,
    result_path,
    write_atomically,
)
from experiments.search import choice_cells, choose, describe_budget
from experiments.searches import SEARCH_RUNS, SearchName, read_search, save_search, search_path
from experiments.spec import ProfileName, Spec, spec_key
from experiments.splits import load

app = tyro.extras.SubcommandApp()

Name = Annotated[catalog.ListName, tyro.conf.Positional]


def _selected(name: catalog.ListName, only: str) -> tuple[Spec, ...]:
    """The runs of a list whose one-line description contains ``only``."""
    return tuple(spec for spec in catalog.specs(name) if only.lower() in executors.describe(spec).lower())


def _store_of(name: catalog.ListName, store: Path | None) -> Path:
    """The folder asked for, or the list's own."""
    return store or (SEARCH_RUNS if name == "search" else STORE)


@app.command
def run(
    name: Name,
    *,
    store: Path | None = None,
    workers: int = 2,
    fresh: bool = False,
    data_dir: Path | None = None,
    keep_checkpoints: Path | None = None,
    only: str = "",
) -> int:
    """Train what is missing from a list; finished runs are skipped, interrupted ones resume. A sweep on this machine.

    Args:
        name: the list.
        store: folder of the results (by default the repository's, for search build/search), and of checkpoints, locks
            and failures: in its .work/, for the repository's own store in build/. Nothing is written outside.
        workers: processes, one thread each.
        fresh: train finished runs again, from the start.
        data_dir: folder with the original files. Runs whose data this machine can not use or fetch are left out, which
            is said once, before the others start.
        keep_checkpoints: folder for the final weights of every run trained now.
        only: run only those whose line in ``list`` contains this text.
    """
    return sweep(
        name,
        store=store,
        workers=workers,
        fresh=fresh,
        data_dir=data_dir,
        keep_checkpoints=keep_checkpoints,
        only=only,
    )


@app.command
def sweep(
    name: Name,
    *,
    engine: Literal["local", "slurm", "dask"] = "local",
    shard: str = "1/1",
    scheduler: str = "",
    partition: str = "",
    hours: float = 4.0,
    memory_gb: float = 4.0,
    store: Path | None = None,
    workers: int = 2,
    fresh: bool = False,
    data_dir: Path | None = None,
    keep_checkpoints: Path | None = None,
    only: str = "",
) -> int:
    """Train what is missing from a list, on one machine or many, which share the store's file system.

    Args:
        name: the list.
        engine: processes of this machine, SLURM jobs, or the workers of a Dask scheduler.
        shard: i/n: only part i of n; the parts are disjoint and make up the list.
        scheduler: address of the Dask scheduler, tcp://host:port.
        partition: where SLURM queues the jobs; empty: its own choice.
        hours: time limit of a SLURM job, which is queued again when it ends too early.
        memory_gb: memory of a SLURM job.
        store: folder of the results (by default the repository's, for search build/search), and of checkpoints, locks
            and failures: in its .work/, for the repository's own store in build/. Nothing is written outside.
        workers: processes, or SLURM jobs at the same time, one thread each.
        fresh: train finished runs again, from the start.
        data_dir: folder with the original files. Runs whose data this machine can not use or fetch are left out, which
            is said once, before the others start.
        keep_checkpoints: folder for the final weights of every run trained now.
        only: run only those whose line in ``list`` contains this text.
    """
    console = Console()
    engines: dict[str, Callable[[], Engine]] = {
        "local": lambda: LocalPool(workers),
        "slurm": lambda: Slurm(workers=workers, hours=hours, memory_gb=memory_gb, partition=partition),
        "dask": lambda: DaskCluster(scheduler),
    }
    settings = executors.Settings(
        store=_store_of(name, store).resolve(),
        data_dir=data_dir and data_dir.resolve(),
        weights=keep_checkpoints and keep_checkpoints.resolve(),
        fresh=fresh,
    )
    try:
        part = Shard.parse(shard)
        chosen = [spec for spec in _selected(name, only) if spec in part]
        if not chosen:
            where = f"{name}, part {shard}," if part.count > 1 else name
            console.print(f"No run of {where} contains {only!r}: see python -m experiments list {name}.", markup=False)
            return 1
        finished = run_sweep(chosen, settings, load=load, engine=engines[engine](), lacks=find_lacks, console=console)
    except (SweepBroken, EngineMissing, ValueError) as error:
        console.print(str(error), markup=False, soft_wrap=True)
        return 1
    return int(tell_counts(finished, len(chosen), console) > 0)


@app.command
def status(name: Name, *, store: Path | None = None) -> int:
    """Show which runs of a list are done, running, failed or missing, and about how much is left to compute.

    Args:
        name: the list.
        store: folder of the results; by default the repository's, for search build/search.
    """
    console = Console()
    store = _store_of(name, store)
    states = {spec: executors.state(spec, store) for spec in catalog.specs(name)}
    counts = collections.Counter(states.values())
    remaining = [spec for spec, state in states.items() if state != "done"]
    for spec in remaining:
        line = f"{states[spec]:8} {executors.describe(spec)}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(", ".join(f"{count} {state}" for state, count in counts.items()), highlight=False)
    if remaining:
        console.print(f"left: {left(remaining, load_results(store))}", highlight=False, soft_wrap=True)
    return int(counts["failed"] > 0)


@app.command
def costs(
    name: Annotated[ProfileName, tyro.conf.Positional] = "laptop",
    *,
    store: Path = STORE,
    shortened: Path = executors.BUILD / "shortened",
    data_dir: Path | None = None,
    keep: bool = False,
) -> int:
    """Show what a list costs in core-hours: a shortened run of every kind is timed part by part, in one process.

    Args:
        name: the list.
        store: folder of the results.
        shortened: folder of the shortened runs; finished ones are not repeated.
        data_dir: folder with the original files.
        keep: write the table into the store, for the report.
    """
    console = Console()
    specs = catalog.specs(name)
    short = tuple(pricing.shortened(spec) for spec, _ in pricing.kinds(specs).values())
    settings = executors.Settings(store=shortened.resolve(), data_dir=data_dir and data_dir.resolve())
    try:
        finished = run_sweep(short, settings, load=load, engine=LocalPool(1), lacks=find_lacks, console=console)
    except SweepBroken as error:
        console.print(str(error), markup=False, soft_wrap=True)
        return 1
    if any(one.outcome not in ("done", "skipped") for one in finished):
        return 1
    timed = {spec: read_result(result_path(settings.store, spec)) for spec in short}
    found = pricing.costs(name, specs, timed, load_results(store))
    table = Table("problem", "runs", "core-hours", "of which stored")
    for problem in dict.fromkeys(cost.spec.problem for cost in found.kinds):
        own = [cost for cost in found.kinds if cost.spec.problem == problem]
        hours, stored = pricing.core_hours(own)
        table.add_row(problem, str(sum(cost.runs for cost in own)), f"{hours:.2f}", f"{stored:.2f}")
    console.print(table)
    console.print(f"{name}: {pricing.core_hours(found.kinds)[0]:.1f} core-hours", highlight=False)
    if limit := pricing.outside_gate(found.kinds):
        console.print(gate_table([limit]))
    if keep:
        path = pricing.save_costs(store / pricing.STORED.name, found)
        console.print(f"kept: {path}", markup=False, highlight=False, soft_wrap=True)
    return 0


@app.command
def compare(name: Annotated[ProfileName, tyro.conf.Positional], *, store: Path) -> int:
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


@app.command
def search(
    name: Annotated[SearchName, tyro.conf.Positional],
    *,
    runs: Path = SEARCH_RUNS,
    store: Path = STORE,
    keep: bool = False,
) -> int:
    """Choose learning rate and radius of every method on validation, from the runs of ``run search``.

    Args:
        name: the search.
        runs: folder of its runs; if it has none, what the store keeps of the search is shown.
        store: folder of the results.
        keep: write the search into the store, by the seeds that are complete: the list ``searched`` runs its choices.
    """
    console = Console()
    kept = search_path(store, name)
    found = choose(name, runs)
    if not found.computed and not keep and kept.exists():
        found = read_search(kept)
        console.print(f"as kept: {kept}", markup=False, highlight=False, soft_wrap=True)
    table = Table("method", "learning rate", "radius", "validation (%)", "runner-up", "validation (%)", "at the edge")
    for one in found.choices:
        table.add_row(*choice_cells(one))
    console.print(table)
    console.print(describe_budget(found), markup=False, highlight=False, soft_wrap=True)
    for method, count in found.missing.items():
        line = f"missing: {count} runs of {method}: python -m experiments run search"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if keep and found.choices:
        console.print(f"kept: {save_search(store, found)}", markup=False, highlight=False, soft_wrap=True)
    return int(bool(found.missing))


@app.command(name="list")
def list_runs(name: Annotated[catalog.ListName | None, tyro.conf.Positional] = None) -> int:
    """Show the lists, or the runs of one.

    Args:
        name: the list whose runs are shown.
    """
    console = Console()
    if name is None:
        for each in catalog.LISTS:
            console.print(f"{each}: {len(catalog.specs(each))} runs", highlight=False)
        return 0
    for spec in catalog.specs(name):
        console.print(executors.describe(spec), markup=False, highlight=False, soft_wrap=True)
    return 0


@app.command
def data(*, data_dir: Path | None = None, fetch: bool = False, verify: bool = False) -> int:
    """Show which data are there and where they come from.

    Args:
        data_dir: folder with the original image files, and with nyuv2/ and cityscapes/.
        fetch: get what is missing with the package clients, and render rooms and streets.
        verify: check the sums of every file and every set of overlays.
    """
    dense = describe_dense(data_dir, fetch)
    return max(dense, describe_data(data_dir, fetch, verify=verify))


if __name__ == "__main__":
    sys.exit(app.cli(prog="python -m experiments"))
