"""Runs the checks of the blueprint in processes of their own, and records what they found.

A check that raises, takes too long or ends its process leaves an UNDECIDED finding with the reason; the others go on.
"""

import importlib
import multiprocessing
import os
import platform
import queue
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec

from theory.blueprint import Entry
from theory.ledger import SCHEMA_VERSION, Finding, Ledger, Record, Verdict
from theory.sources import ROOT, sources
from theory.standing import assumption

LIMIT = 120.0
"""Seconds that one check may take."""
LIBRARIES = ("sympy", "z3-solver", "python-flint", "numpy")
"""What decides."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one check found, or why it found nothing."""

    findings: tuple[Finding, ...] = ()
    failure: str = ""
    seconds: float = 0.0


def verify(
    blueprint: Sequence[Entry], *, workers: int = 2, limit: float = LIMIT, tick: Callable[[str], None]
) -> Ledger:
    """Run every check of these entries once. ``tick`` is told of each that has ended."""
    started = time.monotonic()
    known = {entry.label: sources(entry.checks) for entry in blueprint}
    checks = dict.fromkeys(check for entry in blueprint for check in entry.checks)
    answers = run(list(checks), workers=workers, limit=limit, tick=tick)
    return Ledger(
        schema_version=SCHEMA_VERSION,
        versions={"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        seconds=round(time.monotonic() - started, 1),
        records=tuple(record(entry, answers, known[entry.label]) for entry in blueprint),
    )


def record(entry: Entry, answers: dict[str, Answer], files: dict[str, str]) -> Record:
    """What the checks of one entry found, or what it is assumed from."""
    assumed, source = assumption(entry)
    findings: list[Finding] = []
    for check in entry.checks:
        answer = answers[check]
        findings += answer.findings
        if answer.failure:
            findings.append(unfinished(check, answer.failure))
    return Record(
        label=entry.label,
        checks=entry.checks,
        findings=tuple(findings),
        sources=files,
        seconds=round(sum(answers[check].seconds for check in entry.checks), 2),
        assumed=assumed,
        source=source,
    )


def unfinished(check: str, reason: str) -> Finding:
    """Of a check that did not come to its end."""
    return Finding(
        name=check,
        statement="the check comes to its end",
        kernel="none",
        verdict=Verdict.UNDECIDED,
        evidence=reason,
    )


def run(checks: Sequence[str], *, workers: int, limit: float, tick: Callable[[str], None]) -> dict[str, Answer]:
    """The answer of every check, each given to the first worker that is free."""
    idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
    started = [_Worker() for _ in range(min(workers, len(checks)))]
    for worker in started:
        idle.put(worker)

    def ask(check: str) -> Answer:
        worker = idle.get()
        try:
            return worker.ask(check, limit)
        finally:
            idle.put(worker)

    answers = {}
    pool = ThreadPoolExecutor(max(1, len(started)))
    try:
        futures = {pool.submit(ask, check): check for check in checks}
        for future in as_completed(futures):
            answers[futures[future]] = future.result()
            tick(futures[future])
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in started:
            worker.end()
    return answers


class _Worker:
    """A process that runs one check after another; it is replaced when it has to be ended or ends itself.

    One thread asks while another may end it for good: from then on it is not replaced.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.ended = False
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, far = context.Pipe()
        self.process = context.Process(target=_serve, args=(far,), daemon=True)
        self.process.start()
        far.close()

    def ask(self, check: str, limit: float) -> Answer:
        """Run one check within so many seconds; the clock starts when the worker is ready."""
        try:
            self.connection.recv()
            self.connection.send(check)
            if self.connection.poll(limit):
                return msgspec.json.decode(self.connection.recv_bytes(), type=Answer)
            failure, seconds = f"it took longer than {limit:g} s", limit
        except (EOFError, OSError):
            self.process.join()
            failure, seconds = f"its process ended, exit code {self.process.exitcode}", 0.0
        except msgspec.MsgspecError as error:
            failure, seconds = f"its findings are none: {error}", 0.0
        with self.lock:
            if not self.ended:
                self._stop()
                self._start()
        return Answer(failure=failure, seconds=seconds)

    def end(self) -> None:
        """At once, whatever it does, and for good."""
        with self.lock:
            if not self.ended:
                self.ended = True
                self._stop()

    def _stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


def _serve(connection: "Connection[Any, Any]") -> None:
    """The life of a worker: until the parent is gone."""
    try:
        while True:
            connection.send("ready")
            connection.send_bytes(msgspec.json.encode(answer(connection.recv())))
    except (EOFError, BrokenPipeError):
        return


def answer(check: str) -> Answer:
    """Run one check here. An exception is told with its place."""
    started = time.perf_counter()
    findings: tuple[Finding, ...] = ()
    failure = ""
    try:
        findings = _findings(check)
    except Exception as error:  # noqa: BLE001 - whatever a check raises, it decides nothing
        failure = f"{type(error).__name__}: {error} ({_place(error)})"
    return Answer(findings=findings, failure=failure, seconds=time.perf_counter() - started)


def _findings(check: str) -> tuple[Finding, ...]:
    module, _, name = check.partition(":")
    found = getattr(importlib.import_module(module), name)()
    if not isinstance(found, list) or not found or not all(isinstance(finding, Finding) for finding in found):
        raise TypeError(f"a check returns a list of findings, at least one; this one returned {found!r:.80}")
    return tuple(found)


def _place(error: Exception) -> str:
    """File, from the top of the checkout, and line of the innermost frame that is of the checkout."""
    frames: Iterable[traceback.FrameSummary] = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename.startswith(f"{ROOT}{os.sep}")]
    return f"{Path(inside[-1].filename).relative_to(ROOT).as_posix()}, line {inside[-1].lineno}"
