"""Drawn faces: every attribute shows, some go together, and smaller sets are prefixes."""

import numpy as np
import pytest

from experiments.problems import drawn_faces
from experiments.problems.drawn_faces import ATTRIBUTES, IMPLIED, Sketch, draw_attributes, load_drawn_faces

PLAIN = dict.fromkeys(ATTRIBUTES, False)


def drawing(**changes: bool) -> np.ndarray:
    """A face that differs from the plain one in the attributes that are named, with the same random numbers."""
    has = PLAIN | {name.replace("_", " "): value for name, value in changes.items()}
    return Sketch(has, np.random.Generator(np.random.PCG64(1))).finished().astype(int)


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_every_attribute_shows(name: str) -> None:
    needed = {IMPLIED[name]: True} if name in IMPLIED else {}
    without, with_it = drawing(**needed), drawing(**needed, **{name.replace(" ", "_"): True})
    assert (np.abs(without - with_it).max(axis=0) > 20).sum() >= 5


def test_drawings_are_those_of_their_seeds_and_prefixes_of_larger_sets() -> None:
    few, more = load_drawn_faces("test", count=3), load_drawn_faces("test", count=5)
    np.testing.assert_array_equal(few.examples, more.examples[:3])
    np.testing.assert_array_equal(few.labels, more.labels[:3])
    assert few.examples.shape == (3, 3, 64, 64)
    assert (few.examples.dtype, few.labels.dtype) == (np.uint8, np.int64)
    assert len({load_drawn_faces(split, count=1).sha256 for split in drawn_faces.SIZES}) == 3


def test_some_attributes_go_together_and_none_is_constant() -> None:
    draw = np.random.Generator(np.random.PCG64(5))
    found = [draw_attributes(draw) for _ in range(2_000)]
    labels = np.array([[has[name] for name in ATTRIBUTES] for has in found])
    assert 0.01 < labels.mean(axis=0).min() < labels.mean(axis=0).max() < 0.8
    pairs = np.corrcoef(labels.T)[np.triu_indices(40, 1)]
    assert (pairs > 0.2).sum() > 20
    assert (pairs < -0.2).sum() > 20
    assert (np.abs(pairs) < 0.1).sum() > 300
    for name, whole in IMPLIED.items():
        assert all(has[whole] for has in found if has[name])


def test_what_can_not_be_asked_for() -> None:
    with pytest.raises(ValueError, match="choose one of train, validation, test"):
        load_drawn_faces("all")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the test split has 5,000 faces"):
        load_drawn_faces("test", count=5_001)
