"""Runs mutants in workers: which tests, in which order, and one stored verdict a mutant, so that a run resumes."""

import ast
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

import msgspec

from experiments.results import write_atomically
from tests.mutation.mutants import CORE, Mutant, core_files, digest

WORKER = Path(__file__).with_name("worker.py")
PRELOAD: tuple[str, ...] = (
    "torch",
    "hypothesis",
    "jaxtyping",
    "beartype",
    "cvxpy",
    "scipy.optimize",
    "sympy",
    "msgspec",
)
PRELOAD += ("numpy", "rich.console", "tyro", "hypothesis.strategies", "torch.func")
POOL: tuple[str, ...] = ("tests/laws", "tests/equations")
POOL += tuple(f"tests/meta/test_{name}.py" for name in ("examples", "quick_start", "runtime_types"))
"""The tests that may kill: those of the core. Those of the experiments execute it too, but a fault of the core is to be
noticed by its own tests; the rest of tests/meta reads source texts and would notice any change, as such."""

STRUCTURE = "tests/laws/"
"""Tests below it speak about class bodies (what a method promises) without executing a line of them."""

BRIEF = 15.0
"""Seconds of tests that a mutant with an explanation gets: enough to notice most explanations that no longer hold."""

RECORD_FORMAT = "2"
LOST = "the worker ended without an answer"

