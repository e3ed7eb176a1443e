"""The report: every edition of every exhibit as files, and one page that shows them."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from experiments import catalog
from experiments.results import Reproduction, Result, write_atomically
from experiments.spec import ProfileName
from paper_figures import latex
from paper_figures.exhibit import EXPECTED, Edition, Exhibit, Stored, Table, distinct, to_csv
from paper_figures.findings import Finding, findings
from paper_figures.registry import EXHIBITS, FILES
from paper_figures.runs import PROBLEM_TITLES, Missing, collect

PNG_DPI = 160


@dataclass(frozen=True)
class Download:
    """A file of the report beside the page: its name and what the link says."""

    path: str
    text: str


@dataclass(frozen=True)
class View:
    """One edition of an exhibit as the page shows it. ``images``: path and description."""

    exhibit: Exhibit[Any]
    edition: Edition[Any]
    tables: tuple[Table, ...]
    images: tuple[tuple[str, str], ...]
    downloads: tuple[Download, ...]


@dataclass(frozen=True)
class Provenance:
    """Where numbers come from: each line a name and its different values, with their counts where they differ."""

    title: str
    lines: tuple[tuple[str, tuple[str, ...]], ...]


def _image(figure: Figure, kind: str) -> bytes:
    out = io.BytesIO()
    metadata = {"pdf": {"CreationDate": None}, "png": {"Software": None}}[kind]
    figure.savefig(out, format=kind, dpi=PNG_DPI, metadata=metadata)
    return out.getvalue()


def write_edition(exhibit: Exhibit[Any], edition: Edition[Any], out: Path) -> View:
    """Write CSV, LaTeX and, for each drawing, PDF and PNG below ``out``."""
    tables = exhibit.tables(edition.rows)
    stem = f"{exhibit.name}-{edition.name}"
    files = {f"{stem}.csv": to_csv(edition.rows).encode()}
    downloads = [Download(f"{stem}.csv", "CSV")]
    for number, table in enumerate(tables, 1):
        name = stem if number == 1 else f"{stem}-{number}"
        files[f"{name}.tex"] = latex.tabular(table, caption=table.title or edition.caption, label=name).encode()
        downloads.append(Download(f"{name}.tex", f"LaTeX {table.title}".strip()))
    images = []
    for drawing in edition.drawings:
        figure = drawing.draw()
        name = f"{stem}-{drawing.key}" if drawing.key else stem
        try:
            for kind in ("png", "pdf"):
                files[f"{name}.{kind}"] = _image(figure, kind)
        finally:
            plt.close(figure)
        images.append((f"{name}.png", ": ".join(filter(None, (exhibit.title, drawing.label, edition.title)))))
        downloads += [Download(f"{name}.{kind}", f"{kind.upper()} {drawing.label}".strip()) for kind in ("pdf", "png")]
    for path, content in files.items():
        write_atomically(out / path, content)
    return View(exhibit, edition, tables, tuple(images), tuple(downloads))


def _counted(values: Iterable[str]) -> tuple[str, ...]:
    values = list(values)
    different = sorted(set(values))
    return (
        tuple(different)
        if len(different) < 2
        else tuple(f"{value} ({values.count(value)} of {len(values)} runs)" for value in different)
    )


def provenance(profile: ProfileName, results: Sequence[Result]) -> Provenance:
    """The different commits, versions, machines, thread counts and data sums behind a profile's results."""
    sources = [result.provenance for result in results]
    sums = sorted({f"{name}: {digest}" for source in sources for name, digest in source.data_sha256.items()})
    resumed = sum(source.resumed > 0 for source in sources)
    return Provenance(
        f"Profile {profile}: {len(results)} runs",
        (
            (
                "Commit",
                _counted(source.commit + (" with uncommitted changes" if source.dirty else "") for source in sources),
            ),
            ("Python", _counted(source.python for source in sources)),
            ("PyTorch", _counted(source.torch for source in sources)),
            ("NumPy", _counted(source.numpy for source in sources)),
            ("Machine", _counted(source.machine for source in sources)),
            ("Threads a run", _counted(str(source.threads) for source in sources)),
            ("Time", (f"{min(source.started for source in sources)} to {max(source.finished for source in sources)}",)),
            ("Resumed runs", (str(resumed),)),
            ("Data, SHA-256 of the arrays", tuple(sums)),
        ),
    )


def gather(stores: Sequence[Path], expected: Path = EXPECTED) -> tuple[Stored, tuple[Missing, ...]]:
    """Every run of every profile and every single file, each from the first store that has it; and what none has.

    Single files may also lie in ``expected``, the last place that is searched.
    """
    collected = {profile: collect(profile, stores) for profile in catalog.NAMES}
    found = {
        file: next((path for store in (*stores, expected) if (path := store / file.name).exists()), None)
        for file in FILES
    }
    stored = Stored(
        runs={profile: results for profile, (results, _) in collected.items()},
        files={file.name: file.read(path) for file, path in found.items() if path is not None},
    )
    missing = [lacking for _, lacking in collected.values() if lacking is not None]
    missing += [Missing(what=file.title, command=file.command) for file, path in found.items() if path is None]
    return stored, tuple(missing)


def build(
    stores: Sequence[Path],
    out: Path,
    *,
    missing_data: str = "",
    reproduction: Reproduction | None = None,
    expected: Path = EXPECTED,
) -> tuple[Path, tuple[Missing, ...]]:
    """Write every edition of every exhibit and ``index.html``, the page last; returns its path and what is missing.

    Args:
        stores: folders of results; the first that has a run, or a file, wins.
        out: folder of the report, made when absent.
        missing_data: what data could not be had, shown at the top of the page.
        reproduction: outcome of ``python -m experiments compare``; None: not compared.
        expected: folder of what was found elsewhere, searched for single files after the stores.

    Raises: StoreError for a stored result that can not be trusted.
    """
    stored, missing = gather(stores, expected)
    origins = [provenance(profile, results) for profile, results in stored.runs.items() if results]
    origins += [
        Provenance(file.title, file.provenance(stored.files[file.name])) for file in FILES if file.name in stored.files
    ]
    views = [write_edition(exhibit, edition, out) for exhibit in EXHIBITS for edition in exhibit.editions(stored)]
    reported = sorted(path.name for path in EXPECTED.glob("*.csv"))
    for name in reported:
        write_atomically(out / f"paper-{name}", (EXPECTED / name).read_bytes())
    page = render(
        found=findings(stored),
        views=views,
        origins=origins,
        missing=missing,
        missing_data=missing_data,
        reproduction=reproduction,
        reported=[Download(f"paper-{name}", name) for name in reported],
    )
    write_atomically(out / "index.html", page.encode())
    return out / "index.html", missing


def render(
    *,
    found: Sequence[Finding],
    views: Sequence[View],
    origins: Sequence[Provenance],
    missing: Sequence[Missing],
    missing_data: str,
    reproduction: Reproduction | None,
    reported: Sequence[Download],
) -> str:
    """The page as text; the same input gives the same bytes."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("paper_figures.site", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.jinja").render(
        sections=[
            (exhibit, [view for view in views if view.exhibit is exhibit])
            for exhibit in distinct(view.exhibit for view in views)
        ],
        findings=found,
        profiles=catalog.NAMES,
        files=FILES,
        problem_titles=PROBLEM_TITLES,
        origins=origins,
        missing=missing,
        missing_data=missing_data,
        reproduction=reproduction,
        reported=reported,
    )
