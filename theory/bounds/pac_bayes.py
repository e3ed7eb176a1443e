"""PAC-Bayes bounds for losses in [0, 1], in one notation: n samples, ``b = (KL + log(2 sqrt n / delta)) / n``.

Each holds with probability at least 1 - delta over the n independent samples, for all posteriors at once; the prior has
not seen these samples. ``risk`` is the Gibbs risk on them, exact or rounded upwards, or an `UpperBound` of it, whose
failure probability is added to delta: all bounds increase in it. An `Estimate` is refused. Values are rounded upwards
and never clamped: ``UpperBound.vacuous`` says what says nothing.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from theory.bounds.binary_kl import kl_inverse
from theory.bounds.quantities import (
    LARGEST,
    Estimate,
    InvalidBound,
    UpperBound,
    check_count,
    check_divergence,
    check_probability,
    check_share,
)
from theory.bounds.rounding import Interval, log, one_minus_exp, sqrt

Risk: TypeAlias = float | UpperBound
"""Of a sample: exact, or bounded from above with a probability of failure."""


@dataclass(frozen=True)
class _Premise:
    """What a bound stands on: the risk's value, and the probability that one of the two statements fails."""

    risk: float
    failure: float


def _checked(risk: Risk, kl: float, n_samples: int, delta: float, limit: float = 1.0) -> _Premise:
    if isinstance(risk, Estimate):
        raise InvalidBound(
            "risk", "an Estimate", "exact or an UpperBound", "Pay for its draws: upper_bound(it, delta)."
        )
    check_divergence(kl)
    check_count("n_samples", n_samples, most=LARGEST)
    check_probability("delta", delta)
    if not isinstance(risk, UpperBound):
        check_share("risk", risk / limit)
        return _Premise(risk, delta)
    if risk.limit != limit:
        raise InvalidBound("limit of the risk", risk.limit, f"that of the loss, {limit}", "Scale both to one limit.")
    return _Premise(min(risk.value, limit), (Interval.of(delta) + risk.failure).high)


def complexity(kl: float, n_samples: int, delta: float) -> Interval:
    """``b = (KL + log(2 sqrt n / delta)) / n`` of Maurer's lemma."""
    return (kl + log(2.0 * sqrt(float(n_samples)) / delta)) / float(n_samples)


def seeger_maurer(risk: Risk, kl: float, n_samples: int, delta: float) -> UpperBound:
    """The largest p with ``kl(risk || p) <= b``. Source: Seeger 2002, Maurer 2004."""
    known = _checked(risk, kl, n_samples, delta)
    value = kl_inverse(known.risk, complexity(kl, n_samples, delta).high)
    return UpperBound(value, known.failure, 1.0, "Seeger-Maurer", n_samples)


def mcallester(risk: Risk, kl: float, n_samples: int, delta: float) -> UpperBound:
    """``risk + sqrt(b / 2)``: Pinsker's relaxation. Source: McAllester 2003, with Maurer's constant."""
    known = _checked(risk, kl, n_samples, delta)
    value = known.risk + sqrt(complexity(kl, n_samples, delta) / 2.0)
    return UpperBound(value.high, known.failure, 1.0, "McAllester", n_samples)


def refined_pinsker(risk: Risk, kl: float, n_samples: int, delta: float) -> UpperBound:
    """``risk + sqrt(2 risk b) + 2 b``. Source: McAllester 2003 (relative deviation form)."""
    known = _checked(risk, kl, n_samples, delta)
    b = complexity(kl, n_samples, delta)
    return UpperBound(
        (known.risk + sqrt(2.0 * known.risk * b) + 2.0 * b).high, known.failure, 1.0, "refined Pinsker", n_samples
    )


def quadratic(risk: Risk, kl: float, n_samples: int, delta: float) -> UpperBound:
    """``(sqrt(risk + b / 2) + sqrt(b / 2))^2``. Source: Rivasplata et al. 2019."""
    known = _checked(risk, kl, n_samples, delta)
    half = complexity(kl, n_samples, delta) / 2.0
    root = sqrt(known.risk + half) + sqrt(half)
    return UpperBound((root * root).high, known.failure, 1.0, "quadratic", n_samples)


def thiemann(risk: Risk, kl: float, n_samples: int, delta: float, tradeoff: float | None = None) -> UpperBound:
    """``risk / (1 - t/2) + b / (t (1 - t/2))``, for all t in (0, 2) at once; by default at its best t.

    Source: Thiemann et al. 2017, equation 5.

    Raises:
        InvalidBound: as all here; a trade-off outside (0, 2).
    """
    known = _checked(risk, kl, n_samples, delta)
    b = complexity(kl, n_samples, delta)
    t = 2 / (math.sqrt(2 * known.risk / b.high + 1) + 1) if tradeoff is None else tradeoff
    if not 0 < t < 2:
        raise InvalidBound("tradeoff", t, "in (0, 2)", "Leave it out for the best one.")
    rest = 1.0 - Interval.of(t) / 2.0
    return UpperBound((known.risk / rest + b / (t * rest)).high, known.failure, 1.0, "Thiemann", n_samples)


