"""Places for a graph of statements: a column for each depth, few crossings, edges bent around what lies between."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import fmean
from typing import NamedTuple

from theory.ledger import Verdict
from theory.standing import Standings, ancestors

SWEEPS = 12
BEND = 0.5
"""Room that an edge takes where it passes a column, in heights of a node."""


class Spot(NamedTuple):
    """A node in its column, or a bend, in a later one, of the edges that start at it."""

    label: str
    column: int
    bend: bool


@dataclass(frozen=True)
class Node:
    """A statement as it is drawn."""

    label: str
    kind: str
    own: Verdict
    folded: Verdict
    uses: tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """
    Args:
        places: column and height of each node that has an edge, heights in units of a node from the middle.
        edges: what is used, and the columns and heights that the edge passes from there to what uses it.
        alone: nodes without an edge.
    """

    places: Mapping[str, tuple[int, float]]
    edges: tuple[tuple[str, tuple[tuple[int, float], ...]], ...]
    alone: tuple[str, ...]


def nodes_of(found: Standings) -> tuple[Node, ...]:
    """Every statement as a node."""
    return tuple(
        Node(label, standing.entry.kind, standing.own, standing.folded, standing.entry.uses)
        for label, standing in found.items()
    )


def below(nodes: Sequence[Node], label: str) -> tuple[Node, ...]:
    """One node and all that it uses, directly or not."""
    kept = {label, *ancestors(label, {node.label: node.uses for node in nodes})}
    return tuple(node for node in nodes if node.label in kept)


def reduced(nodes: Sequence[Node]) -> dict[str, tuple[str, ...]]:
    """What each node uses, without what another thing that it uses rests on already."""
    uses = {node.label: node.uses for node in nodes}
    return {
        label: tuple(one for one in used if not any(one in ancestors(other, uses) for other in used if other != one))
        for label, used in uses.items()
    }


def depths(uses: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Longest chain below each node; what uses nothing stands just before the first that uses it."""
    found: dict[str, int] = {}

    def depth(label: str) -> int:
        if label not in found:
            found[label] = max((depth(used) + 1 for used in uses[label]), default=0)
        return found[label]

    for label in uses:
        depth(label)
    first: dict[str, int] = {}
    for label, used in uses.items():
        for one in used:
            first[one] = min(first.get(one, found[label]), found[label])
    return {label: first[label] - 1 if not uses[label] and label in first else found[label] for label in uses}


def place(nodes: Sequence[Node]) -> Layout:
    """Columns by depth; within a column an order with few crossings, near what the nodes are tied to."""
    uses = reduced(nodes)
    tied = {label for label, used in uses.items() if used} | {one for used in uses.values() for one in used}
    uses = {label: used for label, used in uses.items() if label in tied}
    depth = depths(uses)
    grid = _Grid(uses, depth)
    heights = grid.heights()
    spots = {label: Spot(label, depth[label], False) for label in uses}

    def route(used: str, label: str) -> tuple[tuple[int, float], ...]:
        bends = [Spot(used, column, True) for column in range(depth[used] + 1, depth[label])]
        return tuple((spot.column, heights[spot]) for spot in (spots[used], *bends, spots[label]))

    return Layout(
        places={label: (depth[label], heights[spot]) for label, spot in spots.items()},
        edges=tuple((one, route(one, label)) for label, used in uses.items() for one in used),
        alone=tuple(node.label for node in nodes if node.label not in tied),
    )


class _Grid:
    """Nodes and bends by column, and their neighbours in the columns beside. The edges of one node share bends."""

    def __init__(self, uses: Mapping[str, Sequence[str]], depth: Mapping[str, int]) -> None:
        self.columns: list[list[Spot]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
        self.before: dict[Spot, list[Spot]] = defaultdict(list)
        self.after: dict[Spot, list[Spot]] = defaultdict(list)
        ends = dict(depth)
        for label, used in uses.items():
            for one in used:
                ends[one] = max(ends[one], depth[label] - 1)
        for label in uses:
            spots = [Spot(label, column, column > depth[label]) for column in range(depth[label], ends[label] + 1)]
            for spot in spots:
                self.columns[spot.column].append(spot)
            for left, right in pairwise(spots):
                self._tie(left, right)
        for label, used in uses.items():
            for one in used:
                last = depth[label] - 1
                self._tie(Spot(one, last, last > depth[one]), Spot(label, depth[label], False))

    def _tie(self, left: Spot, right: Spot) -> None:
        self.before[right].append(left)
        self.after[left].append(right)

    def heights(self) -> dict[Spot, float]:
        """Sorted and spread out by sweeps there and back."""
        for sweep in range(SWEEPS):
            for column in self.columns[:: -1 if sweep % 2 else 1]:
                self._sort(column, self.after if sweep % 2 else self.before)
        found = {spot: float(rank) for column in self.columns for rank, spot in enumerate(column)}
        for sweep in range(SWEEPS):
            for column in self.columns[:: -1 if sweep % 2 else 1]:
                beside = [self.before[spot] + self.after[spot] for spot in column]
                wanted = [fmean(found[other] for other in others) for others in beside]
                found |= zip(column, spread(wanted, [BEND if spot.bend else 1.0 for spot in column]), strict=True)
        return found

    def _sort(self, column: list[Spot], neighbours: Mapping[Spot, list[Spot]]) -> None:
        """By the mean rank of the neighbours on one side; what has none there keeps its rank."""
        ranks = {spot: rank / max(1, len(line) - 1) for line in self.columns for rank, spot in enumerate(line)}
        column.sort(key=lambda spot: fmean(ranks[one] for one in neighbours.get(spot) or [spot]))


def spread(wanted: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """The heights nearest to the wanted ones, by least squares, at which boxes of these sizes keep order and room."""
    room = list(accumulate([0.0, *((left + right) / 2 for left, right in pairwise(sizes))]))
    blocks: list[tuple[float, int]] = []
    for value in (want - start for want, start in zip(wanted, room, strict=True)):
        blocks.append((value, 1))
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (upper, many), (lower, more) = blocks[-2:]
            blocks[-2:] = [((upper * many + lower * more) / (many + more), many + more)]
    level = [value for value, count in blocks for _ in range(count)]
    return [value + start for value, start in zip(level, room, strict=True)]
