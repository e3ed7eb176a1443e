"""Each law as a predicate: it raises AssertionError where the aggregator breaks the law on the trial."""

import math
from collections.abc import Callable

import torch
from scipy.optimize import nnls

from flatmtl_core import MGDA, AlignedMTL, Constant, DualProj, GradDrop, PCGrad, UPGrad
from flatmtl_core.laws import Law
from tests.assertions import (
    LIMIT,
    STATIONARY_DISTANCE,
    Method,
    assert_close,
    definition_residual,
    direction,
    direction_accuracy,
    direction_size,
    hull_distance,
    pcgrad_candidates,
    term_size,
    weighted,
)
from tests.oracles.minnorm_rational import rational, strongly_stationary, zero_in_hull
from tests.strategies import Trial, tensor

Predicate = Callable[[Method, Trial], None]

_LOOSE = 1e-9
"""What a distance from non-negative least squares is good for, relative."""

_STEP = 2.0**-20
"""Size of the change in the law of continuity, relative to the largest row."""


def _common_descent(aggregator: Method, trial: Trial) -> None:
    products = trial.rows @ direction(aggregator, trial.rows, trial.seed)
    size = direction_size(aggregator, trial.rows, trial.seed)
    worst = float((products + LIMIT * trial.rows.norm(dim=1) * size).min())
    assert worst >= 0, f"<g_i, d> = {products.tolist()}"


def _strict_descent(aggregator: Method, trial: Trial) -> None:
    if zero_in_hull(rational(trial.rows)):
        return
    products = trial.rows @ direction(aggregator, trial.rows, trial.seed)
    assert float(products.min()) > 0, f"<g_i, d> = {products.tolist()}"


def _in_cone(aggregator: Method, trial: Trial) -> None:
    if isinstance(aggregator, GradDrop):  # no weights: the distance from the cone, by non-negative least squares
        found = direction(aggregator, trial.rows, trial.seed)
        distance = float(nnls(trial.rows.T.numpy(), found.numpy())[1])
        assert distance <= _LOOSE * direction_size(aggregator, trial.rows), f"{found.tolist()}: {distance} off the cone"
        return
    weights = weighted(aggregator, trial.rows, trial.seed).weights
    assert float(weights.min()) >= 0, f"weights {weights.tolist()}"
    expected = weights @ trial.rows
    assert_close(direction(aggregator, trial.rows, trial.seed), expected, LIMIT * term_size(weights, trial.rows))


def _homogeneous(aggregator: Method, trial: Trial) -> None:
    factor = trial.scale**aggregator.degree
    left = direction(aggregator, trial.scale * trial.rows, trial.seed)
    right = factor * direction(aggregator, trial.rows, trial.seed)
    assert_close(left, right, 2 * factor * direction_accuracy(aggregator, trial.rows, trial.seed))


def _task_scaling_linear(aggregator: Method, trial: Trial) -> None:
    first, second = (tensor(scales).unsqueeze(1) * trial.rows for scales in trial.task_scales)
    parts = direction(aggregator, first, trial.seed) + direction(aggregator, second, trial.seed)
    accuracy = sum(direction_accuracy(aggregator, rows, trial.seed) for rows in (first, second, first + second))
    assert_close(parts, direction(aggregator, first + second, trial.seed), accuracy)


def _task_scaling_invariant(aggregator: Method, trial: Trial) -> None:
    _same(aggregator, trial, tensor(trial.task_scales[0]).unsqueeze(1) * trial.rows)


def _permutation(aggregator: Method, trial: Trial) -> None:
    _same(aggregator, trial, trial.rows[list(trial.order)])


def _rotation(aggregator: Method, trial: Trial) -> None:
    assert trial.rotation is not None
    left = direction(aggregator, trial.rows @ trial.rotation, trial.seed)
    right = direction(aggregator, trial.rows, trial.seed) @ trial.rotation
    assert_close(left, right, 2 * direction_accuracy(aggregator, trial.rows, trial.seed))


def _identity_for_one_task(aggregator: Method, trial: Trial) -> None:
    rows = trial.rows[:1]
    assert_close(direction(aggregator, rows, trial.seed), rows[0], LIMIT * float(rows.norm()))


def _repeated_task(aggregator: Method, trial: Trial) -> None:
    _same(aggregator, trial, torch.cat([trial.rows, trial.rows[trial.mixture[0]].unsqueeze(0)]))


def _convex_combination_added(aggregator: Method, trial: Trial) -> None:
    _same(aggregator, trial, torch.cat([trial.rows, trial.rows[list(trial.mixture)].mean(dim=0, keepdim=True)]))


