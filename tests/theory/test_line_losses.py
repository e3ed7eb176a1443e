"""Step losses on the line: the decision for all real parameters against one on a fine grid, and its hard cases."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.proof.chain.line_losses import Steps, Task, mean, pieces
from theory.proof.kernels.enumeration import uniform

EIGHTH = Fraction(1, 8)


def fractions(low: int, high: int) -> st.SearchStrategy[Fraction]:
    return st.integers(low, high).map(lambda k: Fraction(k, 2))


@st.composite
def tasks(draw: st.DrawFn) -> Task[int]:
    """Two data points; breaks and values are multiples of 1/2, so that a grid of eighths meets every piece."""
    breaks = tuple(sorted(draw(st.sets(fractions(-3, 3), max_size=3))))
    values = st.lists(fractions(0, 2), min_size=len(breaks) + 1, max_size=len(breaks) + 1).map(tuple)
    return Task({point: Steps(breaks, draw(values)) for point in (0, 1)}, uniform((0, 1)))


def value(loss: Steps, theta: Fraction) -> Fraction:
    return loss.values[sum(b <= theta for b in loss.breaks)]


def on_a_grid(task: Task[int], sample: tuple[int, ...], rho: Fraction, slack: Callable[[Fraction], Fraction]) -> bool:
    """The same by brute force, for theta and eps on the grid of eighths and |theta| <= 6."""
    grid = [EIGHTH * k for k in range(-48, 49)]
    ball = [EIGHTH * k for k in range(-int(rho * 8), int(rho * 8) + 1)]
    empirical = task.empirical(sample)
    return all(
        value(task.population, theta) <= max(value(empirical, theta + eps) for eps in ball) + slack(theta * theta)
        for theta in grid
    )


@given(tasks(), st.lists(st.sampled_from((0, 1)), min_size=1, max_size=3), fractions(0, 3), fractions(0, 2))
def test_a_constant_slack_is_decided_as_on_a_grid(task: Task[int], sample: list[int], rho: Fraction, slack: Fraction):
    chosen = tuple(sample)
    assert task.generalises(chosen, rho, lambda _: slack) == on_a_grid(task, chosen, rho, lambda _: slack)


@given(tasks(), st.lists(st.sampled_from((0, 1)), min_size=1, max_size=3), fractions(0, 3))
def test_a_growing_slack_never_admits_more_than_the_grid(task: Task[int], sample: list[int], rho: Fraction):
    """The grid misses the infimum of the slack on an open piece: exact decisions can only be stricter."""
    chosen = tuple(sample)
    if task.generalises(chosen, rho, lambda x: x / 8):
        assert on_a_grid(task, chosen, rho, lambda x: x / 8)


def test_the_infimum_of_the_slack_counts_although_it_is_not_attained():
    """L_D = 1/2 and L_S = 0 left of -1, where theta^2 > 1: a violation only right beside -1, off the grid, is seen."""
    losses = {z: Steps((Fraction(-1),), (Fraction(z), Fraction(0))) for z in (0, 1)}
    task = Task(losses, uniform((0, 1)))
    assert task.generalises((0,), Fraction(0), lambda x: x / 2)
    assert not task.generalises((0,), Fraction(0), lambda x: x / 2 - EIGHTH / 8)
    assert on_a_grid(task, (0,), Fraction(0), lambda x: max(x / 2 - EIGHTH / 8, Fraction(0)))


def test_the_ball_is_closed_and_pieces_hold_their_left_end():
    loss = Steps((Fraction(0), Fraction(1)), (Fraction(0), Fraction(5), Fraction(2)))
    assert loss.worst(Fraction(-1), Fraction(1)) == 5
    assert loss.worst(Fraction(-2), Fraction(1)) == 0
    assert loss.worst(Fraction(1), Fraction(0)) == 2
    assert loss.worst(Fraction(2), Fraction(1)) == 2
    assert loss.worst(Fraction(3, 2), Fraction(1)) == 5


def test_means_are_weighted():
    losses = [Steps((), (Fraction(k),)) for k in (1, 3)]
    assert mean(losses, [Fraction(1, 4), Fraction(3, 4)]).values == (Fraction(5, 2),)


@pytest.mark.parametrize("breaks", [(), (Fraction(0),), (Fraction(-1), Fraction(2))])
@pytest.mark.parametrize("rho", [Fraction(0), Fraction(1), Fraction(3)])
def test_pieces_cover_the_line_and_know_the_least_square(breaks: tuple[Fraction, ...], rho: Fraction):
    found = pieces(breaks, rho)
    points = [theta for theta, _ in found]
    cuts = sorted({b + s for b in breaks for s in (-rho, Fraction(0), rho)})
    assert len(points) == len(set(points)) == 2 * len(cuts) + 1
    assert all(any(a < theta < b for theta in points) for a, b in pairwise(cuts))
    assert min(least for _, least in found) == 0
    assert all(least <= theta * theta for theta, least in found)
