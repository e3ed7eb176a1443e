"""Runs as rows name them: settings that differ, repetitions over seeds, and what is not in the stores."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from experiments import catalog
from experiments.results import Result, find_result
from experiments.spec import ProfileName, Spec, method_label

METHOD_ORDER: tuple[str, ...] = (
    *("STL", "F-STL", "LS", "F-LS", "SAM-sum"),
    *(f + name for name in ("SI", "RLW", "DWA", "UW") for f in ("", "F-")),
    *(f + name for name in ("MGDA", "PCGrad", "CAGrad", "IMTL", "NashMTL", "FairGrad") for f in ("", "F-")),
)
"""The order of the paper's tables (Table 1 has no SI, RLW, DWA and UW; Table 3 has); other labels follow by name."""

AUTHORS: dict[str, str] = {
    "authors": "authors' code",
    "authors_times_tasks": "authors' code, MGDA times m",
    "authors_unit_rows": "authors' code, MGDA of unit rows",
}
"""Conventions as rows name them."""

RHO = "\N{GREEK SMALL LETTER RHO}"

PROBLEM_TITLES: dict[str, str] = {
    "multi_fashion": "MultiFashion",
    "multi_mnist": "MultiMNIST",
    "multi_fashion_mnist": "MultiFashion+MNIST",
    "adult": "Adult",
    "yeast": "Yeast",
    "vader": "VADER",
    "celeba": "CelebA",
    "drawn_faces": "drawn faces (not CelebA)",
    "nyuv2": "NYUv2",
    "cityscapes": "CityScapes",
    "rooms": "rendered rooms (not NYUv2)",
    "streets": "rendered streets (not CityScapes)",
}
"""The problems of the paper's Table 1 as it writes them and in its order, then ours."""

MODEL_TITLES = {
    "lenet": "LeNet",
    "resnet18": "ResNet-18",
    "mlp": "a perceptron with two hidden layers",
    "bag_of_words": "a mean of word embeddings with one hidden layer",
    "resnet18_colour": "ResNet-18",
    "resnet18_colour_narrow": "ResNet-18 with a sixteenth of the channels",
    "segnet": "SegNet",
    "segnet_narrow": "SegNet with an eighth of the channels",
    "mtan": "SegNet with attention (MTAN)",
    "mtan_narrow": "SegNet with attention (MTAN), an eighth of the channels",
}

NOUNS: dict[str, str] = {
    "adult": "people",
    "yeast": "genes",
    "vader": "texts",
    "celeba": "faces",
    "drawn_faces": "faces",
    "nyuv2": "images",
    "cityscapes": "images",
    "rooms": "images",
    "streets": "images",
}
"""What the examples of a problem are, where they are no overlays."""

PROTOCOL_FIELDS = ("model", "n_train", "n_validation", "n_test", "epochs", "batch_size", "learning_rate")


def method_rank(label: str) -> tuple[int, str]:
    """Sorting key that puts labels in the paper's order."""
    return (METHOD_ORDER.index(label) if label in METHOD_ORDER else len(METHOD_ORDER), label)


def problem_rank(problem: str) -> int:
    """Sorting key that puts problems in the paper's order."""
    return list(PROBLEM_TITLES).index(problem)


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and sample standard deviation (divisor n - 1); None for the deviation of a single value."""
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None


def differing_fields(specs: Iterable[Spec]) -> tuple[str, ...]:
    """Fields of the protocol that are not the same in all runs of one problem: they must be part of a row's name."""
    settings = {(spec.problem, *(getattr(spec, name) for name in PROTOCOL_FIELDS)) for spec in specs}
    problems = {problem for problem, *_ in settings}
    return tuple(
        name
        for index, name in enumerate(PROTOCOL_FIELDS, start=1)
        if any(len({one[index] for one in settings if one[0] == problem}) > 1 for problem in problems)
    )


