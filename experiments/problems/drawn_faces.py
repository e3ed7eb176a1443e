"""Drawn faces: 64 x 64 sketches of our own with 40 yes-or-no attributes, where CelebA can not be had. Not CelebA.

They have CelebA's shapes (colour, 64 x 64, 40 tasks of 2 classes), so every step of its runs can be made with them;
scores on them say nothing of scores on photographs. An attribute holds when b + <l, z> + e > 0: b fixes how often, z
has three standard normal factors that attributes share (with loadings l: they correlate, in both directions), e is
standard normal. Two attributes imply another: dark glasses are glasses, a hat with a bright band is a hat. What lies on
top hides what is below, as in photographs: dark glasses hide the colour of the eyes.

Every face has its own random stream, so smaller sets are prefixes of larger ones.
"""

from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from experiments.problems.packaged import Labelled, Split, checked_count

ATTRIBUTES = (
    *("dark background", "striped background", "lit from the left", "grainy", "dark skin", "reddish skin"),
    *("wide face", "long face", "turned left", "low in the picture", "dark hair", "red hair", "long hair", "no hair"),
    *("bangs", "hat", "bright hat band", "thick eyebrows", "raised eyebrows", "large eyes", "eyes far apart"),
    *("blue eyes", "one eye closed", "glasses", "dark glasses", "long nose", "wide nose", "smiling", "open mouth"),
    *("lipstick", "moustache", "beard", "red cheeks", "freckles", "mole", "large ears", "earrings", "necklace", "tie"),
    "dark clothes",
)
IMPLIED = {"dark glasses": "glasses", "bright hat band": "hat"}

SIZES: dict[Split, int] = {"train": 20_000, "validation": 2_000, "test": 5_000}
SIDE = 64
SEED = 20_221_123
FACTORS = 3

Mask: TypeAlias = NDArray[np.bool_]
Colour: TypeAlias = tuple[float, float, float]
Attributes: TypeAlias = dict[str, bool]


def _population() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """b (40,) and l (40, 3): the same for all faces."""
    draw = np.random.Generator(np.random.PCG64(SEED))
    bias = draw.uniform(-1.3, 0.5, len(ATTRIBUTES))
    return bias, draw.choice([-1.2, 0.0, 0.0, 0.0, 0.0, 1.2], (len(ATTRIBUTES), FACTORS))


BIAS, LOADINGS = _population()


def draw_attributes(draw: np.random.Generator) -> Attributes:
    """The attributes of one face."""
    scores = BIAS + LOADINGS @ draw.standard_normal(FACTORS) + draw.standard_normal(len(ATTRIBUTES))
    found = dict(zip(ATTRIBUTES, (scores > 0).tolist(), strict=True))
    return found | {name: found[name] and found[whole] for name, whole in IMPLIED.items()}