def _zero_to_zero(aggregator: Method, trial: Trial) -> None:
    rows = torch.zeros_like(trial.rows)
    assert torch.equal(direction(aggregator, rows, trial.seed), rows[0])
    if not isinstance(aggregator, GradDrop):
        assert weighted(aggregator, rows, trial.seed).status == "zero"


def _zero_row_ignored(aggregator: Method, trial: Trial) -> None:
    m = min(len(trial.rows), 3)
    rows = trial.rows[:m]
    place = trial.mixture[0]
    larger = torch.cat([rows[:place], torch.zeros_like(rows[:1]), rows[place:]])
    if not isinstance(aggregator, GradDrop):
        assert float(weighted(aggregator, larger, trial.seed).weights[min(place, m)]) == 0
    found = direction(aggregator, larger, trial.seed)
    plain = direction(aggregator, rows, trial.seed)
    known = pcgrad_candidates(aggregator, rows) if isinstance(aggregator, PCGrad) else [plain]
    accuracy = 2 * direction_accuracy(aggregator, rows)
    distances = [float((found - factor * one).norm()) for one in known for factor in (1.0, m / (m + 1))]
    assert min(distances) <= accuracy, f"{found.tolist()} is none of {[one.tolist() for one in known]}"


def _defined_when_stationary(aggregator: Method, trial: Trial) -> None:
    if not trial.rows.any():
        return
    if isinstance(aggregator, PCGrad):
        found = direction(aggregator, trial.rows[:3], trial.seed)
        candidates = pcgrad_candidates(aggregator, trial.rows[:3])
        accuracy = direction_accuracy(aggregator, trial.rows[:3], trial.seed)
        assert min(float((found - one).norm()) for one in candidates) <= accuracy
        return
    if isinstance(aggregator, GradDrop):
        _sums_of_one_sign(aggregator, trial)
        return
    residual = definition_residual(
        aggregator, trial.rows @ trial.rows.T, weighted(aggregator, trial.rows, trial.seed).weights
    )
    assert residual <= LIMIT


def _sums_of_one_sign(aggregator: GradDrop, trial: Trial) -> None:
    """Every coordinate is the leaky sum of its positive or of its negative entries; a sum of neither is 0."""
    total = trial.rows.sum(dim=0)
    sums = [trial.rows.clamp(min=0).sum(dim=0), trial.rows.clamp(max=0).sum(dim=0)]
    kept = torch.stack([torch.where(one != 0, one, total) for one in sums])
    wanted = (1 - aggregator.leak) * kept + aggregator.leak * total
    distances = (direction(aggregator, trial.rows, trial.seed) - wanted).abs().amin(dim=0)
    assert float(distances.max()) <= LIMIT * direction_size(aggregator, trial.rows)


def _zero_only_if_strongly_stationary(aggregator: Method, trial: Trial) -> None:
    found = direction(aggregator, trial.rows, trial.seed)
    size = direction_size(aggregator, trial.rows, trial.seed)
    if float(found.norm()) <= LIMIT * size:
        assert strongly_stationary(rational(trial.rows))


def _linear(aggregator: Method, trial: Trial) -> None:
    assert trial.other is not None
    matrices = (trial.rows, trial.other, trial.rows + trial.other)
    first, second, both = (direction(aggregator, rows, trial.seed) for rows in matrices)
    assert_close(first + second, both, sum(direction_accuracy(aggregator, rows, trial.seed) for rows in matrices))


def _norm_at_most_mean(aggregator: Method, trial: Trial) -> None:
    length = float(direction(aggregator, trial.rows, trial.seed).norm())
    assert length <= float(trial.rows.norm(dim=1).mean()) + direction_accuracy(aggregator, trial.rows, trial.seed)


def _continuous(aggregator: Method, trial: Trial) -> None:
    """Moving every row by at most h moves the direction by at most ``_modulus``."""
    assert trial.other is not None
    largest = float(trial.rows.norm(dim=1).max())
    widest = float(trial.other.norm(dim=1).max())
    step = _STEP * largest
    moved = trial.rows + (trial.other * (step / widest) if widest > 0 else 0)
    accuracy = sum(_rounding(aggregator, rows) for rows in (trial.rows, moved))
    before, after = direction(aggregator, trial.rows, trial.seed), direction(aggregator, moved, trial.seed)
    assert_close(before, after, _modulus(aggregator, trial.rows, step) + accuracy)


def _rounding(aggregator: Method, rows: torch.Tensor) -> float:
    if isinstance(aggregator, MGDA | UPGrad | DualProj | AlignedMTL):
        return direction_accuracy(aggregator, rows)
    return LIMIT * float(rows.norm(dim=1).max()) * _factor(aggregator, len(rows))


