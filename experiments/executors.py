"""One key under its lock: each at most once at a time, whoever computes it (`experiments.engines`) and on what machine.

Every store has a folder for what is no result (`work_folder`), and a sweep writes nothing outside the two:
``checkpoints/<key>.pt`` (removed once the result is safe), ``locks/<key>.lock`` (held while a run is going on),
``failed/<key>.txt`` (why a run failed; removed when it succeeds). So two stores share no lock and no failure, and all
who use one store share its locks, from whatever checkout or machine: they must hold across machines.
"""

import fcntl
import subprocess
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, Protocol, TypeVar

import msgspec

from experiments.results import STORE, read_result, remove_unfinished, result_path, save_result, write_atomically
from experiments.spec import ProblemName, Spec, method_label, spec_key
from experiments.splits import AnyProblem, LoadedProblem
from experiments.train import TrainingStopped, train

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
SOURCES = ("flatmtl_core", "experiments", ":(exclude)experiments/store")
"""What decides whether the tree is dirty, as arguments of git: tracked files that a run executes."""

One = TypeVar("One")
"""What names one result: the spec of a training run, or a question about one (`experiments.results.Question`)."""
Outcome = Literal["done", "skipped", "running elsewhere", "failed", "stopped", "without data"]
State = Literal["done", "running", "failed", "missing"]


class LoadProblem(Protocol):
    """Makes the splits of a problem in the sizes asked for."""

    def __call__(
        self, problem: ProblemName, n_train: int, n_validation: int, n_test: int, data_dir: Path | None
    ) -> AnyProblem: ...


class LoadLabelled(Protocol):
    """The same for problems that classify examples."""

    def __call__(
        self, problem: ProblemName, n_train: int, n_validation: int, n_test: int, data_dir: Path | None
    ) -> LoadedProblem: ...


