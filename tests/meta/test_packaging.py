"""What is installed: only the core in the wheel, every dependency of a checkout in one version."""

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.trace import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONSTRAINTS = [
    line for line in (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").splitlines() if line[:1] != "#"
]
PIN = re.compile(r"[A-Za-z0-9._-]+(\[[a-z0-9,-]+\])?==[0-9][0-9a-z.]*")


def requirements(groups: Mapping[str, list[Any]]) -> list[str]:
    """The requirements that dependency groups state themselves."""
    return [entry for entries in groups.values() for entry in entries if isinstance(entry, str)]


def not_pinned(lines: Iterable[str]) -> list[str]:
    """Requirements that are anything but `name==version` without a local part, marker or address."""
    return [line for line in lines if not PIN.fullmatch(line)]


def versions(lines: Iterable[str]) -> dict[str, str]:
    """{canonical name: version} of pins."""
    pins = [Requirement(line) for line in lines]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}


def free_dependencies(pins: Iterable[str], constraints: Mapping[str, str]) -> list[str]:
    """What pins install, directly or not, in a version that neither a constraint nor the requirer fixes."""
    free: set[str] = set()
    waiting = [Requirement(pin) for pin in pins]
    seen: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        if name not in constraints:
            if not any(specifier.operator == "==" for specifier in requirement.specifier):
                free.add(name)
            continue
        for line in importlib.metadata.requires(name) or []:
            needed = Requirement(line)
            extras = requirement.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(needed)
    return sorted(free)


def test_the_wheel_holds_the_core_and_nothing_else(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout)
    for room in ("flatmtl_core", "experiments", "paper_figures", "tests"):
        shutil.copytree(ROOT / room, checkout / room, ignore=shutil.ignore_patterns("__pycache__", "store", "site"))
    build = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    finished = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    (wheel,) = tmp_path.glob("flatmtl-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        described = archive.read(metadata).decode()
    core = [path for path in (ROOT / "flatmtl_core").rglob("*") if path.suffix == ".py" or path.name == "py.typed"]
    assert held == {path.relative_to(ROOT).as_posix() for path in core}
    assert re.findall(r"(?m)^Requires-Dist: ([a-z]+)", described) == ["torch", "jaxtyping"]


def test_the_project_accepts_a_range_of_torch_and_is_tested_with_one() -> None:
    dependencies = {
        Requirement(line).name: Requirement(line).specifier for line in PYPROJECT["project"]["dependencies"]
    }
    assert set(dependencies) == {"torch", "jaxtyping"}
    pins = versions(requirements(PYPROJECT["dependency-groups"]))
    assert pins["torch"] == "2.13.0"
    for name, accepted in dependencies.items():
        assert {specifier.operator for specifier in accepted} == {">=", "<"}
        assert pins[name] in accepted


def test_every_dependency_is_pinned_and_constrained_to_the_same_version() -> None:
    direct = requirements(PYPROJECT["dependency-groups"])
    assert not_pinned([*direct, *CONSTRAINTS]) == []
    constraints = versions(CONSTRAINTS)
    assert {name: constraints.get(name) for name in versions(direct)} == versions(direct)
    assert free_dependencies(direct, constraints) == []


@pytest.mark.parametrize(
    "line",
    ["torch", "torch>=2", "torch==2.13.0+cpu", "torch==2.*", "torch==2.13.0; python_version < '3.12'", "torch @ x"],
)
def test_a_planted_loose_pin_is_found(line: str) -> None:
    assert not_pinned([line, "pyright[nodejs]==1.1.414"]) == [line]


def test_a_planted_free_dependency_is_found() -> None:
    constraints = versions(CONSTRAINTS)
    del constraints["mpmath"]
    assert free_dependencies(["sympy==1.14.0"], constraints) == ["mpmath"]
