"""What a run is: every choice that can change its numbers, and the key that follows from them. No torch here."""

import hashlib
from typing import Literal, TypeAlias

import msgspec

ProfileName: TypeAlias = Literal["smoke", "laptop", "paper"]
ProblemName: TypeAlias = Literal[
    "multi_mnist",
    "multi_fashion",
    "multi_fashion_mnist",
    "adult",
    "yeast",
    "vader",
    "celeba",
    "drawn_faces",
    "rooms",
    "streets",
    "nyuv2",
    "cityscapes",
]
ModelName: TypeAlias = Literal[
    "lenet",
    "resnet18",
    "mlp",
    "bag_of_words",
    "resnet18_colour",
    "resnet18_colour_narrow",
    "segnet",
    "segnet_narrow",
    "mtan",
    "mtan_narrow",
]
DenseTask: TypeAlias = Literal["segmentation", "depth", "normals"]
AggregatorName: TypeAlias = Literal[
    "Mean",
    "MGDA",
    "PCGrad",
    "CAGrad",
    "IMTLG",
    "NashMTL",
    "FairGrad",
    "GradDrop",
    "UPGrad",
    "DualProj",
    "AlignedMTL",
    "ConFIG",
]
LossWeightingName: TypeAlias = Literal["SI", "RLW", "DWA", "UW"]
"""Methods whose weights follow from the losses: see `experiments.loss_weightings`."""
MethodName: TypeAlias = AggregatorName | LossWeightingName
VariantMode: TypeAlias = Literal[
    "gsam",
    "samo",
    "every_kth",
    "random_steps",
    "late_phase",
    "part_of_batch",
    "shared_perturbation",
    "last_layers",
]
"""Other methods than the paper's: see `experiments.variants`."""
Mode: TypeAlias = Literal["erm", "decomposed", "direct", "second", "each", "sam_sum", "stl", "sam_stl"] | VariantMode
Schedule: TypeAlias = Literal["constant", "halved"]
Augmentation: TypeAlias = Literal["none", "scale_crop_flip"]
Attention: TypeAlias = Literal["own", "shared"]
"""What a task's attention counts as in the parameters of MTAN: part of its head, or of the shared block."""
Conventions: TypeAlias = Literal["papers", "authors", "authors_times_tasks", "authors_unit_rows"]
"""Whose formulas the aggregators follow: see `experiments.presets`."""

CLASSES: dict[ProblemName, tuple[int, ...]] = {
    "multi_mnist": (10, 10),
    "multi_fashion": (10, 10),
    "multi_fashion_mnist": (10, 10),
    "adult": (2, 2, 2, 2),
    "yeast": (2,) * 14,
    "vader": (3, 2, 4),
    "celeba": (2,) * 40,
    "drawn_faces": (2,) * 40,
}
"""Number of classes of every task of a problem that classifies examples."""

DENSE: dict[ProblemName, tuple[tuple[DenseTask, ...], int]] = {
    "rooms": (("segmentation", "depth", "normals"), 13),
    "streets": (("segmentation", "depth"), 7),
    "nyuv2": (("segmentation", "depth", "normals"), 13),
    "cityscapes": (("segmentation", "depth"), 7),
}
"""Tasks of the problems of dense prediction, and the number of classes of their segmentation."""

REVISIONS: dict[str, int] = {
    "protocol": 1,
    "data": 1,
    "step": 2,
    "Mean": 1,
    "MGDA": 1,
    "PCGrad": 1,
    "CAGrad": 1,
    "IMTLG": 1,
    "NashMTL": 1,
    "FairGrad": 1,
    "GradDrop": 1,
    "UPGrad": 1,
    "DualProj": 1,
    "AlignedMTL": 1,
    "ConFIG": 1,
    "SI": 1,
    "RLW": 1,
    "DWA": 1,
    "UW": 1,
    "gsam": 1,
    "samo": 1,
    "every_kth": 1,
    "random_steps": 1,
    "late_phase": 1,
    "part_of_batch": 1,
    "shared_perturbation": 1,
    "last_layers": 1,
}
"""Raise a number when a change alters what a Spec computes: stored results of that method then count as missing."""


