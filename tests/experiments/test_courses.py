"""Along training: checkpoints, what they are computed on, what they may not have seen, records."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from experiments.courses.follow import follow
from experiments.courses.records import (
    COURSE_SHELF,
    Following,
    followings,
)
from experiments.results import StoreError
from experiments.splits import LoadedProblem
from tests.experiments.test_pac_bayes_certificates import people, tiny
from theory.bounds import pac_bayes


def short(**changes: Any) -> Following:
    fields: dict[str, Any] = {"checkpoints": (0, 1, 3), "radii": (0.1,), "piece": 100}
    return Following(training=tiny().training, n_prior=270, **(fields | changes))


@pytest.fixture(scope="module")
def problem() -> LoadedProblem:
    return LoadedProblem(people(540, 1), people(10, 2), people(500, 3))


def test_a_course_from_end_to_end(problem: LoadedProblem, tmp_path: Path) -> None:
    course = follow(short(), problem, commit="none", dirty=True)
    assert [one.epoch for one in course.checkpoints] == [0, 1, 3]
    assert course.n_bound == 270
    for one in course.checkpoints:
        risk = sum(one.held_out_error) / 4
        exact = pac_bayes.seeger_maurer(risk, 0.0, 270, 0.05).value
        assert one.bounds["Seeger-Maurer"] == pytest.approx(exact, rel=1e-12)
        assert all(value > risk for value in one.bounds.values())
        assert one.theorems["Foret"] > one.theorems["Foret corrected"] > 0
        assert [len(at.rise) for at in one.rises] == [4]
        assert all(rise.low <= rise.difference <= rise.high and rise.n == 5 for rise in one.rises[0].rise)
    first, last = course.checkpoints[0], course.checkpoints[-1]
    assert sum(last.train_error) < sum(first.train_error)
    COURSE_SHELF.save(tmp_path, course)
    assert COURSE_SHELF.find([tmp_path], short()) == course
    again = follow(short(), problem, commit="none", dirty=True)
    assert again.checkpoints == course.checkpoints
    path = COURSE_SHELF.path(tmp_path, short())
    path.write_bytes(path.read_bytes().replace(b'"schema_version":1', b'"schema_version":2'))
    with pytest.raises(StoreError, match="schema version 2, expected 1"):
        COURSE_SHELF.read(path)
    with pytest.raises(StoreError, match="is not the key of its following"):
        COURSE_SHELF.save(tmp_path, msgspec.structs.replace(course, key="0" * 16))


def test_later_checkpoints_do_not_change_earlier_ones(problem: LoadedProblem) -> None:
    few, many = (
        follow(short(checkpoints=epochs), problem, commit="none", dirty=True).checkpoints for epochs in ((1,), (0, 1))
    )
    assert few[0] == many[1]


@pytest.mark.parametrize("checkpoints", [(0, 4), (2, 1), (-1, 2), (1, 1)])
def test_checkpoints_that_no_run_has_are_refused(problem: LoadedProblem, checkpoints: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must rise from 0 or later to at most 3 epochs"):
        follow(short(checkpoints=checkpoints), problem, commit="none", dirty=True)


def test_the_list_follows_plain_and_decomposed_training() -> None:
    listed = followings()
    assert len({COURSE_SHELF.key(one) for one in listed}) == len(listed) == 4
    for one in listed:
        assert one.checkpoints[-1] <= one.training.epochs
        assert one.training.n_test % one.piece == 0
