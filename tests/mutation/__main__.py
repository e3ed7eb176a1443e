"""``python -m tests.mutation``: mutants of the core against the project's own tests."""

import platform
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Annotated

import tyro
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from experiments.executors import BUILD, ROOT, source_state
from paper_figures.mutation import Provenance
from tests.mutation.automatic import SAMPLE, mutants_of, sample
from tests.mutation.by_hand import hand_mutants
from tests.mutation.by_hand_bargains import BARGAINS
from tests.mutation.by_hand_others import OTHERS
from tests.mutation.by_hand_shared import SHARED
from tests.mutation.by_hand_step import STEP
from tests.mutation.explained import EXPLAINED
from tests.mutation.mutants import Mutant
from tests.mutation.runner import POOL, BrokenRun, Runner, Verdict, tracked_files
from tests.mutation.summary import STORED, failures, show, summarise, write_summary

BY_HAND = (*BARGAINS, *OTHERS, *STEP, *SHARED)


def changed(folder: str) -> bool:
    """Whether git sees changes below a folder of the checkout, new files included."""
    command = ("git", "-C", str(ROOT), "status", "--porcelain", "--", folder)
    status = subprocess.run(command, capture_output=True, check=False)
    return status.returncode != 0 or bool(status.stdout.strip())


def run(runner: Runner, mutants: Sequence[Mutant], console: Console) -> dict[str, Verdict]:
    """All verdicts, with a line a survivor and the progress of both parts."""
    columns = (
        *Progress.get_default_columns()[:2],
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[now]}"),
    )
    with Progress(*columns, console=console) as progress:
        files = progress.add_task("tests recorded", total=len(runner.test_files), now="")
        judged = progress.add_task("mutants judged", total=len(mutants), now="")
        survived = 0

        def tick(name: str, verdict: Verdict | None) -> None:
            nonlocal survived
            if verdict is None:
                progress.update(files, advance=int(name != "control"))
                return
            if verdict.outcome == "survived":
                survived += 1
                progress.console.print(f"survived: {name}", markup=False, soft_wrap=True)
            progress.update(judged, advance=1, now=f"{survived} survived")

        return runner.run(mutants, tick)


def main(
    *,
    workers: int = 2,
    automatic: int = SAMPLE,
    by_hand: bool = True,
    only: str = "",
    pool: tuple[str, ...] = POOL,
    list_: Annotated[bool, tyro.conf.arg(name="list")] = False,
    keep: bool = False,
) -> int:
    """Put small faults into copies of the core, one at a time, and see whether the tests notice.

    A run that was stopped goes on where it was; verdicts hold as long as neither the core nor the tests change.

    Args:
        workers: processes.
        automatic: size of the sample of automatic mutants.
        by_hand: the mutants made by hand as well.
        only: mutants whose identity contains this text.
        pool: files and folders of tests that may kill.
        list_: print the mutants' identities and stop.
        keep: keep the summary of a whole run among the stored results.
    """
    console = Console()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    commit, dirty = source_state()
    dirty = dirty or changed("tests")
    runner = Runner(
        ROOT, tracked_files(ROOT), pool=pool, build=BUILD / "mutation", workers=workers, explained=EXPLAINED
    )
    everything = [mutant for file, source in runner.sources.items() for mutant in mutants_of(file, source)]
    chosen = (hand_mutants(runner.sources, BY_HAND) if by_hand else []) + sample(runner.sources, automatic)
    chosen = [mutant for mutant in chosen if only in mutant.identity]
    if list_:
        for mutant in chosen:
            console.print(f"{mutant.file}:{mutant.start} {mutant.identity}", markup=False, soft_wrap=True)
        return 0
    partial = not by_hand or automatic < SAMPLE or bool(only) or set(pool) != set(POOL)
    try:
        verdicts = run(runner, chosen, console)
    except BrokenRun as error:
        console.print(str(error), markup=False)
        return 2
    provenance = Provenance(
        commit=commit,
        dirty=dirty,
        started=started,
        python=platform.python_version(),
        torch=version("torch"),
        partial=partial,
    )
    summary = summarise(chosen, verdicts, EXPLAINED, runner.sources, provenance, len(everything))
    show(summary, verdicts, console)
    write_summary(BUILD / "mutation.json", summary)
    if keep and partial:
        console.print("not kept: this run was partial", markup=False)
        return 2
    if keep:
        write_summary(STORED, summary)
    for failure in failures(summary):
        console.print(failure, markup=False, soft_wrap=True)
    return int(bool(failures(summary)))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))  # so that the workers are ended
    sys.exit(tyro.cli(main))
