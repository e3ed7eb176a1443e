"""What a scene is made of, and the draws that it is made with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from experiments.problems.scenes.solids import Shape, Solid, Surface, Triple

Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Sun:
    """Parallel light: the direction in which it travels, and its colour."""

    direction: Triple
    colour: Triple


@dataclass(frozen=True)
class Camera:
    """A pinhole. ``focal``: focal length in widths of the image; level with the horizon but for its pitch."""

    eye: Triple
    target: Triple
    focal: float


@dataclass(frozen=True)
class Scene:
    """Solids, a camera, and what lies behind everything: the class and colour of a ray that meets nothing."""

    solids: tuple[Solid, ...]
    camera: Camera
    background: int
    sky: Triple | None = None
    sun: Sun | None = None


class Draws:
    """Seeded draws whose bits do not depend on how numpy was compiled: all follow from `Generator.random`."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.Generator(np.random.PCG64(seed))

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * float(self._generator.random())

    def whole(self, low: int, high: int) -> int:
        """Uniform on low .. high, both included."""
        return low + int(float(self._generator.random()) * (high - low + 1))

    def happens(self, probability: float) -> bool:
        return float(self._generator.random()) < probability

    def one_of(self, choices: tuple[Choice, ...]) -> Choice:
        return choices[self.whole(0, len(choices) - 1)]

    def some_of(self, choices: tuple[Choice, ...], count: int) -> list[Choice]:
        """``count`` of the choices, without repetition, in random order."""
        left = list(choices)
        return [left.pop(self.whole(0, len(left) - 1)) for _ in range(count)]

    def turn(self, most: float) -> tuple[float, float]:
        """Cosine and sine of an angle whose half has a tangent of at most ``most`` (1: a right angle)."""
        tangent = self.between(-most, most)
        square = tangent * tangent
        return (1 - square) / (1 + square), 2 * tangent / (1 + square)

    def colour(self, saturation: float) -> Triple:
        parts = [self.between(0.08, 0.85) for _ in range(3)]
        mean = (parts[0] + parts[1] + parts[2]) / 3
        red, green, blue = (min(max(mean + saturation * (part - mean), 0.02), 0.95) for part in parts)
        return red, green, blue

    def surface(self, checked: float = 0.4, saturation: float = 1.0) -> Surface:
        """One colour, or two in tiles with the probability ``checked``."""
        first = self.colour(saturation)
        if not self.happens(checked):
            return Surface(first)
        return Surface(first, self.colour(saturation), tiles=float(self.whole(1, 5)))


@dataclass
class Builder:
    """Solids as they are added, by the names of their classes."""

    draws: Draws
    classes: tuple[str, ...]
    solids: list[Solid] = field(default_factory=list)

    def add(
        self,
        label: str,
        shape: Shape,
        centre: Triple,
        half: Triple,
        surface: Surface,
        turn: tuple[float, float] = (1.0, 0.0),
    ) -> None:
        self.solids.append(Solid(shape, self.classes.index(label), centre, half, surface, turn))

    def frame(self, x: float, z: float, turn: tuple[float, float]) -> Callable[[float, float, float], Triple]:
        """Places of a piece that stands at (x, z) and is turned: its own right, up and forward to the world."""
        cosine, sine = turn
        return lambda right, up, forward: (
            x + cosine * right + sine * forward,
            up,
            z - sine * right + cosine * forward,
        )

    def legs(
        self,
        label: str,
        place: Callable[[float, float, float], Triple],
        spread: tuple[float, float],
        height: float,
        surface: Surface,
        turn: tuple[float, float],
    ) -> None:
        """Four boxes from the ground up, ``spread`` to the sides and to front and back."""
        for side in (-1, 1):
            for end in (-1, 1):
                centre = place(side * spread[0], height / 2, end * spread[1])
                self.add(label, "box", centre, (0.025, height / 2, 0.025), surface, turn)
