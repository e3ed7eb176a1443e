"""``python -m experiments.benchmarks.extrapolate``: the cost of one step on many devices, on paper. No torch here.

Counts follow from the method: passes, floats kept, floats sent. Seconds follow from the counts and from named
assumptions about the devices. Nothing here is measured.
"""

import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import tyro

FLOAT = 4
"""Bytes of a float32."""

PLAIN_FLOATS = 4
"""Floats that plain training keeps for each parameter: itself, its gradient, two moments of Adam."""


@dataclass(frozen=True)
class Setting:
    """What is counted for, and what is assumed.

    Args:
        parameters: shared parameters P.
        tasks: m, at most 1 task a device or whole multiples of it.
        devices: N, each with an equal part of the batch.
        forward_share: f, the forward's part of U. Assumed: backward takes twice the forward.
        positions: of each device's part of the batch (tokens, patches). Assumed.
        flops: floating-point operations a second that a device sustains. Assumed.
        link: bytes a second that a device sends while it receives as many. Assumed.
        memory_bandwidth: bytes a second of a device's memory. Assumed.
        memory: bytes of a device's memory. Assumed.
    """

    parameters: int = 10**9
    tasks: int = 64
    devices: int = 64
    forward_share: float = 1 / 3
    positions: int = 8192
    flops: float = 2e14
    link: float = 5e10
    memory_bandwidth: float = 2e12
    memory: float = 8e10

    def __post_init__(self) -> None:
        if min(self.parameters, self.tasks, self.devices) < 1 or self.tasks % self.devices:
            raise ValueError(
                f"parameters, tasks, devices are {self.parameters}, {self.tasks}, {self.devices}: each must be at "
                "least 1, and tasks a whole multiple of devices, so that every device can own as many tasks."
            )

    @property
    def owned(self) -> int:
        """Tasks a device, k = m / N."""
        return self.tasks // self.devices

    @property
    def unit(self) -> float:
        """U in seconds: 2 P operations a position forward, 4 P backward, on one device's part of the batch."""
        return 6 * self.parameters * self.positions / self.flops


@dataclass(frozen=True)
class Layout:
    """One way to place one step on N devices; all figures are of one device.

    ``units``: passes in U. ``kept``: floats kept for each shared parameter, plain training's included. ``sent``: floats
    sent for each parameter, over (N - 1)/N: 1 for a reduce-scatter or an all-gather of P floats, 2 for an all-reduce.
    ``moved``: floats read and written in memory for each parameter, beside the passes.
    """

    name: str
    units: Callable[[Setting], float]
    kept: Callable[[Setting], float]
    sent: Callable[[Setting], float]
    moved: Callable[[Setting], float]


def base_units(setting: Setting, tasks: int) -> float:
    """F + m B, in U."""
    return setting.forward_share + tasks * (1 - setting.forward_share)


def flat_units(setting: Setting, tasks: int) -> float:
    """(1 + m) F + 2 m B, in U."""
    return (1 + tasks) * setting.forward_share + 2 * tasks * (1 - setting.forward_share)


PERTURBED = 3
"""Floats moved for each parameter and task by theta_i = theta + c_i g_i: two read, one written."""

AGGREGATED = 8
"""Floats moved for each entry of the matrix: written; read by the Gramian and the combination; replaced by the flat
row (two read, one written); read by the Gramian and the combination."""

PLAIN = Layout(
    "plain data parallel",
    units=lambda s: 1,
    kept=lambda s: PLAIN_FLOATS,
    sent=lambda s: 2,
    moved=lambda s: 0,
)

BASE = Layout(
    "base method, columns sharded",
    units=lambda s: base_units(s, s.tasks),
    kept=lambda s: PLAIN_FLOATS + s.owned + 1,  # columns of m rows, the row that is being made
    sent=lambda s: s.tasks + 1,  # reduce-scatter of m rows, all-gather of the direction
    moved=lambda s: 3 * s.owned,
)

EVERYWHERE = Layout(
    "flat, every row everywhere",
    units=lambda s: flat_units(s, s.tasks),
    kept=lambda s: PLAIN_FLOATS + s.tasks + 1,  # m rows, the saved parameters
    sent=lambda s: 2 * 2 * s.tasks,  # all-reduce of 2 m rows
    moved=lambda s: (PERTURBED + AGGREGATED) * s.tasks,
)

ROWS = Layout(
    "flat, rows sharded",
    units=lambda s: flat_units(s, s.tasks),
    kept=lambda s: PLAIN_FLOATS + s.owned + 2,  # k rows, the row that is being made or passes by, the saved parameters
    sent=lambda s: 4 * s.tasks + 2,  # 2 m rows to their owners and back to all, all-reduce of the direction
    moved=lambda s: (PERTURBED + 2) * s.tasks + AGGREGATED * s.owned,  # rows that pass by enter the Gramians
)

