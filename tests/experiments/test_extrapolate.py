"""The cost on many devices, on paper: counted again by hand, and by acting the collectives out on small vectors."""

import dataclasses

import pytest
import torch

from experiments.benchmarks.extrapolate import (
    BASE,
    COLUMNS,
    EVERYWHERE,
    LAYOUTS,
    OWN_TASKS,
    PLAIN,
    ROWS,
    Layout,
    Setting,
    cost,
    extrapolation,
)
from flatmtl_core.linalg import gramian

SMALL = Setting(parameters=1_000, tasks=6, devices=3, forward_share=0.25)


@pytest.mark.parametrize(
    ("layout", "units", "kept", "sent"),
    [
        (PLAIN, 1.0, 4, 2),
        (BASE, 0.25 + 6 * 0.75, 4 + 2 + 1, 6 + 1),
        (EVERYWHERE, 7 * 0.25 + 12 * 0.75, 4 + 6 + 1, 2 * 12),
        (ROWS, 7 * 0.25 + 12 * 0.75, 4 + 2 + 2, 12 + 12 + 2),
        (COLUMNS, 7 * 0.25 + 12 * 0.75, 4 + 2 + 2, 12 + 6 + 1),
        (OWN_TASKS, 3 * (3 * 0.25 + 4 * 0.75), 4 + 4 + 1, 4 + 1),
    ],
    ids=lambda value: value.name if isinstance(value, Layout) else None,
)
def test_counts_by_hand_for_six_tasks_on_three_devices(layout: Layout, units: float, kept: int, sent: int) -> None:
    found = cost(layout, SMALL)
    assert found.units == pytest.approx(units, rel=1e-12)
    assert found.kept == 4 * 1_000 * kept
    assert found.sent == pytest.approx(4 * 1_000 * sent * 2 / 3, rel=1e-12)


def test_seconds_are_counts_over_the_assumed_rates() -> None:
    found = cost(COLUMNS, SMALL)
    assert SMALL.unit == 6 * 1_000 * SMALL.positions / SMALL.flops
    assert found.computing == pytest.approx(found.units * SMALL.unit, rel=1e-12)
    assert found.sending == pytest.approx(found.sent / SMALL.link, rel=1e-12)
    faster = dataclasses.replace(
        SMALL, flops=2 * SMALL.flops, link=4 * SMALL.link, memory_bandwidth=8 * SMALL.memory_bandwidth
    )
    again = cost(COLUMNS, faster)
    assert (found.computing / again.computing, found.sending / again.sending) == pytest.approx((2, 4), rel=1e-12)
    assert found.moving / again.moving == pytest.approx(8, rel=1e-12)
    assert (again.units, again.kept, again.sent) == (found.units, found.kept, found.sent)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_one_device_sends_nothing(layout: Layout) -> None:
    assert cost(layout, dataclasses.replace(SMALL, devices=1)).sent == 0


def test_on_one_device_all_exact_layouts_are_the_same_passes() -> None:
    alone = dataclasses.replace(SMALL, devices=1)
    floor = 2 * alone.tasks - (alone.tasks - 1) * alone.forward_share
    for layout in (EVERYWHERE, ROWS, COLUMNS, OWN_TASKS):
        assert cost(layout, alone).units == pytest.approx(floor, rel=1e-12)


def test_ring_collectives_send_what_the_counts_say() -> None:
    """A reduce-scatter acted out: N - 1 rounds in which every device hands one of N pieces on, added on the way."""
    devices, parameters = SMALL.devices, 12
    rows = [[float(device * parameters + column) for column in range(parameters)] for device in range(devices)]
    expected = [sum(row[column] for row in rows) for column in range(parameters)]
    piece, sent = parameters // devices, [0] * devices
    for turn in range(devices - 1):
        handed = []
        for device in range(devices):
            block = (device - turn) % devices
            handed.append((block, rows[device][block * piece : (block + 1) * piece]))
            sent[device] += piece
        for device in range(devices):
            block, values = handed[device - 1]
            for offset, value in enumerate(values):
                rows[device][block * piece + offset] += value
    for device in range(devices):
        block = (device + 1) % devices
        assert rows[device][block * piece : (block + 1) * piece] == expected[block * piece : (block + 1) * piece]
    alone = Layout("one reduce-scatter", units=lambda s: 0, kept=lambda s: 0, sent=lambda s: 1, moved=lambda s: 0)
    counted = cost(alone, dataclasses.replace(SMALL, parameters=parameters)).sent
    assert [4 * floats for floats in sent] == [counted] * devices


def test_the_gramian_is_the_sum_of_the_gramians_of_columns() -> None:
    rows = torch.randn(4, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    parts = [gramian(columns.contiguous()) for columns in rows.split(4, dim=1)]
    torch.testing.assert_close(sum(parts), gramian(rows), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("changes", [{"devices": 4}, {"tasks": 0}, {"parameters": 0}, {"devices": 0}, {"tasks": 2}])
def test_settings_that_do_not_divide_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="whole multiple of devices"):
        dataclasses.replace(SMALL, **changes)


def test_what_does_not_fit_is_said() -> None:
    assert "276 GB (too much)" in extrapolation(Setting())
    assert "too much" not in extrapolation(Setting(memory=3e11))
