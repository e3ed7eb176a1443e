"""What a terminal shows of a sweep."""

import time
from collections.abc import Callable, Iterable
from typing import Generic

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from experiments.engines.engine import Update
from experiments.executors import Finished, One


class Display(Generic[One]):
    """Progress of a sweep: on a terminal an overall bar and one a worker, with estimates; elsewhere one line a run."""

    def __init__(self, console: Console, runs: int, describe: Callable[[One], str]) -> None:
        self.console = console
        self.describe = describe
        self.runs = runs
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self.overall = self.progress.add_task("runs", total=runs)
        self.bars: dict[int, tuple[str, TaskID]] = {}
        self.finished = 0
        self.done = 0
        self.started = time.monotonic()

    def show_updates(self, updates: Iterable[Update]) -> None:
        """Show what was finished since the last look."""
        for update in updates:
            label, bar = self.bars.get(update.worker, ("", None))
            if label != update.label:
                if bar is not None:
                    self.progress.remove_task(bar)
                bar = self.progress.add_task(update.label, total=update.total)
                self.bars[update.worker] = (update.label, bar)
            assert bar is not None
            self.progress.update(bar, completed=update.done)

    def show_finished(self, run: Finished[One]) -> None:
        """One line for a run that is over."""
        self.finished += 1
        self.progress.update(self.overall, completed=self.finished)
        if run.outcome == "done":
            self.done += 1
        left = ""
        if self.done and self.finished < self.runs:
            minutes = (time.monotonic() - self.started) / self.done * (self.runs - self.finished) / 60
            left = f", about {minutes:.0f} min left"
        message = f": {run.message}" if run.message else ""
        place, label = f"{self.finished}/{self.runs}", self.describe(run.spec)
        self.console.print(
            f"[{place}] {run.outcome} {label} ({run.seconds:.1f} s{left}){message}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
