"""Running the checks: whatever one of them does, the others are heard, and what came to no end is undecided."""

import os
import pkgutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import theory.proof
from tests.theory import planted
from theory import __main__ as command
from theory import verify
from theory.blueprint import Entry
from theory.ledger import Ledger, Record, Verdict, read
from theory.sources import ROOT
from theory.verify import Answer, answer

FAULTS = (
    planted.entry("first", "holds"),
    planted.entry("slow", "slow"),
    planted.entry("breaks", "raises"),
    planted.entry("dies", "dies"),
    planted.entry("empty", "empty"),
    planted.entry("absent", "absent"),
    planted.entry("untyped", "untyped"),
    planted.entry("both", "holds", "raises"),
    planted.entry("book", kind="textbook", expected="assumed"),
    planted.entry("last", "refuted", expected="refuted"),
)


@pytest.fixture(scope="module")
def faulty() -> tuple[dict[str, Record], list[str]]:
    """Records of one run of all these, by label, and what the progress was told."""
    told: list[str] = []
    ledger = verify.verify(FAULTS, workers=2, limit=2.0, tick=told.append)
    return {record.label: record for record in ledger.records}, told


def test_the_others_go_on(faulty: tuple[dict[str, Record], list[str]]) -> None:
    records, told = faulty
    assert list(records) == [entry.label for entry in FAULTS]
    assert records["first"].verdict is Verdict.IDENTITY
    assert records["last"].verdict is Verdict.REFUTED
    assert records["book"].verdict is Verdict.TEXTBOOK
    assert sorted(told) == sorted({check for entry in FAULTS for check in entry.checks})


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("slow", "it took longer than 2 s"),
        ("breaks", "ArithmeticError: no such number (tests/theory/planted.py, line "),
        ("dies", "its process ended, exit code 7"),
        ("empty", "TypeError: a check returns a list of findings, at least one; this one returned []"),
        ("absent", "AttributeError: module 'tests.theory.planted' has no attribute 'absent'"),
        ("untyped", "its findings are none: Expected `str`, got `int`"),
    ],
)
def test_what_comes_to_no_end_is_undecided(
    label: str, reason: str, faulty: tuple[dict[str, Record], list[str]]
) -> None:
    record = faulty[0][label]
    (finding,) = record.findings
    assert record.verdict is Verdict.UNDECIDED
    assert finding.evidence.startswith(reason)
    assert (finding.kernel, finding.name) == ("none", record.checks[0])


def test_one_failure_is_enough(faulty: tuple[dict[str, Record], list[str]]) -> None:
    record = faulty[0]["both"]
    assert [finding.verdict for finding in record.findings] == [Verdict.IDENTITY, Verdict.UNDECIDED]
    assert record.verdict is Verdict.UNDECIDED


def test_a_worker_that_is_killed_is_replaced() -> None:
    worker = verify._Worker()
    try:
        assert worker.process.pid is not None
        os.kill(worker.process.pid, signal.SIGKILL)
        lost = worker.ask(f"{planted.HERE}:holds", 30.0)
        assert (lost.failure, lost.findings) == ("its process ended, exit code -9", ())
        assert len(worker.ask(f"{planted.HERE}:holds", 30.0).findings) == 1
    finally:
        worker.end()
    assert worker.process.exitcode == -signal.SIGKILL


def test_the_ledger_knows_what_decided() -> None:
    ledger = verify.verify([planted.entry("book", kind="textbook", expected="assumed")], tick=lambda check: None)
    assert set(ledger.versions) == {"python", "sympy", "z3-solver", "python-flint", "numpy"}


Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line on planted statements, with ledgers in a folder of the test's own."""
    fresh, kept = (tmp_path / folder / "store" / "ledger.json" for folder in ("build", "experiments"))
    monkeypatch.setattr(command, "FRESH", fresh)
    monkeypatch.setattr(command, "KEPT", kept)

    def run(*arguments: str, blueprint: tuple[Entry, ...] = planted.BLUEPRINT) -> int:
        monkeypatch.setattr(command, "BLUEPRINT", blueprint)
        monkeypatch.setattr(verify, "run", here)
        return command.main(arguments)

    return run


def here(checks: list[str], *, tick: Callable[[str], None], **options: float) -> dict[str, Answer]:
    """In this process: faster."""
    answers = {}
    for check in checks:
        answers[check] = answer(check)
        tick(check)
    return answers