def _factor(aggregator: Method, n_tasks: int) -> float:
    """A bound of sum |w_i| where weights are fixed, or of the number of rows that a sum adds up."""
    if isinstance(aggregator, Constant):
        return max(1.0, sum(map(abs, aggregator.weights)))
    summed = isinstance(aggregator, GradDrop) or getattr(aggregator, "reduction", "mean") == "sum"
    return float(n_tasks) if summed else 1.0


def _modulus(aggregator: Method, rows: torch.Tensor, step: float) -> float:
    """k (sqrt(2 h S) + h), S the largest norm, and k as follows.

    MGDA, k = 1: with p, q the shortest vectors of the two hulls, <p, q> >= ||p||^2 - h ||p|| and >= ||q||^2 - h ||q||,
    so ||p - q||^2 <= h (||p|| + ||q||). Fixed weights: k = sum |w_i|; GradDrop that leaks all: k = m. Aligned-MTL,
    k = 1 for the mean, m for the sum: it moves by at most 4 h k (``identities.aligned_accuracy``), less than that.

    UPGrad and DualProj, with all unit rows at least t from 0 in some direction e and moved by at most
    delta <= h / (min_i s_i - h): a point x of one dual cone is within eta ||x|| of the other, as x + eta ||x|| e is in
    it, eta = delta / (t - delta); so the projections p, q of one g are sqrt(2 eta) ||g|| apart, because
    <g - p, q - p> and <g - q, p - q> are at most eta ||g||^2. The move of g itself adds h. Without a margin t nothing
    follows: where the law fails, it fails by more than the first bound.
    """
    norms = rows.norm(dim=1)
    factor, largest = _factor(aggregator, len(rows)), float(norms.max())
    bound = math.sqrt(2 * step * largest) + step
    if isinstance(aggregator, UPGrad | DualProj) and float(norms.min()) > step:
        unit = rows / norms.unsqueeze(1)
        margin, delta = hull_distance((unit @ unit.T).numpy()), step / (float(norms.min()) - step)
        if margin > STATIONARY_DISTANCE + delta:
            bound = math.sqrt(2 * delta / (margin - STATIONARY_DISTANCE - delta)) * largest + step
    return factor * bound


def _same(aggregator: Method, trial: Trial, changed: torch.Tensor) -> None:
    accuracy = direction_accuracy(aggregator, trial.rows, trial.seed) + direction_accuracy(
        aggregator, changed, trial.seed
    )
    assert_close(direction(aggregator, trial.rows, trial.seed), direction(aggregator, changed, trial.seed), accuracy)


PREDICATES: dict[Law, Predicate] = {
    Law.COMMON_DESCENT: _common_descent,
    Law.STRICT_DESCENT: _strict_descent,
    Law.IN_CONE: _in_cone,
    Law.HOMOGENEOUS: _homogeneous,
    Law.TASK_SCALING_LINEAR: _task_scaling_linear,
    Law.TASK_SCALING_INVARIANT: _task_scaling_invariant,
    Law.PERMUTATION: _permutation,
    Law.ROTATION: _rotation,
    Law.IDENTITY_FOR_ONE_TASK: _identity_for_one_task,
    Law.REPEATED_TASK: _repeated_task,
    Law.CONVEX_COMBINATION_ADDED: _convex_combination_added,
    Law.ZERO_TO_ZERO: _zero_to_zero,
    Law.ZERO_ROW_IGNORED: _zero_row_ignored,
    Law.DEFINED_WHEN_STATIONARY: _defined_when_stationary,
    Law.ZERO_ONLY_IF_STRONGLY_STATIONARY: _zero_only_if_strongly_stationary,
    Law.LINEAR: _linear,
    Law.NORM_AT_MOST_MEAN: _norm_at_most_mean,
    Law.CONTINUOUS: _continuous,
}

CHANGES: dict[Law, tuple[str, ...]] = {
    Law.HOMOGENEOUS: ("scale",),
    Law.TASK_SCALING_LINEAR: ("task_scales",),
    Law.TASK_SCALING_INVARIANT: ("task_scales",),
    Law.PERMUTATION: ("order",),
    Law.ROTATION: ("rotation",),
    Law.REPEATED_TASK: ("mixture",),
    Law.CONVEX_COMBINATION_ADDED: ("mixture",),
    Law.ZERO_ROW_IGNORED: ("mixture",),
    Law.LINEAR: ("other",),
    Law.CONTINUOUS: ("other",),
}
"""What a trial of the law must carry beside the matrix."""
