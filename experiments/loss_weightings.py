"""Weights that follow from the losses: SI, RLW, DWA and UW.

One vector a step, made from the detached losses of the unperturbed first pass, serves the loss part and the flat part:
a flat gradient has no loss value of its own. With it the step is linear, so decomposed and direct are the same. What a
method remembers (epoch means, log variances, random numbers) lives here, outside the core, and in a run's checkpoint.

The weights multiply the gradients of the trunk only. Heads receive the gradient of their own loss, as with every other
method here; where the weighted loss itself is differentiated, as in the methods' papers and in the authors' code, the
heads' gradients are multiplied too.

``scale="paper"`` keeps the size that a method's own paper gives its weights: their sum is m for DWA and follows from
the losses for SI and UW. ``scale="mean"`` divides them by their sum, as LS is the mean in the tables. RLW's sum to 1.
"""

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import torch
from torch import Tensor

from flatmtl_core import Constant, Weighted
from flatmtl_core.errors import check_choice, check_number
from flatmtl_core.types import Direction, Gramian, Losses, TaskGrads

Scale: TypeAlias = Literal["paper", "mean"]


class UnusableLoss(ArithmeticError):
    """A loss that gives no weight: the message names the method, the task (counted from 1), the value and the rule."""


class LossWeighting(Protocol):
    """From the losses of one step to the weights of its tasks, with a memory that a checkpoint can hold."""

    def weights(self, losses: Losses) -> tuple[float, ...]:
        """The weights of this step; called once a step, since a method may draw or learn here."""
        ...

    def end_of_epoch(self) -> None:
        """The training split has been gone through once."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """A copy of everything that the next weights depend on; any moment will do."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was called, bit for bit."""
        ...


class SI:
    """Scale-invariant: ``sum_i log L_i`` is minimised, so ``w_i = 1 / L_i``; the unit of a loss does not matter."""

    def __init__(self, scale: Scale = "paper") -> None:
        self.scale = _checked(scale)

    def weights(self, losses: Losses) -> tuple[float, ...]:
        """1 / L_i, of positive losses."""
        return _scaled([1 / value for value in _values("SI", "the loss", losses.tolist(), positive=True)], self.scale)

    def end_of_epoch(self) -> None:
        """Nothing is remembered."""

    def state_dict(self) -> dict[str, Any]:
        """Empty."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to load."""


