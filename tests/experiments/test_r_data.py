"""Data of R packages: what is read, and streams and data bases that are damaged or hold something else."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.problems.fetching import DataError
from experiments.problems.r_data import Environment, LazyData, RObject, unserialize
from tests.experiments import r_writer as r


def read(content: bytes) -> RObject:
    return unserialize(r.stream(content), "stream")


@given(st.lists(st.integers(-(2**31), 2**31 - 1)), st.lists(st.floats(allow_nan=False)))
def test_numbers_survive_exactly(integers: list[int], reals: list[float]) -> None:
    assert read(r.numbers(np.array(integers, dtype=np.int64))).value.tolist() == integers
    assert read(r.numbers(np.array(reals, dtype=np.float64))).value.tolist() == reals


@given(st.lists(st.none() | st.text(max_size=5)))
def test_text_survives_and_a_missing_one_is_none(values: list[str | None]) -> None:
    assert read(r.strings(values)).value == tuple(values)


def test_members_are_found_by_name_and_symbols_met_before_are_known() -> None:
    inner = r.named({"a": r.numbers([1]), "b": r.numbers([0.5])})
    names = struct.pack(">ii", 0x402, 0x1FF) + r.strings(["first", "second"]) + r.NULL  # the first symbol again
    found = read(struct.pack(">ii", 0x213, 2) + inner + r.numbers([7]) + names)
    assert found["first"]["b"].value.tolist() == [0.5]
    assert found["second"].value.tolist() == [7]
    with pytest.raises(DataError, match="no member 'third' but first, second"):
        found["third"]
    with pytest.raises(DataError, match="no member 'x' but none"):
        found["second"]["x"]


def test_the_older_version_has_no_encoding() -> None:
    assert unserialize(r.stream(r.numbers([3]), version=2), "stream").value.tolist() == [3]
    with pytest.raises(DataError, match="serialisation version 1"):
        unserialize(r.stream(r.numbers([3]), version=1), "stream")


def test_variables_lead_to_their_environments() -> None:
    environments = {"env::1": r.named({"x": r.numbers([1, 2])}), "env::2": r.named({"x": r.numbers([3])})}
    index, base = r.data_base({"task": r.named({"env": r.environment("env::2")})}, environments)
    data = LazyData(index, base, "data")
    task = data.variable("task")
    assert task["env"].value == Environment("env::2")
    assert data.environment(task["env"])["x"].value.tolist() == [3]
    with pytest.raises(DataError, match="expected an environment, got tuple"):
        data.environment(task)
    with pytest.raises(DataError, match="no member 'other' but task"):
        data.variable("other")


@given(st.data())
def test_a_stream_that_is_cut_off_is_refused(data: st.DataObject) -> None:
    whole = r.stream(r.named({"a": r.numbers([1, 2]), "b": r.strings(["x", None])}))
    with pytest.raises(DataError, match="stream"):
        unserialize(whole[: data.draw(st.integers(0, len(whole) - 1))], "stream")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (struct.pack(">i", 24), "R's type 24 is not read here"),
        (struct.pack(">ii", 13, -1), "damaged or ends early"),
        (struct.pack(">i", 0x1FF), "damaged or ends early"),
        (struct.pack(">i", 0x602), "a pair with attributes or without a name"),
        (struct.pack(">ii", 0x213, 0) + struct.pack(">i", 13), "a chain of pairs ends with type 13"),
    ],
)
def test_what_is_not_read(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(content)


def test_damaged_data_bases_are_refused() -> None:
    index, base = r.data_base({"x": r.numbers([1])}, {})
    with pytest.raises(DataError, match="data: can not be unpacked"):
        LazyData(index[:-9], base, "data")
    with pytest.raises(DataError, match="index: starts with"):
        LazyData(gzip.compress(b"RDX3\n"), base, "data")
    with pytest.raises(DataError, match="can not be unpacked"):
        LazyData(index, base[:-6], "data").variable("x")
    with pytest.raises(DataError, match="x is cut off"):
        LazyData(index, b"\0" + base[1:3] + b"\xff" + base[4:], "data").variable("x")
