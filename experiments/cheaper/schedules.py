"""Variants that take the exact step on some iterations only, and the base step on the others."""

from dataclasses import dataclass
from typing import Literal

import torch

from experiments.cheaper.variant import START, LossFunction, Setup, State, base_cost, check_share
from flatmtl_core.errors import InvalidInput, check_choice
from flatmtl_core.types import Aggregator, Direction, TaskGrads


@dataclass(frozen=True)
class EveryKth:
    """Step t has the exact flat part when k divides t; between, none or the last one.

    ``A(g^loss) + A(g^flat)`` for t = 0, k, 2k, ..; between: ``A(g^loss)`` (``base``), or ``A(g^loss)`` plus the last
    ``A(g^flat)`` as it was (``stale``). Heads receive their SAM gradient every k-th time, else their loss gradient.

    Cost: ``f + m(1-f) + m/k``; ``stale`` keeps d more numbers. k = 1 is the exact step.

    LookSAM (Liu et al., CVPR 2022) has such a schedule for one task, but keeps only the part of the flat gradient that
    is orthogonal to the loss gradient, rescaled; this variant keeps the aggregated flat direction as it is.

    Args:
        k: period in steps, >= 1.
        between: see above.
    """

    k: int
    between: Literal["base", "stale"] = "base"

    def __post_init__(self) -> None:
        check_choice("between", self.between, ("base", "stale"))
        if not isinstance(self.k, int) or self.k < 1:
            raise InvalidInput("no such period", "k", self.k, "an integer >= 1", "k = 1 is the exact step")

    def cost(self, m: int, f: float) -> float:
        return base_cost(m, f) + m / self.k

    def step(self, setup: Setup, losses: LossFunction, state: State = START) -> State:
        exact = state.steps % self.k == 0
        if self.between == "base":
            setup.backward(losses, flat=exact)
            return State(state.steps + 1)
        if exact:
            listening = Listening(setup.aggregator)
            setup.backward(losses, flat=True, aggregator=listening)
            return State(state.steps + 1, listening.flat)
        aggregator = setup.aggregator if state.flat is None else _Plus(setup.aggregator, state.flat)
        setup.backward(losses, flat=False, aggregator=aggregator)
        return State(state.steps + 1, state.flat)


@dataclass(frozen=True)
class RandomSteps:
    """The exact step with probability p, independently each time, else the base step.

    ``A(g^loss) + b A(g^flat)`` with b = 1 with probability p, else 0: on average p times the flat part.

    Cost: ``f + m(1-f) + p m`` on average. p = 1 is the exact step, p = 0 the base step.

    Args:
        p: probability of a flat part, in [0, 1].
    """

    p: float

    def __post_init__(self) -> None:
        check_share("p", self.p, positive=False)

    def cost(self, m: int, f: float) -> float:
        return base_cost(m, f) + self.p * m

    def step(self, setup: Setup, losses: LossFunction, state: State = START) -> State:
        generator = setup.need_generator()
        before = generator.get_state()
        try:
            flat = float(torch.rand((), generator=generator)) < self.p
            setup.backward(losses, flat=flat)
        except BaseException:
            generator.set_state(before)
            raise
        return State(state.steps + 1)


@dataclass(frozen=True)
class LatePhase:
    """The base step before step ``start``, the exact step from there on.

    Cost: ``f + m(1-f) + m (steps - start)/steps`` on average over the run; start = 0 is the exact step.

    Args:
        start: first step (from 0) with a flat part; for a phase by epochs, ``epoch * ceil(examples / batch)``.
        steps: of the whole run; it enters the cost only.
    """

    start: int
    steps: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.steps or self.steps < 1:
            found, rule = f"start={self.start}, steps={self.steps}", "0 <= start <= steps, steps >= 1"
            raise InvalidInput("no such phase", "start", found, rule, "start = 0 is the exact step")

    def cost(self, m: int, f: float) -> float:
        return base_cost(m, f) + m * (self.steps - self.start) / self.steps

    def step(self, setup: Setup, losses: LossFunction, state: State = START) -> State:
        setup.backward(losses, flat=state.steps >= self.start)
        return State(state.steps + 1)


@dataclass
class Listening:
    """An aggregator that keeps copies of the directions it returns: in an exact step ``A(g^loss)``, ``A(g^flat)``."""

    aggregator: Aggregator

    def __post_init__(self) -> None:
        self.directions: list[Direction] = []

    def __call__(
        self, task_grads: TaskGrads, *, generator: torch.Generator | None = None, out: Direction | None = None
    ) -> Direction:
        direction = self.aggregator(task_grads, generator=generator, out=out)
        self.directions.append(direction.clone())
        return direction

    @property
    def flat(self) -> Direction | None:
        """``A(g^flat)``; None without a second pass (both radii 0)."""
        return self.directions[1] if len(self.directions) == 2 else None


@dataclass(frozen=True)
class _Plus:
    """``A(J) + addend``."""

    aggregator: Aggregator
    addend: Direction

    def __call__(
        self, task_grads: TaskGrads, *, generator: torch.Generator | None = None, out: Direction | None = None
    ) -> Direction:
        return self.aggregator(task_grads, generator=generator, out=out).add_(self.addend)
