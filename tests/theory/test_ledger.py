"""The ledger: verdicts fold along `uses`, nothing is decided without a twin, nothing is read that is not exact."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.theory import planted
from theory.ledger import (
    HOLDS,
    ORDER,
    PROVED,
    Finding,
    Ledger,
    LedgerError,
    Record,
    Twin,
    Verdict,
    encode,
    fold,
    judged,
    opposed,
    read,
    weakest,
    write,
)


def chain(*verdicts: Verdict) -> tuple[dict[str, Verdict], dict[str, tuple[str, ...]]]:
    """Statements a, b, c ... of which each uses the one before."""
    labels = "abcdefghi"[: len(verdicts)]
    uses: dict[str, tuple[str, ...]] = {label: (before,) for before, label in pairwise(labels)}
    return dict(zip(labels, verdicts, strict=True)), {"a": (), **uses}


def test_the_order_is_the_one_that_is_written_down() -> None:
    assert [verdict.name for verdict in ORDER] == [
        "IDENTITY",
        "UNSAT",
        "ENCLOSED",
        "ENUMERATED",
        "TEXTBOOK",
        "NOT_REJECTED",
        "PREMISE",
        "UNDECIDED",
        "REFUTED",
    ]
    assert HOLDS == {*PROVED, Verdict.NOT_REJECTED} != PROVED
    assert weakest([]) is Verdict.UNDECIDED


def test_the_weakest_verdict_of_all_that_it_uses() -> None:
    verdicts, uses = chain(Verdict.NOT_REJECTED, Verdict.UNSAT, Verdict.IDENTITY)
    assert fold(verdicts, uses) == dict.fromkeys("abc", Verdict.NOT_REJECTED)
    verdicts, uses = chain(Verdict.IDENTITY, Verdict.UNDECIDED, Verdict.UNSAT)
    assert fold(verdicts, uses) == {"a": Verdict.IDENTITY, "b": Verdict.UNDECIDED, "c": Verdict.UNDECIDED}


def test_what_nobody_uses_weakens_nothing() -> None:
    verdicts = {"remark": Verdict.REFUTED, "theorem": Verdict.UNSAT}
    assert fold(verdicts, {"remark": ("theorem",), "theorem": ()})["theorem"] is Verdict.UNSAT


@given(st.lists(st.tuples(st.sampled_from(ORDER), st.sets(st.integers(0, 7))), min_size=1, max_size=8))
def test_folding_is_the_weakest_of_every_path(statements: list[tuple[Verdict, set[int]]]) -> None:
    verdicts = {str(number): verdict for number, (verdict, _) in enumerate(statements)}
    uses = {str(number): [str(one) for one in used if one < number] for number, (_, used) in enumerate(statements)}
    folded = fold(verdicts, uses)
    for label in verdicts:
        paths = [[label]]
        reached = set()
        while paths:
            path = paths.pop()
            reached.add(path[-1])
            paths += [[*path, used] for used in uses[path[-1]]]
        assert folded[label] is ORDER[max(ORDER.index(verdicts[one]) for one in reached)]


def test_a_circle_is_named() -> None:
    verdicts = dict.fromkeys("abc", Verdict.IDENTITY)
    with pytest.raises(ValueError, match="a circle: b -> c -> b"):
        fold(verdicts, {"a": "b", "b": "c", "c": "b"})
    with pytest.raises(ValueError, match="a circle: a -> a"):
        fold({"a": Verdict.IDENTITY}, {"a": "a"})


def test_an_unknown_label_is_named() -> None:
    with pytest.raises(KeyError, match="nowhere"):
        fold({"a": Verdict.IDENTITY}, {"a": ("nowhere",)})


@pytest.mark.parametrize("verdict", [*sorted(HOLDS), Verdict.REFUTED])
def test_what_a_twin_does_not_oppose_is_undecided(verdict: Verdict) -> None:
    level = 0.01 if verdict is Verdict.NOT_REJECTED else None
    told, silent = (planted.FALSE, planted.TRUE) if verdict.holds else (planted.TRUE, planted.FALSE)
    unsure = Twin(change="z3 gave up", verdict=Verdict.UNDECIDED, evidence="")
    assert judged("x", "x", "smt", verdict, "seen", [told], level).verdict is verdict
    for twins in ([silent], [told, silent], [told, unsure], []):
        finding = judged("x", "x", "smt", verdict, "seen", twins, level)
        assert finding.verdict is Verdict.UNDECIDED
        assert finding.level is None
        assert finding.evidence.startswith(f"{verdict}, but")


def test_only_a_refutation_opposes() -> None:
    assert {(first, second) for first in ORDER for second in ORDER if opposed(first, second)} == {
        pair for one in HOLDS for pair in ((one, Verdict.REFUTED), (Verdict.REFUTED, one))
    }


def finding(**changes: Any) -> dict[str, Any]:
    """As JSON has it."""
    (one,) = planted.holds()
    return {**msgspec.to_builtins(one), **changes}


def content(**changes: Any) -> dict[str, Any]:
    """A ledger of one record, as JSON has it."""
    record = {"label": "sum", "checks": ["a.b:c"], "findings": [finding()], "sources": {}, "seconds": 1.0}
    return {"schema_version": 1, "versions": {}, "seconds": 2.0, "records": [record], **changes}


def record(**changes: Any) -> list[dict[str, Any]]:
    """Its records, with one that is changed."""
    return [{**content()["records"][0], **changes}]


REFUTED_TWIN = finding()["twins"][0]


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"schema_version": 2}, "Invalid enum value 2"),
        ({"comment": "x"}, "unknown field `comment`"),
        ({"seconds": None}, "Expected `float`"),
        ({"records": record() * 2}, r"labels occur twice: \['sum'\]"),
        ({"records": record(comment="x")}, "unknown field `comment`"),
        ({"records": record(assumed="textbook")}, "what is assumed has a source and no findings"),
        ({"records": record(source="a book")}, "what is assumed has a source and no findings"),
        ({"records": record(findings=[finding(verdict="proved")])}, "Invalid enum value 'proved'"),
        ({"records": record(findings=[finding(kernel="oracle")])}, "Invalid enum value 'oracle'"),
        ({"records": record(findings=[finding(twins=[])])}, "without a twin of the opposite verdict"),
        (
            {"records": record(findings=[finding(twins=[{**REFUTED_TWIN, "verdict": "unsat"}])])},
            "without a twin of the opposite verdict",
        ),
        (
            {"records": record(findings=[finding(twins=[{**REFUTED_TWIN, "verdict": "undecided"}])])},
            "without a twin of the opposite verdict",
        ),
        ({"records": record(findings=[finding(kernel="none")])}, "without a kernel"),
        ({"records": record(findings=[finding(level=0.01)])}, "level 0.01 with the verdict exact identity"),
        ({"records": record(findings=[finding(verdict="not rejected")])}, "level None with the verdict not rejected"),
        ({"records": record(findings=[finding(verdict="not rejected", level=1.0)])}, "level 1.0"),
    ],
)
def test_a_ledger_with_a_fault_is_refused(changed: dict[str, Any], fault: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    path.write_bytes(msgspec.json.encode(content()))
    assert read(path).records[0].verdict is Verdict.IDENTITY
    path.write_bytes(msgspec.json.encode(content(**changed)))
    with pytest.raises(LedgerError, match=f"ledger.json: no ledger .*{fault}.*python -m theory verify"):
        read(path)


def test_no_file_and_no_json_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"none\.json"):
        read(tmp_path / "none.json")
    (tmp_path / "broken.json").write_bytes(b"\xff{")
    with pytest.raises(LedgerError, match=r"broken\.json"):
        read(tmp_path / "broken.json")


def test_a_ledger_is_read_as_it_was_written_and_appears_whole(tmp_path: Path) -> None:
    one = msgspec.convert(content(), Ledger)
    write(tmp_path / "new" / "ledger.json", one)
    assert read(tmp_path / "new" / "ledger.json") == one
    assert encode(one).count(b"\n") > 20
    with pytest.raises(ValueError, match="not finite"):
        write(tmp_path / "new" / "ledger.json", msgspec.structs.replace(one, seconds=float("nan")))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["ledger.json"]


def test_a_record_has_its_weakest_finding() -> None:
    findings: tuple[Finding, ...] = (*planted.holds(), *planted.simulated())
    one = Record(label="x", checks=("a:b",), findings=findings, sources={}, seconds=0.0)
    assert one.verdict is Verdict.NOT_REJECTED
    assert msgspec.structs.replace(one, findings=()).verdict is Verdict.UNDECIDED
    for assumed, verdict in (("textbook", Verdict.TEXTBOOK), ("premise", Verdict.PREMISE)):
        known = {"label": "x", "checks": (), "findings": (), "sources": {}, "seconds": 0.0, "source": "a book"}
        assert msgspec.convert({**known, "assumed": assumed}, Record).verdict is verdict
