"""The cheaper variants: they resume, cost what is counted, and leave nothing perturbed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from experiments.cheaper.batch import Cut, ImageBatch
from experiments.cheaper.schedules import EveryKth, LatePhase, RandomSteps
from experiments.cheaper.second_passes import SAMO, LastLayers, PartOfBatch, SharedPerturbation
from experiments.cheaper.variant import START, State, Variant
from experiments.models import MultiTaskModel
from experiments.models.lenet import LeNetTrunk
from flatmtl_core import InvalidInput, PCGrad, Workspace
from tests.experiments.cheaper_steps import (
    ALL,
    EXAMPLES,
    batch,
    network,
    setup_of,
    step,
)


@pytest.mark.parametrize("name", ALL)
def test_a_run_that_is_stopped_and_resumed_is_the_same(name: str) -> None:
    variant = ALL[name]

    def run(stop: int | None) -> list[Tensor]:
        model = network()
        setup, state = setup_of(model), START
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        for number in range(6):
            if number == stop:
                assert setup.generator is not None
                kept = (
                    model.state_dict(),
                    optimizer.state_dict(),
                    setup.generator.get_state(),
                    state.steps,
                    state.flat,
                )
                model = network()
                setup = setup_of(model)
                optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
                assert setup.generator is not None
                model.load_state_dict(kept[0])
                optimizer.load_state_dict(kept[1])
                setup.generator.set_state(kept[2])
                state = State(kept[3], None if kept[4] is None else kept[4].clone())
            optimizer.zero_grad()
            state = variant.step(setup, batch(model, seed=number), state)
            optimizer.step()
        return [parameter.detach() for parameter in model.parameters()]

    whole = run(None)
    for stop in (1, 4):
        assert all(torch.equal(a, b) for a, b in zip(run(stop), whole, strict=True))


@dataclass
class Tally:
    """Forwards and backwards in passes of the whole network over the whole batch."""

    behind: float
    forwards: float = 0.0
    backwards: float = 0.0
    shares: dict[int, float] = field(default_factory=dict)
    alive: list[Tensor] = field(default_factory=list)

    def count(self, share: float, values: Sequence[Tensor]) -> list[Tensor]:
        for value in values:
            self.shares[id(value)] = share
            self.alive.append(value)
        return list(values)


@dataclass(frozen=True)
class CountedBatch:
    """A batch whose passes are counted; one behind the cut is worth ``behind``, one on a part its share."""

    batch: ImageBatch
    tally: Tally
    share: float = 1.0

    def __call__(self, tasks: tuple[int, ...]) -> list[Tensor]:
        self.tally.forwards += self.share
        return self.tally.count(self.share, self.batch(tasks))

    @property
    def examples(self) -> int:
        return self.batch.examples

    @property
    def behind(self) -> Sequence[nn.Module]:
        return self.batch.behind

    def part(self, start: int, stop: int) -> "CountedBatch":
        return CountedBatch(self.batch.part(start, stop), self.tally, (stop - start) / self.batch.examples)

    def prefix(self) -> Tensor:
        self.tally.forwards += 1 - self.tally.behind
        return self.batch.prefix()

    def suffix(self, activations: Tensor, tasks: tuple[int, ...]) -> list[Tensor]:
        self.tally.forwards += self.tally.behind
        return self.tally.count(1.0, self.batch.suffix(activations, tasks))


@pytest.fixture
def count_backwards(monkeypatch: pytest.MonkeyPatch) -> Callable[[Tally, Tensor], None]:
    """Counts calls of torch.autograd.grad: whole where they reach the trunk's first parameter."""
    grad = torch.autograd.grad

    def install(tally: Tally, first: Tensor) -> None:
        def counted(loss: Tensor, parameters: Sequence[Tensor], **options: Any) -> Any:
            whole = any(parameter is first for parameter in parameters)
            tally.backwards += tally.shares.get(id(loss), 1.0) * (1.0 if whole else tally.behind)
            return grad(loss, parameters, **options)

        monkeypatch.setattr(torch.autograd, "grad", counted)

    return install


