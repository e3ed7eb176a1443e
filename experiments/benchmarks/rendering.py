"""What rendering a training image of the rooms takes: it stands before every run on them, once."""

from experiments.benchmarks.gates import rendering_gate
from experiments.benchmarks.records import Gate
from experiments.benchmarks.timing import Effort, interleaved, spread
from experiments.problems.scenes.cache import render_view

HEIGHT, WIDTH = 96, 128
IMAGES = 8
"""Rendered in one round: rooms differ in what stands in them, so a round takes the mean over the same first ones."""


def rendering_cost(effort: Effort, *, tiny: bool = False) -> Gate:
    """Process CPU seconds an image, over the rounds."""
    height, width, images = (HEIGHT // 8, WIDTH // 8, 1) if tiny else (HEIGHT, WIDTH, IMAGES)

    def render_all() -> None:
        for number in range(images):
            render_view("rooms", "train", number, height, width)

    seconds = interleaved({"rooms": render_all}, effort)["rooms"]
    return rendering_gate(f"rooms, {height}x{width}", spread([one / images for one in seconds]))
