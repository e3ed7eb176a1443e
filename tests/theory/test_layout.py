"""Places in the graph of statements: nothing overlaps, every edge leads from what is used to what uses it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.theory import planted
from theory.graph import LETTER, box_width, draw
from theory.layout import Node, below, depths, nodes_of, place, reduced, spread
from theory.ledger import ORDER, Verdict
from theory.standing import standings


def node(label: str, *uses: str) -> Node:
    return Node(label, "lemma", Verdict.UNSAT, Verdict.UNSAT, uses)


DIAMOND = (node("a"), node("b", "a"), node("c", "a"), node("d", "b", "c", "a"), node("z"))


def test_edges_that_others_imply_are_left_out() -> None:
    assert reduced(DIAMOND) == {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c"), "z": ()}


def test_depth_is_the_longest_chain_and_assumptions_stand_before_their_first_use() -> None:
    assert depths(reduced(DIAMOND)) == {"a": 0, "b": 1, "c": 1, "d": 2, "z": 0}
    assert depths({"a": (), "b": ("a",), "late": (), "c": ("b", "late")}) == {"a": 0, "b": 1, "late": 1, "c": 2}


def test_only_what_a_statement_rests_on() -> None:
    assert [one.label for one in below(DIAMOND, "b")] == ["a", "b"]
    assert [one.label for one in below(DIAMOND, "z")] == ["z"]


def test_nodes_without_an_edge_stand_alone() -> None:
    layout = place(DIAMOND)
    assert layout.alone == ("z",)
    assert {label: column for label, (column, _) in layout.places.items()} == {"a": 0, "b": 1, "c": 1, "d": 2}


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=12), st.data())
def test_spreading_keeps_order_and_room_and_the_mean(wanted: list[float], data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.sampled_from([0.5, 1.0]), min_size=len(wanted), max_size=len(wanted)))
    heights = spread(wanted, sizes)
    for (low, size), (high, other) in pairwise(zip(heights, sizes, strict=True)):
        assert high - low >= (size + other) / 2 - 1e-9
    assert sum(heights) == pytest.approx(sum(wanted), abs=1e-6)
    assert spread(heights, sizes) == pytest.approx(heights)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Node, ...]:
    """Each node uses earlier ones: no circle."""
    count = draw(st.integers(0, 14))
    return tuple(
        node(f"n{number}", *(f"n{used}" for used in sorted(draw(st.sets(st.integers(0, number - 1), max_size=3)))))
        if number
        else node("n0")
        for number in range(count)
    )


@given(graphs())
def test_nothing_overlaps_and_every_edge_leads_to_the_right(nodes: tuple[Node, ...]) -> None:
    layout = place(nodes)
    assert {*layout.places, *layout.alone} == {one.label for one in nodes}
    for column in {column for column, _ in layout.places.values()}:
        heights = sorted(height for at, height in layout.places.values() if at == column)
        assert all(high - low >= 1 - 1e-9 for low, high in pairwise(heights))
    drawn = set()
    for used, points in layout.edges:
        assert points[0] == layout.places[used]
        assert [column for column, _ in points] == list(range(points[0][0], points[-1][0] + 1))
        drawn.add((used, next(label for label, spot in layout.places.items() if spot == points[-1])))
    assert drawn == {(used, label) for label, several in reduced(nodes).items() for used in several}


def test_the_drawing_has_every_label_within_the_figure_and_the_colours_that_occur() -> None:
    nodes = nodes_of(standings(None, planted.BLUEPRINT))
    figure = draw(nodes)
    (axes,) = figure.axes
    assert {text.get_text() for text in axes.texts} == {one.label for one in nodes}
    (width, _), (x_low, x_high), (y_low, y_high) = figure.get_size_inches(), axes.get_xlim(), axes.get_ylim()
    assert width == pytest.approx(x_high - x_low)
    for text in axes.texts:
        x, y = text.get_position()
        half = len(text.get_text()) * LETTER / 2
        assert x_low < x - half < x + half < x_high
        assert min(y_low, y_high) < y < max(y_low, y_high)
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [Verdict.UNDECIDED.value]


def test_labels_fit_into_their_boxes() -> None:
    figure = draw([node("a" * 30)])
    figure.canvas.draw()
    (text,) = figure.axes[0].texts
    assert text.get_window_extent().width / figure.dpi < box_width("a" * 30)


def test_all_verdicts_have_different_colours() -> None:
    nodes = [Node(verdict.name, "lemma", verdict, verdict, ()) for verdict in ORDER]
    legend = draw(nodes).axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [verdict.value for verdict in ORDER]
    assert len({patch.get_facecolor() for patch in legend.get_patches()}) == len(ORDER)