LATER: frozenset[str] = frozenset({"mode_options", "conventions", "augmentation", "schedule", "attention"})
"""Fields that came after results were stored: at their default they are left out of the key, so old keys still hold."""


class Spec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One training run. Two runs with equal specs (and revisions) have the same key and the same result.

    ``mode``: ``erm`` (plain gradients), ``decomposed`` / ``direct`` / ``second`` / ``each`` (the step's ``combine``),
    ``sam_sum`` (SAM on the mean loss, one perturbation), ``stl`` / ``sam_stl`` (one network a task), or a variant.
    ``mode_options`` are a variant's keyword arguments, sorted by name.
    ``aggregator`` is a gradient aggregator or a weighting of the losses (``erm``, ``decomposed`` and ``direct`` only).
    ``aggregator_options`` are its keyword arguments, sorted by name; with ``conventions`` other than
    ``papers`` it has those of the authors' code instead. Radii are 0 for ``erm`` and ``stl``.
    ``schedule``: ``halved`` takes half the learning rate from half of the epochs on. ``augmentation``: of dense
    problems. ``attention``: of MTAN, ``shared`` counts the tasks' attentions as shared parameters, as the authors do.
    """

    profile: ProfileName
    problem: ProblemName
    model: ModelName
    aggregator: MethodName
    mode: Mode
    mode_options: tuple[tuple[str, float | str], ...] = ()
    conventions: Conventions = "papers"
    seed: int
    aggregator_options: tuple[tuple[str, float | str], ...] = ()
    rho_shared: float = 0.0
    rho_heads: float = 0.0
    norm: Literal["separate", "joint"] = "separate"
    adaptive: bool = False
    n_train: int
    n_validation: int
    n_test: int
    epochs: int
    batch_size: int
    learning_rate: float = 1e-3
    schedule: Schedule = "constant"
    augmentation: Augmentation = "none"
    attention: Attention = "own"
    probe_batches: int = 8
    probe_rho: float = 0.05


_VARIANT_LABELS: dict[str, str] = {
    "every_kth": "every k-th step",
    "random_steps": "random steps",
    "late_phase": "late phase",
    "part_of_batch": "part of the batch",
    "shared_perturbation": "one perturbation",
    "last_layers": "last layers",
}


def method_label(spec: Spec) -> str:
    """The name that tables show: ``LS``, ``F-LS``, ``MGDA``, ``F-MGDA``, ``direct CAGrad``, ``STL``, ``SAM-sum`` ..."""
    base = {"Mean": "LS", "IMTLG": "IMTL"}.get(spec.aggregator, spec.aggregator)
    match spec.mode:
        case "erm":
            return base
        case "decomposed":
            return f"F-{base}"
        case "sam_sum":
            return "SAM-sum"
        case "stl":
            return "STL"
        case "sam_stl":
            return "F-STL"
        case "second" | "each":
            return f"{spec.mode}-aggregation {base}"
        case "gsam":
            return "GSAM"
        case "samo":
            return f"SAMO {base}"
        case "direct":
            return f"direct {base}"
        case mode:
            return f"F-{base}, {_VARIANT_LABELS[mode]}"


def spec_key(spec: Spec) -> str:
    """Content key: 16 hexadecimal digits of the SHA-256 of the spec's canonical JSON and of its revisions."""
    names = ("protocol", "data", "step", spec.aggregator, *((spec.mode,) if spec.mode in REVISIONS else ()))
    revisions = {name: REVISIONS[name] for name in names}
    defaults = {field.name: field.default for field in msgspec.structs.fields(Spec)}
    choices = {
        name: value
        for name, value in msgspec.structs.asdict(spec).items()
        if name not in LATER or value != defaults[name]
    }
    content = msgspec.json.encode({"spec": choices, "revisions": revisions}, order="sorted")
    return hashlib.sha256(content).hexdigest()[:16]
