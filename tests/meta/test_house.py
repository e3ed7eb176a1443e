"""The house: which names stand at the top, what the README tells of it, and what no file may hold."""

import ast
import inspect
import re
import subprocess
from collections.abc import Iterable, Mapping

import pytest

import flatmtl_core
from flatmtl_core import Law
from tests.trace import ROOT, read_modules

TOP_LEVEL = {
    "README.md",
    "LICENSE",
    "pyproject.toml",
    "noxfile.py",
    "flatmtl_core",
    "theory",
    "experiments",
    "paper_figures",
    "tests",
}

STORED = {
    "experiments.spec",
    "experiments.catalog",
    "experiments.results",
    "experiments.searches",
    "experiments.costs",
    "experiments.dense_metrics",
    "experiments.statistics",
    "experiments.certificates.records",
    "experiments.certificates.trained_records",
    "experiments.courses.records",
    "experiments.benchmarks.records",
    "experiments.cheaper.records",
    "experiments.measures.bracket_records",
    "experiments.measures.records",
    "experiments.toys.records",
}
"""What figures may know of the experiments."""

# Character classes keep these patterns from matching their own text.
MACHINE_PATH = re.compile(rb"(?:^|[^A-Za-z0-9_.~-])(/(?:work|tmp|root|home)/)", re.MULTILINE)
REGISTRY = re.compile(
    rb"\b((?:[a-z0-9-]+\.)*(?:pypi|pythonhosted|npmjs|debian|anaconda|pytorch|huggingface)[.](?:org|com|io|co))\b"
)
INDEX_OPTION = re.compile(rb"(--(?:extra-)?index[-]url|--find[-]links|PIP_[A-Z_]*INDEX[_]URL)")

