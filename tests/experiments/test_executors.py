"""Sweeps: each key once, what is finished is kept, what fails is told, what is killed resumes to the same numbers."""

import errno
import functools
import importlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from experiments import __main__ as commands
from experiments import executors
from experiments.available import find_lacks
from experiments.engines.engine import SweepBroken
from experiments.engines.local import LocalPool
from experiments.engines.sweep import run_sweep
from experiments.executors import BUILD, Settings, is_locked, locked, once, run_one, source_state, state, work_folder
from experiments.results import (
    STORE,
    Reproduction,
    compare_results,
    find_result,
    load_results,
    read_result,
    result_path,
    save_result,
)
from experiments.spec import Spec, spec_key
from experiments.splits import LoadedProblem
from experiments.train import train
from tests.experiments.tiny_problem import REFUSED, tiny_problem, tiny_spec
from tests.figures.synthetic import result as synthetic_result
from tests.trace import ROOT

SOURCE = ("0123abcd", False)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(store=tmp_path / "store")


def refuse_to_load(*_: object) -> LoadedProblem:
    raise AssertionError("a finished run needs no data")


def die(*_: object) -> LoadedProblem:
    """A worker that the system ends."""
    os._exit(9)


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_run_is_stored_once_and_then_skipped(settings: Settings) -> None:
    spec = tiny_spec()
    assert state(spec, settings.store) == "missing"
    epochs: list[int] = []
    finished = run_one(
        spec, settings, load=tiny_problem, source=SOURCE, on_epoch=lambda epoch, seconds: epochs.append(epoch)
    )
    assert (finished.outcome, finished.spec, epochs) == ("done", spec, [1, 2])
    assert state(spec, settings.store) == "done"
    assert files(settings.work) == [f"locks/{spec_key(spec)}.lock"]
    stored = find_result([settings.store], spec)
    assert stored is not None
    assert (stored.provenance.commit, stored.provenance.dirty) == SOURCE
    assert stored.provenance.data_sha256 == tiny_problem().sums()

    assert run_one(spec, settings, load=refuse_to_load, source=SOURCE).outcome == "skipped"
    fresh = replace(settings, fresh=True)
    assert run_one(spec, fresh, load=tiny_problem, source=("ef", True)).outcome == "done"
    replaced = find_result([settings.store], spec)
    assert replaced is not None
    assert replaced.provenance.commit == "ef"
    assert compare_results(stored, replaced).identical


def test_a_failure_is_told_recorded_and_forgotten_after_success(settings: Settings) -> None:
    spec = tiny_spec()

    def load(*_: object) -> LoadedProblem:
        raise RuntimeError("the disk is gone")

    finished = run_one(spec, settings, load=load, source=SOURCE)
    failure = settings.work / "failed" / f"{spec_key(spec)}.txt"
    assert finished.outcome == "failed"
    assert "RuntimeError: the disk is gone" in finished.message
    assert str(failure) in finished.message
    assert "Traceback" in failure.read_text()
    assert executors.describe(spec) in failure.read_text()
    assert files(settings.store) == [
        f".work/{folder}" for folder in (f"failed/{failure.name}", f"locks/{failure.stem}.lock")
    ]
    assert state(spec, settings.store) == "failed"

    assert run_one(spec, settings, load=tiny_problem, source=SOURCE).outcome == "done"
    assert not failure.exists()
    assert state(spec, settings.store) == "done"


def test_a_stored_file_that_can_not_be_trusted_is_a_failure_and_stays(settings: Settings) -> None:
    spec = tiny_spec()
    path = result_path(settings.store, spec)
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    finished = run_one(spec, settings, load=tiny_problem, source=SOURCE)
    assert finished.outcome == "failed"
    assert "schema version" in finished.message
    assert path.read_text() == "{}"


def test_a_run_that_another_process_has_is_left_to_it(settings: Settings) -> None:
    spec = tiny_spec()
    lock = settings.work / "locks" / f"{spec_key(spec)}.lock"
    with locked(lock) as held:
        assert held
        assert is_locked(lock)
        assert state(spec, settings.store) == "running"
        assert run_one(spec, settings, load=refuse_to_load, source=SOURCE).outcome == "running elsewhere"
    assert not is_locked(lock)


