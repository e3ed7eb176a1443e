"""Where the runs of an exhibit come from, as lines of the report."""

from collections.abc import Sequence

from experiments.results import Provenance
from paper_figures.exhibit import distinct

Lines = tuple[tuple[str, tuple[str, ...]], ...]


def of_runs(sources: Sequence[Provenance], what: str = "Runs") -> Lines:
    """Commits, versions, machines, threads and times of all runs, each value once; ``what``: their plural's name."""
    lines = {
        what: [str(len(sources))],
        "Commit": [source.commit + (" with uncommitted changes" if source.dirty else "") for source in sources],
        "Python": [source.python for source in sources],
        "PyTorch": [source.torch for source in sources],
        "Machine": [source.machine for source in sources],
        "Threads a run": [str(source.threads) for source in sources],
        "Time": [f"{source.started} to {source.finished}" for source in sources],
    }
    return tuple((name, tuple(distinct(values))) for name, values in lines.items())
