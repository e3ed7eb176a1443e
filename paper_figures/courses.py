"""The courses of single training runs as exhibits read them."""

from collections.abc import Sequence
from pathlib import Path

from experiments.courses.records import (
    COMMAND,
    COURSE_SHELF,
    STORED,
    Course,
    followings,
)
from paper_figures.exhibit import StoredFile
from paper_figures.provenance import of_runs
from paper_figures.runs import PROBLEM_TITLES


def read(folder: Path) -> tuple[Course, ...]:
    """The courses of the list that the folder has, in the order of the list."""
    found = (COURSE_SHELF.find([folder], one) for one in followings())
    return tuple(one for one in found if one is not None)


def setting(content: Sequence[Course]) -> str:
    """Which runs were followed, for captions."""
    first = content[0].following
    problems = ", ".join(dict.fromkeys(PROBLEM_TITLES[one.following.training.problem] for one in content))
    return (
        f"{problems}; seed {first.training.seed}, trained on {first.n_prior:,} examples; {len(content)} of "
        f"{len(followings())} runs."
    )


COURSES = StoredFile(
    name=STORED.name,
    title="Along training",
    command=COMMAND,
    read=read,
    provenance=lambda content: of_runs([one.provenance for one in content]),
)
