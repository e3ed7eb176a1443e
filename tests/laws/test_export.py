"""The table of laws is closed, its data are fresh, and what contradicts the first survey is shown by its witness."""

import json

import pytest

from flatmtl_core import IMTLG, AlignedMTL, InvalidInput
from flatmtl_core.laws import Law
from tests.assertions import direction
from tests.laws import export
from tests.laws.claim import AXES, Claim, trial_of
from tests.laws.contradictions import CONTRADICTIONS, Contradiction
from tests.laws.predicates import PREDICATES
from tests.laws.test_laws import REFUTED, TESTED


def test_the_stored_table_is_fresh() -> None:
    assert export.TARGET.read_text(encoding="utf-8") == export.text(), "run python -m tests.laws.export"


def test_every_public_aggregator_has_a_row() -> None:
    assert export.public_aggregators() == [cls.__name__ for cls in export.CLASSES]


def test_every_cell_has_the_tests_that_its_verdict_wants() -> None:
    """A promise is drawn against, a refutation is pinned, a condition is both."""
    drawn = {(type(export.METHODS[name](1)).__name__, law.name) for name, law in TESTED}
    pinned = {(cls.__name__, law.name) for cls, law in REFUTED}
    cells = json.loads(export.text())["cells"]
    assert len(cells) == len(export.CLASSES) * len(Law)
    for cell in cells:
        pair = (cell["method"], cell["law"])
        assert (pair in drawn) is (cell["verdict"] != "fails"), pair
        assert (pair in pinned) is (cell["verdict"] != "holds"), pair
        assert (cell["condition"] is not None) is (cell["verdict"] == "holds if"), pair
        assert (cell["witness"] is not None) is (cell["verdict"] != "holds"), pair


def _name(one: Contradiction) -> str:
    return f"{type(one.aggregator).__name__}-{one.law.name}-{one.found.split()[0]}"


@pytest.mark.parametrize("one", CONTRADICTIONS, ids=_name)
def test_contradictions_are_shown_by_their_witness(one: Contradiction) -> None:
    """The witness keeps the law where the survey denied it ("holds ..."), and breaks it where the survey did not."""
    if one.found.startswith("holds"):
        PREDICATES[one.law](one.aggregator, one.trial)
        return
    with pytest.raises((AssertionError, InvalidInput)):
        PREDICATES[one.law](one.aggregator, one.trial)


def test_imtl_g_is_zero_for_opposite_rows() -> None:
    """Not (-5, 0), which the pseudo-inverse of the Gramian gives."""
    assert not direction(IMTLG(), trial_of(((1, 0), (-2, 0))).rows).any()


def test_a_condition_needs_words() -> None:
    for changes in ({"n_tasks": (1,)}, {"when": "m = 1"}):
        with pytest.raises(ValueError, match="come together"):
            Claim(AlignedMTL(), trial_of(AXES), **changes)  # type: ignore[arg-type]
