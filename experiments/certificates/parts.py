"""Parts of the data and what has seen them: a prior that has seen the bound's part is refused.

A part counts independent examples: people, images of which no two share a source, rendered scenes of a seed each. Of
maps the example is the image. Its pixels are not independent, so its loss is one number: the mean over its valid
pixels. An image without a valid pixel has loss 0 and is counted: left out, the number of examples would be random. A
certificate is about the expectation of this loss, in which such images are 0; `DensePart.blank` counts them.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import torch
from jaxtyping import Float32
from torch import Tensor

from experiments.dense_splits import DenseImages
from experiments.metrics import Examples, to_input
from experiments.models import MultiTaskModel
from experiments.splits import AnySplit, Batch, Split
from experiments.targets import ClassTargets, DenseTargets
from theory.bounds.quantities import InvalidBound


@dataclass(frozen=True)
class AnyPart(ABC):
    """Examples that go together, under a name of their own."""

    name: str

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def batch(self, chosen: Tensor | slice) -> Batch:
        """Inputs of a network, and what they are to be mapped to."""

    @abstractmethod
    def some(self, name: str, chosen: slice) -> "AnyPart":
        """A part of this part, in the same memory."""

    @property
    @abstractmethod
    def held(self) -> tuple[Tensor, ...]:
        """Tensors in memory that no part of other examples shares."""

    @property
    def sums(self) -> frozenset[str]:
        """Of each example, where equal ones can not be different examples."""
        return frozenset()

    def overlaps(self, other: "AnyPart") -> bool:
        """Whether both have the same name, anything in the same memory, or an example of the same sum."""
        return self.name == other.name or _touch(self.held, other.held) or not self.sums.isdisjoint(other.sums)


@dataclass(frozen=True)
class Part(AnyPart):
    """Examples with one class a task."""

    examples: Examples
    labels: Tensor

    def __len__(self) -> int:
        return len(self.examples)

    def batch(self, chosen: Tensor | slice) -> Batch:
        return to_input(self.examples[chosen]), ClassTargets(self.labels[chosen])

    def some(self, name: str, chosen: slice) -> "Part":
        return Part(name, self.examples[chosen], self.labels[chosen])

    @property
    def held(self) -> tuple[Tensor, ...]:
        return (self.labels,)


@dataclass(frozen=True)
class DensePart(AnyPart):
    """Images with maps: the example is the image, see above."""

    images: Float32[Tensor, "n 3 h w"]
    targets: DenseTargets

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, chosen: Tensor | slice) -> Batch:
        return self.images[chosen], DenseTargets(tuple((name, maps[chosen]) for name, maps in self.targets.maps))

    def some(self, name: str, chosen: slice) -> "DensePart":
        maps = tuple((task, values[chosen]) for task, values in self.targets.maps)
        return DensePart(name, self.images[chosen], DenseTargets(maps))

    @property
    def held(self) -> tuple[Tensor, ...]:
        return (self.images, *(maps for _, maps in self.targets.maps))

    @cached_property
    def sums(self) -> frozenset[str]:
        """SHA-256 of the pixels of each image: a copy, or the same file read again, is the same image."""
        return frozenset(hashlib.sha256(image.numpy().tobytes()).hexdigest() for image in self.images)

    def blank(self) -> tuple[int, ...]:
        """By task, how many images have no valid pixel."""
        known = [self.targets.known(task) for task in range(self.targets.tasks)]
        return tuple(int((~one.flatten(1).any(1)).sum()) for one in known)


def _touch(own: Sequence[Tensor], others: Sequence[Tensor]) -> bool:
    spans = [(_span(one), _span(other)) for one in own for other in others]
    return any(one.start < other.stop and other.start < one.stop for one, other in spans)


def _span(values: Tensor) -> range:
    """The bytes that a contiguous tensor lies in."""
    start = values.data_ptr()
    return range(start, start + values.numel() * values.element_size())


@overload
def part_of(split: Split, name: str) -> Part: ...
@overload
def part_of(split: AnySplit, name: str) -> AnyPart: ...
def part_of(split: AnySplit, name: str) -> AnyPart:
    """A whole split.

    Raises:
        TypeError: a split of another kind than those of `experiments.splits`.
    """
    match split:
        case Split():
            return Part(name, split.examples, split.labels)
        case DenseImages():
            images, targets = split.batch(torch.arange(len(split)))
            assert isinstance(targets, DenseTargets)
            return DensePart(name, images, targets)
    raise TypeError(f"a split is {type(split).__name__}: use Split or DenseImages.")


@overload
def cut(split: Split, n_first: int, names: tuple[str, str]) -> tuple[Part, Part]: ...
@overload
def cut(split: AnySplit, n_first: int, names: tuple[str, str]) -> tuple[AnyPart, AnyPart]: ...
def cut(split: AnySplit, n_first: int, names: tuple[str, str]) -> tuple[AnyPart, AnyPart]:
    """The first ``n_first`` examples and the others.

    Raises:
        InvalidBound: one of the parts would be empty.
    """
    if not 0 < n_first < len(split):
        rule = f"between 1 and {len(split) - 1}"
        raise InvalidBound("n_prior", n_first, rule, "Leave examples for the prior and for the bound.")
    whole, (first, second) = part_of(split, "whole"), names
    return whole.some(first, slice(n_first)), whole.some(second, slice(n_first, None))


@dataclass(frozen=True)
class Prior:
    """The centre of a Gaussian prior, its standard deviation for each tensor at scale 1, and what they have seen."""

    centre: MultiTaskModel
    deviations: tuple[float, ...]
    seen: tuple[AnyPart, ...]

    def check_unseen(self, part: AnyPart) -> None:
        """Refuse a part that the prior depends on.

        Raises:
            InvalidBound: the part is among those seen.
        """
        if any(part.overlaps(own) for own in self.seen):
            rule = f"none that the prior has seen ({', '.join(own.name for own in self.seen)})"
            raise InvalidBound("the bound's part", repr(part.name), rule, "Bound on the part that was left out.")


def prior_of(centre: MultiTaskModel, parts: tuple[AnyPart, ...]) -> Prior:
    """Each tensor's deviation is the root mean square of its entries (1 for a tensor of zeros)."""
    sizes = [float(parameter.detach().double().square().mean().sqrt()) for parameter in centre.parameters()]
    return Prior(centre, tuple(size or 1.0 for size in sizes), parts)
