"""What is known now: a record of other sources counts as none, and a verdict says from which statements it comes."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tests.theory import planted
from theory import sources as sources_module
from theory.blueprint import BLUEPRINT, Entry
from theory.ledger import Ledger, Record, Verdict
from theory.sources import ROOT, sources
from theory.standing import KEPT, Standing, differences, read_if_any, stale, standings, surprises
from theory.verify import record

LEDGER = planted.checked(planted.BLUEPRINT)


def test_a_theorem_has_the_weakest_verdict_of_its_ancestors_and_names_them() -> None:
    found = standings(LEDGER, planted.BLUEPRINT)
    assert {label: (one.own.name, one.folded.name, one.inherited) for label, one in found.items()} == {
        "measure": ("TEXTBOOK", "TEXTBOOK", ()),
        "flat-world": ("PREMISE", "PREMISE", ()),
        "sum": ("IDENTITY", "TEXTBOOK", ("measure",)),
        "coverage": ("NOT_REJECTED", "NOT_REJECTED", ()),
        "bound": ("IDENTITY", "NOT_REJECTED", ("coverage",)),
        "sharp": ("IDENTITY", "PREMISE", ("flat-world",)),
        "naive": ("REFUTED", "REFUTED", ()),
    }
    assert [label for label, one in found.items() if one.simulated] == ["coverage"]
    assert surprises(found) == []


def surprise(entry: Entry, *more: Entry) -> str:
    """What is said of a statement that uses all of the others."""
    blueprint = (*more, replace(entry, uses=tuple(one.label for one in more)))
    return standings(planted.checked(blueprint), blueprint)[entry.label].surprise


def test_every_kind_of_surprise_is_told() -> None:
    assert surprise(planted.entry("a", "holds")) == ""
    assert surprise(planted.entry("a", "refuted")) == "expected to hold, found: refuted"
    assert surprise(planted.entry("a", "holds", expected="refuted")) == "expected to be refuted, found: exact identity"
    assert surprise(planted.entry("a", "hasty", expected="refuted")).startswith("blind: unsat, but the kernel")
    assert surprise(planted.entry("a", "hasty")).startswith("blind: unsat, but the kernel does not tell the twin apart")
    assert surprise(planted.entry("a", "holds", "refuted", "hasty")) == "expected to hold, found: refuted"
    assert surprise(planted.entry("a")) == "it has no check"
    assert surprise(planted.entry("a", "raises")).startswith("tests.theory.planted:raises: ArithmeticError")


def test_what_rests_on_the_false_is_a_surprise() -> None:
    false = planted.entry("false", "refuted", expected="refuted")
    assert surprise(planted.entry("a", "holds"), false) == "it rests on what is refuted: false"
    assert surprise(planted.entry("a", "refuted", expected="refuted"), false) == ""
    assert surprise(planted.entry("a", "holds", expected="refuted"), false) == ""
    unknown = planted.entry("unknown", "hasty")
    assert surprise(planted.entry("a", "holds"), unknown) == "it rests on what is undecided: unknown"


def test_without_a_ledger_nothing_is_decided() -> None:
    found = standings(None, planted.BLUEPRINT)
    assert {one.own for one in found.values()} == {Verdict.UNDECIDED}
    assert all("python -m theory verify --keep" in one.surprise for one in found.values())
    assert read_if_any([ROOT / "none.json"]) is None


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one check that stands on a kernel, which stands on the ledger, and one without."""
    texts = {
        "theory/__init__.py": "",
        "theory/ledger.py": "import math",
        "theory/proof/__init__.py": "",
        "theory/proof/kernel.py": "from theory import ledger\nimport sympy",
        "theory/proof/chain/__init__.py": "",
        "theory/proof/chain/sum.py": "from ..kernel import decide\n\ndef check(): ...",
        "theory/proof/chain/lone.py": "def check():\n    import theory.proof.kernel",
        "theory/proof/other.py": "",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(sources_module, "ROOT", tmp_path)
    return tmp_path


PACKAGES = ["theory/__init__.py", "theory/proof/__init__.py"]
SUM = "theory.proof.chain.sum:check"


def test_sources_are_all_files_that_a_check_imports(checkout: Path) -> None:
    chain = "theory/proof/chain/__init__.py"
    base = ["theory/ledger.py", "theory/proof/kernel.py"]
    assert set(sources([SUM])) == {*PACKAGES, chain, *base, "theory/proof/chain/sum.py"}
    assert set(sources(["theory.proof.chain.lone:check"])) == {*PACKAGES, chain, *base, "theory/proof/chain/lone.py"}
    assert set(sources(["theory.proof.other:check"])) == {*PACKAGES, "theory/proof/other.py"}
    assert sources(["theory.proof.nowhere:check"]) == {}


def test_line_ends_are_no_change(checkout: Path) -> None:
    before = sources([SUM])
    for path in checkout.rglob("*.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    sources_module.forget()
    assert sources([SUM]) == before


def old(label: str, checks: tuple[str, ...]) -> tuple[Entry, Ledger]:
    """A statement, and a ledger of its present sources."""
    entry = replace(planted.entry(label), checks=checks)
    known = Record(label=label, checks=checks, findings=tuple(planted.holds()), sources=sources(checks), seconds=0.0)
    return entry, planted.ledger(known)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("theory/proof/chain/sum.py", "def check(): ..."),
        ("theory/proof/kernel.py", "from theory import ledger"),
        ("theory/ledger.py", "import cmath"),
        ("theory/proof/__init__.py", "import theory.proof.other"),
    ],
)
def test_a_record_is_stale_when_any_of_its_sources_changed(checkout: Path, name: str, text: str) -> None:
    entry, known = old("sum", (SUM,))
    assert stale(known, [entry]) == {}
    (checkout / name).write_text(text, encoding="utf-8")
    sources_module.forget()
    assert stale(known, [entry])["sum"].startswith("changed since it was checked: ")
    assert name in stale(known, [entry])["sum"]
    one: Standing = standings(known, [entry])["sum"]
    assert (one.own, one.findings) == (Verdict.UNDECIDED, ())
    assert one.surprise == one.stale != ""
    assert name in differences(known, standings(known, [entry]), [entry])[0]