BEHIND = 0.25
COUNTED: dict[str, tuple[Variant[Any], int]] = {
    "every third step": (EveryKth(3), 6),
    "every third step, stale": (EveryKth(3, between="stale"), 6),
    "late phase": (LatePhase(2, 5), 5),
    "part of the batch": (PartOfBatch(0.25), 1),
    "shared perturbation": (SharedPerturbation(), 1),
    "last layers": (LastLayers("last", BEHIND), 1),
    "last layers, all gradients": (LastLayers("all", BEHIND), 1),
    "SAMO": (SAMO(), 1),
}


@pytest.mark.parametrize("name", COUNTED)
@pytest.mark.parametrize("m", [1, 2])
def test_costs_are_the_passes_that_are_counted(
    name: str, m: int, count_backwards: Callable[[Tally, Tensor], None]
) -> None:
    variant, steps = COUNTED[name]
    model, tally = network(m), Tally(BEHIND)
    setup, state = setup_of(model), START
    count_backwards(tally, model.shared_parameters()[0])
    for _ in range(steps):
        state = variant.step(setup, CountedBatch(batch(model), tally), state)
    for f in (0.2, 0.5):
        counted = (tally.forwards * f + tally.backwards * (1 - f)) / steps
        assert variant.cost(m, f) == pytest.approx(counted, rel=1e-12)


def test_the_cost_of_random_steps_is_that_of_the_share_they_took(
    count_backwards: Callable[[Tally, Tensor], None],
) -> None:
    model, tally = network(), Tally(BEHIND)
    setup = setup_of(model)
    count_backwards(tally, model.shared_parameters()[0])
    taken = float((torch.rand(10, generator=torch.Generator().manual_seed(3)) < 0.5).double().mean())
    for _ in range(10):
        RandomSteps(0.5).step(setup, CountedBatch(batch(model), tally))
    counted = (tally.forwards * 0.3 + tally.backwards * 0.7) / 10
    assert RandomSteps(taken).cost(2, 0.3) == pytest.approx(counted, rel=1e-12)


class LossFailure(Exception):
    """What a loss raises: no class that the variants know."""


class NoisyTrunk(nn.Module):
    """Two stages, each with batch normalisation and dropout: buffers and random numbers that a step moves."""

    def __init__(self, trunk: LeNetTrunk) -> None:
        super().__init__()
        self.first = nn.Sequential(trunk, nn.BatchNorm1d(50), nn.Dropout(0.2)).double()
        self.last = nn.Sequential(nn.Linear(50, 50), nn.BatchNorm1d(50), nn.Dropout(0.2)).double()

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.last(self.first(images))
        return features

    def cut(self) -> Cut:
        return Cut(self.first, self.last, [self.last])


@dataclass
class FailingBatch:
    """Raises at the n-th evaluation of losses, whole, of a part or of the suffix."""

    batch: ImageBatch
    fails_at: int
    calls: int = 0

    def _count(self) -> None:
        self.calls += 1
        if self.calls == self.fails_at:
            raise LossFailure

    def __call__(self, tasks: tuple[int, ...]) -> list[Tensor]:
        values = self.batch(tasks)
        self._count()
        return values

    @property
    def examples(self) -> int:
        return self.batch.examples

    @property
    def behind(self) -> Sequence[nn.Module]:
        return self.batch.behind

    def part(self, start: int, stop: int) -> Callable[[tuple[int, ...]], list[Tensor]]:
        part = self.batch.part(start, stop)

        def losses(tasks: tuple[int, ...]) -> list[Tensor]:
            values = part(tasks)
            self._count()
            return values

        return losses

    def prefix(self) -> Tensor:
        return self.batch.prefix()

    def suffix(self, activations: Tensor, tasks: tuple[int, ...]) -> list[Tensor]:
        values = self.batch.suffix(activations, tasks)
        self._count()
        return values


def noisy_batch() -> ImageBatch:
    torch.manual_seed(11)
    lenet = network()
    plain = batch(lenet)
    assert isinstance(lenet.trunk, LeNetTrunk)
    trunk = NoisyTrunk(lenet.trunk)
    return ImageBatch(MultiTaskModel(trunk, list(lenet.heads)), plain.images, plain.labels, trunk.cut())


