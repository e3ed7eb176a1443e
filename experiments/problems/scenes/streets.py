"""Streets with houses, trees, poles, people and cars below an open sky: the 7 categories of CityScapes."""

from experiments.problems.scenes.scene import Builder, Camera, Draws, Scene, Sun
from experiments.problems.scenes.solids import Surface

CLASSES = ("flat", "construction", "object", "nature", "sky", "human", "vehicle")
FAR = 95.0
"""Metres from the origin to the last house."""


def _grey(value: float) -> Surface:
    return Surface((value, value, value))


class Street:
    """One street while it is built. ``half``: half the width of the road in metres; x = 0 is its middle."""

    def __init__(self, seed: int) -> None:
        self.draws = Draws(seed)
        self.build = Builder(self.draws, CLASSES)
        self.half = self.draws.between(3.5, 6.5)

    def ground(self) -> None:
        """The road and two pavements, 10 cm higher."""
        self.build.add("flat", "box", (0, -0.05, 45), (self.half, 0.05, 60), _grey(self.draws.between(0.1, 0.25)))
        for side in (-1, 1):
            pavement = _grey(self.draws.between(0.3, 0.5))
            self.build.add("flat", "box", (side * (self.half + 10), 0, 45), (10, 0.1, 60), pavement)

    def houses(self, side: int) -> None:
        """Houses one after another, here and there a hedge instead."""
        z = -6.0
        while z < FAR:
            length, height, depth = (
                self.draws.between(4, 11),
                self.draws.between(4, 17),
                self.draws.between(3, 6),
            )
            if self.draws.happens(0.82):
                x = side * (self.half + 4 + depth + self.draws.between(0, 1.5))
                half = (depth, height / 2, 0.485 * length)
                surface = self.draws.surface(0.75, 0.5)
                self.build.add("construction", "box", (x, height / 2 + 0.1, z + length / 2), half, surface)
            else:
                hedge = (side * (self.half + 8), 0.6, z + length / 2)
                self.build.add("nature", "box", hedge, (3, 0.5, length / 2), Surface((0.1, 0.25, 0.07)))
            z += length

    def roadside(self, side: int) -> None:
        """Poles, some with a sign, and trees along the kerb."""
        z, step = self.draws.between(2, 6), self.draws.between(7, 14)
        x = side * (self.half + 0.7)
        while z < 70:
            if self.draws.happens(0.5):
                tall = self.draws.between(1.25, 3)
                self.build.add("object", "pillar", (x, tall + 0.1, z), (0.08, tall, 0.08), _grey(0.3))
                if self.draws.happens(0.5):
                    self.build.add("object", "box", (x, 2.4, z - 0.1), (0.3, 0.3, 0.02), self.draws.surface(0))
            else:
                self.tree(x, z)
            z += step

    def tree(self, x: float, z: float) -> None:
        tall, crown = self.draws.between(0.75, 1.5), self.draws.between(0.8, 1.8)
        self.build.add("nature", "pillar", (x, tall + 0.1, z), (0.13, tall, 0.13), Surface((0.15, 0.1, 0.06)))
        for _ in range(3):
            radius = crown * self.draws.between(0.6, 1)
            centre = (
                x + self.draws.between(-0.6, 0.6),
                2 * tall + 0.7 * crown + self.draws.between(-0.6, 0.6),
                z + self.draws.between(-0.6, 0.6),
            )
            leaves = Surface((self.draws.between(0.03, 0.15), self.draws.between(0.15, 0.35), 0.05))
            self.build.add("nature", "ball", centre, (radius, radius, radius), leaves)

    def car(self) -> None:
        """Parked by a kerb, or in one of two lanes."""
        side = self.draws.one_of((-1, 1))
        x = side * (self.half - 1.2) if self.draws.happens(0.6) else side * self.half * 0.4
        z = self.draws.between(7, 50)
        self.build.add("vehicle", "box", (x, 0.7, z), (0.85, 0.35, 2.1), self.draws.surface(0))
        self.build.add("vehicle", "box", (x, 1.3, z), (0.75, 0.25, 1.1), Surface((0.06, 0.07, 0.09)))
        for left in (-1, 1):
            for front in (-1, 1):
                wheel = (x + left * 0.78, 0.33, z + front * 1.3)
                self.build.add("vehicle", "wheel", wheel, (0.1, 0.33, 0.33), _grey(0.03))

    def person(self) -> None:
        """On a pavement, or crossing the road."""
        if self.draws.happens(0.8):
            x, ground = self.draws.one_of((-1, 1)) * (self.half + self.draws.between(0.5, 3.2)), 0.1
        else:
            x, ground = self.draws.between(-0.8, 0.8) * self.half, 0.0
        z, tall = self.draws.between(5, 35), self.draws.between(1.5, 1.9)
        turn = self.draws.turn(1)
        legs, trunk = (0.15, 0.24 * tall, 0.12), (0.22, 0.17 * tall, 0.13)
        self.build.add("human", "box", (x, ground + 0.24 * tall, z), legs, self.draws.surface(0), turn)
        self.build.add("human", "box", (x, ground + 0.64 * tall, z), trunk, self.draws.surface(0), turn)
        skin = Surface((0.55, 0.4, 0.32))
        self.build.add("human", "ball", (x, ground + 0.9 * tall, z), (0.12, 0.12, 0.12), skin)


def build_street(seed: int) -> Scene:
    """The street that follows from a seed, seen from a car, with a sun somewhere above."""
    street = Street(seed)
    draws = street.draws
    street.ground()
    for side in (-1, 1):
        street.houses(side)
        street.roadside(side)
    for _ in range(draws.whole(2, 7)):
        street.car()
    for _ in range(draws.whole(1, 6)):
        street.person()
    bright, sunny = draws.between(0.5, 1), draws.between(0.3, 1.2)
    eye = (draws.between(-1.5, 1.5), 1.5, -4.0)
    target = (eye[0] + draws.between(-0.08, 0.08), eye[1] + draws.between(-0.06, 0.02), eye[2] + 1)
    return Scene(
        solids=tuple(street.build.solids),
        camera=Camera(eye, target, draws.between(0.6, 0.87)),
        background=CLASSES.index("sky"),
        sky=(0.55 * bright, 0.7 * bright, 0.95 * bright),
        sun=Sun((draws.between(-1, 1), -1.0, draws.between(-0.6, 1)), (sunny, 0.93 * sunny, 0.8 * sunny)),
    )