def test_a_record_is_stale_when_a_source_is_gone(checkout: Path) -> None:
    entry, known = old("sum", (SUM,))
    (checkout / "theory/proof/kernel.py").unlink()
    sources_module.forget()
    assert "theory/proof/kernel.py" in stale(known, [entry])["sum"]


def test_missing_and_unknown_labels_are_stale(checkout: Path) -> None:
    entry, known = old("sum", (SUM,))
    assert stale(known, [entry, planted.entry("new")]) == {"new": "the ledger does not have it"}
    assert stale(known, []) == {"sum": "the blueprint does not have it"}


def test_other_checks_or_another_source_are_stale(checkout: Path) -> None:
    entry, known = old("sum", (SUM,))
    more = replace(entry, checks=(SUM, "theory.proof.chain.sum:other"))
    assert "other checks" in stale(known, [more])["sum"]
    premise = planted.entry("sum", kind="premise", expected="assumed")
    assert "another source" in stale(known, [premise])["sum"]
    book = planted.ledger(record(premise, {}, {}))
    assert stale(book, [premise]) == {}
    assert "another source" in stale(book, [replace(premise, source="another book")])["sum"]
    assert "another source" in stale(book, [replace(premise, kind="textbook")])["sum"]


def test_what_is_kept_and_what_is_found_may_differ() -> None:
    found = standings(LEDGER, planted.BLUEPRINT)
    assert differences(LEDGER, found, planted.BLUEPRINT) == []
    kept = [
        msgspec.structs.replace(one, findings=tuple(planted.refuted())) if one.label == "sum" else one
        for one in LEDGER.records
    ]
    assert differences(planted.ledger(*kept), found, planted.BLUEPRINT) == [
        "sum: kept as refuted, found: exact identity"
    ]
    assert differences(planted.ledger(*kept[:-1]), found, planted.BLUEPRINT)[0] == "naive: the ledger does not have it"


def test_the_kept_ledger_is_of_the_present_sources() -> None:
    assert stale(read_if_any([KEPT]), BLUEPRINT) == {}, "run python -m theory verify --keep"