def work_folder(store: Path) -> Path:
    """Where checkpoints, locks and failures of a store are: ``build/`` of a checkout for its own store and the folders
    in that, ``.work/`` inside any other one."""
    place = store.resolve()
    for folder in (place, *place.parents):
        if folder.parts[-2:] == STORE.parts[-2:] and (folder.parent / Path(__file__).name).exists():
            return folder.parents[1] / BUILD.name
    return place / ".work"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What all runs or records of a sweep share."""

    store: Path
    data_dir: Path | None = None
    weights: Path | None = None
    fresh: bool = False

    @property
    def work(self) -> Path:
        """Where checkpoints, locks and failures go."""
        return work_folder(self.store)


@dataclass(frozen=True)
class Finished(Generic[One]):
    """How one run, or the computation of one record, ended; ``seconds`` of wall time in this sweep."""

    spec: One
    outcome: Outcome
    seconds: float
    message: str = ""


def describe(spec: Spec) -> str:
    """One run on one line: key, problem, method with its radius, what is unlike the defaults, seed."""
    parts = [spec_key(spec), spec.problem, method_label(spec)]
    parts += [f"rho={spec.rho_shared:g}"] if spec.rho_shared else []
    parts += [
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in spec.mode_options
    ]
    parts += [f"lr={spec.learning_rate:g}"] if spec.learning_rate != 1e-3 else []
    parts += ["joint"] if spec.norm == "joint" else []
    parts += ["adaptive"] if spec.adaptive else []
    parts += [f"conventions={spec.conventions}"] if spec.conventions != "papers" else []
    parts += [f"attention={spec.attention}"] if spec.attention != "own" else []
    return " ".join([*parts, f"seed={spec.seed}"])


def source_state() -> tuple[str, bool]:
    """Commit of the checkout and whether what a run executes differs from it.

    Outside a git checkout, or before its first commit, there is nothing to compare with: ("no commit", True).
    """

    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(("git", "-C", str(ROOT), *arguments), capture_output=True, text=True, check=False)

    head = git("rev-parse", "--verify", "HEAD")
    if head.returncode != 0:
        return "no commit", True
    status = git("status", "--porcelain", "--untracked-files=no", "--", *SOURCES)
    return head.stdout.strip(), status.returncode != 0 or bool(status.stdout.strip())


@contextmanager
def locked(path: Path, *, patience: float = 1.0) -> Iterator[bool]:
    """Hold an exclusive lock on a file; yields False when another process holds it.

    The lock goes with the process, however it ends. ``patience`` (seconds) outlasts a look by `is_locked`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        deadline = time.monotonic() + patience
        while not (held := _try_lock(file.fileno())) and time.monotonic() < deadline:
            time.sleep(0.05)
        yield held


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock. The lock is taken for an instant to find out."""
    if not path.exists():
        return False
    with path.open("a") as file:
        return not _try_lock(file.fileno())


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def state(spec: Spec, store: Path) -> State:
    """Where a run stands: its result is stored; it is going on; it failed; or it has yet to be run."""
    key, work = spec_key(spec), work_folder(store)
    if result_path(store, spec).exists():
        return "done"
    if is_locked(work / "locks" / f"{key}.lock"):
        return "running"
    return "failed" if (work / "failed" / f"{key}.txt").exists() else "missing"


def once(
    spec: One,
    settings: Settings,
    *,
    key: str,
    label: str,
    path: Path,
    read: Callable[[Path], object],
    compute: Callable[[], str],
) -> Finished[One]:
    """Compute one key under its lock unless it is stored; store the reason of a failure.

    Args:
        spec: what is asked for; ``label``: the same on one line.
        path, read: where the result is stored, and how it is read: what is stored is trusted only after that.
        compute: computes and stores the result; returns what it came to in a few words, or nothing.
    """
    failure = settings.work / "failed" / f"{key}.txt"
    clock = time.monotonic()

    def finished(outcome: Outcome, message: str = "") -> Finished[One]:
        return Finished(spec, outcome, time.monotonic() - clock, message)

    with locked(settings.work / "locks" / f"{key}.lock") as held:
        if not held:
            return finished("running elsewhere")
        for file in (path, failure):
            remove_unfinished(file)
        try:
            if path.exists() and not settings.fresh:
                read(path)
                return finished("skipped")
            message = compute()
        except TrainingStopped as stop:
            return finished("stopped", str(stop))
        except Exception as error:  # noqa: BLE001 - whatever a run dies of is recorded and reported; the others go on
            report = f"{label}\n{msgspec.json.encode(spec).decode()}\n\n{traceback.format_exc()}"
            return finished("failed", f"{type(error).__name__}: {error} ({_keep(failure, report)})")
        failure.unlink(missing_ok=True)
        return finished("done", message)


def _keep(failure: Path, report: str) -> str:
    """Keep the reason of a failure; where it is, or why it is nowhere."""
    try:
        write_atomically(failure, report.encode())
    except OSError as error:
        return f"which could not be kept: {error}"
    return f"see {failure}"


def run_one(
    spec: Spec,
    settings: Settings,
    *,
    load: LoadProblem,
    source: tuple[str, bool],
    on_epoch: Callable[[int, float], None] = lambda epoch, seconds: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Finished[Spec]:
    """Run one spec under its lock, resume its checkpoint, store its result or the reason of its failure."""
    key, path = spec_key(spec), result_path(settings.store, spec)
    checkpoint = settings.work / "checkpoints" / f"{key}.pt"
    weights = None if settings.weights is None else settings.weights / f"{key}.pt"

    def compute() -> str:
        for file in (checkpoint, *([weights] if weights else [])):
            remove_unfinished(file)
        result = train(
            spec,
            load(spec.problem, spec.n_train, spec.n_validation, spec.n_test, settings.data_dir),
            commit=source[0],
            dirty=source[1],
            checkpoint=checkpoint,
            weights=weights,
            on_epoch=lambda record: on_epoch(record.epoch, record.seconds),
            should_stop=should_stop,
        )
        save_result(settings.store, result)
        checkpoint.unlink(missing_ok=True)
        return ""

    return once(spec, settings, key=key, label=describe(spec), path=path, read=read_result, compute=compute)
