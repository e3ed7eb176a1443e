"""Parts of the data and what has seen them: a prior that has seen the bound's part is refused."""

from dataclasses import dataclass

from torch import Tensor

from experiments.metrics import Examples
from experiments.models import MultiTaskModel
from experiments.splits import Split
from theory.bounds.quantities import InvalidBound


@dataclass(frozen=True)
class Part:
    """Examples that go together, under a name of their own."""

    name: str
    examples: Examples
    labels: Tensor

    def __len__(self) -> int:
        return len(self.examples)

    def overlaps(self, other: "Part") -> bool:
        """Whether both have the same name, or labels in the same memory."""
        own, others = _span(self.labels), _span(other.labels)
        return self.name == other.name or (own.start < others.stop and others.start < own.stop)


def _span(values: Tensor) -> range:
    """The bytes that a contiguous tensor lies in."""
    start = values.data_ptr()
    return range(start, start + values.numel() * values.element_size())


def cut(split: Split, n_first: int, names: tuple[str, str]) -> tuple[Part, Part]:
    """The first ``n_first`` examples and the others.

    Raises:
        InvalidBound: one of the parts would be empty.
    """
    if not 0 < n_first < len(split.examples):
        rule = f"between 1 and {len(split.examples) - 1}"
        raise InvalidBound("n_prior", n_first, rule, "Leave examples for the prior and for the bound.")
    first, second = names
    return (
        Part(first, split.examples[:n_first], split.labels[:n_first]),
        Part(second, split.examples[n_first:], split.labels[n_first:]),
    )


@dataclass(frozen=True)
class Prior:
    """The centre of a Gaussian prior, its standard deviation for each tensor at scale 1, and what they have seen."""

    centre: MultiTaskModel
    deviations: tuple[float, ...]
    seen: tuple[Part, ...]

    def check_unseen(self, part: Part) -> None:
        """Refuse a part that the prior depends on.

        Raises:
            InvalidBound: the part is among those seen.
        """
        if any(part.overlaps(own) for own in self.seen):
            rule = f"none that the prior has seen ({', '.join(own.name for own in self.seen)})"
            raise InvalidBound("the bound's part", repr(part.name), rule, "Bound on the part that was left out.")


def prior_of(centre: MultiTaskModel, parts: tuple[Part, ...]) -> Prior:
    """Each tensor's deviation is the root mean square of its entries (1 for a tensor of zeros)."""
    sizes = [float(parameter.detach().double().square().mean().sqrt()) for parameter in centre.parameters()]
    return Prior(centre, tuple(size or 1.0 for size in sizes), parts)
