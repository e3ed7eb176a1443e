"""What came out: computed from the stores, the same in the README, and silent about what is not stored."""

import re

import msgspec
import pytest

from experiments import catalog
from paper_figures import findings, tab_one_setting
from paper_figures.__main__ import of_the_repository
from paper_figures.exhibit import Stored
from tests.figures.synthetic import result
from tests.meta.test_house import section
from tests.trace import ROOT

MARKED = re.compile(r"^<!-- findings -->\n(.*?)\n<!-- /findings -->$", re.MULTILINE | re.DOTALL)


def test_the_readme_shows_what_the_stored_numbers_say() -> None:
    """To renew: python -m paper_figures findings."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert MARKED.findall(section(readme, "What came out")) == [of_the_repository()]


def test_nothing_stored_answers_nothing() -> None:
    assert findings.findings(Stored(runs=dict.fromkeys(catalog.NAMES, ()), files={})) == ()


@pytest.fixture(scope="module")
def planted() -> Stored:
    """MultiFashion of the laptop list: F-MGDA is better than MGDA by 2 points on every seed."""
    found = []
    for spec in catalog.specs("laptop"):
        if spec.problem == "multi_fashion" and spec.rho_shared in (0.0, catalog.FIRST_RADII[0]):
            made = result(spec)
            accuracy = (0.8 + 0.01 * spec.seed + 0.02 * (spec.mode == "decomposed" and spec.aggregator == "MGDA"),) * 2
            best = msgspec.structs.replace(made.test_best, accuracy=accuracy)
            found.append(msgspec.structs.replace(made, test_best=best))
    return Stored(runs={"smoke": (), "laptop": tuple(found), "paper": ()}, files={})


def test_a_planted_difference_is_counted(planted: Stored) -> None:
    by_exhibit = {one.exhibit.location: one for one in findings.findings(planted)}
    text = by_exhibit[tab_one_setting.EXHIBIT.location].answer
    assert "with or without the flat part: +0.00 to +2.00 points, 1 of 4 decided (3 seeds)" in text
    assert "decomposed or direct: +0.00 to +2.00 points, 1 of 3 decided (3 seeds)" in text
