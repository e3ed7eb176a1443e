"""The mutation tests themselves: faults still apply, the sample is stable, a toy is judged rightly, nothing is lost."""

import math
from pathlib import Path

import pytest

from experiments.results import StoreError
from paper_figures.mutation import Provenance, Summary, read_mutation
from tests.mutation.__main__ import BY_HAND
from tests.mutation.automatic import SAMPLE, mutants_of, sample
from tests.mutation.by_hand import Misreading, hand_mutants
from tests.mutation.explained import EXPLAINED
from tests.mutation.mutants import Mutant, core_files
from tests.mutation.runner import BrokenRun, Record, Runner, Verdict, statement_lines
from tests.mutation.summary import failures, interval, summarise, write_summary
from tests.trace import ROOT

CORE = core_files(ROOT)
EVERYTHING = [mutant for file, source in CORE.items() for mutant in mutants_of(file, source)]

TOY = '''"""A toy."""


def floor(value: float, low: float) -> float:
    return low if value < low else value


def count(number: int) -> int:
    steps = 0
    while steps < number:
        steps += 1
    return steps


def early(value: float) -> float:
    return value + 3.0


EARLY = early(1.0)


def unused(value: float) -> float:
    return value + 1.0
'''
TOY_TESTS = """from flatmtl_core.toy import count, floor


def test_floor() -> None:
    assert floor(1.0, 2.0) == 2.0
    assert floor(3.0, 2.0) == 3.0


def test_count() -> None:
    assert count(3) == 3
"""
SETTINGS = '[tool.pytest.ini_options]\naddopts = ["--import-mode=importlib"]\npythonpath = ["."]\n'


def toy(
    root: Path, *, tests: str = TOY_TESTS, preload: tuple[str, ...] = (), explained: tuple[str, ...] = ()
) -> Runner:
    """A runner on a checkout of its own, below ``root``."""
    files = {"pyproject.toml": SETTINGS, "flatmtl_core/__init__.py": "", "flatmtl_core/toy.py": TOY}
    files |= {"tests/__init__.py": "", "tests/test_toy.py": tests}
    for name, text in files.items():
        path = root / "checkout" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    place = root / "checkout"
    return Runner(
        place, list(files), pool=("tests",), build=root, workers=1, preload=preload, slack=1.0, explained=explained
    )


def toy_mutants() -> dict[str, Mutant]:
    found = {mutant.identity.split(": ", 1)[1]: mutant for mutant in mutants_of("flatmtl_core/toy.py", TOY)}
    wanted = {
        "killed": "comparison: value < low -> value >= low #0",
        "survived": "comparison: value < low -> value <= low #0",
        "timed out": "statement dropped: steps += 1 -> pass #0",
        "not executed": "arithmetic: value + 1.0 -> value - 1.0 #0",
        "at import": "arithmetic: value + 3.0 -> value - 3.0 #0",
    }
    return {name: found[text] for name, text in wanted.items()}


def ignore(name: str, verdict: Verdict | None) -> None:
    """Nobody watches."""


def test_a_toy_is_judged_and_a_second_run_only_reads(tmp_path: Path) -> None:
    mutants = toy_mutants()
    runner = toy(tmp_path)
    verdicts = runner.run(list(reversed(mutants.values())), ignore)  # the last one would be noticed, were it left in
    found = {name: verdicts[mutant.identity] for name, mutant in mutants.items()}
    outcomes = {name: verdict.outcome for name, verdict in found.items()}
    assert outcomes == {
        "killed": "killed",
        "survived": "survived",
        "timed out": "timed out",
        "not executed": "survived",
        "at import": "survived",
    }
    assert found["killed"].by == "tests/test_toy.py::test_floor"
    assert found["timed out"].by == "tests/test_toy.py::test_count"
    assert {name: verdict.tests for name, verdict in found.items()} == {
        "killed": 1,
        "survived": 1,
        "timed out": 1,
        "not executed": 0,
        "at import": 2,
    }
    assert (tmp_path / "checkout/flatmtl_core/toy.py").read_text(encoding="utf-8") == TOY

    again = toy(tmp_path, preload=("no_such_module",))  # a worker could not start
    assert again.run(list(mutants.values()), ignore) == verdicts
    next((tmp_path / "verdicts").glob("*.json")).unlink()
    with pytest.raises(BrokenRun):
        again.run(list(mutants.values()), ignore)


