"""Table B.4: certificates by other losses than 0-1: clipped cross entropy, and depth, normals and pixels of rooms."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from experiments.certificates.records import (
    BOUNDED_COMMAND,
    BOUNDED_STORED,
    CERTIFICATE_SHELF,
    ROOM_SIZE,
    Certificate,
    LossName,
    TaskLoss,
    bounded_certifications,
)
from experiments.spec import DENSE
from paper_figures.exhibit import FileExhibit, StoredFile, distinct
from paper_figures.provenance import of_runs
from paper_figures.runs import PROBLEM_TITLES
from paper_figures.tab_certificates import answer, data, draw, limited, table, tightest

PHRASES: dict[LossName, str] = {
    "zero_one": "the share of wrong pixels",
    "clipped_cross_entropy": "cross entropy clipped at {:g} nats",
    "clipped_depth": "error of depth clipped at {:g} m",
    "angle": "angle over pi",
}


def read(folder: Path) -> tuple[Certificate, ...]:
    """The certificates of the list that the folder has, in the order of the list."""
    found = (CERTIFICATE_SHELF.find([folder], one) for one in bounded_certifications())
    return tuple(one for one in found if one is not None)


def caption(content: Sequence[Certificate]) -> str:
    """Which losses, of how many examples, and what limits the certificates of each data set."""
    first = content[0].certification
    failure = 100 * first.delta
    problems = distinct(one.certification.training.problem for one in content)
    told = " ".join(
        _told([one for one in content if one.certification.training.problem == problem]) for problem in problems
    )
    return (
        "As Table B.2, by losses that are divided by what they are clipped at: 100 % is the largest loss that there "
        f"is. {told} {len(content)} of {len(bounded_certifications())} certificates. All averages of a data set hold "
        f"together but with probability at most {failure:g} %, which the {first.family} certificates share: those of "
        f"Table B.2 are another family, so both hold together but with at most {2 * failure:g} %. "
        f"Does flatness buy a better certificate? {answer(content)}"
    )


def _told(members: Sequence[Certificate]) -> str:
    one = members[0]
    problem = one.certification.training.problem
    named = ", ".join(_named(one.certification.losses, problem))
    counted = f"{one.n_bound:,} examples"
    if problem in DENSE:
        height, width = ROOM_SIZE
        blank = max(max(member.blank, default=0) for member in members)
        counted = (
            f"{one.n_bound:,} images of {height} x {width} pixels, each of a scene of its own seed; images are "
            "counted, not pixels, and the loss of an image is the mean over its valid pixels, or 0 where it has none "
            f"({blank} images)"
        )
    return f"{PROBLEM_TITLES[problem]}: {named}; the bound is on {counted}. {limited(members, 'loss')}"


def _named(losses: Sequence[TaskLoss], problem: str) -> list[str]:
    """The losses in words: one phrase where all tasks have the same, else one each with the task's name."""
    phrases = [PHRASES[name].format(limit) for name, limit in losses]
    if len(set(losses)) == 1:
        return phrases[:1]
    tasks = next(tasks for known, (tasks, _) in DENSE.items() if known == problem)
    return [
        f"task {number} {task} by {phrase}" for number, (task, phrase) in enumerate(zip(tasks, phrases, strict=True), 1)
    ]


LOSSES = StoredFile(
    name=BOUNDED_STORED.name,
    title="Certificates by other losses",
    command=BOUNDED_COMMAND,
    read=read,
    provenance=lambda content: of_runs([one.provenance for one in content]),
)

EXHIBIT = FileExhibit(
    name="table_b_4_bounded_losses",
    location="Table B.4",
    title="Certificates by other losses than 0-1",
    table=partial(table, measured="loss"),
    draw=partial(draw, measured="loss"),
    file=LOSSES,
    data=data,
    caption=caption,
    details=partial(tightest, measured="loss"),
)
