"""The theorems with a worst case, at every threshold of the linear world: k_sh = k_i = 1, and all radii equal.

The worst case is sought at points of the ball only, so it is found too small: the test is stricter than the theorem.
Where a theorem assumes that Gaussian noise does not lower the population risk, this is decided in closed form, and
thresholds that it fails at are left out.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from theory.bounds import foret, main_theorem
from theory.bounds.complexity import Complexity, Setting
from theory.coverage.thresholds import Floats, draw, risk

RHO = 0.001
GRID = np.linspace(-2.0, 2.0, 41)
STEPS = RHO * np.arange(-2, 3)
"""Of u and v_i together: each moves by -rho, 0 or rho."""

Theorem = Callable[[Setting, int], Complexity]


@dataclass(frozen=True)
class Rule:
    """A theorem, how far its worst case reaches, and the noise that it assumes to do no good.

    Args:
        form: of each task; of their mean; one perturbation for all tasks.
        reach: steps of t to either side, 1 for a ball of radius rho, 2 for the product of two.
        variance: of t, from N; None where nothing is assumed.
        discounted: the worst case is multiplied by 1 - 1/sqrt N.
    """

    theorem: Theorem
    form: str = "each"
    reach: int = 2
    variance: Callable[[int], float] | None = None
    discounted: bool = False


def _one_ball(n: int) -> float:
    return 2 * (RHO / (math.sqrt(2) + math.sqrt(math.log(n)))) ** 2


def _two_balls(n: int) -> float:
    return 2 * (RHO / (1 + math.sqrt(math.log(4 * n)))) ** 2


RULES: Mapping[str, Rule] = {
    "Theorem 1": Rule(main_theorem.theorem_1, reach=1, variance=_one_ball),
    "Theorem 1, corrected": Rule(main_theorem.theorem_1_corrected, reach=1, variance=_one_ball),
    "Foret": Rule(foret.foret, reach=1, variance=_one_ball),
    "Foret, corrected": Rule(foret.foret_corrected, reach=1, variance=_one_ball, discounted=True),
    "A": Rule(main_theorem.theorem_a),
    "A'": Rule(lambda setting, task: main_theorem.theorem_a_prime(setting), form="mean"),
    "C": Rule(lambda setting, task: main_theorem.theorem_c(setting), form="common"),
    "B": Rule(main_theorem.theorem_b, variance=_two_balls, discounted=True),
    "B, square root": Rule(main_theorem.theorem_b_root, variance=_two_balls, discounted=True),
}


def losses(mu: Floats, n: int, generator: np.random.Generator) -> Floats:
    """Empirical risks of one training set at every grid point and step: (m, grid, steps)."""
    features, labels = draw(mu, n, generator)
    places = (GRID[:, None] + STEPS).ravel()
    found = np.empty((len(mu), len(places)))
    for task, (x, y) in enumerate(zip(features, labels, strict=True)):
        positive, negative = np.sort(x[y > 0]), np.sort(x[y < 0])
        missed = np.searchsorted(positive, places, side="right")
        alarms = len(negative) - np.searchsorted(negative, places, side="right")
        found[task] = (missed + alarms) / n
    return found.reshape(len(mu), len(GRID), len(STEPS))


def term(rule: Rule, norms: Floats, n: int, delta: float) -> float:
    """The theorem's term for task 0 of heads with these norms and a trunk at zero."""
    heads = tuple(norms.tolist())
    return rule.theorem(Setting(1, (1,) * len(heads), 0.0, heads, RHO, RHO, n, delta), 0).value


def terms(rule: Rule, tasks: int, n: int, delta: float) -> Floats:
    """At every threshold of the grid, the same for all tasks."""
    return np.array([term(rule, np.full(tasks, abs(t)), n, delta) for t in GRID])


def needed(rule: Rule, known: Floats, mu: Floats, n: int, delta: float, found: Floats) -> float:
    """The largest share of the term that a threshold of the grid needs; the theorem is violated above 1.

    Where one term is for all tasks, their thresholds are those at which each alone needs most.

    Args:
        known: of `terms`. found: of `losses`.
    """
    truth = risk(GRID[None, :], mu[:, None])
    middle = len(STEPS) // 2
    near = found[:, :, middle - rule.reach : middle + rule.reach + 1]
    factor = 1 - 1 / math.sqrt(n) if rule.discounted else 1.0
    excess = truth - factor * near.max(axis=2)
    if rule.variance is not None:
        fails = risk(GRID[None, :], mu[:, None], rule.variance(n)) < truth
        excess = np.where(fails, -np.inf, excess)
    if rule.form == "each":
        return float((excess / known).max())
    tasks, chosen = np.arange(len(mu)), (excess / known).argmax(axis=1)
    common = np.stack([found[tasks, chosen, k : k + 3].max(axis=1) for k in range(3)])  # v_i moves, u at three places
    gaps = truth[tasks, chosen] - common
    worst = gaps.mean(axis=1).min() if rule.form == "mean" else gaps.max(axis=1).min()
    return float(worst / term(rule, np.abs(GRID[chosen]), n, delta))
