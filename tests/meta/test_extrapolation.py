"""The README's extrapolation to many devices is what the program prints."""

import re

from experiments.benchmarks.extrapolate import Setting, extrapolation
from tests.meta.test_house import section
from tests.trace import ROOT

MARKED = re.compile(r"^<!-- extrapolation -->\n(.*?)\n<!-- /extrapolation -->$", re.MULTILINE | re.DOTALL)


def shown(readme: str) -> list[str]:
    """The text between the markers, as often as they stand in the section on cost."""
    return MARKED.findall(section(readme, "Cost"))


def test_the_readme_shows_what_the_program_prints() -> None:
    assert shown((ROOT / "README.md").read_text(encoding="utf-8")) == [extrapolation(Setting())]


def test_a_planted_number_is_found() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = shown(readme)
    (changed,) = shown(readme.replace(block, block.replace("107", "106", 1)))
    assert changed != extrapolation(Setting())
    assert shown(readme.replace("<!-- extrapolation -->", "")) == []
