"""The report: complete, deterministic, frank about what is missing, free of machine paths and of torch."""

import hashlib
import html
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import msgspec
import pytest

from experiments import catalog
from experiments.benchmarks.records import STORED, write_benchmark
from experiments.results import (
    SCHEMA_VERSION,
    ReproducedRun,
    Reproduction,
    result_path,
    save_result,
)
from experiments.spec import Spec, method_label, spec_key
from paper_figures import runs, site
from paper_figures.__main__ import main
from paper_figures.claims import CLAIMS
from paper_figures.exhibit import EXPECTED
from paper_figures.ledger import LEDGER
from paper_figures.mutation import MUTATION
from paper_figures.registry import EXHIBITS, FILES
from paper_figures.runs import RHO
from tests.figures.synthetic import fill, result
from tests.figures.synthetic_benchmark import benchmark
from tests.figures.synthetic_claims import claims
from tests.figures.synthetic_mutation import summary
from tests.figures.synthetic_theory import ANSWERS
from tests.theory import planted
from theory.ledger import write

matplotlib.use("agg")
CHECKOUT = Path(__file__).parents[2]
LAPTOP = tuple(
    spec
    for spec in catalog.specs("laptop")
    if spec.problem in ("adult", "multi_fashion") and spec.rho_shared in (0.0, *catalog.FIRST_RADII) and spec.seed < 3
)
"""A part of the list that has every exhibit."""
FASHION = tuple(spec for spec in LAPTOP if spec.problem == "multi_fashion")
FULL = {name: catalog.specs(name) for name in catalog.NAMES}
SMOKE = tuple(
    spec
    for spec in catalog.specs("smoke")
    if spec.problem == "multi_mnist" and spec.mode != "sam_sum" and spec.aggregator in ("Mean", "NashMTL")
)
SAM_SUM = f"MultiMNIST: SAM-sum ({RHO} = 0.05), seeds 0, 1"


REPRODUCTION = Reproduction(
    schema_version=SCHEMA_VERSION,
    name="laptop",
    machine="x86_64",
    runs=tuple(
        ReproducedRun(
            key=spec_key(spec),
            label=method_label(spec),
            problem=spec.problem,
            seed=spec.seed,
            identical=difference == 0,
            expected_identical=False,
            accuracy_difference=difference,
        )
        for spec, difference in zip(LAPTOP, (0.0, 0.0025), strict=False)
    ),
    absent=(spec_key(LAPTOP[2]),),
)


@pytest.fixture(scope="module", autouse=True)
def _few_statements() -> Iterator[None]:
    """A theory that is quickly drawn, and fewer runs of the laptop list."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("paper_figures.ledger.BLUEPRINT", planted.BLUEPRINT)
        patch.setattr("paper_figures.ledger.ANSWERS", ANSWERS)
        patch.setattr(catalog, "specs", lambda name: LAPTOP if name == "laptop" else FULL[name])
        yield


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    fill(folder, LAPTOP)
    fill(folder, SMOKE)
    write_benchmark(folder / STORED.name, benchmark())
    (folder / CLAIMS.name).write_bytes(msgspec.json.encode(claims()))
    (folder / MUTATION.name).write_bytes(msgspec.json.encode(summary()))
    write(folder / LEDGER.name, planted.checked(planted.BLUEPRINT))
    return folder


@pytest.fixture(scope="module")
def report(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report")
    site.build([store], out, missing_data="<Fashion> & friends are absent")
    return out


class Links(HTMLParser):
    """Targets of all links and images, and the cells of all tables."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.cells: list[list[str]] = []
        self.names: set[str] = set()
        self._open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.targets += [value for name in ("href", "src") if (value := attributes.get(name))]
        self.names |= {value for name, value in attrs if name == "id" and value}
        if tag == "tr":
            self.cells.append([])
        if tag == "td":
            self.cells[-1].append("")
        self._open = tag == "td" or (tag == "a" and self._open)

    def handle_endtag(self, tag: str) -> None:
        self._open = tag == "a" and self._open

    def handle_data(self, data: str) -> None:
        if self._open:
            self.cells[-1][-1] += data


def test_page_holds_every_line_of_every_table(report: Path, store: Path) -> None:
    lines = Links((report / "index.html").read_text(encoding="utf-8")).cells
    stored, _ = site.gather([store])
    tables = [
        table for exhibit in EXHIBITS for edition in exhibit.editions(stored) for table in exhibit.tables(edition.rows)
    ]
    expected = [list(line) for table in tables for _, section in table.sections for line in section]
    # exhibits of runs for two profiles, of pairs and Adult for one, of the benchmark, laws, the theory, mutants
    assert len(tables) == 6 * 2 + 2 + 5 + 3 + 5 + 2
    assert [line for line in lines if line] == expected
    assert len(expected) > 50


def test_every_link_leads_to_a_file_of_the_report_or_a_place_on_the_page(report: Path) -> None:
    page = Links((report / "index.html").read_text(encoding="utf-8"))
    files = {path.name for path in report.iterdir()}
    targets = {target for target in page.targets if not target.startswith("#")}
    assert {target[1:] for target in page.targets if target.startswith("#")} <= page.names
    assert targets == files - {"index.html"}
    assert {Path(target).suffix for target in targets} == {".csv", ".tex", ".pdf", ".png"}


