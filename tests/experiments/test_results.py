"""A stored result is whole, finite and that of its spec; anything else is refused with the file's name."""

import math
import os
from pathlib import Path

import msgspec
import pytest

from experiments import spec as spec_module
from experiments.results import (
    StoreError,
    compare_results,
    find_result,
    load_results,
    read_result,
    result_path,
    save_result,
    write_atomically,
)
from tests.experiments.tiny_problem import tiny_spec
from tests.figures.synthetic import result

SPEC = tiny_spec()
RESULT = result(SPEC)


def test_a_result_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    path = save_result(tmp_path, RESULT)
    assert path == result_path(tmp_path, SPEC)
    assert path.relative_to(tmp_path).parts[:2] == ("smoke", "multi_mnist")
    assert read_result(path) == RESULT


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_refused_and_nothing_is_written(tmp_path: Path, value: float) -> None:
    broken = msgspec.structs.replace(RESULT, test_last=msgspec.structs.replace(RESULT.test_last, loss=(0.5, value)))
    with pytest.raises(StoreError, match=r"result\.test_last\.loss\[1\]"):
        save_result(tmp_path, broken)
    assert list(tmp_path.iterdir()) == []


def test_a_key_of_another_spec_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not the key of its spec"):
        save_result(tmp_path, msgspec.structs.replace(RESULT, key="0" * 16))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("found", "put", "message"),
    [
        (b'"schema_version": 1', b'"schema_version": 0', "schema version 0, expected 1"),
        (b'"best_epoch"', b'"worst_epoch"', "worst_epoch"),
        (b'"epoch": 1,', b'"epoch": "one",', "epoch"),
        (b"}\n", b"", "not a Result"),
    ],
)
def test_an_altered_file_is_refused_by_name(tmp_path: Path, found: bytes, put: bytes, message: str) -> None:
    path = save_result(tmp_path, RESULT)
    content = path.read_bytes()
    assert found in content
    path.write_bytes(content.replace(found, put, 1) if put else content[: -len(found)])
    with pytest.raises(StoreError, match=message) as caught:
        read_result(path)
    assert str(path) in str(caught.value)


def test_a_renamed_file_is_refused(tmp_path: Path) -> None:
    path = save_result(tmp_path, RESULT)
    with pytest.raises(StoreError, match=f"holds key {RESULT.key}"):
        read_result(path.rename(path.with_stem("f" * 16)))


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def refuse(source: str, target: Path) -> None:
        raise OSError("disk is gone")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="disk is gone"):
        write_atomically(path, b"new")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"file": b"old"}


def test_results_of_an_older_revision_count_as_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = result(tiny_spec(aggregator="MGDA"))
    for one in (RESULT, other):
        save_result(tmp_path, one)
    assert {one.key for one in load_results(tmp_path)} == {RESULT.key, other.key}
    monkeypatch.setitem(spec_module.REVISIONS, "Mean", 1_000)
    assert list(load_results(tmp_path)) == [other]
    assert find_result([tmp_path], SPEC) is None


def test_the_first_store_that_has_a_result_gives_it(tmp_path: Path) -> None:
    changed = msgspec.structs.replace(RESULT, steps=RESULT.steps + 1)
    save_result(tmp_path / "second", RESULT)
    assert find_result([tmp_path / "first", tmp_path / "second"], SPEC) == RESULT
    save_result(tmp_path / "first", changed)
    assert find_result([tmp_path / "first", tmp_path / "second"], SPEC) == changed


def test_times_and_machine_do_not_count_in_a_comparison() -> None:
    again = msgspec.structs.replace(
        RESULT,
        seconds_training=RESULT.seconds_training + 1,
        cpu_seconds_training=RESULT.cpu_seconds_training + 1,
        cpu_seconds={"step": 1.0},
        provenance=msgspec.structs.replace(RESULT.provenance, machine="another", resumed=3),
        epochs=tuple(msgspec.structs.replace(record, seconds=9.0) for record in RESULT.epochs),
    )
    compared = compare_results(RESULT, again)
    assert compared.identical
    assert compared.accuracy_difference == 0.0
    assert (compared.key, compared.label, compared.problem, compared.seed) == (RESULT.key, "F-LS", "multi_mnist", 0)


def test_one_bit_and_other_data_count_in_a_comparison() -> None:
    loss = RESULT.test_last.loss
    one_bit = msgspec.structs.replace(
        RESULT,
        test_last=msgspec.structs.replace(RESULT.test_last, loss=(math.nextafter(loss[0], 2.0), loss[1])),
    )
    assert not compare_results(RESULT, one_bit).identical
    other_data = msgspec.structs.replace(
        RESULT, provenance=msgspec.structs.replace(RESULT.provenance, data_sha256={"train": "cd" * 32})
    )
    assert not compare_results(RESULT, other_data).identical


def test_the_largest_accuracy_difference_is_found_wherever_it_is() -> None:
    last = RESULT.epochs[-1]
    validation = (last.validation_accuracy[0], last.validation_accuracy[1] - 0.25)
    changed = msgspec.structs.replace(
        RESULT,
        test_best=msgspec.structs.replace(
            RESULT.test_best, accuracy=tuple(share + 0.125 for share in RESULT.test_best.accuracy)
        ),
        epochs=(*RESULT.epochs[:-1], msgspec.structs.replace(last, validation_accuracy=validation)),
    )
    assert compare_results(RESULT, changed).accuracy_difference == pytest.approx(0.25, abs=1e-15)


def test_results_of_different_runs_are_not_compared() -> None:
    with pytest.raises(StoreError, match="different runs"):
        compare_results(RESULT, result(tiny_spec(seed=1)))
