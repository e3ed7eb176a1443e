"""Runs on dense problems: repeatable, resumable, metrics of whole splits, bad folders named; tiny rendered rooms."""

import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from experiments import dense_splits, train
from experiments.available import find_lacks
from experiments.dense_data import dense_status, describe_dense
from experiments.dense_metrics import HIGHER_IS_BETTER
from experiments.dense_splits import DenseImages, load_dense
from experiments.models import build_model
from experiments.problems.fetching import DataError
from experiments.problems.scenes.cache import rendered_folder
from experiments.results import EpochRecord, Result, compare_results, read_result, save_result
from experiments.spec import Spec
from experiments.splits import AnyProblem, DenseProblem, load, load_problem
from experiments.train import TrainingStopped

SIZES = {"n_train": 3, "n_validation": 2, "n_test": 2}
STREET_METRICS = ["mean_iou", "pixel_accuracy", "abs_error", "rel_error"]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nyuv2/ and cityscapes/ as a user would have them, of images that are rendered."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLATMTL_CACHE", str(folder))
        rendered_folder("rooms", train=5, val=2, height=32, width=32).rename(folder / "nyuv2")
        rendered_folder("streets", train=5, val=2, height=32, width=32).rename(folder / "cityscapes")
    for name in ("nyuv2", "cityscapes"):
        (folder / name / "manifest.json").unlink()
    return folder


@pytest.fixture(scope="module")
def rooms(scenes: Path) -> AnyProblem:
    return load("nyuv2", *SIZES.values(), scenes)


