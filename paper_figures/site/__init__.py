"""The report: every exhibit of every profile as files, and one page that shows them."""

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
from paper_figures.exhibit import EXPECTED, Exhibit, Table, distinct, to_csv
from paper_figures.registry import EXHIBITS
from paper_figures.runs import PROBLEM_TITLES, Missing, collect, problem_rank

PNG_DPI = 160


@dataclass(frozen=True)
class Download:
    """A file of the report beside the page: its name and what the link says."""

    path: str
    text: str


@dataclass(frozen=True)
class View:
    """One exhibit of one profile as the page shows it. ``images``: path and description."""

    exhibit: Exhibit[Any]
    profile: ProfileName
    caption: str
    table: Table
    images: tuple[tuple[str, str], ...]
    downloads: tuple[Download, ...]


@dataclass(frozen=True)
class Provenance:
    """Where one profile's results come from: each line a name and its different values with their number of runs."""

    profile: ProfileName
    runs: int
    lines: tuple[tuple[str, tuple[str, ...]], ...]


def _image(figure: Figure, kind: str) -> bytes:
    out = io.BytesIO()
    metadata = {"pdf": {"CreationDate": None}, "png": {"Software": None}}[kind]
    figure.savefig(out, format=kind, dpi=PNG_DPI, metadata=metadata)
    return out.getvalue()


def write_exhibit(exhibit: Exhibit[Any], profile: ProfileName, results: Sequence[Result], out: Path) -> View | None:
    """Write CSV, LaTeX and, for each problem, PDF and PNG below ``out``; None where no result is of use."""
    used = [result for result in results if exhibit.uses(result.spec)]
    rows = exhibit.data(used, profile)
    if not rows:
        return None
    caption = exhibit.caption([result.spec for result in used])
    table = exhibit.table(rows)
    stem = f"{exhibit.name}-{profile}"
    files = {
        f"{stem}.csv": to_csv(rows).encode(),
        f"{stem}.tex": latex.tabular(table, caption=caption, label=stem).encode(),
    }
    downloads = [Download(f"{stem}.csv", "CSV"), Download(f"{stem}.tex", "LaTeX")]
    images = []
    for problem in sorted({row.problem for row in rows}, key=problem_rank):
        figure = exhibit.draw([row for row in rows if row.problem == problem])
        try:
            for kind in ("png", "pdf"):
                files[f"{stem}-{problem}.{kind}"] = _image(figure, kind)
        finally:
            plt.close(figure)
        title = PROBLEM_TITLES[problem]
        images.append((f"{stem}-{problem}.png", f"{exhibit.title}: {title}, profile {profile}"))
        downloads += [Download(f"{stem}-{problem}.{kind}", f"{kind.upper()} {title}") for kind in ("pdf", "png")]
    for name, content in files.items():
        write_atomically(out / name, content)
    return View(exhibit, profile, caption, table, tuple(images), tuple(downloads))


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
        profile,
        len(results),
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


def build(
    stores: Sequence[Path], out: Path, *, missing_data: str = "", reproduction: Reproduction | None = None
) -> tuple[Path, tuple[Missing, ...]]:
    """Write every exhibit of every profile and ``index.html``, the page last; returns its path and what is missing.

    Args:
        stores: folders of results; the first that has a run wins.
        out: folder of the report, made when absent.
        missing_data: what data could not be had, shown at the top of the page.
        reproduction: outcome of ``python -m experiments compare``; None: not compared.

    Raises: StoreError for a stored result that can not be trusted.
    """
    collected = {profile: collect(profile, stores) for profile in catalog.NAMES}
    views, origins = [], []
    for profile, (results, _) in collected.items():
        if results:
            origins.append(provenance(profile, results))
    for exhibit in EXHIBITS:
        for profile, (results, _) in collected.items():
            view = write_exhibit(exhibit, profile, results, out)
            if view is not None:
                views.append(view)
    reported = sorted(path.name for path in EXPECTED.glob("*.csv"))
    for name in reported:
        write_atomically(out / f"paper-{name}", (EXPECTED / name).read_bytes())
    missing = tuple(lacking for _, lacking in collected.values() if lacking is not None)
    page = render(
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
        profiles=catalog.NAMES,
        problem_titles=PROBLEM_TITLES,
        origins=origins,
        missing=missing,
        missing_data=missing_data,
        reproduction=reproduction,
        reported=reported,
    )