def catoni(risk: Risk, kl: float, n_samples: int, delta: float, temperature: float) -> UpperBound:
    """``(1 - e^(-C risk - (KL + log(1/delta)) / n)) / (1 - e^(-C))`` for one C that was chosen before the sample.

    Source: Catoni 2007, theorem 1.2.1.

    Raises:
        InvalidBound: as all here; a temperature that is not positive and finite.
    """
    known = _checked(risk, kl, n_samples, delta)
    if not 0 < temperature < math.inf:
        raise InvalidBound("temperature", temperature, "positive and finite", "Choose it before the sample is seen.")
    exponent = temperature * Interval.of(known.risk) + (kl - log(delta)) / float(n_samples)
    value = one_minus_exp(exponent) / one_minus_exp(temperature)
    return UpperBound(value.high, known.failure, 1.0, f"Catoni, C = {temperature:g}", n_samples)


def catoni_grid(risk: Risk, kl: float, n_samples: int, delta: float, grid: Sequence[float]) -> UpperBound:
    """The best of several C, all chosen before the sample, each at delta divided by their number.

    Raises:
        InvalidBound: as `catoni`; no temperature, or one twice.
    """
    check_probability("delta", delta)
    if not grid or len(set(grid)) < len(grid):
        raise InvalidBound("grid", list(grid), "of distinct temperatures, at least one", "Name each once.")
    share = (Interval.of(delta) / float(len(grid))).low
    best = min((catoni(risk, kl, n_samples, share, one) for one in grid), key=lambda bound: bound.value)
    failure = _checked(risk, kl, n_samples, delta).failure
    return UpperBound(best.value, failure, 1.0, f"{best.method} of a grid of {len(grid)}", n_samples)


def alquier(
    risk: Risk, kl: float, n_samples: int, delta: float, inverse_temperature: float, limit: float = 1.0
) -> UpperBound:
    """``risk + (KL + log(1/delta)) / beta + beta L^2 / (8 n)``, losses in [0, L], beta chosen before the sample.

    Source: Alquier, Ridgway and Chopin 2016, theorem 4.1.

    Args:
        risk: in [0, limit].

    Raises:
        InvalidBound: as all here; an inverse temperature or a limit that is not positive and finite.
    """
    for what, value in (("limit", limit), ("inverse_temperature", inverse_temperature)):
        if not 0 < value < math.inf:
            raise InvalidBound(what, value, "positive and finite", "Choose it before the sample is seen.")
    known = _checked(risk, kl, n_samples, delta, limit)
    beta = Interval.of(inverse_temperature)
    total = known.risk + (kl - log(delta)) / beta + beta * limit * limit / (8.0 * n_samples)
    return UpperBound(total.high, known.failure, limit, "Alquier", n_samples)


def temperatures(n_samples: int) -> tuple[float, ...]:
    """A grid for `catoni_grid` that depends on n alone: C = 2^j from about 1/n to 16."""
    check_count("n_samples", n_samples, most=LARGEST)
    lowest = -math.ceil(math.log2(n_samples)) if n_samples > 1 else 0
    return tuple(2.0**j for j in range(lowest, 5))


def per_task(
    bound: Callable[[Risk, float, int, float], UpperBound],
    risks: Sequence[Risk],
    divergences: Sequence[float],
    n_samples: int,
    delta: float,
) -> tuple[UpperBound, ...]:
    """One bound a task at delta / m each: all hold together with probability at least 1 - delta.

    Args:
        bound: `seeger_maurer`, `mcallester`, ...
        risks: one a task.
        divergences: of each task's own network, that of the trunk included in every one.

    Raises:
        InvalidBound: as ``bound``; no task, or numbers of tasks that differ.
    """
    _check_tasks(risks, divergences)
    check_probability("delta", delta)
    share = (Interval.of(delta) / float(len(risks))).low
    return tuple(bound(risk, kl, n_samples, share) for risk, kl in zip(risks, divergences, strict=True))


def average_task(
    bound: Callable[[Risk, float, int, float], UpperBound],
    risks: Sequence[Risk],
    kl_shared: float,
    kl_heads: Sequence[float],
    n_samples: int,
    delta: float,
) -> UpperBound:
    """One bound on the mean over the tasks, a loss in [0, 1] of one sample with all its labels: the trunk counts once.

    Raises:
        InvalidBound: as ``bound``; no task, or numbers of tasks that differ.
    """
    _check_tasks(risks, kl_heads)
    for kl in (kl_shared, *kl_heads):
        check_divergence(kl)
    mean, total = Interval(0.0, 0.0), Interval.of(kl_shared)
    failure = Interval(0.0, 0.0)
    for risk, kl in zip(risks, kl_heads, strict=True):
        known = _checked(risk, kl, n_samples, delta)
        mean, total = mean + known.risk, total + kl
        failure = failure + (risk.failure if isinstance(risk, UpperBound) else 0.0)
    average = min((mean / float(len(risks))).high, 1.0)
    known_average = UpperBound(average, failure.high, 1.0, "mean over the tasks") if failure.high > 0 else average
    return bound(known_average, total.high, n_samples, delta)


def _check_tasks(risks: Sequence[Risk], divergences: Sequence[float]) -> None:
    if not risks or len(risks) != len(divergences):
        found = f"{len(risks)} risks and {len(divergences)} divergences"
        raise InvalidBound("number of tasks", found, "equal and at least one", "Give one of each for every task.")
