"""One worker, run as a script in its own copy of the tree: it imports what is large once and forks for every job.

Jobs come as JSON lines on the standard input, answers go to the standard output, in the same order. It imports neither
the core nor the tests, so that every child meets the files as they are on the disk. POSIX only.
"""

import importlib
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import coverage
import pytest

OPTIONS: tuple[str, ...] = ("-x", "-q", "-p", "no:cacheprovider")
OPTIONS += ("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning")  # the worker imported it
MEMORY = 8 * 2**30
"""Bytes of data that a child may hold: a fault that allocates without end must not take the machine."""

TIMES, COLLECTION = 10.0, 120.0
"""A test may take 10 times its own time and some slack, collecting 2 minutes (of the processor; in all 10 times)."""


def start_clock(seconds: float) -> None:
    """End this process when it has computed for so long, or waited for 10 times as long."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, 10 * seconds)


class Judge:
    """Pytest plugin: runs the given tests in the given order, those that nobody knew last, each within its time."""

    def __init__(self, order: list[str], seconds: dict[str, float], slack: float, note: Callable[..., None]) -> None:
        self.place = {name: place for place, name in enumerate(order)}
        self.seconds, self.slack, self.note = seconds, slack, note

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if item.nodeid in self.place or item.nodeid not in self.seconds]
        items[:] = sorted(chosen, key=lambda item: self.place.get(item.nodeid, len(self.place)))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.note(test=item.nodeid)
        start_clock(TIMES * self.seconds.get(item.nodeid, 1.0) + self.slack)
        result = yield
        start_clock(COLLECTION)
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.note(failed=report.nodeid)


class Recorder:
    """Pytest plugin: which lines of the core every test executes, and how long it takes."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self.measured = measured
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.measured.switch_context(item.nodeid)
        started = time.process_time()
        result = yield
        self.seconds[item.nodeid] = time.process_time() - started
        self.measured.switch_context("")
        return result


def judge(job: dict[str, Any], note: Callable[..., None]) -> int:
    """Run the job's tests."""
    start_clock(COLLECTION)
    sys.dont_write_bytecode = True
    files = list(dict.fromkeys(name.split("::")[0] for name in job["tests"]))
    plugin = Judge(job["tests"], job["seconds"], job["slack"], note)
    return int(pytest.main([*OPTIONS, *files], plugins=[plugin]))


def record(job: dict[str, Any], note: Callable[..., None]) -> int:
    """Run one file of tests, all of them, and write down the lines of the core that each executes.

    The name "" stands for importing and collecting.
    """
    core = Path(job["core"]).resolve()
    os.environ["COVERAGE_CORE"] = "ctrace"
    measured = coverage.Coverage(data_file=None, include=[f"{core}/*"], config_file=False)
    recorder = Recorder(measured)
    measured.start()
    code = int(pytest.main([*OPTIONS, job["record"]], plugins=[recorder]))
    measured.stop()
    data = measured.get_data()
    lines: dict[str, dict[str, list[int]]] = {name: {} for name in ("", *recorder.seconds)}
    for file in data.measured_files():
        short = Path(file).relative_to(core.parent).as_posix()
        for line, names in data.contexts_by_lineno(file).items():
            for name in names:
                if name in lines:
                    lines[name].setdefault(short, []).append(line)
    note(seconds=recorder.seconds, lines=lines)
    return 0 if code == pytest.ExitCode.NO_TESTS_COLLECTED else code


def in_child(job: dict[str, Any]) -> dict[str, Any]:
    """Fork, do the job, and tell how it ended: exit code or signal, the last test, the notes."""
    with tempfile.TemporaryDirectory() as scratch:
        notes, log = Path(scratch, "notes"), Path(scratch, "log")
        notes.touch()
        child = os.fork()
        if child == 0:
            _become(job, notes, log)
        try:
            _, status, used = os.wait4(child, 0)
        finally:
            _end_group(child)
        found: dict[str, Any] = {}
        for line in notes.read_text(encoding="utf-8").splitlines():
            found |= json.loads(line)
        tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    spent = used.ru_utime + used.ru_stime
    return {"code": os.waitstatus_to_exitcode(status), "spent": spent, "log": tail, **found}


def _end_group(child: int) -> None:
    """The child and whatever it started."""
    try:
        os.killpg(child, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _become(job: dict[str, Any], notes: Path, log: Path) -> None:
    """The child's life; never returns."""
    code = 70
    try:
        os.setpgid(0, 0)
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, signal.SIG_DFL)
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        limit = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        with notes.open("a", encoding="utf-8") as file:

            def note(**found: Any) -> None:
                file.write(json.dumps(found) + "\n")
                file.flush()

            code = (record if "record" in job else judge)(job, note)
    except BaseException:  # noqa: BLE001 - nothing of the parent may run in the child
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def work(job: dict[str, Any]) -> dict[str, Any]:
    """Put the fault in, run the tests, take it out again."""
    if "file" not in job:
        return in_child(job)
    path = Path(job["file"])
    kept, state = path.read_bytes(), path.stat()
    try:
        path.write_text(job["mutated"], encoding="utf-8")
        os.utime(path, (state.st_atime, state.st_mtime + 1000))  # compiled files of the other text do not fit
        return in_child(job)
    finally:
        path.write_bytes(kept)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def main() -> None:
    """Preload the modules named as arguments, then serve."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    for name in sys.argv[1:]:
        importlib.import_module(name)
    for line in sys.stdin:
        channel.write(json.dumps(work(json.loads(line))) + "\n")
        channel.flush()


if __name__ == "__main__":
    main()