class RLW:
    """Random loss weighting: ``w = softmax(z)``, ``z_i`` independent standard normal draws, new in every step.

    The weights sum to 1. One draw serves the loss part and the flat part.
    """

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def weights(self, losses: Losses) -> tuple[float, ...]:
        """The next draw; of the losses only their number matters."""
        draws = torch.randn(len(losses), generator=self._generator, dtype=torch.float64)
        return _softmax(draws.tolist())

    def end_of_epoch(self) -> None:
        """Epochs do not matter."""

    def state_dict(self) -> dict[str, Any]:
        """The generator's state."""
        return {"generator": self._generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on drawing."""
        self._generator.set_state(state["generator"])


class DWA:
    """Dynamic weight average: ``w_i(t) = m softmax_i(r(t) / T)`` in epoch t, ``r_i(t) = L_i(t - 1) / L_i(t - 2)``.

    ``L_i(t)`` is the mean of the task's losses over the steps of epoch t. The weights sum to m; in the first two epochs
    all are 1.

    Args:
        temperature: T > 0; the larger, the more alike the weights.
        scale: see the module.
    """

    def __init__(self, temperature: float = 2.0, scale: Scale = "paper") -> None:
        check_number("temperature", temperature, positive=True)
        self.temperature = temperature
        self.scale = _checked(scale)
        self._sums: list[float] = []
        self._steps = 0
        self._means: list[list[float]] = []

    def weights(self, losses: Losses) -> tuple[float, ...]:
        """The weights of this epoch; the losses are added to its mean."""
        values = _values("DWA", "the loss", losses.tolist(), positive=False)
        self._sums = [total + value for total, value in zip(self._sums or [0.0] * len(values), values, strict=True)]
        self._steps += 1
        ratios = [1.0] * len(values)
        if len(self._means) == 2:
            ratios = [newer / older for older, newer in zip(*self._means, strict=True)]
        return _scaled(_softmax([ratio / self.temperature for ratio in ratios], total=len(values)), self.scale)

    def end_of_epoch(self) -> None:
        """Close the mean of this epoch.

        Raises:
            UnusableLoss: a mean is not positive; nothing has changed.
        """
        means = [total / self._steps for total in self._sums]
        self._means = [*self._means, _values("DWA", "the epoch's mean loss", means, positive=True)][-2:]
        self._sums, self._steps = [], 0

    def state_dict(self) -> dict[str, Any]:
        """Sums and count of the epoch under way, means of the last two."""
        return {"sums": list(self._sums), "steps": self._steps, "means": copy.deepcopy(self._means)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on in the middle of that epoch."""
        self._sums, self._steps, self._means = list(state["sums"]), state["steps"], copy.deepcopy(state["means"])


class UW:
    """Uncertainty weighting: ``sum_i L_i / (2 sigma_i^2) + log sigma_i`` is minimised over the network and the sigmas.

    With ``s_i = log sigma_i^2``, 0 at the start, ``w_i = exp(-s_i) / 2``; the gradient of s_i is ``1/2 - w_i L_i``.
    ``form="classification"`` is the paper's other form, ``L_i / sigma_i^2 + log sigma_i``, with ``w_i = exp(-s_i)``.
    An Adam of its own trains s from the unperturbed losses. A step takes the weights from before its own update of s.

    Args:
        tasks: m.
        learning_rate: Adam's; runs pass that of the network.
        form: ``regression`` is what public codes use for every task.
        scale: see the module; it has no effect on the gradient of s.
    """

    def __init__(
        self,
        tasks: int,
        learning_rate: float,
        form: Literal["regression", "classification"] = "regression",
        scale: Scale = "paper",
    ) -> None:
        check_choice("form", form, ("regression", "classification"))
        self.factor = 0.5 if form == "regression" else 1.0
        self.scale = _checked(scale)
        self.log_variances = torch.nn.Parameter(torch.zeros(tasks, dtype=torch.float64))
        self._optimizer = torch.optim.Adam([self.log_variances], lr=learning_rate)

    def weights(self, losses: Losses) -> tuple[float, ...]:
        """The weights at the present log variances, which then take one step."""
        values = _values("UW", "the loss", losses.tolist(), positive=False)
        weights = self.factor * torch.exp(-self.log_variances.detach())
        self.log_variances.grad = 0.5 - weights * torch.tensor(values, dtype=torch.float64)
        self._optimizer.step()
        return _scaled(weights.tolist(), self.scale)

    def end_of_epoch(self) -> None:
        """Epochs do not matter."""

    def state_dict(self) -> dict[str, Any]:
        """Log variances and Adam's state."""
        optimizer = copy.deepcopy(self._optimizer.state_dict())
        return {"log_variances": self.log_variances.detach().clone(), "optimizer": optimizer}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on learning."""
        self.log_variances.data.copy_(state["log_variances"])
        self._optimizer.load_state_dict(copy.deepcopy(state["optimizer"]))


class LossWeighted:
    """The aggregator of a run with loss weights: in every step `Constant` with the weights of that step.

    ``begin_step`` is told where the losses of the first pass will be. The weights are made at the step's first
    aggregation, which comes after that pass, and are the same at its second; a step that ends before makes none.
    """

    degree = 1.0

    def __init__(self, weighting: LossWeighting) -> None:
        self.weighting_of_losses = weighting
        self._losses: Callable[[], Losses] | None = None
        self._constant: Constant | None = None

    def begin_step(self, losses: Callable[[], Losses]) -> None:
        """Forget the weights of the last step; ``losses`` gives those of the first pass once it is over."""
        self._losses, self._constant = losses, None

    def weighting(self, gramian: Gramian, *, generator: torch.Generator | None = None) -> Weighted:
        """This step's weights."""
        return self._weights_of_this_step().weighting(gramian, generator=generator)

    def __call__(
        self, task_grads: TaskGrads, *, generator: torch.Generator | None = None, out: Direction | None = None
    ) -> Tensor:
        """The weighted sum of the rows."""
        return self._weights_of_this_step()(task_grads, generator=generator, out=out)

    def _weights_of_this_step(self) -> Constant:
        if self._constant is None:
            if self._losses is None:
                raise RuntimeError("the weights follow from losses: call begin_step before every step.")
            self._constant = Constant(self.weighting_of_losses.weights(self._losses()))
        return self._constant


def _checked(scale: Scale) -> Scale:
    check_choice("scale", scale, ("paper", "mean"))
    return scale


def _values(method: str, what: str, values: list[float], *, positive: bool) -> list[float]:
    """The same values, all finite and, if asked, positive."""
    for task, value in enumerate(values, start=1):
        if not math.isfinite(value) or (positive and value <= 0):
            rule = "it must be positive" if positive else "it must be finite"
            raise UnusableLoss(f"{method}: {what} of task {task} is {value}; {rule}.")
    return values


def _softmax(values: Sequence[float], total: float = 1.0) -> tuple[float, ...]:
    """``total exp(v_i) / sum_j exp(v_j)``."""
    largest = max(values)
    powers = [math.exp(value - largest) for value in values]
    whole = sum(powers)
    return tuple(total * power / whole for power in powers)


def _scaled(weights: Sequence[float], scale: Scale) -> tuple[float, ...]:
    total = sum(weights) if scale == "mean" else 1.0
    return tuple(weight / total for weight in weights)