class Sketch:
    """A picture of RGB values in [0, 1] over x (to the right) and y (downwards), both from -1 to 1."""

    def __init__(self, has: Attributes, draw: np.random.Generator) -> None:
        self.has = has
        self.y, self.x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
        self.pixels = np.empty((SIDE, SIDE, 3))
        self.centre = (-0.14 if has["turned left"] else 0.04) + draw.uniform(-0.03, 0.03)
        self.height = (0.14 if has["low in the picture"] else -0.04) + draw.uniform(-0.03, 0.03)
        self.radii = (0.56 if has["wide face"] else 0.42, 0.68 if has["long face"] else 0.54)
        self.draw = draw

    def pick(self, name: str, yes: Colour, no: Colour) -> Colour:
        """One of two colours, a little off."""
        red, green, blue = np.clip(np.add(yes if self.has[name] else no, self.draw.normal(0, 0.03, 3)), 0, 1)
        return float(red), float(green), float(blue)

    def ellipse(self, x: float, y: float, across: float, down: float) -> Mask:
        """x and y from the centre of the face."""
        inside: Mask = ((self.x - self.centre - x) / across) ** 2 + ((self.y - self.height - y) / down) ** 2 <= 1
        return inside

    def box(self, x: float, y: float, across: float, down: float) -> Mask:
        """Half widths ``across`` and ``down`` about a point, from the centre of the face."""
        inside: Mask = (np.abs(self.x - self.centre - x) <= across) & (np.abs(self.y - self.height - y) <= down)
        return inside

    def paint(self, mask: Mask, colour: Colour, share: float = 1.0) -> None:
        self.pixels[mask] = (1 - share) * self.pixels[mask] + share * np.array(colour)

    def background(self) -> None:
        self.pixels[:] = self.pick("dark background", (0.15, 0.2, 0.3), (0.75, 0.8, 0.85))
        if self.has["striped background"]:
            self.paint(np.sin(14 * self.x) > 0, (0.5, 0.45, 0.5), 0.5)

    def body(self) -> None:
        clothes = self.pick("dark clothes", (0.12, 0.12, 0.2), (0.7, 0.55, 0.3))
        self.paint(self.ellipse(0, 1.15, 0.85, 0.5), clothes)
        if self.has["tie"]:
            self.paint(self.box(0, 0.9, 0.07, 0.25), (0.8, 0.1, 0.1))

    def hair(self) -> Colour:
        red = self.pick("red hair", (0.65, 0.25, 0.1), (0.7, 0.6, 0.35))
        colour = (0.4 * red[0], 0.35 * red[1], 0.35 * red[2]) if self.has["dark hair"] else red
        across, down = self.radii
        if self.has["long hair"]:
            self.paint(self.ellipse(0, 0.25, across + 0.2, down + 0.25), colour)
        if not self.has["no hair"]:
            self.paint(self.ellipse(0, -0.16, across + 0.08, down + 0.02), colour)
        return colour

    def head(self) -> None:
        red = self.pick("reddish skin", (0.95, 0.6, 0.5), (0.92, 0.76, 0.62))
        skin = (0.5 * red[0], 0.48 * red[1], 0.46 * red[2]) if self.has["dark skin"] else red
        across, down = self.radii
        for side in (-1, 1):
            ear = 0.16 if self.has["large ears"] else 0.09
            self.paint(self.ellipse(side * across, 0.02, 0.7 * ear, ear), skin)
            if self.has["earrings"]:
                self.paint(self.ellipse(side * (across + 0.03), 0.2, 0.06, 0.08), (0.95, 0.85, 0.1))
        self.paint(self.box(0, down, 0.17, 0.2), skin)
        self.paint(self.ellipse(0, 0, across, down), skin)
        if self.has["necklace"]:
            self.paint(self.box(0, down + 0.13, 0.2, 0.04), (0.9, 0.9, 0.95))

    def skin_marks(self) -> None:
        for side in (-1, 1):
            if self.has["red cheeks"]:
                self.paint(self.ellipse(side * 0.27, 0.16, 0.1, 0.08), (0.9, 0.25, 0.25), 0.55)
            if self.has["freckles"]:
                dots = (np.sin(40 * self.x) > 0.6) & (np.sin(40 * self.y) > 0.6)
                self.paint(self.ellipse(side * 0.18, 0.12, 0.16, 0.1) & dots, (0.45, 0.25, 0.1))
        if self.has["mole"]:
            self.paint(self.ellipse(0.26, 0.32, 0.045, 0.045), (0.15, 0.08, 0.05))

    def eyes(self, hair: Colour) -> None:
        apart = 0.25 if self.has["eyes far apart"] else 0.17
        size = 0.11 if self.has["large eyes"] else 0.07
        iris = self.pick("blue eyes", (0.2, 0.4, 0.9), (0.3, 0.2, 0.1))
        brow = -0.28 if self.has["raised eyebrows"] else -0.2
        thick = 0.05 if self.has["thick eyebrows"] else 0.02
        for side in (-1, 1):
            self.paint(self.box(side * apart, brow, 0.11, thick), (0.6 * hair[0], 0.6 * hair[1], 0.6 * hair[2]))
            if self.has["one eye closed"] and side == 1:
                self.paint(self.box(apart, -0.07, 0.1, 0.02), (0.2, 0.1, 0.1))
                continue
            self.paint(self.ellipse(side * apart, -0.07, 1.3 * size, size), (0.97, 0.97, 0.97))
            self.paint(self.ellipse(side * apart, -0.07, 0.7 * size, 0.8 * size), iris)

    def glasses(self) -> None:
        if not self.has["glasses"]:
            return
        for side in (-1, 1):
            lens, rim = self.ellipse(side * 0.21, -0.07, 0.15, 0.13), self.ellipse(side * 0.21, -0.07, 0.19, 0.17)
            self.paint(rim if self.has["dark glasses"] else rim & ~lens, (0.08, 0.08, 0.1))
        self.paint(self.box(0, -0.09, 0.05, 0.02), (0.08, 0.08, 0.1))

    def nose_and_mouth(self, hair: Colour) -> None:
        length, width = 0.17 if self.has["long nose"] else 0.1, 0.1 if self.has["wide nose"] else 0.05
        down = self.radii[1]
        if self.has["beard"]:
            self.paint(self.ellipse(0, 0.45, 0.34, down - 0.24), hair)
        self.paint(self.ellipse(0, 0.02 + length / 2, width, length), (0.55, 0.35, 0.28), 0.45)
        if self.has["moustache"]:
            self.paint(self.box(0, 0.22, 0.17, 0.04), hair)
        lips = self.pick("lipstick", (0.85, 0.05, 0.2), (0.6, 0.35, 0.3))
        bend = -0.1 if self.has["smiling"] else 0.08
        thickness = 0.085 if self.has["open mouth"] else 0.04
        middle = 0.36 + bend * (((self.x - self.centre) / 0.2) ** 2 - 0.5) + self.height
        mouth = (np.abs(self.x - self.centre) <= 0.2) & (np.abs(self.y - middle) <= thickness)
        self.paint(mouth, lips)
        if self.has["open mouth"]:
            self.paint(mouth & (np.abs(self.y - middle) <= 0.045), (0.1, 0.02, 0.02))

    def above_the_eyes(self, hair: Colour) -> None:
        across, down = self.radii
        if self.has["bangs"]:
            self.paint(self.ellipse(0, 0, across, down) & self.box(0, -0.45, 0.6, 0.15), hair)
        if self.has["hat"]:
            top = -down - 0.05
            self.paint(self.box(0, top, 0.45, 0.22) | self.box(0, top + 0.2, 0.7, 0.05), (0.25, 0.35, 0.2))
            if self.has["bright hat band"]:
                self.paint(self.box(0, top + 0.1, 0.45, 0.06), (0.98, 0.9, 0.3))

    def finished(self) -> NDArray[np.uint8]:
        """Everything, from the back to the front, as uint8 (3, 64, 64)."""
        self.background()
        self.body()
        hair = self.hair()
        self.head()
        self.skin_marks()
        self.nose_and_mouth(hair)
        self.eyes(hair)
        self.glasses()
        self.above_the_eyes(hair)
        if self.has["lit from the left"]:
            self.pixels *= (1 - 0.35 * (self.x + 1) / 2)[..., None]
        grain = self.draw.normal(0, 0.09 if self.has["grainy"] else 0.015, self.pixels.shape)
        return (255 * np.clip(self.pixels + grain, 0, 1)).round().astype(np.uint8).transpose(2, 0, 1)


def load_drawn_faces(split: Split, *, count: int | None = None, data_dir: Path | None = None) -> Labelled:
    """The first ``count`` faces (default: all) of a split of 20,000 / 2,000 / 5,000: uint8 (n, 3, 64, 64).

    ``data_dir`` is not used: nothing is read.

    Raises:
        ValueError: a split or a count that does not exist.
    """
    size = checked_count(split, count, SIZES, "faces")
    examples = np.empty((size, 3, SIDE, SIDE), dtype=np.uint8)
    labels = np.empty((size, len(ATTRIBUTES)), dtype=np.int64)
    for number in range(size):
        draw = np.random.Generator(np.random.PCG64([SEED, 1 + list(SIZES).index(split), number]))
        has = draw_attributes(draw)
        examples[number] = Sketch(has, draw).finished()
        labels[number] = [has[name] for name in ATTRIBUTES]
    return Labelled.of(examples, labels)
