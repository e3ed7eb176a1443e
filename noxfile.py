"""The commands of a checkout: `nox -l` lists them, `nox -s NAME -- ARGUMENTS` runs one.

All sessions share one environment with every pinned dependency, but for the proofs, which have one without torch. An
environment is made again when one of its pins changes, and only then.
"""

import hashlib
import shutil
import sys
import time
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "tests"]

ROOT = Path(__file__).parent
CONSTRAINTS = ROOT / ".ci" / "constraints.txt"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
"""Two test workers on two cores: libraries that start threads of their own would only wait for each other."""


def scripts(environment: str = "flatmtl") -> Path:
    """Where an environment has its programs."""
    return ROOT / ".nox" / environment / ("Scripts" if sys.platform == "win32" else "bin")


def prepare(session: nox.Session, group: str = "dev", environment: str = "flatmtl") -> None:
    """Make an environment with a dependency group unless it already holds exactly the present pins."""
    if not (3, 11) <= sys.version_info < (3, 14):
        session.error(f"Python 3.11, 3.12 or 3.13 is needed; nox runs on {sys.version.split()[0]} ({sys.executable}).")
    pins = sorted(set(nox.project.dependency_groups(nox.project.load_toml(ROOT / "pyproject.toml"), group)))
    content = "\n".join([sys.version, sys.base_prefix, *pins, CONSTRAINTS.read_text(encoding="utf-8")])
    folder = scripts(environment).parent
    stamp = folder / "pins.sha256"
    digest = hashlib.sha256(content.encode()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        return
    if folder.exists():
        shutil.rmtree(folder)
    session.run(sys.executable, "-m", "virtualenv", "--quiet", "--no-periodic-update", str(folder))
    python(session, "-m", "pip", "install", "--quiet", "-c", str(CONSTRAINTS), *pins, environment=environment)
    stamp.write_text(digest, encoding="utf-8")


def python(session: nox.Session, *arguments: str, environment: str = "flatmtl", **variables: str) -> None:
    """Run an environment's Python from the top of the checkout, where all rooms can be imported."""
    session.run(str(scripts(environment) / "python"), *arguments, env=variables)


def run_pytest(session: nox.Session, *arguments: str, profile: str) -> None:
    prepare(session)
    python(session, "-m", "pytest", *arguments, HYPOTHESIS_PROFILE=profile, **ONE_THREAD)


def prove(session: nox.Session, *arguments: str) -> None:
    """All checks of the theory and its ends where there is no torch, then the tests of the paper's equations."""
    prepare(session, "theory", "theory")
    python(session, "-m", "theory", "verify", *arguments, environment="theory", **ONE_THREAD)
    python(session, "-m", "theory", "trace", "--check", environment="theory")
    run_pytest(session, "-p", "tests.trace", "-m", "paper and not bench", profile="ci")


@nox.session
def lint(session: nox.Session) -> None:
    """Style, format, and who may import whom."""
    prepare(session)
    python(session, "-m", "ruff", "check", ".")
    python(session, "-m", "ruff", "format", "--check", ".")
    session.run(str(scripts() / "lint-imports"))


@nox.session
def types(session: nox.Session) -> None:
    """mypy --strict on all rooms, pyright strict on the core."""
    prepare(session)
    python(session, "-m", "mypy")
    python(session, "-m", "pyright", "--pythonpath", str(scripts() / "python"))


@nox.session
def tests(session: nox.Session) -> None:
    """The fast suite."""
    run_pytest(session, "-n", "2", *session.posargs, profile="ci")


@nox.session
def thorough(session: nox.Session) -> None:
    """Every test but the benchmarks, with many more random examples."""
    run_pytest(session, "-n", "2", "-m", "not bench", *session.posargs, profile="thorough")


@nox.session
def verify(session: nox.Session) -> None:
    """The proofs, then the trace from the paper's equations to the code and its tests, and exactly those tests.

    Arguments after `--` go to `python -m theory verify`.
    """
    prove(session, *session.posargs)


@nox.session
def mutation(session: nox.Session) -> None:
    """Small faults in copies of the core, one at a time: do the tests notice? Resumes where it was stopped."""
    prepare(session)
    python(session, "-m", "tests.mutation", *session.posargs, **ONE_THREAD)


@nox.session
def experiments(session: nox.Session) -> None:
    """`python -m experiments` with the arguments after `--`; without any: `run smoke`.

    `--profile NAME` stands for `run NAME`.
    """
    prepare(session)
    arguments = session.posargs or ["--profile", "smoke"]
    if arguments[0] == "--profile":
        arguments = ["run", *arguments[1:]]
    python(session, "-m", "experiments", *arguments)


@nox.session
def figures(session: nox.Session) -> None:
    """The report, from the stored results."""
    prepare(session)
    python(session, "-m", "paper_figures", "build", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Time and memory of the step and the aggregators, beside TorchJD, plain PyTorch and the tests' reference."""
    prepare(session)
    python(session, "-m", "experiments.benchmarks", "--twin", "tests.reference.twin", *session.posargs, **ONE_THREAD)


@nox.session
def reproduce(session: nox.Session) -> None:
    """From nothing to the report: proofs, data, the smoke runs, their comparison with the stored ones, the report.

    Arguments after `--` go to `python -m experiments data`. Whatever goes wrong, the report is still built from what
    is stored, and the exit code says that it was not reproduced.
    """
    prepare(session)
    started = time.monotonic()
    store = ("--store", str(Path("build", "store")))
    (ROOT / "build" / "reproduction.json").unlink(missing_ok=True)  # an earlier comparison says nothing about this run
    failed: list[str] = []
    report: list[str] = []
    try:
        prove(session)
    except nox.command.CommandFailed:
        failed.append("the proofs")
    try:
        step = "the data"
        python(session, "-m", "experiments", "data", "--fetch", "--verify", *session.posargs)
        step = "the smoke runs"
        python(session, "-m", "experiments", "run", "smoke", "--fresh", *store)
        step = "the comparison of the smoke runs with the stored results"
        python(session, "-m", "experiments", "compare", "smoke", *store)
    except nox.command.CommandFailed:
        failed.append(step)
        if step == "the data":
            report = ["--missing-data", "The data could not be fetched or verified, so no run was repeated."]
    python(session, "-m", "paper_figures", "build", *report)
    elapsed = f"{time.monotonic() - started:.0f} s"
    if failed:
        session.error(f"not reproduced after {elapsed}: {', '.join(failed)} failed. The report shows what is stored")
    session.log(f"reproduced in {elapsed}: proofs and smoke runs agree with what is stored, the report is built.")