COLUMNS = Layout(
    "flat, columns sharded",
    units=lambda s: flat_units(s, s.tasks),
    kept=lambda s: PLAIN_FLOATS + s.owned + 2,  # columns of m rows, the row that is being made, the saved parameters
    sent=lambda s: 3 * s.tasks + 1,  # reduce-scatter of 2 m rows, all-gather of m perturbations and of the direction
    moved=lambda s: PERTURBED * s.tasks + AGGREGATED * s.owned,
)

OWN_TASKS = Layout(
    "flat, own tasks on the whole batch",
    units=lambda s: s.devices * flat_units(s, s.owned),
    kept=lambda s: PLAIN_FLOATS + 2 * s.owned + 1,  # k rows, columns of m rows, the saved parameters
    sent=lambda s: 2 * s.owned + 1,  # 2 k rows, all to all, into columns; all-gather of the direction
    moved=lambda s: (PERTURBED + AGGREGATED) * s.owned,
)

LAYOUTS = (PLAIN, BASE, EVERYWHERE, ROWS, COLUMNS, OWN_TASKS)


@dataclass(frozen=True)
class Cost:
    """A layout in one setting, of one device: U, bytes, seconds."""

    layout: Layout
    units: float
    kept: float
    sent: float
    computing: float
    sending: float
    moving: float


def cost(layout: Layout, setting: Setting) -> Cost:
    """Bytes and seconds of one device."""
    floats = FLOAT * setting.parameters
    units = layout.units(setting)
    sent = layout.sent(setting) * floats * (setting.devices - 1) / setting.devices
    return Cost(
        layout=layout,
        units=units,
        kept=layout.kept(setting) * floats,
        sent=sent,
        computing=units * setting.unit,
        sending=sent / setting.link,
        moving=layout.moved(setting) * floats / setting.memory_bandwidth,
    )


def extrapolation(setting: Setting) -> str:
    """Counts, assumptions and seconds as Markdown."""
    costs = [cost(layout, setting) for layout in LAYOUTS]
    counted = (
        f"Counted, for P = {_power(setting.parameters)} shared parameters, m = {setting.tasks} tasks and "
        f"N = {setting.devices} devices in float32: passes through the trunk, bytes kept (with the {PLAIN_FLOATS} P "
        "floats of plain training, without activations), bytes sent (ring collectives), bytes that aggregating moves. "
        f"Assumed: F/U = {setting.forward_share:.2f}; {setting.positions:,} positions a device at "
        f"{_power(setting.flops)} operations a second, so U = {_number(setting.unit)} s; {_gigabytes(setting.link)}/s "
        f"from device to device, {_gigabytes(setting.memory_bandwidth)}/s and {_gigabytes(setting.memory)} of memory."
    )
    heading = (
        "one step, of one device",
        "passes (U)",
        "kept",
        "sent",
        "computing (s)",
        "sending (s)",
        "aggregating (s)",
    )
    table = [_line(heading), _line(["---", *["---:"] * (len(heading) - 1)]), *(_row(one, setting) for one in costs)]
    return "\n".join([_paragraph(counted), "", *table, "", _paragraph(_conclusion(setting))])


def _conclusion(setting: Setting) -> str:
    everywhere, columns, own = (cost(layout, setting) for layout in (EVERYWHERE, COLUMNS, OWN_TASKS))
    hidden = [_gigabytes(one.sent / one.computing) for one in (columns, everywhere)]
    return (
        f"Memory: every row everywhere takes {_gigabytes(everywhere.kept)} of a device's {_gigabytes(setting.memory)}. "
        "The Gramian is a sum over columns, so each device can keep the P/N columns of every row that a reduce-scatter "
        f"leaves it ({_gigabytes(columns.kept)} in all): an all-reduce of m x m float64 "
        f"({8 * setting.tasks**2:,} bytes) completes each Gramian, and every device finds the same weights. "
        f"Passes: {_number(columns.units)} U wherever the batch is split. "
        f"Links: sending hides behind the passes from {hidden[0]}/s on, and from {hidden[1]}/s on where rows are "
        "all-reduced. "
        f"On slower ones each device takes m/N = {setting.owned} of the tasks on the whole batch: no row is averaged, "
        f"perturbations stay at home, {_gigabytes(own.sent)} are sent, for {_number(own.units)} U because fewer tasks "
        "share a forward."
    )


def _row(one: Cost, setting: Setting) -> str:
    kept = _gigabytes(one.kept) + ("" if one.kept <= setting.memory else " (too much)")
    seconds = (one.computing, one.sending, one.moving)
    return _line([one.layout.name, _number(one.units), kept, _gigabytes(one.sent), *map(_number, seconds)])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _paragraph(text: str) -> str:
    return textwrap.fill(text, width=120, break_on_hyphens=False, break_long_words=False)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:.3g}"


def _gigabytes(count: float) -> str:
    return f"{_number(count / 1e9)} GB"


def _power(value: float) -> str:
    """One digit and an exponent: 1e9."""
    digits, exponent = f"{value:.0e}".split("e")
    return f"{digits}e{int(exponent)}"


if __name__ == "__main__":
    print(extrapolation(tyro.cli(Setting)))
