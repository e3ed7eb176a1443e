"""The graph of statements, drawn: what is assumed on the left, theorems on the right, coloured by folded verdict."""

from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Patch, PathPatch, Rectangle
from matplotlib.path import Path

from theory.layout import Layout, Node, place
from theory.ledger import ORDER, Verdict

COLOURS = {
    Verdict.IDENTITY: "#1b7837",
    Verdict.UNSAT: "#4fa65a",
    Verdict.ENCLOSED: "#9bd39b",
    Verdict.ENUMERATED: "#d5efd0",
    Verdict.TEXTBOOK: "#cfe3f5",
    Verdict.NOT_REJECTED: "#8fb8de",
    Verdict.PREMISE: "#fdd9a0",
    Verdict.UNDECIDED: "#ffffff",
    Verdict.REFUTED: "#c9302c",
}
DARK = (Verdict.IDENTITY, Verdict.REFUTED)
LINE, EDGE = 0.25, 0.55
"""Inches from node to node in a column, and between columns."""
LETTER = 0.062
"""Inches of one letter at the size of the labels."""
FONT = 7.0
STRIP = 0.07


def draw(nodes: Sequence[Node]) -> Figure:
    """All nodes with the edges that no others imply, those without an edge below, and the meaning of the colours."""
    layout = place(nodes)
    known = {node.label: node for node in nodes}
    lefts, widths = _columns(layout)
    heights = [height for _, height in layout.places.values()]
    top, bottom = min(heights, default=0.0), max(heights, default=-1.0)
    boxes = {label: (lefts[column], (height - top) * LINE) for label, (column, height) in layout.places.items()}
    width = max(lefts[-1] + widths[-1] if lefts else 0.0, 6.0)
    down = (bottom - top + 1.5) * LINE
    boxes |= _rows(layout.alone, width, down)
    down = max(y for _, y in boxes.values()) + 1.5 * LINE
    figure = Figure(figsize=(width + 0.2, down + 0.75))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.1, width + 0.1), ylim=(down + 0.55, -0.2))
    axes.axis("off")
    for label, edge in layout.edges:
        points = [(column, (height - top) * LINE) for column, height in edge]
        axes.add_patch(_curve(points, lefts, widths, box_width(label)))
    for label, (x, y) in boxes.items():
        _box(axes, known[label], x, y)
    _legend(axes, nodes)
    return figure


def box_width(label: str) -> float:
    """Inches."""
    return len(label) * LETTER + 0.16


def _columns(layout: Layout) -> tuple[list[float], list[float]]:
    """Left edges and widths of the columns."""
    count = max((column for column, _ in layout.places.values()), default=-1) + 1
    widths = [
        max(box_width(label) for label, (at, _) in layout.places.items() if at == column) for column in range(count)
    ]
    lefts = [sum(widths[:column]) + column * EDGE for column in range(count)]
    return lefts, widths


def _rows(labels: Iterable[str], width: float, y: float) -> dict[str, tuple[float, float]]:
    """Places from left to right and down, as words are set."""
    found: dict[str, tuple[float, float]] = {}
    x = 0.0
    for label in labels:
        if x + box_width(label) > width:
            x, y = 0.0, y + LINE
        found[label] = (x, y)
        x += box_width(label) + 0.15
    return found


def _curve(
    points: Sequence[tuple[int, float]], lefts: Sequence[float], widths: Sequence[float], first: float
) -> PathPatch:
    """From the right side of a box to the left side of another, level where it passes a column between them."""
    column, y = points[0]
    x = lefts[column] + first
    vertices, codes = [(x, y)], [Path.MOVETO]
    if lefts[column] + widths[column] > x:
        x = lefts[column] + widths[column]
        vertices.append((x, y))
        codes.append(Path.LINETO)
    for column, height in points[1:]:
        left = lefts[column]
        middle = (x + left) / 2
        vertices += [(middle, y), (middle, height), (left, height)]
        codes += [Path.CURVE4] * 3
        x, y = left, height
        if column != points[-1][0]:
            x = left + widths[column]
            vertices.append((x, y))
            codes.append(Path.LINETO)
    return PathPatch(Path(vertices, codes), fill=False, edgecolor="#8a8f98", linewidth=0.6, zorder=1)


def _box(axes: Axes, node: Node, x: float, y: float) -> None:
    """Filled by the folded verdict, with a strip of its own; a theorem's border is thick, an undecided one's dashed."""
    undecided = node.folded is Verdict.UNDECIDED
    box = FancyBboxPatch(
        (x, y - 0.08),
        box_width(node.label),
        0.16,
        boxstyle="round,pad=0,rounding_size=0.03",
        facecolor=COLOURS[node.folded],
        edgecolor="#1d2127" if node.kind == "theorem" else "#7b818a",
        linewidth=1.3 if node.kind == "theorem" else 0.6,
        linestyle="--" if undecided else "-",
        zorder=2,
    )
    axes.add_patch(box)
    axes.add_patch(Rectangle((x + 0.01, y - 0.07), STRIP, 0.14, facecolor=COLOURS[node.own], linewidth=0, zorder=3))
    axes.text(
        x + STRIP / 2 + box_width(node.label) / 2,
        y,
        node.label,
        fontsize=FONT,
        fontfamily="DejaVu Sans Mono",
        color="#ffffff" if node.folded in DARK else "#1d2127",
        ha="center",
        va="center_baseline",
        zorder=4,
    )


def _legend(axes: Axes, nodes: Sequence[Node]) -> None:
    shown = {verdict for node in nodes for verdict in (node.folded, node.own)}
    handles = [
        Patch(facecolor=COLOURS[verdict], edgecolor="#7b818a", linewidth=0.6, label=verdict.value)
        for verdict in ORDER
        if verdict in shown
    ]
    axes.legend(
        handles=handles,
        title="weakest verdict of all that it rests on (strip: its own); thick border: theorem",
        loc="lower left",
        ncols=min(5, len(handles)),
        fontsize=FONT,
        title_fontsize=FONT,
        frameon=False,
        alignment="left",
    )
