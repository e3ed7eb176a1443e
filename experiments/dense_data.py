"""What ``python -m experiments data`` tells of dense problems: what is rendered, and where the user's folders are."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from experiments import catalog
from experiments.dense_splits import KINDS, RENDERED_SIZES, USUAL_NAMES, folder_of
from experiments.problems.dense import SPLITS, open_split
from experiments.problems.fetching import DataError
from experiments.problems.scenes.cache import MANIFEST, SceneKind, rendered_folder, scenes_folder
from experiments.spec import ProblemName

RENDERED: tuple[SceneKind, ...] = ("rooms", "streets")
BROUGHT: tuple[ProblemName, ...] = ("nyuv2", "cityscapes")

State = Literal["rendered", "not rendered yet", "there", "absent", "not as it should be"]


@dataclass(frozen=True)
class DenseStatus:
    """One folder: what it is, its state, where it is, and what there is to say about it."""

    what: str
    state: State
    where: Path | None
    remark: str = ""


def dense_status(data_dir: Path | None = None, *, render: bool = False) -> tuple[DenseStatus, ...]:
    """The rendered folders of every list, and NYUv2 and CityScapes where the user has them. Headers are looked at.

    Args:
        data_dir: folder that holds ``nyuv2/`` and ``cityscapes/``, or is one of them.
        render: make the rendered folders first, and check every file of them.
    """
    scenes = [_scenes(kind, *sizes, render=render) for kind in RENDERED for sizes in rendered_sizes(kind)]
    return (*scenes, *(_brought(problem, data_dir) for problem in BROUGHT))


def rendered_sizes(kind: SceneKind) -> tuple[tuple[int, int], ...]:
    """Numbers of images for training with validation, and for the test, that the lists ask for, smallest first."""
    specs = (spec for name in catalog.NAMES for spec in catalog.specs(name) if spec.problem == kind)
    return tuple(sorted({(spec.n_train + spec.n_validation, spec.n_test) for spec in specs}))


def _scenes(kind: SceneKind, train: int, val: int, *, render: bool) -> DenseStatus:
    height, width = RENDERED_SIZES[kind]
    make = rendered_folder if render else scenes_folder
    folder = make(kind, train=train, val=val, height=height, width=width)
    what = f"{kind}: {train} + {val} images of {height} x {width}"
    return DenseStatus(what, "rendered" if (folder / MANIFEST).exists() else "not rendered yet", folder)


def _brought(problem: ProblemName, data_dir: Path | None) -> DenseStatus:
    try:
        folder = folder_of(problem, 1, 1, data_dir)
    except DataError as error:
        return DenseStatus(problem, "absent", None, str(error))
    try:
        sizes = [len(open_split(folder, KINDS[problem], name)) for name in SPLITS]
    except DataError as error:
        named = folder.name in USUAL_NAMES.get(problem, (problem,))
        return DenseStatus(problem, "not as it should be" if named else "absent", folder, f"{problem}: {error}")
    return DenseStatus(problem, "there", folder, f"{problem}: {sizes[0]} + {sizes[1]} images.")


def describe_dense(data_dir: Path | None = None, render: bool = False) -> int:
    """Print `dense_status`; exit code 1 for a folder of the user's that is not as it should be.

    Nobody needs to have NYUv2 and CityScapes, and rendered images are made when a run first asks for them: what is
    absent is no failure.
    """
    console = Console()
    rows = dense_status(data_dir, render=render)
    table = Table("dense prediction", "state", "where")
    for row in rows:
        table.add_row(Text(row.what), row.state, Text(str(row.where or "-"), overflow="fold"))
    console.print(table)
    for row in rows:
        if row.remark:
            console.print(Text(row.remark), soft_wrap=True)
    return int(any(row.state == "not as it should be" for row in rows))