Outcome = Literal["killed", "timed out", "survived"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of one mutant. ``by``: the test that failed; empty when collecting failed, or for a survivor.
    ``tests``: how many execute it; ``seconds``: of the processor."""

    identity: str
    outcome: Outcome
    by: str
    tests: int
    seconds: float


class BrokenRun(Exception):
    """The tool itself failed: the unchanged tests do not pass, or a worker died."""


@dataclass
class Record:
    """For every test its seconds and the lines of the core that it executes; ``imported``: those without a test."""

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[str, set[int]]] = field(default_factory=dict)
    imported: dict[str, set[int]] = field(default_factory=dict)

    def add(self, found: dict[str, Any]) -> None:
        self.seconds |= found["seconds"]
        for name, files in found["lines"].items():
            sets = {file: set(lines) for file, lines in files.items()}
            if name:
                self.lines[name] = sets
                continue
            for file, lines in sets.items():
                self.imported.setdefault(file, set()).update(lines)

    def tests_of(self, mutant: Mutant, source: str) -> list[str]:
        """The tests that execute the statements that the mutant changes.

        Of what runs at import only (class bodies, constants, what they call): the tests that execute any function of
        the module, and those of the laws.
        """
        lines, inside = statement_lines(source, mutant.start, mutant.end)
        known = self.lines.items()
        found = [name for name, files in known if not lines.isdisjoint(files.get(mutant.file, ()))]
        if inside and (found or lines.isdisjoint(self.imported.get(mutant.file, ()))):
            return found
        return [name for name, files in known if mutant.file in files or name.startswith(STRUCTURE)]

    def order(self, names: Iterable[str], first: Sequence[str]) -> list[str]:
        """Those of ``first``, then in turns one of every test function, the fastest of each before the others."""
        groups: dict[str, list[str]] = defaultdict(list)
        for name in names:
            groups[name.split("[")[0]].append(name)
        ranked = [sorted(group, key=lambda name: (self.seconds[name], name)) for group in groups.values()]
        ranked.sort(key=lambda group: self.seconds[group[0]])
        longest = max(map(len, ranked), default=0)
        turns = [group[turn] for turn in range(longest) for group in ranked if turn < len(group)]
        known = set(turns)
        return list(dict.fromkeys([name for name in first if name in known] + turns))

    def within(self, names: Sequence[str], seconds: float) -> list[str]:
        """The first of them, as many as take no more than these seconds together."""
        ends = accumulate(self.seconds[name] for name in names)
        return [name for name, end in zip(names, ends, strict=True) if end <= seconds]


def statement_lines(source: str, start: int, end: int) -> tuple[set[int], bool]:
    """The lines of the statements (heads only of compound ones) that touch these lines; whether all are in functions.

    A decorator or a default counts as outside: it runs when the module is imported.
    """
    found: set[int] = set()
    outside: set[int] = set(range(start, end + 1))

    def visit(node: ast.AST, in_function: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                body = getattr(child, "body", None)
                last = body[0].lineno - 1 if body else (child.end_lineno or child.lineno)
                head = set(range(child.lineno, max(last, child.lineno) + 1))
                if in_function and not head.isdisjoint(range(start, end + 1)):
                    found.update(head)
                if in_function:
                    outside.difference_update(range(child.lineno, (child.end_lineno or child.lineno) + 1))
            visit(child, in_function or isinstance(child, ast.FunctionDef))

    visit(ast.parse(source), False)
    blank = {number for number, line in enumerate(source.splitlines(), 1) if not line.strip()}
    return found, not outside - blank


class _Worker:
    """One process in one copy of the tree."""

    def __init__(self, tree: Path, preload: Sequence[str], profile: str) -> None:
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        variables = {**os.environ, **threads, "HYPOTHESIS_PROFILE": profile}
        command = [sys.executable, "-P", str(WORKER), *preload]
        self.process = subprocess.Popen(
            command, cwd=tree, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, job: dict[str, Any]) -> dict[str, Any]:
        if self.process.stdin is None or self.process.stdout is None:
            raise BrokenRun(LOST)
        try:
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise BrokenRun(LOST) from error
        answer = self.process.stdout.readline()
        if not answer:
            raise BrokenRun(LOST)
        found: dict[str, Any] = json.loads(answer)
        return found

    def close(self) -> None:
        """End the worker, which ends its child."""
        self.process.terminate()
        self.process.communicate()


def tracked_files(root: Path) -> list[str]:
    """Files that git keeps or would keep, of a folder that need not be a checkout of its own."""
    command = ("git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(command, capture_output=True, check=True)
    names = {name for name in listed.stdout.decode().split("\0") if name}
    return sorted(name for name in names if (root / name).is_file())


class Runner:
    """A checkout, its tests, and what is known about its mutants.

    Args:
        root: the checkout; it is never changed.
        files: what a copy holds.
        pool: files and folders of tests that may kill.
        build: where records and verdicts are kept.
        workers: processes, each with a copy of the tree.
        preload: modules that a worker imports once; neither the core nor the tests.
        profile: of Hypothesis.
        slack: seconds that every test may take beyond 10 times its own.
        explained: identities of mutants known not to be told from the core: they get ``BRIEF`` seconds of the fastest
            tests, where a survivor costs minutes.
    """

    def __init__(
        self,
        root: Path,
        files: Sequence[str],
        *,
        pool: Sequence[str] = POOL,
        build: Path,
        workers: int = 2,
        preload: Sequence[str] = PRELOAD,
        profile: str = "mutation",
        slack: float = 10.0,
        explained: Collection[str] = (),
    ) -> None:
        self.explained = frozenset(explained)
        self.root, self.files, self.pool, self.build = root, files, pool, build
        self.workers, self.preload, self.profile, self.slack = workers, preload, profile, slack
        self.sources = core_files(root)
        self.test_files = sorted(
            name
            for name in files
            if Path(name).name.startswith("test_") and name.endswith(".py") and name.startswith(tuple(pool))
        )
        supports = [name for name in files if name.startswith("tests/") and not name.startswith("tests/mutation/")]
        supports = [name for name in supports if name.endswith(".py") and not name.startswith("tests/meta/test_mutat")]
        supports += [name for name in ("pyproject.toml", ".ci/constraints.txt") if name in files]
        core = [text for pair in self.sources.items() for text in pair]
        texts = [text for name in supports for text in (name, (root / name).read_text(encoding="utf-8"))]
        self.state = digest([*core, *texts, profile])
        self.record = Record()
        self.killers: dict[str, Counter[str]] = defaultdict(Counter)
        self.lock = threading.Lock()

    @contextmanager
    def _started(self) -> Iterator[list[_Worker]]:
        with tempfile.TemporaryDirectory(prefix="mutation-") as scratch:
            started: list[_Worker] = []
            try:
                for number in range(self.workers):
                    tree = Path(scratch, str(number))
                    for name in self.files:
                        (tree / name).parent.mkdir(parents=True, exist_ok=True)
                        shutil.copy2(self.root / name, tree / name)
                    started.append(_Worker(tree, self.preload, self.profile))
                yield started
            finally:
                for worker in started:
                    worker.close()

    def run(self, mutants: Sequence[Mutant], tick: Callable[[str, Verdict | None], None]) -> dict[str, Verdict]:
        """Every mutant's verdict, by identity. ``tick`` is told of every file recorded and every verdict.

        Raises:
            BrokenRun: the unchanged tests do not pass, or a worker died.
        """
        verdicts = {mutant.identity: self._stored(mutant) for mutant in mutants}
        for mutant in mutants:
            if (verdict := verdicts[mutant.identity]) is not None:
                self._learn(mutant, verdict)
                tick(mutant.identity, verdict)
        missing = [mutant for mutant in mutants if verdicts[mutant.identity] is None]
        if missing:
            with self._started() as workers:
                self._shared(workers, self.test_files, self._record_file, tick)
                self._shared(workers, ["control"] * len(workers), self._control, tick)
                found = self._shared(workers, missing, self._judge, tick)
                self._shared(workers, ["control"] * len(workers), self._control, tick)
            verdicts |= {verdict.identity: verdict for verdict in found if verdict is not None}
        return {identity: verdict for identity, verdict in verdicts.items() if verdict is not None}

    def _shared(
        self, workers: Sequence[_Worker], jobs: Sequence[Any], do: Callable[[_Worker, Any], Verdict | None], tick: Any
    ) -> list[Verdict | None]:
        """Give the jobs to the workers as they become free; the first exception ends all."""
        waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for job in jobs:
            waiting.put(job)
        done: queue.SimpleQueue[tuple[str, Verdict | None] | BaseException] = queue.SimpleQueue()

        def serve(worker: _Worker) -> None:
            try:
                while True:
                    job = waiting.get_nowait()
                    done.put((job if isinstance(job, str) else job.identity, do(worker, job)))
            except queue.Empty:
                return
            except BaseException as error:  # noqa: BLE001 - it is raised again below
                done.put(error)

        for worker in workers:
            threading.Thread(target=serve, args=(worker,), daemon=True).start()
        found: list[Verdict | None] = []
        for _ in jobs:
            answer = done.get()
            if isinstance(answer, BaseException):
                raise answer
            tick(*answer)
            found.append(answer[1])
        return found

    def _record_file(self, worker: _Worker, name: str) -> None:
        path = self.build / "records" / f"{digest([self.state, name, RECORD_FORMAT])}.json"
        if path.exists():
            with self.lock:
                self.record.add(json.loads(path.read_text(encoding="utf-8")))
            return
        found = worker.ask({"record": name, "core": CORE})
        if found["code"] != 0:
            raise BrokenRun(f"{name}: the unchanged tests do not pass (exit code {found['code']}).\n{found['log']}")
        kept = {"seconds": found["seconds"], "lines": found["lines"]}
        write_atomically(path, json.dumps(kept).encode())
        with self.lock:
            self.record.add(kept)

    def _control(self, worker: _Worker, _: str) -> None:
        """Without a fault the fastest tests pass: before all others, and after them, when every fault is out again."""
        fastest = self.record.order(self.record.seconds, ())[:20]
        found = worker.ask(self._job(fastest)) if fastest else {"code": 0}
        if found["code"] != 0:
            raise BrokenRun(f"without any fault the tests fail ({found['code']}).\n{found['log']}")

    def _job(self, tests: Sequence[str]) -> dict[str, Any]:
        files = {name.split("::")[0] for name in tests}
        seconds = {name: spent for name, spent in self.record.seconds.items() if name.split("::")[0] in files}
        return {"tests": list(tests), "seconds": seconds, "slack": self.slack}

    def _judge(self, worker: _Worker, mutant: Mutant) -> Verdict:
        names = self.record.tests_of(mutant, self.sources[mutant.file])
        likely = [name for scope in (f"{mutant.file}:{mutant.scope}", mutant.file) for name in self._likely(scope)]
        tests = self.record.order(names, likely)
        if mutant.identity in self.explained:
            tests = self.record.within(tests, BRIEF)
        outcome: Outcome = "survived"
        found: dict[str, Any] = {"spent": 0.0}
        if tests:
            found = worker.ask({**self._job(tests), "file": mutant.file, "mutated": mutant.mutated})
            if found["code"] < 0:
                outcome = "timed out"
            elif found["code"] > 0:
                outcome = "killed"
        by = "" if outcome == "survived" else found.get("failed", found.get("test", ""))
        verdict = Verdict(
            identity=mutant.identity, outcome=outcome, by=by, tests=len(tests), seconds=round(found["spent"], 3)
        )
        write_atomically(self._path(mutant), msgspec.json.encode(verdict))
        self._learn(mutant, verdict)
        return verdict

    def _learn(self, mutant: Mutant, verdict: Verdict) -> None:
        if verdict.outcome == "killed" and verdict.by:
            with self.lock:
                for scope in (f"{mutant.file}:{mutant.scope}", mutant.file):
                    self.killers[scope][verdict.by] += 1

    def _likely(self, scope: str) -> list[str]:
        """What killed others there most often."""
        with self.lock:
            return [name for name, _ in self.killers[scope].most_common(4)]

    def _path(self, mutant: Mutant) -> Path:
        brief = ["brief"] if mutant.identity in self.explained else []
        name = digest([self.state, mutant.identity, mutant.mutated, *brief, *self.test_files])
        return self.build / "verdicts" / f"{name}.json"

    def _stored(self, mutant: Mutant) -> Verdict | None:
        path = self._path(mutant)
        return msgspec.json.decode(path.read_bytes(), type=Verdict) if path.exists() else None