def _plain(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def setting(spec: Spec, differing: Sequence[str] = ()) -> str:
    """What distinguishes runs of one method: radius, norm, the aggregator's options, and the ``differing`` fields."""
    parts = []
    if spec.rho_shared == spec.rho_heads != 0:
        parts.append(f"{RHO} = {spec.rho_shared:g}")
    elif spec.rho_shared or spec.rho_heads:
        parts.append(f"{RHO} shared = {spec.rho_shared:g}, {RHO} heads = {spec.rho_heads:g}")
    if spec.norm != "separate":
        parts.append(f"{spec.norm} norm")
    if spec.adaptive:
        parts.append("adaptive")
    if spec.conventions != "papers":
        parts.append(AUTHORS[spec.conventions])
    if spec.attention != "own":
        parts.append("attention counted as shared")
    parts += [f"{name} = {_plain(value)}" for name, value in (*spec.mode_options, *spec.aggregator_options)]
    parts += [f"{name} = {_plain(getattr(spec, name))}" for name in differing]
    return ", ".join(parts)


def repetitions(results: Sequence[Result]) -> dict[tuple[str, str, str], tuple[Result, ...]]:
    """Results that differ in nothing but their seed, by (problem, method label, setting), in the paper's order.

    Raises: ValueError when two results of one group have the same seed (they would count twice).
    """
    differing = differing_fields(result.spec for result in results)
    groups: dict[tuple[str, str, str], list[Result]] = {}

    def order_of(spec: Spec) -> tuple[float, float, str, int]:
        return spec.rho_shared, spec.rho_heads, setting(spec, differing), spec.seed

    for result in sorted(results, key=lambda result: order_of(result.spec)):
        spec = result.spec
        groups.setdefault((spec.problem, method_label(spec), setting(spec, differing)), []).append(result)
    for group, members in groups.items():
        seeds = [result.spec.seed for result in members]
        if len(set(seeds)) != len(seeds):
            raise ValueError(f"{' / '.join(group)}: seeds {seeds} repeat; give each run once.")
    order = sorted(groups, key=lambda group: (problem_rank(group[0]), method_rank(group[1])))
    return {group: tuple(groups[group]) for group in order}


def protocol(specs: Sequence[Spec]) -> str:
    """The setting that all these runs share, as a phrase for captions, problems of one setting together.

    What differs within a problem is left to the rows.
    """
    differing = differing_fields(specs)
    groups: dict[str, set[str]] = {}
    for spec in specs:
        groups.setdefault(_phrase(spec, differing), set()).add(spec.problem)
    parts = [
        f"{', '.join(PROBLEM_TITLES[problem] for problem in sorted(problems, key=problem_rank))}: {phrase}"
        if len(groups) > 1
        else phrase
        for phrase, problems in groups.items()
    ]
    return f"Profile {specs[0].profile}: {'; '.join(parts)}"


def _phrase(spec: Spec, differing: Sequence[str]) -> str:
    noun = NOUNS.get(spec.problem, "overlays")
    phrases = {
        "model": MODEL_TITLES[spec.model],
        "n_train": f"{spec.n_train:,} training {noun}",
        "n_validation": f"{spec.n_validation:,} validation {noun}",
        "n_test": f"{spec.n_test:,} test {noun}",
        "epochs": f"{spec.epochs} epochs",
        "batch_size": f"batch {spec.batch_size}",
        "learning_rate": f"Adam {spec.learning_rate:g}",
    }
    return ", ".join(text for name, text in phrases.items() if name not in differing)


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """What no store has, and the one command that makes it. ``rows``: which of it, where it is not all."""

    what: str
    command: str
    rows: tuple[str, ...] = ()


def collect(profile: ProfileName, stores: Sequence[Path]) -> tuple[tuple[Result, ...], Missing | None]:
    """The catalog's runs of a profile from the first store that has each, and what is lacking (None: nothing)."""
    specs = catalog.specs(profile)
    found = {spec: find_result(stores, spec) for spec in specs}
    results = tuple(result for result in found.values() if result is not None)
    if len(results) == len(specs):
        return results, None
    seeds: dict[str, list[int]] = {}
    differing = differing_fields(specs)
    lacking = sorted(
        (spec for spec, result in found.items() if result is None),
        key=lambda spec: (problem_rank(spec.problem), method_rank(method_label(spec)), spec.rho_shared, spec.seed),
    )
    for spec in lacking:
        label = f"{PROBLEM_TITLES[spec.problem]}: {method_label(spec)}"
        details = setting(spec, differing)
        seeds.setdefault(f"{label} ({details})" if details else label, []).append(spec.seed)
    rows = tuple(
        f"{row}, {'seed' if len(values) == 1 else 'seeds'} {', '.join(map(str, values))}"
        for row, values in seeds.items()
    )
    missing = Missing(
        what=f"Profile {profile}: {len(lacking):,} of {len(specs):,} runs",
        command=f"python -m experiments run {profile}",
        rows=rows if results else (),
    )
    return results, missing
