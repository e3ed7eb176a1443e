"""The complexity terms of Theorem 1 and of the theorems in its place, as numbers, each with what it is made of.

Each bounds L_D^i at the trained parameters by a worst case of L_S^i within the radii plus the term computed here. Where
the term alone reaches the bound L of the loss, the theorem says nothing. Sizes, norms, radii, delta and L are taken as
exact; everything computed from them is rounded upwards and never clamped.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

from theory.bounds.complexity import ROOT, Complexity, Setting, Term, check_integer
from theory.bounds.quantities import InvalidBound
from theory.bounds.rounding import Interval, log, log1p, sqrt

PI = Interval(math.pi, math.nextafter(math.pi, math.inf))
"""pi is not a float; it lies between these two."""


def _sum_up(terms: Sequence[Term]) -> float:
    return math.nextafter(math.fsum(term.value for term in terms), math.inf)


def _linear(label: str, setting: Setting, parts: Sequence[tuple[str, Interval]]) -> Complexity:
    """(1/sqrt N) times the sum of the parts."""
    root_n = sqrt(float(setting.n_samples))
    terms = tuple(Term(name, (part / root_n).high) for name, part in parts)
    return Complexity(label, _sum_up(terms), terms, (), setting.limit, setting.n_samples)


def rooted(
    label: str, setting: Setting, parts: Sequence[tuple[str, Interval]], beside: Sequence[tuple[str, Interval]] = ()
) -> Complexity:
    """L sqrt(C / (2N)), C the sum of the parts, and what stands beside the root."""
    radicand = tuple(Term(name, part.high) for name, part in parts)
    root = setting.limit * sqrt(Interval.of(_sum_up(radicand)) / (2.0 * setting.n_samples))
    terms = (Term(ROOT, root.high), *(Term(name, part.high) for name, part in beside))
    return Complexity(label, _sum_up(terms), terms, radicand, setting.limit, setting.n_samples)


def check_task(setting: Setting, task: int) -> None:
    """Refuse a task that is not there."""
    if not 0 <= task < setting.tasks:
        raise InvalidBound("task", task, f"from 0 to {setting.tasks - 1}", "Tasks are counted from 0.")


def _log_cells(size: int, norm: float, radius: float) -> Interval:
    """``k log(5 + 8 norm / radius)``: cells of diameter <= radius that cover a ball which holds the block."""
    return float(size) * log(5.0 + 8.0 * (Interval.of(norm) / radius))


def doublings(norm: float, radius: float) -> int:
    """``a(norm / radius) = max(0, ceil(log2(norm / radius)))``, exactly: how often the radius doubles to reach norm."""
    return (max(1, math.ceil(Fraction(norm) / Fraction(radius))) - 1).bit_length()


def _log_doublings(norm: float, radius: float) -> Interval:
    """``2 log(1 + a) + log(pi^2 / 6)``, the price of a(norm / radius) unknown before the sample."""
    return 2.0 * log(1.0 + doublings(norm, radius)) + log(PI * PI / 6.0)


def log_variances(size: int, ratio: Interval, samples: int) -> Interval:
    """``(k / 2) log(1 + ratio^2 (1 + sqrt(log(samples) / k))^2)``, the divergence of a Gaussian from its prior."""
    stretched = ratio * (1.0 + sqrt(log(float(samples)) / float(size)))
    return 0.5 * size * log1p(stretched * stretched)


def _squared_limit(setting: Setting) -> Interval:
    """``L^2 / 8`` of Hoeffding's lemma."""
    return Interval.of(setting.limit) * setting.limit / 8.0


def confidence(setting: Setting) -> Interval:
    """``log(1/delta)``."""
    return 0.0 - log(setting.delta)


def log_tasks(setting: Setting) -> Interval:
    """``log m``."""
    return log(float(setting.tasks))


def _one_ball(setting: Setting, task: int) -> list[tuple[str, Interval]]:
    """The bracket of Theorem 1: T = k_sh + k_i, and the largest ball that lies in the product of the two."""
    check_task(setting, task)
    shared, head = Interval.of(setting.norm_shared), Interval.of(setting.norm_heads[task])
    size = setting.k_shared + setting.k_heads[task]
    ratio = sqrt(shared * shared + head * head) / min(setting.rho_shared, setting.rho_heads)
    return [
        ("whole network", log_variances(size, ratio, setting.n_samples)),
        ("confidence", confidence(setting)),
        ("prior grid", 6.0 * log(float(setting.n_samples + size))),
        ("grid step", Interval.of(0.5)),
        ("L^2/8", _squared_limit(setting)),
    ]


def theorem_1(setting: Setting, task: int) -> Complexity:
    """Theorem 1 for one task, as published (its proof's form, reconstructed), at delta for each task.

    ``(1/sqrt N) [1/2 + (T/2) log(1 + (||theta||^2/rho^2) (1 + sqrt(log N / T))^2) + log(1/delta) + 6 log(N + T)
    + L^2/8]``, T = k_sh + k_i, ||theta||^2 of both blocks, rho the smaller radius: that ball lies in the product.

    Paper: Theorem 1, eq. 3.
    """
    return _linear("1", setting, _one_ball(setting, task))