def test_the_papers_files_are_handed_on_unchanged(report: Path) -> None:
    for path in EXPECTED.glob("*.csv"):
        assert (report / f"paper-{path.name}").read_bytes() == path.read_bytes()


def test_page_names_missing_data_rows_and_commands(report: Path) -> None:
    page = (report / "index.html").read_text(encoding="utf-8")
    assert "&lt;Fashion&gt; &amp; friends are absent" in page
    assert "<Fashion>" not in page
    assert page.index("missing-data") < page.index("table1_multi_mnist")
    assert SAM_SUM in html.unescape(page)
    assert "python -m experiments run smoke" in page
    assert f"{len(catalog.specs('paper')):,} of {len(catalog.specs('paper')):,} runs" in page
    assert "have not been compared" in page


def test_no_path_of_the_machine_in_any_text(report: Path, store: Path) -> None:
    for path in report.iterdir():
        if path.suffix in {".html", ".csv", ".tex"}:
            text = path.read_text(encoding="utf-8")
            assert not any(str(folder) in text for folder in (store, report, CHECKOUT, Path.home()))
            assert not re.search(r"file://|/(?:tmp|home)/", text)


def test_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    fill(tmp_path / "store", FASHION[:9])
    digests = []
    for name in ("one", "two"):
        site.build([tmp_path / "store"], tmp_path / name, expected=tmp_path)
        digests.append(
            {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / name).iterdir()}
        )
    assert len(digests[0]) == 33
    assert digests[0] == digests[1]


def test_figures_are_closed(store: Path) -> None:
    assert plt.get_fignums() == []


def test_empty_store_gives_a_page_that_says_so(tmp_path: Path) -> None:
    empty = tmp_path / "store"
    empty.mkdir()
    page, missing = site.build([empty], tmp_path / "out", expected=empty)
    profiles = [(f"{len(catalog.specs(name)):,}", name) for name in catalog.NAMES]
    assert [(lacking.what, lacking.command) for lacking in missing] == [
        *((f"Profile {name}: {runs} of {runs} runs", f"python -m experiments run {name}") for runs, name in profiles),
        *((file.title, file.command) for file in FILES),
    ]
    text = page.read_text(encoding="utf-8")
    assert all(html.escape(lacking.command) in text for lacking in missing)
    assert "<img" not in text
    assert "missing-data" not in text


def test_collect_groups_missing_seeds_by_row(tmp_path: Path) -> None:
    lacking: tuple[Spec, ...] = tuple(
        spec
        for spec in LAPTOP
        if spec.problem == "multi_fashion" and method_label(spec) == "F-CAGrad" and spec.rho_shared == 0.05
    )
    fill(tmp_path, tuple(spec for spec in LAPTOP if spec not in lacking[1:]))
    results, missing = runs.collect("laptop", [tmp_path])
    assert missing is not None
    assert missing.rows == (f"MultiFashion: F-CAGrad ({RHO} = 0.05, c = 0.4), seeds 1, 2",)
    assert missing.what == f"Profile laptop: 2 of {len(LAPTOP)} runs"
    assert len(results) == len(LAPTOP) - 2


def test_complete_profile_lacks_nothing(store: Path) -> None:
    assert runs.collect("laptop", [store])[1] is None


def test_first_store_wins(store: Path, tmp_path: Path) -> None:
    fresh = msgspec.structs.replace(result(LAPTOP[0]), seconds_training=12345.0)
    save_result(tmp_path, fresh)
    for stores, expected in (([tmp_path, store], 12345.0), ([store, tmp_path], result(LAPTOP[0]).seconds_training)):
        results, missing = runs.collect("laptop", stores)
        assert missing is None
        assert results[0].seconds_training == expected


def test_first_store_with_a_file_wins(store: Path, tmp_path: Path) -> None:
    own = benchmark()
    fresh = msgspec.structs.replace(own, provenance=msgspec.structs.replace(own.provenance, commit="fedcba98"))
    write_benchmark(tmp_path / STORED.name, fresh)
    for stores, commit in (([tmp_path, store], "fedcba98"), ([store, tmp_path], "0123abcd")):
        stored, _ = site.gather(stores)
        assert stored.files[STORED.name].provenance.commit == commit


def test_what_was_found_elsewhere_is_the_last_place_for_a_file(store: Path, tmp_path: Path) -> None:
    one = claims()
    del one["contradictions"][1]
    (tmp_path / CLAIMS.name).write_bytes(msgspec.json.encode(one))
    for stores, expected, count in (([store], tmp_path, 2), ([], tmp_path, 1), ([tmp_path], store, 1)):
        stored, _ = site.gather(stores, expected)
        assert len(stored.files[CLAIMS.name].contradictions) == count
    empty = tmp_path / "store"
    empty.mkdir()
    _, missing = site.build([empty], tmp_path / "out", expected=tmp_path)
    assert CLAIMS.command not in {lacking.command for lacking in missing}