NAME = re.compile(r"(?<![\w./*-])([\w.*-]+(?:/|\.(?:py|md|toml|csv|json)\b)|LICENSE)(?=[\s,;:()]|$)")
BLOCK = re.compile(r"^```[a-z]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def project_files() -> list[str]:
    """All files that git keeps, or would keep after `git add`, that exist."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = {name for name in listed.stdout.decode().split("\0") if name}
    return sorted(name for name in names if (ROOT / name).is_file())


def strangers_at_the_top(files: Iterable[str]) -> list[str]:
    """Top-level names that are neither rooms nor dotfiles."""
    return sorted({name for name in (file.split("/")[0] for file in files) if name[0] != "."} - TOP_LEVEL)


def machine_traces(files: Mapping[str, bytes]) -> list[str]:
    """Absolute paths of some machine, registry hosts, and options that choose a registry."""
    return [
        f"{name}: {found.decode()}"
        for name, content in files.items()
        for pattern in (MACHINE_PATH, REGISTRY, INDEX_OPTION)
        for found in pattern.findall(content)
    ]


def section(readme: str, title: str) -> str:
    """The text below a heading, up to the next heading of the same or a higher level; empty without the heading."""
    heading = re.search(rf"^(#+) +{re.escape(title)}\s*$", readme, re.MULTILINE)
    if heading is None:
        return ""
    rest = readme[heading.end() :]
    following = re.search(rf"^#{{1,{len(heading[1])}}} ", rest, re.MULTILINE)
    return rest[: following.start()] if following else rest


def layout_names(readme: str) -> list[str]:
    """The paths that the block of the README's "Layout" names: rooms at the margin, their contents beside or below."""
    paths: list[str] = []
    room = ""
    blocks = BLOCK.findall(section(readme, "Layout"))
    for line in blocks[0].splitlines() if blocks else []:
        names = NAME.findall(line)
        if line[:1].strip():
            room = names[0] if names and names[0].endswith("/") else ""
            paths += [room, *(room + name for name in names[1:])] if room else names
        else:
            paths += [room + name for name in names]
    return paths


def untrue_layout(readme: str, files: Iterable[str]) -> list[str]:
    """Names of the layout that do not exist, and rooms, folders of rooms and modules of the core that it leaves out."""
    known = {"/".join(file.split("/")[:depth]) for file in files for depth in range(1, file.count("/") + 2)}
    named = layout_names(readme)
    missing = [name for name in named if not any(_matches(name, path) for path in known)]
    wanted = {
        path
        for path in known
        if path[0] != "."
        and (
            "/" not in path
            or (path.count("/") == 1 and any(file.startswith(f"{path}/") for file in known))
            or re.fullmatch(r"flatmtl_core/[a-z][a-z_]*\.py", path)
        )
    }
    left_out = sorted(path for path in wanted if not any(_matches(name, path) for name in named))
    return [f"{name}: named, but does not exist" for name in missing] + [f"{path}: not named" for path in left_out]


def _matches(name: str, path: str) -> bool:
    pattern = re.escape(name.rstrip("/")).replace(r"\*", "[^/]*")
    return re.fullmatch(pattern, path) is not None


def ci_commands(script: str) -> list[str]:
    """The commands of `.ci/run`, without what prepares the shell."""
    lines = [line.strip() for line in script.splitlines()]
    return [line.strip("()") for line in lines if line and not line.startswith(("#", "set ", "cd "))]


def commands_not_in_readme(readme: str, script: str) -> list[str]:
    """Commands that are run in CI but do not stand as lines of the README's blocks."""
    shown = {line.strip() for block in BLOCK.findall(readme) for line in block.splitlines()}
    return [command for command in ci_commands(script) if command not in shown]


def unstored_experiments(sources: Mapping[str, str]) -> list[str]:
    """Imports by which figures would reach beyond what describes runs and keeps their results."""
    found = []
    for module, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module == "experiments":
                names = [f"experiments.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            found += [
                f"{module}: {name}" for name in names if name.split(".")[0] == "experiments" and name not in STORED
            ]
    return found


def without_laws(names: Mapping[str, object]) -> list[str]:
    """Aggregator classes that do not declare, in their own body, a nonempty set of laws."""
    return sorted(
        name
        for name, item in names.items()
        if inspect.isclass(item)
        and hasattr(item, "weighting")
        and not getattr(item, "_is_protocol", False)
        and not _is_set_of_laws(vars(item).get("laws"))
    )


def _is_set_of_laws(laws: object) -> bool:
    return isinstance(laws, frozenset) and bool(laws) and all(isinstance(law, Law) for law in laws)


def test_only_rooms_stand_at_the_top() -> None:
    assert strangers_at_the_top(project_files()) == []


def test_no_file_names_a_machine_or_a_registry() -> None:
    assert machine_traces({name: (ROOT / name).read_bytes() for name in project_files()}) == []


def test_the_layout_in_the_readme_is_true() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(layout_names(readme)) > len(TOP_LEVEL)
    assert untrue_layout(readme, project_files()) == []


def test_ci_runs_the_commands_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert commands_not_in_readme((ROOT / "README.md").read_text(encoding="utf-8"), script) == []
    assert ci_commands(script) == ["python -m pip install nox && python -m nox -s tests", "python -m nox -s lint types"]


def test_figures_read_stored_results_only() -> None:
    assert unstored_experiments(read_modules(ROOT / "paper_figures")) == []


def test_every_aggregator_declares_its_laws() -> None:
    assert without_laws({name: getattr(flatmtl_core, name) for name in flatmtl_core.__all__}) == []


def test_every_public_name_is_listed() -> None:
    public = {name for name in vars(flatmtl_core) if not name.startswith("_")}
    modules = {name for name in public if inspect.ismodule(getattr(flatmtl_core, name))}
    assert set(flatmtl_core.__all__) == public - modules


def test_a_planted_stranger_is_found() -> None:
    assert strangers_at_the_top(["README.md", ".gitignore", "tests/a.py", "utils.py", "notes/x"]) == [
        "notes",
        "utils.py",
    ]


@pytest.mark.parametrize(
    ("content", "violation"),
    [
        ("open('" + "/".join(["", "tmp", "x"]) + "')", "a: " + "/".join(["", "tmp", ""])),
        ("/".join(["", "home", "me"]), "a: " + "/".join(["", "home", ""])),
        ("see files." + ".".join(["pythonhosted", "org"]), "a: files." + ".".join(["pythonhosted", "org"])),
        ("pip install --" + "-".join(["index", "url"]) + " x", "a: --" + "-".join(["index", "url"])),
    ],
)
def test_a_planted_trace_of_a_machine_is_found(content: str, violation: str) -> None:
    assert machine_traces({"a": content.encode()}) == [violation]


def test_relative_paths_are_no_traces() -> None:
    innocent = "build/tmp/x tests/work/ ./home/ tmp_path / 'root'"
    assert machine_traces({"a": innocent.encode()}) == []


README = """# Project
## Layout
```
README.md  LICENSE
flatmtl_core/   the step
  types.py        (m, d) and 1/2 w'Gw in torch.linalg
  weightings/     one file a method
experiments/   spec.py, problems/, models/
```
## Test
```sh
python -m nox
```
"""
FILES = ["README.md", "LICENSE", "flatmtl_core/types.py", "flatmtl_core/weightings/mgda.py", "experiments/spec.py"]
FILES += ["experiments/problems/__init__.py", "experiments/models/__init__.py", ".ci/run"]


def test_planted_untruths_in_the_layout_are_found() -> None:
    assert untrue_layout(README, FILES) == []
    assert untrue_layout(README, FILES[:-3] + FILES[-2:]) == ["experiments/problems/: named, but does not exist"]
    assert untrue_layout(README, [*FILES, "flatmtl_core/step.py", "tests/meta/x.py"]) == [
        "flatmtl_core/step.py: not named",
        "tests: not named",
        "tests/meta: not named",
    ]
    assert layout_names(README.replace("## Layout", "## Rooms")) == []


def test_a_planted_difference_of_commands_is_found() -> None:
    script = "#!/bin/sh\nset -eu\n# why\n(python -m nox)\npython -m pytest\n"
    assert ci_commands(script) == ["python -m nox", "python -m pytest"]
    assert commands_not_in_readme(README, script) == ["python -m pytest"]


def test_a_planted_import_by_a_figure_is_found() -> None:
    source = "from experiments import catalog, train\nfrom experiments.models import lenet\nimport experiments"
    assert unstored_experiments({"figure": source}) == [
        "figure: experiments.train",
        "figure: experiments.models",
        "figure: experiments",
    ]


def test_a_planted_aggregator_without_laws_is_found() -> None:
    class Inherits(flatmtl_core.MGDA):
        """Promises what its base promises, without saying so."""

    class Empty(flatmtl_core.MGDA):
        """Promises nothing."""

        laws = frozenset()

    assert without_laws({"MGDA": flatmtl_core.MGDA, "Inherits": Inherits, "Empty": Empty}) == ["Empty", "Inherits"]