def theorem_1_corrected(setting: Setting, task: int) -> Complexity:
    """Theorem 1 with what its proof leaves out: L / sqrt N for eps outside the ball, log m for all tasks at once.

    For m = 1 it is Theorem 1 plus L / sqrt N.
    """
    beyond = [("tasks", log_tasks(setting)), ("outside the ball", Interval.of(setting.limit))]
    return _linear("1 corrected", setting, [*_one_ball(setting, task), *beyond])


def theorem_a(setting: Setting, task: int) -> Complexity:
    """``L sqrt(C_i / (2N))``, ``C_i = k_sh log(5 + 8 ||theta_sh||/rho_sh) + k_i log(5 + 8 ||theta_i||/rho_ns)
    + log(m/delta) + 2 log[(1 + a_sh) (1 + a_i)] + 2 log(pi^2/6)``, a = max(0, ceil(log2(norm/radius))).
    """
    check_task(setting, task)
    shared, head = (setting.norm_shared, setting.rho_shared), (setting.norm_heads[task], setting.rho_heads)
    parts = [
        ("shared block", _log_cells(setting.k_shared, *shared)),
        ("head", _log_cells(setting.k_heads[task], *head)),
        ("scales", _log_doublings(*shared) + _log_doublings(*head)),
        ("confidence", confidence(setting)),
        ("tasks", log_tasks(setting)),
    ]
    return rooted("A", setting, parts)


def _joint_cells(setting: Setting) -> list[tuple[str, Interval]]:
    """C_w of Theorem A', one part after the other."""
    scales = _log_doublings(setting.norm_shared, setting.rho_shared)
    heads = Interval(0.0, 0.0)
    for size, norm in zip(setting.k_heads, setting.norm_heads, strict=True):
        heads += _log_cells(size, norm, setting.rho_heads)
        scales += _log_doublings(norm, setting.rho_heads)
    return [
        ("shared block", _log_cells(setting.k_shared, setting.norm_shared, setting.rho_shared)),
        ("heads", heads),
        ("scales", scales),
        ("confidence", confidence(setting)),
    ]


def theorem_a_prime(setting: Setting) -> Complexity:
    """``L sqrt(C_w / (2N))``, ``C_w = k_sh log(5 + 8 ||theta_sh||/rho_sh) + sum_i k_i log(5 + 8 ||theta_i||/rho_ns)
    + log(1/delta) + 2 log prod(1 + a) + (m + 1) log(pi^2/6)``; the same for every w that was fixed before the sample.
    """
    return rooted("A'", setting, _joint_cells(setting))


def theorem_c(setting: Setting, pieces: int | None = None) -> Complexity:
    """``L sqrt(C_vec / (2N)) + L/n``, ``C_vec = C_w + m log n + log m``, n = ``pieces``, by default ceil(sqrt N)."""
    n = math.isqrt(setting.n_samples - 1) + 1 if pieces is None else pieces
    check_integer("pieces", n)
    split = [("pieces", float(setting.tasks) * log(float(n))), ("tasks", log_tasks(setting))]
    return rooted("C", setting, [*_joint_cells(setting), *split], [("L/n", Interval.of(setting.limit) / float(n))])


def _two_balls(setting: Setting, task: int) -> list[tuple[str, Interval]]:
    """KL of Theorem B: ``1/(4 k) + (k/2) log(1 + (norm^2/radius^2) (1 + sqrt(log(4N) / k))^2)`` of both blocks."""
    check_task(setting, task)
    k_head, n = setting.k_heads[task], 4 * setting.n_samples
    shared = Interval.of(setting.norm_shared) / setting.rho_shared
    head = Interval.of(setting.norm_heads[task]) / setting.rho_heads
    return [
        ("shared block", log_variances(setting.k_shared, shared, n)),
        ("head", log_variances(k_head, head, n)),
        ("grid step", 1.0 / Interval.of(4.0 * setting.k_shared) + 1.0 / Interval.of(4.0 * k_head)),
        ("confidence", confidence(setting)),
        ("tasks", log_tasks(setting)),
    ]


def theorem_b(setting: Setting, task: int) -> Complexity:
    """``(1/sqrt N) {L + KL + log(m/delta) + 4 log(1.29 (1 + 2 L sqrt N)) + L^2/8}``, KL of `_two_balls`.

    Holds where E L_D^i(theta + eps) is at least L_D^i(theta).
    """
    reach = 1.0 + 2.0 * setting.limit * sqrt(float(setting.n_samples))
    beyond = [
        ("prior grid", 4.0 * log(Interval.of(129.0) / 100.0 * reach)),
        ("L^2/8", _squared_limit(setting)),
        ("outside the ball", Interval.of(setting.limit)),
    ]
    return _linear("B", setting, [*_two_balls(setting, task), *beyond])


def theorem_b_root(setting: Setting, task: int) -> Complexity:
    """``L/sqrt N + L sqrt([KL + log(2 sqrt N m/delta) + 4 log(1.29 (1 + 4N))] / (2N))``, KL of `_two_balls`.

    Holds where E L_D^i(theta + eps) is at least L_D^i(theta).
    """
    root_n = sqrt(float(setting.n_samples))
    beyond = [
        ("log(2 sqrt N)", log(2.0 * root_n)),
        ("prior grid", 4.0 * log(Interval.of(129.0) / 100.0 * (1.0 + 4.0 * setting.n_samples))),
    ]
    tail = [("outside the ball", setting.limit / root_n)]
    return rooted("B, square root", setting, [*_two_balls(setting, task), *beyond], tail)
