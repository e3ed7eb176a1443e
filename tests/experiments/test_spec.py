"""The key of a run follows from every choice that can change its numbers, and from nothing else."""

from typing import Any

import msgspec
import pytest

from experiments import spec as spec_module
from experiments.spec import Spec, method_label, spec_key
from tests.experiments.tiny_problem import tiny_spec

OTHER_VALUES: dict[str, Any] = {
    "profile": "laptop",
    "problem": "multi_fashion",
    "model": "resnet18",
    "aggregator": "MGDA",
    "mode": "direct",
    "mode_options": (("alpha", 0.4),),
    "conventions": "authors",
    "seed": 1,
    "aggregator_options": (("c", 0.4),),
    "rho_shared": 0.06,
    "rho_heads": 0.06,
    "norm": "joint",
    "adaptive": True,
    "n_train": 81,
    "n_validation": 41,
    "n_test": 42,
    "epochs": 3,
    "batch_size": 33,
    "learning_rate": 2e-3,
    "schedule": "halved",
    "augmentation": "scale_crop_flip",
    "attention": "shared",
    "probe_batches": 2,
    "probe_rho": 0.06,
}


def test_every_field_has_another_value_here() -> None:
    assert set(OTHER_VALUES) == set(Spec.__struct_fields__)


@pytest.mark.parametrize("field", OTHER_VALUES)
def test_every_field_changes_the_key(field: str) -> None:
    assert spec_key(tiny_spec(**{field: OTHER_VALUES[field]})) != spec_key(tiny_spec())


def test_key_survives_json() -> None:
    spec = tiny_spec(aggregator="FairGrad", aggregator_options=(("alpha", 2.0), ("scale", "norm")))
    again = msgspec.json.decode(msgspec.json.encode(spec), type=Spec)
    assert again == spec
    assert spec_key(again) == spec_key(spec)
    assert len(spec_key(spec)) == 16


@pytest.mark.parametrize(
    ("revision", "changes"),
    [("protocol", True), ("data", True), ("step", True), ("Mean", True), ("MGDA", False), ("SI", False)],
)
def test_key_follows_the_revisions_that_the_run_depends_on(
    revision: str, changes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = spec_key(tiny_spec(aggregator="Mean"))
    monkeypatch.setitem(spec_module.REVISIONS, revision, 1_000)
    assert (spec_key(tiny_spec(aggregator="Mean")) != before) is changes


def test_an_unknown_field_is_refused() -> None:
    raw = msgspec.to_builtins(tiny_spec()) | {"momentum": 0.9}
    with pytest.raises(msgspec.ValidationError, match="momentum"):
        msgspec.convert(raw, Spec)


@pytest.mark.parametrize(
    ("aggregator", "mode", "label"),
    [
        ("Mean", "erm", "LS"),
        ("Mean", "decomposed", "F-LS"),
        ("IMTLG", "decomposed", "F-IMTL"),
        ("CAGrad", "direct", "direct CAGrad"),
        ("MGDA", "second", "second-aggregation MGDA"),
        ("PCGrad", "each", "each-aggregation PCGrad"),
        ("Mean", "sam_sum", "SAM-sum"),
        ("Mean", "stl", "STL"),
        ("Mean", "gsam", "GSAM"),
        ("MGDA", "samo", "SAMO MGDA"),
        ("IMTLG", "every_kth", "F-IMTL, every k-th step"),
        ("Mean", "late_phase", "F-LS, late phase"),
        ("Mean", "sam_stl", "F-STL"),
    ],
)
def test_labels(aggregator: str, mode: str, label: str) -> None:
    assert method_label(tiny_spec(aggregator=aggregator, mode=mode)) == label