def test_the_laws_are_shown_with_their_conditions_and_counterexamples(report: Path) -> None:
    page = html.unescape((report / "index.html").read_text(encoding="utf-8"))
    assert '<a href="#counterexample-COMMON_DESCENT-Down">✗</a>' in page
    assert '<td class="name" id="counterexample-COMMON_DESCENT-Down">Down</td>' in page
    assert '<dl class="notes"><div><dt>if a</dt><dd>at most 2 tasks</dd></div>' in page
    assert (
        page.index("holds under it, and fails in general")
        < page.index('href="#counterexample-')
        < page.index("[-30, 0.5]")
    )
    assert page.count("<h4>What the laws mean, and counterexamples</h4>") == 1
    assert "&amp; counted once" in (report / "index.html").read_text(encoding="utf-8")


def test_statements_lead_to_the_ledger_and_every_theorem_has_its_figure(report: Path) -> None:
    page = html.unescape((report / "index.html").read_text(encoding="utf-8"))
    assert '<td class="name" id="statement-bound">bound</td>' in page
    assert page.count('<a href="#statement-bound">bound</a>') == 2
    figures = {path.name for path in report.glob("figure_t_1_dependencies-ledger*.png")}
    assert figures == {f"figure_t_1_dependencies-ledger{ending}.png" for ending in ("", "-bound", "-sharp")}


def test_an_undecided_pair_stops_the_report(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    undecided = claims()
    del undecided["cells"][4]
    (tmp_path / CLAIMS.name).write_bytes(msgspec.json.encode(undecided))
    assert main(["build", "--store", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    printed = capsys.readouterr().err
    assert "Down, COMMON_DESCENT: not decided" in printed
    assert CLAIMS.command in printed
    assert not (tmp_path / "out").exists()


def test_provenance_counts_runs_where_they_differ() -> None:
    first, second = result(LAPTOP[0]), result(LAPTOP[1])
    other = msgspec.structs.replace(second.provenance, commit="fedcba98", dirty=True)
    lines = dict(site.provenance("laptop", [first, msgspec.structs.replace(second, provenance=other)]).lines)
    assert lines["Commit"] == ("0123abcd (1 of 2 runs)", "fedcba98 with uncommitted changes (1 of 2 runs)")
    assert lines["PyTorch"] == ("2.13.0",)


def test_command_line_builds_and_lists(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = tmp_path / "reproduction.json"
    outcome.write_bytes(msgspec.json.encode(REPRODUCTION))
    empty = tmp_path / "store"
    empty.mkdir()
    arguments = ["build", "--store", str(empty), "--out", str(tmp_path / "out"), "--reproduction", str(outcome)]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "missing: run `python -m experiments run smoke`" in printed
    assert "Benchmark, missing: run `python -m nox -s bench -- --keep`" in printed
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "1 of 2 compared runs" in page
    assert "0.25 percentage points" in page
    assert "so not compared: 1." in page
    assert all(run.key in page for run in REPRODUCTION.runs)
    assert "have not been compared" not in page
    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    assert all(exhibit.name in listed and exhibit.location in listed for exhibit in EXHIBITS)


def test_bad_input_is_named_and_nothing_is_written(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["build", "--store", str(tmp_path / "nowhere"), "--out", str(out)]) == 1
    assert "not a folder" in capsys.readouterr().err
    older = msgspec.structs.replace(REPRODUCTION, schema_version=0)
    (tmp_path / "older.json").write_bytes(msgspec.json.encode(older))
    assert (
        main(["build", "--store", str(store), "--out", str(out), "--reproduction", str(tmp_path / "older.json")]) == 1
    )
    assert "schema version 0" in capsys.readouterr().err
    (tmp_path / "broken.json").write_text("{")
    assert (
        main(["build", "--store", str(store), "--out", str(out), "--reproduction", str(tmp_path / "broken.json")]) == 1
    )
    assert "broken.json" in capsys.readouterr().err
    damaged = result_path(tmp_path, LAPTOP[0])
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{}")
    assert main(["build", "--store", str(tmp_path), "--out", str(out)]) == 1
    assert damaged.name in capsys.readouterr().err
    (tmp_path / "older").mkdir()
    older_benchmark = msgspec.structs.replace(benchmark(), schema_version=0)
    (tmp_path / "older" / STORED.name).write_bytes(msgspec.json.encode(older_benchmark))
    assert main(["build", "--store", str(tmp_path / "older"), "--out", str(out)]) == 1
    assert "schema version 0" in capsys.readouterr().err
    (tmp_path / "untold").mkdir()
    (tmp_path / "untold" / LEDGER.name).write_text("{}")
    assert main(["build", "--store", str(tmp_path / "untold"), "--out", str(out)]) == 1
    assert "ledger.json: no ledger" in capsys.readouterr().err
    assert not out.exists()


def test_no_torch() -> None:
    code = "import sys, paper_figures.site, paper_figures.__main__; assert 'torch' not in sys.modules"
    environment = {**os.environ, "MPLBACKEND": "agg"}
    subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, env=environment, check=True)