def test_every_store_has_a_folder_of_its_own_for_what_is_no_result(tmp_path: Path) -> None:
    assert work_folder(STORE) == work_folder(STORE / "certificates") == BUILD
    assert work_folder(BUILD / "store") == BUILD / "store" / ".work"
    assert work_folder(tmp_path / "one") == tmp_path / "one" / ".work" != work_folder(tmp_path / "two")
    (tmp_path / "link").symlink_to(STORE)
    assert work_folder(tmp_path / "link") == BUILD
    other = tmp_path / "experiments" / "store"
    assert work_folder(other) == other / ".work"
    other.mkdir(parents=True)
    (other.parent / "executors.py").touch()
    assert work_folder(other / "measures") == tmp_path / "build"


@pytest.mark.parametrize(
    "module", ["experiments", *(f"experiments.{name}" for name in ("certificates", "cheaper", "courses", "measures"))]
)
def test_a_command_looks_for_the_data_first_and_writes_nothing_outside_a_store_elsewhere(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Settings] = []
    weights: list[Path] = []
    main = importlib.import_module(f"{module}.__main__")

    def run_sweep(specs: object, settings: Settings, *, lacks: object, **_: object) -> list[object]:
        assert lacks is find_lacks
        given.append(settings)
        return []

    def keep_records(
        shelf: object, listed: object, compute: object, settings: Settings, *, lacks: object, **_: object
    ) -> int:
        assert lacks is find_lacks
        given.append(settings)
        if isinstance(compute, functools.partial):
            weights.append(compute.keywords["weights"])
        return 0

    store = tmp_path / "store"
    if main is commands:
        monkeypatch.setattr(main, "run_sweep", run_sweep)
        command("run", "smoke", "--store", str(store))
    else:
        monkeypatch.setattr(main, "keep_records", keep_records)
        assert main.main(store=store) == 0
    assert [settings.store for settings in given] == [store]
    assert [settings.work for settings in given] == [store / ".work"]
    assert weights == ([store / ".work" / "weights"] if module == "experiments.measures" else [])


def test_hidden_folders_of_a_store_hold_no_results(settings: Settings) -> None:
    spec = tiny_spec()
    save_result(settings.store, synthetic_result(spec))
    (foreign := settings.work / "slurm" / "job.json").parent.mkdir(parents=True)
    foreign.write_text("{}")
    assert [result.spec for result in load_results(settings.store)] == [spec]


@pytest.mark.parametrize("stays_full", [False, True])
def test_a_full_disk_at_any_write_fails_the_run_which_goes_on_when_there_is_room(
    stays_full: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tiny_spec(mode="stl")
    whole = train(spec, tiny_problem(), commit="", dirty=True)
    for last_write in range(100):
        settings = Settings(store=tmp_path / str(last_write))
        writes = iter(range(100))

        def full_disk(_: int, writes: Iterator[int] = writes, last_write: int = last_write) -> None:
            written = next(writes)
            if written == last_write or (stays_full and written > last_write):
                raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full_disk)
            finished = run_one(spec, settings, load=tiny_problem, source=SOURCE)
        if finished.outcome == "done":
            break
        assert finished.outcome == "failed"
        assert finished.message.startswith("OSError: [Errno 28] No space left on device (")
        assert ("which could not be kept: [Errno 28]" in finished.message) == stays_full
        checkpoints = [f".work/checkpoints/{spec_key(spec)}.pt"] if last_write else []
        failures = [] if stays_full else [f".work/failed/{spec_key(spec)}.txt"]
        assert files(settings.store) == [*checkpoints, *failures, f".work/locks/{spec_key(spec)}.lock"]
        assert run_one(spec, settings, load=tiny_problem, source=SOURCE).outcome == "done"
        assert compare_results(whole, read_result(result_path(settings.store, spec))).identical
        assert len(files(settings.store)) == 2
    assert last_write == spec.epochs + 1, "writes: a checkpoint an epoch, and the result"