def everything(model: nn.Module, generator: torch.Generator | None) -> list[Tensor]:
    """Parameters, buffers, which gradients there are, and the random states."""
    assert generator is not None
    values = [value.detach().clone() for value in (*model.parameters(), *model.buffers())]
    missing = [torch.tensor(parameter.grad is None) for parameter in model.parameters()]
    return [*values, *missing, torch.get_rng_state(), generator.get_state()]


@pytest.mark.parametrize("name", ALL)
def test_nothing_stays_perturbed_whenever_the_losses_fail(name: str) -> None:
    losses = noisy_batch()
    setup = setup_of(losses.model, PCGrad(), generator=torch.Generator().manual_seed(0))  # an exact step is drawn
    before, start = everything(losses.model, setup.generator), State(2) if name == "late phase" else START
    evaluations = 0
    while True:
        try:
            ALL[name].step(setup, FailingBatch(losses, evaluations + 1), start)
        except LossFailure:
            evaluations += 1
            after = everything(losses.model, setup.generator)
            assert all(torch.equal(a, b) for a, b in zip(after, before, strict=True))
            continue
        break
    assert evaluations >= 2
    assert all(torch.equal(a, b) for a, b in zip(losses.model.parameters(), before, strict=False))


@pytest.mark.parametrize("name", ALL)
def test_a_step_leaves_buffers_and_random_numbers_as_its_first_pass_does(name: str) -> None:
    """Everything as after one evaluation of all losses; a part of the batch is two evaluations."""
    losses = noisy_batch()
    setup = setup_of(losses.model)
    state = torch.get_rng_state()
    if name == "part of the batch":
        losses.part(0, 3)((0, 1))
        losses.part(3, EXAMPLES)((0, 1))
    else:
        losses((0, 1))
    wanted = [*(buffer.clone() for buffer in losses.model.buffers()), torch.get_rng_state()]
    again = noisy_batch()
    torch.set_rng_state(state)
    ALL[name].step(replace(setup_of(again.model), generator=setup.generator), again)
    found = [*again.model.buffers(), torch.get_rng_state()]
    assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (lambda: EveryKth(0), "k"),
        (lambda: EveryKth(2, between="other"), "between"),  # type: ignore[arg-type]
        (lambda: RandomSteps(1.5), "p"),
        (lambda: LatePhase(6, 5), "start"),
        (lambda: PartOfBatch(0.0), "share"),
        (lambda: LastLayers("first"), "reach"),  # type: ignore[arg-type]
        (lambda: SAMO(alpha=-0.1), "alpha"),
        (lambda: SAMO(mu=0.0), "mu"),
    ],
)
def test_options_that_mean_nothing_are_refused(make: Callable[[], object], where: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        make()
    assert refused.value.where == where


@pytest.mark.parametrize("variant", [RandomSteps(0.5), SAMO()])
def test_a_variant_that_draws_needs_a_generator(variant: Variant[Any]) -> None:
    model = network()
    with pytest.raises(InvalidInput) as refused:
        variant.step(setup_of(model, generator=None), batch(model))
    assert refused.value.where == "generator"


def test_a_cut_behind_all_layers_is_refused() -> None:
    model = network()
    losses = batch(model)
    assert losses.cut is not None
    with pytest.raises(InvalidInput) as refused:
        LastLayers().step(setup_of(model), replace(losses, cut=replace(losses.cut, behind=[])))
    assert refused.value.where == "losses.behind"


def test_kept_buffers_do_not_show() -> None:
    """Steps of different variants through one workspace, and through fresh ones."""
    model = network()
    kept = setup_of(model, workspace=Workspace())
    for variant in ALL.values():
        one = step(variant, replace(kept, generator=torch.Generator().manual_seed(3)), batch(model))[0]
        assert all(torch.equal(a, b) for a, b in zip(one, step(variant, setup_of(model), batch(model))[0], strict=True))