def test_a_changed_test_or_core_is_judged_anew(tmp_path: Path) -> None:
    state = toy(tmp_path).state
    assert toy(tmp_path / "same").state == state
    assert toy(tmp_path, tests=TOY_TESTS + "\n").state != state
    runner = toy(tmp_path)
    (runner.root / "flatmtl_core/toy.py").write_text(TOY + "\n", encoding="utf-8")
    files = [*runner.files]
    assert Runner(runner.root, files, pool=("tests",), build=tmp_path).state != state


def test_an_explained_fault_gets_the_fastest_tests_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a verdict of its own, which holds no longer once the explanation is gone."""
    record = Record(seconds={"a": 1.0, "b": 2.0, "c": 0.5})
    assert record.within(["b", "a", "c"], 3.2) == ["b", "a"]
    mutant = toy_mutants()["killed"]
    monkeypatch.setattr("tests.mutation.runner.BRIEF", 0.0)
    (brief,) = toy(tmp_path, explained=(mutant.identity,)).run([mutant], ignore).values()
    assert (brief.outcome, brief.tests) == ("survived", 0)
    (whole,) = toy(tmp_path).run([mutant], ignore).values()
    assert (whole.outcome, whole.tests) == ("killed", 1)


def test_tests_that_fail_without_a_fault_end_the_run(tmp_path: Path) -> None:
    runner = toy(tmp_path, tests=TOY_TESTS.replace("== 3\n", "== 4\n"))
    with pytest.raises(BrokenRun, match=r"tests/test_toy\.py: the unchanged tests do not pass"):
        runner.run([toy_mutants()["killed"]], ignore)


def test_every_fault_by_hand_still_applies() -> None:
    found = hand_mutants(CORE, BY_HAND)
    assert len({mutant.identity for mutant in found}) == len(BY_HAND)
    for mutant in found:
        compile(mutant.mutated, mutant.file, "exec")


def test_a_fault_that_does_not_apply_is_named() -> None:
    for old in ("no such text", "return"):
        with pytest.raises(ValueError, match="stale"):
            hand_mutants(CORE, [Misreading("stale", "linalg.py", old, "x", "nothing")])


def test_every_explanation_has_its_mutant() -> None:
    known = {mutant.identity for mutant in (*EVERYTHING, *hand_mutants(CORE, BY_HAND))}
    assert set(EXPLAINED) <= known
    assert all(EXPLAINED.values())


def test_the_automatic_mutants_are_programs_and_have_names_of_their_own() -> None:
    assert len({mutant.identity for mutant in EVERYTHING}) == len(EVERYTHING)
    chosen = sample(CORE)
    assert len(chosen) == SAMPLE
    for mutant in chosen:
        compile(mutant.mutated, mutant.file, "exec")
        assert mutant.old in "\n".join(CORE[mutant.file].splitlines()[mutant.start - 1 : mutant.end])


def test_the_sample_survives_other_edits() -> None:
    file = "flatmtl_core/linalg.py"
    before = {mutant.identity for mutant in sample(CORE)}
    edited = CORE | {file: f"# one line more\n{CORE[file]}\n\ndef added(x):\n    return x + 1 if x < 3 else x * 2\n"}
    after = {mutant.identity for mutant in sample(edited)}
    assert all(f"{file}:added:" in identity for identity in after - before)


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        ("def f(a, b):\n    return a <= b", {"a < b", "a > b"}),
        ("def f(a, b):\n    return (a) + (b)", {"(a) - (b)"}),
        ("def f(a, b):\n    return min(a, b)", {"max"}),
        ("def f(a, b):\n    return g(a, b)", {"b, a"}),
        ("def f(a, b):\n    return a and b", {"((a) or (b))"}),
        ("def f(a):\n    return -a", {"(a)"}),
        ("def f(a, n):\n    return a[n:]", {"n + 1"}),
        ("def f(a):\n    return a(3)", {"4", "2"}),
        ("def f(a):\n    return a(300)", {"1"}),
        ("def f(a):\n    return a(0.5)", {"0.0", "(1000 * 0.5)"}),
        ("def f(a):\n    return a(True)", {"False"}),
        ("def f(a):\n    if a:\n        raise E('x', 1 + 1)", {"False", "(not (a))", "pass"}),
        ("def f(a):\n    for b in a:\n        break", {"continue"}),
        ("def f(a):\n    a.b += c\n    a.g(c)", {"pass"}),
        ("class A:\n    laws = named_laws('X Y')", {'"X"', '"Y"'}),
        ("class A:\n    laws = {Law.X, Law.Y}", {"{Law.X}", "{Law.Y}"}),
        ('def f(a: T[1] = b) -> T[2]:\n    """1 < 2."""\n    return f"{a + 1}"', set()),
        ("X: TypeAlias = T[1]\n__all__ = ['f']\nimport a\nfrom a import b", set()),
        ("def f(a, b):\n    return zip(a, b, strict=True)", {"b, a"}),
        ("def f(a) -> NoReturn:\n    g(1 + 1)\ndef h(a):\n    return f(1 + 1)", set()),
    ],
)
def test_what_the_operators_change(source: str, changes: set[str]) -> None:
    found = list(mutants_of("toy.py", source))
    assert {mutant.new for mutant in found} == changes
    for mutant in found:
        compile(mutant.mutated, "toy.py", "exec")


def test_statements_of_a_fault() -> None:
    source = (
        "X = 1\n\ndef f(a,\n      b=2):\n    if (a and\n            b):\n        return a\n    return g(\n        b)\n"
    )
    assert statement_lines(source, 6, 6) == ({5, 6}, True)
    assert statement_lines(source, 9, 9) == ({8, 9}, True)
    assert statement_lines(source, 7, 8) == ({7, 8, 9}, True)
    assert not statement_lines(source, 1, 1)[1]
    assert not statement_lines(source, 4, 4)[1]


def test_the_interval_is_clopper_and_pearsons() -> None:
    assert interval(0, 10) == pytest.approx((0.0, 1 - 0.025**0.1), abs=1e-12)
    assert interval(10, 10) == pytest.approx((0.025**0.1, 1.0), abs=1e-12)
    assert interval(0, 0) == (0.0, 1.0)
    low, high = interval(27, 30)
    at_least = sum(math.comb(30, k) * low**k * (1 - low) ** (30 - k) for k in range(27, 31))
    at_most = sum(math.comb(30, k) * high**k * (1 - high) ** (30 - k) for k in range(28))
    assert (at_least, at_most) == pytest.approx((0.025, 0.025), rel=1e-9)


def summary(outcomes: str, explained: dict[str, str] | None = None) -> Summary:
    """One automatic mutant of the toy a letter: k killed, t timed out, s survived; the first stands for one by hand."""
    first, *others = list(mutants_of("flatmtl_core/toy.py", TOY))[: len(outcomes)]
    by_hand = hand_mutants(
        {first.file: TOY}, [Misreading("first", "toy.py", "value < low", "value > low", "the lower end")]
    )
    mutants = [*by_hand, *others]
    words = {"k": "killed", "t": "timed out", "s": "survived"}
    verdicts = {
        mutant.identity: Verdict(identity=mutant.identity, outcome=words[letter], by="", tests=1, seconds=1.0)
        for mutant, letter in zip(mutants, outcomes, strict=True)
    }
    provenance = Provenance(commit="c", dirty=False, started="now", python="3", torch="2", partial=False)
    return summarise(mutants, verdicts, explained or {}, {first.file: TOY}, provenance, 99)


def test_the_score_leaves_explained_survivors_out(tmp_path: Path) -> None:
    found = summary("kkkts")
    assert (found.hand.score, found.automatic.score) == (1.0, 0.75)
    assert (found.automatic.killed, found.automatic.timed_out, found.automatic.survived) == (3, 1, 1)
    assert failures(found) == ["the automatic mutants' score 0.750 is below 0.9"]
    (lost,) = found.survivors
    assert [line[0] for line in lost.diff.splitlines()] == ["-", "+"]
    excused = summary("kkkts", {lost.identity: "equivalent"})
    assert (excused.automatic.score, excused.automatic.explained, failures(excused)) == (1.0, 1, [])
    assert failures(summary("skkk")) == ["survives: by hand: first"]
    assert failures(summary("skkk", {"by hand: first": "equivalent"})) == []
    path = tmp_path / "mutation.json"
    write_summary(path, found)
    assert read_mutation(path) == found
    path.write_text(path.read_text(encoding="utf-8").replace('"score"', '"mark"'), encoding="utf-8")
    with pytest.raises(StoreError):
        read_mutation(path)