def test_of_many_at_once_one_computes_a_key(settings: Settings) -> None:
    spec, path = tiny_spec(), result_path(settings.store, tiny_spec())
    together, computing, computed = threading.Barrier(8), threading.Lock(), []

    def compute() -> str:
        assert computing.acquire(blocking=False), "two compute one key"
        time.sleep(0.1)
        save_result(settings.store, synthetic_result(spec))
        computed.append(spec)
        computing.release()
        return ""

    def begin(number: int) -> str:
        together.wait(10)
        return once(
            spec, settings, key=spec_key(spec), label=str(number), path=path, read=read_result, compute=compute
        ).outcome

    with ThreadPoolExecutor(8) as threads:
        outcomes = sorted(threads.map(begin, range(8)))
    assert computed == [spec]
    assert outcomes[0] == "done"
    assert set(outcomes[1:]) <= {"skipped", "running elsewhere"}


KILLED = """
import os
import signal
import sys
from pathlib import Path

import torch._dynamo  # by the first step of an optimizer; no child need import it anew
from rich.console import Console

from experiments.engines.sweep import run_sweep
from experiments.executors import Settings, run_one
from experiments.results import compare_results, read_result, result_path
from experiments.train import train
from tests.experiments.tiny_problem import tiny_problem, tiny_spec

SPEC = tiny_spec(aggregator="PCGrad", mode="erm", n_train=40)
TOUCHES = ("open", "os.rename", "os.remove", "os.mkdir", "os.chmod")


def run_in_a_child(folder, moment):
    # Killed just before a moment, a step or a touch of the folder's files; returns how the process ended.
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    left = moment

    def pass_by():
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return False

    def hook(event, arguments):
        if event in TOUCHES and str(arguments[0]).startswith(str(folder)):
            pass_by()

    fsync = os.fsync
    os.fsync = lambda descriptor: pass_by() or fsync(descriptor)
    sys.addaudithook(hook)
    finished = run_one(SPEC, Settings(store=folder), load=tiny_problem, source=("", True), should_stop=pass_by)
    os._exit(0 if finished.outcome in ("done", "skipped") else 1)


if __name__ == "__main__":
    folders, ended = [], False
    while not ended:
        folder, moment = Path(sys.argv[1], str(len(folders))), len(folders)
        first, second, last = (run_in_a_child(folder, one) for one in (moment, moment, 10**6))
        assert {first, second} <= {0, -signal.SIGKILL} and last == 0, (moment, first, second, last)
        folders.append(folder)
        ended = first == 0
    whole = train(SPEC, tiny_problem("multi_mnist", SPEC.n_train), commit="", dirty=True)
    for folder in folders:
        run_sweep([SPEC], Settings(store=folder), load=None, engine=None, console=Console(quiet=True))
        path = result_path(folder, SPEC)
        assert compare_results(whole, read_result(path)).identical, folder
        others = [one for one in folder.rglob("*") if one.is_file() and one != path and one.suffix != ".lock"]
        assert others == [], others
    print(len(folders))
"""