def test_a_whole_run_is_written_and_compared_with_what_is_kept(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("verify") == 1
    assert "sum, coverage, bound, sharp, naive: there is no ledger" in capsys.readouterr().out
    assert run("verify", "--keep") == 0
    assert run("verify") == 0
    printed = capsys.readouterr().out
    assert "7 statements, own verdicts: 3 exact identity, 1 assumed (textbook), 1 not rejected" in printed
    assert "with what they use: 2 assumed (textbook), 2 not rejected, 2 assumed (premise), 1 refuted" in printed
    assert "on simulations alone: 1: coverage" in printed
    assert "weaker than the paper's wording: 1\n  bound: for N >= 8 only" in printed
    ledgers: list[Ledger] = [read(tmp_path / folder / "store" / "ledger.json") for folder in ("build", "experiments")]
    assert [one.label for one in ledgers[0].records] == [entry.label for entry in planted.BLUEPRINT]
    assert [one.verdict for one in ledgers[0].records] == [one.verdict for one in ledgers[1].records]
    assert run("verify", blueprint=planted.BLUEPRINT[:-1]) == 1
    assert "kept ledger: naive: the blueprint does not have it" in capsys.readouterr().out


@pytest.mark.parametrize("check", ["refuted", "hasty", "raises"])
def test_what_differs_from_what_is_expected_fails(check: str, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", "--keep", blueprint=(planted.entry("a", check),)) == 1
    assert "\na: " in capsys.readouterr().out


def test_a_part_is_not_kept(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", "--only", "bound", "naive") == 0
    printed = capsys.readouterr().out
    assert "2 statements, own verdicts: 1 exact identity, 1 refuted" in printed
    assert run("verify", "--only", "bound", "--keep") == 2
    assert list(tmp_path.iterdir()) == []
    assert run("verify", "--only", "bond") == 2
    assert "there is no statement 'bond'. Near: bound" in capsys.readouterr().err


def test_one_statement_is_shown_with_all_that_is_known(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", "sum") == 0
    assert "Undecided because: there is no ledger" in capsys.readouterr().out
    run("verify", "--keep")
    capsys.readouterr()
    assert run("show", "sum") == 0
    shown = capsys.readouterr().out
    for line in (
        "sum: Title of sum (lemma; paper: ours)",
        r"x_{1} \le 1",
        "Verdict: exact identity",
        "With all that it uses: assumed (textbook), from measure",
        "- x + 0: x + 0 = x",
        "  exact identity (algebra): 0",
        "  twin: a false neighbour",
        "    refuted: x = 1/2",
        "Uses: measure (assumed (textbook))",
        "Used by: coverage (not rejected)",
        "Used by: naive (refuted)",
        "Check: tests.theory.planted:holds",
    ):
        assert f"{line}\n" in shown
    assert run("show", "summ") == 2
    assert "there is no statement 'summ'. Near: sum" in capsys.readouterr().err


def test_the_graph_is_drawn(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ((), ("bound",)):
        assert run("graph", *arguments, "--out", str(tmp_path / "new" / "graph.png")) == 0
        assert (tmp_path / "new" / "graph.png").read_bytes()[:4] == b"\x89PNG"
    assert run("graph", "nothing", "--out", str(tmp_path / "graph.png")) == 2
    assert run("graph", "--ledger", str(tmp_path / "none.json")) == 2
    assert "none.json: no ledger" in capsys.readouterr().err


def test_an_unsound_blueprint_is_told(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("verify", "graph"):
        assert run(name, blueprint=(planted.entry("a", uses=("b",)),)) == 2
        assert "a: uses b, which is no statement" in capsys.readouterr().err
    assert run("verify", "--only", "a", blueprint=(planted.entry("a", "holds", uses=("b",)),)) == 0


def test_proofs_run_without_torch_and_without_the_core() -> None:
    modules = [found.name for found in pkgutil.walk_packages(theory.proof.__path__, "theory.proof.")]
    assert {"theory.proof.kernels.algebra", "theory.proof.kernels.smt"} <= set(modules)
    modules += ["theory.__main__", "theory.ledger", "theory.blueprint"]
    code = (
        f"import sys, importlib\nfor name in {modules}: importlib.import_module(name)\n"
        "print(sorted({'torch', 'scipy', 'flatmtl_core', 'matplotlib', 'experiments'}.intersection(sys.modules)))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert (finished.stdout.strip(), finished.returncode) == ("[]", 0), finished.stderr


def test_a_worker_that_is_ended_while_it_is_asked_is_not_replaced() -> None:
    worker = verify._Worker()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(worker.ask, "tests.theory.planted:slow", 60.0)
        time.sleep(0.5)
        worker.end()
        worker.end()
        assert "its process ended" in asked.result(timeout=30).failure
    assert not worker.process.is_alive()


def test_a_stopped_run_leaves_no_worker() -> None:
    code = (
        "import os, signal, sys, threading\nfrom tests.theory import planted\nfrom theory import verify\n"
        "signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))\n"
        "started = verify._Worker._start\n"
        "def start(self):\n    started(self)\n    print(self.process.pid, flush=True)\n"
        "verify._Worker._start = start\n"
        "if __name__ == '__main__':\n"
        "    verify.verify([planted.entry('a', 'slow')], tick=print)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        worker = int(process.stdout.readline())
        time.sleep(0.5)
        process.terminate()
        assert process.wait(timeout=30) == 143
    for _ in range(100):
        if not running(worker):
            break
        time.sleep(0.05)
    assert not running(worker)


def running(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
