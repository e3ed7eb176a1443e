"""Every law for every method: promised or under its condition on drawn matrices, else by counterexample."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flatmtl_core import Constant, InvalidInput
from flatmtl_core.laws import Law
from tests.laws.claims import CLAIMS, METHODS, Claim
from tests.laws.predicates import CHANGES, PREDICATES
from tests.strategies import KINDS, trials

_ALL_TASKS = (1, 2, 3, 4)
_KINDS = {Law.DEFINED_WHEN_STATIONARY: ("stationary",), Law.STRICT_DESCENT: ("separated", "few_valued")}
_CLASSES = sorted({type(build(1)) for build in METHODS.values()}, key=lambda cls: cls.__name__)


def _applicable(name: str, law: Law) -> bool:
    """Whether the law is promised, or holds under conditions that the method's own arguments can meet."""
    sizes = [METHODS[name](m) for m in _ALL_TASKS]
    if law in type(sizes[0]).laws:
        return True
    claim = CLAIMS.get((type(sizes[0]), law))
    if claim is None or not claim.conditional:
        return False
    return any(claim.arguments is None or claim.arguments(aggregator) for aggregator in sizes)


TESTED = [(name, law) for name in METHODS for law in Law if _applicable(name, law)]
REFUTED = [(cls, law) for cls in _CLASSES for law in Law if law not in cls.laws]


@pytest.mark.parametrize(("name", "law"), TESTED, ids=[f"{name}-{law.name}" for name, law in TESTED])
@given(data=st.data())
def test_law_holds(name: str, law: Law, data: st.DataObject) -> None:
    claim = CLAIMS.get((type(METHODS[name](1)), law))
    n_tasks = (claim.n_tasks if claim else None) or _ALL_TASKS
    if claim is not None and claim.arguments is not None:  # sizes at which these arguments do not claim it
        n_tasks = tuple(tasks for tasks in n_tasks if claim.arguments(METHODS[name](tasks)))
    trial = data.draw(trials(CHANGES.get(law, ()), n_tasks=n_tasks, kinds=_KINDS.get(law, tuple(KINDS))))
    aggregator = METHODS[name](1 if law is Law.IDENTITY_FOR_ONE_TASK else len(trial.rows))
    assume(claim is None or claim.holds(aggregator, trial))
    PREDICATES[law](aggregator, trial)


@pytest.mark.parametrize(("cls", "law"), REFUTED, ids=[f"{cls.__name__}-{law.name}" for cls, law in REFUTED])
def test_law_fails_in_general(cls: type, law: Law) -> None:
    claim: Claim = CLAIMS[cls, law]
    assert isinstance(claim.aggregator, cls)
    assert not claim.conditional or not claim.holds(claim.aggregator, claim.trial)
    with pytest.raises((AssertionError, InvalidInput) if cls is Constant else AssertionError):
        PREDICATES[law](claim.aggregator, claim.trial)


def test_every_pair_is_decided() -> None:
    undecided = {(cls, law) for cls in _CLASSES for law in Law if law not in cls.laws} - set(CLAIMS)
    assert not undecided, "neither promised in `laws` nor spoken about in claims.py"
    assert not {(cls, law) for cls, law in CLAIMS if law in cls.laws}, "promised and refuted at once"
    assert set(PREDICATES) == set(Law)


def test_every_condition_is_met_by_some_method() -> None:
    tested = {(type(METHODS[name](1)), law) for name, law in TESTED}
    assert {pair for pair, claim in CLAIMS.items() if claim.conditional} <= tested