@pytest.mark.thorough
def test_a_run_that_is_killed_at_any_moment_and_again_ends_with_the_same_numbers(tmp_path: Path) -> None:
    """Before every step and before every touch of a file; the second time in the run that resumes."""
    (script := tmp_path / "killed.py").write_text(KILLED)
    command_line = [sys.executable, str(script), str(tmp_path / "stores")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command_line, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20, "moments"


def test_final_weights_are_kept_on_request(settings: Settings, tmp_path: Path) -> None:
    spec = tiny_spec(mode="stl", epochs=1)
    keep = replace(settings, weights=tmp_path / "weights")
    assert run_one(spec, keep, load=tiny_problem, source=SOURCE).outcome == "done"
    assert files(tmp_path / "weights") == [f"{spec_key(spec)}.pt"]


def test_a_sweep_gives_the_results_of_single_runs_and_goes_on_after_a_failure(
    settings: Settings, tmp_path: Path
) -> None:
    specs = (
        tiny_spec(mode="erm", aggregator="PCGrad"),
        tiny_spec(n_test=REFUSED),
        tiny_spec(),
        tiny_spec(mode="stl", seed=1),
    )
    text = io.StringIO()
    finished = run_sweep(specs, settings, load=tiny_problem, engine=LocalPool(2), console=Console(file=text, width=200))
    outcomes = {one.spec: one.outcome for one in finished}
    assert outcomes == dict(zip(specs, ("done", "failed", "done", "done"), strict=True))
    lines = text.getvalue().splitlines()
    assert [line.split("]")[0] for line in lines] == ["[1/4", "[2/4", "[3/4", "[4/4"]
    assert sum("failed" in line and "no data of multi_mnist today" in line for line in lines) == 1
    assert {path.split("/")[0] for path in files(tmp_path)} == {"store"}
    failed = f"failed/{spec_key(specs[1])}.txt"
    assert files(settings.work) == sorted([failed, *(f"locks/{spec_key(spec)}.lock" for spec in specs)])
    assert not any((BUILD / name).exists() for name in files(settings.work)), "written outside the store"
    for spec in (specs[0], specs[2], specs[3]):
        stored = find_result([settings.store], spec)
        assert stored is not None
        assert stored.provenance.threads == 1
        assert compare_results(train(spec, tiny_problem(), commit="", dirty=True), stored).identical


def test_a_worker_that_dies_ends_the_sweep_with_its_remedy(settings: Settings) -> None:
    with pytest.raises(SweepBroken, match="run the command again"):
        run_sweep([tiny_spec()], settings, load=die, engine=LocalPool(1), console=Console(file=io.StringIO()))
    with pytest.raises(ValueError, match="workers is 0"):
        LocalPool(0)


LONG = tiny_spec(epochs=12)
WAITING = tuple(tiny_spec(seed=seed) for seed in range(1, 8))
"""More than a pool of one worker hands out ahead."""
SWEEP = """
import sys
from pathlib import Path
from experiments.engines.local import LocalPool
from experiments.engines.sweep import run_sweep
from experiments.executors import Settings
from tests.experiments.test_executors import LONG, WAITING
from tests.experiments.tiny_problem import slow_tiny_problem

if __name__ == "__main__":
    settings = Settings(store=Path(sys.argv[1]))
    finished = run_sweep([LONG, *WAITING], settings, load=slow_tiny_problem, engine=LocalPool(1))
    print([one.outcome for one in finished])
"""


@pytest.mark.parametrize(
    ("ended_by", "everywhere"),
    [
        pytest.param(signal.SIGINT, False, id="SIGINT", marks=pytest.mark.thorough),
        pytest.param(signal.SIGTERM, False, id="SIGTERM", marks=pytest.mark.thorough),
        pytest.param(signal.SIGTERM, True, id="SIGTERM to all its processes", marks=pytest.mark.thorough),
        pytest.param(signal.SIGKILL, False, id="SIGKILL"),
    ],
)
def test_an_ended_sweep_leaves_whole_files_and_resumes_to_the_same_result(
    ended_by: signal.Signals, everywhere: bool, settings: Settings, tmp_path: Path
) -> None:
    key = spec_key(LONG)
    checkpoint = settings.work / "checkpoints" / f"{key}.pt"
    (script := tmp_path / "sweep.py").write_text(SWEEP)
    output, errors = tmp_path / "output", tmp_path / "errors"
    command_line = [sys.executable, str(script), str(settings.store)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with (
        output.open("w") as out,
        errors.open("w") as err,
        subprocess.Popen(command_line, env=environment, stdout=out, stderr=err, start_new_session=True) as process,
    ):
        while not checkpoint.exists() and process.poll() is None:
            time.sleep(0.02)
        (os.killpg if everywhere else os.kill)(process.pid, ended_by)
    if ended_by == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL, output.read_text()
    else:
        assert process.returncode == 0, errors.read_text()
        assert errors.read_text() == ""
        assert f"{ended_by.name}: stopping" in output.read_text()
        assert output.read_text().splitlines()[-1] == ("[]" if everywhere else "['stopped']")
    with locked(settings.work / "locks" / f"{key}.lock", patience=30) as held:
        assert held, "a worker outlived its sweep"
    assert sorted({path.split("/")[1] for path in files(settings.store)}) == ["checkpoints", "locks"]
    assert files(settings.work / "checkpoints") == [f"{key}.pt"]

    assert run_one(LONG, settings, load=tiny_problem, source=SOURCE).outcome == "done"
    resumed = read_result(result_path(settings.store, LONG))
    assert resumed.provenance.resumed == 1
    assert compare_results(train(LONG, tiny_problem(), commit="", dirty=True), resumed).identical


def test_the_state_of_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert source_state() == ("no commit", True)

    def git(*arguments: str) -> str:
        options = ("-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
        command = ("git", "-C", str(tmp_path), *options, *arguments)
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    for name in ("flatmtl_core/a.py", "experiments/store/b.json", "experiments/c.py", "README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("one")
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    clean = (git("rev-parse", "HEAD"), False)
    assert source_state() == clean
    for name in ("experiments/store/b.json", "README.md", "experiments/untracked.py"):
        (tmp_path / name).write_text("two")
    assert source_state() == clean
    (tmp_path / "flatmtl_core" / "a.py").write_text("two")
    assert source_state() == (clean[0], True)


def command(*arguments: str) -> int:
    code = commands.app.cli(args=list(arguments), prog="experiments")
    assert isinstance(code, int)
    return code


def test_list_and_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("list") == 0
    specs = commands.catalog.specs("laptop")
    assert f"laptop: {len(specs)} runs" in capsys.readouterr().out
    assert command("list", "laptop") == 0
    assert len(capsys.readouterr().out.splitlines()) == len(specs)
    spec = specs[0]
    save_result(tmp_path, synthetic_result(spec))
    assert command("status", "laptop", "--store", str(tmp_path)) in (0, 1)
    out = capsys.readouterr().out
    assert "1 done" in out
    assert spec_key(spec) not in out


def test_run_with_nothing_to_run_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("run", "smoke", "--only", "no such run") == 1
    assert "No run of smoke contains 'no such run'" in capsys.readouterr().out


def test_compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    kept, anew, build = tmp_path / "kept", tmp_path / "anew", tmp_path / "build"
    specs: tuple[Spec, ...] = tuple(tiny_spec(seed=seed) for seed in range(3))
    monkeypatch.setattr(commands, "STORE", kept)
    monkeypatch.setattr(executors, "BUILD", build)
    monkeypatch.setattr(commands.catalog, "specs", lambda name: specs)

    def compared() -> Reproduction:
        return msgspec.json.decode((build / "reproduction.json").read_bytes(), type=Reproduction)

    assert command("compare", "smoke", "--store", str(anew)) == 1
    assert compared().absent == tuple(spec_key(spec) for spec in specs)
    for spec in specs:
        save_result(kept, synthetic_result(spec))
        save_result(anew, synthetic_result(spec))
    assert command("compare", "smoke", "--store", str(anew)) == 0
    assert [run.identical for run in compared().runs] == [True] * 3
    assert "3 of 3 identical; 0 not on both sides" in capsys.readouterr().out

    changed = synthetic_result(specs[1])
    accuracy = tuple(share - 0.125 for share in changed.test_last.accuracy)
    test_last = msgspec.structs.replace(changed.test_last, accuracy=accuracy)
    save_result(anew, msgspec.structs.replace(changed, test_last=test_last))
    assert command("compare", "smoke", "--store", str(anew)) == 1
    assert [run.identical for run in compared().runs] == [True, False, True]
    assert compared().runs[1].accuracy_difference == pytest.approx(0.125, abs=1e-15)
    assert "different on the same processor, torch and thread count" in capsys.readouterr().out

    elsewhere = msgspec.structs.replace(changed.provenance, machine="another processor")
    save_result(anew, msgspec.structs.replace(changed, test_last=test_last, provenance=elsewhere))
    assert command("compare", "smoke", "--store", str(anew)) == 0
    assert [run.expected_identical for run in compared().runs] == [True, False, True]
    with pytest.raises(SystemExit, match="own store"):
        command("compare", "smoke", "--store", str(kept))
