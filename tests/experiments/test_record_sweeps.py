"""Sweeps of records: what is stored is kept, what fails is told, no key twice at once, what is ended begins anew."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from experiments.engines import records
from experiments.engines.engine import never, untold
from experiments.engines.records import RecordTask, keep_records
from experiments.executors import Settings, locked
from tests.experiments.asked import SHELF, Asked, answer, ask
from tests.experiments.tiny_problem import tiny_problem
from tests.trace import ROOT

SWEEP = """
import sys
from pathlib import Path
from experiments.engines.records import keep_records
from experiments.executors import Settings
from tests.experiments.asked import SHELF, answer, ask
from tests.experiments.tiny_problem import tiny_problem

if __name__ == "__main__":
    folder, seeds = Path(sys.argv[1]), [int(seed) for seed in sys.argv[2:]]
    settings = Settings(store=folder / "store")
    listed = [ask(folder, "held", seed) for seed in seeds]
    sys.exit(keep_records(SHELF, listed, answer, settings, load=tiny_problem))
"""


def sweep(folder: Path, *listed: Asked, fresh: bool = False, only: str = "", workers: int = 1) -> tuple[int, str]:
    settings, told = Settings(store=folder / "store", fresh=fresh), io.StringIO()
    console = Console(file=told, width=300)
    left = keep_records(SHELF, listed, answer, settings, load=tiny_problem, workers=workers, only=only, console=console)
    return left, told.getvalue()


def ask_here(folder: Path, asked: Asked) -> str:
    """How it ends in this process: what needs no pool need not wait for one to start."""
    task = RecordTask(Settings(store=folder / "store"), SHELF, answer, tiny_problem)
    return task.run(asked, untold, never).outcome


def program(folder: Path, output: Path, *seeds: int) -> "subprocess.Popen[bytes]":
    (script := folder / "program.py").write_text(SWEEP)
    command = [sys.executable, str(script), str(folder), *map(str, seeds)]
    with output.open("wb") as file:
        return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=file)


def answers(asked: Asked) -> int:
    """How often it was begun."""
    log = Path(asked.log)
    return log.stat().st_size if log.exists() else 0


def until_begun(asked: Asked, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 120
    while not answers(asked):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_failure_is_told_and_the_others_go_on_and_what_is_stored_is_not_computed_again(tmp_path: Path) -> None:
    bad, good = ask(tmp_path, "never", 0), ask(tmp_path, "at once", 1)
    assert ask_here(tmp_path, good) == "done"
    left, told = sweep(tmp_path, good)
    assert (left, told.splitlines()[-1], answers(good)) == (0, "1 skipped", 1)
    left, told = sweep(tmp_path, bad, good, fresh=True)
    assert (left, answers(good)) == (1, 2)
    assert "[1/2] failed" in told
    assert "InvalidInput: no answer [here]" in told
    assert "80 examples" in told
    assert told.splitlines()[-1] == "1 failed, 1 done"
    found = SHELF.find([tmp_path / "store"], good)
    assert found is not None
    assert (found.examples, found.provenance.threads) == (80, 1)
    failure = tmp_path / "store" / ".work" / "failed" / f"{SHELF.key(bad)}.txt"
    assert "Traceback" in failure.read_text()

    assert sweep(tmp_path, good, only="no such run")[0] == 1
    SHELF.path(tmp_path / "store", good).write_text("{}")
    left, told = sweep(tmp_path, good)
    assert (left, "schema version" in told, answers(good)) == (1, True, 2)


def test_a_worker_that_dies_is_told(tmp_path: Path) -> None:
    left, told = sweep(tmp_path, ask(tmp_path, "dying", 0), ask(tmp_path, "at once", 1))
    assert left >= 1
    assert "a worker process died" in told
    assert ask_here(tmp_path, ask(tmp_path, "at once", 1)) in ("done", "skipped")
    assert "at least one process" in sweep(tmp_path, ask(tmp_path, "at once", 2), workers=0)[1]


def test_two_programs_never_compute_one_key_at_once(tmp_path: Path) -> None:
    asked = ask(tmp_path, "held", 0)
    (hold := Path(f"{asked.log}.hold")).touch()
    output = tmp_path / "output"
    with program(tmp_path, output, 0) as first:
        until_begun(asked, first)
        assert (ask_here(tmp_path, asked), answers(asked)) == ("running elsewhere", 1)
        hold.unlink()
    assert first.returncode == 0, output.read_text()
    assert (sweep(tmp_path, asked)[0], answers(asked)) == (0, 1)


@pytest.mark.parametrize(
    "ended_by",
    [
        pytest.param(signal.SIGINT, id="SIGINT"),
        pytest.param(signal.SIGTERM, id="SIGTERM", marks=pytest.mark.thorough),
        pytest.param(signal.SIGKILL, id="SIGKILL", marks=pytest.mark.thorough),
    ],
)
def test_an_ended_sweep_leaves_whole_records_and_the_same_command_resumes_it(
    ended_by: signal.Signals, tmp_path: Path
) -> None:
    done, under_way, waiting = (ask(tmp_path, "held", seed) for seed in range(3))
    Path(f"{under_way.log}.hold").touch()
    output = tmp_path / "output"
    with program(tmp_path, output, 0, 1, 2) as process:
        until_begun(under_way, process)
        process.send_signal(ended_by)
    if ended_by == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
    else:
        assert process.returncode == 2, output.read_text()
        assert f"{ended_by.name}: stopping" in output.read_text()
        assert output.read_text().splitlines()[-1] in ("1 done, 2 stopped", "1 done, 1 stopped, 1 not started")
    with locked(tmp_path / "store" / ".work" / "locks" / f"{SHELF.key(under_way)}.lock", patience=30) as held:
        assert held, "a worker outlived its sweep"
    assert list((tmp_path / "store").glob("[!.]*")) == [SHELF.path(tmp_path / "store", done)]
    assert not list((tmp_path / "store" / ".work").glob("failed/*"))

    Path(f"{under_way.log}.hold").unlink()
    assert [ask_here(tmp_path, asked) for asked in (done, under_way, waiting)] == ["skipped", "done", "done"]
    assert [answers(asked) for asked in (done, under_way, waiting)] == [1, 2, 1]


def test_a_slow_look_whether_to_stop_is_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    """The looks share a lock, which one inside another would wait for until the stack is full."""
    monkeypatch.setattr(records, "INTERVAL", 0.01)
    depths: list[int] = []
    under_way = 0

    def slow() -> bool:
        nonlocal under_way
        under_way += 1
        depths.append(under_way)
        time.sleep(0.05)
        under_way -= 1
        return False

    def compute() -> str:
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            pass
        return "answer"

    before = signal.getsignal(signal.SIGALRM)
    assert records._unless_stopped(compute, slow) == "answer"
    assert len(depths) > 2
    assert max(depths) == 1
    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
