"""Furnished rooms: 13 classes, in the order of the usual NYUv2 labels, of which a room has some."""

from experiments.problems.scenes.scene import Builder, Camera, Draws, Scene
from experiments.problems.scenes.solids import Shape, Surface, Triple

CLASSES = (
    "bed",
    "books",
    "ceiling",
    "chair",
    "floor",
    "furniture",
    "objects",
    "picture",
    "sofa",
    "table",
    "tv",
    "wall",
    "window",
)
THICK = 0.02
"""Half the thickness of walls, floor and ceiling, in metres."""

NO_CLASS = -1


class Room:
    """One room while it is furnished. ``size``: width, height and length in metres; the floor's middle is 0."""

    def __init__(self, seed: int) -> None:
        self.draws = Draws(seed)
        self.build = Builder(self.draws, CLASSES)
        self.width, self.height, self.length = (
            self.draws.between(3.2, 6),
            self.draws.between(2.3, 3.1),
            self.draws.between(3.2, 6.5),
        )
        self.eye: Triple = (
            self.draws.between(-0.4, 0.4) * self.width,
            self.draws.between(1.1, 1.75),
            -0.45 * self.length,
        )
        self.taken: list[tuple[float, float, float]] = []

    def free_place(self, right: float, forward: float) -> tuple[float, float] | None:
        """Where a piece of these half sizes stands apart from the others and from the camera; None after 30 draws."""
        reach = right + forward
        for _ in range(30):
            x = self.draws.between(right + 0.1 - self.width / 2, self.width / 2 - right - 0.1)
            z = self.draws.between(-0.15 * self.length, self.length / 2 - forward - 0.05)
            apart = all(abs(x - u) + abs(z - v) > 0.75 * (reach + other) for u, v, other in self.taken)
            if apart and abs(x - self.eye[0]) + abs(z - self.eye[2]) > reach + 0.8:
                self.taken.append((x, z, reach))
                return x, z
        return None

    def shell(self) -> None:
        """Floor, ceiling and four walls."""
        wall, draws = self.draws.surface(0.25, 0.35), self.draws
        across, along, middle = self.width / 2, self.length / 2, self.height / 2
        add = self.build.add
        add("floor", "box", (0, -THICK, 0), (across, THICK, along), draws.surface(0.6, 0.5))
        add("ceiling", "box", (0, self.height + THICK, 0), (across, THICK, along), draws.surface(0, 0.1))
        for side in (-1, 1):
            add("wall", "box", (side * (across + THICK), middle, 0), (THICK, middle, along), wall)
        back = wall if draws.happens(0.6) else draws.surface(0.3, 0.5)
        add("wall", "box", (0, middle, along + THICK), (across, middle, THICK), back)
        add("wall", "box", (0, middle, -along - THICK), (across, middle, THICK), wall)

    def lights(self) -> int:
        """A lamp below the ceiling and a bright window in a side wall, with its bar; the side that it is on."""
        draws, bright = self.draws, self.draws.between(0.8, 2)
        warm = draws.between(0.75, 0.95)
        x, z = draws.between(-0.2, 0.2) * self.width, draws.between(-0.2, 0.2) * self.length
        lamp = Surface((0.5, 0.5, 0.5), glow=(bright, bright * 0.93, bright * warm))
        self.build.add("objects", "ball", (x, self.height - 0.2, z), (0.12, 0.12, 0.12), lamp)
        side = draws.one_of((-1, 1))
        place = (draws.between(1.3, 1.7), draws.between(-0.1, 0.35) * self.length)
        tall, broad = draws.between(0.4, 0.6), draws.between(0.4, 0.9)
        pane = Surface((0.5, 0.5, 0.5), glow=(bright * 0.5, bright * 0.58, bright * 0.66))
        inside = self.width / 2
        self.build.add("window", "box", (side * (inside - 0.003), *place), (0.003, tall, broad), pane)
        bar = draws.surface(0, 0.2)
        self.build.add("window", "box", (side * (inside - 0.03), *place), (0.02, tall, 0.025), bar)
        return side

    def bed(self) -> None:
        right, forward = self.draws.between(0.5, 0.9), self.draws.between(0.95, 1.05)
        if place := self.free_place(right, forward):
            turn, height = self.draws.turn(0.2), self.draws.between(0.2, 0.3)
            spot = self.build.frame(*place, turn)
            self.build.add("bed", "box", spot(0, height, 0), (right, height, forward), self.draws.surface(0.5), turn)
            cover = self.draws.surface(0.5)
            self.build.add("bed", "box", spot(0, 2 * height + 0.07, 0), (right - 0.01, 0.07, forward), cover, turn)
            pillow = (0.7 * right, 0.06, 0.2)
            self.build.add("bed", "box", spot(0, 2 * height + 0.2, forward - 0.3), pillow, self.draws.surface(0), turn)

    def sofa(self) -> None:
        right, forward = self.draws.between(0.7, 1.1), self.draws.between(0.4, 0.5)
        if place := self.free_place(right, forward):
            turn, surface = self.draws.turn(0.3), self.draws.surface(0.3)
            spot = self.build.frame(*place, turn)
            self.build.add("sofa", "box", spot(0, 0.22, 0), (right, 0.22, forward), surface, turn)
            self.build.add("sofa", "box", spot(0, 0.64, forward - 0.1), (right, 0.2, 0.1), surface, turn)
            for side in (-1, 1):
                arm = spot(side * (right - 0.09), 0.54, -0.1)
                self.build.add("sofa", "box", arm, (0.09, 0.1, forward - 0.1), surface, turn)

    def table(self) -> None:
        right, forward, top = (
            self.draws.between(0.35, 0.8),
            self.draws.between(0.3, 0.5),
            self.draws.between(0.42, 0.78),
        )
        if place := self.free_place(right, forward):
            turn, surface = self.draws.turn(0.35), self.draws.surface(0.2, 0.6)
            spot = self.build.frame(*place, turn)
            self.build.add("table", "box", spot(0, top, 0), (right, 0.025, forward), surface, turn)
            self.build.legs("table", spot, (right - 0.03, forward - 0.03), top - 0.025, surface, turn)
            for _ in range(self.draws.whole(0, 3)):
                own = self.draws.between(-0.6, 0.6) * right, self.draws.between(-0.6, 0.6) * forward
                self.on_top(spot(own[0], top + 0.025, own[1]))

    def on_top(self, foot: Triple) -> None:
        """A ball, a bottle or a pile of books."""
        x, y, z = foot
        kind = self.draws.one_of(("ball", "bottle", "books"))
        if kind == "ball":
            radius = self.draws.between(0.05, 0.1)
            self.build.add("objects", "ball", (x, y + radius, z), (radius, radius, radius), self.draws.surface())
        elif kind == "bottle":
            radius, tall = self.draws.between(0.03, 0.06), self.draws.between(0.05, 0.15)
            self.build.add("objects", "pillar", (x, y + tall, z), (radius, tall, radius), self.draws.surface())
        else:
            for level in range(self.draws.whole(1, 4)):
                centre = (x, y + 0.02 + 0.04 * level, z)
                half = (0.14, 0.02, 0.1)
                self.build.add("books", "box", centre, half, self.draws.surface(0), self.draws.turn(1))

    def chair(self) -> None:
        if place := self.free_place(0.25, 0.25):
            turn, surface, seat = self.draws.turn(1), self.draws.surface(0.1), self.draws.between(0.4, 0.5)
            back = self.draws.one_of((-1, 1))
            spot = self.build.frame(*place, turn)
            self.build.add("chair", "box", spot(0, seat, 0), (0.22, 0.03, 0.22), surface, turn)
            self.build.legs("chair", spot, (0.19, 0.19), seat - 0.03, surface, turn)
            self.build.add("chair", "box", spot(0, seat + 0.28, back * 0.2), (0.22, 0.25, 0.02), surface, turn)

    def shelf(self) -> None:
        """Boards along the back wall, most of them with a row of books."""
        right, forward, half = (
            self.draws.between(0.4, 0.7),
            self.draws.between(0.14, 0.2),
            self.draws.between(0.5, 1.0),
        )
        x, z = self.by_the_back_wall(right, forward)
        surface = self.draws.surface(0.2, 0.6)
        for side in (-1, 1):
            self.build.add("furniture", "box", (x + side * right, half, z), (0.02, half, forward), surface)
        boards = self.draws.whole(2, 4)
        gap = 2 * half / boards
        for board in range(boards + 1):
            y = board * gap + 0.02
            self.build.add("furniture", "box", (x, y, z), (right, 0.02, forward), surface)
            if board < boards and self.draws.happens(0.8):
                left = -right + 0.03
                while left < right - 0.12:
                    thick, tall = self.draws.between(0.02, 0.045), self.draws.between(0.25, 0.42) * gap
                    spot = (x + left + thick, y + 0.02 + tall, z)
                    self.build.add("books", "box", spot, (thick, tall, 0.11), self.draws.surface(0))
                    left += 2 * thick + self.draws.between(0.002, 0.06)

    def cabinet(self) -> None:
        """A chest along the back wall, often with a tv on it."""
        right, forward, half = (
            self.draws.between(0.3, 0.8),
            self.draws.between(0.2, 0.3),
            self.draws.between(0.25, 0.45),
        )
        x, z = self.by_the_back_wall(right, forward)
        self.build.add("furniture", "box", (x, half, z), (right, half, forward), self.draws.surface(0.3, 0.6))
        if self.draws.happens(0.7):
            broad = self.draws.between(0.3, 0.55)
            tall = 0.56 * broad
            screen = Surface((0.03, 0.03, 0.04))
            self.build.add("tv", "box", (x, 2 * half + tall + 0.03, z), (broad, tall, 0.02), screen)

    def by_the_back_wall(self, right: float, forward: float) -> tuple[float, float]:
        """A place along the back wall; later pieces keep away from it."""
        x = self.draws.between(right + 0.03 - self.width / 2, self.width / 2 - right - 0.03)
        z = self.length / 2 - forward - 0.01
        self.taken.append((x, z, right + forward))
        return x, z

    def pictures(self, side: int) -> None:
        """Up to three, on the back wall and on the wall without the window."""
        for _ in range(self.draws.whole(0, 3)):
            broad, tall, y = (
                self.draws.between(0.15, 0.5),
                self.draws.between(0.15, 0.4),
                self.draws.between(1.4, 1.8),
            )
            if self.draws.happens(0.5):
                centre = (self.draws.between(-0.4, 0.4) * self.width, y, self.length / 2 - 0.012)
                half = (broad, tall, 0.01)
            else:
                centre = (-side * (self.width / 2 - 0.012), y, self.draws.between(-0.2, 0.4) * self.length)
                half = (0.01, tall, broad)
            self.build.add("picture", "box", centre, half, self.draws.surface(0.8))

    def clutter(self) -> None:
        """One to four boxes and balls on the floor."""
        for _ in range(self.draws.whole(1, 4)):
            if place := self.free_place(0.15, 0.15):
                size = self.draws.between(0.08, 0.2)
                shape: Shape = self.draws.one_of(("box", "ball"))
                half = (size, size, size)
                turn = self.draws.turn(1)
                self.build.add("objects", shape, (place[0], size, place[1]), half, self.draws.surface(), turn)


def build_room(seed: int) -> Scene:
    """The room that follows from a seed: its shell, four to six pieces of furniture, pictures, clutter, a camera."""
    room = Room(seed)
    room.shell()
    side = room.lights()
    room.draws.one_of((room.shelf, room.cabinet))()
    pieces = (room.bed, room.sofa, room.table, room.chair, room.chair, room.table, room.bed, room.sofa)
    for piece in room.draws.some_of(pieces, room.draws.whole(4, 6)):
        piece()
    room.pictures(side)
    room.clutter()
    target = (
        room.draws.between(-0.35, 0.35) * room.width,
        room.draws.between(0.4, 1.2),
        0.35 * room.length,
    )
    camera = Camera(room.eye, target, room.draws.between(0.7, 0.9))
    return Scene(tuple(room.build.solids), camera, background=NO_CLASS)