@pytest.fixture(autouse=True)
def _as_in_a_worker(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("FLATMTL_DATA", raising=False)
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(before)


def spec(**changes: Any) -> Spec:
    fields: dict[str, Any] = {
        "profile": "smoke",
        "problem": "nyuv2",
        "model": "segnet_narrow",
        "aggregator": "MGDA",
        "mode": "decomposed",
        "seed": 0,
        "rho_shared": 0.05,
        "rho_heads": 0.05,
        "epochs": 2,
        "batch_size": 2,
        "probe_batches": 1,
        "schedule": "halved",
        "augmentation": "scale_crop_flip",
        **SIZES,
    }
    if changes.get("mode") in ("erm", "stl"):
        fields |= {"rho_shared": 0.0, "rho_heads": 0.0}
    return Spec(**(fields | changes))


def run(chosen: Spec, problem: AnyProblem, **settings: Any) -> Result:
    return train.train(chosen, problem, commit="", dirty=True, **settings)


THOROUGH = [pytest.param(mode, marks=pytest.mark.thorough) for mode in ("erm", "direct", "stl", "sam_sum")]


@pytest.mark.parametrize("mode", ["decomposed", "sam_stl", *THOROUGH])
def test_every_mode_trains_and_its_record_comes_back(mode: str, rooms: AnyProblem, tmp_path: Path) -> None:
    result = run(spec(mode=mode, aggregator="Mean", epochs=1), rooms)
    assert read_result(save_result(tmp_path, result)) == result
    (record,) = result.epochs
    assert len(record.train_loss) == len(record.validation_loss) == 3
    assert record.train_accuracy == record.validation_accuracy == result.test_last.accuracy == ()
    assert list(record.validation_metrics) == list(HIGHER_IS_BETTER)
    assert result.test_recent == (result.test_last,) == (result.test_best,)


def test_mtan_trains_on_two_tasks_without_normals(scenes: Path) -> None:
    chosen = spec(problem="cityscapes", model="mtan_narrow", epochs=1)
    result = run(chosen, load("cityscapes", *SIZES.values(), scenes))
    assert list(result.test_last.metrics) == STREET_METRICS
    assert set(result.dimensions) == {"shared", "head 1", "head 2"}


def test_a_run_repeats_and_resumes_bit_for_bit(rooms: AnyProblem, tmp_path: Path) -> None:
    whole = run(spec(), rooms)
    epochs: list[EpochRecord] = []
    with pytest.raises(TrainingStopped):
        run(
            spec(),
            rooms,
            checkpoint=tmp_path / "run.pt",
            on_epoch=epochs.append,
            should_stop=lambda: bool(epochs),
        )
    resumed = run(spec(), rooms, checkpoint=tmp_path / "run.pt")
    assert resumed.provenance.resumed == 1
    compared = compare_results(whole, resumed)
    assert compared.identical
    assert compared.accuracy_difference == 0.0


def test_augmentation_changes_the_run_and_leaves_the_order_of_batches(
    rooms: AnyProblem, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders: dict[str, list[list[int]]] = {"none": [], "scale_crop_flip": []}
    batch = DenseImages.batch

    def watched(self: DenseImages, indices: torch.Tensor, *arguments: Any) -> Any:
        orders[how].append(indices.tolist())
        return batch(self, indices, *arguments)

    monkeypatch.setattr(DenseImages, "batch", watched)
    losses = set()
    for how in orders:
        losses.add(run(spec(mode="erm", aggregator="Mean", augmentation=how, epochs=1), rooms).epochs[0].train_loss)
    assert len(losses) == 2
    assert orders["none"] == orders["scale_crop_flip"]


def test_the_best_epoch_has_the_least_validation_loss_and_test_is_read_after_the_last_ten(
    rooms: AnyProblem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "RECENT", 2)
    result = run(spec(mode="erm", aggregator="Mean", epochs=3), rooms)
    means = [sum(record.validation_loss) for record in result.epochs]
    assert result.best_epoch == 1 + means.index(min(means))
    assert [evaluation.epoch for evaluation in result.test_recent] == [2, 3]
    assert result.test_recent[-1] == result.test_last


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [pytest.param("constant", [1.0] * 3, marks=pytest.mark.thorough), ("halved", [1.0, 0.5, 0.5])],
)
def test_the_rate_is_halved_from_half_of_the_epochs_on(
    schedule: str, expected: list[float], rooms: AnyProblem, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []
    step = torch.optim.Adam.step

    def watched(self: torch.optim.Adam, *arguments: Any) -> Any:
        seen.append(self.param_groups[0]["lr"] / 1e-3)
        return step(self, *arguments)

    monkeypatch.setattr(torch.optim.Adam, "step", watched)
    run(spec(mode="erm", aggregator="Mean", epochs=3, schedule=schedule), rooms)
    per_epoch = len(seen) // 3
    assert [seen[per_epoch * epoch] for epoch in range(3)] == expected
    assert all(len(set(seen[per_epoch * epoch : per_epoch * (epoch + 1)])) == 1 for epoch in range(3))


def test_metrics_do_not_depend_on_the_size_of_a_batch(rooms: AnyProblem, monkeypatch: pytest.MonkeyPatch) -> None:
    networks = [build_model("segnet_narrow", 0, "nyuv2")]
    whole = rooms.train.evaluate(networks)
    monkeypatch.setattr(dense_splits, "EVALUATION_BATCH", 1)
    single = rooms.train.evaluate(networks)
    assert single.losses == pytest.approx(whole.losses, rel=1e-6)
    assert single.metrics == pytest.approx(whole.metrics, rel=1e-4, abs=1e-4)


def test_splits_share_no_image(scenes: Path) -> None:
    splits = load_dense("nyuv2", *SIZES.values(), scenes)
    images = [image for split in splits for image in split.batch(torch.arange(len(split)))[0]]
    assert len({image.numpy().tobytes() for image in images}) == sum(SIZES.values())
    assert len({split.sha256 for split in splits}) == 3


def test_the_sum_of_a_split_follows_what_is_in_it(scenes: Path, tmp_path: Path) -> None:
    folder = copied(scenes, tmp_path)
    before = load_dense("nyuv2", *SIZES.values(), folder)[1].sha256
    path = folder / "train" / "depth" / "4.npy"
    np.save(path, np.load(path) + np.float32(1))
    train_sum, after, _ = (split.sha256 for split in load_dense("nyuv2", *SIZES.values(), folder))
    assert after != before
    assert train_sum == load_dense("nyuv2", *SIZES.values(), scenes)[0].sha256


def copied(scenes: Path, folder: Path) -> Path:
    """NYUv2 of the fixture, to be damaged."""
    for path in (scenes / "nyuv2").rglob("*.npy"):
        target = folder / path.relative_to(scenes / "nyuv2")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return folder


def test_nobody_said_where_the_images_are() -> None:
    with pytest.raises(DataError, match=r"cityscapes can not be fetched.*--data-dir or FLATMTL_DATA"):
        load("cityscapes", 3, 2, 2)


def test_what_lacks_is_found_without_a_run(scenes: Path) -> None:
    assert find_lacks([spec()], scenes) == []
    many = spec(n_train=SIZES["n_train"] + 1)
    (lack,) = find_lacks([spec(), many], scenes)
    assert lack.specs == (many,)
    with pytest.raises(DataError) as error:
        load("nyuv2", many.n_train, many.n_validation, many.n_test, scenes)
    assert lack.reason == str(error.value)


def test_the_smaller_cityscapes_are_found_under_the_name_that_they_are_packed_with(
    scenes: Path, tmp_path: Path
) -> None:
    shutil.copytree(scenes / "cityscapes", tmp_path / "cityscapes2")
    assert [one.state for one in dense_status(tmp_path)][-2:] == ["absent", "there"]
    found, same = (load_dense("cityscapes", *SIZES.values(), folder) for folder in (tmp_path, scenes))
    assert [split.sha256 for split in found] == [split.sha256 for split in same]
    for part in ("train", "val"):
        (tmp_path / "cityscapes2" / part / "label").rename(tmp_path / "cityscapes2" / part / "label_7")
    renamed = load_dense("cityscapes", *SIZES.values(), tmp_path)
    assert [split.sha256 for split in renamed] == [split.sha256 for split in same]
    (tmp_path / "cityscapes2" / "val" / "label_7" / "0.npy").unlink()
    assert [one.state for one in dense_status(tmp_path)][-1] == "not as it should be"


def test_a_wrong_folder_and_too_few_images_are_named(scenes: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{tmp_path.name}.*train is missing"):
        load("nyuv2", 3, 2, 2, tmp_path)
    with pytest.raises(DataError, match="has 5 images, 6 are asked for"):
        load("nyuv2", 4, 2, 2, scenes)
    with pytest.raises(DataError, match="normal is missing"):
        load("nyuv2", 3, 2, 2, scenes / "cityscapes")


def test_a_file_that_is_cut_off_ends_the_loading(scenes: Path, tmp_path: Path) -> None:
    path = copied(scenes, tmp_path) / "train" / "image" / "1.npy"
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(DataError, match=r"1\.npy"):
        load("nyuv2", 3, 2, 2, tmp_path)


def test_a_class_out_of_range_ends_the_run_with_the_files_name(scenes: Path, tmp_path: Path) -> None:
    path = copied(scenes, tmp_path) / "train" / "label" / "2.npy"
    labels = np.load(path)
    labels[0, 0] = 13
    np.save(path, labels)
    with pytest.raises(DataError, match=r"2\.npy: holds 13, a label is one of 0 to 12"):
        run(spec(epochs=1), load("nyuv2", 3, 2, 2, tmp_path))


def test_models_and_problems_that_do_not_fit_are_refused(rooms: AnyProblem) -> None:
    with pytest.raises(ValueError, match="lenet"):
        build_model("lenet", 0, "rooms")
    with pytest.raises(ValueError, match="segnet"):
        build_model("segnet", 0, "multi_mnist")
    with pytest.raises(ValueError, match="dense prediction"):
        load_problem("rooms", 3, 2, 2)
    with pytest.raises(ValueError, match="asks for 4"):
        run(spec(n_train=4), rooms)


def test_a_large_split_is_read_anew(scenes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense_splits, "KEPT", 0)
    problem = load("nyuv2", *SIZES.values(), scenes)
    assert isinstance(problem, DenseProblem)
    assert isinstance(problem.train, DenseImages)
    first = problem.train.batch(torch.arange(3))[0]
    assert not problem.train.kept
    assert torch.equal(first, problem.train.batch(torch.arange(3))[0])


def test_the_status_tells_rendered_from_brought(
    scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLATMTL_CACHE", str(tmp_path))
    monkeypatch.setattr("experiments.dense_data.rendered_sizes", lambda kind: ((2, 1),))
    monkeypatch.setattr("experiments.dense_data.RENDERED_SIZES", {"rooms": (6, 8), "streets": (6, 8)})
    assert [one.state for one in dense_status()] == ["not rendered yet"] * 2 + ["absent"] * 2
    assert [one.state for one in dense_status(scenes, render=True)] == ["rendered"] * 2 + ["there"] * 2
    assert [one.state for one in dense_status(tmp_path)] == ["rendered"] * 2 + ["absent"] * 2
    assert describe_dense(scenes) == 0
    assert "nyuv2: 5 + 2 images" in capsys.readouterr().out
    copied(scenes, tmp_path / "nyuv2")
    (tmp_path / "nyuv2" / "val" / "depth" / "0.npy").unlink()
    assert describe_dense(tmp_path) == 1
    assert "lacks 0.npy" in capsys.readouterr().out


def test_records_of_classification_say_nothing_of_dense_problems(rooms: AnyProblem) -> None:
    result = run(spec(epochs=1), rooms)
    bare = msgspec.structs.replace(
        result,
        test_recent=(),
        epochs=tuple(msgspec.structs.replace(record, validation_metrics={}) for record in result.epochs),
    )
    text = msgspec.json.encode(bare)
    assert b"test_recent" not in text
    assert b"validation_metrics" not in text
